//! A machine that a server runs on: makes its system calls, and keeps what was on its disk after each.

use server::fs::forgetting::WriteBack;
use server::fs::memory::{Call, Called, Calls, FileId, Kernel, Outcome, Reply};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files of a server here.
pub(super) type Files = Called<Machine>;

/// A guarantee that is taken away: each is a mutant, and the proofs must catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// A file's sync does nothing.
    NoFileSync,
    /// The folder's sync does nothing.
    NoFolderSync,
    /// A file is synced only once it has been put in its place.
    SyncAfterReplacing,
    /// The folder is not synced when a server starts.
    NoSyncAtStart,
    /// Every empty file counts as a reservation.
    NoMarks,
}

/// One process's calls on one disk. Clones are the same machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    state: Arc<Mutex<State>>,
    can_exchange: bool,
    flaw: Flaw,
}

#[derive(Debug)]
struct State {
    disk: WriteBack,
    /// Whether the server has opened any file, as it does for a request and not to start.
    has_started: bool,
    recorded: Vec<Recorded>,
}

/// What was on the disk just after a call.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) call: Call,
    pub(super) disk: WriteBack,
}

/// All files belong to the one process; it is dead before another one starts.
pub(super) const OWNER: u16 = 0;

impl Machine {
    pub(super) fn new(disk: WriteBack, can_exchange: bool, flaw: Flaw) -> Self {
        Self {
            state: Arc::new(Mutex::new(State { disk, has_started: false, recorded: Vec::new() })),
            can_exchange,
            flaw,
        }
    }

    /// What was recorded since this was asked last.
    pub(super) fn take_recorded(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.state().recorded)
    }

    /// The disk once the process is dead.
    pub(super) fn disk_alone(&self) -> WriteBack {
        let mut disk = self.state().disk.clone();
        disk.kill(OWNER);
        disk
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.state().disk.cache().clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, call: Call) -> Option<Outcome> {
        let mut state = self.state();
        state.has_started |= matches!(call, Call::Open { .. });
        let is_undone = match (self.flaw, &call) {
            (Flaw::NoFileSync | Flaw::SyncAfterReplacing, Call::Sync { .. })
            | (Flaw::NoFolderSync, Call::SyncFolder) => true,
            (Flaw::NoSyncAtStart, Call::SyncFolder) => !state.has_started,
            _ => false,
        };
        let mut outcome = if is_undone { Ok(Reply::Done) } else { state.disk.call(OWNER, &call)? };
        match (self.flaw, &call, &mut outcome) {
            (Flaw::SyncAfterReplacing, Call::Exchange { other: name, .. } | Call::Rename { to: name, .. }, Ok(_)) => {
                // Somebody can come between the two: the machine, by dying.
                let replaced = Recorded { call: call.clone(), disk: state.disk.clone() };
                state.recorded.push(replaced);
                sync_by_name(&mut state.disk, name);
            }
            (Flaw::NoMarks, _, Ok(Reply::Stat(Some(stat)))) => stat.reservation |= stat.size_bytes == 0,
            _ => {}
        }
        let recorded = Recorded { call, disk: state.disk.clone() };
        state.recorded.push(recorded);
        Some(outcome)
    }
}

fn sync_by_name(disk: &mut WriteBack, name: &str) {
    let open = Call::Open { name: name.to_owned(), how: server::fs::Open::Read };
    if let Some(Ok(Reply::Opened(file))) = disk.call(OWNER, &open) {
        disk.call(OWNER, &Call::Sync { file });
        disk.call(OWNER, &Call::Close { file });
    }
}

impl Calls for Machine {
    async fn call(&self, call: Call) -> Outcome {
        match self.make(call) {
            Some(outcome) => outcome,
            // There is one client, and what others held went with them.
            None => std::future::pending().await,
        }
    }

    fn close(&self, file: FileId) {
        self.make(Call::Close { file });
    }

    fn can_exchange(&self) -> bool {
        self.can_exchange
    }
}
