//! `claims.json`: the verdicts of a run.

use crate::files::write_whole;
use crate::host::Host;
use crate::step::Step;
use contract::visible;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// The file's name in a run's folder.
pub const FILE: &str = "claims.json";

/// Name and version of the format of `claims.json`.
pub const SCHEMA: &str = "claimcheck.claims/1";

/// The JSON Schema of `claims.json`.
pub const JSON_SCHEMA: &str = include_str!("../../schemas/claims.schema.json");

/// `claims.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What all randomness of the harness came from.
    pub seed: u64,
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// Whether the run was interrupted: then some claims have no verdict.
    pub partial: bool,
    /// `quick`, `default` or `full`.
    pub effort: String,
    /// Users of experiments that do not name their own number.
    pub users: usize,
    /// Where it ran.
    pub host: Host,
    /// What was tried.
    pub targets: Vec<TargetReport>,
}

/// The verdicts on one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its name: the protocol of an embedded server, or `target`.
    pub name: String,
    /// The protocol, where the harness chose it.
    pub protocol: Option<String>,
    /// Where it was.
    pub url: String,
    /// Its saves folder, where that is known.
    pub saves: Option<String>,
    /// The verdicts, in the order of docs/claims.md.
    pub claims: Vec<ClaimReport>,
    /// Keys of ours under which a document may be left.
    pub left_behind: Vec<String>,
    /// A shell command that deletes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_behind_command: Option<String>,
}

/// One verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimReport {
    /// Its id in docs/claims.md.
    pub id: String,
    /// What is promised.
    pub title: String,
    /// The specification's words.
    pub quote: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What that amounts to beside what is known of the target.
    pub outcome: Outcome,
    /// One line: what decides it, or what is missing.
    pub summary: String,
    /// Measured figures.
    pub measured: Map<String, Value>,
    /// What they should be.
    pub expected: Map<String, Value>,
    /// Who did what, when, and what came back.
    pub counterexample: Vec<Step>,
    /// Where it is refuted, and users at once are what it takes: the lines of the shortest schedule by which the
    /// specification's protocol comes to that in the model; none otherwise.
    #[serde(default)]
    pub schedule: Vec<String>,
    /// The command that tries it again.
    pub reproduce: String,
    /// How long it took, s.
    pub took_s: f64,
}

impl Report {
    /// A report without verdicts.
    #[must_use]
    pub fn new(seed: u64, effort: &str, users: usize, started: String) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            seed,
            started,
            partial: false,
            effort: effort.to_owned(),
            users,
            host: Host::this(),
            targets: Vec::new(),
        }
    }

    /// Whether documents of the run may be left on a target.
    #[must_use]
    pub fn may_have_left_documents(&self) -> bool {
        self.targets.iter().any(|target| !target.left_behind.is_empty())
    }

    /// What the run amounts to: the weightiest outcome of all. One that was interrupted, or may have left documents on a
    /// target, is undecided at best.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.targets.iter().flat_map(|target| target.claims.iter().map(|claim| claim.outcome));
        let least =
            if self.partial || self.may_have_left_documents() { Outcome::Undecided } else { Outcome::AsExpected };
        outcomes.fold(least, Outcome::max)
    }

    /// Writes `claims.json` into a run's folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        write_whole(&folder.join(FILE), &(json + "\n"))
    }

    /// Reads `claims.json` of a run's folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let report: Self = serde_json::from_str(&text)
            .map_err(|error| format!("{} is no file of verdicts: {error}", path.display()))?;
        if report.schema != SCHEMA {
            return Err(format!(
                "{} has the format \"{}\", this program reads \"{SCHEMA}\"",
                path.display(),
                report.schema
            ));
        }
        Ok(report)
    }
}

impl TargetReport {
    /// How many of its claims have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.claims.iter().filter(|claim| claim.verdict == verdict).count()
    }

    /// A report without verdicts.
    #[must_use]
    pub fn new(name: &str, protocol: Option<&str>, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            protocol: protocol.map(str::to_owned),
            url: url.to_owned(),
            saves: None,
            claims: Vec::new(),
            left_behind: Vec::new(),
            left_behind_command: None,
        }
    }
}

impl ClaimReport {
    /// The verdict in a word or two, with what is remarkable about it.
    #[must_use]
    pub fn mark(&self) -> String {
        match (self.verdict, self.outcome) {
            (Verdict::Refuted, Outcome::AsExpected) => "refuted (known)".to_owned(),
            (Verdict::Refuted, _) => "REFUTED".to_owned(),
            (Verdict::Holds, Outcome::Failed) => "holds (known to be refuted!)".to_owned(),
            (verdict, _) => verdict.to_string(),
        }
    }
}

/// The subjects of claims, in the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// K: keys.
    Keys,
    /// S: saves and what becomes of them under concurrency.
    Saves,
    /// P: performance.
    Performance,
    /// R: reliability.
    Reliability,
    /// O: operation of a service.
    Operation,
    /// C: the client.
    Client,
}

/// Identity of a claim, such as `S4`: its subject's letter and a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimId {
    subject: Subject,
    number: u8,
}

impl ClaimId {
    /// The identity that is written like this.
    ///
    /// # Panics
    /// If it is none; as constants are evaluated by the compiler, a mistake does not compile.
    #[must_use]
    pub const fn of(text: &str) -> Self {
        match Self::parse(text.as_bytes()) {
            Some(id) => id,
            None => panic!("a claim's id is one of K, S, P, R, O, C and a number"),
        }
    }

    const fn parse(text: &[u8]) -> Option<Self> {
        let [letter, digits @ ..] = text else { return None };
        let subject = match letter.to_ascii_uppercase() {
            b'K' => Subject::Keys,
            b'S' => Subject::Saves,
            b'P' => Subject::Performance,
            b'R' => Subject::Reliability,
            b'O' => Subject::Operation,
            b'C' => Subject::Client,
            _ => return None,
        };
        let number = match digits {
            [one @ b'1'..=b'9'] => *one - b'0',
            [ten @ b'1'..=b'9', one @ b'0'..=b'9'] => (*ten - b'0') * 10 + *one - b'0',
            _ => return None,
        };
        Some(Self { subject, number })
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.subject {
            Subject::Keys => 'K',
            Subject::Saves => 'S',
            Subject::Performance => 'P',
            Subject::Reliability => 'R',
            Subject::Operation => 'O',
            Subject::Client => 'C',
        };
        f.pad(&format!("{letter}{}", self.number))
    }
}

impl fmt::Debug for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ClaimId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text.as_bytes()).ok_or_else(|| format!("there is no claim \"{}\"", visible(text)))
    }
}

impl<'de> Deserialize<'de> for ClaimId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What an experiment says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The criterion was met.
    Holds,
    /// It was not; there is a counterexample.
    Refuted,
    /// What was seen does not decide it.
    Inconclusive,
    /// It cannot be tried here.
    Untestable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Refuted => "refuted",
            Self::Inconclusive => "inconclusive",
            Self::Untestable => "untestable",
        })
    }
}

/// What a verdict, or a run, amounts to; in the order in which they outweigh each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As expected.
    AsExpected,
    /// Not decided.
    Undecided,
    /// A claim is refuted that was not known to be, or the other way round.
    Failed,
}

impl Outcome {
    /// The exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::Failed => 1,
            Self::Undecided => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{claims, s1, s1_holds, s4, torn};

    #[test]
    fn claims_json_keeps_to_its_schema() {
        let json = serde_json::to_value(claims(vec![torn(), s1_holds()])).expect("writes");
        let schema: Value = serde_json::from_str(JSON_SCHEMA).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut spoiled = json;
        spoiled["targets"][0]["claims"][0]["verdict"] = "maybe".into();
        assert!(!validator.is_valid(&spoiled), "the schema refuses what it should");
    }

    #[test]
    fn a_report_amounts_to_its_weightiest_verdict() {
        assert_eq!(claims(vec![torn(), s1_holds()]).outcome(), Outcome::AsExpected);
        let undecided = s1(Verdict::Inconclusive, Outcome::Undecided, "");
        assert_eq!(claims(vec![torn(), undecided.clone()]).outcome(), Outcome::Undecided);
        let failed = s4(Verdict::Holds, Outcome::Failed);
        assert_eq!(claims(vec![failed, undecided]).outcome(), Outcome::Failed);
        let partial = Report { partial: true, ..claims(vec![torn(), s1_holds()]) };
        assert_eq!(partial.outcome(), Outcome::Undecided);
    }

    #[test]
    fn an_id_reads_as_it_is_written_and_ids_have_the_order_of_reports() {
        let mut ids: Vec<ClaimId> =
            ["C1", "o5", "K10", "S4", "K2", "P1", "R6"].map(|id| id.parse().expect("an id")).into();
        ids.sort_unstable();
        assert_eq!(ids.iter().map(ClaimId::to_string).collect::<Vec<_>>(), ["K2", "K10", "S4", "P1", "R6", "O5", "C1"]);
        for none in ["", "K", "Z9", "K0", "K01", "K100", "4K", "K-1", "K1 "] {
            assert!(none.parse::<ClaimId>().is_err_and(|error| error.starts_with("there is no claim")), "{none}");
        }
    }

    #[test]
    fn a_failure_outweighs_what_is_undecided() {
        let worst = [Outcome::Undecided, Outcome::Failed, Outcome::AsExpected].into_iter().max();
        assert_eq!(worst.map(Outcome::exit_code), Some(1));
    }
}
