//! Who overlaps whom, worked out once.

use super::Call;

/// No call.
pub(super) const NONE: u32 = u32::MAX;

/// A history's calls under numbers of their own: those that returned, in order of their returns, then the open ones,
/// in order of their calls.
///
/// Each that returned has a slot, which no other has that overlaps it. While the first return to come is that of some
/// call, the calls that were placed and return later all overlap that return, so their slots tell which they are: a
/// set of them is a set of slots, of which there are few.
pub(super) struct Schedule {
    /// Indices in the list of calls.
    pub(super) calls: Vec<u32>,
    /// How many returned.
    pub(super) returned: u32,
    /// Of those that returned, the slot.
    pub(super) slots: Vec<u32>,
    /// How many slots there are.
    pub(super) slot_count: usize,
    /// Those that returned, in order of their calls.
    pub(super) by_call: Vec<u32>,
    /// Of those that returned, the one that had its slot before; or [`NONE`].
    pub(super) before_in_slot: Vec<u32>,
    /// By return: how many of `by_call` were called before it.
    pub(super) called_before: Vec<u32>,
    /// By return: how many of the open ones were called before it.
    pub(super) open_before: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Comes first: who calls at the time of a return overlaps it.
    Called,
    Returned,
}

impl Schedule {
    pub(super) fn new<O>(calls: &[&Call<O>]) -> Self {
        let mut schedule = Self {
            calls: Vec::new(),
            returned: 0,
            slots: Vec::new(),
            slot_count: 0,
            by_call: Vec::new(),
            before_in_slot: Vec::new(),
            called_before: Vec::new(),
            open_before: Vec::new(),
        };
        let mut open = Vec::new();
        let mut free_slots = Vec::new();
        let mut slot_of = vec![NONE; calls.len()];
        for (_, kind, index) in events(calls) {
            let place = index as usize;
            match kind {
                Kind::Called if calls[place].returned.is_none() => open.push(index),
                Kind::Called => {
                    slot_of[place] = free_slots.pop().unwrap_or_else(|| schedule.new_slot());
                    schedule.by_call.push(index);
                }
                Kind::Returned => {
                    free_slots.push(slot_of[place]);
                    schedule.calls.push(index);
                    schedule.slots.push(slot_of[place]);
                    schedule.called_before.push(super::number(schedule.by_call.len()));
                    schedule.open_before.push(super::number(open.len()));
                }
            }
        }
        schedule.returned = super::number(schedule.calls.len());
        schedule.renumber(calls.len());
        schedule.calls.extend(open);
        schedule
    }

    /// How many never returned.
    pub(super) fn open_count(&self) -> usize {
        self.calls.len() - self.slots.len()
    }

    /// Bytes that a schedule of so many calls takes, with what it takes to make it.
    pub(super) fn bytes(calls: usize) -> usize {
        calls.saturating_mul(size_of::<(u64, Kind, u32)>() * 2 + size_of::<u32>() * 16)
    }

    fn new_slot(&mut self) -> u32 {
        self.slot_count += 1;
        super::number(self.slot_count - 1)
    }

    /// Turns indices into numbers, which are only known once all returns are, and says who had which slot before.
    fn renumber(&mut self, count: usize) {
        let mut number_of = vec![NONE; count];
        for (number, &index) in self.calls.iter().enumerate() {
            number_of[index as usize] = super::number(number);
        }
        let mut last_in_slot = vec![NONE; self.slot_count];
        self.before_in_slot = vec![NONE; self.calls.len()];
        for call in &mut self.by_call {
            *call = number_of[*call as usize];
            let last = &mut last_in_slot[self.slots[*call as usize] as usize];
            self.before_in_slot[*call as usize] = std::mem::replace(last, *call);
        }
    }
}

/// Every call and return in order of time.
fn events<O>(calls: &[&Call<O>]) -> Vec<(u64, Kind, u32)> {
    let mut events = Vec::with_capacity(calls.len() * 2);
    for (index, call) in calls.iter().enumerate() {
        let index = super::number(index);
        events.push((call.called, Kind::Called, index));
        events.extend(call.returned.map(|returned| (returned.max(call.called), Kind::Returned, index)));
    }
    events.sort_unstable();
    events
}
