//! Files in memory, made of system calls as data: the ground of every model of a disk.
//!
//! Layout:
//! - [`call`]: a system call and its outcome as values.
//! - [`kernel`]: what a kernel keeps of a saves folder, as one plain value; a call takes effect on it at once.
//! - [`Called`]: the [`FileSystem`] whose every method is such a call, made by whoever implements [`Calls`]: a
//!   model checker that makes one at a time, a disk that forgets.

pub mod call;
pub mod kernel;

pub use call::{Call, FileId, LockKind, Outcome, Reply};
pub use kernel::Kernel;

use super::{FileSystem, FolderStat, Open, Stat};
use rustix::io::Errno;
use std::future::Future;
use std::io;

/// Whoever makes calls.
pub trait Calls: Clone + Send + Sync + 'static {
    /// Makes a call; for a lock, when it can be had.
    fn call(&self, call: Call) -> impl Future<Output = Outcome> + Send;
    /// Closes a file. Not a future, as a file is closed when it is dropped.
    fn close(&self, file: FileId);
    /// As [`FileSystem::can_exchange`].
    fn can_exchange(&self) -> bool;
}

/// The file system made of calls.
#[derive(Clone, Debug)]
pub struct Called<C>(pub C);

/// An open file of a [`Called`].
#[derive(Debug)]
pub struct CalledFile<C: Calls> {
    /// Which one.
    pub id: FileId,
    calls: C,
}

impl<C: Calls> Drop for CalledFile<C> {
    fn drop(&mut self) {
        self.calls.close(self.id);
    }
}

impl<C: Calls> Called<C> {
    async fn done(&self, call: Call) -> io::Result<()> {
        match self.0.call(call).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

impl<C: Calls> FileSystem for Called<C> {
    type File = CalledFile<C>;

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        match self.0.call(Call::Folder).await? {
            Reply::Folder(stat) => Ok(stat),
            other => Err(unexpected(&other)),
        }
    }

    async fn create_folder(&self) -> io::Result<()> {
        self.done(Call::CreateFolder).await
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        match self.0.call(Call::Names).await? {
            Reply::Names(names) => Ok(names),
            other => Err(unexpected(&other)),
        }
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        match self.0.call(Call::Stat { name: name.to_owned() }).await? {
            Reply::Stat(stat) => Ok(stat),
            other => Err(unexpected(&other)),
        }
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<CalledFile<C>> {
        match self.0.call(Call::Open { name: name.to_owned(), how }).await? {
            Reply::Opened(id) => Ok(CalledFile { id, calls: self.0.clone() }),
            other => Err(unexpected(&other)),
        }
    }

    async fn stat_open(&self, file: &CalledFile<C>) -> io::Result<Stat> {
        match self.0.call(Call::StatOpen { file: file.id }).await? {
            Reply::Stat(Some(stat)) => Ok(stat),
            other => Err(unexpected(&other)),
        }
    }

    async fn lock(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.done(Call::Lock { file: file.id, kind: LockKind::Exclusive }).await
    }

    async fn unlock(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.done(Call::Unlock { file: file.id }).await
    }

    async fn read(&self, file: &CalledFile<C>, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        match self.0.call(Call::Read { file: file.id, at_most_bytes }).await? {
            Reply::Read(bytes) => {
                into.extend_from_slice(&bytes);
                Ok(bytes.len())
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn write(&self, file: &CalledFile<C>, bytes: &[u8]) -> io::Result<usize> {
        match self.0.call(Call::Write { file: file.id, bytes: bytes.to_vec() }).await? {
            Reply::Written(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    async fn truncate(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.done(Call::Truncate { file: file.id }).await
    }

    async fn rewind(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.done(Call::Rewind { file: file.id }).await
    }

    async fn sync(&self, file: &CalledFile<C>) -> io::Result<()> {
        self.done(Call::Sync { file: file.id }).await
    }

    async fn sync_folder(&self) -> io::Result<()> {
        self.done(Call::SyncFolder).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.done(Call::Rename { from: from.to_owned(), to: to.to_owned() }).await
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        if !self.can_exchange() {
            return Err(Errno::INVAL.into());
        }
        self.done(Call::Exchange { one: one.to_owned(), other: other.to_owned() }).await
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        self.done(Call::Unlink { name: name.to_owned() }).await
    }

    fn can_exchange(&self) -> bool {
        self.0.can_exchange()
    }
}

/// A reply of the wrong kind: whoever makes the calls is at fault, not the file system.
fn unexpected(reply: &Reply) -> io::Error {
    io::Error::other(format!("the call was answered {reply:?}"))
}
