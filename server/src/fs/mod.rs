//! The edge to the disk: the system calls that the protocols make, one method each.
//!
//! Architecture invariant: nothing here knows HTTP or JSON. Names are those of files in the saves folder,
//! without any slash. A [`FileSystem`] may be the real one ([`disk`]), a model of one under a model checker,
//! one that fails at the Nth call or one that forgets what was not synced: the protocol cannot tell.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

mod around;
pub mod disk;
pub mod failing;
pub mod forgetting;
pub mod memory;
mod retrying;
mod turnstile;

pub use around::{Around, Between, CallKind, Extent};
pub use failing::{Failing, Fault, FaultPlan};
pub use retrying::Retrying;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Open {
    /// `O_RDONLY`: to read a file that is there.
    Read,
    /// `O_WRONLY|O_CREAT`, PHP's mode `c`: to write, created where it is not there, never truncated.
    WriteOrCreate,
    /// `O_RDWR|O_CREAT`, PHP's mode `c+`: to read and write, created where it is not there, never truncated.
    ReadWriteOrCreate,
    /// `O_WRONLY|O_CREAT|O_EXCL`: to write a file that is not there yet; fails with `AlreadyExists` where it is.
    New,
    /// As [`Open::New`], with the sticky bit set: the mark of a reservation (see [`Stat::reservation`]).
    NewReservation,
}

/// What `stat` tells of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stat {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Last modification, Unix milliseconds.
    pub modified_ms: u64,
    /// Whether the file was created as a reservation. It is one for as long as it is empty as well. A mark of
    /// its own is needed because after a loss of power a file that was never synced can be empty too.
    pub reservation: bool,
}

/// What `stat` tells of the saves folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FolderStat {
    /// Last time a name was added, removed or exchanged, Unix nanoseconds.
    pub modified_ns: u64,
}

/// The system calls of the protocols, on one saves folder.
///
/// The methods are `async`, and on a real disk ready at once; only [`FileSystem::lock`] and, where a sync goes
/// to a device, [`FileSystem::sync`] and [`FileSystem::sync_folder`] truly wait, and they never block the runtime.
/// Every method may fail with the error of its system call.
pub trait FileSystem: Send + Sync {
    /// An open file description: it has a position and can hold a lock, and is closed when dropped.
    type File: Send + Sync;

    /// `stat` of the saves folder; `None` where it is not there.
    fn folder(&self) -> impl Future<Output = io::Result<Option<FolderStat>>> + Send;
    /// `mkdir` of the saves folder and its parents; succeeds where it is there.
    fn create_folder(&self) -> impl Future<Output = io::Result<()>> + Send;
    /// `readdir`: every name in the folder, in no order.
    fn names(&self) -> impl Future<Output = io::Result<Vec<String>>> + Send;
    /// `stat`; `None` where the name is not there.
    fn stat(&self, name: &str) -> impl Future<Output = io::Result<Option<Stat>>> + Send;
    /// `open`.
    fn open(&self, name: &str, how: Open) -> impl Future<Output = io::Result<Self::File>> + Send;
    /// `fstat`.
    fn stat_open(&self, file: &Self::File) -> impl Future<Output = io::Result<Stat>> + Send;
    /// `flock(LOCK_EX)`: waits while another open file description holds the lock. Fails with `TimedOut` where
    /// the file system has a deadline for that and it has passed.
    fn lock(&self, file: &Self::File) -> impl Future<Output = io::Result<()>> + Send;
    /// `flock(LOCK_UN)`.
    fn unlock(&self, file: &Self::File) -> impl Future<Output = io::Result<()>> + Send;
    /// `read` from the file's position, at most `at_most_bytes`, appended to `into`; 0 at the end of the file.
    fn read(
        &self,
        file: &Self::File,
        into: &mut Vec<u8>,
        at_most_bytes: usize,
    ) -> impl Future<Output = io::Result<usize>> + Send;
    /// `write` at the file's position; how many bytes were taken may be fewer than given.
    fn write(&self, file: &Self::File, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;
    /// `ftruncate` to nothing.
    fn truncate(&self, file: &Self::File) -> impl Future<Output = io::Result<()>> + Send;
    /// `lseek` to the start.
    fn rewind(&self, file: &Self::File) -> impl Future<Output = io::Result<()>> + Send;
    /// `fdatasync`.
    fn sync(&self, file: &Self::File) -> impl Future<Output = io::Result<()>> + Send;
    /// `fsync` of the folder: names added and exchanged before the call survive a loss of power after it.
    fn sync_folder(&self) -> impl Future<Output = io::Result<()>> + Send;
    /// `rename`, replacing what has the new name.
    fn rename(&self, from: &str, to: &str) -> impl Future<Output = io::Result<()>> + Send;
    /// `renameat2(RENAME_EXCHANGE)`: the two names swap their files; fails with `NotFound` unless both are there.
    fn exchange(&self, one: &str, other: &str) -> impl Future<Output = io::Result<()>> + Send;
    /// `unlink`: the name is removed; open files live on.
    fn unlink(&self, name: &str) -> impl Future<Output = io::Result<()>> + Send;
    /// Whether [`FileSystem::exchange`] works here; found out once, not a system call.
    fn can_exchange(&self) -> bool;
}

/// Runs a future of a file system whose every method is ready at once: a model, or a real disk without
/// contention.
///
/// # Errors
/// `WouldBlock` where the future truly waits (a lock held elsewhere), as nothing here could wake it.
pub fn ready<T>(future: impl Future<Output = T>) -> io::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => {
            Err(io::Error::new(io::ErrorKind::WouldBlock, "the operation waits for a lock held elsewhere"))
        }
    }
}
