//! `run.json`: what ran, how it went, and whether its figures may be believed.

use super::figures::{OperationReport, Percentiles, Rate};
use crate::host::Host;
use crate::story::story;
use check::anomaly::Anomaly;
use check::documents::counterexample::Counterexample;
use check::documents::whole::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and version of the format of `run.json`.
pub const SCHEMA: &str = "claimcheck.run/2";

/// The JSON Schema of `run.json`.
pub const JSON_SCHEMA: &str = include_str!("../../schemas/run.schema.json");

/// `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// What all randomness of the run came from.
    pub seed: u64,
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// Name of the scenario.
    pub scenario: String,
    /// All that it takes to run it again.
    pub plan: serde_json::Value,
    /// The server that was loaded.
    pub target: RunTarget,
    /// Whether the figures may be used: the generator kept up, and the window is whole.
    pub valid: bool,
    /// What speaks against them, a sentence each.
    pub why_invalid: Vec<String>,
    /// Whether the run was interrupted before its planned end.
    pub partial: bool,
    /// Which operations the figures are of.
    pub measured: Window,
    /// Figures by operation; the names of the wire contract.
    pub operations: BTreeMap<String, OperationReport>,
    /// All operations together.
    pub total: OperationReport,
    /// Turns of the users; none with an open load.
    pub turns: Option<Turns>,
    /// Share of the operations that may fail; none with an objective, which says so itself.
    pub errors_allowed: Option<f64>,
    /// All operations, per second.
    pub rate: Rate,
    /// How late the generator itself was, µs: from the time at which an operation was meant to be sent to that at
    /// which it was.
    pub slip_us: Percentiles,
    /// Whether counts and times agree.
    pub little: Little,
    /// What the run cost the generator.
    pub generator: Generator,
    /// The search for the highest rate, where there was one.
    pub search: Option<Search>,
    /// The verdict on the whole history, where one was kept and judged.
    pub history: Option<HistoryReport>,
    /// Keys of ours under which a document may be left.
    pub left_behind: Vec<String>,
    /// A shell command that deletes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_behind_command: Option<String>,
    /// Where it ran.
    pub host: Host,
}

/// The server that was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTarget {
    /// Where it was.
    pub url: String,
    /// Its protocol, where the harness chose it.
    pub protocol: Option<String>,
}

/// The verdict on a run's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryReport {
    /// Whether an order explains it, document by document; none where that could not be decided.
    pub linearizable: Option<bool>,
    /// Documents.
    pub documents: u64,
    /// Operations on them, those before the warm-up's end and looks at the saves folder among them.
    pub operations: u64,
    /// Operations that fit nowhere, by the name of what went wrong.
    pub anomalies: BTreeMap<String, u64>,
    /// Documents on which nothing could be decided, some of them, and why.
    pub undecided: BTreeMap<String, String>,
    /// The first of each anomaly, the earliest first.
    pub counterexamples: Vec<CounterexampleReport>,
}

/// A piece of a history that no order explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterexampleReport {
    /// What went wrong.
    pub anomaly: String,
    /// Whose document it is.
    pub key: String,
    /// What happened, a sentence each.
    pub story: Vec<String>,
    /// Name of the page in the run's folder with its picture.
    pub picture: Option<String>,
}

impl HistoryReport {
    /// The verdict, with the names of the pages that show its counterexamples.
    #[must_use]
    pub fn new(verdict: &Verdict, pages: &[String]) -> Self {
        let counterexample = |(number, counterexample): (usize, &Counterexample)| CounterexampleReport {
            anomaly: counterexample.anomaly.name().to_owned(),
            key: counterexample.key.clone(),
            story: story(counterexample),
            picture: pages.get(number).cloned(),
        };
        let named = |(anomaly, count): (&Anomaly, &u64)| (anomaly.name().to_owned(), *count);
        Self {
            linearizable: verdict.is_linearizable(),
            documents: verdict.documents,
            operations: verdict.accesses,
            anomalies: verdict.anomalies.iter().map(named).collect(),
            undecided: verdict.undecided.iter().map(|(key, why)| (key.clone(), (*why).to_owned())).collect(),
            counterexamples: verdict.counterexamples.iter().enumerate().map(counterexample).collect(),
        }
    }
}

impl HistoryReport {
    /// How another verdict on the same history differs, if it does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let figures = |report: &Self| {
            let Self { linearizable, documents, operations, anomalies, .. } = report;
            let right = match linearizable {
                Some(true) => "linearizable",
                Some(false) => "not linearizable",
                None => "undecided",
            };
            let counted = |(name, count): (&String, &u64)| format!(", {count} × {name}");
            let anomalies: String = anomalies.iter().map(counted).collect();
            format!("{right}, {operations} operations on {documents} documents{anomalies}")
        };
        let (told, found) = (figures(self), figures(other));
        (told != found).then(|| format!("history: run.json has {told}, the history {found}"))
    }
}

/// The measured window, µs since the run's start: what comes before is warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its first moment, µs.
    pub from_us: u64,
    /// The first moment after it, µs.
    pub to_us: u64,
}

impl Window {
    /// Whether an operation that was meant to be sent at this time is measured.
    #[must_use]
    pub fn contains(&self, meant_us: u64) -> bool {
        (self.from_us..self.to_us).contains(&meant_us)
    }

    /// Its length, s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.to_us.saturating_sub(self.from_us) as f64 / 1e6
    }
}

/// Turns of a closed load's users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// Those that were begun.
    pub taken: u64,
    /// Those that were not, because their users waited for a server that did not respond, or paused after that: as
    /// many as fit into that time at the mean length of the others.
    pub missed: u64,
}

/// Little's law, L = λ·W: the mean number of operations in flight, counted, against the same from rate and times. Where
/// the two are far apart, either the counts or the times are wrong, or the window was too short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Little {
    /// Counted.
    pub in_flight_by_count: f64,
    /// Rate × mean time.
    pub in_flight_by_times: f64,
    /// (count − times) / times; 0 where nothing was in flight.
    pub residual: f64,
}

impl Little {
    /// Both numbers, held against each other.
    #[must_use]
    pub fn of(in_flight_by_count: f64, in_flight_by_times: f64) -> Self {
        let gap = in_flight_by_count - in_flight_by_times;
        let residual = if in_flight_by_times > 0.0 { gap / in_flight_by_times } else { 0.0 };
        Self { in_flight_by_count, in_flight_by_times, residual }
    }
}

/// What the run cost the generator, and how much it could have done: figures are of the server only while there is
/// plenty of room between the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Threads that users ran on.
    pub threads: usize,
    /// Processor time, s.
    pub cpu_s: f64,
    /// Processor time for each operation, µs.
    pub cpu_us_per_operation: f64,
    /// Share of its time that the busiest thread was computing; at 1 it is what limits the run.
    pub busiest_thread_share: f64,
    /// How late its threads came to what they do at fixed times, whether there was an operation or not, µs: so late can an answer
    /// have been noticed.
    pub lag_us: Percentiles,
    /// Most memory at any time, bytes.
    pub peak_rss_bytes: u64,
    /// The same for each user, bytes.
    pub rss_bytes_per_user: u64,
    /// Operations per s that the generator managed against a server that answers at once, where that was tried.
    pub ceiling_per_s: Option<f64>,
    /// Processor time for each operation there, µs.
    pub ceiling_cpu_us_per_operation: Option<f64>,
    /// Size of the compressed history, bytes.
    pub history_bytes: u64,
}

/// A search for the highest rate that keeps to an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What was to be kept, such as `p99 of response ≤ 50 ms`.
    pub objective: String,
    /// What was tried, in order.
    pub trials: Vec<Trial>,
    /// The highest rate that kept to it, and did so again when confirmed, per s.
    pub found_per_s: Option<f64>,
}

/// One rate that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The rate, per s.
    pub rate_per_s: f64,
    /// Why this one.
    pub phase: TrialPhase,
    /// Whether the objective was kept.
    pub kept: bool,
    /// Whether the generator kept up; else it says nothing about the server.
    pub valid: bool,
    /// What decided it.
    pub why: String,
    /// Right answers, per s.
    pub goodput_per_s: f64,
    /// The operation and figure that came nearest to the objective, or went furthest beyond.
    pub worst: String,
}

/// The three phases of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialPhase {
    /// Twice the rate before.
    Double,
    /// Half-way between the highest kept and the lowest not kept.
    Bisect,
    /// The highest kept, once more.
    Confirm,
}

impl TrialPhase {
    /// As `run.json` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Bisect => "bisect",
            Self::Confirm => "confirm",
        }
    }
}

impl RunReport {
    /// Share of what the users were to do that failed: turns that were missed, and errors in the others.
    #[must_use]
    pub fn failed_share(&self) -> f64 {
        let share = |part: u64, whole: u64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
        let missed = self.turns.map_or(0.0, |turns| share(turns.missed, turns.taken + turns.missed));
        missed + (1.0 - missed) * share(self.total.error_count(), self.total.sent)
    }

    /// Whether more failed than may.
    #[must_use]
    pub fn fails_too_often(&self) -> bool {
        self.errors_allowed.is_some_and(|allowed| self.failed_share() > allowed)
    }

    /// The exit code of the run's verdict: 1 with any wrong answer in the measured window, a history that no order explains, or more
    /// errors than allowed; else 3 where the figures are not to be believed, the run was interrupted or the history could
    /// not be decided; else 0. A wrong answer is one in an invalid run too, so 1 comes before 3.
    #[must_use]
    pub fn verdict_code(&self) -> u8 {
        let is_linearizable = self.history.as_ref().map_or(Some(true), |history| history.linearizable);
        if self.total.wrong_count() > 0 || is_linearizable == Some(false) || self.fails_too_often() {
            1
        } else if self.partial || !self.valid || is_linearizable.is_none() {
            3
        } else {
            0
        }
    }

    /// The exit code: that of the verdict, or 3 if only documents may be left on the target.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict_code() {
            0 if !self.left_behind.is_empty() => 3,
            code => code,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
