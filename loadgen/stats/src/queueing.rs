//! Users who wait for one another: a closed queueing network of users who think, cores that compute and one lock.
//!
//! The lock is one document's: users of different documents do not wait for each other's. Times at a core and under
//! the lock are taken to be exponential, which makes the formulas exact; constant times queue less. Thinking may be
//! distributed in any way.

/// Users who think and then hold one lock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneLock {
    /// Mean time, in seconds, that a user thinks between operations.
    pub think_s: f64,
    /// Mean time, in seconds, that an operation holds the lock.
    pub hold_s: f64,
}

/// What so many users see in a steady state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many users there are, thinking or not.
    pub users: usize,
    /// Operations answered a second.
    pub throughput_per_s: f64,
    /// Mean time, in seconds, from call to answer.
    pub response_s: f64,
    /// Mean number of users at the lock, its holder included.
    pub at_lock: f64,
    /// Share of time that the lock is held.
    pub lock_utilisation: f64,
}

/// What no distribution of the times can pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Throughput a second where nobody ever waits, or the lock is always held.
    pub most_per_s: f64,
    /// Throughput a second where each always waits for all others.
    pub least_per_s: f64,
    /// Least mean time, in seconds, from call to answer.
    pub least_response_s: f64,
}

impl OneLock {
    /// The loads of 1 to `users` users, by mean value analysis: whoever comes to the lock finds it as one user fewer
    /// would leave it.
    #[must_use]
    pub fn loads(self, users: usize) -> Vec<Load> {
        let mut at_lock = 0.0;
        let load = |users| {
            let response_s = self.hold_s * (1.0 + at_lock);
            let throughput_per_s = users as f64 / (self.think_s + response_s);
            at_lock = throughput_per_s * response_s;
            Load { users, throughput_per_s, response_s, at_lock, lock_utilisation: throughput_per_s * self.hold_s }
        };
        (1..=users).map(load).collect()
    }

    /// Bounds that hold for times of any distribution.
    #[must_use]
    pub fn bounds(self, users: usize) -> Bounds {
        TwoStations { think_s: self.think_s, cores: 1, core_s: 0.0, hold_s: self.hold_s }.bounds(users)
    }

    /// The number of users from which some must wait, however well they take turns: (Z + s) / s.
    #[must_use]
    pub fn knee_users(self) -> f64 {
        (self.think_s + self.hold_s) / self.hold_s
    }
}

/// Users who think, then compute on one of several cores, then hold one lock.
///
/// Whoever holds the lock is not counted at a core: what an operation computes under the lock belongs to `hold_s`
/// alone, and where the cores are busy it takes longer than this says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoStations {
    /// Mean time, in seconds, that a user thinks between operations.
    pub think_s: f64,
    /// Cores, with one queue for all.
    pub cores: u32,
    /// Mean time, in seconds, that an operation takes on a core.
    pub core_s: f64,
    /// Mean time, in seconds, that an operation holds the lock.
    pub hold_s: f64,
}

/// What so many users see with cores and a lock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StationsLoad {
    /// Operations, response and the lock.
    pub load: Load,
    /// Mean number of users at the cores, those computing included.
    pub at_cores: f64,
    /// Share of the cores' time that is used.
    pub core_utilisation: f64,
}

impl TwoStations {
    /// The loads of 1 to `users` users, exactly, from the network's normalisation constants (Buzen's convolution, kept
    /// as logarithms, as they leave the range of numbers). Time grows with the square of the users: a thousand take
    /// some 10 ms; for 10⁵ and more use [`TwoStations::bounds`].
    #[must_use]
    pub fn loads(self, users: usize) -> Vec<StationsLoad> {
        let off_lock = self.log_weights_off_lock(users);
        let all = with_single_server(&off_lock, self.hold_s.ln());
        (1..=users).map(|users| self.load(users, &all)).collect()
    }

    /// The load of so many users, from the constants G(0) to G(users): throughput is G(n − 1) / G(n).
    fn load(self, users: usize, all: &[f64]) -> StationsLoad {
        let throughput_per_s = (all[users - 1] - all[users]).exp();
        let response_s = users as f64 / throughput_per_s - self.think_s;
        // At least k users are at a station of one server with the chance s^k G(n − k) / G(n).
        let at_least = |k: usize| (k as f64 * self.hold_s.ln() + all[users - k] - all[users]).exp();
        let at_lock: f64 = (1..=users).map(at_least).sum();
        let lock_utilisation = throughput_per_s * self.hold_s;
        StationsLoad {
            load: Load { users, throughput_per_s, response_s, at_lock, lock_utilisation },
            at_cores: throughput_per_s * response_s - at_lock,
            core_utilisation: throughput_per_s * self.core_s / f64::from(self.cores),
        }
    }

    /// Logarithms of the summed weights of all states with n users thinking or at the cores, for n from 0.
    fn log_weights_off_lock(self, users: usize) -> Vec<f64> {
        let thinking = log_weights(users, self.think_s, |n| n as f64);
        let computing = log_weights(users, self.core_s, |n| (n as f64).min(f64::from(self.cores)));
        (0..=users).map(|n| log_sum(&(0..=n).map(|k| thinking[k] + computing[n - k]).collect::<Vec<_>>())).collect()
    }

    /// Bounds that hold for times of any distribution.
    #[must_use]
    pub fn bounds(self, users: usize) -> Bounds {
        let n = users as f64;
        let alone_s = self.core_s + self.hold_s;
        let busiest_s = self.hold_s.max(self.core_s / f64::from(self.cores));
        Bounds {
            most_per_s: (n / (self.think_s + alone_s)).min(1.0 / busiest_s),
            least_per_s: n / (self.think_s + n * alone_s),
            least_response_s: alone_s.max(n * busiest_s - self.think_s),
        }
    }

    /// The number of users from which some must wait, however well they take turns.
    #[must_use]
    pub fn knee_users(self) -> f64 {
        (self.think_s + self.core_s + self.hold_s) / self.hold_s.max(self.core_s / f64::from(self.cores))
    }
}

/// Logarithms of a station's weights with n users, for n from 0: each user adds its mean time, shared by as many
/// servers as are at work then.
fn log_weights(users: usize, mean_s: f64, servers_at_work: impl Fn(usize) -> f64) -> Vec<f64> {
    let add = |sum: &mut f64, n: usize| {
        *sum += if n == 0 { 0.0 } else { (mean_s / servers_at_work(n)).ln() };
        Some(*sum)
    };
    (0..=users).scan(0.0, add).collect()
}

/// Adds a station of one server: G(n) = g(n) + s G(n − 1).
fn with_single_server(without: &[f64], log_mean_s: f64) -> Vec<f64> {
    let add = |sum: &mut f64, &weight: &f64| {
        *sum = log_sum(&[weight, log_mean_s + *sum]);
        Some(*sum)
    };
    without.iter().scan(f64::NEG_INFINITY, add).collect()
}

/// The logarithm of a sum of numbers given by their logarithms.
fn log_sum(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        largest
    } else {
        largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
    }
}

/// Little's law as a check of a measurement: how far the users accounted for, X (R + Z), are from the users that there
/// were, as a share. Near 0 where throughput, response and thinking belong to one steady state; −0.1 says that a tenth
/// of the users' time went elsewhere.
#[must_use]
pub fn little_deviation(users: f64, throughput_per_s: f64, response_s: f64, think_s: f64) -> f64 {
    throughput_per_s * (response_s + think_s) / users - 1.0
}

#[cfg(test)]
mod tests;
