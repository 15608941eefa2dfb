mod attempts;
mod rows;

use super::measured::{AtFill, Counts, Measured, Run, Subject};
use super::*;
use stats::keys::THREE_CHARACTER_KEYS;

/// What criterion measured where all samples were of a hundred iterations.
fn measured(mean: f64, low: f64, high: f64) -> Measured {
    let (samples, iterations) = (100, 10_000);
    Measured { mean, interval: Interval { low, high }, samples, iterations, total: mean * 10_000.0 }
}

/// A fill at which requests were refused, with nothing measured by criterion.
fn counted(subject: Subject, used_keys: usize, refused: u64, requests: u64) -> AtFill {
    let counts = Counts { requests, refused, most_attempts: 1, timed: 0, slow: 0 };
    AtFill { subject, used_keys, attempts: None, time_ns: None, counts }
}

fn run(fills: Vec<AtFill>) -> Run {
    Run { place: "memory".to_owned(), fills, ..Run::default() }
}

const WITHIN: Interval = Interval { low: 1.0, high: 3.0 };

#[test]
fn a_limit_within_the_interval_leaves_it_undecided() {
    for verdict in [Verdict::below, Verdict::at_most, Verdict::at_least] {
        assert_eq!(verdict(WITHIN, 2.0), Verdict::Undecided);
    }
}

#[test]
fn a_limit_beside_the_interval_decides_it() {
    assert_eq!([0.5, 3.5].map(|limit| Verdict::below(WITHIN, limit)), [Verdict::DoesNotHold, Verdict::Holds]);
    assert_eq!([0.5, 3.5].map(|limit| Verdict::at_most(WITHIN, limit)), [Verdict::DoesNotHold, Verdict::Holds]);
    assert_eq!([0.5, 3.5].map(|limit| Verdict::at_least(WITHIN, limit)), [Verdict::Holds, Verdict::DoesNotHold]);
}

#[test]
fn a_limit_that_is_met_exactly_is_met_but_not_kept_below() {
    let exactly = Interval { low: 2.0, high: 2.0 };
    assert_eq!(Verdict::below(exactly, 2.0), Verdict::DoesNotHold);
    assert_eq!(Verdict::at_most(exactly, 2.0), Verdict::Holds);
    assert_eq!(Verdict::at_least(exactly, 2.0), Verdict::Holds);
}

#[test]
fn of_two_verdicts_the_worse_counts() {
    let [holds, fails, open] = [Verdict::Holds, Verdict::DoesNotHold, Verdict::Undecided];
    assert_eq!([holds.and(open), open.and(fails), holds.and(holds)], [open, fails, holds]);
}

#[test]
fn criterions_files_are_read() {
    let estimates = r#"{"mean":{"confidence_interval":{"confidence_level":0.99,"lower_bound":1.5,"upper_bound":2.5},
        "point_estimate":2.0,"standard_error":0.1},"median":{},"slope":null}"#;
    let sample = r#"{"sampling_mode":"Flat","iters":[100.0,300.0],"times":[210.0,590.0]}"#;
    let interval = Interval { low: 1.5, high: 2.5 };
    let read = Measured::parse(estimates, sample).expect("it is as criterion writes it");
    assert_eq!(read, Measured { mean: 2.0, interval, samples: 2, iterations: 400, total: 800.0 });
    assert!((read.counted_mean() - 2.0).abs() < 1e-12);
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    let sample = r#"{"sampling_mode":"Flat","iters":[100.0],"times":[210.0]}"#;
    assert!(Measured::parse(r#"{"mean":{"point_estimate":2.0"#, sample).is_err());
}

#[test]
fn the_table_shows_every_documented_figure_even_of_a_run_without_any() {
    let table = table::markdown(&[run(Vec::new())]);
    for documented in [
        "1-2 attempts",
        "< 1 ms on average",
        "100 attempts at worst",
        "< 10 ms",
        "~45,000",
        "flock()",
        "no corruption",
        "100+ operations",
        "46,656",
        "< 25 %",
        "up to 45,000",
    ] {
        let rows: Vec<&str> = table.lines().filter(|line| line.contains(documented)).collect();
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.ends_with("| – | not measured |")),
            "{documented}: {rows:?}"
        );
    }
}

#[test]
fn every_row_of_the_table_has_as_many_cells_as_its_head() {
    let fills = vec![
        AtFill { attempts: Some(measured(1.0, 1.0, 1.0)), ..counted(Subject::Hardened, 0, 0, 100) },
        counted(Subject::Documented, THREE_CHARACTER_KEYS, 100, 100),
    ];
    let table = table::markdown(&[run(fills)]);
    let mut cells = 0;
    for line in table.lines() {
        cells = if line.starts_with('|') && cells > 0 { cells } else { line.matches('|').count() };
        assert_eq!(line.matches('|').count(), cells, "{line}");
    }
}
