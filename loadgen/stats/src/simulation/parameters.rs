//! What a simulation is of.

use super::distribution::{Count, Distribution};
use crate::keys::KeySpace;
use serde::{Deserialize, Serialize};

/// Nanoseconds of a second: the simulated clock counts whole nanoseconds, so that rounding a service time of some
/// microseconds changes nothing that could be measured.
const NS_PER_S: f64 = 1e9;

/// No simulation covers more, warm-up included: ten years of nanoseconds are far from the end of a `u64`.
const LONGEST_S: f64 = 3_660.0 * 86_400.0;

/// No simulation has more users: each takes 40 bytes with its event, and a day of so many would take weeks.
const MOST_USERS: u32 = 100_000_000;

/// No folder has more keys: each takes a bit and is known by 32 bits. 36⁶ = 2,176,782,336 are fewer.
const MOST_KEYS: u64 = (1 << 32) - 1;

/// All that a simulation depends on, apart from its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Which keys there are.
    pub keys: KeySpace,
    /// How the server hands them out.
    pub protocol: Protocol,
    /// Who comes, and what they do.
    pub users: Users,
    /// Documents in the folder at the start.
    pub initial: Initial,
    /// What serves them.
    pub server: Server,
    /// How long before anything is counted, in seconds.
    pub warm_up_s: f64,
    /// How long is counted, in seconds.
    pub duration_s: f64,
    /// How many samples of the fill to take over that time, evenly.
    pub samples: u32,
}

/// How keys are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// A key is drawn from all until one is not in the folder, and is in the folder only from `instantiate` on.
    Documented {
        /// Draws of one request; then 503. The specification's are 100.
        max_attempts: u32,
    },
    /// A free key is known beforehand and is put into the folder at once: one attempt, and 503 only from a full folder.
    Hardened {
        /// A key not instantiated for so long, in seconds, is given back.
        reservation_ttl_s: f64,
    },
}

/// The users, alike all of them. A user has one session at a time: generate-key, the window, instantiate, restore, the
/// saves; away and back by the link (instantiate, restore, saves), as often as there are visits; then delete, or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Users {
    /// How many there are.
    pub count: u32,
    /// From the end of a session to the next `generate-key`, in seconds.
    pub think_s: Distribution,
    /// From the answer to `generate-key` to `instantiate`, in seconds.
    pub window_s: Distribution,
    /// Saves of a visit.
    pub saves: Count,
    /// From the answer to a restore or a save to the next save, or to the delete, in seconds.
    pub save_spacing_s: Distribution,
    /// Visits of a session, 1 or more.
    pub visits: Count,
    /// Between two visits of a session, in seconds.
    pub away_s: Distribution,
    /// The share of sessions that end by a delete. The others are abandoned: their documents stay.
    pub deleted_share: f64,
    /// How long an abandoned document stays until it is archived, in seconds.
    pub session_life_s: Distribution,
    /// How often a `generate-key` that is answered 503 is tried in all, before the user gives up and thinks. The
    /// browser client's are 3.
    pub start_tries: u8,
    /// Between two such tries, in seconds. The browser client's is 1.
    pub retry_pause_s: f64,
}

/// Documents that are there at the start, of nobody who still works on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initial {
    /// How many.
    pub documents: u64,
    /// Whether they are archived one after the other, evenly over the mean session life, as those of a service that has
    /// long been running are. Otherwise they stay.
    pub ages: bool,
}

/// The server: cores that take requests in the order of their arrival.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// How many requests are served at a time.
    pub cores: u32,
    /// `generate-key` without its attempts, in microseconds of a core.
    pub generate_key_us: Distribution,
    /// Each attempt of a `generate-key`, in microseconds of a core.
    pub attempt_us: f64,
    /// `instantiate`, in microseconds of a core.
    pub instantiate_us: Distribution,
    /// `restore`, in microseconds of a core.
    pub restore_us: Distribution,
    /// `save`, in microseconds of a core.
    pub save_us: Distribution,
    /// `delete`, in microseconds of a core.
    pub delete_us: Distribution,
    /// Locks that the keys share, each held by one `instantiate`, `save` or `delete` for all of its service: 64 on the
    /// hardened protocol. 0 for a lock a document, for which nobody waits who is alone on it.
    pub lock_shares: u32,
}

impl Parameters {
    /// What is wrong with them, if anything, and what to do about it.
    ///
    /// # Errors
    /// If they cannot be simulated as they are meant.
    pub fn check(&self) -> Result<(), String> {
        self.check_keys()?;
        self.check_users()?;
        self.check_server()?;
        for (name, seconds) in [("the warm-up", self.warm_up_s), ("the duration", self.duration_s)] {
            if !(0.0..=LONGEST_S).contains(&seconds) {
                return Err(format!("{name} is {seconds} s: choose from 0 to ten years"));
            }
        }
        if self.duration_s == 0.0 {
            return Err("the duration is 0 s: give some time to count in".into());
        }
        if self.warm_up_s + self.duration_s > LONGEST_S {
            return Err("warm-up and duration together are longer than ten years: give less".into());
        }
        Ok(())
    }

    /// About how many events it takes, where nobody has to wait: two a request, but one for a restore.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is meant"
    )]
    pub(super) fn events(&self) -> u64 {
        let users = &self.users;
        let (visits, saves) = (users.visits.mean(), users.saves.mean());
        let apart_s = visits * saves * users.save_spacing_s.mean() + (visits - 1.0) * users.away_s.mean();
        let session_s = users.think_s.mean() + users.window_s.mean() + apart_s;
        let events = 2.0 + visits * (3.0 + 2.0 * saves) + 2.0 * users.deleted_share;
        ((self.warm_up_s + self.duration_s) / session_s * events * f64::from(users.count)) as u64
    }

    fn check_keys(&self) -> Result<(), String> {
        let KeySpace { alphabet, length } = self.keys;
        let Some(size @ 1..=MOST_KEYS) = self.keys.count() else {
            return Err(format!("{alphabet}^{length} keys: from 1 to 2^32 - 1 can be simulated, such as 36^6"));
        };
        if self.initial.documents > size {
            return Err(format!("{} documents at the start are more than the {size} keys", self.initial.documents));
        }
        match self.protocol {
            Protocol::Documented { max_attempts: 0 } => Err("0 attempts find no key: give 1 or more".into()),
            Protocol::Hardened { reservation_ttl_s } if !(0.0..=LONGEST_S).contains(&reservation_ttl_s) => {
                Err(format!("a reservation of {reservation_ttl_s} s: choose from 0 to ten years"))
            }
            Protocol::Documented { .. } | Protocol::Hardened { .. } => Ok(()),
        }
    }

    fn check_users(&self) -> Result<(), String> {
        let users = &self.users;
        if !(1..=MOST_USERS).contains(&users.count) {
            return Err(format!("{} users: choose from 1 to {MOST_USERS}", users.count));
        }
        if users.visits.least() == 0 || users.start_tries == 0 {
            return Err("a session has a visit at least, and a start a try: give 1 or more of each".into());
        }
        if !(0.0..=1.0).contains(&users.deleted_share) {
            return Err(format!("{} of the sessions end by delete: give a share from 0 to 1", users.deleted_share));
        }
        Distribution::Fixed(users.retry_pause_s).check("retry_pause_s")?;
        users.think_s.check("think_s")?;
        users.window_s.check("window_s")?;
        users.save_spacing_s.check("save_spacing_s")?;
        users.away_s.check("away_s")?;
        users.session_life_s.check("session_life_s")
    }

    fn check_server(&self) -> Result<(), String> {
        let server = &self.server;
        if server.cores == 0 {
            return Err("a server of 0 cores answers nothing: give 1 or more".into());
        }
        Distribution::Fixed(server.attempt_us).check("attempt_us")?;
        server.generate_key_us.check("generate_key_us")?;
        server.instantiate_us.check("instantiate_us")?;
        server.restore_us.check("restore_us")?;
        server.save_us.check("save_us")?;
        server.delete_us.check("delete_us")?;
        let a_try_s = self.users.think_s.mean() + server.generate_key_us.mean() / 1e6;
        if a_try_s * NS_PER_S < 1.0 {
            return Err("starts that take no time at all never end: give a think time, or generate-key a time".into());
        }
        Ok(())
    }
}

/// Seconds, 0 or more, as the simulated clock's nanoseconds, rounded; what is longer than any simulation saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is meant")]
pub(super) fn nanoseconds(seconds: f64) -> u64 {
    (seconds * NS_PER_S + 0.5) as u64
}

/// The simulated clock's nanoseconds as seconds.
pub(super) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / NS_PER_S
}
