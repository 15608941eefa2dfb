//! What users do to the server: requests at once, goodput, utilisation.

use super::super::figure::Basis::{Assumed, Fitted, Measured};
use super::super::figure::{Figure, Known, Unknown};
use super::super::server::CONFIDENCE;
use super::Forecast;
use crate::predict::median;
use stats::scalability::Law;

/// Halvings of an interval of numbers of users: far below a thousandth of a user.
const HALVINGS: u32 = 60;

impl Forecast<'_> {
    /// Users who are being served or wait, on average, the others thinking: n with n + Z X(n) = N, where X is the
    /// measured throughput of n users who do not think. Exact where the server's state is told by n alone.
    ///
    /// # Errors
    /// Where throughput was not measured, or not so far.
    pub(super) fn requests_at_once(&self) -> Result<f64, Unknown> {
        let (law, peak_users) = self.law()?;
        self.users_within_reach()?;
        let thinking = |at_once: f64| self.question.think_s * goodput_per_s(law, at_once);
        let beyond = |at_once: f64| at_once + thinking(at_once) > self.at.users;
        // Up to the peak more at once are more in all; who does not fit there is found on the falling side.
        let sides = if beyond(peak_users) { (0.0, peak_users) } else { (peak_users, self.at.users.max(peak_users)) };
        let (low, high) = (0..HALVINGS).fold(sides, |(low, high), _| {
            let middle = f64::midpoint(low, high);
            if beyond(middle) { (low, middle) } else { (middle, high) }
        });
        Ok(f64::midpoint(low, high))
    }

    /// Operations a second that the users ask for, as they think between them.
    ///
    /// # Errors
    /// Where throughput was not measured, or not so far.
    pub fn goodput_expected(&self) -> Known {
        let (law, _) = self.law()?;
        let goodput = goodput_per_s(law, self.requests_at_once()?);
        Ok(Figure::of(goodput, &[Fitted, Assumed]).extrapolated(self.users_within_reach()?))
    }

    /// Operations a second if none of the users thinks: what was measured.
    ///
    /// # Errors
    /// Where throughput was not measured, or not so far.
    pub fn goodput_at_once(&self) -> Known {
        let (law, _) = self.law()?;
        let times = self.users_within_reach()?;
        let interval = self.server.bootstrap.as_ref();
        let interval = interval.and_then(|bootstrap| bootstrap.throughput_per_s(self.at.users, CONFIDENCE));
        Ok(Figure::of(goodput_per_s(law, self.at.users), &[Fitted]).within(interval).extrapolated(times))
    }

    /// The share of the highest throughput that the users ask for.
    ///
    /// # Errors
    /// Where throughput was not measured, or not so far.
    pub fn utilisation(&self) -> Known {
        let (law, peak_users) = self.law()?;
        let expected = self.goodput_expected()?;
        Ok(expected.times(1.0 / law.throughput_per_s(peak_users)))
    }

    /// The most thinking users before throughput falls: those at once at the peak, and those who think meanwhile.
    ///
    /// # Errors
    /// Where throughput was not measured.
    pub fn users_at_peak(&self) -> Known {
        let (law, peak_users) = self.law()?;
        let users = |law: Law, at_once: f64| at_once + self.question.think_s * law.throughput_per_s(at_once);
        let most = self.server.most_users().unwrap_or(peak_users);
        let of_law = |law: Law| users(law, law.peak_users().unwrap_or(most).min(most));
        let interval = self.server.bootstrap.as_ref().and_then(|bootstrap| bootstrap.interval(of_law, CONFIDENCE));
        Ok(Figure::of(users(law, peak_users), &[Fitted, Assumed]).within(interval))
    }

    /// Goodput that was measured at the number of users nearest to these, which it tells.
    #[must_use]
    pub fn goodput_measured(&self) -> Option<(u32, Figure)> {
        let distance = |users: u32| (f64::from(users) / self.at.users).ln().abs();
        let nearest = self.server.users.iter().min_by(|a, b| distance(a.users).total_cmp(&distance(b.users)))?;
        let rounds = super::super::typical::typical(nearest.goodput_per_s.clone())?;
        let figure = Figure::of(median(&nearest.goodput_per_s), &[Measured]);
        Some((nearest.users, figure.within(Some(rounds.1))))
    }

    fn law(&self) -> Result<(Law, f64), Unknown> {
        let never = Unknown::NeverMeasured {
            what: "throughput at three numbers of users or more",
            hint: ": `loadgen measure` does",
        };
        self.server.law.as_ref().zip(self.server.peak()).map(|(fitted, (peak, _))| (fitted.law, peak)).ok_or(never)
    }

    /// How many times the most users measured there are.
    pub(super) fn users_within_reach(&self) -> Result<f64, Unknown> {
        let most = self.server.most_users().unwrap_or(0.0);
        self.within_reach(self.at.users, most, "the server's behaviour", "users")
    }
}

/// The law; below one user at once, who is alone when there is one, in proportion.
fn goodput_per_s(law: Law, at_once: f64) -> f64 {
    if at_once < 1.0 { law.lambda_per_s * at_once } else { law.throughput_per_s(at_once) }
}
