//! The model of files under loom: every system call is one critical section, and so one step of the search.

use crate::kernel::{FileId, Kernel};
use loom::sync::{Condvar, Mutex, MutexGuard};
use rustix::io::Errno;
use server::fs::{FileSystem, FolderStat, Open, Stat};
use std::io;
use std::sync::{Arc, PoisonError};

/// A saves folder in a loom model. Clones share the folder, as server processes do.
///
/// There is one mutex for everything and nothing atomic beside it, so that the interleavings that loom tries are
/// exactly the orders in which the threads' system calls can come. No method is ever pending: a lock that is held
/// elsewhere blocks the model's thread, and a thread that nothing can wake is found by loom as a deadlock.
///
/// It can only be made and used inside [`crate::explore()`].
#[derive(Clone, Debug)]
pub struct ModelFs(
    // Not loom's: who drops it last is of no interest, and would only multiply the interleavings.
    Arc<Shared>,
);

#[derive(Debug)]
struct Shared {
    kernel: Mutex<Kernel>,
    lock_released: Condvar,
    can_exchange: bool,
}

/// An open file of a [`ModelFs`]; to close it is a step like any other.
#[derive(Debug)]
pub struct ModelFile {
    id: FileId,
    fs: ModelFs,
}

impl ModelFs {
    /// A folder as it is when the scenario begins.
    #[must_use]
    pub fn new(folder: Kernel) -> Self {
        Self::with(folder, true)
    }

    /// The same on a file system that cannot exchange two names.
    #[must_use]
    pub fn without_exchange(folder: Kernel) -> Self {
        Self::with(folder, false)
    }

    fn with(folder: Kernel, can_exchange: bool) -> Self {
        Self(Arc::new(Shared { kernel: Mutex::new(folder), lock_released: Condvar::new(), can_exchange }))
    }

    /// What a name's file holds; `None` where the name is not there.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.step().content(name).map(<[u8]>::to_vec)
    }

    /// Takes a file's lock where that needs no waiting (`flock(LOCK_EX|LOCK_NB)`); answers whether it did.
    #[must_use]
    pub fn try_lock(&self, file: &ModelFile) -> bool {
        self.step().try_lock(file.id)
    }

    /// One step: the calling thread has the kernel to itself for one system call.
    fn step(&self) -> MutexGuard<'_, Kernel> {
        self.0.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a lock. It is called within the step that released it, so that it is none itself.
    fn wake(&self, was_released: bool) {
        if was_released {
            self.0.lock_released.notify_all();
        }
    }
}

impl Drop for ModelFile {
    fn drop(&mut self) {
        // A check that failed in a step left the mutex poisoned: to lock it again would be a panic in a panic,
        // which ends the process without saying what the check had to say.
        if std::thread::panicking() {
            return;
        }
        let mut kernel = self.fs.step();
        self.fs.wake(kernel.close(self.id));
    }
}

impl FileSystem for ModelFs {
    type File = ModelFile;

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        Ok(self.step().folder())
    }

    async fn create_folder(&self) -> io::Result<()> {
        self.step().create_folder();
        Ok(())
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.step().names()?)
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        Ok(self.step().stat(name))
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<ModelFile> {
        let id = self.step().open(name, how)?;
        Ok(ModelFile { id, fs: self.clone() })
    }

    async fn stat_open(&self, file: &ModelFile) -> io::Result<Stat> {
        Ok(self.step().stat_open(file.id))
    }

    async fn lock(&self, file: &ModelFile) -> io::Result<()> {
        let mut kernel = self.step();
        // Whoever is woken finds the lock taken again, perhaps: flock promises no order among those who wait.
        while !kernel.try_lock(file.id) {
            kernel = self.0.lock_released.wait(kernel).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    async fn unlock(&self, file: &ModelFile) -> io::Result<()> {
        let mut kernel = self.step();
        self.wake(kernel.unlock(file.id));
        Ok(())
    }

    async fn read(&self, file: &ModelFile, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        let mut kernel = self.step();
        let bytes = kernel.read(file.id, at_most_bytes)?;
        into.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn write(&self, file: &ModelFile, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.step().write(file.id, bytes)?)
    }

    async fn truncate(&self, file: &ModelFile) -> io::Result<()> {
        Ok(self.step().truncate(file.id)?)
    }

    async fn rewind(&self, file: &ModelFile) -> io::Result<()> {
        self.step().rewind(file.id);
        Ok(())
    }

    // Nothing is ever lost in this model, so a sync does nothing; it is a step all the same.
    async fn sync(&self, _file: &ModelFile) -> io::Result<()> {
        drop(self.step());
        Ok(())
    }

    async fn sync_folder(&self) -> io::Result<()> {
        Ok(self.step().sync_folder()?)
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(self.step().rename(from, to)?)
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        if !self.0.can_exchange {
            return Err(Errno::INVAL.into());
        }
        Ok(self.step().exchange(one, other)?)
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(self.step().unlink(name)?)
    }

    fn can_exchange(&self) -> bool {
        self.0.can_exchange
    }
}
