//! The Universal Scalability Law (Gunther), fitted to throughput measured by users:
//! X(N) = λN / (1 + σ(N − 1) + κN(N − 1)).
//!
//! λ is what one user alone gets, σ the share of the work that is done one at a time, κ the cost of each pair's keeping
//! each other up to date. The law describes; it is no proof that any of these is the cause.

mod bootstrap;

use super::beyond;
use super::least_squares::{Equation, dot, non_negative};
use super::statistics::mean;
pub use bootstrap::{Bootstrap, RESAMPLES};

/// Different numbers of users that a fit needs at least: as many as it has unknowns. Six or more are sensible.
pub const LEAST_POINTS: usize = 3;

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Not enough different numbers of users.
    #[error("measured at {found} different numbers of users; a fit needs {LEAST_POINTS}: measure at more")]
    TooFewPoints {
        /// How many there were.
        found: usize,
    },
    /// A measurement that no throughput can be.
    #[error("throughput of {throughput_per_s} a second at {users} users: leave out runs without an answer")]
    NoThroughput {
        /// At so many users.
        users: f64,
        /// What was given.
        throughput_per_s: f64,
    },
    /// The curve that comes nearest has no finite λ.
    #[error("the measurements do not tell what one user alone would get: measure at 1 user too")]
    NoStart,
    /// Only one round at a number of users: nothing to tell chance by.
    #[error("one round only at {users} users: an interval needs two or more")]
    OneRound {
        /// At so many users.
        users: f64,
    },
}

/// Throughput at one number of users, measured in several rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Users, 1 or more.
    pub users: f64,
    /// Operations a second, one value a round.
    pub rounds_per_s: Vec<f64>,
}

/// The law's three figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// λ: operations a second of one user alone.
    pub lambda_per_s: f64,
    /// σ: contention, 0 or more.
    pub sigma: f64,
    /// κ: the cost of coherence, 0 or more.
    pub kappa: f64,
}

impl Law {
    /// Operations a second of so many users.
    #[must_use]
    pub fn throughput_per_s(self, users: f64) -> f64 {
        let others = users - 1.0;
        self.lambda_per_s * users / (1.0 + self.sigma * others + self.kappa * users * others)
    }

    /// The number of users beyond which throughput falls: √((1 − σ) / κ), at least 1. `None` where it never falls.
    #[must_use]
    pub fn peak_users(self) -> Option<f64> {
        if self.sigma > 1.0 {
            return Some(1.0);
        }
        (self.kappa > 0.0).then(|| ((1.0 - self.sigma) / self.kappa).sqrt().max(1.0))
    }
}

/// How far one number of users lies off the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Users.
    pub users: f64,
    /// Mean of the rounds, operations a second.
    pub measured_per_s: f64,
    /// What the law says, operations a second.
    pub fitted_per_s: f64,
}

impl Residual {
    /// Measured above fitted, as a share of fitted.
    #[must_use]
    pub fn relative(self) -> f64 {
        self.measured_per_s / self.fitted_per_s - 1.0
    }
}

/// A law, with the measurements it was fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The law.
    pub law: Law,
    points: Vec<Point>,
}

impl Fitted {
    /// Fits the law by least squares on relative errors (of logarithms, so that half and twice as much are as wrong as
    /// each other); every round counts as much as any other.
    ///
    /// # Errors
    /// Fewer than [`LEAST_POINTS`] different numbers of users, a throughput that is not positive, or none that tells λ.
    pub fn to(points: &[Point]) -> Result<Self, FitError> {
        check(points)?;
        let rounds = points.iter().flat_map(|point| point.rounds_per_s.iter().map(|&round| (point.users, round)));
        let law = fit(&rounds.collect::<Vec<_>>()).ok_or(FitError::NoStart)?;
        Ok(Self { law, points: points.to_vec() })
    }

    /// How many times the largest measured number of users this is; 1 where it is not beyond. A prediction beyond is
    /// an extrapolation, to be marked as one.
    #[must_use]
    pub fn extrapolates(&self, users: f64) -> f64 {
        beyond(users, self.points.iter().map(|point| point.users).fold(0.0, f64::max))
    }

    /// How far each number of users lies off the curve, in the order given.
    #[must_use]
    pub fn residuals(&self) -> Vec<Residual> {
        let residual = |point: &Point| Residual {
            users: point.users,
            measured_per_s: mean(&point.rounds_per_s).unwrap_or(f64::NAN),
            fitted_per_s: self.law.throughput_per_s(point.users),
        };
        self.points.iter().map(residual).collect()
    }
}

/// Refuses measurements that no fit can be made of.
fn check(points: &[Point]) -> Result<(), FitError> {
    for point in points {
        let wrong = |&throughput: &f64| !(throughput.is_finite() && throughput > 0.0);
        if let Some(&throughput_per_s) = point.rounds_per_s.iter().find(|&round| wrong(round)) {
            return Err(FitError::NoThroughput { users: point.users, throughput_per_s });
        }
    }
    let mut users: Vec<f64> =
        points.iter().filter(|point| !point.rounds_per_s.is_empty()).map(|point| point.users).collect();
    users.sort_by(f64::total_cmp);
    users.dedup();
    if users.len() < LEAST_POINTS { Err(FitError::TooFewPoints { found: users.len() }) } else { Ok(()) }
}

/// Fits the law to pairs of users and operations a second.
///
/// N / X(N) = a + b(N − 1) + cN(N − 1) is linear in a = 1/λ, b = σ/λ and c = κ/λ. The first step solves that with each
/// equation divided by the measured N / X; the others (Gauss and Newton's) divide by the curve found so far, with the
/// logarithm of what it is off by as the error.
fn fit(measured: &[(f64, f64)]) -> Option<Law> {
    /// Each step gains digits, so that a handful is enough; where they go round in circles, this ends it.
    const MOST_STEPS: usize = 30;
    /// The share of the curve below which another step changes nothing that is printed.
    const SETTLED: f64 = 1e-10;
    let mut curve = step(measured, |users, throughput_per_s, _| users / throughput_per_s, [0.0; 3])?;
    for _ in 0..MOST_STEPS {
        let next = step(measured, |_, _, fitted| fitted, curve)?;
        let moves = |users: f64| (dot(terms(users), next) / dot(terms(users), curve) - 1.0).abs();
        let settled = measured.iter().all(|&(users, _)| moves(users) < SETTLED);
        curve = next;
        if settled {
            break;
        }
    }
    let [a, b, c] = curve;
    (a > 0.0).then(|| Law { lambda_per_s: 1.0 / a, sigma: b / a, kappa: c / a })
}

/// What a, b and c are multiplied with.
fn terms(users: f64) -> [f64; 3] {
    [1.0, users - 1.0, users * (users - 1.0)]
}

/// One step: each equation divided by what `divisor` makes of users, throughput and the curve so far.
fn step(measured: &[(f64, f64)], divisor: impl Fn(f64, f64, f64) -> f64, unknowns: [f64; 3]) -> Option<[f64; 3]> {
    let equation = |&(users, throughput_per_s): &(f64, f64)| {
        let divisor = divisor(users, throughput_per_s, dot(terms(users), unknowns));
        Equation {
            weights: terms(users).map(|term| term / divisor),
            target: 1.0 + (users / throughput_per_s / divisor).ln(),
        }
    };
    non_negative(&measured.iter().map(equation).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
