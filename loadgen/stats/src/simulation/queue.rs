//! What is to happen, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events of a slot, about. Fewer make more lists, of which each end is a miss of the cache; more make a deeper heap.
const EVENTS_OF_A_SLOT: u64 = 1_024;

/// Slots, at least and at most; the headers of so many take 25 MB.
const SLOTS: (u64, u64) = (1 << 10, 1 << 20);

/// Something to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// This user sends its next request.
    Send(u32),
    /// This user's request has been served.
    Served(u32),
    /// The abandoned document of this key is archived.
    Archive(u32),
    /// The oldest of the initial documents is archived.
    ArchiveInitial,
    /// The oldest reservation runs out.
    ReservationsEnd,
}

/// Events in the order of their times; those of one nanosecond in a fixed order.
///
/// A row of slots over all of the simulated time, and a binary heap of the slot that it is. Most of a million waiting
/// users are far from their next event; it is put at the end of its slot's list, which costs the same however many wait.
/// Only what comes within the present slot is ordered, in a heap that fits the processor's cache. One heap for all
/// would be twenty levels deep, with a miss of the cache at most of them. As the end is known, events at or after it are
/// dropped, and no slot is ever used twice.
pub(super) struct EventQueue {
    /// The present slot's events: time, then payload.
    near: BinaryHeap<Reverse<u128>>,
    far: Vec<Vec<u128>>,
    /// All up to this slot are in the heap, or gone.
    slot: usize,
    slot_bits: u32,
    end_ns: u64,
}

impl EventQueue {
    /// Nothing yet, for a time of `end_ns` and about so many events in all.
    pub(super) fn new(end_ns: u64, events: u64) -> Self {
        let slots = (events / EVENTS_OF_A_SLOT).next_power_of_two().clamp(SLOTS.0, SLOTS.1);
        let slot_bits = (end_ns / slots).max(1).next_power_of_two().ilog2();
        let needed = usize::try_from((end_ns >> slot_bits) + 1).unwrap_or(usize::MAX);
        Self { near: BinaryHeap::new(), far: vec![Vec::new(); needed], slot: 0, slot_bits, end_ns }
    }

    /// Adds an event, which must not be before the one that came out last. At or after the end it is dropped.
    pub(super) fn push(&mut self, at_ns: u64, event: Event) {
        if at_ns >= self.end_ns {
            return;
        }
        let entry = u128::from(at_ns) << 64 | u128::from(event.payload());
        let slot = self.slot_of(at_ns);
        if slot <= self.slot {
            self.near.push(Reverse(entry));
        } else {
            self.far[slot].push(entry);
        }
    }

    /// The next event and its time, if there is any before the end. The events of a slot that becomes the present one
    /// are shown to `comes_near` first, in no order.
    pub(super) fn pop(&mut self, mut comes_near: impl FnMut(Event)) -> Option<(u64, Event)> {
        while self.near.is_empty() {
            self.slot += 1;
            let arrived = std::mem::take(self.far.get_mut(self.slot)?);
            arrived.iter().for_each(|&entry| comes_near(Event::of_payload(low_half(entry))));
            self.near.extend(arrived.into_iter().map(Reverse));
        }
        self.near.pop().map(|Reverse(entry)| ((entry >> 64) as u64, Event::of_payload(low_half(entry))))
    }

    fn slot_of(&self, at_ns: u64) -> usize {
        usize::try_from(at_ns >> self.slot_bits).unwrap_or(usize::MAX)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of it is meant")]
fn low_half(entry: u128) -> u64 {
    entry as u64
}

impl Event {
    fn payload(self) -> u64 {
        let (kind, value) = match self {
            Self::Send(user) => (0, user),
            Self::Served(user) => (1, user),
            Self::Archive(key) => (2, key),
            Self::ArchiveInitial => (3, 0),
            Self::ReservationsEnd => (4, 0),
        };
        kind << 32 | u64::from(value)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is the value")]
    fn of_payload(payload: u64) -> Self {
        let value = payload as u32;
        match payload >> 32 {
            0 => Self::Send(value),
            1 => Self::Served(value),
            2 => Self::Archive(value),
            3 => Self::ArchiveInitial,
            _ => Self::ReservationsEnd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Draws;
    use super::*;

    #[test]
    fn events_come_out_in_the_order_of_a_sorted_list_while_new_ones_are_put_in() {
        for (end_ns, events) in [(1_000_000, 1), (3_600_000_000_000, 5_000_000), (700, 10)] {
            let mut queue = EventQueue::new(end_ns, events);
            let mut draws = Draws::of(11);
            let mut sorted = std::collections::BTreeSet::new();
            let mut now_ns = 0;
            for user in 0..20_000_u32 {
                let far_ns = if user % 3 == 0 { end_ns } else { end_ns / 1_000 + 2 };
                let at_ns = now_ns + draws.below(far_ns);
                queue.push(at_ns, Event::Send(user));
                if at_ns < end_ns {
                    sorted.insert((at_ns, user));
                }
                if user % 2 == 0
                    && let Some(next) = sorted.pop_first()
                {
                    assert_eq!(queue.pop(|_| {}), Some((next.0, Event::Send(next.1))));
                    now_ns = next.0;
                }
            }
            for (at_ns, user) in sorted {
                assert_eq!(queue.pop(|_| {}), Some((at_ns, Event::Send(user))));
            }
            assert_eq!(queue.pop(|_| {}), None);
        }
    }

    #[test]
    fn every_event_survives_its_payload() {
        let most = u32::MAX;
        let with_value = [Event::Send(most), Event::Served(most), Event::Archive(most)];
        for event in with_value.into_iter().chain([Event::ArchiveInitial, Event::ReservationsEnd]) {
            assert_eq!(Event::of_payload(event.payload()), event);
        }
    }
}
