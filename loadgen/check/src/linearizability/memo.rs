//! Where the search has been.

use super::index::{Index, mix};
use super::position::Position;

/// No place.
const NONE: u32 = u32::MAX;

/// The places where the search has been. A place is the number of the first return that is still to come, the state,
/// and two sets: the calls placed of those that return later, and the open calls placed.
///
/// A place is not worth a visit after another that is the same but for having used fewer of the open calls, or as
/// many: that one can go on in every way in which this one can. So places that differ in the open calls alone form a
/// list, and are asked one by one.
pub(super) struct Memo {
    /// Words of a place without the open calls, by which it is found.
    key_words: usize,
    words: usize,
    places: Vec<u64>,
    /// By place: the one before it in its list.
    before: Vec<u32>,
    /// By list: the place that came last.
    last: Vec<u32>,
    lists: Index,
}

impl Memo {
    /// For searches from this position on.
    pub(super) fn new(position: &Position<'_>) -> Self {
        let (slot_words, open_words) = (position.slots_placed().len(), position.open_placed().len());
        Self {
            key_words: 1 + slot_words,
            words: 1 + slot_words + open_words,
            places: Vec::new(),
            before: Vec::new(),
            last: Vec::new(),
            lists: Index::default(),
        }
    }

    /// Remembers a place; says whether it is worth a visit.
    pub(super) fn is_new(&mut self, position: &Position<'_>) -> bool {
        let head = u64::from(position.first_return) << 32 | u64::from(position.state);
        let (slots, open) = (position.slots_placed(), position.open_placed());
        let hash = slots.iter().fold(mix(head), |hash, word| mix(hash ^ word));
        let list = self.lists.find(hash, |list| {
            let place = self.place(self.last[list as usize]);
            place[0] == head && place[1..self.key_words] == *slots
        });
        if list.is_some_and(|list| self.has_one_within(list, open)) {
            return false;
        }
        self.places.push(head);
        self.places.extend_from_slice(slots);
        self.places.extend_from_slice(open);
        self.enlist(list, hash);
        true
    }

    /// Bytes held. A growing vector holds up to three times its content.
    pub(super) fn held_bytes(&self) -> usize {
        let content = self.places.len() * size_of::<u64>() + (self.before.len() + self.last.len()) * size_of::<u32>();
        3 * content + self.lists.held_bytes()
    }

    fn has_one_within(&self, list: u32, open: &[u64]) -> bool {
        let mut at = self.last[list as usize];
        while at != NONE {
            let used = &self.place(at)[self.key_words..];
            if used.iter().zip(open).all(|(used, open)| used & !open == 0) {
                return true;
            }
            at = self.before[at as usize];
        }
        false
    }

    fn enlist(&mut self, list: Option<u32>, hash: u64) {
        let number = super::number(self.before.len());
        if let Some(list) = list {
            self.before.push(self.last[list as usize]);
            self.last[list as usize] = number;
        } else {
            self.before.push(NONE);
            self.lists.insert(hash, super::number(self.last.len()));
            self.last.push(number);
        }
    }

    fn place(&self, number: u32) -> &[u64] {
        let start = number as usize * self.words;
        &self.places[start..start + self.words]
    }
}
