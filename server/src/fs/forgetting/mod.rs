//! A disk that forgets what was not synced, in memory: for what the loss of power leaves, without pulling a plug.
//!
//! Layout:
//! - [`WriteBack`]: the model, a plain value: what programs see, what of it is on the disk, and everything that a loss of
//!   power can leave. The proofs enumerate with it.
//! - [`Forgetting`]: the same shared between requests, so that a server can be started on it and lose its power.
//!
//! What is assumed of the disk, which is what POSIX promises and what journaling file systems do:
//! - Nothing but a sync makes anything certain. Until then every change may reach the disk or not, on its own and in any
//!   order; those that do, take effect in the order in which they were made.
//! - One call's change of names is atomic: `rename` and `RENAME_EXCHANGE` happen or do not. A new name comes with its
//!   file: the inode, with its mode and so the mark of a reservation, is journaled with the name.
//! - Names and data are independent. A name that survived may stand for a file without its data, or with some of it;
//!   synced data may have lost the name. Where a write was lost before one that survived, the gap reads as zeros.
//! - A write may be torn: its first part survives alone. A truncation is atomic.
//! - `fdatasync` makes a file's data certain and not its name; `fsync` of the folder makes all names certain and no data.
//! - The folder itself is on the disk as soon as it is made.
//! - A device that was told to sync has done so: one that lies about that is beyond any protocol.

mod changes;
mod write_back;

pub use write_back::{FREE_CHANGES, Fate, Losses, WriteBack};

use super::disk::{DiskFileSystem, DiskOptions};
use super::memory::{Call, Calls, FileId, Kernel, Outcome};
use super::{FileSystem, Open, ready};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// All files belong to one owner: the one server process.
const OWNER: u16 = 0;

/// How much of a file is read at a time.
const READ_STEP_BYTES: usize = 64 * 1024;

/// A disk that forgets, for [`super::memory::Called`]: `Called(Forgetting::load(folder, now_ms)?)` is a file system that a
/// server runs on. Clones share the disk.
///
/// A lock that is held elsewhere is waited for without a deadline.
#[derive(Clone, Debug)]
pub struct Forgetting(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Nothing once the power is gone.
    disk: Mutex<Option<WriteBack>>,
    lock_released: Notify,
    now_ms: fn() -> u64,
}

impl Forgetting {
    /// The disk, with a clock that files are stamped by, Unix milliseconds.
    #[must_use]
    pub fn new(disk: WriteBack, now_ms: fn() -> u64) -> Self {
        Self(Arc::new(Shared { disk: Mutex::new(Some(disk)), lock_released: Notify::new(), now_ms }))
    }

    /// A disk with the files of a real folder on it, all of them synced. They are only read: nothing that is done to the
    /// disk is seen in the real folder, until [`write_to`].
    ///
    /// # Errors
    /// Where the folder or a file in it cannot be read.
    pub fn load(folder: &Path, now_ms: fn() -> u64) -> io::Result<Self> {
        Ok(Self::new(WriteBack::new(read_from(folder)?), now_ms))
    }

    /// Cuts the power: any of what was not synced is lost, as `draw` has it, which answers a uniform number below its
    /// argument. Answers what is left. No call that comes later, or waits for a lock now, ever ends.
    ///
    /// # Errors
    /// `NotFound` where the power is gone already.
    pub fn cut_power(&self, draw: &mut dyn FnMut(u64) -> u64) -> io::Result<Kernel> {
        let disk = self.disk().take().ok_or(io::ErrorKind::NotFound)?;
        Ok(disk.some_loss(draw))
    }

    /// How many changes would not all survive a loss of power now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.disk().as_ref().map_or(0, WriteBack::unsynced)
    }

    fn disk(&self) -> MutexGuard<'_, Option<WriteBack>> {
        // Nobody panics while holding it.
        self.0.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` where the call has to wait for a lock, or the power is gone.
    fn try_call(&self, call: &Call) -> Option<Outcome> {
        let mut disk = self.disk();
        let disk = disk.as_mut()?;
        disk.set_clock((self.0.now_ms)());
        let outcome = disk.call(OWNER, call)?;
        if matches!(call, Call::Unlock { .. } | Call::Close { .. }) {
            self.0.lock_released.notify_waiters();
        }
        Some(outcome)
    }
}

impl Calls for Forgetting {
    async fn call(&self, call: Call) -> Outcome {
        loop {
            // Made before the call is tried, so that no release is missed between the two.
            let lock_released = self.0.lock_released.notified();
            if let Some(outcome) = self.try_call(&call) {
                return outcome;
            }
            lock_released.await;
        }
    }

    fn close(&self, file: FileId) {
        // Without power nothing is open any more.
        let _ = self.try_call(&Call::Close { file });
    }

    fn can_exchange(&self) -> bool {
        true
    }
}

/// The files of a real folder; what else is in it is passed over.
///
/// # Errors
/// Where the folder or a file in it cannot be read.
pub fn read_from(folder: &Path) -> io::Result<Kernel> {
    let disk = real(folder);
    let mut kernel = Kernel::with_folder();
    for name in ready(disk.names())?? {
        if !folder.join(&name).is_file() {
            continue;
        }
        let file = ready(disk.open(&name, Open::Read))??;
        let stat = ready(disk.stat_open(&file))??;
        let mut content = Vec::new();
        while ready(disk.read(&file, &mut content, READ_STEP_BYTES))?? > 0 {}
        kernel.set_clock(stat.modified_ms);
        kernel.place(&name, &content, stat.reservation);
    }
    Ok(kernel)
}

/// Makes a real folder's files those of a folder in memory, with their marks and modification times; other files in it
/// are removed.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write_to(kernel: &Kernel, folder: &Path) -> io::Result<()> {
    let disk = real(folder);
    ready(disk.create_folder())??;
    for name in ready(disk.names())?? {
        if folder.join(&name).is_file() {
            ready(disk.unlink(&name))??;
        }
    }
    for name in kernel.name_list() {
        let (Some(content), Some(stat)) = (kernel.content(name), kernel.stat(name)) else { continue };
        let how = if stat.reservation { Open::NewReservation } else { Open::New };
        let file = ready(disk.open(name, how))??;
        let mut rest = content;
        while !rest.is_empty() {
            rest = &rest[ready(disk.write(&file, rest))??..];
        }
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(stat.modified_ms);
        OpenOptions::new().write(true).open(folder.join(name))?.set_modified(modified)?;
    }
    Ok(())
}

fn real(folder: &Path) -> DiskFileSystem {
    DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait: None })
}

#[cfg(test)]
mod tests;
