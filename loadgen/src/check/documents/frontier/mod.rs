//! Whether one order explains all accesses to a document, near-linearly.
//!
//! Calls and returns are gone through in the order of time, with all explanations that are still possible (the
//! frontier): what is there now, and which of the accesses under way have taken effect. An access takes effect only where
//! a return demands it (just-in-time linearization; G. Lowe, "Testing for linearizability", 2017), which loses no
//! explanation. That each content is written once keeps the frontier small, usually at one:
//!
//! - An access that only looks, and fits what is there, takes effect at once: it changes nothing for others.
//! - While somebody has yet to ask who will see what is there, nothing can be written over it: it would not come again.
//! - Contents that nobody sees are all alike. Of the writes of such contents the one comes first that must return first;
//!   so it is with removals.
//! - Once a document is there for good (nothing that removes it is left), a write whose readers have all asked takes
//!   effect together with them as soon as what is there is seen by nobody any more: that is in nobody's way.
//!
//! Each rule is exact: no verdict depends on luck, and the tests hold them to every order of small histories. What they
//! leave open (removals and creations at once) is searched, within limits.
//!
//! An access that fits nowhere is a misfit, and nobody knows what it did: a delete that found nothing where a document is
//! may have removed it. So the search goes on with both: with what is there by all other accesses, and with what would
//! be there if the misfit were right. Whoever fits one of them is not accused of what the misfit did.

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
    /// Places of the accesses that fit nowhere, in the order in which that shows: an order explains all others, where
    /// each of these did what it says, or nothing.
    pub(super) misfits: Vec<usize>,
    /// Places of those that fit only what a misfit before them says: they may be as wrong, and are not accused.
    pub(super) forgiven: Vec<usize>,
    /// Why not all accesses were looked at, where they were not.
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

    /// Whether an access that only looks, or hands the key out, fits nothing but what an earlier misfit says. It may be as
    /// wrong as that one, so what is there by all others is kept: whoever sees that later is not accused.
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

    /// Nothing explains the return of an access. It may be that those fit nowhere who have yet to ask who will see what is
    /// there, and who keep what is there from being written over: where the return can be explained without them, it is
    /// they who will not fit.
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

    /// An access fits nowhere. It may have done what it says all the same, or not.
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

    /// What is there after a misfit if it is right; `None` where that says nothing of later.
    fn state_if_right(&mut self, place: usize) -> Option<State> {
        match self.prepared.acts[place] {
            Act::Sees(value) => {
                // Others may see it as well.
                self.prepared.values[value].expect_all();
                Some(State::Holds(value))
            }
            // A list and a read that failed are no statement of what is stored.
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
