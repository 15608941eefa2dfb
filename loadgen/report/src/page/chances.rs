//! Intervals and names that several sections share.

use super::number;
use record::measurements::{Fill, Measured};
use stats::statistics::{Interval, clopper_pearson};

/// Confidence of intervals of shares and of mean attempts: that of verdicts.
pub(super) const CONFIDENCE: f64 = 0.99;

/// Standard errors within which a mean lies at that confidence.
const STANDARD_ERRORS: f64 = 2.576;

/// Share of requests that were answered 503, and its exact interval; `None` where there was no request.
pub(super) fn refused(fill: &Fill) -> Option<(f64, Interval)> {
    let refused = fill.refused.min(fill.requests);
    let share = refused as f64 / fill.requests as f64;
    (fill.requests > 0).then(|| (share, clopper_pearson(refused, fill.requests, CONFIDENCE)))
}

/// Mean attempts with their interval, by the normal approximation.
pub(super) fn attempts(fill: &Fill) -> Option<(f64, Interval)> {
    let mean = fill.mean_attempts()?;
    let count: u64 = fill.attempts.values().sum();
    let squares: f64 =
        fill.attempts.iter().map(|(&n, &requests)| (f64::from(n) - mean).powi(2) * requests as f64).sum();
    let half_width = STANDARD_ERRORS * squares.sqrt() / count as f64;
    Some((mean, Interval { low: (mean - half_width).max(0.0), high: mean + half_width }))
}

/// "documented", or "hardened"; a name that is empty is "the server".
pub(super) fn name(target: &Measured) -> String {
    if target.name.is_empty() { "the server".to_owned() } else { target.name.clone() }
}

/// "0.6 % to 0.8 %".
pub(super) fn from_to(of: Interval, text: impl Fn(f64) -> String) -> String {
    format!("{} to {}", text(of.low), text(of.high))
}

/// What a table says of a point that was predicted before it was measured.
pub(super) fn held_out(is: bool) -> String {
    if is { "held out" } else { "" }.to_owned()
}

/// A share of the keys: "21.4 %".
pub(super) fn fill_share(fill: &Fill, keys: u64) -> String {
    number::share(fill.share(keys))
}
