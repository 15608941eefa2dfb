//! A file system with something that comes between its callers and its calls.

use super::{FileSystem, FolderStat, Open, Stat};
use std::io;

/// Which call, without its arguments: a method of [`FileSystem`]. Closing a file is none: it cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the methods of `FileSystem` say it")]
pub enum CallKind {
    Folder,
    CreateFolder,
    Names,
    Stat,
    Open(Open),
    StatOpen,
    Lock,
    Unlock,
    Read,
    Write,
    Truncate,
    Rewind,
    Sync,
    SyncFolder,
    Rename,
    Exchange,
    Unlink,
}

/// How much of a read or write goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that was asked for. Every other call has this one only.
    Whole,
    /// Half of it, rounded up.
    Half,
}

impl Extent {
    fn of(self, bytes: usize) -> usize {
        match self {
            Self::Whole => bytes,
            Self::Half => bytes.div_ceil(2),
        }
    }
}

/// What comes between. The defaults let everything through.
pub trait Between: Send + Sync {
    /// Asked before each call.
    ///
    /// # Errors
    /// What is answered in place of making the call.
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        let _ = call;
        Ok(Extent::Whole)
    }

    /// Asked after a call that failed, or that [`Between::before`] let fail: whether it is made again.
    fn again(&self, call: CallKind, error: &io::Error) -> bool {
        let _ = (call, error);
        false
    }

    /// Told after a read or write that succeeded, how many bytes it took.
    fn moved(&self, call: CallKind, bytes: usize) {
        let _ = (call, bytes);
    }
}

/// A file system, and what comes between it and whoever uses it. Of several, the outermost comes first.
#[derive(Clone, Debug)]
pub struct Around<F, B> {
    files: F,
    between: B,
}

impl<F, B> Around<F, B> {
    /// Puts `between` around `files`.
    pub fn new(files: F, between: B) -> Self {
        Self { files, between }
    }

    /// The file system within.
    pub fn within(&self) -> &F {
        &self.files
    }
}

/// Makes a call, as often as it is to be made. A macro, as the futures of `async` closures cannot be required to be
/// `Send`, and boxing each would cost an allocation a call.
macro_rules! pass {
    ($around:expr, $kind:expr, $extent:ident => $make:expr) => {
        loop {
            let outcome = match $around.between.before($kind) {
                Ok($extent) => $make,
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if $around.between.again($kind, &error) => {}
                outcome => return outcome,
            }
        }
    };
    ($around:expr, $kind:expr, $make:expr) => {
        pass!($around, $kind, _whole => $make)
    };
}

impl<F: FileSystem, B: Between> FileSystem for Around<F, B> {
    type File = F::File;

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        pass!(self, CallKind::Folder, self.files.folder().await)
    }

    async fn create_folder(&self) -> io::Result<()> {
        pass!(self, CallKind::CreateFolder, self.files.create_folder().await)
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        pass!(self, CallKind::Names, self.files.names().await)
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        pass!(self, CallKind::Stat, self.files.stat(name).await)
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<F::File> {
        pass!(self, CallKind::Open(how), self.files.open(name, how).await)
    }

    async fn stat_open(&self, file: &F::File) -> io::Result<Stat> {
        pass!(self, CallKind::StatOpen, self.files.stat_open(file).await)
    }

    async fn lock(&self, file: &F::File) -> io::Result<()> {
        pass!(self, CallKind::Lock, self.files.lock(file).await)
    }

    async fn unlock(&self, file: &F::File) -> io::Result<()> {
        pass!(self, CallKind::Unlock, self.files.unlock(file).await)
    }

    async fn read(&self, file: &F::File, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        pass!(self, CallKind::Read, extent => {
            let read = self.files.read(file, into, extent.of(at_most_bytes)).await;
            read.inspect(|&bytes| self.between.moved(CallKind::Read, bytes))
        })
    }

    async fn write(&self, file: &F::File, bytes: &[u8]) -> io::Result<usize> {
        pass!(self, CallKind::Write, extent => {
            let written = self.files.write(file, &bytes[..extent.of(bytes.len())]).await;
            written.inspect(|&bytes| self.between.moved(CallKind::Write, bytes))
        })
    }

    async fn truncate(&self, file: &F::File) -> io::Result<()> {
        pass!(self, CallKind::Truncate, self.files.truncate(file).await)
    }

    async fn rewind(&self, file: &F::File) -> io::Result<()> {
        pass!(self, CallKind::Rewind, self.files.rewind(file).await)
    }

    async fn sync(&self, file: &F::File) -> io::Result<()> {
        pass!(self, CallKind::Sync, self.files.sync(file).await)
    }

    async fn sync_folder(&self) -> io::Result<()> {
        pass!(self, CallKind::SyncFolder, self.files.sync_folder().await)
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        pass!(self, CallKind::Rename, self.files.rename(from, to).await)
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        pass!(self, CallKind::Exchange, self.files.exchange(one, other).await)
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        pass!(self, CallKind::Unlink, self.files.unlink(name).await)
    }

    fn can_exchange(&self) -> bool {
        self.files.can_exchange()
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::{DiskFileSystem, DiskOptions};
    use super::super::{Failing, Fault, Retrying, ready};
    use super::*;
    use rustix::io::Errno;

    /// Makes every call but the syncs, which need a runtime, on a real folder; answers what came of them.
    async fn every_call(files: &impl FileSystem) -> io::Result<(Vec<u8>, usize)> {
        files.create_folder().await?;
        let file = files.open("a", Open::ReadWriteOrCreate).await?;
        files.lock(&file).await?;
        let mut left = &b"some bytes"[..];
        while !left.is_empty() {
            left = &left[files.write(&file, left).await?..];
        }
        files.rewind(&file).await?;
        let mut content = Vec::new();
        while files.read(&file, &mut content, 8).await? > 0 {}
        files.unlock(&file).await?;
        files.rename("a", "b").await?;
        files.open("c", Open::New).await?;
        files.exchange("b", "c").await?;
        files.unlink("b").await?;
        files.truncate(&file).await?;
        let is_there = files.folder().await?.is_some() && files.stat("c").await?.is_some();
        let size = files.stat_open(&file).await?.size_bytes;
        assert_eq!((is_there, size), (true, 0));
        Ok((content, files.names().await?.len()))
    }

    /// The same with these faults, with or without retrying; and how many calls there were, and faults fired.
    fn outcome(faults: &[Fault], retrying: bool) -> (io::Result<(Vec<u8>, usize)>, usize, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = DiskFileSystem::new(folder.path().to_owned(), DiskOptions { lock_wait: None });
        let failing = Failing::new();
        let plan = failing.plan();
        plan.arm(faults.iter().copied());
        let files = Around::new(disk, failing);
        let outcome =
            if retrying { ready(every_call(&Around::new(files, Retrying))) } else { ready(every_call(&files)) };
        (outcome.expect("waits for nothing"), plan.calls(), plan.fired())
    }

    #[test]
    fn what_a_signal_interrupts_is_done_again_and_a_short_read_or_write_goes_on() {
        let (clean, calls, _) = outcome(&[], true);
        let clean = clean.expect("nothing fails");
        assert_eq!(clean, (b"some bytes".to_vec(), 1));
        for at_call in 1..=calls {
            let (outcome_of_it, calls_with_it, fired) = outcome(&[Fault::once(at_call, Errno::INTR)], true);
            assert_eq!((outcome_of_it.expect("retries"), calls_with_it, fired), (clean.clone(), calls + 1, 1));
            let (seen, ..) = outcome(&[Fault::once(at_call, Errno::INTR)], false);
            assert_eq!(seen.map_err(|error| error.kind()), Err(io::ErrorKind::Interrupted), "call {at_call}");
        }
        let short = Fault { for_good: true, ..Fault::short(1) };
        let (outcome_of_it, calls_with_it, fired) = outcome(&[short], true);
        assert_eq!((outcome_of_it.expect("goes on"), fired), (clean, 1));
        assert!(calls_with_it > calls, "it took more reads and writes");
    }
}
