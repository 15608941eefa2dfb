//! File systems with a guarantee taken away, hints with a guard taken away. A check that passes on a mutant proves
//! nothing: each of these has a proof that it is caught.

use crate::scenario::KEY;
use server::fs::memory::{Call, Called, CalledFile, Calls, LockKind};
use server::fs::{FileSystem, FolderStat, Open, Stat};
use server::keys::Key;
use server::protocol::{Hint, Look, Pick, World};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The methods that a mutant has like the file system in its first field.
macro_rules! like_the_original {
    ($($method:ident)*) => { $(like_the_original!(@ $method);)* };
    (@ folder) => {
        async fn folder(&self) -> io::Result<Option<FolderStat>> { self.0.folder().await }
    };
    (@ create_folder) => {
        async fn create_folder(&self) -> io::Result<()> { self.0.create_folder().await }
    };
    (@ names) => {
        async fn names(&self) -> io::Result<Vec<String>> { self.0.names().await }
    };
    (@ stat) => {
        async fn stat(&self, name: &str) -> io::Result<Option<Stat>> { self.0.stat(name).await }
    };
    (@ open) => {
        async fn open(&self, name: &str, how: Open) -> io::Result<Self::File> { self.0.open(name, how).await }
    };
    (@ stat_open) => {
        async fn stat_open(&self, file: &Self::File) -> io::Result<Stat> { self.0.stat_open(file).await }
    };
    (@ lock) => {
        async fn lock(&self, file: &Self::File) -> io::Result<()> { self.0.lock(file).await }
    };
    (@ unlock) => {
        async fn unlock(&self, file: &Self::File) -> io::Result<()> { self.0.unlock(file).await }
    };
    (@ read) => {
        async fn read(&self, file: &Self::File, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
            self.0.read(file, into, at_most_bytes).await
        }
    };
    (@ write) => {
        async fn write(&self, file: &Self::File, bytes: &[u8]) -> io::Result<usize> { self.0.write(file, bytes).await }
    };
    (@ sync) => {
        async fn sync(&self, file: &Self::File) -> io::Result<()> { self.0.sync(file).await }
    };
    (@ sync_folder) => {
        async fn sync_folder(&self) -> io::Result<()> { self.0.sync_folder().await }
    };
    (@ rename) => {
        async fn rename(&self, from: &str, to: &str) -> io::Result<()> { self.0.rename(from, to).await }
    };
    (@ exchange) => {
        async fn exchange(&self, one: &str, other: &str) -> io::Result<()> { self.0.exchange(one, other).await }
    };
    (@ unlink) => {
        async fn unlink(&self, name: &str) -> io::Result<()> { self.0.unlink(name).await }
    };
    // What no mutant changes.
    (@ rest) => {
        async fn truncate(&self, file: &Self::File) -> io::Result<()> { self.0.truncate(file).await }
        async fn rewind(&self, file: &Self::File) -> io::Result<()> { self.0.rewind(file).await }
        fn can_exchange(&self) -> bool { self.0.can_exchange() }
    };
}

/// The name of the file that a save prepares is the only one that is so made: `.KEY.next`.
fn is_spare(name: &str) -> bool {
    name.strip_prefix('.').is_some_and(|rest| rest.split_once('.').is_some_and(|(_, kind)| kind == "next"))
}

/// Locks exclude nobody, where the flag says so.
#[derive(Clone, Debug)]
pub struct Unlocked<F>(pub F, pub bool);

impl<F: FileSystem> FileSystem for Unlocked<F> {
    type File = F::File;
    async fn lock(&self, file: &F::File) -> io::Result<()> {
        if self.1 { Ok(()) } else { self.0.lock(file).await }
    }
    like_the_original!(folder create_folder names stat open stat_open unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// Locks are taken in the shared kind.
#[derive(Clone, Debug)]
pub struct SharedLocks<C>(pub Called<C>);

impl<C: Calls> FileSystem for SharedLocks<C> {
    type File = CalledFile<C>;
    async fn lock(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.0.0.call(Call::Lock { file: file.id, kind: LockKind::Shared }).await?;
        Ok(())
    }
    like_the_original!(folder create_folder names stat open stat_open unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// Whoever has got a lock removes the lock file, as is often done with files of that kind.
#[derive(Clone, Debug)]
pub struct LockFileRemoved<F>(pub F);

impl<F: FileSystem> FileSystem for LockFileRemoved<F> {
    type File = F::File;
    async fn lock(&self, file: &F::File) -> io::Result<()> {
        self.0.lock(file).await?;
        // Another may have removed it.
        let _ = self.0.unlink(".lock-00").await;
        Ok(())
    }
    like_the_original!(folder create_folder names stat open stat_open unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// `O_EXCL` is left out where a file is opened in this way.
#[derive(Clone, Debug)]
pub struct NotExclusive<F>(pub F, pub Open);

impl<F: FileSystem> FileSystem for NotExclusive<F> {
    type File = F::File;
    async fn open(&self, name: &str, how: Open) -> io::Result<F::File> {
        match self.0.open(name, how).await {
            Err(error) if how == self.1 && error.kind() == io::ErrorKind::AlreadyExists => {
                self.0.open(name, Open::WriteOrCreate).await
            }
            opened => opened,
        }
    }
    like_the_original!(folder create_folder names stat stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// A document is put in place before it is written.
#[derive(Debug)]
pub struct PlacedBeforeWritten<F>(pub F, Mutex<Vec<u8>>);

impl<F: FileSystem> PlacedBeforeWritten<F> {
    /// On a file system.
    pub fn new(fs: F) -> Self {
        Self(fs, Mutex::default())
    }

    async fn write_late(&self, name: &str) -> io::Result<()> {
        let late = std::mem::take(&mut *self.1.lock().unwrap_or_else(PoisonError::into_inner));
        let file = self.0.open(name, Open::WriteOrCreate).await?;
        let mut rest = &late[..];
        while !rest.is_empty() {
            rest = &rest[self.0.write(&file, rest).await?..];
        }
        Ok(())
    }
}

impl<F: FileSystem> FileSystem for PlacedBeforeWritten<F> {
    type File = F::File;
    async fn write(&self, _file: &F::File, bytes: &[u8]) -> io::Result<usize> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to).await?;
        self.write_late(to).await
    }
    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.0.exchange(one, other).await?;
        self.write_late(other).await
    }
    like_the_original!(folder create_folder names stat open stat_open lock unlock read sync sync_folder);
    like_the_original!(unlink rest);
}

/// A document is replaced in two steps: the old one is removed, and the new one named.
#[derive(Clone, Debug)]
pub struct ReplacedInTwoSteps<F>(pub F);

impl<F: FileSystem> FileSystem for ReplacedInTwoSteps<F> {
    type File = F::File;
    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.0.unlink(other).await?;
        self.0.rename(one, other).await?;
        // What an exchange leaves under the first name.
        self.0.open(one, Open::New).await.map(drop)
    }
    like_the_original!(folder create_folder names stat open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename unlink rest);
}

/// A write is taken for whole, however much of it was done.
#[derive(Clone, Debug)]
pub struct ShortWritesBelieved<F>(pub F);

impl<F: FileSystem> FileSystem for ShortWritesBelieved<F> {
    type File = F::File;
    async fn write(&self, file: &F::File, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(file, bytes).await.map(|_| bytes.len())
    }
    like_the_original!(folder create_folder names stat open stat_open lock unlock read sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// The file that an exchange displaced is left where it is.
#[derive(Clone, Debug)]
pub struct SparesKept<F>(pub F);

impl<F: FileSystem> FileSystem for SparesKept<F> {
    type File = F::File;
    async fn unlink(&self, name: &str) -> io::Result<()> {
        if is_spare(name) { Ok(()) } else { self.0.unlink(name).await }
    }
    like_the_original!(folder create_folder names stat open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange rest);
}

/// Nobody looks again: what `stat` said of the document the first time is what it says ever after.
#[derive(Debug)]
pub struct LooksOnce<F>(pub F, OnceLock<Option<Stat>>);

impl<F: FileSystem> LooksOnce<F> {
    /// On a file system.
    pub fn new(fs: F) -> Self {
        Self(fs, OnceLock::new())
    }
}

impl<F: FileSystem> FileSystem for LooksOnce<F> {
    type File = F::File;
    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        if let Some(first) = self.1.get() {
            return Ok(*first);
        }
        let first = self.0.stat(name).await?;
        Ok(*self.1.get_or_init(|| first))
    }
    like_the_original!(folder create_folder names open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// `stat` finds nothing, where the flag says so.
#[derive(Clone, Debug)]
pub struct Blind<F>(pub F, pub bool);

impl<F: FileSystem> FileSystem for Blind<F> {
    type File = F::File;
    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        let stat = self.0.stat(name).await?;
        Ok(if self.1 { None } else { stat })
    }
    like_the_original!(folder create_folder names open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// That a document is not there any more goes unnoticed when it is removed.
#[derive(Clone, Debug)]
pub struct NeverMissing<F>(pub F);

impl<F: FileSystem> FileSystem for NeverMissing<F> {
    type File = F::File;
    async fn unlink(&self, name: &str) -> io::Result<()> {
        match self.0.unlink(name).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
    like_the_original!(folder create_folder names stat open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange rest);
}

/// An empty file looks as if it held something.
#[derive(Clone, Debug)]
pub struct NeverEmpty<F>(pub F);

impl<F: FileSystem> FileSystem for NeverEmpty<F> {
    type File = F::File;
    async fn stat_open(&self, file: &F::File) -> io::Result<Stat> {
        let stat = self.0.stat_open(file).await?;
        Ok(Stat { size_bytes: stat.size_bytes.max(1), ..stat })
    }
    like_the_original!(folder create_folder names stat open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// The folder's modification time lies so much further back than it does.
#[derive(Clone, Debug)]
pub struct FolderOlder<F>(pub F, pub u64);

impl<F: FileSystem> FileSystem for FolderOlder<F> {
    type File = F::File;
    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        let older = |stat: FolderStat| FolderStat { modified_ns: stat.modified_ns.saturating_sub(self.1 * 1_000_000) };
        self.0.folder().await.map(|stat| stat.map(older))
    }
    like_the_original!(create_folder names stat open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// The folder's modification time never changes.
#[derive(Clone, Debug)]
pub struct FolderNeverChanges<F>(pub F);

impl<F: FileSystem> FileSystem for FolderNeverChanges<F> {
    type File = F::File;
    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        self.0.folder().await.map(|stat| stat.map(|_| FolderStat { modified_ns: 0 }))
    }
    like_the_original!(create_folder names stat open stat_open lock unlock read write sync sync_folder);
    like_the_original!(rename exchange unlink rest);
}

/// After a look at the folder, a key is taken from what all have told the hint, not from that look.
#[derive(Clone, Debug)]
pub struct PicksFromHint<H>(pub H);

impl<H: Hint> Hint for PicksFromHint<H> {
    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        self.0.looked(world, used, look).await;
        match self.0.pick(world).await {
            Pick::Try(key) => Some(key),
            Pick::LookDue | Pick::NoneFree(_) => None,
        }
    }
    async fn pick<W: World>(&self, world: &W) -> Pick {
        self.0.pick(world).await
    }
    async fn taken(&self, key: Key) {
        self.0.taken(key).await;
    }
    async fn freed(&self, key: Key) {
        self.0.freed(key).await;
    }
}

/// A look at the folder is never due.
#[derive(Clone, Debug)]
pub struct NeverLooks<H>(pub H);

impl<H: Hint> Hint for NeverLooks<H> {
    async fn pick<W: World>(&self, world: &W) -> Pick {
        match self.0.pick(world).await {
            Pick::LookDue => self.0.pick(world).await,
            pick => pick,
        }
    }
    async fn taken(&self, key: Key) {
        self.0.taken(key).await;
    }
    async fn freed(&self, key: Key) {
        self.0.freed(key).await;
    }
    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        self.0.looked(world, used, look).await
    }
}

/// That a key is in use is not remembered.
#[derive(Clone, Debug)]
pub struct ForgetsTaken<H>(pub H);

impl<H: Hint> Hint for ForgetsTaken<H> {
    async fn pick<W: World>(&self, world: &W) -> Pick {
        self.0.pick(world).await
    }
    async fn taken(&self, _key: Key) {}
    async fn freed(&self, key: Key) {
        self.0.freed(key).await;
    }
    async fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> Option<Key> {
        self.0.looked(world, used, look).await
    }
}

/// The lock file of [`KEY`], which [`LockFileRemoved`] removes, is the first.
const _: () = assert!(KEY.as_bytes()[0] == b'A' && KEY.as_bytes()[2] == b'A');
