//! A target made ready to be tried or loaded, and left as it was: users, keys of our own, a saves folder, time.
//!
//! - [`preflight`]: whether a target can be tried, and may be.
//! - [`load`]: a load on the target, for claims and comparisons.
//! - [`mod@clean_up`]: what is ours is removed at the end.
//! - [`stalls`]: when the harness itself was held up.

pub mod clean_up;
pub(crate) mod load;
pub mod preflight;
pub mod stalls;

use crate::claims::attempts::Recommended;
use crate::print::stderr;
use crate::reference::{Launcher, Protocol};
use crate::saves::{Fill, Filler};
use contract::document::posted::OPENING_WRITER;
use contract::document::{Content, Document, REAL_STATE_BYTES};
use contract::key::{is_key, is_session_key, key_at};
use engine::client::Patience;
use engine::client::ledger::{Ledger, Ownership};
use engine::client::{Exchange, Target, User};
use engine::saves_folder::SavesFolder;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use record::claims::{ClaimId, Verdict};
use report::left_behind;
use stats::keys::THREE_CHARACTER_KEYS;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Barrier, OnceCell};
use tokio::task::JoinSet;

/// Users of experiments that do not name their own number, if nothing else is asked for: the specification's hundred.
pub const DEFAULT_USERS: usize = 100;

/// What is tried, measured or loaded.
#[derive(Debug)]
pub enum Subject {
    /// The reference server, embedded, with these protocols.
    Embedded(Vec<Protocol>),
    /// A server that is there.
    Server {
        /// Where.
        target: Box<Target>,
        /// Its saves folder, where that is known.
        saves: Option<SavesFolder>,
        /// Whether documents of others may be there.
        consent: bool,
    },
}

/// Writes a report down.
pub type Keep<'a, R> = &'a (dyn Fn(&R) -> anyhow::Result<()> + Sync);

/// How long an experiment may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Only what can be decided at once.
    Quick,
    /// What a run from end to end allows.
    Default,
    /// As long as certainty takes.
    Full,
}

impl Effort {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.pick("quick", "default", "full")
    }

    /// One of three settings.
    #[must_use]
    pub fn pick<T>(self, quick: T, default: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Default => default,
            Self::Full => full,
        }
    }

    /// The longest that an experiment that goes on until it is certain is given.
    #[must_use]
    pub fn limit(self) -> Duration {
        Duration::from_secs(self.pick(8, 10, 60))
    }
}

/// Why an experiment could not say anything: its verdict is inconclusive.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stuck(pub String);

impl From<std::io::Error> for Stuck {
    fn from(error: std::io::Error) -> Self {
        Self(format!("the saves folder cannot be used: {error}"))
    }
}

/// Users that give keys back, or fetch many, at once: enough to keep a server busy.
const PORTERS: usize = 48;

/// How often a server is asked for a key, or a key tried, before it is given up.
const KEY_TRIES: usize = 50;

/// When a server must know of keys that others freed in its folder: a second after they did, or a thousand keys later,
/// whichever comes last. It is given twice as much: a look at the folder that begins then takes its time.
const FREED_KEYS_KNOWN_AFTER: Duration = Duration::from_secs(2);
const FREED_KEYS_KNOWN_AFTER_KEYS: usize = 2_000;

/// What a session for all users holds at first.
pub const OPENING: Content = Content { writer: OPENING_WRITER, number: 0, size_bytes: REAL_STATE_BYTES };

/// Keys that we freed by removing documents from the saves folder, without a word to the server.
#[derive(Clone, Copy, Debug)]
struct Freed {
    at: Instant,
    /// Keys that the server has handed out since, as far as they were counted.
    keys_since: usize,
}

impl Freed {
    fn is_known(self, now: Instant) -> bool {
        now.duration_since(self.at) >= FREED_KEYS_KNOWN_AFTER && self.keys_since >= FREED_KEYS_KNOWN_AFTER_KEYS
    }
}

/// Everything that the experiments on one target share.
pub struct Lab {
    /// The target: one process.
    pub target: Arc<Target>,
    /// The target with every process that is known of it.
    pub service: Target,
    /// Its saves folder, where it is known.
    pub folder: Option<SavesFolder>,
    /// Where the target is a server that we started: how more of its kind are.
    pub launcher: Option<Launcher>,
    /// Whether there was no document when the run began.
    pub was_empty: bool,
    /// Whether a key that was handed out is reserved: it can be deleted without having been saved.
    pub reserves: bool,
    /// The users of experiments that do not name their own number.
    pub users: usize,
    /// What all randomness of the run comes from.
    pub seed: u64,
    /// How long experiments may take.
    pub effort: Effort,
    /// How long users wait.
    pub patience: Patience,
    /// The start of the run's clock.
    pub origin: Instant,
    /// Whether the target still answers, and which keys are ours.
    pub ledger: Arc<Ledger>,
    /// The documents put into the folder to fill it.
    pub filler: Mutex<Option<Filler>>,
    /// What the recommended maximum of sessions costs, once it was measured.
    pub(crate) recommended: OnceCell<Recommended>,
    /// The first keys that were drawn to see how they are distributed: K2 and O3 look at the same ones.
    pub(crate) sample: OnceCell<Vec<String>>,
    /// What was found of claims on this target, in this run.
    verdicts: Mutex<BTreeMap<ClaimId, Verdict>>,
    /// Into how many times as short a time races are looked for, compared with a claim's own experiment.
    haste: AtomicU32,
    seated: Mutex<Vec<User>>,
    /// The keys that were freed last, until every server must know of them.
    freed: Mutex<Option<Freed>>,
    /// When the experiment under way must come to its end.
    deadline: Mutex<Instant>,
}

impl Lab {
    /// A lab whose target has not been looked at yet.
    #[must_use]
    pub fn new(target: Target, folder: Option<SavesFolder>, users: usize, seed: u64, effort: Effort) -> Self {
        let filler = folder.clone().map(|folder| Filler::new(folder, seed, Fill::Links));
        Self {
            target: Arc::new(target.alone()),
            service: target,
            folder,
            launcher: None,
            was_empty: true,
            reserves: false,
            users,
            seed,
            effort,
            patience: Patience::default(),
            origin: Instant::now(),
            ledger: Arc::default(),
            filler: Mutex::new(filler),
            recommended: OnceCell::new(),
            sample: OnceCell::new(),
            verdicts: Mutex::default(),
            haste: AtomicU32::new(1),
            seated: Mutex::default(),
            freed: Mutex::default(),
            deadline: Mutex::new(Instant::now() + effort.limit()),
        }
    }

    /// A lab beside this one, on a server of its own or with all processes of this one, which its users are spread
    /// over. It has a ledger of its own.
    #[must_use]
    pub fn beside(&self, target: Target, folder: Option<SavesFolder>) -> Self {
        Self {
            target: Arc::new(target.clone()),
            reserves: self.reserves,
            was_empty: self.was_empty,
            patience: self.patience,
            origin: self.origin,
            ..Self::new(target, folder, self.users, self.seed, self.effort)
        }
    }

    /// Enters what was found of a claim.
    pub fn note_verdict(&self, id: ClaimId, verdict: Verdict) {
        lock(&self.verdicts).insert(id, verdict);
    }

    /// What was found of a claim, where it was tried before.
    #[must_use]
    pub fn verdict(&self, id: ClaimId) -> Option<Verdict> {
        lock(&self.verdicts).get(&id).copied()
    }

    /// How long races are looked for, by effort.
    #[must_use]
    pub fn lasting(&self, quick: Duration, default: Duration, full: Duration) -> Duration {
        self.effort.pick(quick, default, full) / self.haste.load(Relaxed)
    }

    /// Has races be looked for in a fraction of the time from now on: 1 is all of it.
    pub fn hurry(&self, haste: u32) {
        self.haste.store(haste.max(1), Relaxed);
    }

    /// Starts the clock of a claim. An experiment that was broken off in a hurry must not hurry the next.
    pub fn begin_claim(&self) {
        self.hurry(1);
        self.allow(self.effort.limit());
        self.ledger.begin_claim();
    }

    /// Gives the experiment under way so much time from now, where it needs more, or less, than others.
    pub fn allow(&self, time: Duration) {
        *lock(&self.deadline) = Instant::now() + time;
    }

    /// Whether the experiment under way may go on.
    #[must_use]
    pub fn has_time(&self) -> bool {
        Instant::now() < *lock(&self.deadline)
    }

    /// As [`Lab::has_time`], for experiments that are worth nothing when they are not finished.
    ///
    /// # Errors
    /// Where there is no time left.
    pub fn needs_time(&self) -> Result<(), Stuck> {
        if self.has_time() { Ok(()) } else { Err(Stuck("the target is too slow: the time ran out".to_owned())) }
    }

    /// Randomness of its own for a purpose: the same seed gives the same numbers.
    #[must_use]
    pub fn random(&self, purpose: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A user with a connection of its own.
    #[must_use]
    pub fn user(&self, number: usize) -> User {
        User::new(number, Arc::clone(&self.target), self.patience, self.origin, Arc::clone(&self.ledger))
    }

    /// Users numbered from 0.
    #[must_use]
    pub fn crowd(&self, users: usize) -> Vec<User> {
        (0..users).map(|number| self.user(number)).collect()
    }

    /// The saves folder.
    ///
    /// # Errors
    /// Where it is not known.
    pub fn folder(&self) -> Result<&SavesFolder, Stuck> {
        self.folder.as_ref().ok_or_else(|| Stuck("the saves folder is not known".to_owned()))
    }

    /// Fills the folder to so many documents, on a thread of its own. Of what is beyond, the fill's own documents are
    /// taken away.
    ///
    /// # Errors
    /// Where the folder is not known or cannot be written, or others have more documents in it.
    pub async fn fill_to(self: &Arc<Self>, documents: usize) -> Result<(), Stuck> {
        let lab = Arc::clone(self);
        let filling = tokio::task::spawn_blocking(move || match lock(&lab.filler).as_mut() {
            Some(filler) => lab.noting_freed_keys(filler, |filler| filler.fill_to(documents)).map_err(Stuck::from),
            None => Err(Stuck("the saves folder is not known".to_owned())),
        });
        match filling.await.unwrap_or_else(|lost| Err(Stuck(lost.to_string())))? {
            there if there == documents => Ok(()),
            there => Err(Stuck(format!("the folder could not be brought to {documents} documents: it holds {there}"))),
        }
    }

    /// Takes the fill's documents away, on a thread of its own.
    ///
    /// # Errors
    /// Where one cannot be removed.
    pub async fn empty_fill(self: &Arc<Self>) -> Result<(), Stuck> {
        let lab = Arc::clone(self);
        let emptying = tokio::task::spawn_blocking(move || match lock(&lab.filler).as_mut() {
            Some(filler) => lab.noting_freed_keys(filler, Filler::empty),
            None => Ok(()),
        });
        Ok(emptying.await.map_err(|lost| Stuck(lost.to_string()))??)
    }

    fn noting_freed_keys<T>(&self, filler: &mut Filler, change: impl FnOnce(&mut Filler) -> T) -> T {
        let before = filler.filled();
        let outcome = change(filler);
        if filler.filled() < before {
            *lock(&self.freed) = Some(Freed { at: Instant::now(), keys_since: 0 });
        }
        outcome
    }

    /// Whether a server may not know yet of keys that we freed in its folder: [`FREED_KEYS_KNOWN_AFTER`].
    #[must_use]
    pub fn has_freed_keys_lately(&self) -> bool {
        let mut freed = lock(&self.freed);
        *freed = freed.filter(|freed| !freed.is_known(Instant::now()));
        freed.is_some()
    }

    /// How many documents the folder is filled with.
    #[must_use]
    pub fn filled(&self) -> usize {
        lock(&self.filler).as_ref().map_or(0, Filler::filled)
    }

    /// Keys of our own, not yet instantiated: handed out by the server, or, where it hands out none that we do not
    /// have, found free.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn new_keys(&self, count: usize) -> Result<Vec<String>, Stuck> {
        let mut user = self.user(0);
        let mut keys = Vec::new();
        while keys.len() < count {
            keys.push(self.new_key(&mut user).await?);
        }
        Ok(keys)
    }

    /// One key of our own.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn new_key(&self, user: &mut User) -> Result<String, Stuck> {
        let mut answer = "only keys that are in use".to_owned();
        for _ in 0..KEY_TRIES {
            let known = self.ledger.keys();
            let asked = user.generate_key().await;
            let Some(key) = asked.key_handed_out().filter(|key| is_key(key)) else {
                answer = asked.step().got;
                break;
            };
            // A server that hands out used keys must not have us write to a stranger's document, where there are any.
            if known.binary_search(&key).is_err() {
                // A key of another length is used where the server knows it: one that refuses it then blames nobody else.
                if self.was_empty && is_session_key(&key) || self.is_free(user, &key).await {
                    return Ok(key);
                }
                answer = format!("{key}, which cannot be used");
                self.ledger.disown(&[key]);
            }
        }
        let mut random = self.random(self.ledger.keys().len() as u64);
        for _ in 0..KEY_TRIES {
            let key = key_at(random.random_range(0..THREE_CHARACTER_KEYS));
            if self.ledger.ownership(&key).is_none() && self.is_free(user, &key).await {
                self.ledger.own(&key, Ownership::Handed);
                return Ok(key);
            }
        }
        Err(Stuck(format!("no key to work with: generate-key answers {answer}, and no key tried at random is free")))
    }

    /// A session with a document, for all users of a load: its writer is none of theirs.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn open_session(&self) -> Result<String, Stuck> {
        let mut user = self.user(0);
        let key = self.new_key(&mut user).await?;
        let created = user.instantiate(&key, OPENING.type_slug(), &OPENING.state()).await;
        if created.is_success() {
            return Ok(key);
        }
        Err(Stuck(format!("the session for all users could not be opened: {}", created.step())))
    }

    /// Whether restore says that nothing is saved under a key.
    async fn is_free(&self, user: &mut User, key: &str) -> bool {
        user.restore(key).await.refusal().is_some_and(|(status, _)| status == 404)
    }

    /// Gives keys back: deletes what we wrote under them, and, where the server reserves keys, those that were only
    /// handed out; elsewhere such a key is nobody's, and could be a stranger's by now. A key whose delete is refused or has
    /// no clear response is noted: a document may be left.
    pub async fn give_back(&self, keys: &[String]) {
        let to_delete: Arc<[String]> = keys.iter().filter(|key| self.may_delete(key)).cloned().collect();
        let (was_empty, porters) = (self.was_empty, PORTERS.min(to_delete.len()));
        let shared = Arc::clone(&to_delete);
        let ledger = Arc::clone(&self.ledger);
        let done = at_once(self.regulars(porters), move |mut user, number| {
            let (keys, ledger) = (Arc::clone(&shared), Arc::clone(&ledger));
            async move {
                for key in keys.iter().skip(number).step_by(porters) {
                    // Where others have documents, a key handed out may be one of theirs, if the server is faulty.
                    let is_ours = was_empty || user.wrote(key) || user.restore(key).await.status() == Some(404);
                    if is_ours && !is_deleted(&user.delete(key).await) {
                        ledger.note_open_write(key);
                    }
                    ledger.disown(std::slice::from_ref(key));
                }
                user
            }
        });
        self.seat(done.await);
        if self.was_empty
            && let Some(folder) = &self.folder
        {
            // A server that keeps what it says it deleted must not fill up the folder under the next experiment.
            for key in to_delete.iter() {
                // Nothing is there, as a rule.
                let _ = std::fs::remove_file(folder.document_path(key));
            }
        }
        self.ledger.disown(keys);
    }

    /// Deletes what may be left under keys that were given back. Such a key may have another owner by now, so only a
    /// document of our own making goes, and none that the folder is filled with.
    pub async fn give_back_late_writes(&self) -> Late {
        let mut user = self.user(0);
        let mut late = Late::default();
        for key in self.ledger.open_writes() {
            let is_fill = |filler: &Filler| filler.keys().contains(&key);
            if lock(&self.filler).as_ref().is_some_and(is_fill) {
                continue;
            }
            let restored = user.restore(&key).await;
            if is_missing(&restored) {
                continue;
            }
            let document = restored.data().and_then(|data| Document::parse(data.get()));
            match document.map(|document| document.content().is_some()) {
                Some(true) if is_deleted(&user.delete(&key).await) => {}
                Some(false) => late.theirs.push(key),
                _ => late.left.push(key),
            }
        }
        late
    }

    /// The keys under which a document of ours may be: what a clean-up has to remove.
    #[must_use]
    pub fn may_be_left(&self) -> Vec<String> {
        let held = self.ledger.keys().into_iter().filter(|key| self.may_delete(key));
        let all: BTreeSet<String> = held.chain(self.ledger.open_writes()).collect();
        all.into_iter().collect()
    }

    /// Prints what may be left on the target to standard error, where there is no report to have it.
    pub fn print_left_behind(&self, keys: &[String]) {
        let command = left_behind::command(&self.target.delete_url_to_give(), keys);
        for line in left_behind::lines(keys, command.as_deref(), self.target.url().as_str()) {
            stderr!("{line}");
        }
    }

    fn may_delete(&self, key: &str) -> bool {
        is_key(key) && (self.reserves || self.ledger.ownership(key) == Some(Ownership::Written))
    }

    /// Asks for so many keys with so many users at once, or fewer when the time runs out; answers every exchange.
    pub async fn ask_for_keys(&self, users: usize, keys: usize) -> Vec<Exchange> {
        let deadline = *lock(&self.deadline);
        let share = keys.div_ceil(users);
        let asked = at_once(self.regulars(users), |mut user, number| async move {
            let mut asked = Vec::with_capacity(share);
            while asked.len() < share.min(keys.saturating_sub(number * share)) && Instant::now() < deadline {
                asked.push(user.generate_key().await);
            }
            (user, asked)
        });
        let (users, asked): (Vec<User>, Vec<Vec<Exchange>>) = asked.await.into_iter().unzip();
        self.seat(users);
        let asked: Vec<Exchange> = asked.into_iter().flatten().collect();
        if let Some(freed) = lock(&self.freed).as_mut() {
            freed.keys_since += asked.iter().filter(|exchange| exchange.key_handed_out().is_some()).count();
        }
        asked
    }

    /// As [`Lab::ask_for_keys`]; the keys are given back, so that the folder is as it was.
    pub async fn borrow_keys(&self, users: usize, keys: usize) -> Vec<Exchange> {
        let asked = self.ask_for_keys(users, keys).await;
        let handed: Vec<String> = asked.iter().filter_map(Exchange::key_handed_out).collect();
        self.give_back(&handed).await;
        asked
    }

    /// Users, numbered from 0, who keep their connections between the rounds of an experiment.
    fn regulars(&self, users: usize) -> Vec<User> {
        let mut seated = lock(&self.seated);
        let mut regulars: Vec<User> = std::mem::take(&mut *seated);
        *seated = regulars.split_off(users.min(regulars.len()));
        drop(seated);
        regulars.extend((regulars.len()..users).map(|number| self.user(number)));
        regulars
    }

    fn seat(&self, users: Vec<User>) {
        let mut seated = lock(&self.seated);
        seated.extend(users);
        seated.sort_by_key(User::number);
        seated.dedup_by_key(|user| user.number());
    }
}

/// Has all users act at once: each on a task of its own, none before all are ready. Answers in the users' order.
/// Dropping the future ends them all.
///
/// # Panics
/// Where an act panics.
pub async fn at_once<T, F, A>(users: Vec<User>, act: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(User, usize) -> A,
    A: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(Barrier::new(users.len()));
    let mut acts = JoinSet::new();
    for (number, user) in users.into_iter().enumerate() {
        let (act, ready) = (act(user, number), Arc::clone(&ready));
        acts.spawn(async move {
            ready.wait().await;
            (number, act.await)
        });
    }
    let mut outputs = acts.join_all().await;
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// Documents that may be left under keys that were given back.
#[derive(Debug, Default)]
pub struct Late {
    /// Keys under which one of ours is, or may be.
    pub left: Vec<String>,
    /// Keys under which another owner has a document by now.
    pub theirs: Vec<String>,
}

/// Whether nothing is under a key any more, by the response to its delete.
fn is_deleted(deleted: &Exchange) -> bool {
    deleted.is_success() || is_missing(deleted)
}

/// Whether the response says that nothing is saved under a key, or that it can be none.
fn is_missing(exchange: &Exchange) -> bool {
    exchange.refusal().is_some_and(|(status, _)| matches!(status, 400 | 404))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is under these locks is whole between any two statements that hold them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use crate::lab::*;

    #[test]
    fn a_server_must_know_of_freed_keys_after_both_a_time_and_a_number_of_keys() {
        let at = Instant::now();
        let is_known = |after: Duration, keys_since| Freed { at, keys_since }.is_known(at + after);
        let (short, long) = (Duration::from_millis(1_999), Duration::from_secs(2));
        assert_eq!([is_known(short, 9_999), is_known(long, 1_999), is_known(long, 2_000)], [false, false, true]);
    }

    /// A run that was broken off in the middle of S9 had every later claim look for races in a quarter of its time.
    #[test]
    fn a_claim_has_all_its_time_though_one_before_was_broken_off_in_a_hurry() {
        let target = Target::new("http://127.0.0.1:1", "/api/{op}").expect("a target");
        let lab = Lab::new(target, None, 2, 1, Effort::Quick);
        let second = Duration::from_secs(1);
        lab.hurry(4);
        assert_eq!(lab.lasting(second, second, second), second / 4);
        lab.begin_claim();
        assert_eq!(lab.lasting(second, second, second), second);
    }
}
