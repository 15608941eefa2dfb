//! The smallest piece of a document's history that no order explains, with the longest order that there is.

use super::access::{Access, Kind};
use super::frontier::Start;
use super::model::{OneDocument, step};
use super::ownership::duplicates;
use super::proof;
use super::shrink::{may_have_done, smallest};
use crate::anomaly::Anomaly;
use crate::linearizability::{Budget, Call, Verdict, check};
use crate::store::{Document, Slot};
use std::collections::HashSet;

/// Memory for finding the order, bytes: pieces are small.
const ORDER_BYTES: usize = 64 << 20;

/// The accesses that prove that something is wrong, and their longest legal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Whose document it is.
    pub key: String,
    /// What is wrong.
    pub anomaly: Anomaly,
    /// The accesses that prove it, in the order of their calls. What others did may be anything.
    pub accesses: Vec<Access>,
    /// Places of those that fit nowhere in the order.
    pub misfits: Vec<usize>,
    /// What was there before them, in words.
    pub start: String,
    /// The longest order in which accesses are right: places, and what is there after each, in words.
    pub order: Vec<(usize, String)>,
    /// Accesses to the document that are left out.
    pub hidden: usize,
}

impl Counterexample {
    /// The smallest proof that the access at `misfit` fits nowhere; `misfits` lists the places of all such accesses.
    /// `None` if it is no proof by itself: another misfit explains it by having done what its response says.
    #[must_use]
    pub fn new(key: &str, anomaly: Anomaly, accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<Self> {
        let (core, start) = match anomaly {
            Anomaly::DuplicateKey => (both_hand_outs(accesses, misfit), Start::Absent),
            _ => piece_of(accesses, misfit, misfits)?,
        };
        let at = core.iter().position(|access| *access == accesses[misfit]).unwrap_or_default();
        let (slot, order) = longest_order(&core, at, start);
        let is_placed = |place: &usize| order.contains(place);
        Some(Self {
            key: key.to_owned(),
            anomaly,
            misfits: (0..core.len()).filter(|place| !is_placed(place)).collect(),
            start: if start == Start::Anything && slot == Slot::Absent { "anything".to_owned() } else { words(&slot) },
            order: with_states(&core, &slot, &order),
            hidden: accesses.len() - core.len(),
            accesses: core,
        })
    }

    /// Whether these accesses prove that something is wrong, whatever the other accesses to the document did. Other
    /// misfits may have done what their responses say. The first misfit is wrong even if all others are right, so a
    /// piece that contains it is also tried with the others taken at their word. `None` if there are too many orders to
    /// try, or if orders prove nothing: a duplicate key shows in who uses it.
    #[must_use]
    pub fn is_proof(&self, accesses: &[Access], misfits: &[usize]) -> Option<bool> {
        if self.anomaly == Anomaly::DuplicateKey {
            return None;
        }
        let others = || accesses.iter().enumerate().filter(|(_, access)| !self.accesses.contains(access));
        let among_misfits: HashSet<usize> = misfits.iter().copied().collect();
        let may_have_done = |(place, access): (usize, &Access)| {
            if among_misfits.contains(&place) { may_have_done(access, place) } else { vec![*access] }
        };
        let open: Vec<Access> = others().flat_map(may_have_done).collect();
        let right: Vec<Access> = others().map(|(_, access)| *access).collect();
        let is_first = misfits.first().is_some_and(|first| self.accesses.contains(&accesses[*first]));
        let convicts = |others: &[Access]| proof::convicts(&self.accesses, others, Start::Absent);
        Some(convicts(&open)? || is_first && convicts(&right)?)
    }
}

/// A key that two were handed and use: that shows in these, whatever is there.
fn both_hand_outs(accesses: &[Access], second: usize) -> Vec<Access> {
    let duplicate = duplicates(accesses).into_iter().find(|duplicate| duplicate[0] == second);
    let mut places = duplicate.map_or(vec![second], |places| places.to_vec());
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| accesses[place]).collect()
}

/// The smallest piece that no order explains, and what was there before it.
fn piece_of(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<(Vec<Access>, Start)> {
    let mut sorted = misfits.to_vec();
    sorted.sort_unstable();
    // The first misfit is wrong even with the others taken at their word: they may be at fault as well.
    let with_all = || if misfits.first() == Some(&misfit) { smallest(accesses, misfit, &[misfit]) } else { None };
    let piece = smallest(accesses, misfit, &sorted).or_else(with_all)?;
    Some((piece.core().map(|(_, access)| *access).collect(), piece.start))
}

/// What was there at the start, and an order as long as can be found: of all but the misfit, where there is one.
fn longest_order(core: &[Access], misfit: usize, start: Start) -> (Slot, Vec<usize>) {
    let others: Vec<usize> = (0..core.len()).filter(|place| *place != misfit).collect();
    let mut starts = vec![Slot::Absent];
    if start == Start::Anything {
        let shown = core.iter().filter_map(|access| step(&Slot::Absent, access).is_none().then_some(access.kind));
        starts.extend(shown.filter_map(Kind::shown).map(|content| present(content.to_string())));
        starts.push(present("something".to_owned()));
    }
    let orders = starts.into_iter().map(|slot| {
        let order = order_of(core, &others, &slot);
        (slot, order)
    });
    orders.max_by_key(|(_, order)| order.len()).unwrap_or((Slot::Absent, Vec::new()))
}

fn present(state: String) -> Slot {
    Slot::Present(Document { state, ..Document::default() })
}

fn order_of(core: &[Access], places: &[usize], start: &Slot) -> Vec<usize> {
    let calls: Vec<Call<Access>> = places.iter().map(|place| core[*place].call()).collect();
    let mut budget = Budget::new(ORDER_BYTES, || false);
    let order = match check(&OneDocument { start: start.clone() }, &calls, &mut budget) {
        Verdict::Linearizable { order } | Verdict::NotLinearizable { longest: order, .. } => order,
        Verdict::Undecided { .. } => Vec::new(),
    };
    order.into_iter().map(|at| places[at]).collect()
}

fn with_states(core: &[Access], start: &Slot, order: &[usize]) -> Vec<(usize, String)> {
    let mut slot = start.clone();
    let mut after = |place: &usize| {
        slot = step(&slot, &core[*place])?;
        Some((*place, words(&slot)))
    };
    order.iter().map_while(&mut after).collect()
}

/// What is there, in words.
fn words(slot: &Slot) -> String {
    match slot.document() {
        Some(document) => document.state.clone(),
        None => "nothing".to_owned(),
    }
}
