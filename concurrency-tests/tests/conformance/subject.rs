//! What is held to the same results: whoever takes calls, and a file system made one.

use concurrency_tests::model_fs::{StepsUnder, Turns};
use concurrency_tests::plain_fs::{Plain, PlainFs};
use rustix::io::Errno;
use server::fs::disk::{DiskFile, DiskFileSystem};
use server::fs::forgetting::Forgetting;
use server::fs::memory::{Call, Called, CalledFile, FileId, Kernel, LockKind, Outcome, Reply};
use server::fs::{Around, Between, FileSystem, ready};
use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::io;
use std::time::{Duration, SystemTime};

/// How far a clock in memory goes on at a time: further than the tick that files are stamped with.
pub(crate) const STEP_MS: u64 = 25;

/// When what a real folder holds was last modified, once time has passed over it, Unix seconds.
const LONG_AGO_S: u64 = 1_000_000_000;

/// Whoever takes calls.
pub(crate) trait Subject {
    /// Makes a call; `None` where it would wait for a lock, and then it never takes that lock.
    fn call(&mut self, call: &Call) -> Option<Outcome>;
    /// Has whatever is modified from now on get another time than whatever was before.
    fn let_time_pass(&mut self);
}

/// All calls are one process's.
const OWNER: u16 = 0;

impl Subject for Kernel {
    fn call(&mut self, call: &Call) -> Option<Outcome> {
        Kernel::call(self, OWNER, call)
    }

    fn let_time_pass(&mut self) {
        self.set_clock(self.now_ms() + STEP_MS);
    }
}

/// A file system, and what of it its methods do not tell.
pub(crate) trait Inspected: FileSystem {
    /// What is kept beside each open file, to look at its lock.
    type Beside;

    /// Told right after a file was opened under this name.
    fn beside(&self, name: &str) -> io::Result<Self::Beside>;

    /// Whether the lock of an open file that does not hold it may be asked for: false where that would not come
    /// back, or would leave something behind that takes the lock later.
    fn may_lock(&self, file: &Self::File, beside: &Self::Beside) -> bool;

    /// As [`Subject::let_time_pass`].
    fn let_time_pass(&self);

    /// [`FileSystem::sync`] by other means, where the method itself cannot be called here.
    fn sync_beside(&self, _beside: &Self::Beside) -> Option<io::Result<()>> {
        None
    }

    /// [`FileSystem::sync_folder`] by other means, where the method itself cannot be called here.
    fn sync_folder_beside(&self) -> Option<io::Result<()>> {
        None
    }
}

/// A request for a lock that is dropped while it waits leaves nothing behind here: that is for [`ready`] to try.
impl Inspected for PlainFs {
    type Beside = ();

    fn beside(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn may_lock(&self, _file: &CalledFile<Plain>, _beside: &()) -> bool {
        true
    }

    fn let_time_pass(&self) {
        self.0.kernel().let_time_pass();
    }
}

impl Inspected for Called<Forgetting> {
    type Beside = ();

    fn beside(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn may_lock(&self, _file: &CalledFile<Forgetting>, _beside: &()) -> bool {
        true
    }

    // Its clock goes on with every call.
    fn let_time_pass(&self) {}
}

/// Under a model checker, a lock held elsewhere blocks the thread: the only one, so that nothing could wake it.
impl<T: Turns> Inspected for Called<StepsUnder<T>> {
    type Beside = ();

    fn beside(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn may_lock(&self, file: &CalledFile<StepsUnder<T>>, _beside: &()) -> bool {
        self.0.kernel().can_lock(file.id, LockKind::Exclusive)
    }

    fn let_time_pass(&self) {
        self.0.kernel().let_time_pass();
    }
}

/// On a real disk a request that gives up leaves its thread behind, which takes the lock later. So another open file
/// of the same inode, opened at the same time and so the same whatever becomes of the name, tries the lock first.
///
/// It makes the syncs as well, the same calls of the kernel: the disk's own run on a thread of tokio, and there is no
/// runtime here. (Its own tests cover that.)
impl Inspected for DiskFileSystem {
    type Beside = File;

    fn beside(&self, name: &str) -> io::Result<File> {
        File::open(self.folder_path().join(name))
    }

    fn may_lock(&self, _file: &DiskFile, beside: &File) -> bool {
        fs2::FileExt::try_lock_exclusive(beside).and_then(|()| fs2::FileExt::unlock(beside)).is_ok()
    }

    fn let_time_pass(&self) {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(LONG_AGO_S);
        let folder = self.folder_path();
        let names = now(self.names()).unwrap_or_default();
        for path in names.iter().map(|name| folder.join(name)).chain([folder.to_owned()]) {
            let aged = File::open(&path).and_then(|file| file.set_modified(long_ago));
            aged.unwrap_or_else(|error| panic!("cannot set the time of {}: {error}", path.display()));
        }
    }

    fn sync_beside(&self, beside: &File) -> Option<io::Result<()>> {
        Some(beside.sync_data())
    }

    fn sync_folder_beside(&self) -> Option<io::Result<()>> {
        Some(File::open(self.folder_path()).and_then(|folder| folder.sync_all()))
    }
}

/// Where a sync is made beside a disk, nothing comes between.
impl<F: Inspected, B: Between> Inspected for Around<F, B> {
    type Beside = F::Beside;

    fn beside(&self, name: &str) -> io::Result<F::Beside> {
        self.within().beside(name)
    }

    fn may_lock(&self, file: &F::File, beside: &F::Beside) -> bool {
        self.within().may_lock(file, beside)
    }

    fn let_time_pass(&self) {
        self.within().let_time_pass();
    }

    fn sync_beside(&self, beside: &F::Beside) -> Option<io::Result<()>> {
        self.within().sync_beside(beside)
    }

    fn sync_folder_beside(&self) -> Option<io::Result<()>> {
        self.within().sync_folder_beside()
    }
}

/// A file system in use by one process.
pub(crate) struct Session<F: Inspected> {
    fs: F,
    open: BTreeMap<FileId, Opened<F>>,
}

struct Opened<F: Inspected> {
    file: F::File,
    beside: F::Beside,
    /// By what the file system has answered so far.
    holds_lock: bool,
}

impl<F: Inspected> Session<F> {
    pub(crate) fn new(fs: F) -> Self {
        Self { fs, open: BTreeMap::new() }
    }

    fn opened(&self, file: FileId) -> io::Result<&Opened<F>> {
        // What the kernel says of a number that stands for no open file. The methods cannot be given one.
        self.open.get(&file).ok_or_else(|| Errno::BADF.into())
    }

    fn open(&mut self, name: &str, how: server::fs::Open) -> io::Result<Reply> {
        let file = now(self.fs.open(name, how))?;
        let opened = Opened { file, beside: self.fs.beside(name)?, holds_lock: false };
        let free = (0..u16::MAX).map(|number| FileId { owner: OWNER, number }).find(|id| !self.open.contains_key(id));
        let id = free.ok_or(Errno::MFILE)?;
        self.open.insert(id, opened);
        Ok(Reply::Opened(id))
    }

    fn try_lock(&mut self, id: FileId) -> Option<io::Result<()>> {
        let Some(opened) = self.open.get_mut(&id) else { return Some(Err(Errno::BADF.into())) };
        if !opened.holds_lock && !self.fs.may_lock(&opened.file, &opened.beside) {
            return None;
        }
        let outcome = ready(self.fs.lock(&opened.file)).ok()?;
        opened.holds_lock |= outcome.is_ok();
        Some(outcome)
    }

    fn unlock(&mut self, id: FileId) -> io::Result<()> {
        now(self.fs.unlock(&self.opened(id)?.file))?;
        self.open.entry(id).and_modify(|opened| opened.holds_lock = false);
        Ok(())
    }

    fn try_call(&mut self, call: &Call) -> Option<io::Result<Reply>> {
        let done = |()| Reply::Done;
        let fs = &self.fs;
        let with = |file: &FileId| self.opened(*file);
        Some(match call {
            Call::Folder => now(fs.folder()).map(Reply::Folder),
            Call::CreateFolder => now(fs.create_folder()).map(done),
            Call::Names => now(fs.names()).map(Reply::Names),
            Call::Stat { name } => now(fs.stat(name)).map(Reply::Stat),
            Call::Open { name, how } => self.open(name, *how),
            Call::StatOpen { file } => {
                with(file).and_then(|open| now(fs.stat_open(&open.file))).map(Some).map(Reply::Stat)
            }
            Call::Lock { kind: LockKind::Shared, .. } => unreachable!("a file system has no shared locks"),
            Call::Lock { file, kind: LockKind::Exclusive } => self.try_lock(*file)?.map(done),
            Call::Unlock { file } => self.unlock(*file).map(done),
            Call::Read { file, at_most_bytes } => with(file).and_then(|open| {
                let mut bytes = Vec::new();
                let count = now(fs.read(&open.file, &mut bytes, *at_most_bytes))?;
                assert_eq!(count, bytes.len(), "what was read is what was appended");
                Ok(Reply::Read(bytes))
            }),
            Call::Write { file, bytes } => {
                with(file).and_then(|open| now(fs.write(&open.file, bytes))).map(Reply::Written)
            }
            Call::Truncate { file } => with(file).and_then(|open| now(fs.truncate(&open.file))).map(done),
            Call::Rewind { file } => with(file).and_then(|open| now(fs.rewind(&open.file))).map(done),
            Call::Sync { file } => with(file)
                .and_then(|open| fs.sync_beside(&open.beside).unwrap_or_else(|| now(fs.sync(&open.file))))
                .map(done),
            Call::SyncFolder => fs.sync_folder_beside().unwrap_or_else(|| now(fs.sync_folder())).map(done),
            Call::Rename { from, to } => now(fs.rename(from, to)).map(done),
            Call::Exchange { one, other } => now(fs.exchange(one, other)).map(done),
            Call::Unlink { name } => now(fs.unlink(name)).map(done),
            Call::Close { file } => {
                self.open.remove(file);
                Ok(Reply::Done)
            }
        })
    }
}

impl<F: Inspected> Subject for Session<F> {
    fn call(&mut self, call: &Call) -> Option<Outcome> {
        let errno = |error: io::Error| {
            Errno::from_io_error(&error).unwrap_or_else(|| panic!("{call}: not an error of the system: {error}"))
        };
        self.try_call(call).map(|outcome| outcome.map_err(errno))
    }

    fn let_time_pass(&mut self) {
        self.fs.let_time_pass();
    }
}

/// The outcome of a call that waits for nothing.
fn now<T>(call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    ready(call)?
}
