//! How long one user's `generate-key` takes, by fill.

use super::figure::Range;
use super::objective::Quantile;
use super::server::{CONFIDENCE, Server, quantile_us};
use super::typical::typical;
use crate::predict::Search;
use record::figures::Percentiles;
use stats::keys::Attempts;
use stats::line::{Errors, LineFit};

/// A figure of the times at one fill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeyTime {
    /// In µs.
    pub(super) us: f64,
    /// Where it may lie.
    pub(super) range: Range,
    /// Whether it lies on a line over attempts. Otherwise attempts hardly vary, and it is typical of all fills.
    pub(super) is_fitted: bool,
}

impl Server {
    /// By the line of measured times over the attempts that the fill makes them, or, where attempts hardly vary, what is
    /// typical of all fills. None where no fill was measured.
    pub(super) fn key_time(&self, quantile: Quantile, fill: f64) -> Option<KeyTime> {
        let search = self.keys.as_ref()?.search;
        let points: Vec<(f64, f64)> = (self.fills_below_full())
            .map(|(measured, share)| (attempts(search, share, quantile), quantile_us(&measured.time_us, quantile)))
            .collect();
        let Ok(line) = LineFit::to(&points, Errors::Relative) else {
            let (us, range) = typical(points.iter().map(|(_, time)| *time).collect())?;
            return Some(KeyTime { us, range, is_fitted: false });
        };
        let here = attempts(search, fill, quantile);
        let range = line.mean_interval(here, CONFIDENCE).into();
        Some(KeyTime { us: line.at(here).max(0.0), range, is_fitted: true })
    }

    /// The times of a request that takes one attempt, as the same lines have them.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds of a request")]
    pub(super) fn one_attempt(&self) -> Option<Percentiles> {
        let of = |quantile| self.key_time(quantile, 0.0).map(|time| time.us);
        let whole = |quantile| of(quantile).map(|us| us.round() as u64);
        let longest = self.fills.first()?.time_us.max;
        let p50 = whole(Quantile::P50)?;
        let p90 = whole(Quantile::P90)?.max(p50);
        let p99 = whole(Quantile::P99)?.max(p90);
        let p99_9 = whole(Quantile::P99_9)?.max(p99);
        Some(Percentiles {
            p50,
            p90,
            p99,
            p99_9,
            max: longest.max(p99_9),
            mean: of(Quantile::Mean)?,
            ..Percentiles::default()
        })
    }
}

/// The attempts that belong to a figure of the times: its own percentile, or their mean.
fn attempts(search: Search, share: f64, quantile: Quantile) -> f64 {
    let percentile = |q| f64::from(Attempts::at(share).percentile(q));
    match (search, quantile) {
        (Search::ByKnowledge, _) => 1.0,
        (Search::AtRandom, Quantile::P50) => percentile(0.5),
        (Search::AtRandom, Quantile::P90) => percentile(0.9),
        (Search::AtRandom, Quantile::P99) => percentile(0.99),
        (Search::AtRandom, Quantile::P99_9) => percentile(0.999),
        (Search::AtRandom, Quantile::Mean) => Attempts::at(share).mean(),
    }
}
