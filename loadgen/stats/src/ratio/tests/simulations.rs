//! How often gates are wrong, and how soon they are right, on made-up machines.

use super::super::*;
use crate::simulated::{STANDARD_ERRORS, exponential, normal, random};
use rand::rngs::StdRng;
use std::f64::consts::SQRT_2;

/// How the figures of a made-up machine vary. Deviations are those of the logarithm of one measurement.
#[derive(Clone, Copy, Debug)]
enum Noise {
    /// Normal, of a deviation.
    Normal(f64),
    /// Student's t with 3 degrees of freedom, times 10 %.
    HeavyTails,
    /// Normal, 5 %, but 1 measurement in 10 takes 3 times as long.
    Pauses,
    /// Each measurement takes 1 % longer than the one before, give or take a step of 3 %, and 5 % noise of its own.
    Drift,
    /// Exponential.
    Exponential,
    /// Normal, 5 %, shown by a clock of steps of 5 %.
    CoarseClock,
    /// A steady baseline, and a candidate whose times are exponential: the logarithm of the ratio is skewed.
    SkewedCandidate,
}

const NOISES: [Noise; 9] = [
    Noise::Normal(0.05),
    Noise::Normal(0.15),
    Noise::Normal(0.30),
    Noise::HeavyTails,
    Noise::Pauses,
    Noise::Drift,
    Noise::Exponential,
    Noise::CoarseClock,
    Noise::SkewedCandidate,
];

impl Noise {
    /// The logarithm of one measurement, at a level that may move on to the next one.
    fn measured(self, level: &mut f64, random: &mut StdRng) -> f64 {
        match self {
            Self::Normal(deviation) => deviation * normal(random),
            Self::HeavyTails => {
                let squares: f64 = (0..3).map(|_| normal(random).powi(2)).sum();
                0.1 * normal(random) / (squares / 3.0).sqrt()
            }
            Self::Pauses => 0.05 * normal(random) + if random.random_bool(0.1) { 3.0_f64.ln() } else { 0.0 },
            Self::Drift => {
                *level += 0.01 + 0.03 * normal(random);
                *level + 0.05 * normal(random)
            }
            Self::Exponential | Self::SkewedCandidate => exponential(random, 1.0).ln(),
            Self::CoarseClock => (normal(random)).round() * 0.05,
        }
    }

    /// So many pairs of a candidate that takes `truth` times what the baseline takes, measured A B B A.
    fn pairs(self, truth: f64, count: usize, random: &mut StdRng) -> Vec<Pair> {
        let mut level = 0.0;
        let mut measured = || self.measured(&mut level, random);
        let mut pair = |index: usize| {
            let (first, second) = (measured(), measured());
            let (a, b) = if index.is_multiple_of(2) { (first, second) } else { (second, first) };
            match self {
                Self::SkewedCandidate => Pair { a: 1.0, b: truth * (b - mean_of_skewed()).exp() },
                _ => Pair { a: a.exp(), b: truth * b.exp() },
            }
        };
        (0..count).map(&mut pair).collect()
    }
}

/// The 20 % trimmed mean of the logarithm of exponential times of mean 1, integrated over its quantiles
/// ln(−ln(1 − p)), p from 0.2 to 0.8.
fn mean_of_skewed() -> f64 {
    -0.410_405_863
}

/// The interval by Student's t alone, given the quantile.
fn student_ratio(pairs: &[Pair], quantile: f64) -> Ratio {
    let trimmed = Trimmed::of(&sorted_logs(pairs).unwrap());
    let reach = quantile * trimmed.standard_error;
    let [low, high] = [trimmed.mean - reach, trimmed.mean + reach].map(f64::exp);
    Ratio { estimate: trimmed.mean.exp(), low, high, pairs: pairs.len(), starts: 1 }
}

/// [`LOOKS`] of a gate of one bound, with their quantiles of Student's t: working those out takes the longest.
fn looks() -> [(usize, f64); LOOKS.len()] {
    LOOKS.map(|count| (count, student_t(count, look_confidence(1))))
}

/// Whether a look gives this answer. Intervals hold that of Student's t (tested below), so that where that does not
/// give it, drawing anew is saved.
fn says(answer: Answer, bound: Bound, pairs: &[Pair], quantile: f64, random: &mut StdRng) -> bool {
    bound.judge(&student_ratio(pairs, quantile)) == answer
        && bound.judge(&Ratio::of(pairs, look_confidence(1), random).unwrap()) == answer
}

/// Demands that no more than a share of trials was hit, as far as so many trials can tell.
#[track_caller]
fn assert_at_most(what: &str, hits: usize, trials: usize, chance: f64) {
    let share = hits as f64 / trials as f64;
    println!("{what}: {share}");
    let allowed = chance + STANDARD_ERRORS * (chance * (1.0 - chance) / trials as f64).sqrt();
    assert!(share <= allowed, "{what}: {share}, allowed {allowed}");
}

/// In how many of so many runs of [`LOOKS`] any of them gives an answer, were it not to stop at another before.
fn runs_with(answer: Answer, noise: Noise, truth: f64, bound: Bound, runs: usize) -> usize {
    let (mut random, looks) = (random(31), looks());
    let mut any = || {
        let pairs = noise.pairs(truth, LOOKS[LOOKS.len() - 1], &mut random);
        looks.into_iter().any(|(count, quantile)| says(answer, bound, &pairs[..count], quantile, &mut random))
    };
    (0..runs).filter(|_| any()).count()
}

const RUNS: usize = 3_000;

#[test]
fn a_server_against_itself_is_hardly_ever_failed() {
    for noise in NOISES {
        let failed = runs_with(Answer::Fail, noise, 1.0, Bound::AtMost(1.10), RUNS / 2);
        assert_at_most(&format!("{noise:?}, A against A, failed"), failed, RUNS / 2, TOTAL_ERROR / 4.0);
    }
}

#[test]
fn a_server_just_at_the_bound_is_failed_no_more_often_than_the_total_error() {
    for noise in NOISES {
        let failed = runs_with(Answer::Fail, noise, 1.10, Bound::AtMost(1.10), RUNS);
        assert_at_most(&format!("{noise:?}, at the bound, failed"), failed, RUNS, TOTAL_ERROR);
    }
}

#[test]
fn a_server_just_beyond_the_bound_is_passed_no_more_often_than_the_total_error() {
    for noise in NOISES {
        let passed = runs_with(Answer::Pass, noise, 1.100_000_1, Bound::AtMost(1.10), RUNS);
        assert_at_most(&format!("{noise:?}, beyond the bound, passed"), passed, RUNS, TOTAL_ERROR);
    }
}

/// Measures until decided: the answer, and pairs measured.
fn gate(looks: &[(usize, f64)], truth: f64, pair_deviation: f64, random: &mut StdRng) -> (Answer, usize) {
    let last = LOOKS[LOOKS.len() - 1];
    let pairs = Noise::Normal(pair_deviation / SQRT_2).pairs(truth, last, random);
    for &(count, quantile) in looks {
        for answer in [Answer::Pass, Answer::Fail] {
            if says(answer, Bound::AtMost(1.10), &pairs[..count], quantile, random) {
                return (answer, count);
            }
        }
    }
    (Answer::Inconclusive, last)
}

/// The share of runs with an answer within 40 pairs, and how many pairs a run measures on average.
fn power(truth: f64, wanted: Answer) -> (f64, f64) {
    let (mut random, looks, runs) = (random(32), looks(), 500);
    let gates: Vec<_> = (0..runs).map(|_| gate(&looks, truth, 0.10, &mut random)).collect();
    let within = gates.iter().filter(|&&(answer, count)| answer == wanted && count <= 40).count();
    let pairs = gates.iter().map(|&(_, count)| count as f64).collect::<Vec<_>>();
    let share = within as f64 / f64::from(runs);
    let pairs = mean(&pairs).unwrap();
    println!("ratio {truth}: {wanted:?} within 40 pairs in {share}, {pairs} pairs on average");
    (share, pairs)
}

#[test]
fn a_quarter_slower_is_failed_within_forty_pairs() {
    let (share, pairs) = power(1.25, Answer::Fail);
    assert!(share >= 0.98 && pairs < 25.0, "{share}, {pairs}");
}

#[test]
fn a_server_against_itself_passes_within_forty_pairs() {
    let (share, pairs) = power(1.0, Answer::Pass);
    assert!(share >= 0.92 && pairs < 32.0, "{share}, {pairs}");
}

#[test]
fn an_interval_holds_the_truth_as_often_as_it_says() {
    let (runs, confidence) = (400, 0.95);
    for noise in [Noise::Normal(0.15), Noise::Pauses, Noise::Exponential, Noise::SkewedCandidate] {
        for count in [14, 28] {
            let mut random = random(33);
            let mut holds = || {
                let ratio = Ratio::of(&noise.pairs(1.3, count, &mut random), confidence, &mut random).unwrap();
                ratio.low <= 1.3 && 1.3 <= ratio.high
            };
            let held = (0..runs).filter(|_| holds()).count();
            assert_at_most(&format!("{noise:?}, {count} pairs, missed at 95 %"), runs - held, runs, 0.05);
            assert!(held < runs * 199 / 200, "{noise:?}: an interval of 95 % hardly ever misses");
        }
    }
}

#[test]
fn an_interval_at_a_look_misses_no_more_often_than_it_says() {
    let (runs, confidence) = (RUNS, look_confidence(1));
    // Where the middle pairs share a few steps of a coarse clock, some looks miss more often, and others never.
    for noise in NOISES.into_iter().filter(|noise| !matches!(noise, Noise::CoarseClock)) {
        for count in [10, 20, 40] {
            let (mut random, quantile) = (random(34), student_t(count, confidence));
            let mut misses = || {
                let pairs = noise.pairs(1.3, count, &mut random);
                let misses = |ratio: &Ratio| 1.3 < ratio.low || ratio.high < 1.3;
                misses(&student_ratio(&pairs, quantile)) && misses(&Ratio::of(&pairs, confidence, &mut random).unwrap())
            };
            let missed = (0..runs).filter(|_| misses()).count();
            assert_at_most(&format!("{noise:?}, {count} pairs, missed"), missed, runs, 1.0 - confidence);
        }
    }
}
