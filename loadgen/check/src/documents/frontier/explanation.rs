//! One explanation of what happened so far, and the ways in which it can go on.

use super::prepared::{Act, Prepared, Value};
use super::under_way::UnderWay;

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    Absent,
    /// A reservation: nothing, but that a delete can end it.
    Reserved,
    /// A document whose content nobody sees any more.
    Unseen,
    /// A content that somebody sees.
    Holds(usize),
}

/// One explanation: what is there, and which of the accesses under way have taken effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Explanation {
    pub(super) state: State,
    /// A bit for each seat of [`UnderWay`]; words that are not there are empty.
    done: Vec<u64>,
    /// Whether it assumes that the last misfit did what its response says.
    pub(super) holds_misfit_right: bool,
}

impl Explanation {
    pub(super) fn new(state: State) -> Self {
        Self { state, done: Vec::new(), holds_misfit_right: false }
    }

    /// The same explanation if the last misfit did what its response says and left this state.
    pub(super) fn with_misfit(&self, state: State) -> Self {
        Self { state, holds_misfit_right: true, ..self.clone() }
    }

    pub(super) fn is_done(&self, seat: usize) -> bool {
        self.done.get(seat / 64).is_some_and(|word| word >> (seat % 64) & 1 == 1)
    }

    pub(super) fn set_done(&mut self, seat: usize) {
        if self.done.len() <= seat / 64 {
            self.done.resize(seat / 64 + 1, 0);
        }
        self.done[seat / 64] |= 1 << (seat % 64);
    }

    /// Forgets an access that has returned. Words at the end that are empty are left out, so that equal explanations
    /// are equal.
    pub(super) fn clear(&mut self, seat: usize) {
        if let Some(word) = self.done.get_mut(seat / 64) {
            *word &= !(1 << (seat % 64));
        }
        while self.done.last() == Some(&0) {
            self.done.pop();
        }
    }

    fn is_document(&self) -> bool {
        matches!(self.state, State::Unseen | State::Holds(_))
    }

    /// The content that is there, where somebody has yet to ask who will see it: nothing may be written over it now.
    pub(super) fn awaited(&self, values: &[Value]) -> Option<usize> {
        match self.state {
            State::Holds(value) if values[value].is_awaited() => Some(value),
            _ => None,
        }
    }

    /// Whether a document is there from now on: none of the accesses that remove it is left.
    pub(super) fn is_calm(&self, prepared: &Prepared, under_way: &UnderWay) -> bool {
        let is_removal_left =
            |(seat, place): (usize, usize)| prepared.acts[place] == Act::Removes && !self.is_done(seat);
        self.is_document() && prepared.removals_ahead == 0 && !under_way.removals().any(is_removal_left)
    }

    /// Lets everything take effect that changes nothing for anything else.
    pub(super) fn settle(&mut self, prepared: &Prepared, under_way: &UnderWay) {
        self.look(prepared, under_way);
        if let State::Holds(value) = self.state
            && !prepared.values[value].is_awaited()
        {
            self.state = State::Unseen;
        }
        if self.state == State::Unseen && self.is_calm(prepared, under_way) {
            self.write_what_is_whole(prepared, under_way);
        }
    }

    /// Accesses under way that only look, and fit what is there.
    fn look(&mut self, prepared: &Prepared, under_way: &UnderWay) {
        for (seat, place) in under_way.iter() {
            let fits = match prepared.acts[place] {
                Act::Sees(value) => self.state == State::Holds(value),
                Act::SeesAbsent => !self.is_document(),
                Act::SeesPresent => self.is_document(),
                _ => false,
            };
            if fits {
                self.set_done(seat);
            }
        }
    }

    /// Writes under way whose readers have all asked, with their readers.
    fn write_what_is_whole(&mut self, prepared: &Prepared, under_way: &UnderWay) {
        let is_left = |seat: usize| !self.is_done(seat);
        let whole: Vec<(usize, Option<usize>)> = under_way
            .iter()
            .filter_map(|(seat, place)| match prepared.acts[place] {
                Act::Writes(value) if is_left(seat) => Some((seat, value)),
                _ => None,
            })
            .filter(|(_, value)| value.is_none_or(|value| !prepared.values[value].is_awaited()))
            .collect();
        for (seat, value) in whole {
            self.set_done(seat);
            let Some(value) = value else { continue };
            let readers = under_way.iter().filter(|(_, place)| prepared.acts[*place] == Act::Sees(value));
            readers.for_each(|(seat, _)| self.set_done(seat));
        }
    }

    /// Every explanation in which one access more has taken effect that changes what is there, where `wanted` is the
    /// one that must.
    pub(super) fn next(&self, prepared: &Prepared, under_way: &UnderWay, wanted: usize) -> Vec<Self> {
        if self.awaited(&prepared.values).is_some() {
            return Vec::new();
        }
        let seats = if self.is_calm(prepared, under_way) {
            self.only_way(prepared, under_way, wanted).into_iter().collect()
        } else {
            self.all_ways(prepared, under_way)
        };
        let after = |seat: usize| {
            let mut next = self.clone();
            next.state = match prepared.acts[under_way.at(seat)] {
                Act::Removes => State::Absent,
                Act::Hands => State::Reserved,
                Act::Writes(Some(value)) | Act::Creates(Some(value)) => State::Holds(value),
                _ => State::Unseen,
            };
            next.set_done(seat);
            next.settle(prepared, under_way);
            next
        };
        seats.into_iter().map(after).collect()
    }

    /// The write that must come now where a document is there for good: the wanted one, or the one that it sees. Every
    /// other is whole and has taken effect, or would hold the wanted one up until after its return.
    fn only_way(&self, prepared: &Prepared, under_way: &UnderWay, wanted: usize) -> Option<usize> {
        let place = match prepared.acts[wanted] {
            Act::Writes(_) => wanted,
            Act::Sees(value) => prepared.values[value].write?,
            _ => return None,
        };
        let is_write = matches!(prepared.acts[place], Act::Writes(_));
        under_way.seat_of(place).filter(|seat| is_write && !self.is_done(*seat))
    }

    /// Accesses that can change what is there now. Of those that are alike only the one that must return first: of
    /// hand-outs, of removals, of writes and of creations that nobody sees; and apart from them, of those that may be left out.
    fn all_ways(&self, prepared: &Prepared, under_way: &UnderWay) -> Vec<usize> {
        let mut ways = Vec::new();
        let mut first_of: [Option<(u64, usize)>; 8] = [None; 8];
        for (seat, place) in under_way.iter().filter(|(seat, _)| !self.is_done(*seat)) {
            let alike = match prepared.acts[place] {
                Act::Writes(None) => 0,
                Act::Creates(None) if !self.is_document() => 1,
                Act::Removes if self.state != State::Absent => 2,
                Act::Hands if !self.is_document() => 3,
                Act::Creates(Some(_)) if self.is_document() => continue,
                Act::Writes(Some(_)) | Act::Creates(Some(_)) => {
                    ways.push(seat);
                    continue;
                }
                _ => continue,
            };
            let first = &mut first_of[2 * alike + usize::from(under_way.is_optional(seat))];
            let rank = (under_way.returned_us(seat), seat);
            *first = Some(first.map_or(rank, |known| known.min(rank)));
        }
        ways.extend(first_of.into_iter().flatten().map(|(_, seat)| seat));
        ways
    }
}
