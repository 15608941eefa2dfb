//! From measured figures to parameters.

use super::distribution::{Count, Distribution};
use super::parameters::{Initial, Parameters, Protocol, Server, Users};
use crate::keys::KeySpace;
use serde::{Deserialize, Serialize};

/// What a run on a real server says that a simulation of it needs.
///
/// Service times are those of a server that nobody waits for: taken with one request at a time, or worked out from a
/// busy server's by `cores × utilisation / throughput`. Times that hold queueing already would be queued for twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Requests that the server works on at a time: the throughput at saturation times the mean service time, where the
    /// machine's cores are not known.
    pub cores: u32,
    /// `generate-key` without its attempts, in microseconds: the `a` of a fit of time = a + b · attempts. Its
    /// distribution is that of the times at the least number of attempts, less b times that number.
    pub generate_key_us: Distribution,
    /// Each attempt of `generate-key`, in microseconds: the `b` of that fit.
    pub attempt_us: f64,
    /// `instantiate`, in microseconds.
    pub instantiate_us: Distribution,
    /// `restore`, in microseconds.
    pub restore_us: Distribution,
    /// `save`, in microseconds.
    pub save_us: Distribution,
    /// `delete`, in microseconds.
    pub delete_us: Distribution,
    /// From the answer to `generate-key` to the next `instantiate` of the same user, in seconds.
    pub window_s: Distribution,
    /// Locks shared by the keys: 64 for the reference server's hardened protocol, 0 for the documented one.
    pub lock_shares: u32,
}

/// The browser client saves two seconds after a burst of changes, of which each lasts 0.3 s on average and begins 0.5 s
/// after the save before.
const JOURNEY_SPACING_S: f64 = 2.8;

/// Between two visits of the journey: 1 to 5 s.
const JOURNEY_AWAY_S: [(f64, f64); 2] = [(0.0, 1.0), (1.0, 5.0)];

/// The specification archives what has not been saved for 30 days.
const SESSION_LIFE_S: f64 = 30.0 * 86_400.0;

/// The browser client's start: three tries in all, a second apart.
const START_TRIES: u8 = 3;
const RETRY_PAUSE_S: f64 = 1.0;

/// How long is simulated unless told otherwise: a day, after an hour in which the users spread out.
const DURATION_S: f64 = 86_400.0;
const WARM_UP_S: f64 = 3_600.0;

/// Points of the fill's curve unless told otherwise.
const SAMPLES: u32 = 100;

impl Calibration {
    /// The measured server.
    #[must_use]
    pub fn server(&self) -> Server {
        Server {
            cores: self.cores,
            generate_key_us: self.generate_key_us.clone(),
            attempt_us: self.attempt_us,
            instantiate_us: self.instantiate_us.clone(),
            restore_us: self.restore_us.clone(),
            save_us: self.save_us.clone(),
            delete_us: self.delete_us.clone(),
            lock_shares: self.lock_shares,
        }
    }

    /// A day of so many users of the browser client on the measured server, from an empty folder. Each has a session an
    /// hour, with a visit of three saves, and abandons it for 30 days; every field can be set otherwise afterwards.
    #[must_use]
    pub fn parameters(&self, keys: KeySpace, protocol: Protocol, users: u32) -> Parameters {
        Parameters {
            keys,
            protocol,
            users: Users {
                count: users,
                think_s: Distribution::Exponential(3_600.0),
                window_s: self.window_s.clone(),
                saves: Count::Fixed(3),
                save_spacing_s: Distribution::Fixed(JOURNEY_SPACING_S),
                visits: Count::Fixed(1),
                away_s: Distribution::Quantiles(JOURNEY_AWAY_S.to_vec()),
                deleted_share: 0.0,
                session_life_s: Distribution::Fixed(SESSION_LIFE_S),
                start_tries: START_TRIES,
                retry_pause_s: RETRY_PAUSE_S,
            },
            initial: Initial::default(),
            server: self.server(),
            warm_up_s: WARM_UP_S,
            duration_s: DURATION_S,
            samples: SAMPLES,
        }
    }
}
