//! The claims: each one reads as quote, experiment, judgement.
//!
//! An experiment acts on the target and returns what it saw as plain data. A judgement is a pure function of that
//! data; it knows nothing of which protocol it looks at, and what theory expects is written down elsewhere
//! ([`crate::verify::expectations`]).

mod answers;
mod archiving;
mod attempts;
mod bad_input;
mod chance;
mod client;
mod crashes;
mod deletes;
mod distribution;
pub(crate) mod elsewhere;
mod environment;
mod exhaustion;
mod failures;
mod guesses;
mod hard_limit;
mod holder;
mod instantiate;
mod interruptions;
mod journeys;
mod judged;
mod key_space;
mod lists;

mod lock_cost;
mod locks;
mod monitoring;
mod posted;
mod queueing;
mod responsiveness;
mod restores;
mod saves;
pub(crate) mod schedules;
mod seen;
mod survival;
mod throughput;
mod uniqueness;
mod views;
mod whole_history;

use crate::lab::{Lab, Stuck};
use check::anomaly::Anomaly;
use record::claims::Verdict;
use record::step::Step;
use serde_json::{Map, Value};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// One line: what was seen that decides it, or what is missing.
    pub summary: String,
    /// Figures that were measured, by names that carry their units.
    pub measured: Map<String, Value>,
    /// What the criterion, or theory, says of figures of the same names.
    pub expected: Map<String, Value>,
    /// Who did what, when, and what came back; only of a refuted claim.
    pub counterexample: Vec<Step>,
    /// The anomaly that the counterexample shows, if it has a standard name.
    pub anomaly: Option<Anomaly>,
}

impl Finding {
    /// The criterion was met.
    pub fn holds(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Holds, summary)
    }

    /// The criterion was not met, as these steps show.
    pub fn refuted(summary: impl Into<String>, counterexample: Vec<Step>) -> Self {
        Self { counterexample, ..Self::new(Verdict::Refuted, summary) }
    }

    /// It is not decided; the summary says what is missing.
    pub fn inconclusive(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, summary)
    }

    /// It cannot be tried here; the summary says why.
    pub fn untestable(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Untestable, summary)
    }

    fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self {
            verdict,
            summary: summary.into(),
            measured: Map::new(),
            expected: Map::new(),
            counterexample: Vec::new(),
            anomaly: None,
        }
    }

    /// Sets the anomaly that the counterexample shows.
    #[must_use]
    pub fn named(mut self, anomaly: Anomaly) -> Self {
        self.anomaly = Some(anomaly);
        self
    }

    /// Adds a measured figure.
    #[must_use]
    pub fn measured(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.measured.insert(name.to_owned(), value.into());
        self
    }

    /// Adds what a figure should be.
    #[must_use]
    pub fn expected(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.expected.insert(name.to_owned(), value.into());
        self
    }
}

/// When a document that does not hold what it must is looked at once more. A restore that is stale for a moment is one
/// claim's business; the others are about what is stored.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// What an experiment cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The wire alone.
    Wire,
    /// The saves folder as well.
    Folder,
    /// The saves folder, empty at the start, to be filled.
    Filling,
    /// A server that the harness starts itself, to be killed, or given a disk that fails or another file system; the
    /// target stays as it is.
    OwnServer,
    /// Several processes that serve the target's folder.
    Processes,
    /// A real browser.
    Browser,
}

/// An experiment under way.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Finding, Stuck>> + Send + 'a>>;

/// A promise under test.
pub struct Claim {
    /// Its name in claims.md.
    pub id: &'static str,
    /// What is promised, in a few words.
    pub title: &'static str,
    /// The specification's words.
    pub quote: &'static str,
    /// What its experiment cannot do without.
    pub needs: Needs,
    /// Whether it can be decided within `--quick`.
    pub is_quick: bool,
    /// Whether its experiment mostly waits, so that others may run on other servers beside it.
    pub mostly_waits: bool,
    /// The experiment, and the judgement of what it saw.
    pub attempt: for<'a> fn(&'a Arc<Lab>) -> Attempt<'a>,
}

impl Claim {
    /// Whether its experiment takes times, so that a verdict against it stands only where nothing else ran beside it: the
    /// claims of performance do.
    #[must_use]
    pub fn takes_times(&self) -> bool {
        self.id.starts_with('P')
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// All claims, in the order of claims.md.
pub static ALL: [&Claim; 38] = [
    &key_space::K1,
    &distribution::K2,
    &attempts::K3,
    &attempts::K4,
    &exhaustion::K5,
    &attempts::K6,
    &uniqueness::K7,
    &uniqueness::K8,
    &journeys::K9,
    &exhaustion::K10,
    &saves::S1,
    &saves::S2,
    &instantiate::S3,
    &restores::S4,
    &deletes::S5,
    &lists::S6,
    &whole_history::S7,
    &elsewhere::S8,
    &elsewhere::S9,
    &responsiveness::P1,
    &lock_cost::P2,
    &throughput::P3,
    &queueing::P4,
    &uniqueness::P5,
    &hard_limit::P6,
    &failures::R1,
    &crashes::R2,
    &crashes::R3,
    &locks::R4,
    &bad_input::R5,
    &interruptions::R6,
    &monitoring::O1,
    &monitoring::O2,
    &distribution::O3,
    &archiving::O4,
    &guesses::O5,
    &client::C1,
    &client::C2,
];

/// The order in which they are tried: by rising fill first, then on an empty folder, those last that reserve and give
/// back keys by the ten thousand (after which ext4 without a journal is slow to create files for a while).
const ORDER: [&str; 38] = [
    "P1", "C1", "C2", "R1", "R2", "R3", "R4", "R5", "S8", "K3", "P6", "K6", "K5", "K10", "K4", "K1", "S3", "S1", "S2",
    "S4", "S5", "S6", "S7", "S9", "R6", "P2", "P3", "P4", "O1", "O2", "O4", "O5", "K9", "K7", "K8", "P5", "K2", "O3",
];

/// The claims, in the order in which they are best tried.
#[must_use]
pub fn in_order() -> Vec<&'static Claim> {
    ORDER.iter().filter_map(|id| by_id(id)).collect()
}

/// The claim of a name, in any case.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Claim> {
    ALL.into_iter().find(|claim| claim.id.eq_ignore_ascii_case(id))
}

/// Where in [`ALL`] a claim stands.
#[must_use]
pub fn position(id: &str) -> usize {
    ALL.iter().position(|claim| claim.id == id).unwrap_or(ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_tried_once() {
        let mut ordered: Vec<&str> = in_order().iter().map(|claim| claim.id).collect();
        let mut all: Vec<&str> = ALL.iter().map(|claim| claim.id).collect();
        ordered.sort_unstable();
        all.sort_unstable();
        assert_eq!(ordered, all);
    }
}
