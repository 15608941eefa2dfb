//! Judges whole histories of a document store, key by key: whether one order explains the responses, what is wrong if
//! none does, and the smallest piece that proves it.
//!
//! Layout:
//! - [`access`]: an operation on one document, in compact form; `model.rs` maps it to the sequential model.
//! - `frontier`: whether an order explains all accesses to a document, in near-linear time.
//! - `naming.rs`: names the anomaly of an access that fits nowhere.
//! - [`lists`]: which lists lack a document that was there throughout.
//! - `ownership.rs`: keys that two users were handed.
//! - `shrink.rs`: the smallest piece of a history that is wrong; [`counterexample`]: that piece with its longest legal
//!   order.
//! - `proof.rs`: tries every order of such a piece to check that it is a proof.
//! - [`whole`]: the verdict on all documents together.

pub mod access;
pub mod counterexample;
mod frontier;
pub mod lists;
mod model;
mod naming;
mod ownership;
mod proof;
mod shrink;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod textbook;
pub mod whole;

pub use model::{OneDocument, step};

use crate::anomaly::Anomaly;
use crate::linearizability::{Budget, Call, Verdict, check};
use crate::store::Slot;
use access::Access;
use frontier::{Part, Start, Stopped};
use naming::Scene;

/// Why a history is not decided.
const TOO_MANY: &str = "too many operations at once leave too many orders to be tried";

/// What the general search may use: bytes, and some seconds, counted in the times that it asks whether to stop.
const GENERAL_BYTES: usize = 256 << 20;
const MOST_QUESTIONS: u32 = 2_000;

/// What is to be said of all accesses to a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is wrong: places of accesses, each with its anomaly's name, in the order in which it shows.
    pub wrong: Vec<(usize, Anomaly)>,
    /// Places of accesses that fit only if an earlier misfit is right: they are not blamed, and prove nothing.
    pub forgiven: Vec<usize>,
    /// Why not all is judged, where that is so.
    pub undecided: Option<&'static str>,
}

/// Judges all accesses to a document, from when there was none; they are in the order of their calls.
#[must_use]
pub fn judge(accesses: &[Access]) -> Judgement {
    let findings = Part { accesses, ghosts: &[], start: Start::Absent }.search(false);
    let undecided = match findings.stopped {
        None => None,
        Some(Stopped::TooMany) => Some(TOO_MANY),
        Some(Stopped::NotUnique) => return judge_in_general(accesses),
    };
    let mut wrong: Vec<(usize, Anomaly)> = Vec::new();
    if !findings.misfits.is_empty() {
        let scene = Scene::new(accesses);
        wrong.extend(findings.misfits.into_iter().map(|place| (place, scene.name(place))));
    }
    for [second, ..] in ownership::duplicates(accesses) {
        if wrong.iter().all(|(place, _)| *place != second) {
            wrong.push((second, Anomaly::DuplicateKey));
        }
    }
    Judgement { wrong, forgiven: findings.forgiven, undecided }
}

impl Judgement {
    /// Places of all accesses that a proof of anything else must leave out, those that are wrong first.
    #[must_use]
    pub fn misfits(&self) -> Vec<usize> {
        self.wrong.iter().map(|(place, _)| *place).chain(self.forgiven.iter().copied()).collect()
    }
}

/// Judges accesses among which the same content was written twice, as no run of the harness does: by the general search.
fn judge_in_general(accesses: &[Access]) -> Judgement {
    let mut questions = 0;
    let mut budget = Budget::new(GENERAL_BYTES, || {
        questions += 1;
        questions > MOST_QUESTIONS
    });
    let calls: Vec<Call<Access>> = accesses.iter().map(Access::call).collect();
    match check(&OneDocument { start: Slot::Absent }, &calls, &mut budget) {
        Verdict::Linearizable { .. } => Judgement::default(),
        Verdict::NotLinearizable { blocked, .. } => {
            let wrong = blocked.first().map(|place| (*place, Anomaly::NotLinearizable)).into_iter().collect();
            Judgement { wrong, ..Judgement::default() }
        }
        Verdict::Undecided { .. } => Judgement { undecided: Some(TOO_MANY), ..Judgement::default() },
    }
}
