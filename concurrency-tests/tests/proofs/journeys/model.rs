//! One execution: users at once on their journeys, on two server processes, and what of it cannot be explained.

use super::users::{ALONE, Common, GUEST, HOST, HOUSEKEEPING, Journey, LATE, LISTING, STAYING, User};
use check::history::{Slots, Violation};
use check::{Document, Slot};
use concurrency_tests::mutants::{NotExclusive, Unlocked};
use concurrency_tests::scenario::rules;
use concurrency_tests::shuttle_fs::{ShuttleFs, ShuttleHint, ShuttleSteps};
use concurrency_tests::world::{LONG_AGO_MS, NOW_MS, STALE_BEFORE_MS};
use server::fs::memory::{Called, Kernel};
use server::fs::{FileSystem, Open, ready};
use server::hint::Freshness;
use server::keys::ALPHABET;
use server::protocol::{Documented, DocumentedOptions, Durability, Hardened, Protocol, World};
use shuttle::rand::{RngCore, thread_rng};
use shuttle::sync::mpsc::channel;
use shuttle::thread;
use std::fmt;
use std::sync::Arc;

/// Server processes on the folder, each with a hint of its own. Users are on one and the other in turn, so a guest is
/// on another than the host.
const PROCESSES: usize = 2;

/// Users whose journeys belong together; see [`journey`].
const GROUP: usize = 5;

/// How many users come back late to the same key.
const LATE_UNDER_A_KEY: usize = 2;

/// From how many users on nobody looks at the list any more: each list is an operation on every key, and what is under
/// way at once on a key is what makes a history hard to check.
const MOST_LISTING: usize = 10;

/// So many draws in [`DRAWS_OF_ALL`] are among the first few of what can be drawn, so that users collide: of the keys
/// that are drawn character by character, two in three are among the same eight.
const DRAWS_OF_FEW: u64 = 7;
const DRAWS_OF_ALL: u64 = 8;

/// How many characters, and how many keys, those draws are among.
const FEW_CHARACTERS: u64 = 2;
const FEW_KEYS: u64 = FEW_CHARACTERS.pow(3);

/// A look is due again after so few keys, however little time has passed: the clock stands still.
const OFTEN: Freshness = Freshness { picks: 2, age_ms: 0 };

/// What serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Documented,
    Hardened,
    /// Hardened, each process reading the folder again after every few keys.
    LookingOften,
    /// Hardened, its locks excluding nobody.
    WithoutLocks,
    /// Hardened, reservations made without `O_EXCL`.
    WithoutExclusion,
}

impl Server {
    pub(crate) const ALL: [Self; 5] =
        [Self::Documented, Self::Hardened, Self::LookingOften, Self::WithoutLocks, Self::WithoutExclusion];
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documented => "documented",
            Self::Hardened => "hardened",
            Self::LookingOften => "hardened, looks after every second key",
            Self::WithoutLocks => "hardened without locks",
            Self::WithoutExclusion => "hardened without O_EXCL",
        })
    }
}

/// So many users at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) server: Server,
    pub(crate) users: usize,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} users", self.server, self.users)
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where it is that something was answered, or is there in the end, that cannot be.
    pub(crate) violation: Option<Violation>,
    pub(crate) text: String,
}

impl Finding {
    pub(crate) fn of(text: String) -> Self {
        Self { violation: None, text }
    }
}

/// The clock stands still, and chance is shuttle's: the schedule holds what was drawn.
struct Chance;

impl World for Chance {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn draw(&self, below: u64) -> u64 {
        let drawn = thread_rng().next_u64();
        let few = if below == ALPHABET.len() as u64 { FEW_CHARACTERS } else { FEW_KEYS };
        let choices = if drawn % DRAWS_OF_ALL < DRAWS_OF_FEW { few.min(below) } else { below };
        drawn / DRAWS_OF_ALL % choices
    }
}

impl Scenario {
    /// Runs it once, in a shuttle model.
    pub(crate) fn run(self) -> Vec<Finding> {
        match self.server {
            Server::Documented => {
                self.run_on(|files| Documented::new(files, Chance, rules(), DocumentedOptions { checks_writes: true }))
            }
            Server::Hardened => self.run_on(hardened),
            Server::LookingOften => {
                self.run_on(|files| hardened_with(files, ShuttleHint::with_freshness(rules().keys, OFTEN)))
            }
            Server::WithoutLocks => self.run_on(|files| hardened(Unlocked(files, true))),
            Server::WithoutExclusion => self.run_on(|files| hardened(NotExclusive(files, Open::NewReservation))),
        }
    }

    fn run_on<P: Protocol>(self, process: impl Fn(ShuttleFs) -> P) -> Vec<Finding> {
        let start = self.start();
        let files = Called(ShuttleSteps::new(folder(&start)));
        let servers: [Arc<P>; PROCESSES] = std::array::from_fn(|_| Arc::new(process(files.clone())));
        let common = Arc::new(Common::new(start.keys().cloned().collect()));
        let mut threads = Vec::new();
        let mut host = None;
        for number in 0..self.users {
            let mut user = User::new(number, &servers[number % PROCESSES], &common);
            let journey = journey(number);
            if journey == HOST {
                let (guest, link) = channel();
                (user.guest, host) = (Some(guest), Some(link));
            } else if journey == GUEST {
                user.host = host.take();
            } else if journey == LATE {
                user.key = start.keys().nth(number / GROUP / LATE_UNDER_A_KEY).cloned();
            }
            threads.push(thread::spawn(move || user.go(journey)));
        }
        for (process, server) in servers.iter().enumerate() {
            let user = User::new(self.users + process, server, &common);
            threads.push(thread::spawn(move || user.go(HOUSEKEEPING)));
        }
        for thread in threads {
            // A thread that panicked has ended the execution.
            let _ = thread.join();
        }
        let end = files.0.kernel().clone();
        findings(&common, &start, &end)
    }

    /// What is there at the start: a reservation for those who are late, and one to which nobody comes back. The
    /// documented protocol knows none.
    fn start(self) -> Slots {
        if self.server == Server::Documented {
            return Slots::new();
        }
        let keys = rules().keys;
        let late = (0..self.users).filter(|&number| journey(number) == LATE).count();
        let reserved = (late.div_ceil(LATE_UNDER_A_KEY) + 1) as u64;
        (0..reserved).map(|place| (keys.at(place).to_string(), Slot::Reserved { stale: true })).collect()
    }
}

/// What is wrong with what was answered, or with what is there in the end.
fn findings(common: &Common, start: &Slots, end: &Kernel) -> Vec<Finding> {
    let history = common.history();
    let violations = history.violations(start, Some(&slots(end)));
    let told =
        violations.into_iter().map(|violation| Finding { text: violation.to_string(), violation: Some(violation) });
    let strays = end.name_list().filter(|name| name.strip_suffix(".json").is_none() && !name.starts_with(".lock-"));
    let strays = strays.map(|name| Finding::of(format!("{name} is left behind.")));
    let open = (end.open_file_count() > 0).then(|| Finding::of("A file is left open.".to_owned()));
    told.chain(strays).chain(open).collect()
}

/// A server process of the hardened protocol, as it is when it has started.
fn hardened<F: FileSystem>(files: F) -> Hardened<F, Chance, ShuttleHint> {
    hardened_with(files, ShuttleHint::new(rules().keys))
}

fn hardened_with<F: FileSystem>(files: F, hint: ShuttleHint) -> Hardened<F, Chance, ShuttleHint> {
    let server = Hardened::new(files, Chance, hint, rules(), Durability::Process);
    ready(server.read_hint()).and_then(|read| read.map_err(std::io::Error::other)).expect("the folder can be read");
    server
}

/// Of five users two share a session, one has two sessions, one stays, and one is late.
fn journey(number: usize) -> Journey {
    match number % GROUP {
        0 => HOST,
        1 => GUEST,
        2 => ALONE,
        3 if number < MOST_LISTING => LISTING,
        3 => STAYING,
        _ => LATE,
    }
}

fn folder(start: &Slots) -> Kernel {
    let mut folder = Kernel::with_folder();
    folder.set_clock(LONG_AGO_MS);
    start.keys().for_each(|key| folder.place(&format!("{key}.json"), b"", true));
    folder.set_clock(NOW_MS);
    folder
}

/// What is under the keys of a folder. A file that is no whole document is shown as one that nobody can have written.
fn slots(folder: &Kernel) -> Slots {
    let slot = |name: &str| {
        let (content, stat) = (folder.content(name)?, folder.stat(name)?);
        if stat.reservation && content.is_empty() {
            return Some(Slot::Reserved { stale: stat.modified_ms < STALE_BEFORE_MS });
        }
        let torn =
            || Document { state: format!("(not whole) {}", String::from_utf8_lossy(content)), ..Document::default() };
        Some(Slot::Present(Document::parse(content).unwrap_or_else(torn)))
    };
    let keys = folder.name_list().filter_map(|name| Some((name.strip_suffix(".json")?.to_owned(), slot(name)?)));
    keys.collect()
}
