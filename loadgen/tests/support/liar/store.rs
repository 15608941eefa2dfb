//! The operations on documents.

use super::super::running::Counted;
use super::Lie;
use super::document::{FORMAT_VERSION, Object, Posted};
use super::faults::Telling;
use super::keys::{KEYS, Key, Table, keys_in};
use super::memory::Memory;
use super::wire::{
    ACCESS_FAILED, CREATE_FOLDER_FAILED, DELETE_FAILED, FOLDER_NOT_FOUND, INSTANCE_NOT_FOUND, INVALID_KEY,
    INVALID_SAVED_DATA, INVALID_TYPE, KEY_REQUIRED, LOCK_FAILED, NOTHING_SAVED, OPEN_FAILED, READ_FAILED, Refusal,
};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// How often a lie about locks lets other tasks run between reading and writing.
const YIELDS: usize = 4;

/// How long the lock of a document that another process holds is waited for, and how often it is tried.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A server's documents, and its lie.
pub(crate) struct Liar {
    pub(super) saves: PathBuf,
    pub(super) telling: Telling,
    /// A lock for each key, fair, held by whoever changes its document.
    pub(super) locks: Vec<tokio::sync::Mutex<()>>,
    pub(super) table: Mutex<Table>,
    pub(super) memory: Mutex<Memory>,
    /// Makes the names of new files different.
    serial: AtomicU64,
}

/// What instantiate did.
pub(super) enum Instantiated {
    Created,
    Existed,
}

impl Liar {
    /// A server on a folder that may have documents already.
    pub(crate) fn new(lie: Option<Lie>, saves: &Path) -> Self {
        let liar = Self {
            saves: saves.to_owned(),
            telling: Telling::of(lie),
            locks: (0..KEYS).map(|_| tokio::sync::Mutex::default()).collect(),
            table: Mutex::new(Table::new()),
            memory: Mutex::default(),
            serial: AtomicU64::new(0),
        };
        if liar.lies(Lie::KeepsUnlinkedOpen) {
            locked(&liar.table).prefer_ended();
        }
        liar
    }

    /// An honest server that hands out the keys of ended sessions again before any other, as it may.
    pub(crate) fn who_reuses_keys(saves: &Path) -> Self {
        let honest = Self::new(None, saves);
        locked(&honest.table).prefer_ended();
        honest
    }

    /// A server that ignores keys that others freed for as long as it knows of free ones.
    pub(crate) fn who_never_looks_again(saves: &Path) -> Self {
        let liar = Self::new(None, saves);
        locked(&liar.table).never_look_again();
        liar
    }

    /// What it counts.
    pub(crate) fn counted(&self) -> Arc<Counted> {
        Arc::clone(&self.telling.counted)
    }

    /// Creates a document where there is none.
    pub(super) async fn instantiate(&self, posted: &Posted<'_>) -> Result<Instantiated, Refusal> {
        fs::create_dir_all(&self.saves).map_err(|_| CREATE_FOLDER_FAILED)?;
        let key = Key::parse(&posted.session_key).ok_or(INVALID_KEY)?;
        if self.tells(Lie::InstantiateRefused) {
            return Err(INVALID_TYPE);
        }
        // InstantiateTwiceCreated: tested before the lock. The document is right nevertheless, only the answer is not.
        let free_before = self.lies(Lie::InstantiateTwiceCreated) && self.read(key)?.is_none();
        self.let_others_run_for(Lie::InstantiateTwiceCreated).await;

        let _held = self.locks[key.index()].lock().await;
        let _shut_out = self.file_lock(key).await?;
        let free = self.read(key)?.is_none();
        // InstantiateOverwrites: whatever is there.
        let stores =
            if free { !self.tells(Lie::InstantiateStoresNothing) } else { self.tells(Lie::InstantiateOverwrites) };
        if stores {
            let with_state = !(posted.has_state() && self.tells(Lie::InstantiateDropsState));
            self.put(key, &posted.placeholder(now_ms(), with_state))?;
            locked(&self.memory).created(key);
        }
        if free_before && !free {
            self.told();
        }
        Ok(if free || free_before { Instantiated::Created } else { Instantiated::Existed })
    }

    /// Stores a document, its metadata overlaid on the stored one's.
    pub(super) async fn save(&self, posted: &Posted<'_>) -> Result<(), Refusal> {
        let Some(key) = Key::parse(&posted.session_key) else {
            // Traversal: taken, but kept out of the file system.
            self.told();
            locked(&self.memory).keep_beyond(&posted.session_key, posted.merged(None, now_ms(), false)?);
            return Ok(());
        };
        // NoLock: others read and write between our read and our write.
        let _held = if self.lies(Lie::NoLock) { None } else { Some(self.locks[key.index()].lock().await) };
        let file_lock = if self.lies(Lie::NoLock) { Ok(None) } else { self.file_lock(key).await };
        // StoresWithoutLock: the error comes after the deed.
        let (_shut_out, refusal) = match file_lock {
            Err(refusal) if self.tells(Lie::StoresWithoutLock) => (None, Some(refusal)),
            Err(_) if self.tells(Lie::DropsWithoutLock) => return Ok(()),
            lock => (lock?, None),
        };
        if self.turns_away(key)? {
            return Ok(());
        }
        let stored = self.read(key)?;
        self.let_others_run_for(Lie::NoLock).await;
        if self.tells(Lie::SlowSave) {
            sleep(Duration::from_millis(30)).await;
        }
        let lock_file = self.saves.join(format!("{key}.lock"));
        if self.tells(Lie::LockFiles) {
            fs::write(&lock_file, "").map_err(|_| OPEN_FAILED)?;
            sleep(Duration::from_millis(2)).await;
        }
        // LostMerge: as if nothing were stored. MergingState: not only the metadata is overlaid.
        let under = stored.as_deref().filter(|_| !self.tells(Lie::LostMerge));
        let now_ms = now_ms();
        let content = posted.merged(under, now_ms, stored.is_some() && self.tells(Lie::MergingState))?;
        let content = self.mangled(stored.as_deref(), content, now_ms);
        // LyingSave: acknowledged, and forgotten.
        if !self.tells(Lie::LyingSave) && !self.swaps(key, &content)? {
            self.store(key, stored.as_deref(), &content).await?;
        }
        if self.lies(Lie::LockFiles) {
            fs::remove_file(&lock_file).map_err(|_| OPEN_FAILED)?;
        }
        if self.telling.lie.is_some() {
            locked(&self.memory).saved(key, stored, content.as_bytes());
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Shuts other processes out of a document, where there is one: the lock of its file, until it is dropped. Within this
    /// process, the key's own lock is held already.
    async fn file_lock(&self, key: Key) -> Result<Option<File>, Refusal> {
        let Ok(file) = File::open(self.path(key)) else { return Ok(None) };
        let until = Instant::now() + LOCK_WAIT;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() >= until {
                if !self.lies(Lie::WaitsForEver) {
                    return Err(LOCK_FAILED);
                }
                self.told();
            }
            sleep(LOCK_PAUSE).await;
        }
        Ok(Some(file))
    }

    /// The stored document.
    pub(super) fn restore(&self, session_key: &str) -> Result<Vec<u8>, Refusal> {
        // Traversal: what was saved under no key.
        if let Some(content) = locked(&self.memory).beyond(session_key) {
            return Ok(content);
        }
        let mut key = Key::parse(session_key).ok_or(INVALID_KEY)?;
        // CrossTalk: whoever wrote last; so one user alone always gets the right document.
        let last = locked(&self.memory).last().filter(|last| *last != key);
        if let Some(last) = last.filter(|_| self.tells(Lie::CrossTalk)) {
            key = last;
        }
        let mut content = self.read(key)?.ok_or(NOTHING_SAVED)?;
        let earlier = match self.telling.lie {
            Some(Lie::LaggingReplica) => locked(&self.memory).replica(key),
            Some(Lie::StaleRestore) => Some(locked(&self.memory).copy(key, content.clone())),
            Some(Lie::TornRestore) => Some(locked(&self.memory).torn(key, content.clone())),
            _ => None,
        };
        let earlier = earlier.filter(|earlier| *earlier != content);
        if let Some(earlier) = earlier.filter(|_| self.telling.lie.is_some_and(|lie| self.tells(lie))) {
            content = earlier;
        }
        content = self.shown(key, content)?;
        if serde_json::from_slice::<&serde_json::value::RawValue>(&content).is_ok_and(|value| value.get() != "null") {
            Ok(content)
        } else {
            Err(INVALID_SAVED_DATA)
        }
    }

    /// Removes a document or a reservation.
    pub(super) async fn delete(&self, session: &str) -> Result<(), Refusal> {
        if session.is_empty() {
            return Err(KEY_REQUIRED);
        }
        let key = Key::parse(session).ok_or(INVALID_KEY)?;
        let path = self.path(key);
        // DeleteTwice: tested before the lock, and not again.
        let was_there = self.lies(Lie::DeleteTwice) && path.exists();
        self.let_others_run_for(Lie::DeleteTwice).await;

        let _held = self.locks[key.index()].lock().await;
        self.refuses_delete(key)?;
        let content = self.read(key)?.unwrap_or_default();
        let entry = if self.lies(Lie::ListsDeleted) { self.listed(key).map(|(_, entry)| entry) } else { None };
        let outcome = match self.telling.lie {
            Some(lie @ (Lie::DeleteKeepsFile | Lie::DeleteNotDone)) if path.exists() && self.tells(lie) => {
                return Ok(());
            }
            Some(lie @ Lie::KeepsExtraFiles) if self.tells(lie) => {
                fs::rename(&path, self.saves.join(format!("{key}-old.json")))
            }
            _ => fs::remove_file(&path),
        };
        match outcome {
            Err(error) if error.kind() == ErrorKind::NotFound && was_there => self.told(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(INSTANCE_NOT_FOUND),
            outcome => outcome.map_err(|_| DELETE_FAILED)?,
        }
        locked(&self.memory).deleted(key, entry);
        locked(&self.memory).unlinked(key);
        locked(&self.table).note(key, false);
        self.removed(key, &content)
    }

    /// All documents, newest first.
    pub(super) fn list(&self) -> Result<Vec<Value>, Refusal> {
        // A folder that changes while it is read may keep back a name that is there throughout; so the keys that we
        // wrote ourselves are looked for whether it tells them or not.
        let mut keys: BTreeSet<Key> = keys_in(&self.saves).map_err(|_| ACCESS_FAILED)?.into_iter().collect();
        keys.extend(locked(&self.table).used());
        let mut listed: Vec<(u64, Value)> = keys.into_iter().filter_map(|key| self.listed(key)).collect();
        listed.sort_by_key(|&(timestamp, _)| std::cmp::Reverse(timestamp));
        Ok(self.mislisted(listed.into_iter().map(|(_, entry)| entry).collect()))
    }

    /// What list shows of a document, and its time; `None` where there is none (any more).
    fn listed(&self, key: Key) -> Option<(u64, Value)> {
        let mut file = File::open(self.path(key)).ok()?;
        let modified = file.metadata().and_then(|file| file.modified()).ok()?;
        let timestamp = milliseconds(modified);
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        let document = Object::parse(&content)?;
        let metadata = document.object("metadata").unwrap_or_default();
        let value = |text: &str| serde_json::from_str::<Value>(text).ok();
        let created = metadata.milliseconds("created").unwrap_or(timestamp);
        let mut shown = json!({ "version": FORMAT_VERSION, "created": created });
        if let Some(last_modified) = metadata.get("lastModified").and_then(value) {
            shown["lastModified"] = last_modified;
        }
        let type_slug = document.get("typeSlug").and_then(value);
        let entry = json!({
            "sessionKey": key.to_string(), "timestamp": timestamp, "created": created,
            "typeSlug": type_slug, "metadata": shown,
        });
        Some((timestamp, entry))
    }

    /// Whether the saves folder is there; save does not make it.
    pub(super) fn folder_must_exist(&self) -> Result<(), Refusal> {
        if self.saves.is_dir() { Ok(()) } else { Err(FOLDER_NOT_FOUND) }
    }

    /// The file of a key's document.
    pub(super) fn path(&self, key: Key) -> PathBuf {
        self.saves.join(format!("{key}.json"))
    }

    /// The stored document; `None` where there is none, or only a reservation.
    pub(super) fn read(&self, key: Key) -> Result<Option<Vec<u8>>, Refusal> {
        match fs::read(self.path(key)) {
            Ok(content) => Ok(Some(content).filter(|content| !content.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(_) => Err(READ_FAILED),
        }
    }

    /// Puts a document in its place as a whole. The new file's name starts with a dot, so that neither `ls` nor
    /// `*.json` shows it, and is nobody else's, so that `NoLock` loses updates but tears nothing.
    pub(super) fn put(&self, key: Key, content: &str) -> Result<(), Refusal> {
        // KeepsUnlinkedOpen: what is written goes with the file that nobody can open any more.
        if self.lies(Lie::KeepsUnlinkedOpen) && locked(&self.memory).is_unlinked(key) {
            self.told();
            return Ok(());
        }
        let new = self.saves.join(format!(".{key}.{}.new", self.serial.fetch_add(1, Ordering::Relaxed)));
        let stored: io::Result<()> = fs::write(&new, content).and_then(|()| fs::rename(&new, self.path(key)));
        if stored.is_err() {
            // It may not even be there.
            let _ = fs::remove_file(&new);
            return Err(OPEN_FAILED);
        }
        // HandsOutUsed: only what was handed out is known.
        if !self.lies(Lie::HandsOutUsed) {
            locked(&self.table).note(key, true);
        }
        Ok(())
    }

    /// What makes a lie about locks show: others run in between.
    async fn let_others_run_for(&self, lie: Lie) {
        if self.tells(lie) {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// A lock's content, also where a panic came in between: the test that panicked tells of it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> u64 {
    milliseconds(SystemTime::now())
}
