use super::*;
use crate::ratio::{Answer, Bound, Side};
use crate::simulated::{STANDARD_ERRORS, normal, random};
use rand::RngExt;
use rand::rngs::StdRng;

/// How the speed of one server differs from start to start, as a logarithm.
#[derive(Clone, Copy, Debug)]
enum Starts {
    /// Not at all.
    Equal,
    /// Uniform, ±10 %.
    Uniform,
    /// Normal, with the deviation of the uniform one.
    Normal,
    /// Normal, with a deviation of 10 %.
    WideNormal,
}

const ALL: [Starts; 4] = [Starts::Equal, Starts::Uniform, Starts::Normal, Starts::WideNormal];

impl Starts {
    fn level(self, random: &mut StdRng) -> f64 {
        match self {
            Self::Equal => 0.0,
            Self::Uniform => (1.0 + 0.1 * (2.0 * random.random::<f64>() - 1.0)).ln(),
            Self::Normal => 0.0577 * normal(random),
            Self::WideNormal => 0.1 * normal(random),
        }
    }

    /// The pairs of one start, of a candidate that takes `truth` times what the baseline takes. Each pair has noise of
    /// its own, of 10 %, half of it shared with the pair before.
    fn pairs(self, truth: f64, random: &mut StdRng) -> Vec<Pair> {
        let level = truth.ln() + self.level(random) - self.level(random);
        let mut noise = 0.1 * normal(random);
        let mut pair = || {
            noise = 0.5 * noise + 0.75_f64.sqrt() * 0.1 * normal(random);
            Pair { a: 100.0, b: 100.0 * (level + noise).exp() }
        };
        (0..PAIRS_PER_START).map(|_| pair()).collect()
    }

    fn measured(self, truth: f64, starts: usize, random: &mut StdRng) -> Vec<Vec<Pair>> {
        (0..starts).map(|_| self.pairs(truth, random)).collect()
    }
}

const BOUND: Bound = Bound::AtMost(1.10);
const RUNS: usize = 4_000;

/// Looks until decided: the answer, and how many starts it took.
fn gate(starts: &[Vec<Pair>]) -> (Answer, usize) {
    let planned = starts.len();
    let mut looked = looks(planned).map(|look| {
        let ratio = Ratio::over_starts(&starts[..look], look_confidence(1, planned)).unwrap();
        (BOUND.judge(&ratio), look)
    });
    looked.find(|(answer, _)| *answer != Answer::Inconclusive).unwrap_or((Answer::Inconclusive, planned))
}

/// The share of runs with an answer, and how many starts a run takes on average.
fn share(wanted: Answer, kind: Starts, truth: f64, planned: usize) -> (f64, f64) {
    let mut random = random(41);
    let gates: Vec<_> = (0..RUNS).map(|_| gate(&kind.measured(truth, planned, &mut random))).collect();
    let share = gates.iter().filter(|(answer, _)| *answer == wanted).count() as f64 / RUNS as f64;
    let starts = gates.iter().map(|(_, starts)| *starts as f64).sum::<f64>() / RUNS as f64;
    println!(
        "{kind:?}, ratio {truth}, {planned} starts planned: {wanted} in {share:.4}, {starts:.1} starts on average"
    );
    (share, starts)
}

/// As many as chance allows of a share of 1 %.
fn at_most_total_error() -> f64 {
    TOTAL_ERROR + STANDARD_ERRORS * (TOTAL_ERROR * (1.0 - TOTAL_ERROR) / RUNS as f64).sqrt()
}

#[test]
fn a_server_at_the_bound_is_failed_or_passed_no_more_often_than_the_total_error() {
    for kind in ALL {
        for planned in [LEAST_STARTS, DEFAULT_STARTS] {
            for (wrong, truth) in [(Answer::Fail, 1.10), (Answer::Pass, 1.100_000_1)] {
                let (share, _) = share(wrong, kind, truth, planned);
                assert!(share <= at_most_total_error(), "{kind:?}, {planned} starts: {wrong} in {share}");
            }
        }
    }
}

#[test]
fn a_server_against_itself_is_hardly_ever_failed() {
    for kind in ALL {
        let (share, _) = share(Answer::Fail, kind, 1.0, DEFAULT_STARTS);
        assert!(share <= TOTAL_ERROR / 2.0, "{kind:?}: {share}");
    }
}

#[test]
fn a_server_against_itself_passes_though_starts_differ_by_ten_percent() {
    for (kind, least) in [(Starts::Equal, 0.99), (Starts::Uniform, 0.75), (Starts::Normal, 0.75)] {
        let (share, _) = share(Answer::Pass, kind, 1.0, DEFAULT_STARTS);
        assert!(share >= least, "{kind:?}: {share}");
    }
}

#[test]
fn a_quarter_slower_is_found_though_starts_differ_by_ten_percent() {
    for (kind, least, most_starts) in
        [(Starts::Equal, 0.995, 8.0), (Starts::Uniform, 0.95, 13.0), (Starts::Normal, 0.95, 13.0)]
    {
        let (share, starts) = share(Answer::Fail, kind, 1.25, DEFAULT_STARTS);
        assert!(share >= least && starts <= most_starts, "{kind:?}: {share} in {starts} starts");
    }
    let (wide, _) = share(Answer::Fail, Starts::WideNormal, 1.25, DEFAULT_STARTS);
    assert!(wide >= 0.6, "{wide}");
    // Why four starts are not the default.
    let (of_four, _) = share(Answer::Fail, Starts::Uniform, 1.25, LEAST_STARTS);
    assert!(of_four < 0.5, "{of_four}");
}

/// What the interval over starts is for: the one over all pairs, as if they were of one start, is far too narrow.
#[test]
fn pairs_of_few_starts_taken_for_independent_would_accuse_an_equal_server() {
    let mut random = random(42);
    let accused = |random: &mut StdRng| {
        let pairs = Starts::Uniform.measured(1.0, 4, random).concat();
        Ratio::of(&pairs, 0.99, random).is_ok_and(|ratio| ratio.low > 1.0 || ratio.high < 1.0)
    };
    let accused = (0..200).filter(|_| accused(&mut random)).count();
    assert!(accused > 10, "{accused} of 200");
}

#[test]
fn an_interval_over_starts_is_that_of_students_t_over_their_values() {
    let start = |log: f64| vec![Pair { a: 100.0, b: 100.0 * log.exp() }; PAIRS_PER_START];
    let ratio = Ratio::over_starts(&[0.0, 0.1, 0.2, 0.3].map(start), 0.95).unwrap();
    // Mean 0.15, deviation 0.1291, of four; the table has 3.182 for three degrees of freedom.
    let reach = 3.182 * 0.129_099 / 2.0;
    for (found, expected) in [(ratio.estimate, 0.15), (ratio.low, 0.15 - reach), (ratio.high, 0.15 + reach)] {
        assert!((found.ln() - expected).abs() < 1e-4, "{ratio:?}");
    }
    assert_eq!((ratio.starts, ratio.pairs), (4, 24));
}

#[test]
fn a_pause_in_one_pair_of_a_start_does_not_move_it() {
    let level = |paused: bool| {
        let mut starts = vec![vec![Pair { a: 100.0, b: 110.0 }; PAIRS_PER_START]; 4];
        starts[2][3].b *= if paused { 50.0 } else { 1.0 };
        Ratio::over_starts(&starts, 0.95).unwrap().estimate
    };
    assert!((level(true) / level(false) - 1.0).abs() < 1e-12);
}

#[test]
fn equal_starts_leave_the_whole_range_of_their_pairs() {
    let mut starts = vec![vec![Pair { a: 100.0, b: 100.0 }; PAIRS_PER_START]; 4];
    let ratio = |starts: &[Vec<Pair>]| Ratio::over_starts(starts, 0.95).unwrap();
    assert_eq!((ratio(&starts).low, ratio(&starts).high), (1.0, 1.0));
    starts[1][0].b = 150.0;
    let ratio = ratio(&starts);
    assert_eq!((ratio.estimate, ratio.low), (1.0, 1.0));
    assert!((ratio.high - 1.5).abs() < 1e-9, "{ratio:?}");
}

#[test]
fn what_no_interval_can_be_worked_out_from_is_refused() {
    let start = || vec![Pair { a: 100.0, b: 101.0 }; PAIRS_PER_START];
    let mut starts = vec![start(), start(), start(), Vec::new()];
    let few = Ratio::over_starts(&starts, 0.95).unwrap_err();
    assert_eq!(few.to_string(), "measured 3 starts; an interval needs 4: measure more");
    starts[3] = start();
    assert!(Ratio::over_starts(&starts, 0.95).is_ok());
    assert!(matches!(Ratio::over_starts(&starts, 1.0), Err(RatioError::NoConfidence { .. })));
    starts[3][1].b = 0.0;
    let error = Ratio::over_starts(&starts, 0.95).unwrap_err();
    assert!(matches!(error, RatioError::NoFigure { pair: 2, side: Side::B, .. }), "{error}");
}

#[test]
fn it_is_looked_at_some_numbers_of_starts_and_at_the_last() {
    assert_eq!(looks(16).collect::<Vec<_>>(), [6, 8, 12, 16]);
    assert_eq!(looks(4).collect::<Vec<_>>(), [4]);
    assert_eq!(looks(13).collect::<Vec<_>>(), [6, 8, 12, 13]);
    let expected = [(3, 3), (6, 6), (7, 6), (11, 8), (15, 12), (16, 16)];
    assert_eq!(expected.map(|(started, _)| (started, looked_at(started, 16))), expected);
    assert!(((1.0 - look_confidence(3, 16)) / 2.0 * 4.0 * 3.0 - TOTAL_ERROR).abs() < 1e-12);
}
