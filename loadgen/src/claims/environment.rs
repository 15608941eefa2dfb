//! Where a server may be killed and its disk made to fail: a saves folder of an experiment's own.

use crate::lab::{Lab, Stuck};
use crate::reference::{Disk, Launcher, Process, temporary_folder};
use contract::key::key_at;
use engine::client::ledger::Ledger;
use engine::client::{Target, User};
use engine::saves_folder::SavesFolder;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

/// A saves folder, the servers that are started on it one after the other, and their users. A [`Process`] must be
/// dropped before it, so that nobody writes to the folder while it is removed.
pub(super) struct Environment {
    launcher: Launcher,
    folder: SavesFolder,
    keys_used: usize,
    origin: Instant,
    /// When the experiment must come to its end.
    deadline: Instant,
    _temporary: TempDir,
}

impl Environment {
    /// An empty folder.
    ///
    /// # Errors
    /// Where the target is not one of ours, or no folder can be made.
    pub(super) fn new(lab: &Lab) -> Result<Self, Stuck> {
        Self::of(lab, temporary_folder().map_err(|error| stuck(&error))?)
    }

    /// An empty folder within another one, on whatever file system that is.
    ///
    /// # Errors
    /// As [`Environment::new`].
    pub(super) fn on(lab: &Lab, folder: &Path) -> Result<Self, Stuck> {
        Self::of(lab, tempfile::tempdir_in(folder)?)
    }

    fn of(lab: &Lab, temporary: TempDir) -> Result<Self, Stuck> {
        let launcher = lab.launcher.clone();
        let launcher = launcher.ok_or_else(|| Stuck("the target is no server of our own".to_owned()))?;
        let folder = SavesFolder::open(temporary.path()).map_err(Stuck)?;
        let deadline = Instant::now() + lab.effort.limit();
        Ok(Self { launcher, folder, keys_used: 0, origin: lab.origin, deadline, _temporary: temporary })
    }

    /// Starts a server on the folder as it is.
    ///
    /// # Errors
    /// Where it does not come to listen.
    pub(super) async fn start(&self, disk: Disk) -> Result<Process, Stuck> {
        self.launcher.start(self.folder.path(), disk).await.map_err(|error| stuck(&error))
    }

    /// The folder.
    pub(super) fn folder(&self) -> &SavesFolder {
        &self.folder
    }

    /// Keys that were not used before; nobody else is here who could have them.
    pub(super) fn keys(&mut self, count: usize) -> Vec<String> {
        self.keys_used += count;
        (self.keys_used - count..self.keys_used).map(key_at).collect()
    }

    /// Users of a server, numbered from 0.
    ///
    /// # Errors
    /// Where it cannot be reached at all.
    pub(super) fn users(&self, server: &Process, count: usize) -> Result<Vec<User>, Stuck> {
        let target: Arc<Target> = Arc::new(server.target().map_err(Stuck)?);
        let ledger: Arc<Ledger> = Arc::default();
        let patience = engine::client::Patience::default();
        let user = |number| User::new(number, Arc::clone(&target), patience, self.origin, Arc::clone(&ledger));
        Ok((0..count).map(user).collect())
    }

    /// Whether the experiment may go on.
    pub(super) fn has_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    /// µs since the start of the run, as exchanges have them.
    pub(super) fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Why an experiment with a server of its own cannot go on.
pub(super) fn stuck(error: &anyhow::Error) -> Stuck {
    Stuck(format!("{error:#}"))
}
