//! The hint of free keys as a plain value, for the few keys of a scenario.

use super::script::{HintCall, What};
use crate::scenario::{KEYS, rules};
use server::keys::Key;
use server::protocol::Look;

/// What a server process believes of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TinyHint {
    /// In the order of the keys, which is the order that they are picked in: two that pick at once pick the same.
    free: Vec<bool>,
    last_look: Option<Look>,
}

impl TinyHint {
    /// Believes the first so many of [`KEYS`] free, and knows of no others.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        Self { free: vec![true; keys], last_look: None }
    }

    /// Answers a call at once.
    pub fn call(&mut self, call: &HintCall) -> What {
        match call {
            HintCall::Pick => return What::Picked(self.first_free().ok_or(self.last_look)),
            HintCall::Taken(key) => self.set(*key, false),
            HintCall::Freed(key) => self.set(*key, true),
            HintCall::Looked(used, look) => {
                self.free.iter_mut().for_each(|free| *free = true);
                used.iter().for_each(|&key| self.set(key, false));
                self.last_look = Some(*look);
                return What::Found(self.first_free());
            }
        }
        What::Done
    }

    fn first_free(&self) -> Option<Key> {
        self.free.iter().position(|&free| free).map(key)
    }

    fn set(&mut self, of: Key, free: bool) {
        if let Some(place) = (0..self.free.len()).find(|&place| key(place) == of) {
            self.free[place] = free;
        }
    }
}

fn key(place: usize) -> Key {
    rules().keys.parse(KEYS[place]).unwrap_or_else(|| unreachable!("all of them are keys"))
}
