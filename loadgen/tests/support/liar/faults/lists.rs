//! What a list shows.

use super::super::Lie;
use super::super::store::{Liar, locked};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::time::Duration;

/// `StaleList`: how old a copy may be.
const COPY_LIFE: Duration = Duration::from_millis(200);

/// `ListsWrongCreated`: by how much.
const BEFORE_MS: u64 = 60_000;

impl Liar {
    /// list's response in place of these entries.
    pub(in super::super) fn mislisted(&self, mut listed: Vec<Value>) -> Vec<Value> {
        let Some(lie) = self.telling.lie else { return listed };
        match lie {
            Lie::LosesInList => listed.retain(|_| !self.tells(lie)),
            Lie::ListCutShort if listed.len() > 1 && self.tells(lie) => drop(listed.drain(..listed.len() / 2)),
            Lie::MixedUpList => {
                let mut types: Vec<Value> = listed.iter().map(|entry| entry["typeSlug"].clone()).collect();
                let others = usize::from(!types.is_empty());
                types.rotate_left(others);
                let is_wrong = listed.iter().zip(&types).any(|(entry, slug)| entry["typeSlug"] != *slug);
                if is_wrong && self.tells(lie) {
                    listed.iter_mut().zip(types).for_each(|(entry, other)| entry["typeSlug"] = other);
                }
            }
            Lie::ListsDeleted => self.list_deleted(&mut listed),
            Lie::ListsTwice if !listed.is_empty() && self.tells(lie) => listed.insert(0, listed[0].clone()),
            Lie::OldestFirst if timestamp(listed.first()) != timestamp(listed.last()) && self.tells(lie) => {
                listed.reverse();
            }
            Lie::ListsWrongCreated if !listed.is_empty() && self.tells(lie) => {
                let entry = &mut listed[0];
                let earlier = entry["created"].as_u64().unwrap_or_default().saturating_sub(BEFORE_MS);
                entry["created"] = json!(earlier);
                entry["metadata"]["created"] = json!(earlier);
            }
            Lie::StaleList => {
                let copy = locked(&self.memory).list_copy(&listed, COPY_LIFE);
                if copy != listed && self.tells(lie) {
                    return copy;
                }
            }
            _ => {}
        }
        listed
    }

    /// `ListsDeleted`: in its right place in the order.
    fn list_deleted(&self, listed: &mut Vec<Value>) {
        let deleted = locked(&self.memory).deleted_entry();
        let is_gone = |deleted: &Value| listed.iter().all(|entry| entry["sessionKey"] != deleted["sessionKey"]);
        if let Some(deleted) = deleted.filter(is_gone).filter(|_| self.tells(Lie::ListsDeleted)) {
            listed.push(deleted);
            listed.sort_by_key(|entry| Reverse(timestamp(Some(entry))));
        }
    }
}

fn timestamp(entry: Option<&Value>) -> Option<u64> {
    entry.and_then(|entry| entry["timestamp"].as_u64())
}
