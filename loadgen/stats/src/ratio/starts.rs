//! The ratio B/A over several starts of both servers.
//!
//! The same code differs by 10 to 30 % from start to start: where its memory lies, which processor its threads get. All
//! pairs of one start share that, so more pairs of the same start do not make it smaller, and an interval over them would
//! be far too narrow. Each start therefore gives one value, the trimmed mean of its pairs' logarithms, and the interval is
//! that of Student's t over these values, with one degree of freedom less than there are starts. Both levels of variation,
//! between starts and between pairs, are in the spread of the values, and pairs of one start may depend on each other.
//!
//! As for pairs, the chance of a wrong answer is shared equally among all looks, so it is at most [`TOTAL_ERROR`].

use super::{Pair, Ratio, RatioError, TOTAL_ERROR, Trimmed, checked, confidence_of_share, sorted_logs, t_quantile};
use crate::statistics::mean;

/// Pairs that are measured in each start: one at each end is trimmed, and drift cancels in twos.
pub const PAIRS_PER_START: usize = 6;

/// Starts of both servers if nothing else is asked for: with 16, a server that is slower by a quarter is missed in 6 % of
/// the runs if starts differ by ±10 %, with 20 in 2 % (see the simulations).
pub const DEFAULT_STARTS: usize = 20;

/// Starts that an interval needs at least: with three, Student's t reaches seven standard errors to either side.
pub const LEAST_STARTS: usize = 4;

/// More would take hours and tell no more.
pub const MOST_STARTS: usize = 64;

/// Numbers of starts at which to look whether they decide, and the last one.
const LOOKS: [usize; 8] = [6, 8, 12, 16, 24, 32, 48, 64];

const _: () = assert!(PAIRS_PER_START.is_multiple_of(2) && PAIRS_PER_START >= super::TRIMMED_ONE_IN);

/// The numbers of starts at which to look if so many are planned: the planned number is the last look.
pub fn looks(planned: usize) -> impl Iterator<Item = usize> {
    LOOKS.into_iter().filter(move |&look| look < planned).chain([planned])
}

/// How many of the starts so far an answer rests on: those of the last look, or all if there was none yet.
#[must_use]
pub fn looked_at(started: usize, planned: usize) -> usize {
    looks(planned).filter(|&look| look <= started).last().unwrap_or(started)
}

/// The confidence of the interval at each look of a gate that checks so many bounds in so many planned starts.
#[must_use]
pub fn look_confidence(bounds: usize, planned: usize) -> f64 {
    confidence_of_share(TOTAL_ERROR / (looks(planned).count() * bounds.max(1)) as f64)
}

impl Ratio {
    /// The ratio that the pairs of several starts suggest, with its interval at a confidence. Starts without pairs are
    /// left out.
    ///
    /// # Errors
    /// Fewer than [`LEAST_STARTS`] starts, a figure that is not finite and positive, or a confidence that is no share.
    pub fn over_starts(starts: &[Vec<Pair>], confidence: f64) -> Result<Self, RatioError> {
        let starts = starts.iter().filter(|pairs| !pairs.is_empty());
        let logs: Vec<Vec<f64>> = starts.map(|pairs| sorted_logs(pairs)).collect::<Result<_, _>>()?;
        if logs.len() < LEAST_STARTS {
            return Err(RatioError::TooFewStarts { found: logs.len() });
        }
        let confidence = checked(confidence)?;
        let values: Vec<f64> = logs.iter().map(|logs| Trimmed::of(logs).mean).collect();
        let count = values.len() as f64;
        let middle = mean(&values).unwrap_or_default();
        let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
        let reach = t_quantile(count - 1.0, confidence) * (squares / (count - 1.0) / count).sqrt();
        // Equal starts, of a coarse clock: there is nothing to tell chance by but how far the pairs reach.
        let all = || logs.iter().flatten().copied();
        let is_equal = values.iter().all(|value| value.total_cmp(&values[0]).is_eq());
        let (low, high) = if is_equal {
            (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
        } else {
            (middle - reach, middle + reach)
        };
        let pairs = logs.iter().map(Vec::len).sum();
        Ok(Self { estimate: middle.exp(), low: low.exp(), high: high.exp(), pairs, starts: logs.len() })
    }
}

#[cfg(test)]
mod tests;
