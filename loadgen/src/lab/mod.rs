//! A target made ready to be tried or loaded, and left as it was: users, keys of our own, a saves folder, time.
//!
//! - [`prepared_target`]: from the preflight to the clean-up.
//! - [`preflight`]: whether a target can be tried, and may be.
//! - `keys`: keys of our own. `users`: who acts at once. `fill`: documents in the saves folder.
//! - `shared`: what claims know from each other.
//! - [`load`]: a load on the target, for claims and comparisons.
//! - [`mod@clean_up`]: what is ours is removed at the end.
//! - [`stalls`]: when the harness itself was held up.

pub mod clean_up;
mod fill;
mod keys;
pub(crate) mod load;
pub mod preflight;
pub mod prepared_target;
mod shared;
pub mod stalls;
mod users;

use crate::reference::Launcher;
use crate::saves::{Fill, Filler};
use engine::client::ledger::Ledger;
use engine::client::{Patience, Target, User};
use engine::saves_folder::SavesFolder;
use fill::Freed;
use rand::SeedableRng;
use rand::rngs::StdRng;
use shared::Shared;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use keys::{Late, OPENING};
pub use prepared_target::{PreparedTarget, Settings, Subject};
pub use users::at_once;

/// Users of experiments that do not name their own number, if nothing else is asked for: the specification's hundred.
pub const DEFAULT_USERS: usize = 100;

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
    shared: Shared,
    /// By how much the time that a claim's own experiment looks for races is divided.
    time_divisor: AtomicU32,
    /// Users who keep their connections until they are needed again.
    idle_users: Mutex<Vec<User>>,
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
            shared: Shared::default(),
            time_divisor: AtomicU32::new(1),
            idle_users: Mutex::default(),
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

    /// How long races are looked for, by effort.
    #[must_use]
    pub fn lasting(&self, quick: Duration, default: Duration, full: Duration) -> Duration {
        self.effort.pick(quick, default, full) / self.time_divisor.load(Relaxed)
    }

    /// Divides the time of [`Lab::lasting`] from now on; 1 is all of it.
    pub fn divide_time(&self, divisor: u32) {
        self.time_divisor.store(divisor.max(1), Relaxed);
    }

    /// Starts the clock of a claim. The time is no longer divided, even if the experiment before was broken off.
    pub fn begin_claim(&self) {
        self.divide_time(1);
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
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is under these locks is whole between any two statements that hold them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use crate::lab::*;

    /// A run that was broken off in the middle of S9 had every later claim look for races in a quarter of its time.
    #[test]
    fn a_claim_has_all_its_time_though_one_before_was_broken_off_with_a_share_of_it() {
        let target = Target::new("http://127.0.0.1:1", "/api/{op}").expect("a target");
        let lab = Lab::new(target, None, 2, 1, Effort::Quick);
        let second = Duration::from_secs(1);
        lab.divide_time(4);
        assert_eq!(lab.lasting(second, second, second), second / 4);
        lab.begin_claim();
        assert_eq!(lab.lasting(second, second, second), second);
    }
}
