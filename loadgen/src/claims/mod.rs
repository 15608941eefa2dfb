//! The claims: each one reads as quote, experiment, judgement.
//!
//! An experiment acts on the target and returns what it saw as plain data. A judgement is a pure function of that
//! data; it knows nothing of which protocol it looks at, and does not use what the claim expects of it
//! ([`Claim::expected`]).
//!
//! A claim is one `static`, with its experiment and its judgement, and an entry in [`ALL`]; everything else follows from
//! these.

mod answers;
mod archiving;
mod attempts;
mod bad_input;
mod chance;
mod claim;
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
pub mod page;
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

use check::anomaly::Anomaly;
pub use claim::{Attempt, Claim, Expectation, Expected, Needs, Phase};
use record::claims::{ClaimId, Verdict};
use record::step::Step;
use serde_json::{Map, Value};
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

/// All claims, in the order of their ids.
pub static ALL: &[&Claim] = &[
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

/// The claims, in the order in which they are tried.
#[must_use]
pub fn in_order() -> Vec<&'static Claim> {
    let mut claims = ALL.to_vec();
    claims.sort_by_key(|claim| claim.phase);
    claims
}

/// The claim with an id.
#[must_use]
pub fn by_id(id: ClaimId) -> Option<&'static Claim> {
    ALL.iter().copied().find(|claim| claim.id == id)
}

/// The claim whose id is written like this, in upper or lower case.
#[must_use]
pub fn named(id: &str) -> Option<&'static Claim> {
    id.parse().ok().and_then(by_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_each_id_once_and_the_order_of_reports() {
        assert!(ALL.is_sorted_by(|one, next| one.id < next.id), "{ALL:?}");
    }

    /// Verdicts and times were measured in this order; a claim that fills the folder leaves it to the next one.
    #[test]
    fn claims_are_tried_by_rising_fill_and_those_with_the_most_keys_last() {
        let order: Vec<String> = in_order().iter().map(|claim| claim.id.to_string()).collect();
        let expected = "P1 C1 C2 R1 R2 R3 R4 R5 S8 K3 P6 K6 K5 K10 K4 K1 S3 S1 S2 S4 S5 S6 S7 S9 R6 P2 P3 P4 O1 O2 O4 O5 \
                        K9 K7 K8 P5 K2 O3";
        assert_eq!(order.join(" "), expected);
    }

    #[test]
    fn the_specifications_protocol_breaks_fourteen_promises_and_the_hardened_one_only_that_of_secrecy() {
        let ids = |is_meant: fn(&Expected) -> bool| {
            let claims = ALL.iter().filter(|claim| is_meant(&claim.expected));
            claims.map(|claim| claim.id.to_string()).collect::<Vec<_>>().join(" ")
        };
        let broken = "K7 K8 K9 K10 S4 S5 S6 S7 P5 R1 R2 R3 O4 O5";
        assert_eq!(ids(|expected| expected.documented == Expectation::Refuted), broken);
        assert_eq!(ids(|expected| expected.documented == Expectation::Either), "P4");
        assert_eq!(ids(|expected| expected.hardened != Expectation::Holds), "O5");
        assert_eq!(ids(|expected| expected.contract == Expectation::Either), "O4 O5");
        assert_eq!(ids(|expected| expected.contract == Expectation::Refuted), "");
    }

    #[test]
    fn a_claim_is_named_in_upper_or_lower_case() {
        assert_eq!(named("s4").map(|claim| claim.id), Some(ClaimId::of("S4")));
        assert!(named("S99").is_none() && named("S").is_none());
    }
}
