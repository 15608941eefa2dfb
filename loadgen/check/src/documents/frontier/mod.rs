//! Decides, in near-linear time, whether one order explains all accesses to a document.
//!
//! Calls and returns are processed in the order of time, with all explanations that are still possible (the frontier):
//! what is stored now, and which of the pending accesses have taken effect. An access takes effect only when a return
//! demands it (just-in-time linearization; G. Lowe, "Testing for linearizability", 2017), which loses no explanation.
//! As each content is written once, the frontier stays small, usually at one:
//!
//! - An access that only looks, and fits what is stored, takes effect at once: it changes nothing for others.
//! - While some reader of the stored content has yet to be called, nothing can overwrite it: it would not come back.
//! - Contents that nobody sees are interchangeable. Of their writes, the one that must return first goes first;
//!   removals are ordered the same way.
//! - Once a document is there for good (no removal is left), a write whose readers have all been called takes effect
//!   together with them as soon as nobody sees the stored content any more: it gets in nobody's way.
//!
//! Each rule is exact: no verdict depends on luck, and the tests compare them with every order of small histories. What
//! they leave open (concurrent removals and creations) is searched, within limits.
//!
//! An access that fits nowhere is a misfit, and what it did is unknown: a delete that found no document where there is
//! one may have removed it. So the search continues with both possibilities: what is stored according to all other
//! accesses, and what is stored if the misfit is right. An access that fits either is not blamed for what the misfit
//! did.

mod explanation;
mod prepared;
mod under_way;

use super::access::{Access, Kind, Role};
use explanation::{Explanation, State};
use prepared::{Act, Event, NotUnique, Prepared};
use std::collections::HashSet;
use under_way::UnderWay;

/// What may be there before the first access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// No document.
    Absent,
    /// Anything: what came before is left out.
    Anything,
}

/// Accesses to one document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) accesses: &'a [Access],
    /// By place: those of which nothing is held but that they may have taken effect. Where it is empty, none.
    pub(super) ghosts: &'a [bool],
    pub(super) start: Start,
}

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Places of the accesses that fit nowhere, in the order in which that shows: an order explains all others if each
    /// of these did what its response says, or nothing.
    pub(super) misfits: Vec<usize>,
    /// Places of accesses that fit only if an earlier misfit is right: they may be just as wrong, and are not blamed.
    pub(super) forgiven: Vec<usize>,
    /// Why the search stopped early, if it did.
    pub(super) stopped: Option<Stopped>,
}

/// Why a search stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// There are too many explanations.
    TooMany,
    /// Two wrote the same content.
    NotUnique,
}

/// Steps of one search, some 100 ns each: a second, and ten for each million accesses, as a longer history may take longer.
const FEWEST_STEPS: usize = 10_000_000;
const STEPS_PER_ACCESS: usize = 100;

/// Explanations at a time, some 100 bytes each.
const MOST_EXPLANATIONS: usize = 100_000;

impl Part<'_> {
    pub(super) fn is_ghost(&self, place: usize) -> bool {
        self.ghosts.get(place).copied().unwrap_or(false)
    }

    /// The accesses that are held to what they say, with their places.
    pub(super) fn in_full(&self) -> impl Iterator<Item = (usize, &Access)> {
        self.accesses.iter().enumerate().filter(|(place, _)| !self.is_ghost(*place))
    }

    /// Looks for accesses that fit nowhere: for all of them, or for the first.
    pub(super) fn search(&self, ends_with_first: bool) -> Findings {
        match Prepared::new(self) {
            Ok(prepared) => Search::new(self, prepared).run(ends_with_first),
            Err(NotUnique) => Findings { stopped: Some(Stopped::NotUnique), ..Findings::default() },
        }
    }
}

struct Search<'a> {
    part: &'a Part<'a>,
    prepared: Prepared,
    under_way: UnderWay,
    frontier: Vec<Explanation>,
    steps_left: usize,
    findings: Findings,
}

impl<'a> Search<'a> {
    fn new(part: &'a Part<'a>, prepared: Prepared) -> Self {
        let mut states = vec![State::Absent];
        if part.start == Start::Anything {
            // A content that is seen, and of which it is not held that it was written here, may be from before.
            let is_held = |place: usize| !part.is_ghost(place);
            let values = prepared.values.iter().enumerate();
            let from_before = values.filter(|(_, value)| !value.write.is_some_and(is_held));
            states.extend(from_before.map(|(number, _)| State::Holds(number)));
            states.push(State::Unseen);
        }
        Self {
            part,
            under_way: UnderWay::new(part.accesses.len()),
            prepared,
            frontier: states.into_iter().map(Explanation::new).collect(),
            steps_left: FEWEST_STEPS + STEPS_PER_ACCESS * part.accesses.len(),
            findings: Findings::default(),
        }
    }

    fn run(mut self, ends_with_first: bool) -> Findings {
        for event in std::mem::take(&mut self.prepared.events) {
            match event {
                Event::Call(place) => self.called(place),
                Event::Return(place) => self.returned(place),
            }
            if self.findings.stopped.is_some() || ends_with_first && !self.findings.misfits.is_empty() {
                break;
            }
        }
        self.findings
    }

    fn called(&mut self, place: usize) {
        if self.prepared.acts[place] == Act::Nothing {
            return;
        }
        let access = &self.part.accesses[place];
        let is_optional = access.is_optional() || self.part.is_ghost(place);
        let removes = access.kind.role() == Role::Removes;
        self.under_way.sit(place, access.returned_us, is_optional, removes);
        self.prepared.removals_ahead -= usize::from(removes);
        if let Act::Sees(value) = self.prepared.acts[place] {
            self.prepared.values[value].asked += 1;
        }
        self.settle();
    }

    fn settle(&mut self) {
        let (prepared, under_way) = (&self.prepared, &self.under_way);
        self.frontier.iter_mut().for_each(|explanation| explanation.settle(prepared, under_way));
        self.keep_different();
    }

    fn keep_different(&mut self) {
        if self.frontier.len() > 1 {
            let mut known = HashSet::with_capacity(self.frontier.len());
            self.frontier.retain(|explanation| known.insert(explanation.clone()));
        }
    }

    fn returned(&mut self, place: usize) {
        let Some(seat) = self.under_way.seat_of(place) else { return };
        let Some(mut next) = self.with_effect_of(place, seat) else { return self.stop(Stopped::TooMany) };
        if next.is_empty() {
            match self.without_late_readers(place, seat) {
                Some(without) => next = without,
                None => return self.drop_misfit(place, seat),
            }
        }
        if self.fits_misfit_alone(place, &next) {
            self.findings.forgiven.push(place);
            next.extend(self.frontier.drain(..).filter(|explanation| !explanation.holds_misfit_right));
        }
        self.frontier = next;
        self.leave(seat);
    }

    /// Whether an access that only looks, or hands the key out, fits only if an earlier misfit is right. It may be as
    /// wrong as that misfit, so the other explanations are kept: an access that fits them later is not blamed.
    fn fits_misfit_alone(&self, place: usize, next: &[Explanation]) -> bool {
        let are_all_with_it = |explanations: &[Explanation]| explanations.iter().all(|one| one.holds_misfit_right);
        matches!(self.prepared.acts[place], Act::Sees(_) | Act::SeesAbsent | Act::SeesPresent | Act::Hands)
            && are_all_with_it(next)
            && !are_all_with_it(&self.frontier)
    }

    fn stop(&mut self, why: Stopped) {
        self.findings.stopped = Some(why);
    }

    fn leave(&mut self, seat: usize) {
        self.under_way.leave(seat);
        self.frontier.iter_mut().for_each(|explanation| explanation.clear(seat));
        self.settle();
    }

    /// Every explanation in which the access has taken effect, or may be left out; `None` where there are too many.
    fn with_effect_of(&mut self, place: usize, seat: usize) -> Option<Vec<Explanation>> {
        let (prepared, under_way) = (&self.prepared, &self.under_way);
        let mut fitting = Vec::new();
        let mut open = Vec::new();
        for explanation in &self.frontier {
            if explanation.is_done(seat) {
                fitting.push(explanation.clone());
                continue;
            }
            if under_way.is_optional(seat) {
                fitting.push(explanation.clone());
            }
            open.push(explanation.clone());
        }
        let mut known: HashSet<Explanation> = open.iter().cloned().collect();
        while let Some(explanation) = open.pop() {
            for next in explanation.next(prepared, under_way, place) {
                self.steps_left = self.steps_left.checked_sub(1)?;
                if known.contains(&next) {
                    continue;
                }
                known.insert(next.clone());
                if next.is_done(seat) {
                    fitting.push(next);
                } else {
                    open.push(next);
                }
                if known.len() > MOST_EXPLANATIONS {
                    return None;
                }
            }
        }
        Some(fitting)
    }

    /// Nothing explains the return of this access. The misfits may be later readers of the stored content instead,
    /// which keep it from being overwritten: if the return can be explained without them, they are the ones that will
    /// not fit.
    fn without_late_readers(&mut self, place: usize, seat: usize) -> Option<Vec<Explanation>> {
        let values = &self.prepared.values;
        let mut awaited: Vec<usize> =
            self.frontier.iter().filter_map(|explanation| explanation.awaited(values)).collect();
        awaited.sort_unstable_by_key(|value| (values[*value].still_to_ask(), *value));
        awaited.dedup();
        for value in awaited {
            self.prepared.values[value].expect_no_more();
            match self.with_effect_of(place, seat) {
                Some(next) if !next.is_empty() => return Some(next),
                _ => self.prepared.values[value].expect_all(),
            }
        }
        None
    }

    /// Drops an access that fits nowhere. It may still have done what its response says, or not.
    fn drop_misfit(&mut self, place: usize, seat: usize) {
        self.findings.misfits.push(place);
        if let Some(state) = self.state_if_right(place) {
            self.frontier.iter_mut().for_each(|explanation| explanation.holds_misfit_right = false);
            let right: Vec<Explanation> =
                self.frontier.iter().map(|explanation| explanation.with_misfit(state)).collect();
            self.frontier.extend(right);
        }
        self.leave(seat);
    }

    /// What is stored after a misfit if it is right; `None` if that says nothing about the state.
    fn state_if_right(&mut self, place: usize) -> Option<State> {
        match self.prepared.acts[place] {
            Act::Sees(value) => {
                // Others may see it too.
                self.prepared.values[value].expect_all();
                Some(State::Holds(value))
            }
            // A list or a failed read says nothing about what is stored.
            Act::SeesAbsent => {
                matches!(self.part.accesses[place].kind, Kind::ShowsNone | Kind::DeletesNone).then_some(State::Absent)
            }
            Act::SeesPresent => Some(State::Unseen),
            Act::Hands => Some(State::Reserved),
            Act::Removes => Some(State::Absent),
            Act::Writes(value) | Act::Creates(value) => Some(value.map_or(State::Unseen, State::Holds)),
            Act::Impossible | Act::Nothing => None,
        }
    }
}
