//! The servers under test, and what is asked of them.

use check::Answer;
use concurrency_tests::model_hint::FewKeys;
use concurrency_tests::plain_fs::PlainFs;
use concurrency_tests::scenario::{KEYS, rules};
use concurrency_tests::world::STALE_BEFORE_MS;
use concurrency_tests::{Action, FixedWorld};
use server::fs::{Around, Between, CallKind, Extent, Failing, FileSystem, ready};
use server::outside::SharedHint;
use server::protocol::{Documented, DocumentedOptions, Durability, Error, Hardened, Hint};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The only client there is.
pub(super) const CLIENT: usize = 0;

/// The files that every subject is on: in memory, made to fail, each call written down.
pub(super) type Files = Around<Around<PlainFs, Failing>, Record>;

/// Which protocol, with which promise, on which file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Documented { checks_writes: bool },
    Hardened { durability: Durability, can_exchange: bool, keys: HintedKeys },
}

/// Which keys the hint of the hardened protocol knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HintedKeys {
    /// Those of the scenario, so that they can all be taken.
    Few,
    /// All 46,656, in the server's own hint.
    All,
}

/// What a server does while calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    Do(Action),
    /// It starts, and reads which keys are in use.
    Start,
    /// Old documents are moved away, as `saves archive` does.
    Archive,
}

/// What came of it. Every error is an [`Answer::Wrong`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Answer(Answer),
    Started,
    /// These keys' documents were moved away.
    Archived(Vec<String>),
}

/// A server of either protocol on whatever files: does a task, writing the document of that number. The error is one
/// that waits for a lock, for ever.
pub(super) type Server = Box<dyn Fn(Task, usize) -> io::Result<Said>>;

impl Subject {
    pub(super) fn reserves(self) -> bool {
        matches!(self, Self::Hardened { .. })
    }

    pub(super) fn can_exchange(self) -> bool {
        matches!(self, Self::Hardened { can_exchange: true, .. })
    }

    pub(super) fn knows_all_keys(self) -> bool {
        matches!(self, Self::Hardened { keys: HintedKeys::All, .. })
    }

    pub(super) fn syncs(self) -> bool {
        matches!(self, Self::Hardened { durability: Durability::Disk, .. })
    }

    /// The server on the files as they are.
    pub(super) fn server(self, files: Files) -> Server {
        self.server_on(files)
    }

    /// The server on what somebody made of the files.
    pub(super) fn server_on<F: FileSystem + Clone + 'static>(self, files: F) -> Server {
        match self {
            Self::Documented { checks_writes } => documented(files, DocumentedOptions { checks_writes }),
            Self::Hardened { durability, keys: HintedKeys::Few, .. } => {
                hardened(files, FewKeys::new(KEYS.len()), durability)
            }
            Self::Hardened { durability, keys: HintedKeys::All, .. } => {
                hardened(files, SharedHint::new(rules().keys), durability)
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Hardened { durability, can_exchange, .. } = self else { return f.write_str("documented") };
        let durability = match durability {
            Durability::Process => "process",
            Durability::Disk => "disk",
        };
        write!(f, "hardened, {durability}{}", if *can_exchange { "" } else { ", without exchange" })
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Do(action) => action.fmt(f),
            Self::Start => f.write_str("start-up"),
            Self::Archive => f.write_str("archive"),
        }
    }
}

fn documented<F: FileSystem + Clone + 'static>(files: F, options: DocumentedOptions) -> Server {
    // The keys in their order, over and over; one draw a character.
    let world = FixedWorld::new(vec![0, 0, 0, 0, 0, 1, 0, 0, 2]);
    let server = Documented::new(files.clone(), world, rules(), options);
    Box::new(move |task, number| match task {
        Task::Do(action) => ready(action.perform(&server, &files, CLIENT, number, None)).map(Said::Answer),
        Task::Start | Task::Archive => unreachable!("the documented protocol has no such thing"),
    })
}

fn hardened<F, H>(files: F, hint: H, durability: Durability) -> Server
where
    F: FileSystem + Clone + 'static,
    H: Hint + 'static,
{
    // The keys in their order, over and over; one draw a key.
    let server = Hardened::new(files.clone(), FixedWorld::new(vec![0, 1, 2]), hint, rules(), durability);
    Box::new(move |task, number| {
        let move_away = |name: &str| ready(files.rename(name, MOVED_AWAY)).and_then(|outcome| outcome);
        // Each document that is there in turn, as `saves archive` does, but only until one fails.
        let archive = async || {
            let mut archived = Vec::new();
            for name in files.names().await.map_err(Error::AccessFolder)? {
                let key = name.strip_suffix(".json").and_then(|stem| rules().keys.parse(stem));
                if let Some(key) = key
                    && server.archive(key, STALE_BEFORE_MS, move_away).await?
                {
                    archived.push(key.to_string());
                }
            }
            Ok(Said::Archived(archived))
        };
        match task {
            Task::Do(action) => ready(action.perform(&server, &files, CLIENT, number, None)).map(Said::Answer),
            Task::Start => ready(server.read_hint()).map(|outcome| said(outcome.map(|()| Said::Started))),
            Task::Archive => ready(archive()).map(said),
        }
    })
}

/// Where a document goes that is archived.
pub(super) const MOVED_AWAY: &str = "moved-by-0";

fn said(outcome: Result<Said, Error>) -> Said {
    outcome.unwrap_or_else(|error| Said::Answer(Answer::Wrong(error.to_string())))
}

/// Which calls were made, and how those came out that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<Vec<Recorded>>>);

/// A call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) call: CallKind,
    /// The number of its error.
    pub(super) error: Option<i32>,
}

impl Record {
    /// What was written down since this was last asked.
    pub(super) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.calls())
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Between for Record {
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        self.calls().push(Recorded { call, error: None });
        Ok(Extent::Whole)
    }

    fn again(&self, _call: CallKind, error: &io::Error) -> bool {
        if let Some(last) = self.calls().last_mut() {
            last.error = error.raw_os_error();
        }
        false
    }
}
