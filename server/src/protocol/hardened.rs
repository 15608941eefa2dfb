//! The protocol that makes the specification's promises true, on the same wire and the same `KEY.json` files.
//!
//! How:
//! - **One lock a share of the keys.** Every change to `KEY.json` is made under a lock file chosen by the key,
//!   one of [`LOCK_FILES`] that are never removed; so a lock always means the same thing, whatever happens to the
//!   document's own file.
//! - **A document's file never changes.** A save writes a new file beside it and puts it in its place by one
//!   atomic call. A reader opens whatever is in place, without a lock, and sees one whole document, whatever
//!   comes after; it can hold up nobody, and nobody it.
//! - **A key handed out is reserved** by an empty file that `O_CREAT|O_EXCL` created. It is nobody's document:
//!   restore and list pass over it, and it can be instantiated, saved, deleted, or given back when it is stale.
//! - Names of its own start with a dot and end in neither `.json` nor `.lock`, so that `ls saves/*.json`,
//!   `find -name "*.lock"` and `ls saves/` show what they always showed.

use super::document::{self, Posted};
use super::{Error, Generated, Hint, Instantiated, Listed, Look, Pick, Protocol, Rules, World};
use super::{file_name, key_of_file, newest_first, read_at_most, write_all};
use crate::fs::{FileSystem, Open, Stat};
use crate::keys::Key;
use std::io::{self, ErrorKind};

/// How many lock files there are. Two keys that share one wait for each other's saves, some 40 µs each; with
/// 100 users on different keys about one save in two hundred does. More files would only be more files.
const LOCK_FILES: u64 = 64;

/// The specification's limit ("Worst case: 100 attempts"), kept though one is the rule: it is passed only where
/// others take every key in the moment between the look at the folder and the attempt, a hundred times running.
const MAX_ATTEMPTS: u32 = 100;

/// After so many keys of the hint running were in use, the hint is taken for stale, and the folder looked at.
const MISSES_BEFORE_LOOK: u32 = 4;

/// How old a folder's modification time must be for a look to count as later than every change that bears that
/// time. Kernels stamp with the time of the last tick, 10 ms at the most.
const FOLDER_SETTLED_MS: u64 = 50;

/// What an acknowledged change survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of the server process.
    Process,
    /// The loss of power as well: file and folder are synced before the answer.
    Disk,
}

/// The hardened protocol.
#[derive(Debug)]
pub struct Hardened<F, W, H> {
    fs: F,
    world: W,
    hint: H,
    rules: Rules,
    durability: Durability,
}

/// The lock of a share of the keys, held until dropped: closing a file releases its lock.
struct Held<File>(#[allow(dead_code, reason = "held, not read")] File);

/// What is under a key.
enum Found {
    Nothing,
    /// An empty file: a reservation, or what a loss of power left of a document that was never synced.
    Empty,
    Document {
        content: Vec<u8>,
        stat: Stat,
    },
}

impl<F: FileSystem, W: World, H: Hint> Hardened<F, W, H> {
    /// The protocol on a file system.
    pub fn new(fs: F, world: W, hint: H, rules: Rules, durability: Durability) -> Self {
        Self { fs, world, hint, rules, durability }
    }

    /// Reads the folder for which keys are in use, so that the first keys are not found by trial. To be called before
    /// the first request.
    ///
    /// # Errors
    /// Where the folder cannot be read, or not be synced.
    pub async fn read_hint(&self) -> Result<(), Error> {
        // A server that died may have left changes that it did not come to sync. "Already exists", which is answered
        // on the ground of one, must survive a loss of power as well.
        self.sync_folder().await.map_err(Error::AccessFolder)?;
        self.look().await.map(|_| ())
    }

    /// Creates the lock files that are not there, so that a disk that is full later can still be deleted from.
    ///
    /// # Errors
    /// Where one cannot be created. The server works all the same: it is tried again when it is needed.
    pub async fn create_lock_files(&self) -> Result<(), Error> {
        for number in 0..LOCK_FILES {
            self.open_lock_file(number).await?;
        }
        Ok(())
    }

    /// Has `move_away` take a document's file out of the folder, under the lock that its saves take, if it was last saved
    /// before `saved_before_ms` (Unix milliseconds). Returns whether it was moved.
    ///
    /// # Errors
    /// If the file cannot be read, locked or moved.
    pub async fn archive(
        &self,
        key: Key,
        saved_before_ms: u64,
        move_away: impl Fn(&str) -> io::Result<()> + Send + Sync,
    ) -> Result<bool, Error> {
        let name = file_name(key);
        let old_now = || async {
            let is_old = |stat: Stat| stat.size_bytes > 0 && stat.modified_ms < saved_before_ms;
            Ok(self.fs.stat(&name).await.map_err(Error::Read)?.is_some_and(is_old))
        };
        if !old_now().await? {
            return Ok(false);
        }
        let _held = self.lock(key).await?;
        // It may have been saved while we waited.
        if !old_now().await? {
            return Ok(false);
        }
        move_away(&name).map_err(Error::Delete)?;
        self.hint.freed(key).await;
        Ok(true)
    }

    async fn folder_must_exist(&self) -> Result<(), Error> {
        match self.fs.folder().await {
            Ok(Some(_)) => Ok(()),
            _ => Err(Error::FolderNotFound),
        }
    }

    async fn open_lock_file(&self, number: u64) -> Result<F::File, Error> {
        self.fs.open(&format!(".lock-{number:02}"), Open::ReadWriteOrCreate).await.map_err(Error::Open)
    }

    async fn lock(&self, key: Key) -> Result<Held<F::File>, Error> {
        let file = self.open_lock_file(self.rules.keys.index(key) % LOCK_FILES).await?;
        self.fs.lock(&file).await.map_err(Error::Lock)?;
        Ok(Held(file))
    }

    /// Reads what is under a key. Needs no lock, as a document's file never changes once it is in place.
    async fn find(&self, key: Key) -> io::Result<Found> {
        let file = match self.fs.open(&file_name(key), Open::Read).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            opened => opened?,
        };
        let stat = self.fs.stat_open(&file).await?;
        if stat.size_bytes == 0 {
            return Ok(Found::Empty);
        }
        let content = read_at_most(&self.fs, &file, stat.size_bytes).await?;
        Ok(Found::Document { content, stat })
    }

    /// Puts a document in place, whole or not at all. Called under the key's lock.
    async fn put(&self, key: Key, content: &[u8]) -> Result<(), Error> {
        let next = format!(".{key}.next");
        let outcome = async {
            self.write_next(&next, content).await?;
            self.replace(&next, &file_name(key)).await
        }
        .await;
        if outcome.is_err() {
            // It is in nobody's way: the next save removes it, should this fail.
            let _ = self.fs.unlink(&next).await;
        }
        outcome.map_err(Error::Write)?;
        self.sync_folder().await.map_err(Error::Write)
    }

    async fn write_next(&self, next: &str, content: &[u8]) -> io::Result<()> {
        let file = match self.fs.open(next, Open::New).await {
            // Left by a writer that died. It may be an earlier document that somebody still reads, so it is
            // removed, never written over.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.fs.unlink(next).await?;
                self.fs.open(next, Open::New).await?
            }
            opened => opened?,
        };
        write_all(&self.fs, &file, content).await?;
        match self.durability {
            Durability::Process => Ok(()),
            Durability::Disk => self.fs.sync(&file).await,
        }
    }

    /// An exchange and an unlink do what a rename does, at a fifth of the cost on ext4, which writes a file out
    /// at once when it is renamed over another.
    async fn replace(&self, next: &str, name: &str) -> io::Result<()> {
        if self.fs.can_exchange() && self.fs.exchange(next, name).await.is_ok() {
            // Left behind, it would only be removed by the next save.
            let _ = self.fs.unlink(next).await;
            return Ok(());
        }
        self.fs.rename(next, name).await
    }

    /// Removes a document or reservation; false where it is not there (any more). Called under the key's lock.
    async fn unlink(&self, name: &str) -> Result<bool, Error> {
        match self.fs.unlink(name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            outcome => outcome.map(|()| true).map_err(Error::Delete),
        }
    }

    async fn sync_folder(&self) -> io::Result<()> {
        match self.durability {
            Durability::Process => Ok(()),
            Durability::Disk => self.fs.sync_folder().await,
        }
    }

    /// Reserves a key; false where it is in use.
    async fn reserve(&self, key: Key) -> Result<bool, Error> {
        let _held = self.lock(key).await?;
        match self.fs.open(&file_name(key), Open::NewReservation).await {
            Ok(_) => {
                let synced = self.sync_folder().await;
                if synced.is_err() {
                    // Nobody will be told the key. Should this fail too, it is given back when it is stale.
                    let _ = self.fs.unlink(&file_name(key)).await;
                }
                synced.map(|()| true).map_err(Error::Write)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::Open(error)),
        }
    }

    /// A key believed free. Reads the folder first if the hint is stale or empty, or a scan is due.
    async fn candidate(&self, hint_is_stale: bool) -> Result<Option<Key>, Error> {
        if !hint_is_stale {
            match self.hint.pick(&self.world).await {
                Pick::Try(key) => return Ok(Some(key)),
                Pick::LookDue => return self.due_look().await,
                Pick::NoneFree(Some(look)) if self.nothing_changed_since(look).await? => return Ok(None),
                Pick::NoneFree(_) => {}
            }
        }
        self.look().await
    }

    /// Scans the folder for later requests. If that fails, this request can do without: keys are believed free.
    async fn due_look(&self) -> Result<Option<Key>, Error> {
        match self.look().await {
            Err(error) => match self.hint.pick(&self.world).await {
                Pick::Try(key) => Ok(Some(key)),
                Pick::LookDue | Pick::NoneFree(_) => Err(error),
            },
            found => found,
        }
    }

    async fn nothing_changed_since(&self, look: Look) -> Result<bool, Error> {
        let folder = self.fs.folder().await.map_err(Error::AccessFolder)?;
        let is_settled = look.at_ms > look.folder_modified_ns / 1_000_000 + FOLDER_SETTLED_MS;
        Ok(is_settled && folder.is_some_and(|folder| folder.modified_ns == look.folder_modified_ns))
    }

    /// Reads the folder; answers a key that was free then. That none was is known from this look alone: another's,
    /// which is older, may have come to the hint after it.
    async fn look(&self) -> Result<Option<Key>, Error> {
        let at_ms = self.world.now_ms();
        let folder = self.fs.folder().await.map_err(Error::AccessFolder)?.ok_or(Error::FolderNotFound)?;
        let names = self.fs.names().await.map_err(Error::AccessFolder)?;
        let used: Vec<Key> = names.iter().filter_map(|name| key_of_file(self.rules.keys, name)).collect();
        let look = Look { folder_modified_ns: folder.modified_ns, at_ms };
        Ok(self.hint.looked(&self.world, &used, look).await)
    }

    async fn give_back(&self, key: Key, reserved_before_ms: u64) -> Result<bool, Error> {
        let name = file_name(key);
        let is_stale = |stat: Stat| stat.reservation && stat.size_bytes == 0 && stat.modified_ms < reserved_before_ms;
        let stale_now = || async {
            let stat = self.fs.stat(&name).await.map_err(Error::Read)?;
            Ok(stat.is_some_and(is_stale))
        };
        if !stale_now().await? {
            return Ok(false);
        }
        let _held = self.lock(key).await?;
        // Somebody may have instantiated it while we waited.
        if !stale_now().await? {
            return Ok(false);
        }
        if !self.unlink(&name).await? {
            // Somebody outside moved it away.
            return Ok(false);
        }
        self.hint.freed(key).await;
        Ok(true)
    }
}

impl<F: FileSystem + 'static, W: World + 'static, H: Hint + 'static> Protocol for Hardened<F, W, H> {
    async fn generate_key(&self) -> Result<Generated, Error> {
        self.folder_must_exist().await?;
        for attempts in 1..=MAX_ATTEMPTS {
            let misses = attempts - 1;
            let hint_is_stale = misses > 0 && misses % MISSES_BEFORE_LOOK == 0;
            let Some(key) = self.candidate(hint_is_stale).await? else {
                return Err(Error::KeysExhausted { attempts: misses });
            };
            let reserved = self.reserve(key).await?;
            self.hint.taken(key).await;
            if reserved {
                return Ok(Generated { key, attempts });
            }
        }
        Err(Error::KeysExhausted { attempts: MAX_ATTEMPTS })
    }

    async fn instantiate(&self, body: &[u8]) -> Result<Instantiated, Error> {
        if self.folder_must_exist().await.is_err() {
            self.fs.create_folder().await.map_err(Error::CreateFolder)?;
        }
        let posted = Posted::parse(body, &self.rules)?;
        let content = posted.placeholder(self.world.now_ms())?;
        let _held = self.lock(posted.key).await?;
        let stat = self.fs.stat(&file_name(posted.key)).await.map_err(Error::Open)?;
        if stat.is_some_and(|stat| stat.size_bytes > 0) {
            return Ok(Instantiated::Existed);
        }
        self.put(posted.key, &content).await?;
        self.hint.taken(posted.key).await;
        Ok(Instantiated::Created)
    }

    async fn save(&self, body: &[u8]) -> Result<(), Error> {
        self.folder_must_exist().await?;
        let posted = Posted::parse(body, &self.rules)?;
        let _held = self.lock(posted.key).await?;
        let existing = match self.find(posted.key).await.map_err(Error::Read)? {
            Found::Document { content, .. } => Some(content),
            Found::Nothing | Found::Empty => None,
        };
        let content = posted.merged(existing.as_deref(), self.world.now_ms())?;
        self.put(posted.key, &content).await?;
        self.hint.taken(posted.key).await;
        Ok(())
    }

    async fn restore(&self, key: &str) -> Result<Vec<u8>, Error> {
        let key = self.rules.keys.parse(key).ok_or(Error::InvalidKey)?;
        match self.find(key).await.map_err(Error::Read)? {
            Found::Nothing | Found::Empty => Err(Error::NothingSaved),
            Found::Document { content, .. } if document::is_whole(&content) => Ok(content),
            Found::Document { .. } => Err(Error::InvalidSavedData),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        if key.is_empty() {
            return Err(Error::KeyRequired);
        }
        let key = self.rules.keys.parse(key).ok_or(Error::InvalidKey)?;
        // Where nothing is to be deleted, nothing needs a lock, nor a folder to put it in.
        if self.fs.stat(&file_name(key)).await.map_err(Error::Delete)?.is_none() {
            return Err(Error::InstanceNotFound);
        }
        let _held = self.lock(key).await?;
        if !self.unlink(&file_name(key)).await? {
            return Err(Error::InstanceNotFound);
        }
        // It is free, whether or not that is on the disk already.
        self.hint.freed(key).await;
        self.sync_folder().await.map_err(Error::Delete)
    }

    async fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for name in self.fs.names().await.map_err(Error::AccessFolder)? {
            let Some(key) = key_of_file(self.rules.keys, &name) else { continue };
            let found = match self.find(key).await {
                Err(error) if error.kind() == ErrorKind::IsADirectory => continue,
                // A document that is there and cannot be read is not left out.
                found => found.map_err(Error::AccessFolder)?,
            };
            // Reserved, or deleted since the names were read.
            let Found::Document { content, stat } = found else { continue };
            let Some(mut entry) = document::listed(key, &content, stat.modified_ms) else { continue };
            entry.created = document::created_ms(&content).unwrap_or(stat.modified_ms);
            entry.metadata.created = entry.created;
            listed.push(entry);
        }
        newest_first(&mut listed);
        Ok(listed)
    }

    async fn give_back_stale(&self, reserved_before_ms: u64) -> Result<usize, Error> {
        let mut given_back = 0;
        for name in self.fs.names().await.map_err(Error::AccessFolder)? {
            let Some(key) = key_of_file(self.rules.keys, &name) else { continue };
            given_back += usize::from(self.give_back(key, reserved_before_ms).await?);
        }
        if given_back > 0 {
            self.sync_folder().await.map_err(Error::Delete)?;
        }
        Ok(given_back)
    }
}
