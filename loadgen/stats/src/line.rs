//! A straight line fitted to measured times, with intervals: time to list by documents, time of `generate-key` by
//! attempts.

use super::beyond;
use super::statistics::Interval;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Points that a line with intervals needs at least: two determine it, a third tells how far it is off.
pub const LEAST_POINTS: usize = 3;

/// What the errors of the measurements are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// As large everywhere.
    Plain,
    /// In proportion to the value, as most times are.
    Relative,
}

/// Why there is no line.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum LineError {
    /// Not enough points.
    #[error("{found} points; a line with intervals needs {LEAST_POINTS}: measure more")]
    TooFewPoints {
        /// How many there were.
        found: usize,
    },
    /// All at one place.
    #[error("all points are at {at}: measure at another place too")]
    OnePlace {
        /// The place.
        at: f64,
    },
    /// A value that is not a number, or not positive where errors are relative.
    #[error("{value} measured at {at}: no value that a line with such errors can be fitted to")]
    NoValue {
        /// The place.
        at: f64,
        /// The value.
        value: f64,
    },
}

/// A line y = intercept + slope · x. Units are those of the points: with x documents and y milliseconds, the slope is
/// milliseconds a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineFit {
    /// Value at 0.
    pub intercept: f64,
    /// What each unit of x adds.
    pub slope: f64,
    errors: Errors,
    /// Sum of the weights.
    weight: f64,
    /// Weighted mean place.
    middle: f64,
    /// Weighted sum of squared distances from the middle.
    spread: f64,
    /// Variance of a measurement of weight 1.
    variance: f64,
    degrees_of_freedom: f64,
    largest: f64,
}

impl LineFit {
    /// Fits a line to points (x, y) by least squares on plain or relative errors; a relative error is a share of the
    /// line's own value there.
    ///
    /// # Errors
    /// Fewer than [`LEAST_POINTS`] points, all at one place, or a value that cannot be.
    pub fn to(points: &[(f64, f64)], errors: Errors) -> Result<Self, LineError> {
        /// The weights depend on the line a little, and the line on them less: a few rounds settle both.
        const ROUNDS: usize = 20;
        check(points, errors)?;
        if errors == Errors::Plain {
            return Ok(weighted(points, &vec![1.0; points.len()], errors));
        }
        // The first weights are of the measured values; where the line is not positive they stay.
        let weigh = |value: f64, measured: f64| if value > 0.0 { value } else { measured }.powi(-2);
        let mut weights: Vec<f64> = points.iter().map(|&(_, y)| weigh(y, y)).collect();
        for _ in 0..ROUNDS {
            let line = weighted(points, &weights, errors);
            weights = points.iter().map(|&(x, y)| weigh(line.at(x), y)).collect();
        }
        Ok(weighted(points, &weights, errors))
    }

    /// The line's value.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The interval of the slope at a confidence (0.95, say).
    #[must_use]
    pub fn slope_interval(&self, confidence: f64) -> Interval {
        self.interval(self.slope, self.variance / self.spread, confidence)
    }

    /// The interval of the line's value at a place, where the mean of many new measurements would lie.
    #[must_use]
    pub fn mean_interval(&self, x: f64, confidence: f64) -> Interval {
        self.interval(self.at(x), self.variance_at(x), confidence)
    }

    /// The interval of one new measurement at a place.
    #[must_use]
    pub fn prediction_interval(&self, x: f64, confidence: f64) -> Interval {
        let scale = if self.errors == Errors::Relative { self.at(x).powi(2) } else { 1.0 };
        self.interval(self.at(x), self.variance_at(x) + self.variance * scale, confidence)
    }

    /// How many times the largest measured place this is; 1 where it is not beyond. A prediction beyond is an
    /// extrapolation, to be marked as one.
    #[must_use]
    pub fn extrapolates(&self, x: f64) -> f64 {
        beyond(x, self.largest)
    }

    /// Variance of the line's value at a place.
    fn variance_at(&self, x: f64) -> f64 {
        self.variance * (1.0 / self.weight + (x - self.middle).powi(2) / self.spread)
    }

    fn interval(&self, value: f64, variance: f64, confidence: f64) -> Interval {
        let half_width = StudentsT::new(0.0, 1.0, self.degrees_of_freedom)
            .map_or(f64::INFINITY, |t| t.inverse_cdf(f64::midpoint(1.0, confidence)))
            * variance.sqrt();
        Interval { low: value - half_width, high: value + half_width }
    }
}

/// Refuses points that no line can be fitted to.
fn check(points: &[(f64, f64)], errors: Errors) -> Result<(), LineError> {
    let wrong = |x: f64, y: f64| !(x.is_finite() && y.is_finite()) || (errors == Errors::Relative && y <= 0.0);
    if let Some(&(at, value)) = points.iter().find(|&&(x, y)| wrong(x, y)) {
        return Err(LineError::NoValue { at, value });
    }
    if points.len() < LEAST_POINTS {
        return Err(LineError::TooFewPoints { found: points.len() });
    }
    let at = points[0].0;
    let elsewhere = points.iter().any(|&(x, _)| x.total_cmp(&at).is_ne());
    if elsewhere { Ok(()) } else { Err(LineError::OnePlace { at }) }
}

/// Least squares where each point's squared error counts by its weight.
fn weighted(points: &[(f64, f64)], weights: &[f64], errors: Errors) -> LineFit {
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().zip(weights).map(|(&(x, y), weight)| weight * term(x, y)).sum()
    };
    let weight = sum(&|_, _| 1.0);
    let (middle, mean_value) = (sum(&|x, _| x) / weight, sum(&|_, y| y) / weight);
    let spread = sum(&|x, _| (x - middle).powi(2));
    let slope = sum(&|x, y| (x - middle) * (y - mean_value)) / spread;
    let intercept = mean_value - slope * middle;
    let degrees_of_freedom = points.len() as f64 - 2.0;
    let variance = sum(&|x, y| (y - intercept - slope * x).powi(2)) / degrees_of_freedom;
    let largest = points.iter().map(|&(x, _)| x).fold(f64::NEG_INFINITY, f64::max);
    LineFit { intercept, slope, errors, weight, middle, spread, variance, degrees_of_freedom, largest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{assert_mean, assert_share, normal, random};
    use rand::rngs::StdRng;

    const DOCUMENTS: [f64; 6] = [0.0, 100.0, 500.0, 1_000.0, 2_000.0, 5_000.0];
    const RUNS: usize = 4_000;

    /// Milliseconds to list so many documents: 2 and 0.01 a document, and noise of the given kind.
    fn listed(errors: Errors, random: &mut StdRng, documents: f64) -> f64 {
        let exact = 2.0 + 0.01 * documents;
        exact + normal(random) * if errors == Errors::Plain { 1.5 } else { 0.08 * exact }
    }

    fn fitted(errors: Errors, random: &mut StdRng) -> LineFit {
        LineFit::to(&DOCUMENTS.map(|documents| (documents, listed(errors, random, documents))), errors).unwrap()
    }

    #[test]
    fn lines_are_right_on_average_and_their_intervals_hold_as_often_as_they_say() {
        for errors in [Errors::Plain, Errors::Relative] {
            let mut random = random(26);
            let lines: Vec<LineFit> = (0..RUNS).map(|_| fitted(errors, &mut random)).collect();
            assert_mean(&lines.iter().map(|line| line.slope).collect::<Vec<_>>(), 0.01);
            assert_mean(&lines.iter().map(|line| line.intercept).collect::<Vec<_>>(), 2.0);
            let holding = |interval: &dyn Fn(&LineFit) -> Interval, truth: f64| {
                lines.iter().map(interval).filter(|interval| interval.low <= truth && truth <= interval.high).count()
            };
            assert_share(holding(&|line| line.slope_interval(0.9), 0.01), RUNS, 0.9);
            for documents in [0.0, 1_500.0, 10_000.0] {
                let truth = 2.0 + 0.01 * documents;
                assert_share(holding(&|line| line.mean_interval(documents, 0.9), truth), RUNS, 0.9);
                let new = |line: &&LineFit| {
                    let (interval, value) =
                        (line.prediction_interval(documents, 0.9), listed(errors, &mut random, documents));
                    interval.low <= value && value <= interval.high
                };
                assert_share(lines.iter().filter(new).count(), RUNS, 0.9);
            }
        }
    }

    #[test]
    fn points_on_a_line_give_it_back_without_doubt() {
        for errors in [Errors::Plain, Errors::Relative] {
            let line = LineFit::to(&[(1.0, 0.21), (10.0, 0.3), (100.0, 1.2)], errors).unwrap();
            assert!((line.slope - 0.01).abs() < 1e-12 && (line.at(50.0) - 0.7).abs() < 1e-12, "{line:?}");
            let interval = line.prediction_interval(50.0, 0.99);
            assert!((interval.high - interval.low).abs() < 1e-9);
            assert!((line.extrapolates(1_000.0) - 10.0).abs() < 1e-12 && (line.extrapolates(50.0) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_textbook_line_has_its_interval() {
        // Off y = x by 0, 1, −1, −1, 1 at 0 to 4, which no line takes any of. So the variance is 4/3 (three degrees of
        // freedom), that of the slope 4/3/10, and t at 97.5 % is 3.182 446.
        let line = LineFit::to(&[(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 2.0), (4.0, 5.0)], Errors::Plain).unwrap();
        let interval = line.slope_interval(0.95);
        let expected = 3.182_446_3 * (4.0_f64 / 30.0).sqrt();
        assert!((interval.high - line.slope - expected).abs() < 1e-6 && (line.slope - 1.0).abs() < 1e-12, "{line:?}");
    }

    #[test]
    fn what_no_line_can_be_fitted_to_is_refused_with_the_reason() {
        let refused = |points: &[(f64, f64)]| LineFit::to(points, Errors::Relative).unwrap_err();
        assert_eq!(refused(&[(1.0, 1.0), (2.0, 1.0)]), LineError::TooFewPoints { found: 2 });
        assert_eq!(refused(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), LineError::OnePlace { at: 1.0 });
        assert_eq!(refused(&[(1.0, 1.0), (2.0, 0.0), (3.0, 3.0)]), LineError::NoValue { at: 2.0, value: 0.0 });
        assert_eq!(refused(&[]).to_string(), "0 points; a line with intervals needs 3: measure more");
    }
}
