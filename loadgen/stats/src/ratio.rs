//! How many times as much a candidate server B takes (or does) as a baseline A, worked out from pairs of measurements
//! that were taken in turns, A B B A; and whether that keeps within a bound.
//!
//! The figure is the 20 % trimmed mean of ln(b/a), turned back into a ratio. A pause of the machine spoils one pair,
//! and the largest and smallest fifth of the pairs do not decide. Turns A B B A give a steady drift of the machine the
//! opposite sign in every other pair, so that it cancels; this is why looks are at even numbers of pairs.
//!
//! The interval is the wider of two, at each end: the equal-tailed bootstrap-t interval of the trimmed mean with the
//! winsorized standard error, which allows for skewed noise, and the one with Student's t, because the few resamples in
//! a tail of 0.1 % cannot be relied on alone (both: Wilcox, *Introduction to Robust Estimation and Hypothesis Testing*,
//! chapter 4). Simulated at that tail, the bootstrap alone misses up to three times as often as it should, and Student's
//! t alone five times or more where the logarithms are skewed.
//!
//! Measuring goes on until a look at the pairs decides. The chance of a wrong answer is shared equally among all looks
//! (Bonferroni). However the looks depend on each other, it is then at most [`TOTAL_ERROR`] over all of them, as far as
//! each interval holds what it says: it supposes that pairs are independent but for the drift that A B B A cancels.

pub mod starts;

use super::statistics::{mean, percentile};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::fmt;

/// Pairs that an interval needs at least: with fewer, trimming leaves no more than five, and a tail of 0.1 % would rest
/// on the shape of the noise alone.
pub const LEAST_PAIRS: usize = 10;

/// Numbers of pairs at which to look whether they decide: each some 1.4 times the one before, so that measuring goes
/// on for at most 1.4 times as long as it must. All are even, because drift cancels in twos. Where the last does not
/// decide, the noise is too large to tell.
pub const LOOKS: [usize; 9] = [LEAST_PAIRS, 14, 20, 28, 40, 56, 80, 112, 160];

/// The chance that a gate says "fail" at any of its looks of a candidate that keeps every bound, at most. It is as
/// large for "pass" of a candidate that does not keep a bound.
pub const TOTAL_ERROR: f64 = 0.01;

/// How often the pairs are drawn anew: at the confidence of a look, four or five lie in each tail.
const RESAMPLES: usize = 4_000;

/// One in so many pairs is trimmed at each end: 20 %, which Wilcox recommends for general use.
const TRIMMED_ONE_IN: usize = 5;

const _: () = {
    let mut look = 0;
    while look < LOOKS.len() {
        assert!(LOOKS[look].is_multiple_of(2), "drift cancels in twos");
        assert!(look == 0 || LOOKS[look] > LOOKS[look - 1], "looks come one after the other");
        look += 1;
    }
};

/// How many of so many pairs an answer rests on: those of the last look at them, or all where there was none yet. Looking
/// in between would take more chances of a wrong answer than were shared out.
#[must_use]
pub fn looked_at(pairs: usize) -> usize {
    LOOKS.into_iter().rev().find(|&look| look <= pairs).unwrap_or(pairs)
}

/// The confidence of the interval at each look of a gate that checks so many bounds (1 or more) at all of [`LOOKS`].
///
/// Each bound gets an equal share of [`TOTAL_ERROR`] at each look. The share is that of one end of the interval: of
/// "pass" and "fail" only one can be wrong.
#[must_use]
pub fn look_confidence(bounds: usize) -> f64 {
    confidence_of_share(TOTAL_ERROR / (LOOKS.len() * bounds.max(1)) as f64)
}

/// The confidence of an interval of which one end may be wrong in this share.
fn confidence_of_share(share: f64) -> f64 {
    1.0 - 2.0 * share
}

/// Which server a figure was measured of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The baseline.
    A,
    /// The candidate.
    B,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// The same figure of both servers, measured next to each other: microseconds of a percentile, or operations a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Of the baseline.
    pub a: f64,
    /// Of the candidate.
    pub b: f64,
}

/// Why there is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RatioError {
    /// Not enough pairs.
    #[error("measured {found} pairs; an interval needs {LEAST_PAIRS}: measure more")]
    TooFewPairs {
        /// How many there were.
        found: usize,
    },
    /// Not enough starts.
    #[error("measured {found} starts; an interval needs {}: measure more", starts::LEAST_STARTS)]
    TooFewStarts {
        /// How many there were.
        found: usize,
    },
    /// A figure that has no logarithm.
    #[error(
        "pair {pair}: {side} measured {figure}, which is not positive and finite: leave out runs without an answer"
    )]
    NoFigure {
        /// The pair, counted from 1.
        pair: usize,
        /// The server.
        side: Side,
        /// What was given.
        figure: f64,
    },
    /// A confidence that is no share.
    #[error("a confidence of {confidence}: give one between 0 and 1, both left out")]
    NoConfidence {
        /// What was given.
        confidence: f64,
    },
}

/// The ratio B/A, with an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The trimmed (geometric) mean of the pairs' ratios.
    pub estimate: f64,
    /// Lower end of the interval; 0 where the pairs do not bound it.
    pub low: f64,
    /// Upper end of the interval; infinite where the pairs do not bound it.
    pub high: f64,
    /// Pairs it rests on.
    pub pairs: usize,
    /// Starts of both servers that these are from.
    pub starts: usize,
}

impl Ratio {
    /// The ratio that the pairs suggest, with its interval at a confidence (that of [`look_confidence`], say). The same
    /// pairs and the same random numbers give the same ratio.
    ///
    /// # Errors
    /// Fewer than [`LEAST_PAIRS`] pairs, a figure that is not finite and positive, or a confidence that is no share.
    pub fn of(pairs: &[Pair], confidence: f64, random: &mut impl Rng) -> Result<Self, RatioError> {
        let logs = sorted_logs(pairs)?;
        if pairs.len() < LEAST_PAIRS {
            return Err(RatioError::TooFewPairs { found: pairs.len() });
        }
        let confidence = checked(confidence)?;
        let trimmed = Trimmed::of(&logs);
        let (low, high) = interval(&logs, trimmed, confidence, random);
        Ok(Self { estimate: trimmed.mean.exp(), low: low.exp(), high: high.exp(), pairs: pairs.len(), starts: 1 })
    }
}

fn checked(confidence: f64) -> Result<f64, RatioError> {
    if confidence > 0.0 && confidence < 1.0 { Ok(confidence) } else { Err(RatioError::NoConfidence { confidence }) }
}

/// What a gate asks of the ratio B/A.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// B takes at most so many times what A takes: for times.
    AtMost(f64),
    /// B does at least so many times what A does: for throughput.
    AtLeast(f64),
}

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The whole interval keeps the bound.
    Pass,
    /// The whole interval lies beyond the bound.
    Fail,
    /// The bound lies within the interval: measure more, or say that the noise is too large to tell.
    Inconclusive,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        })
    }
}

impl Bound {
    /// Whether the ratio keeps the bound, as far as its interval can tell.
    #[must_use]
    pub fn judge(self, ratio: &Ratio) -> Answer {
        let (keeps, breaks) = match self {
            Self::AtMost(most) => (ratio.high <= most, ratio.low > most),
            Self::AtLeast(least) => (ratio.low >= least, ratio.high < least),
        };
        match (keeps, breaks) {
            (true, _) => Answer::Pass,
            (false, true) => Answer::Fail,
            (false, false) => Answer::Inconclusive,
        }
    }
}

/// The logarithms of the pairs' ratios in ascending order; refuses figures without a logarithm.
fn sorted_logs(pairs: &[Pair]) -> Result<Vec<f64>, RatioError> {
    let figures = pairs.iter().zip(1..).flat_map(|(both, pair)| [(pair, Side::A, both.a), (pair, Side::B, both.b)]);
    for (pair, side, figure) in figures {
        if !(figure.is_finite() && figure > 0.0) {
            return Err(RatioError::NoFigure { pair, side, figure });
        }
    }
    // Not ln(b / a): the quotient of two figures may be 0 or infinite though both are neither.
    let mut logs: Vec<f64> = pairs.iter().map(|pair| pair.b.ln() - pair.a.ln()).collect();
    logs.sort_unstable_by(f64::total_cmp);
    Ok(logs)
}

/// The trimmed mean of a sample, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trimmed {
    mean: f64,
    /// s / ((1 − 2γ) √n), with s the winsorized standard deviation and γ = 20 %.
    standard_error: f64,
}

impl Trimmed {
    /// Of values in ascending order, [`TRIMMED_ONE_IN`] of them or more.
    fn of(sorted: &[f64]) -> Self {
        let count = sorted.len() as f64;
        let kept = &sorted[kept(sorted.len())];
        let (first, last) = (kept[0], kept[kept.len() - 1]);
        // Held between both, so that the mean of equal values is their value to the last digit, and the error 0.
        let mean = |values: &[f64]| mean(values).unwrap_or(first).clamp(first, last);
        // Winsorizing replaces what trimming leaves out by the nearest value kept.
        let winsorized: Vec<f64> = sorted.iter().map(|value| value.clamp(first, last)).collect();
        let middle = mean(&winsorized);
        let deviation = (winsorized.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        let share_kept = 1.0 - 2.0 / TRIMMED_ONE_IN as f64;
        Self { mean: mean(kept), standard_error: deviation / (share_kept * count.sqrt()) }
    }

    /// By how many standard errors the mean is off.
    fn off_by(self, truth: f64) -> f64 {
        let off = self.mean - truth;
        // Values drawn anew may be all the same: then the mean is off by nothing, or by infinitely many times nothing.
        if off == 0.0 { 0.0 } else { off / self.standard_error }
    }
}

/// Which of so many values in ascending order are left after trimming.
fn kept(count: usize) -> std::ops::Range<usize> {
    let trimmed = count / TRIMMED_ONE_IN;
    trimmed..count - trimmed
}

/// Both ends of the interval of the trimmed mean of the logarithms.
fn interval(logs: &[f64], trimmed: Trimmed, confidence: f64, random: &mut impl Rng) -> (f64, f64) {
    if trimmed.standard_error == 0.0 {
        // A coarse clock: nothing to tell chance by but how far the pairs reach, a point where all are equal.
        return (logs[0], logs[logs.len() - 1]);
    }
    let (lowest, highest) = bootstrap_t(logs, trimmed.mean, confidence, random);
    let student = student_t(logs.len(), confidence);
    // A mean that is off by very much upwards tells how far below it the truth may be, and the other way round.
    let low = trimmed.mean - highest.max(student) * trimmed.standard_error;
    let high = trimmed.mean - lowest.min(-student) * trimmed.standard_error;
    (low, high)
}

/// By how many standard errors the trimmed mean of values drawn anew is off at the least (below 0) and at the most, but
/// for the tails that the confidence leaves out.
fn bootstrap_t(logs: &[f64], truth: f64, confidence: f64, random: &mut impl Rng) -> (f64, f64) {
    let off: Vec<f64> = (0..RESAMPLES).map(|_| Trimmed::of(&drawn_anew(logs, random)).off_by(truth)).collect();
    let mirrored: Vec<f64> = off.iter().map(|off| -off).collect();
    let share = f64::midpoint(1.0, confidence);
    // By the same rank from either end, so that A and B are treated alike.
    let most = |values: &[f64]| percentile(values, share).unwrap_or(f64::INFINITY);
    (-most(&mirrored), most(&off))
}

/// As many values, each any of those given, in ascending order as those are.
fn drawn_anew(sorted: &[f64], random: &mut impl Rng) -> Vec<f64> {
    let mut times = vec![0; sorted.len()];
    sorted.iter().for_each(|_| times[random.random_range(0..sorted.len())] += 1);
    sorted.iter().zip(times).flat_map(|(&value, times)| std::iter::repeat_n(value, times)).collect()
}

/// By how many standard errors the trimmed mean of so many values is off at the most where they are normal: the
/// quantile of Student's t, with one degree of freedom less than there are values kept.
fn student_t(count: usize, confidence: f64) -> f64 {
    t_quantile((kept(count).len() - 1) as f64, confidence)
}

/// The quantile of Student's t that leaves out half of the rest of a confidence at either end.
fn t_quantile(degrees_of_freedom: f64, confidence: f64) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, degrees_of_freedom);
    distribution.map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(f64::midpoint(1.0, confidence)))
}

#[cfg(test)]
mod tests;
