//! `measurements.json`: what was measured on a target, for plans and reports to go by.

use crate::figures::Percentiles;
use crate::host::Host;
use serde::{Deserialize, Serialize};
use stats::statistics::percentile;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Name and version of the format.
pub const SCHEMA: &str = "claimcheck.measurements/1";

/// Its JSON Schema.
pub const JSON_SCHEMA: &str = include_str!("../../schemas/measurements.schema.json");

/// The file's name in a run's folder.
pub const NAME: &str = "measurements.json";

/// `measurements.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// [`SCHEMA`].
    pub schema: String,
    /// What all randomness of the harness came from.
    pub seed: u64,
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// Whether it was interrupted: then points are missing.
    pub partial: bool,
    /// Where it ran; generator and embedded server share it.
    pub host: Host,
    /// What was measured.
    pub targets: Vec<Measured>,
}

/// One target's measurements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The protocol of an embedded server, or `target`.
    pub name: String,
    /// Where it was.
    pub url: String,
    /// Keys that there can be.
    pub keys: u64,
    /// What a key costs, by fill; in the order of the fill. Empty where the folder could not be filled.
    pub fills: Vec<Fill>,
    /// Throughput and latency of a mixed load, by users; in their order.
    pub users: Vec<Users>,
    /// What documents cost, by their number; in that order. Empty where the folder could not be filled.
    pub folders: Vec<Folder>,
}

/// What generate-key costs at a fill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// Documents in the folder.
    pub documents: u64,
    /// Whether it was predicted from the other fills, before it was measured.
    pub held_out: bool,
    /// Requests.
    pub requests: u64,
    /// Those that were answered with a key.
    pub handed_out: u64,
    /// Those that were answered 503.
    pub refused: u64,
    /// How many requests took so many attempts, refused ones among them; none where the server does not tell.
    pub attempts: BTreeMap<u32, u64>,
    /// Times of requests that one user made one after the other, µs.
    pub time_us: Percentiles,
    /// How many those were.
    pub timed: u64,
    /// What the model said of it, where it was held out.
    pub predicted: Option<PredictedFill>,
}

/// A prediction for a fill.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedFill {
    /// Mean attempts.
    pub mean_attempts: f64,
    /// Share of requests that are refused.
    pub refused_share: f64,
    /// Mean time of one user's requests, µs.
    pub mean_us: Option<f64>,
}

/// A mixed load of so many users, who go on as soon as they are answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Users {
    /// Users at once.
    pub users: u32,
    /// Whether it was predicted from the other numbers of users, before it was measured.
    pub held_out: bool,
    /// Verified answers a second, of each round.
    pub goodput_per_s: Vec<f64>,
    /// Mean response time of each round, µs.
    pub mean_response_us: Vec<f64>,
    /// Operations of all rounds that were sent.
    pub sent: u64,
    /// Wrong answers by name.
    pub wrong: BTreeMap<String, u64>,
    /// Clear failures by name.
    pub errors: BTreeMap<String, u64>,
    /// Quantile and response time, µs, of all operations of all rounds; rising.
    pub response_us: Vec<(f64, u64)>,
    /// Response times of each operation.
    pub operations: BTreeMap<String, Percentiles>,
    /// What the model, fitted to the numbers of users that are not held out, said of each round, per s; empty where this
    /// one is not, or where the model could not be fitted.
    pub predicted_goodput_per_s: Vec<f64>,
}

/// What documents of real size cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Folder {
    /// Documents in the folder.
    pub documents: u64,
    /// Whether it was predicted from the others, before it was measured.
    pub held_out: bool,
    /// Times of a list, µs.
    pub list_us: Percentiles,
    /// Size of a list's answer, bytes.
    pub list_bytes: u64,
    /// What the documents' files occupy on the disk, bytes.
    pub disk_bytes: u64,
    /// What the model said of the median time of a list, where it was held out, µs.
    pub predicted_list_p50_us: Option<f64>,
}

impl Fill {
    /// Share of the keys that are in use.
    #[must_use]
    pub fn share(&self, keys: u64) -> f64 {
        self.documents as f64 / keys as f64
    }

    /// Mean attempts; none where the server does not tell them.
    #[must_use]
    pub fn mean_attempts(&self) -> Option<f64> {
        let (sum, count) = self.attempts.iter().fold((0, 0), |(sum, count), (attempts, requests)| {
            (sum + u64::from(*attempts) * requests, count + requests)
        });
        (count > 0).then(|| sum as f64 / count as f64)
    }
}

impl Users {
    /// How far the goodput lies off what was predicted, as a share of that: the median of the rounds, each compared with
    /// its own prediction, so that what the machine does at one time falls on both.
    #[must_use]
    pub fn goodput_error(&self) -> Option<f64> {
        let rounds = self.goodput_per_s.iter().zip(&self.predicted_goodput_per_s);
        let errors: Vec<f64> = rounds.map(|(measured, predicted)| measured / predicted - 1.0).collect();
        percentile(&errors, 0.5).filter(|error| error.is_finite())
    }
}

impl Measurements {
    /// Reads the file of a run's folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(NAME);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}; `loadgen measure` writes one", path.display()))?;
        let read: Self = serde_json::from_str(&text)
            .map_err(|error| format!("{} is no file of measurements: {error}", path.display()))?;
        if read.schema != SCHEMA {
            return Err(format!("{} has the format {:?}, this program reads {SCHEMA:?}", path.display(), read.schema));
        }
        Ok(read)
    }

    /// Writes the file into a run's folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(folder.join(NAME), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::measurements as sample;
    use serde_json::Value;

    #[test]
    fn measurements_keep_to_their_schema() {
        let mut measurements = sample();
        // Regression: an operation that timed out was not foreseen.
        measurements.targets[0].fills[0].time_us.lower_bounds_from = Some(10_000_000);
        let json = serde_json::to_value(measurements).expect("writes");
        let schema: Value = serde_json::from_str(JSON_SCHEMA).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut spoiled = json;
        spoiled["targets"][0]["users"][0]["response_us"][0] = Value::from(80);
        assert!(!validator.is_valid(&spoiled), "the schema refuses what it should");
    }

    #[test]
    fn goodput_is_compared_with_the_prediction_round_by_round() {
        let of = |goodput_per_s: &[f64], predicted: &[f64]| {
            let (goodput_per_s, predicted_goodput_per_s) = (goodput_per_s.to_vec(), predicted.to_vec());
            Users { goodput_per_s, predicted_goodput_per_s, ..Users::default() }.goodput_error()
        };
        let close = |error: Option<f64>, to: f64| error.is_some_and(|error| (error - to).abs() < 1e-9);
        assert!(close(of(&[110.0, 55.0, 220.0], &[100.0, 50.0, 200.0]), 0.1), "whatever the machine did in each");
        assert!(close(of(&[110.0, 100.0, 10.0], &[100.0; 3]), 0.0), "one round that was held up is not the median");
        assert_eq!(of(&[110.0], &[]), None);
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&[1.0], &[0.0]), None, "no share of nothing");
    }

    #[test]
    fn what_is_written_is_read_again_and_another_format_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        sample().write(folder.path()).expect("writes");
        assert_eq!(Measurements::read(folder.path()).as_ref(), Ok(&sample()));
        let older = Measurements { schema: "claimcheck.measurements/0".to_owned(), ..sample() };
        older.write(folder.path()).expect("writes");
        assert!(Measurements::read(folder.path()).is_err_and(|error| error.contains("\"claimcheck.measurements/0\"")));
        std::fs::write(folder.path().join(NAME), "{").expect("writes");
        assert!(Measurements::read(folder.path()).is_err_and(|error| error.contains("is no file of measurements")));
        let nothing = tempfile::tempdir().expect("a folder");
        assert!(Measurements::read(nothing.path()).is_err_and(|error| error.contains("`loadgen measure` writes one")));
    }
}
