//! The Universal Scalability Law of a measured target, with what chance in the rounds makes of it.

use crate::predict;
use rand::SeedableRng;
use rand::rngs::StdRng;
use record::measurements::Measured;
use stats::scalability::{Bootstrap, Fitted, RESAMPLES};
use stats::statistics::Interval;

/// Confidence of intervals of fits.
pub(super) const CONFIDENCE: f64 = 0.95;

/// The knee: where this share of the most throughput is reached. More users wait longer and get little for it.
pub(super) const KNEE_SHARE: f64 = 0.9;

/// A law and its chance.
pub(super) struct Law {
    fitted: Fitted,
    chance: Option<Bootstrap>,
    /// The largest number of users measured.
    largest: f64,
}

impl Law {
    /// Fitted to a target's users that are not held out; `None` where they do not suffice.
    pub(super) fn of(target: &Measured) -> Option<Self> {
        let fitted = predict::throughput(&target.users)?;
        let largest = target.users.iter().map(|of| f64::from(of.users)).fold(1.0, f64::max);
        Some(Self { fitted, chance: None, largest })
    }

    /// With what chance makes of it, which takes some thousand fits.
    pub(super) fn with_chance(self, seed: u64) -> Self {
        let chance = Bootstrap::of(&self.fitted, RESAMPLES, &mut StdRng::seed_from_u64(seed)).ok();
        Self { chance, ..self }
    }

    /// Operations a second at so many users.
    pub(super) fn at(&self, users: f64) -> f64 {
        self.fitted.law.throughput_per_s(users)
    }

    /// The interval of that; `None` where chance was not asked for, or rounds are too few.
    pub(super) fn interval(&self, users: f64) -> Option<Interval> {
        self.chance.as_ref()?.throughput_per_s(users, CONFIDENCE)
    }

    /// The number of users with the most throughput; `None` where it still rises at the largest number measured.
    pub(super) fn peak_users(&self) -> Option<f64> {
        self.fitted.law.peak_users().filter(|&users| users <= self.largest)
    }

    /// The interval of that.
    pub(super) fn peak_interval(&self) -> Option<Interval> {
        self.chance.as_ref()?.peak_users(CONFIDENCE)
    }

    /// The most operations a second within what was measured.
    pub(super) fn most(&self) -> f64 {
        self.at(self.peak_users().unwrap_or(self.largest))
    }

    /// The fewest users that get [`KNEE_SHARE`] of the most.
    pub(super) fn knee_users(&self) -> u32 {
        let enough = KNEE_SHARE * self.most();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "users, as many as were measured")]
        let largest = self.largest as u32;
        (1..=largest).find(|&users| self.at(users.into()) >= enough).unwrap_or(largest)
    }

    /// The largest number of users measured.
    pub(super) fn largest(&self) -> f64 {
        self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::measurements::Users;

    fn measured(throughput: impl Fn(f64) -> f64) -> Measured {
        let at = |users: u32| Users {
            users,
            goodput_per_s: [0.99, 1.0, 1.01].map(|off| off * throughput(users.into())).to_vec(),
            ..Users::default()
        };
        Measured { users: [1, 2, 4, 16, 64, 256].map(at).to_vec(), ..Measured::default() }
    }

    #[test]
    fn the_knee_comes_before_the_peak_and_has_nine_tenths_of_it() {
        let law = Law::of(&measured(|n| 100.0 * n / (1.0 + 0.1 * (n - 1.0) + 0.001 * n * (n - 1.0))))
            .expect("a law")
            .with_chance(7);
        let (knee, peak) = (f64::from(law.knee_users()), law.peak_users().expect("a peak"));
        assert!((peak - 30.0).abs() < 0.5 && knee < peak, "{knee} {peak}");
        assert!(law.at(knee) >= 0.9 * law.most() && law.at(knee - 1.0) < 0.9 * law.most());
        assert!(law.interval(30.0).is_some_and(|of| of.low <= law.at(30.0) && law.at(30.0) <= of.high));
    }

    #[test]
    fn a_law_that_rises_to_the_end_has_no_peak() {
        let law = Law::of(&measured(|n| 100.0 * n)).expect("a law");
        assert_eq!(law.peak_users(), None);
        assert_eq!(law.knee_users(), 231);
    }

    #[test]
    fn a_peak_beyond_what_was_measured_is_none() {
        let law = Law::of(&measured(|n| 100.0 * n / (1.0 + 0.1 * (n - 1.0) + 1e-6 * n * (n - 1.0)))).expect("a law");
        assert!(law.fitted.law.peak_users().is_some_and(|users| users > 900.0) && law.peak_users().is_none());
    }

    #[test]
    fn too_few_points_make_no_law() {
        assert!(Law::of(&Measured::default()).is_none());
        let stalled = Measured {
            users: vec![Users { users: 1, goodput_per_s: vec![0.0], ..Users::default() }; 3],
            ..Measured::default()
        };
        assert!(Law::of(&stalled).is_none());
    }
}
