//! What a run measured.

use serde::Deserialize;
use stats::statistics::{Interval, clopper_pearson};
use std::fmt;

/// How sure an interval is that is worked out here, and that criterion is asked for. Each verdict is one of some thirty,
/// so one a run that should not have been is to be expected at 95 %, and is rare at 99 %.
pub const CONFIDENCE: f64 = 0.99;

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The specification's.
    Documented,
    /// The one that keeps its promises.
    Hardened,
}

impl Subject {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Documented, Self::Hardened];
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Documented => "documented",
            Self::Hardened => "hardened",
        })
    }
}

/// What criterion says of a benchmark, in the unit of its measurement: nanoseconds, or attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Mean of an iteration.
    pub mean: f64,
    /// Where that lies, by criterion's bootstrap.
    pub interval: Interval,
    /// How many samples were taken.
    pub samples: usize,
    /// Iterations of all samples together.
    pub iterations: u64,
    /// What all iterations came to.
    pub total: f64,
}

/// Criterion's `estimates.json`, as far as it is read.
#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    confidence_interval: ConfidenceInterval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct ConfidenceInterval {
    lower_bound: f64,
    upper_bound: f64,
}

/// Criterion's `sample.json`. It says "times" whatever was measured.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

impl Measured {
    /// Reads the text of criterion's `estimates.json` and `sample.json`.
    ///
    /// # Errors
    /// Where one is not what criterion writes.
    pub fn parse(estimates: &str, sample: &str) -> serde_json::Result<Self> {
        let Estimate { confidence_interval, point_estimate } = serde_json::from_str::<Estimates>(estimates)?.mean;
        let sample: Sample = serde_json::from_str(sample)?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "criterion writes counts as decimals"
        )]
        let iterations = sample.iters.iter().sum::<f64>() as u64;
        Ok(Self {
            mean: point_estimate,
            interval: Interval { low: confidence_interval.lower_bound, high: confidence_interval.upper_bound },
            samples: sample.iters.len(),
            iterations,
            total: sample.times.iter().sum(),
        })
    }

    /// Mean of all iterations: of attempts, each of which was counted.
    #[must_use]
    pub fn counted_mean(&self) -> f64 {
        self.total / self.iterations as f64
    }
}

/// Requests for a key that a benchmark made, counted besides what criterion measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were made.
    pub requests: u64,
    /// Those that found no key.
    pub refused: u64,
    /// The most keys that one tried.
    pub most_attempts: u32,
    /// How many were timed one by one.
    pub timed: u64,
    /// Those of them that took [`SLOW_MS`] or more.
    pub slow: u64,
}

/// "Worst case: 100 attempts (< 10ms)"
pub const SLOW_MS: f64 = 10.0;

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            refused: self.refused + other.refused,
            most_attempts: self.most_attempts.max(other.most_attempts),
            timed: self.timed + other.timed,
            slow: self.slow + other.slow,
        }
    }

    /// Where the share of refused requests lies.
    #[must_use]
    pub fn refused_share(&self, confidence: f64) -> Interval {
        clopper_pearson(self.refused, self.requests, confidence)
    }

    /// Where the share of slow requests lies.
    #[must_use]
    pub fn slow_share(&self) -> Interval {
        clopper_pearson(self.slow, self.timed, CONFIDENCE)
    }
}

/// What a protocol's requests for keys cost at a fill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtFill {
    /// The protocol.
    pub subject: Subject,
    /// How many keys were in use.
    pub used_keys: usize,
    /// Attempts a request.
    pub attempts: Option<Measured>,
    /// Time of a request.
    pub time_ns: Option<Measured>,
    /// What was counted during both.
    pub counts: Counts,
}

/// The last keys, asked for until there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Keys in use before.
    pub used_keys: usize,
    /// Different keys handed out.
    pub handed_out: usize,
}

/// A counter in a file, that each holder of its lock reads, adds one to and writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Holds {
    /// Who held the lock: "16 threads", say.
    pub by: String,
    /// How often it was held.
    pub held: u64,
    /// What the counter said in the end.
    pub counted: u64,
    /// Time from one hold's end to the next one's.
    pub hold_ns: Option<Measured>,
}

/// Saves of one document by many at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saves {
    /// The protocol.
    pub subject: Subject,
    /// How many save at once.
    pub savers: usize,
    /// Time from one save's end to the next one's.
    pub save_ns: Option<Measured>,
}

/// Everything that was measured on the files of one file system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// What the file system is called.
    pub place: String,
    /// Keys by fill.
    pub fills: Vec<AtFill>,
    /// The last keys.
    pub drained: Option<Drained>,
    /// A refusal by the hardened protocol while the folder has just changed.
    pub look_ns: Option<Measured>,
    /// `flock` and its release, on an open file.
    pub flock_ns: Option<Measured>,
    /// The lock, held.
    pub holds: Vec<Holds>,
    /// One document, saved.
    pub saves: Vec<Saves>,
}
