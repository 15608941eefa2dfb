//! What a simulation found.

use super::Operation;
use serde::{Deserialize, Serialize};

/// The figures of a simulation. Unless told otherwise they are of the time after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What all draws came from.
    pub seed: u64,
    /// How long was counted, in seconds.
    pub duration_s: f64,
    /// Sessions begun: keys handed out.
    pub openings: u64,
    /// `generate-key` requests answered 503, of all that were served.
    pub exhausted: Chance,
    /// The rate of those, in a second.
    pub exhausted_per_s: f64,
    /// Users who gave up, having been answered 503 as often as they try.
    pub given_up: u64,
    /// Keys tried by a `generate-key`, the ones that failed included.
    pub attempts: Attempts,
    /// Openings whose key another user was working on, of all openings. Two users on one key are one hit, three are two.
    pub shared_sessions: Chance,
    /// The rate of those, in a day of 86,400 s.
    pub shared_sessions_per_day: f64,
    /// The sum over all openings of the chance, as things stood, that it would be shared: keys that somebody works on and
    /// that are not in the folder, of all that are not in it. Its mean is that of the hits, and it says something also
    /// where no hit is likely to come in the time simulated.
    pub shared_sessions_expected: f64,
    /// The rate of that, in a day of 86,400 s.
    pub shared_sessions_expected_per_day: f64,
    /// Reservations that ran out before they were instantiated.
    pub reservations_ended: u64,
    /// Sessions that ended by a delete.
    pub deleted: u64,
    /// Sessions that were abandoned.
    pub abandoned: u64,
    /// Sessions between hand-out and end, as an average over time.
    pub active_sessions: f64,
    /// The folder over time.
    pub fill: Vec<FillSample>,
    /// By operation, in the order of [`Operation::ALL`].
    pub operations: Vec<OperationOutcome>,
    /// The share of the cores' time that was spent serving.
    pub utilisation: f64,
    /// Requests sent and not answered, as an average over time.
    pub requests_in_system: f64,
    /// Events processed, the warm-up's included.
    pub events: u64,
}

/// Hits of trials: what an exact binomial (Clopper–Pearson) interval is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    /// How often it came.
    pub hits: u64,
    /// How often it could have.
    pub trials: u64,
}

/// Keys tried by a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    /// Requests by the number of keys they tried: the first is of those that tried none.
    pub counts: Vec<u64>,
    /// Mean.
    pub mean: f64,
    /// Half tried no more.
    pub p50: u64,
    /// 99 of 100 tried no more.
    pub p99: u64,
    /// Most.
    pub max: u64,
}

/// The folder at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FillSample {
    /// Seconds since the end of the warm-up.
    pub at_s: f64,
    /// Keys in the folder, the reserved ones included.
    pub used_keys: u64,
    /// Their share of all keys, from 0 to 1.
    pub fill: f64,
    /// Sessions between hand-out and end.
    pub active_sessions: u64,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationOutcome {
    /// Which.
    pub operation: Operation,
    /// Sent in all, the warm-up included.
    pub sent: u64,
    /// Answered in all, the warm-up included.
    pub answered: u64,
    /// Waiting or being served at the end, counted there.
    pub in_flight: u64,
    /// Answered in a second after the warm-up.
    pub throughput_per_s: f64,
    /// From sent to answered; none where nothing was answered after the warm-up.
    pub response: Option<Response>,
}

/// Response times in microseconds: the mean is exact, the others are within a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// How many.
    pub count: u64,
    /// Mean.
    pub mean_us: f64,
    /// 50 of 100 took no longer.
    pub p50_us: f64,
    /// 90 of 100 took no longer.
    pub p90_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
    /// 999 of 1,000 took no longer.
    pub p99_9_us: f64,
    /// Longest.
    pub max_us: f64,
}

impl Outcome {
    /// What became of an operation.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> Option<&OperationOutcome> {
        self.operations.iter().find(|outcome| outcome.operation == operation)
    }
}

impl Chance {
    /// The share that came; 0 of no trials.
    #[must_use]
    pub fn share(self) -> f64 {
        self.hits as f64 / self.trials.max(1) as f64
    }
}

impl Attempts {
    /// From the number of requests by number of keys tried.
    #[must_use]
    pub fn of_counts(counts: Vec<u64>) -> Self {
        let requests: u64 = counts.iter().sum();
        let tried: u64 = (0..).zip(&counts).map(|(attempts, count): (u64, _)| attempts * count).sum();
        let max = (0..).zip(&counts).filter(|(_, count)| **count > 0).map(|(attempts, _)| attempts).max().unwrap_or(0);
        let mean = tried as f64 / requests.max(1) as f64;
        Self { mean, p50: percentile(&counts, 50), p99: percentile(&counts, 99), max, counts }
    }
}

/// The least number that `percent` of 100 requests do not pass.
fn percentile(counts: &[u64], percent: u64) -> u64 {
    let rank = (counts.iter().sum::<u64>() * percent).div_ceil(100).max(1);
    let mut seen = 0;
    let reached = counts.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    reached.map_or(0, |attempts| attempts as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_attempts_are_nearest_ranks() {
        let attempts = Attempts::of_counts(vec![0, 50, 48, 1, 0, 1, 0]);
        assert_eq!((attempts.p50, attempts.p99, attempts.max), (1, 3, 5));
        assert!((attempts.mean - 1.54).abs() < 1e-12);
        let nothing = Attempts::of_counts(vec![0; 4]);
        assert_eq!((nothing.p50, nothing.max), (0, 0));
    }
}
