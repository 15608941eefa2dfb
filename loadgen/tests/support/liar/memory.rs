//! What only lies need to remember. An honest server remembers none of it.

use super::document::Object;
use super::keys::Key;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
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
    /// `CrossTalk`, `HandsOutLive` and others: key of the last document written.
    last: Option<Key>,
    /// `Traversal`: what was saved under keys that are none.
    beyond: HashMap<String, Vec<u8>>,
    /// `LaggingReplica`: the second copy, where a save has yet to reach it.
    replicas: HashMap<Key, Vec<u8>>,
    /// `KeepsUnlinkedOpen`: documents whose files are open, and whether they were deleted since.
    open: HashMap<Key, bool>,
    /// `SharesKeys`: a key that is on its way to somebody.
    on_its_way: Option<Key>,
    /// `SavesTwice`, `ComesOnceMore`: what to store again, and after how many saves.
    again: HashMap<Key, (u32, String)>,
    /// `ComesOnceMore`: earlier saves, to be applied again once the current document was shown.
    to_come: HashMap<Key, String>,
    /// `RestoreLagsBehindInstantiate`: when each document was created.
    created: HashMap<Key, Instant>,
    /// `SaveNotFoundAfterDelete`, `DropsSaveAfterDelete`: keys whose documents were deleted and do not exist again.
    deleted: HashSet<Key>,
    /// `ListsDeleted`: list entry of the document deleted last.
    deleted_entry: Option<Value>,
    /// `StaleList`: a copy, and when it was taken.
    list: Option<(Instant, Vec<Value>)>,
    /// `SwapsSaves`: a save that waits for another user's.
    waiting: Option<(Key, String)>,
    /// `SameKeyTwice`: the key handed out last.
    handed_out: Option<Key>,
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
        self.deleted.remove(&key);
    }

    /// Notes that a document began or ended: nothing from before it may be answered.
    pub(super) fn forget(&mut self, key: Key) {
        self.copies.remove(&key);
        self.saves.remove(&key);
        self.before.remove(&key);
        self.again.remove(&key);
        self.to_come.remove(&key);
        self.waiting = self.waiting.take().filter(|(waiting, _)| *waiting != key);
        self.last = self.last.filter(|&last| last != key);
    }

    /// Notes that instantiate created a document.
    pub(super) fn created(&mut self, key: Key) {
        self.forget(key);
        self.deleted.remove(&key);
        self.created.insert(key, Instant::now());
    }

    /// Notes that a document was deleted, with its list entry.
    pub(super) fn deleted(&mut self, key: Key, entry: Option<Value>) {
        self.forget(key);
        self.deleted.insert(key);
        self.deleted_entry = entry.or(self.deleted_entry.take());
    }

    /// `RestoreLagsBehindInstantiate`: whether a document was created less than `life` ago.
    pub(super) fn is_new(&self, key: Key, life: Duration) -> bool {
        self.created.get(&key).is_some_and(|created| created.elapsed() < life)
    }

    /// `SaveNotFoundAfterDelete`, `DropsSaveAfterDelete`: whether a document was deleted and does not exist again.
    pub(super) fn is_deleted(&self, key: Key) -> bool {
        self.deleted.contains(&key)
    }

    /// `ListsDeleted`: list entry of the document deleted last.
    pub(super) fn deleted_entry(&self) -> Option<Value> {
        self.deleted_entry.clone()
    }

    /// `StaleList`: the copy, renewed if it is too old.
    pub(super) fn list_copy(&mut self, current: &[Value], life: Duration) -> Vec<Value> {
        match &self.list {
            Some((taken, copy)) if taken.elapsed() < life => copy.clone(),
            _ => {
                self.list = Some((Instant::now(), current.to_vec()));
                current.to_vec()
            }
        }
    }

    /// `SwapsSaves`: takes the waiting save of another document, if there is one.
    pub(super) fn take_waiting(&mut self, key: Key) -> Option<(Key, String)> {
        self.waiting.take_if(|(other, _)| *other != key)
    }

    /// `SwapsSaves`: makes a save wait.
    pub(super) fn set_waiting(&mut self, key: Key, content: &str) {
        self.waiting = Some((key, content.to_owned()));
    }

    /// `SameKeyTwice`: sets the key handed out last, and returns the one before.
    pub(super) fn set_handed_out(&mut self, key: Option<Key>) -> Option<Key> {
        std::mem::replace(&mut self.handed_out, key)
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

    /// `CrossTalk`, `HandsOutLive` and others: key of the last document written.
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

    /// `LaggingReplica`: the second copy, where a save has yet to reach it.
    pub(super) fn replica(&self, key: Key) -> Option<Vec<u8>> {
        self.replicas.get(&key).cloned()
    }

    /// `LaggingReplica`: sets the second copy; `None` when a save has reached it.
    pub(super) fn set_replica(&mut self, key: Key, copy: Option<Vec<u8>>) {
        match copy {
            Some(copy) => drop(self.replicas.insert(key, copy)),
            None => drop(self.replicas.remove(&key)),
        }
    }

    /// `KeepsUnlinkedOpen`: opens a document's file, if it is not open yet; says whether it was deleted since.
    pub(super) fn is_unlinked(&mut self, key: Key) -> bool {
        *self.open.entry(key).or_insert(false)
    }

    /// `KeepsUnlinkedOpen`: notes that a document was deleted.
    pub(super) fn unlinked(&mut self, key: Key) {
        self.open.entry(key).and_modify(|is_unlinked| *is_unlinked = true);
    }

    /// `SharesKeys`: sets the key that is on its way to somebody, and answers the one that was.
    pub(super) fn set_on_its_way(&mut self, key: Option<Key>) -> Option<Key> {
        std::mem::replace(&mut self.on_its_way, key)
    }

    /// `SavesTwice`, `ComesOnceMore`: keeps what to store again after this many saves. Returns false if something is
    /// kept already.
    pub(super) fn keep_for_later(&mut self, key: Key, content: &str, after_saves: u32) -> bool {
        let is_free = !self.again.contains_key(&key);
        if is_free {
            self.again.insert(key, (after_saves, content.to_owned()));
        }
        is_free
    }

    /// `ComesOnceMore`: sets the save to be applied again, and returns the previous one.
    pub(super) fn set_to_come(&mut self, key: Key, content: Option<String>) -> Option<String> {
        match content {
            Some(content) => self.to_come.insert(key, content),
            None => self.to_come.remove(&key),
        }
    }

    /// `SavesTwice`, `ComesOnceMore`: counts a save, and returns what to store again now.
    pub(super) fn once_more(&mut self, key: Key) -> Option<String> {
        let (saves_left, _) = self.again.get_mut(&key)?;
        *saves_left -= 1;
        if *saves_left > 0 {
            return None;
        }
        self.again.remove(&key).map(|(_, content)| content)
    }
}
