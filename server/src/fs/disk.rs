//! The real file system: one folder, its files locked with `flock`.
//!
//! What a signal interrupts fails with `Interrupted`; [`super::Retrying`] goes around it.
//!
//! This is the only file that locks. It calls [`fs2::FileExt`] by path, because `std::fs::File` has methods of
//! the same names since Rust 1.89, which would be taken instead.

use super::turnstile::{Identity, Turnstiles};
use super::{FileSystem, FolderStat, Open, Stat};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::Mutex;

/// Mode of a new document, as PHP creates it.
const DOCUMENT_MODE: u32 = 0o644;

/// The sticky bit. It means nothing on an ordinary file, is set in the same call that creates the file, and is
/// journaled with it: so it can mark a reservation.
const RESERVATION_BIT: u32 = 0o1000;

/// Files used once, at the start, to find out whether two names can be exchanged here.
const PROBES: [&str; 2] = [".exchange-probe-1", ".exchange-probe-2"];

/// Settings of a [`DiskFileSystem`].
#[derive(Clone, Copy, Debug)]
pub struct DiskOptions {
    /// How long a lock held elsewhere is waited for; `None` is for ever, as `flock` itself does.
    pub lock_wait: Option<Duration>,
}

/// A folder on a real file system.
#[derive(Debug)]
pub struct DiskFileSystem {
    folder: Arc<Path>,
    lock_wait: Option<Duration>,
    can_exchange: bool,
    turnstiles: Arc<Turnstiles>,
    syncs: SharedSync,
}

/// An open file. Clones share one open file description, and so its position and its lock.
#[derive(Clone, Debug)]
pub struct DiskFile(Arc<File>);

impl DiskFileSystem {
    /// Takes a folder, which may not be there yet, and finds out what its file system can do. Where the folder
    /// is not there, it is assumed that nothing is missing, and found out at the first save otherwise.
    #[must_use]
    pub fn new(folder: PathBuf, options: DiskOptions) -> Self {
        let can_exchange = !folder.is_dir() || exchange_works(&folder);
        Self {
            folder: folder.into(),
            lock_wait: options.lock_wait,
            can_exchange,
            turnstiles: Arc::default(),
            syncs: SharedSync::default(),
        }
    }

    /// The folder, as it was given.
    #[must_use]
    pub fn folder_path(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl FileSystem for DiskFileSystem {
    type File = DiskFile;

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        let metadata = found(std::fs::metadata(&self.folder))?;
        Ok(metadata.filter(Metadata::is_dir).map(|metadata| FolderStat { modified_ns: modified_ns(&metadata) }))
    }

    async fn create_folder(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            // A name that is not UTF-8 is no document's.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        Ok(found(std::fs::metadata(self.path(name)))?.as_ref().map(stat_of))
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<DiskFile> {
        let mut options = OpenOptions::new();
        options.mode(DOCUMENT_MODE);
        match how {
            Open::Read => options.read(true),
            // Neither may truncate: the file is not ours before it is locked.
            Open::WriteOrCreate => options.write(true).create(true).truncate(false),
            Open::ReadWriteOrCreate => options.read(true).write(true).create(true).truncate(false),
            Open::New => options.write(true).create_new(true),
            Open::NewReservation => options.write(true).create_new(true).mode(DOCUMENT_MODE | RESERVATION_BIT),
        };
        options.open(self.path(name)).map(|file| DiskFile(Arc::new(file)))
    }

    async fn stat_open(&self, file: &DiskFile) -> io::Result<Stat> {
        file.0.metadata().map(|metadata| stat_of(&metadata))
    }

    async fn lock(&self, file: &DiskFile) -> io::Result<()> {
        let metadata = file.0.metadata()?;
        let identity: Identity = (metadata.dev(), metadata.ino());
        if !self.turnstiles.is_queued(identity) {
            match fs2::FileExt::try_lock_exclusive(&*file.0) {
                Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {}
                outcome => return outcome,
            }
        }
        let waiting = file.clone();
        let wait_in_kernel = move || retry_interrupted(|| fs2::FileExt::lock_exclusive(&*waiting.0));
        self.turnstiles.pass(identity, self.lock_wait, wait_in_kernel).await
    }

    async fn unlock(&self, file: &DiskFile) -> io::Result<()> {
        fs2::FileExt::unlock(&*file.0)
    }

    async fn read(&self, file: &DiskFile, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        let start = into.len();
        into.resize(start + at_most_bytes, 0);
        let outcome = (&*file.0).read(&mut into[start..]);
        into.truncate(start + outcome.as_ref().copied().unwrap_or_default());
        outcome
    }

    async fn write(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<usize> {
        (&*file.0).write(bytes)
    }

    async fn truncate(&self, file: &DiskFile) -> io::Result<()> {
        file.0.set_len(0)
    }

    async fn rewind(&self, file: &DiskFile) -> io::Result<()> {
        (&*file.0).rewind()
    }

    async fn sync(&self, file: &DiskFile) -> io::Result<()> {
        let file = file.clone();
        elsewhere(move || file.0.sync_data()).await
    }

    async fn sync_folder(&self) -> io::Result<()> {
        let folder = Arc::clone(&self.folder);
        self.syncs.run(move || File::open(&folder)?.sync_all()).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        Ok(renameat_with(CWD, self.path(one), CWD, self.path(other), RenameFlags::EXCHANGE)?)
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn can_exchange(&self) -> bool {
        self.can_exchange
    }
}

/// A sync that many share: whoever comes while one runs waits for the next one, which serves all of them.
#[derive(Debug, Default)]
struct SharedSync {
    /// Held from the start of a sync to its end, by the thread that runs it.
    running: Arc<Mutex<()>>,
    started: AtomicU64,
    /// Number of the last sync that succeeded.
    succeeded: Arc<AtomicU64>,
}

impl SharedSync {
    async fn run(&self, sync: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let started_before_we_came = self.started.load(SeqCst);
        let running = Arc::clone(&self.running).lock_owned().await;
        if self.succeeded.load(SeqCst) > started_before_we_came {
            return Ok(());
        }
        let number = self.started.fetch_add(1, SeqCst) + 1;
        let succeeded = Arc::clone(&self.succeeded);
        // The thread takes the lock along: a request that is called off does not end the sync under way.
        elsewhere(move || {
            let _running = running;
            sync()?;
            succeeded.store(number, SeqCst);
            Ok(())
        })
        .await
    }
}

/// Runs a call that waits for a device on a thread of its own.
async fn elsewhere<T: Send + 'static>(call: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(call).await.unwrap_or_else(|_| Err(io::Error::other("the thread of the call was lost")))
}

/// Retries here, and not around: a thread that waits in the kernel keeps its turn when a signal wakes it.
fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn modified_ns(metadata: &Metadata) -> u64 {
    let ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    u64::try_from(ns).unwrap_or_default()
}

fn stat_of(metadata: &Metadata) -> Stat {
    Stat {
        size_bytes: metadata.len(),
        modified_ms: modified_ns(metadata) / 1_000_000,
        reservation: metadata.mode() & RESERVATION_BIT != 0,
    }
}

/// Tries `RENAME_EXCHANGE` on two files of its own. A folder that cannot be written to has other troubles.
fn exchange_works(folder: &Path) -> bool {
    let paths = PROBES.map(|name| folder.join(name));
    let outcome = paths
        .iter()
        .try_for_each(|path| File::create(path).map(drop))
        .and_then(|()| renameat_with(CWD, &paths[0], CWD, &paths[1], RenameFlags::EXCHANGE).map_err(io::Error::from));
    for path in &paths {
        // What could not be created cannot be removed either.
        let _ = std::fs::remove_file(path);
    }
    let lacking = [rustix::io::Errno::INVAL, rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP];
    !outcome.is_err_and(|error| lacking.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn disk(folder: &Path, lock_wait: Option<Duration>) -> DiskFileSystem {
        DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait })
    }

    #[tokio::test]
    async fn a_held_lock_is_waited_for_until_the_deadline() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = disk(folder.path(), Some(Duration::from_millis(1)));
        let holder = disk.open("A4K.json", Open::ReadWriteOrCreate).await.expect("opens");
        disk.lock(&holder).await.expect("free");
        let other = disk.open("A4K.json", Open::ReadWriteOrCreate).await.expect("opens");
        assert_eq!(disk.lock(&other).await.map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
        disk.unlock(&holder).await.expect("unlocks");
        drop(other);
        let third = disk.open("A4K.json", Open::ReadWriteOrCreate).await.expect("opens");
        let patient = DiskFileSystem { lock_wait: None, ..disk };
        patient.lock(&third).await.expect("free once the thread left behind has let go");
    }

    #[tokio::test]
    async fn closing_a_file_releases_its_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = disk(folder.path(), None);
        let first = disk.open("A4K.json", Open::WriteOrCreate).await.expect("opens");
        disk.lock(&first).await.expect("free");
        drop(first);
        let second = disk.open("A4K.json", Open::WriteOrCreate).await.expect("opens");
        assert_eq!(super::super::ready(disk.lock(&second)).map(|outcome| outcome.is_ok()).ok(), Some(true));
    }

    #[tokio::test]
    async fn a_sync_that_began_before_a_request_came_does_not_serve_it() {
        let syncs = SharedSync::default();
        let (open, gate) = mpsc::channel::<()>();
        let mut first = Box::pin(syncs.run(move || gate.recv().map_err(|_| io::Error::other("gone"))));
        assert!(super::super::ready(&mut first).is_err(), "the first sync runs");
        let runs = Arc::new(AtomicU64::new(0));
        let count = || {
            let runs = Arc::clone(&runs);
            move || {
                runs.fetch_add(1, SeqCst);
                Ok(())
            }
        };
        let mut late = [Box::pin(syncs.run(count())), Box::pin(syncs.run(count()))];
        for one in &mut late {
            assert!(super::super::ready(one).is_err(), "it waits for the first");
        }
        open.send(()).expect("the first waits");
        first.await.expect("succeeds");
        for one in late {
            one.await.expect("succeeds");
        }
        assert_eq!(runs.load(SeqCst), 1, "one sync serves both that came during the first");
    }

    #[tokio::test]
    async fn a_sync_that_failed_serves_nobody() {
        let syncs = SharedSync::default();
        assert!(syncs.run(|| Err(io::Error::other("no device"))).await.is_err());
        assert!(syncs.run(|| Err(io::Error::other("no device"))).await.is_err());
        syncs.run(|| Ok(())).await.expect("succeeds");
    }

    #[test]
    fn a_reservation_is_told_from_another_empty_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = disk(folder.path(), None);
        let mark = |name, how| {
            super::super::ready(async {
                disk.open(name, how).await?;
                disk.stat(name).await
            })
            .and_then(|stat| stat)
            .expect("the folder can be written")
            .map(|stat| (stat.size_bytes, stat.reservation))
        };
        assert_eq!(mark("A4K.json", Open::NewReservation), Some((0, true)));
        assert_eq!(mark("B4K.json", Open::New), Some((0, false)));
    }
}
