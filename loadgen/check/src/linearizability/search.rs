//! The search for an order.
//!
//! A *place* of the search is what matters of the calls that were put in order so far: which they are, and the state
//! that they left. Let `r` be the first return that is still to come, of a call that was not placed. Only calls made
//! before `r` can be placed next; they are *at hand*. A place is *solved* by an order of calls that can be placed
//! after it one by one, each right in its state, and that has all calls that returned. The search looks for a place
//! that the empty order solves. It need not try all calls at hand:
//!
//! 1. **Reads at once.** If a call at hand that returned is read-only and right now, it alone is tried. In an order
//!    that solves the place, move it to the front: it is right there, and changes no state, so no other call notices.
//! 2. **What commutes can wait.** Let `D` hold the call of `r`, and with each call every call at hand that does not
//!    commute with it. Only calls in `D` are tried. An order that solves the place has the call of `r`, hence a first
//!    call `d` of `D`. All before `d` come before `r`'s call too, were thus called before `r`, and are not in `D`, so
//!    they commute with `d`: move it to the front. It can be there, as it was called before `r`, hence before any of
//!    them returned.
//! 3. **Open calls with an effect only.** An open call that leaves the state as it is is not tried: the order without
//!    it is shorter, and solves the place too. Open calls that are read-only have no place in the search at all.
//! 4. **Nowhere twice.** A place is not gone on from if the search was at one before that is the same but for having
//!    used a subset of the open calls: what solves this one solves that one.
//!
//! Why nothing is lost: suppose the search ends without an order, and there is one. Then some place that it went on
//! from can be solved, the first one. Take the one with the shortest order that solves it. That is not empty, or the
//! search would have ended well. By 1 to 3, none of which makes an order longer, the search tried a call after which
//! an order solves the place that is one shorter. It went on from there, or by 4 from one that the same order solves:
//! a contradiction.

use super::memo::Memo;
use super::position::{Mark, Position};
use super::schedule::Schedule;
use super::states::States;
use super::{Budget, Call, Model, Verdict};
use std::cmp::Reverse;

/// A place to come back to.
struct Frame {
    mark: Mark,
    /// How much was untried before; what is untried beyond that is to be tried here.
    untried_before: usize,
}

/// A search under way.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    calls: &'a [&'a Call<M::Operation>],
    schedule: &'a Schedule,
    states: States<M>,
    memo: Memo,
    position: Position<'a>,
    frames: Vec<Frame>,
    /// By frame, its sets.
    frame_sets: Vec<u64>,
    untried: Vec<u32>,
    at_hand: Vec<u32>,
    longest: Longest,
    steps: u32,
}

/// The longest order that was found.
#[derive(Default)]
struct Longest {
    order: Vec<u32>,
    /// How many of its calls returned.
    returned: usize,
    /// How much of it is also the beginning of the order as it is now, and so need not be copied.
    shared: usize,
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(model: &'a M, calls: &'a [&'a Call<M::Operation>], schedule: &'a Schedule) -> Self {
        let position = Position::new(schedule);
        Self {
            model,
            calls,
            schedule,
            states: States::new(model),
            memo: Memo::new(&position),
            position,
            frames: Vec::new(),
            frame_sets: Vec::new(),
            untried: Vec::new(),
            at_hand: Vec::new(),
            longest: Longest::default(),
            steps: 0,
        }
    }

    /// Searches. The numbers in the verdict are indices in `calls`.
    pub(super) fn run(mut self, budget: &mut Budget<'_>) -> Verdict {
        loop {
            self.place_reads();
            if self.position.is_at_end() {
                return Verdict::Linearizable { order: self.indices(&self.position.order) };
            }
            if self.memo.is_new(&self.position) {
                self.open_frame();
            }
            if let Some(why) = budget.spend(std::mem::take(&mut self.steps), self.held_bytes()) {
                return Verdict::Undecided { why };
            }
            if !self.try_next() {
                return self.not_linearizable();
            }
        }
    }

    /// Places every call at hand that returned, is read-only and right, until there is none.
    fn place_reads(&mut self) {
        loop {
            for slot in 0..self.position.slot_count() {
                if let Some(call) = self.position.at_hand_in(slot)
                    && self.is_read_only(call)
                    && self.is_right(call, self.position.state)
                {
                    self.position.place(call, self.position.state);
                }
            }
            self.steps = self.steps.saturating_add(super::number(self.position.slot_count()));
            if !self.position.pass_returns() {
                return;
            }
        }
    }

    /// Notes what is to be tried here.
    fn open_frame(&mut self) {
        let mark = self.position.mark(&mut self.frame_sets);
        self.frames.push(Frame { mark, untried_before: self.untried.len() });
        self.find_at_hand();
        self.leave_out_what_can_wait();
        // The last is tried first: what makes right the answer that is needed next, then the first to return, and the
        // open ones after all others.
        let first = self.position.first_return;
        let is_needed = !self.is_right(first, self.position.state);
        let mut at_hand = std::mem::take(&mut self.at_hand);
        // One that only reads and is right has been placed.
        at_hand.retain(|&call| !self.is_read_only(call));
        at_hand.sort_by_cached_key(|&call| (is_needed && self.makes_right(call, first), Reverse(call)));
        self.untried.extend_from_slice(&at_hand);
        self.at_hand = at_hand;
    }

    /// Whether an answer is right after a call.
    fn makes_right(&mut self, call: u32, needed: u32) -> bool {
        let next = self.states.step(self.model, self.position.state, call, self.operation(call));
        next.is_some_and(|next| self.is_right(needed, next))
    }

    /// Finds all calls at hand, the one that returns first in front.
    fn find_at_hand(&mut self) {
        let position = &self.position;
        let slots = (0..position.slot_count()).filter_map(|slot| position.at_hand_in(slot));
        self.at_hand.clear();
        self.at_hand.push(position.first_return);
        self.at_hand.extend(slots.filter(|&call| call != position.first_return));
        self.at_hand.extend(position.open_at_hand());
        self.steps = self.steps.saturating_add(super::number(self.at_hand.len()));
    }

    /// Leaves of the calls at hand the first, and with each those that do not commute with it.
    fn leave_out_what_can_wait(&mut self) {
        let mut kept = 1;
        let mut asked = 0;
        while asked < kept {
            let first_left = kept;
            for at in first_left..self.at_hand.len() {
                let [one, other] = [asked, at].map(|at| self.operation(self.at_hand[at]));
                if !self.model.commute(one, other) {
                    self.at_hand.swap(kept, at);
                    kept += 1;
                }
            }
            asked += 1;
        }
        self.at_hand.truncate(kept);
    }

    /// Goes back to the last place where something untried can be placed, and places it; says whether there was one.
    fn try_next(&mut self) -> bool {
        self.keep_if_longest();
        while let Some(frame) = self.frames.last() {
            if self.untried.len() == frame.untried_before {
                self.position.unmark(&mut self.frame_sets);
                self.frames.pop();
                continue;
            }
            self.position.go_back(&frame.mark, &self.frame_sets);
            self.longest.shared = self.longest.shared.min(self.position.order.len());
            if self.untried.pop().is_some_and(|call| self.place(call)) {
                return true;
            }
        }
        false
    }

    /// Places a call, if it is right, and has an effect or returned.
    fn place(&mut self, call: u32) -> bool {
        let operation = self.operation(call);
        let before = self.position.state;
        match self.states.step(self.model, before, call, operation) {
            Some(state) if state != before || call < self.schedule.returned => {
                self.position.place(call, state);
                self.position.pass_returns();
                true
            }
            _ => false,
        }
    }

    fn operation(&self, call: u32) -> &'a M::Operation {
        &self.calls[self.schedule.calls[call as usize] as usize].operation
    }

    fn is_read_only(&self, call: u32) -> bool {
        self.model.is_read_only(self.operation(call))
    }

    fn is_right(&self, call: u32, state: u32) -> bool {
        self.model.step(self.states.state(state), self.operation(call)).is_some()
    }

    fn held_bytes(&self) -> usize {
        let content = self.frames.len() * size_of::<Frame>()
            + self.frame_sets.len() * size_of::<u64>()
            + (self.untried.len() + self.at_hand.len() + self.position.order.len() + self.longest.order.len())
                * size_of::<u32>();
        // A growing vector holds up to three times its content.
        3 * content + self.memo.held_bytes() + self.states.held_bytes()
    }

    fn keep_if_longest(&mut self) {
        let returned = self.position.returned_placed();
        let longest = &mut self.longest;
        if returned > longest.returned {
            longest.returned = returned;
            longest.order.truncate(longest.shared);
            longest.order.extend_from_slice(&self.position.order[longest.shared..]);
            longest.shared = longest.order.len();
        }
    }

    fn not_linearizable(&self) -> Verdict {
        let longest = self.indices(&self.longest.order);
        Verdict::NotLinearizable { blocked: self.blocked_after(&longest), longest }
    }

    /// Of the calls at hand after the longest order, those that returned and are not right. The first to return is one:
    /// the search tried it there.
    fn blocked_after(&self, longest: &[usize]) -> Vec<usize> {
        let mut state = self.model.initial();
        for &index in longest {
            let Some(next) = self.model.step(&state, &self.calls[index].operation) else { break };
            state = next;
        }
        let mut placed = vec![false; self.calls.len()];
        longest.iter().for_each(|&index| placed[index] = true);
        let Some(first_return) = self.schedule.calls.iter().position(|&call| !placed[call as usize]) else {
            return Vec::new();
        };
        let called = self.schedule.called_before.get(first_return).map_or(0, |&called| called as usize);
        let mut blocked = self.schedule.by_call[..called].to_vec();
        blocked.sort_unstable();
        blocked.retain(|&call| !placed[self.schedule.calls[call as usize] as usize]);
        blocked.retain(|&call| self.model.step(&state, self.operation(call)).is_none());
        self.indices(&blocked)
    }

    fn indices(&self, order: &[u32]) -> Vec<usize> {
        order.iter().map(|&call| self.schedule.calls[call as usize] as usize).collect()
    }
}
