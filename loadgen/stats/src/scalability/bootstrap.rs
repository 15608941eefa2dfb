//! How far chance in the measurements moves the fit: the rounds of each number of users drawn anew, and fitted again.

use super::{FitError, Fitted, Law, Point};
use crate::statistics::{Interval, mean, percentile};
use rand::{Rng, RngExt};

/// How often measurements are drawn anew where nothing else is asked for: the ends of a 95 % interval then rest on 25
/// fits each.
pub const RESAMPLES: usize = 1_000;

/// The laws fitted to measurements drawn anew. Five rounds at each number of users are enough for intervals of 95 % that
/// hold the truth in 92 to 94 % of cases; with two it is some 80 %. What they do not show is an error that all rounds of a number of users
/// share, nor that the law has another shape than the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    laws: Vec<Law>,
}

impl Bootstrap {
    /// Draws the rounds anew so many times ([`RESAMPLES`], say) and fits each time.
    ///
    /// # Errors
    /// A number of users with one round only, or what was drawn does not tell λ.
    pub fn of(fitted: &Fitted, resamples: usize, random: &mut impl Rng) -> Result<Self, FitError> {
        let points = fitted.points.iter().map(widened).collect::<Result<Vec<_>, _>>()?;
        let mut again = || Fitted::to(&points.iter().map(|point| resampled(point, random)).collect::<Vec<_>>());
        let laws = (0..resamples).map(|_| again().map(|fitted| fitted.law)).collect::<Result<_, _>>()?;
        Ok(Self { laws })
    }

    /// The interval of any figure of the law at a confidence (0.95, say), by percentiles; `None` of no resamples.
    #[must_use]
    pub fn interval(&self, figure: impl Fn(Law) -> f64, confidence: f64) -> Option<Interval> {
        let figures: Vec<f64> = self.laws.iter().map(|&law| figure(law)).collect();
        let tail = (1.0 - confidence) / 2.0;
        Some(Interval { low: percentile(&figures, tail)?, high: percentile(&figures, 1.0 - tail)? })
    }

    /// The interval of the throughput at so many users, operations a second: of the mean of many rounds, not of one.
    #[must_use]
    pub fn throughput_per_s(&self, users: f64, confidence: f64) -> Option<Interval> {
        self.interval(|law| law.throughput_per_s(users), confidence)
    }

    /// The interval of the number of users at the peak; infinite ends say that throughput may never fall.
    #[must_use]
    pub fn peak_users(&self, confidence: f64) -> Option<Interval> {
        self.interval(|law| law.peak_users().unwrap_or(f64::INFINITY), confidence)
    }
}

/// Spreads rounds about their (geometric) mean by √(k / (k − 1)): drawing anew from k rounds varies that much less than
/// the rounds did.
fn widened(point: &Point) -> Result<Point, FitError> {
    let count = point.rounds_per_s.len() as f64;
    if count < 2.0 {
        return Err(FitError::OneRound { users: point.users });
    }
    let logs: Vec<f64> = point.rounds_per_s.iter().map(|round| round.ln()).collect();
    let middle = mean(&logs).unwrap_or_default();
    let factor = (count / (count - 1.0)).sqrt();
    let rounds_per_s = logs.iter().map(|log| (middle + (log - middle) * factor).exp()).collect();
    Ok(Point { users: point.users, rounds_per_s })
}

/// As many rounds, each any of them.
fn resampled(point: &Point, random: &mut impl Rng) -> Point {
    let rounds = &point.rounds_per_s;
    let rounds_per_s = rounds.iter().map(|_| rounds[random.random_range(0..rounds.len())]).collect();
    Point { users: point.users, rounds_per_s }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{assert_mean, random};

    #[test]
    fn rounds_drawn_anew_vary_as_much_as_the_rounds_suggest() {
        let point = Point { users: 1.0, rounds_per_s: vec![90.0, 100.0, 120.0] };
        let logs = point.rounds_per_s.iter().map(|round| round.ln()).collect::<Vec<_>>();
        let middle = mean(&logs).unwrap();
        let variance = logs.iter().map(|log| (log - middle).powi(2)).sum::<f64>() / 2.0;
        let wide = widened(&point).unwrap();
        let mut random = random(25);
        let means: Vec<f64> = (0..20_000)
            .map(|_| resampled(&wide, &mut random).rounds_per_s.iter().map(|round| round.ln()).sum::<f64>() / 3.0)
            .collect();
        assert_mean(&means, middle);
        assert_mean(&means.iter().map(|mean| (mean - middle).powi(2)).collect::<Vec<_>>(), variance / 3.0);
    }
}
