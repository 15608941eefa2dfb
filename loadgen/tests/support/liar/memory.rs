//! What only lies need to remember. An honest server remembers none of it.

use super::document::Object;
use super::keys::Key;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// `StaleRestore`: how old a copy may be that restore answers.
const COPY_LIFE: Duration = Duration::from_millis(50);

/// `TornRestore`: how long after a save restore may mix it with what was there before. Short, so that the lie shows
/// while there are saves, and documents at rest are right.
const TORN_TIME: Duration = Duration::from_millis(20);

/// The memory of a liar.
#[derive(Default)]
pub(super) struct Memory {
    /// `StaleRestore`: copies, and when they were taken.
    copies: HashMap<Key, (Instant, Vec<u8>)>,
    /// `StaleRestore`: how many saves each document has seen.
    saves: HashMap<Key, u64>,
    /// `TornRestore`: what each document was before its last save, and when that was.
    before: HashMap<Key, (Instant, Vec<u8>)>,
    /// `CrossTalk`: the document that was written last.
    last: Option<Key>,
    /// `Traversal`: what was saved under keys that are none.
    beyond: HashMap<String, Vec<u8>>,
}

impl Memory {
    /// Notes a save.
    pub(super) fn saved(&mut self, key: Key, before: Option<Vec<u8>>, content: &[u8]) {
        let saves = self.saves.entry(key).or_default();
        *saves += 1;
        // StaleRestore: every other save.
        if *saves % 2 == 1 {
            self.copies.insert(key, (Instant::now(), content.to_vec()));
        }
        if let Some(before) = before {
            self.before.insert(key, (Instant::now(), before));
        }
        self.last = Some(key);
    }

    /// Notes that a document began or ended: nothing from before it may be answered.
    pub(super) fn forget(&mut self, key: Key) {
        self.copies.remove(&key);
        self.saves.remove(&key);
        self.before.remove(&key);
        self.last = self.last.filter(|&last| last != key);
    }

    /// `StaleRestore`: the copy, taken anew where it is too old.
    pub(super) fn copy(&mut self, key: Key, current: Vec<u8>) -> Vec<u8> {
        match self.copies.get(&key) {
            Some((taken, copy)) if taken.elapsed() < COPY_LIFE => copy.clone(),
            _ => {
                self.copies.insert(key, (Instant::now(), current.clone()));
                current
            }
        }
    }

    /// `TornRestore`: the current document with the state of the one before.
    pub(super) fn torn(&self, key: Key, current: Vec<u8>) -> Vec<u8> {
        let mixed = || {
            let (_, before) = self.before.get(&key).filter(|(saved, _)| saved.elapsed() < TORN_TIME)?;
            let mut document = Object::parse(&current)?;
            document.set("state", Object::parse(before)?.get("state")?);
            Some(document.to_json().into_bytes())
        };
        mixed().unwrap_or(current)
    }

    /// `CrossTalk`: the document that was written last.
    pub(super) fn last(&self) -> Option<Key> {
        self.last
    }

    /// `Traversal`: keeps what was saved under a key that is none.
    pub(super) fn keep_beyond(&mut self, session_key: &str, content: String) {
        self.beyond.insert(session_key.to_owned(), content.into_bytes());
    }

    /// `Traversal`: what was saved under a key that is none.
    pub(super) fn beyond(&self, session_key: &str) -> Option<Vec<u8>> {
        self.beyond.get(session_key).cloned()
    }
}
