//! Whole histories of a document store, judged key by key: whether one order explains what was answered, what is wrong
//! where none does, and the smallest piece that proves it.
//!
//! Layout:
//! - [`access`]: an operation on one document, compactly; `model.rs` says what it is to the sequential model.
//! - `frontier`: whether an order explains all accesses to a document, near-linearly.
//! - `naming.rs`: what an access that fits nowhere is called.
//! - [`lists`]: which lists lack a document that was there throughout.
//! - `ownership.rs`: keys that two users were handed.
//! - `shrink.rs`: the smallest piece of a history that is wrong; [`counterexample`]: that piece with the longest order
//!   that there is.
//! - `proof.rs`: whether such a piece is a proof, by every order of it.
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

use crate::check::anomaly::Anomaly;
use crate::check::linearizability::{Budget, Call, Verdict, check};
use crate::check::store::Slot;
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
    /// Places of accesses that are as wrong as one before them says, or as right: they are not accused, and prove nothing.
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
    /// Places of all that must be left out of a proof of anything else, those first that are wrong.
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
