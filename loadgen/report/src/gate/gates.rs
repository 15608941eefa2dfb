//! The file of gates: what must hold for a change to land.
//!
//! ```toml
//! [verdicts]                    # of claims.json: what verify did not expect fails, and so does what differs from this
//! O5 = "refuted"
//!
//! [[limit]]                     # of a load run
//! keep = "save p99 < 50ms, goodput > 500/s"
//! after = "5s"
//!
//! [counts]                      # exactly those of the baseline
//! baseline = "counts.json"
//!
//! [load]
//! starts = 20                   # leave it out if A or B is a URL
//!
//! [[ratio]]                     # B to A, measured in turns
//! of = "save p50"
//! at_most = 1.10
//! ```

use crate::objective::Objective;
use record::claims::{ClaimId, Verdict};
use record::comparison::figure::Figure;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use stats::ratio::Bound;
use stats::ratio::starts::{LEAST_STARTS, MOST_STARTS};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// All gates of a file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    /// Verdicts that are asked for, by claim; where there is this section, a run must have verdicts.
    pub verdicts: Option<BTreeMap<ClaimId, Verdict>>,
    /// Limits that a load run must keep.
    #[serde(rename = "limit")]
    pub limits: Vec<Limit>,
    /// The baseline of what is counted.
    pub counts: Option<CountsGate>,
    /// How A and B are loaded.
    pub load: TurnLoad,
    /// How B may differ from A.
    #[serde(rename = "ratio")]
    pub ratios: Vec<RatioGate>,
}

/// A limit that a load run must keep.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What is kept, as `run --objective` takes it.
    #[serde(deserialize_with = "parsed")]
    pub keep: Objective,
    /// Only what was meant to be sent so long after the measuring began, and later.
    #[serde(default, deserialize_with = "time")]
    pub after: Duration,
}

/// Counts that must be those of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsGate {
    /// Its file; a relative path is looked for beside the file of gates.
    pub baseline: PathBuf,
}

/// The load of A and B, in turns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TurnLoad {
    /// Users at once. One alone asks next when it is answered: its times are the server's, not those of a queue.
    pub users: u32,
    /// What they do, as `compare --mix` takes it; none for its default.
    pub mix: Option<String>,
    /// How long each turn is measured. The machine changes from second to second: many short turns tell more than few long ones.
    #[serde(deserialize_with = "time")]
    pub turn: Duration,
    /// How long all turns together may take.
    #[serde(deserialize_with = "time")]
    pub at_most: Duration,
    /// How often both servers are started anew; if nothing is said, as often as
    /// [`DEFAULT_STARTS`](stats::ratio::starts::DEFAULT_STARTS) if both can be.
    #[serde(deserialize_with = "starts")]
    pub starts: Option<usize>,
}

/// The number of starts, as a command line has it.
///
/// # Errors
/// A sentence that says what is taken.
pub fn number_of_starts(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number == 1 || (LEAST_STARTS..=MOST_STARTS).contains(number));
    number.ok_or_else(|| {
        format!(
            "{text} starts: use 1, or {LEAST_STARTS} to {MOST_STARTS}; fewer cannot show the variation between starts"
        )
    })
}

fn starts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let number = i64::deserialize(deserializer)?;
    number_of_starts(&number.to_string()).map(Some).map_err(D::Error::custom)
}

/// The longest that a gate on time may take.
const AT_MOST: Duration = Duration::from_mins(2);

impl Default for TurnLoad {
    fn default() -> Self {
        Self { users: 1, mix: None, turn: Duration::from_millis(150), at_most: AT_MOST, starts: None }
    }
}

/// How B may differ from A.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioGate {
    /// In which figure.
    pub of: Figure,
    /// What B's may be of A's.
    pub bound: Bound,
}

impl<'de> Deserialize<'de> for RatioGate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            #[serde(deserialize_with = "parsed")]
            of: Figure,
            at_most: Option<f64>,
            at_least: Option<f64>,
        }
        let Written { of, at_most, at_least } = Written::deserialize(deserializer)?;
        let is_ratio = |ratio: f64| ratio.is_finite() && ratio > 0.0;
        match (at_most, at_least) {
            (Some(ratio), None) if is_ratio(ratio) => Ok(Self { of, bound: Bound::AtMost(ratio) }),
            (None, Some(ratio)) if is_ratio(ratio) => Ok(Self { of, bound: Bound::AtLeast(ratio) }),
            _ => Err(D::Error::custom(format!(
                "a ratio has one bound above 0: at_most = 1.10, or, where more is better, at_least = 0.90; see that of {of}"
            ))),
        }
    }
}

/// A text that is read by its own grammar.
fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| D::Error::custom(format!("{text:?} is no time such as 5s: {error}")))
}

impl Gates {
    /// Reads a file of gates.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut gates: Self =
            text.parse().map_err(|error| format!("{} is no file of gates: {error}", path.display()))?;
        if let (Some(counts), Some(beside)) = (&mut gates.counts, path.parent()) {
            counts.baseline = beside.join(&counts.baseline);
        }
        Ok(gates)
    }
}

impl FromStr for Gates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let gates: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let nothing = Self { load: gates.load.clone(), ..Self::default() };
        if gates == nothing {
            return Err(
                "it has no gate: no [verdicts], [[limit]], [counts] or [[ratio]], so it would let everything pass"
                    .to_owned(),
            );
        }
        Ok(gates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_gates_of_a_file_are_read() {
        let text = r#"
            [verdicts]
            o5 = "refuted"
            [[limit]]
            keep = "save p99 < 50ms, wrong = 0"
            after = "5s"
            [[limit]]
            keep = "goodput > 500/s"
            [counts]
            baseline = "counts.json"
            [load]
            users = 8
            turn = "1s"
            starts = 8
            [[ratio]]
            of = "save p50"
            at_most = 1.1
            [[ratio]]
            of = "goodput"
            at_least = 0.9
        "#;
        let gates: Gates = text.parse().expect("gates");
        assert_eq!(gates.verdicts, Some(BTreeMap::from([(ClaimId::of("O5"), Verdict::Refuted)])));
        let limits: Vec<(String, u64)> =
            gates.limits.iter().map(|limit| (limit.keep.to_string(), limit.after.as_secs())).collect();
        assert_eq!(limits, [("save p99 < 50ms, wrong = 0".to_owned(), 5), ("goodput > 500/s".to_owned(), 0)]);
        assert_eq!(gates.counts, Some(CountsGate { baseline: "counts.json".into() }));
        let load = TurnLoad { users: 8, turn: Duration::from_secs(1), starts: Some(8), ..TurnLoad::default() };
        assert_eq!(gates.load, load);
        let ratios: Vec<(String, Bound)> = gates.ratios.iter().map(|gate| (gate.of.to_string(), gate.bound)).collect();
        assert_eq!(ratios, [("save p50".to_owned(), Bound::AtMost(1.1)), ("goodput".to_owned(), Bound::AtLeast(0.9))]);
    }

    #[test]
    fn a_baseline_is_looked_for_beside_the_gates() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gates.toml");
        std::fs::write(&path, "[counts]\nbaseline = \"counts.json\"").expect("writes");
        let counts = Gates::read(&path).expect("gates").counts.expect("counts");
        assert_eq!(counts.baseline, folder.path().join("counts.json"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, mistake) in [
            ("", "it has no gate"),
            ("[load]\nusers = 3", "it has no gate"),
            ("[load]\nstarts = 3", "3 starts: use 1, or 4 to 64"),
            ("[load]\nstarts = 65", "65 starts: use 1, or 4 to 64"),
            ("[load]\nstarts = -1", "-1 starts: use 1, or 4 to 64"),
            ("[verdicts]\nZ9 = \"holds\"", "there is no claim \"Z9\""),
            ("[verdicts]\nS4 = \"fine\"", "unknown variant `fine`"),
            ("[[limit]]\nkeep = \"save p98 < 5ms\"", "none of p50"),
            ("[[limit]]\nkeep = \"wrong = 0\"\nafter = \"soon\"", "\"soon\" is no time such as 5s"),
            ("[[limits]]\nkeep = \"wrong = 0\"", "unknown field `limits`"),
            ("[[ratio]]\nof = \"save p50\"", "one bound above 0"),
            ("[[ratio]]\nof = \"save p50\"\nat_most = 1.1\nat_least = 0.9", "one bound above 0"),
            ("[[ratio]]\nof = \"save p50\"\nat_most = -1.0", "one bound above 0"),
            ("[[ratio]]\nof = \"loading\"\nat_most = 1.1", "\"loading\""),
        ] {
            let error = text.parse::<Gates>().expect_err(text);
            assert!(error.contains(mistake), "{text:?}: {error}");
        }
        let error = "[[ratio]]\nof = \"save p50\"\nat_most = \"much\"".parse::<Gates>().expect_err("no number");
        assert!(error.contains("line 3"), "{error}");
    }
}
