//! Where a search is: which calls it has placed, in which order, and which are at hand next.

use super::schedule::{NONE, Schedule};
use super::states::INITIAL;

/// Bits in a word of a set.
const BITS: usize = u64::BITS as usize;

/// An order of the first calls, as it is built and taken back.
pub(super) struct Position<'a> {
    schedule: &'a Schedule,
    /// The first return of a call that is not placed.
    pub(super) first_return: u32,
    /// The state after all that are placed.
    pub(super) state: u32,
    /// Two sets, one after the other: the slots of those placed that return after `first_return`, and the open calls
    /// placed.
    sets: Vec<u64>,
    /// Words of the first.
    slot_words: usize,
    /// All that are placed.
    pub(super) order: Vec<u32>,
    /// By slot, the call that was the last to be made before `first_return`.
    in_slot: Vec<u32>,
    /// How many calls were made before `first_return`.
    called: u32,
}

/// A position to come back to. Its sets are kept apart, for their length varies.
pub(super) struct Mark {
    first_return: u32,
    state: u32,
    placed: usize,
}

impl<'a> Position<'a> {
    /// Before the first call.
    pub(super) fn new(schedule: &'a Schedule) -> Self {
        let slot_words = schedule.slot_count.div_ceil(BITS);
        let mut position = Self {
            schedule,
            first_return: 0,
            state: INITIAL,
            sets: vec![0; slot_words + schedule.open_count().div_ceil(BITS)],
            slot_words,
            order: Vec::new(),
            in_slot: vec![NONE; schedule.slot_count],
            called: 0,
        };
        position.go_to(0);
        position
    }

    /// Whether all calls that returned are placed.
    pub(super) fn is_at_end(&self) -> bool {
        self.first_return == self.schedule.returned
    }

    /// How many slots there are.
    pub(super) fn slot_count(&self) -> usize {
        self.in_slot.len()
    }

    /// The slots of those placed that return later.
    pub(super) fn slots_placed(&self) -> &[u64] {
        &self.sets[..self.slot_words]
    }

    /// The open calls placed.
    pub(super) fn open_placed(&self) -> &[u64] {
        &self.sets[self.slot_words..]
    }

    /// How many calls are placed that returned.
    pub(super) fn returned_placed(&self) -> usize {
        self.order.len() - self.open_placed().iter().map(|word| word.count_ones() as usize).sum::<usize>()
    }

    /// The call in a slot, if it is at hand.
    pub(super) fn at_hand_in(&self, slot: usize) -> Option<u32> {
        let call = self.in_slot[slot];
        // One that returned earlier can still be in its slot.
        (call != NONE && call >= self.first_return && !self.contains(slot)).then_some(call)
    }

    /// The open calls at hand.
    pub(super) fn open_at_hand(&self) -> impl Iterator<Item = u32> {
        let returned = self.schedule.returned;
        let called = self.schedule.open_before[self.first_return as usize];
        (returned..returned + called).filter(|&call| !self.contains(self.bit_of(call)))
    }

    /// Places a call. Where it was the first to return, [`Self::pass_returns`] is to follow.
    pub(super) fn place(&mut self, call: u32, state: u32) {
        let bit = self.bit_of(call);
        self.sets[bit / BITS] |= 1 << (bit % BITS);
        self.order.push(call);
        self.state = state;
    }

    /// Goes on to the first return of a call that is not placed; says whether it was another.
    pub(super) fn pass_returns(&mut self) -> bool {
        let mut first = self.first_return;
        while first < self.schedule.returned && self.contains(self.bit_of(first)) {
            let bit = self.bit_of(first);
            self.sets[bit / BITS] &= !(1 << (bit % BITS));
            first += 1;
        }
        let has_passed = first != self.first_return;
        self.go_to(first);
        has_passed
    }

    /// Marks the position, and keeps its sets.
    pub(super) fn mark(&self, sets: &mut Vec<u64>) -> Mark {
        sets.extend_from_slice(&self.sets);
        Mark { first_return: self.first_return, state: self.state, placed: self.order.len() }
    }

    /// Forgets the sets of the last mark.
    pub(super) fn unmark(&self, sets: &mut Vec<u64>) {
        sets.truncate(sets.len() - self.sets.len());
    }

    /// Goes back to the last mark.
    pub(super) fn go_back(&mut self, mark: &Mark, sets: &[u64]) {
        let last = sets.len() - self.sets.len();
        self.sets.copy_from_slice(&sets[last..]);
        self.state = mark.state;
        self.order.truncate(mark.placed);
        self.go_to(mark.first_return);
    }

    /// Makes the calls between two returns, or takes them back.
    fn go_to(&mut self, first_return: u32) {
        let schedule = self.schedule;
        self.first_return = first_return;
        let Some(&called) = schedule.called_before.get(first_return as usize) else { return };
        while self.called < called {
            let call = schedule.by_call[self.called as usize];
            self.in_slot[schedule.slots[call as usize] as usize] = call;
            self.called += 1;
        }
        while self.called > called {
            self.called -= 1;
            let call = schedule.by_call[self.called as usize];
            self.in_slot[schedule.slots[call as usize] as usize] = schedule.before_in_slot[call as usize];
        }
    }

    /// Where a call is in the sets.
    fn bit_of(&self, call: u32) -> usize {
        match self.schedule.slots.get(call as usize) {
            Some(&slot) => slot as usize,
            None => self.slot_words * BITS + (call - self.schedule.returned) as usize,
        }
    }

    fn contains(&self, bit: usize) -> bool {
        self.sets[bit / BITS] >> (bit % BITS) & 1 == 1
    }
}
