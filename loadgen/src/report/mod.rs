//! What a run found, for people and for machines.
//!
//! Architecture invariant: reports are pure functions of a [`Report`]; no socket, clock or randomness.
//!
//! - [`schedules`]: how a fault comes about in the specification's protocol, step by step.
//! - [`counterexample`]: a piece of a history that no order explains, in words; [`timeline`]: as a picture.
//! - [`files`]: a run's folder.
//! - [`left_behind`]: documents that may be left on a target, and how to remove them.
//! - [`page`]: `report.html`, for a planner, with charts.
//! - [`splice`]: parts of a page that are made from a report.
//! - [`summary`]: `summary.md`, for a pull request.
//! - [`terminal`]: the table that a run ends with.

pub mod counterexample;
pub mod files;
pub mod host;
pub mod left_behind;
pub mod page;
pub mod schedules;
pub mod splice;
pub mod summary;
pub mod terminal;
pub mod timeline;

use crate::claims::{Claim, Verdict};
use crate::client::Target;
use crate::client::exchange::Step;
use crate::verify::expectations::{Expectations, Outcome};
use crate::verify::lab::Effort;
use crate::verify::runner::Tried;
use host::Host;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::SystemTime;

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
    /// The verdicts, in the order of claims.md.
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
    /// Its name in claims.md.
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
    /// A report without verdicts, of a run that begins now.
    #[must_use]
    pub fn new(seed: u64, effort: Effort, users: usize) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            seed,
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            partial: false,
            effort: effort.pick("quick", "default", "full").to_owned(),
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
}

impl TargetReport {
    /// Enters what may be left on it.
    pub fn leave(&mut self, target: &Target, keys: Vec<String>) {
        self.left_behind_command = left_behind::command(target, &keys);
        self.left_behind = keys;
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
    /// A verdict as it goes into the report, of a target of which something is known.
    #[must_use]
    pub fn new(claim: &Claim, tried: Tried, known: &Expectations, reproduce: String) -> Self {
        let Tried { finding, took } = tried;
        let schedule = schedules::of_finding(claim.id, &finding);
        Self {
            id: claim.id.to_owned(),
            title: claim.title.to_owned(),
            quote: claim.quote.to_owned(),
            verdict: finding.verdict,
            outcome: known.weigh(claim.id, finding.verdict),
            summary: finding.summary,
            measured: finding.measured,
            expected: finding.expected,
            counterexample: finding.counterexample,
            schedule: schedule.into_iter().flat_map(str::lines).map(str::to_owned).collect(),
            reproduce,
            took_s: took.as_secs_f64(),
        }
    }

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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::claims::{self, Finding};
    use std::time::Duration;

    /// A report of S4 and S1 on the documented protocol.
    pub(crate) fn sample(s4: Finding, s1: Finding) -> Report {
        let mut report = Report::new(7, Effort::Quick, 100);
        report.started = "2026-11-24T09:00:00Z".to_owned();
        report.host = Host { os: "Linux 6".to_owned(), cpus: 2, memory_mb: 1_000 };
        let mut target = TargetReport::new("documented", Some("documented"), "http://127.0.0.1:1/");
        for (id, finding) in [("S4", s4), ("S1", s1)] {
            let tried = Tried { finding, took: Duration::from_millis(1_500) };
            let claim = claims::by_id(id).expect("a claim");
            let again = format!("loadgen verify --only {id} --seed 7");
            target.claims.push(ClaimReport::new(claim, tried, &Expectations::documented(), again));
        }
        report.targets.push(target);
        report
    }

    pub(crate) fn torn() -> Finding {
        let step = Step {
            user: Some(3),
            from_ms: Some(1.5),
            to_ms: Some(2.25),
            did: "restore A4K".to_owned(),
            got: "500 no".to_owned(),
        };
        Finding::refuted("a torn read | of half", vec![step, Step::finding("A4K", "was there")])
            .measured("restores", 17)
            .named(crate::check::anomaly::Anomaly::UnreadableDocument)
    }

    #[test]
    fn claims_json_keeps_to_its_schema() {
        let report = sample(torn(), Finding::holds("all there"));
        let json = serde_json::to_value(&report).expect("writes");
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
        assert_eq!(sample(torn(), Finding::holds("")).outcome(), Outcome::AsExpected);
        assert_eq!(sample(torn(), Finding::inconclusive("")).outcome(), Outcome::Undecided);
        assert_eq!(sample(Finding::holds(""), Finding::inconclusive("")).outcome(), Outcome::Failed);
        let partial = Report { partial: true, ..sample(torn(), Finding::holds("")) };
        assert_eq!(partial.outcome(), Outcome::Undecided);
    }
}
