//! The simulation calibrated from measurements, and held to them.

use super::server::{Reserves, Server};
use crate::predict::median;
use record::figures::Percentiles;
use record::measurements::Users as UsersPoint;
use serde::Serialize;
use stats::keys::KeySpace;
use stats::simulation::{Calibration, Count, Distribution, Operation, Protocol, simulate};

/// Attempts of a request by the documented protocol.
const MAX_ATTEMPTS: u32 = 100;

/// Locks that the keys of the hardened reference server share.
const LOCK_SHARES: u32 = 64;

/// How long each number of users is simulated, in seconds; and before anything is counted.
const CHECKED_S: f64 = 2.0;
const WARM_UP_S: f64 = 0.2;

/// What a user of the measured mix does in a session beside four operations that begin and end it: the mix has a churn
/// of three operations to 24 restores and saves.
const SAVES_OF_THE_MIX: u16 = 23;

/// Throughput at one number of users, measured and simulated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// Users at once, none pausing.
    pub users: u32,
    /// Median of the rounds, a second.
    pub measured_per_s: f64,
    /// Simulated, a second.
    pub simulated_per_s: f64,
    /// Simulated above measured, as a share of measured.
    pub relative: f64,
    /// Whether the measured throughput still rises there, so that the simulation's cores can tell it.
    pub is_below_peak: bool,
}

impl Server {
    /// The protocol, as the simulation knows it. A server that is not known to reserve is taken not to.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self.reserves {
            Reserves::For(reservation_ttl_s) => Protocol::Hardened { reservation_ttl_s },
            Reserves::Nothing | Reserves::Unknown => Protocol::Documented { max_attempts: MAX_ATTEMPTS },
        }
    }

    /// What the simulation needs: service times are those of one user, whose requests wait for nobody; cores are the
    /// highest throughput times the mean of those; each attempt costs what the line of `generate-key` says.
    ///
    /// # Errors
    /// Where one user, the fills or throughput by users were not measured.
    pub fn calibration(&self, window_s: f64) -> Result<Calibration, String> {
        let alone = self.alone()?;
        let line = self.keys.as_ref().and_then(|keys| keys.time_us);
        let attempt_us = line.map_or(0.0, |line| line.slope.max(0.0));
        let one_attempt = self.one_attempt().ok_or("the time of generate-key by fill was not measured")?;
        let time = |name: &str| {
            let times = alone.operations.get(name).ok_or(format!("{name} was not measured with one user"))?;
            Ok::<_, String>(distribution(times, 0.0))
        };
        Ok(Calibration {
            cores: self.cores(alone)?,
            generate_key_us: distribution(&one_attempt, attempt_us),
            attempt_us,
            instantiate_us: time("instantiate")?,
            restore_us: time("restore")?,
            save_us: time("save")?,
            delete_us: time("delete")?,
            window_s: Distribution::Exponential(window_s),
            lock_shares: if matches!(self.reserves, Reserves::For(_)) { LOCK_SHARES } else { 0 },
        })
    }

    /// The measured numbers of users, simulated: as many users who do not pause, on the calibrated cores, with the
    /// service times that one user saw of all operations. Seeded, and the same for the same seed.
    ///
    /// # Errors
    /// Where one user or throughput by users was not measured.
    pub fn check_simulation(&self, seed: u64) -> Result<Vec<Checked>, String> {
        let alone = self.alone()?;
        let cores = self.cores(alone)?;
        let (peak_users, _) = self.peak().ok_or("throughput by users was not measured")?;
        self.users.iter().map(|point| self.checked(point, alone, cores, peak_users, seed)).collect()
    }

    fn checked(
        &self,
        point: &UsersPoint,
        alone: &UsersPoint,
        cores: u32,
        peak_users: f64,
        seed: u64,
    ) -> Result<Checked, String> {
        let all = Distribution::Quantiles(alone.response_us.iter().map(|(share, us)| (*share, *us as f64)).collect());
        let server = Calibration {
            cores,
            generate_key_us: all.clone(),
            attempt_us: 0.0,
            instantiate_us: all.clone(),
            restore_us: all.clone(),
            save_us: all.clone(),
            delete_us: all,
            window_s: Distribution::Fixed(0.0),
            lock_shares: 0,
        };
        let keys = KeySpace { alphabet: 36, length: 3 };
        let mut parameters = server.parameters(keys, self.protocol(), point.users);
        parameters.users.think_s = Distribution::Fixed(0.0);
        parameters.users.saves = Count::Fixed(SAVES_OF_THE_MIX);
        parameters.users.save_spacing_s = Distribution::Fixed(0.0);
        parameters.users.deleted_share = 1.0;
        (parameters.warm_up_s, parameters.duration_s) = (WARM_UP_S, CHECKED_S);
        let outcome = simulate(&parameters, seed)?;
        let of = |operation| outcome.operation(operation).map_or(0.0, |outcome| outcome.throughput_per_s);
        let simulated_per_s: f64 = Operation::ALL.into_iter().map(of).sum();
        let measured_per_s = median(&point.goodput_per_s);
        Ok(Checked {
            users: point.users,
            measured_per_s,
            simulated_per_s,
            relative: simulated_per_s / measured_per_s - 1.0,
            is_below_peak: f64::from(point.users) <= peak_users,
        })
    }

    fn alone(&self) -> Result<&UsersPoint, String> {
        let alone = self.users.first().filter(|point| point.users == 1);
        alone.ok_or_else(|| "service times need a measurement with one user: `loadgen measure` makes it".to_owned())
    }

    /// Requests that the server works on at a time: the highest throughput times the mean service time, to the nearest
    /// whole number, and one at least.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    fn cores(&self, alone: &UsersPoint) -> Result<u32, String> {
        Ok(self.most_at_a_time(alone)?.round().max(1.0) as u32)
    }

    fn most_at_a_time(&self, alone: &UsersPoint) -> Result<f64, String> {
        let (_, most_per_s) = self.peak().ok_or("throughput by users was not measured")?;
        Ok(most_per_s * median(&alone.mean_response_us) / 1e6)
    }

    /// Requests that the server works on at a time at its peak, by measurement, and the simulation's whole cores.
    ///
    /// # Errors
    /// Where one user or throughput by users was not measured.
    pub fn parallel(&self) -> Result<(f64, u32), String> {
        let alone = self.alone()?;
        Ok((self.most_at_a_time(alone)?, self.cores(alone)?))
    }
}

/// Measured times as a distribution, each less `less_us`. The least was not written down: it is such that the mean is
/// the measured one, as far as it can be.
fn distribution(times: &Percentiles, less_us: f64) -> Distribution {
    let points = [(0.5, times.p50), (0.9, times.p90), (0.99, times.p99), (0.999, times.p99_9), (1.0, times.max)];
    let mut points: Vec<(f64, f64)> = points.map(|(share, us)| (share, us as f64)).to_vec();
    let (half, median_us) = points[0];
    let above = Distribution::Quantiles(points.clone()).mean();
    let least_us = (2.0 * (times.mean - above) / half - median_us).clamp(0.0, median_us);
    points.insert(0, (0.0, least_us));
    Distribution::Quantiles(points.into_iter().map(|(share, us)| (share, (us - less_us).max(0.0))).collect())
}

#[cfg(test)]
mod tests;
