//! The model fitted to measurements, and what it says of points that were not measured.
//!
//! Architecture invariant: pure; what is random about it comes in.

use record::measurements::{Fill, Folder, PredictedFill, Users};
use stats::keys::Attempts;
use stats::line::{Errors, LEAST_POINTS, LineFit};
use stats::scalability::{Fitted, Point};
use stats::statistics::percentile;

/// How a server finds a free key, as far as its attempts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// It tries keys at random, up to a hundred, as the specification has it.
    AtRandom,
    /// It knows which are free: about one attempt at any fill, and a refusal only where there is none.
    ByKnowledge,
}

/// How far mean attempts may be off what a way of searching makes them, for it to be taken for that.
const MOST_OFF: f64 = 0.1;

impl Search {
    /// The way of searching that all fills agree with; `None` where none is, or attempts are not told.
    #[must_use]
    pub fn seen_in(fills: &[Fill], keys: u64) -> Option<Self> {
        [Self::AtRandom, Self::ByKnowledge].into_iter().find(|way| way.explains(fills, keys))
    }

    /// Whether the mean attempts of all fills are what it makes them. A full folder says nothing: a server that knows
    /// that none is free need not try at all.
    fn explains(self, fills: &[Fill], keys: u64) -> bool {
        let is_as_expected = |fill: &Fill| {
            let expected = self.mean_attempts(fill.share(keys));
            fill.mean_attempts().is_some_and(|mean| (mean / expected - 1.0).abs() < MOST_OFF)
        };
        let below: Vec<&Fill> = fills.iter().filter(|fill| fill.documents < keys).collect();
        below.len() >= LEAST_POINTS && below.into_iter().all(is_as_expected)
    }

    /// Mean attempts of a request at a share of keys in use.
    #[must_use]
    pub fn mean_attempts(self, share: f64) -> f64 {
        match self {
            Self::AtRandom => Attempts::at(share).mean(),
            Self::ByKnowledge => 1.0,
        }
    }

    /// Share of requests that find no key at a share of keys in use.
    #[must_use]
    pub fn refused(self, share: f64) -> f64 {
        match self {
            Self::AtRandom => Attempts::at(share).exhaustion(),
            Self::ByKnowledge => f64::from(u8::from(share >= 1.0)),
        }
    }
}

/// What a key costs at any fill.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys {
    /// How the server searches.
    pub search: Search,
    /// Median time of a request, µs, by mean attempts; `None` where no line fits.
    pub time_us: Option<LineFit>,
    space: u64,
}

impl Keys {
    /// Fits the model to measured fills, of those the ones that are not held out.
    #[must_use]
    pub fn fit(fills: &[Fill], keys: u64) -> Option<Self> {
        let fitted: Vec<Fill> = fills.iter().filter(|fill| !fill.held_out).cloned().collect();
        let search = Search::seen_in(&fitted, keys)?;
        let below = fitted.iter().filter(|fill| fill.documents < keys);
        let points: Vec<(f64, f64)> =
            below.map(|fill| (search.mean_attempts(fill.share(keys)), fill.time_us.mean)).collect();
        // Where attempts do not vary, no line is needed: the time is what it is.
        let time_us = LineFit::to(&points, Errors::Relative).ok();
        Some(Self { search, time_us, space: keys })
    }

    /// What it says of a number of documents.
    #[must_use]
    pub fn at(&self, documents: u64) -> PredictedFill {
        let share = documents as f64 / self.space as f64;
        let mean_attempts = self.search.mean_attempts(share);
        PredictedFill {
            mean_attempts,
            refused_share: self.search.refused(share),
            mean_us: self.time_us.map(|line| line.at(mean_attempts)),
        }
    }
}

/// The Universal Scalability Law, fitted to the measured users of those that are not held out: to the median of each
/// number's rounds, as a single pause of the machine would move a mean.
#[must_use]
pub fn throughput(points: &[Users]) -> Option<Fitted> {
    let fitted = points.iter().filter(|point| !point.held_out);
    let points: Vec<Point> = fitted
        .map(|point| Point { users: f64::from(point.users), rounds_per_s: point.goodput_per_s.clone() })
        .collect();
    Fitted::to(&points).ok()
}

/// The median of the rounds, per s.
#[must_use]
pub fn median(rounds: &[f64]) -> f64 {
    percentile(rounds, 0.5).unwrap_or_default()
}

/// The median time of a list, µs, by documents.
#[must_use]
pub fn lists(points: &[Folder]) -> Option<LineFit> {
    let fitted = points.iter().filter(|point| !point.held_out);
    let points: Vec<(f64, f64)> = fitted.map(|point| (point.documents as f64, point.list_us.p50 as f64)).collect();
    LineFit::to(&points, Errors::Relative).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::measurements::Measured;
    use record::samples::measurements as sample;
    use std::collections::BTreeMap;

    fn measured() -> Measured {
        sample().targets.remove(0)
    }

    fn fills(mean_attempts: [u32; 4]) -> Vec<Fill> {
        let fill =
            |(documents, attempts)| Fill { documents, attempts: BTreeMap::from([(attempts, 10)]), ..Fill::default() };
        [0, 10_000, 23_328, 46_656].into_iter().zip(mean_attempts).map(fill).collect()
    }

    #[test]
    fn the_way_of_searching_is_told_by_attempts_alone() {
        assert_eq!(Search::seen_in(&measured().fills, 46_656), Some(Search::AtRandom));
        assert_eq!(
            Search::seen_in(&fills([1, 1, 1, 0]), 46_656),
            Some(Search::ByKnowledge),
            "whatever a full one costs"
        );
        assert_eq!(Search::seen_in(&fills([1, 1, 5, 100]), 46_656), None, "neither");
        let untold: Vec<Fill> =
            fills([1; 4]).into_iter().map(|fill| Fill { attempts: BTreeMap::new(), ..fill }).collect();
        assert_eq!(Search::seen_in(&untold, 46_656), None);
        assert_eq!(Search::seen_in(&fills([1; 4])[..2], 46_656), None, "too few");
    }

    #[test]
    fn what_is_held_out_does_not_reach_the_fit() {
        let mut measured = measured();
        let fit = |measured: &Measured| {
            let keys = Keys::fit(&measured.fills, measured.keys).expect("a fit");
            let goodput = throughput(&measured.users).expect("a fit").law.throughput_per_s(3.0);
            (keys, goodput, lists(&measured.folders).expect("a fit").at(700.0))
        };
        let before = fit(&measured);
        measured.fills[2].attempts = BTreeMap::from([(90, 1_000)]);
        measured.users.push(Users { users: 3, held_out: true, goodput_per_s: vec![9e9; 3], ..Users::default() });
        let mut folder = measured.folders[1].clone();
        (folder.held_out, folder.list_us.p50) = (true, 9_000_000);
        measured.folders.push(folder);
        assert_eq!(fit(&measured), before);
    }

    #[test]
    fn predictions_are_the_models() {
        let measured = measured();
        let keys = Keys::fit(&measured.fills, measured.keys).expect("a fit");
        let half = keys.at(23_328);
        assert!((half.mean_attempts - 2.0).abs() < 1e-9 && half.refused_share < 1e-30);
        assert!(half.mean_us.is_some_and(|us| (us - 200.0).abs() < 1e-6), "{half:?}");
        assert!((keys.at(46_656).refused_share - 1.0).abs() < 1e-9);
        assert!((lists(&measured.folders).expect("a fit").at(700.0) - 14_100.0).abs() < 1.0);
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
