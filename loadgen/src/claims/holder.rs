//! Another process that holds the locks of a saves folder, as far as a server can tell: locks belong to open files, and
//! the harness's are not the server's.

use crate::lab::Stuck;
use engine::saves_folder::SavesFolder;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long it is tried to get a lock that the server holds for a moment.
const TAKING: Duration = Duration::from_secs(2);
const TAKING_PAUSE: Duration = Duration::from_millis(10);

/// Lock files that are held at most: each is an open file, of which a process may have 1,024.
const MOST_LOCK_FILES: usize = 256;

/// Locks held until this is dropped: they go with their open files, and so with the process, however it ends.
pub(super) struct Locks {
    /// The document first.
    held: Vec<File>,
}

impl Locks {
    /// Locks a document, and with it, where nobody else has documents that would be held up, every lock file that the
    /// server has made in the folder.
    ///
    /// # Errors
    /// Where the document cannot be locked.
    pub(super) async fn take(folder: &SavesFolder, key: &str, with_lock_files: bool) -> Result<Self, Stuck> {
        let until = Instant::now() + TAKING;
        let Some(document) = lock(&folder.document_path(key), until).await? else {
            return Err(Stuck(format!("{key}.json is locked by somebody else all the time")));
        };
        let mut held = vec![document];
        if with_lock_files {
            for path in lock_files(folder)? {
                held.extend(lock(&path, until).await.ok().flatten());
            }
        }
        Ok(Self { held })
    }

    /// Lets all of them go; answers how many lock files were held.
    pub(super) fn release(self) -> usize {
        self.held.len() - 1
    }
}

/// Files whose names start with a dot: a server's own.
fn lock_files(folder: &SavesFolder) -> Result<Vec<PathBuf>, Stuck> {
    let names = folder.names()?.into_iter().filter(|name| name.starts_with('.'));
    // A pipe, say, would have whoever opens it wait.
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    Ok(names.map(|name| folder.path().join(name)).filter(is_file).take(MOST_LOCK_FILES).collect())
}

/// Locks a file exclusively; `None` where somebody else does not let it go in time.
async fn lock(path: &Path, until: Instant) -> Result<Option<File>, Stuck> {
    let file = File::open(path)?;
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() >= until {
            return Ok(None);
        }
        sleep(TAKING_PAUSE).await;
    }
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_lock_is_held_until_it_is_released_and_a_pipe_is_left_alone() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = SavesFolder::open(temp.path()).expect("there");
        for name in ["A4K.json", "B4K.json", ".lock-07"] {
            std::fs::write(temp.path().join(name), "").expect("writes");
        }
        let pipe = temp.path().join(".pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        let is_free = |name: &str| {
            let file = File::open(temp.path().join(name)).expect("opens");
            flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        };
        let locks = Locks::take(&folder, "A4K", true).await.expect("free");
        assert_eq!(["A4K.json", "B4K.json", ".lock-07"].map(is_free), [false, true, false]);
        assert_eq!(locks.release(), 1);
        assert!(is_free("A4K.json") && is_free(".lock-07"));
        let considerate = Locks::take(&folder, "A4K", false).await.expect("free");
        assert_eq!(["A4K.json", ".lock-07"].map(is_free), [false, true]);
        assert_eq!(considerate.release(), 0);
    }
}
