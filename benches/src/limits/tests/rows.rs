use super::*;
use crate::limits::figures::{About, HARD_LIMIT, RECOMMENDED_MAX, Row, rows, significant};
use crate::limits::measured::{Drained, Holds, Saves};

/// The rows that begin like this, the documented protocol's first.
fn rows_of(run: &Run, documented: &str) -> Vec<Row> {
    rows(run).into_iter().filter(|row| row.documented.starts_with(documented)).collect()
}

fn verdict(run: &Run, documented: &str) -> Verdict {
    rows_of(run, documented)[0].verdict
}

fn fill(used_keys: usize, refused: u64, requests: u64) -> AtFill {
    counted(Subject::Documented, used_keys, refused, requests)
}

#[test]
fn two_attempts_hold_as_the_interval_says() {
    let with = |low, high| {
        let attempts = Some(measured(f64::midpoint(low, high), low, high));
        run(vec![AtFill { attempts, ..fill(RECOMMENDED_MAX, 0, 10_000) }])
    };
    let verdicts = [(1.2, 1.3), (1.9, 2.1), (27.0, 28.0)].map(|(low, high)| verdict(&with(low, high), "1-2 attempts"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn a_millisecond_is_a_million_nanoseconds() {
    let with = |low, high| {
        let time_ns = Some(measured(f64::midpoint(low, high), low, high));
        run(vec![AtFill { time_ns, ..fill(HARD_LIMIT, 0, 10_000) }])
    };
    let verdict = |run: &Run| rows_of(run, "< 1 ms on average (at 45000")[0].verdict;
    let verdicts = [(0.8e6, 0.9e6), (0.9e6, 1.1e6), (1.0e6, 1.2e6)].map(|(low, high)| verdict(&with(low, high)));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn a_hundred_and_one_attempts_are_too_many_at_any_fill() {
    let with = |most_attempts| {
        let counts = Counts { most_attempts, ..fill(1_000, 0, 10).counts };
        run(vec![AtFill { counts, ..fill(1_000, 0, 10) }, fill(RECOMMENDED_MAX, 0, 10)])
    };
    let verdicts = [1, 100, 101].map(|most| verdict(&with(most), "100 attempts"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Holds, Verdict::DoesNotHold]);
}

#[test]
fn one_percent_of_requests_may_be_slow_on_a_full_folder() {
    let with = |slow, timed| {
        let counts = Counts { timed, slow, ..fill(THREE_CHARACTER_KEYS, timed, timed).counts };
        run(vec![AtFill { counts, ..fill(THREE_CHARACTER_KEYS, timed, timed) }])
    };
    let verdicts = [(0, 800), (10, 1_000), (100, 1_000), (0, 0)].map(|(s, n)| verdict(&with(s, n), "< 10 ms"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold, Verdict::NotMeasured]);
}

#[test]
fn a_refusal_after_a_look_at_the_folder_may_take_ten_milliseconds() {
    let with = |low, high| {
        let look_ns = Some(measured(f64::midpoint(low, high), low, high));
        Run { look_ns, ..run(Vec::new()) }
    };
    let just_full = "< 10 ms at worst (on a folder that just";
    let verdicts = [(8e6, 9e6), (9e6, 11e6), (20e6, 25e6)].map(|(low, high)| verdict(&with(low, high), just_full));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn keys_run_out_at_the_limit_or_later_but_neither_early_nor_never() {
    let with = |before: u64, at: u64, full: u64| {
        let fills = [(41_990, before), (HARD_LIMIT, at), (THREE_CHARACTER_KEYS, full)];
        run(fills.map(|(used_keys, refused)| fill(used_keys, refused, 10_000)).to_vec())
    };
    let verdict = |run| verdict(&run, "keys run out");
    assert_eq!(verdict(with(0, 270, 10_000)), Verdict::Holds);
    assert_eq!(verdict(with(0, 0, 10_000)), Verdict::Holds);
    assert_eq!(verdict(with(300, 900, 10_000)), Verdict::DoesNotHold);
    assert_eq!(verdict(with(0, 0, 0)), Verdict::DoesNotHold);
    assert_eq!(verdict(with(100, 270, 10_000)), Verdict::Undecided);
}

#[test]
fn an_exhaustion_of_which_a_level_is_missing_is_not_judged() {
    let levels = run(vec![fill(41_990, 0, 10_000), fill(HARD_LIMIT, 270, 10_000)]);
    assert_eq!(verdict(&levels, "keys run out"), Verdict::NotMeasured);
}

#[test]
fn a_single_lost_count_is_a_corruption_and_fails_even_a_short_run() {
    let with = |held, counted| {
        let holds = vec![Holds { by: "16 threads".to_owned(), held, counted, hold_ns: None }];
        Run { holds, ..run(Vec::new()) }
    };
    let rows =
        [(500, 500), (500, 499), (500, 501), (0, 0)].map(|(held, n)| rows_of(&with(held, n), "concurrent")[0].clone());
    let fails = [Verdict::DoesNotHold; 3];
    assert_eq!(rows[0].verdict, Verdict::Holds);
    assert_eq!([1, 2, 3].map(|n| rows[n].verdict), fails);
    assert!(!rows[0].fails(true) && rows[1].fails(true));
}

#[test]
fn a_hundred_saves_a_second_are_ten_milliseconds_each() {
    let with = |low, high| {
        let save_ns = Some(measured(f64::midpoint(low, high), low, high));
        Run { saves: vec![Saves { subject: Subject::Documented, savers: 16, save_ns }], ..run(Vec::new()) }
    };
    let verdicts = [(1e5, 9.9e6), (9e6, 11e6), (10.1e6, 12e6)].map(|(low, high)| verdict(&with(low, high), "100+"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn all_keys_are_those_in_use_and_those_handed_out() {
    let with = |handed_out| Run { drained: Some(Drained { used_keys: 46_609, handed_out }), ..run(Vec::new()) };
    let verdicts = [46, 47, 48].map(|handed_out| verdict(&with(handed_out), "46,656"));
    assert_eq!(verdicts, [Verdict::DoesNotHold, Verdict::Holds, Verdict::DoesNotHold]);
}

#[test]
fn the_recommended_maximum_leaves_next_to_no_request_refused() {
    let verdicts = [0, 100, 300].map(|refused| verdict(&run(vec![fill(RECOMMENDED_MAX, refused, 10_000)]), "10,000"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn at_the_hard_limit_one_in_twenty_may_be_refused() {
    let verdicts =
        [270, 500, 700].map(|refused| verdict(&run(vec![fill(HARD_LIMIT, refused, 10_000)]), "up to 45,000"));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Undecided, Verdict::DoesNotHold]);
}

#[test]
fn what_one_protocol_costs_says_nothing_of_the_other() {
    let attempts = Some(measured(1.27, 1.2, 1.3));
    let rows = rows_of(&run(vec![AtFill { attempts, ..fill(RECOMMENDED_MAX, 0, 10_000) }]), "1-2 attempts");
    assert_eq!((rows[0].verdict, rows[1].verdict), (Verdict::Holds, Verdict::NotMeasured));
    assert_eq!(rows[1].subject, Some(Subject::Hardened));
}

#[test]
fn a_time_over_its_limit_fails_a_long_run_only_and_what_is_told_none() {
    let row = |about| Row { about, verdict: Verdict::DoesNotHold, ..rows(&run(Vec::new()))[0].clone() };
    let fails =
        [About::Time, About::Told, About::Integrity].map(|about| [true, false].map(|short| row(about).fails(short)));
    assert_eq!(fails, [[false, true], [false, false], [true, true]]);
    let undecided = Row { verdict: Verdict::Undecided, ..row(About::Integrity) };
    assert!(!undecided.fails(false));
}

#[test]
fn figures_are_printed_with_four_digits_that_count() {
    let printed = [0.005_123_4, 1.0, 27.4567, 99.99, 12_345.6, 0.0].map(significant);
    assert_eq!(printed, ["0.005123", "1.000", "27.46", "99.99", "12346", "0.00000000"]);
}
