//! What is drawn for a time or a count. The unit is that of the field that holds it.

use super::random::Draws;
use serde::{Deserialize, Serialize};

/// How a time is distributed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Always this.
    Fixed(f64),
    /// Exponential, with this mean.
    Exponential(f64),
    /// Measured: points `(share, value)` of the cumulative distribution, such as `(0.99, 4.2)` for a 99th percentile of
    /// 4.2. Values between two points are uniform, so a straight line joins them. The first share is 0 (the minimum),
    /// the last is 1 (the maximum), and neither shares nor values fall.
    Quantiles(Vec<(f64, f64)>),
}

impl Distribution {
    /// What is wrong with it, if anything; `name` says whose it is.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let is_a_time = |value: f64| value.is_finite() && value >= 0.0;
        match self {
            Self::Fixed(value) | Self::Exponential(value) if !is_a_time(*value) => {
                Err(format!("{name} is {value}: give a finite time, 0 or more"))
            }
            Self::Fixed(_) | Self::Exponential(_) => Ok(()),
            Self::Quantiles(points) => {
                let ends = (points.first().map(|point| point.0), points.last().map(|point| point.0));
                if ends != (Some(0.0), Some(1.0)) || !points.iter().all(|point| is_a_time(point.1)) {
                    return Err(format!("{name}: quantiles go from share 0 to share 1, each with a finite time"));
                }
                if !points.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1) {
                    return Err(format!("{name}: quantiles rise, in share and in value"));
                }
                Ok(())
            }
        }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) => *mean,
            Self::Quantiles(points) => {
                points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum()
            }
        }
    }

    pub(super) fn draw(&self, draws: &mut Draws) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Exponential(mean) => mean * draws.exponential(),
            Self::Quantiles(points) => quantile(points, draws.unit()),
        }
    }

    /// What is left of a time that has begun already when one looks: exactly so for a fixed or an exponential one, near
    /// enough for a measured one.
    pub(super) fn draw_rest(&self, draws: &mut Draws) -> f64 {
        match self {
            Self::Exponential(_) => self.draw(draws),
            Self::Fixed(_) | Self::Quantiles(_) => self.draw(draws) * draws.unit(),
        }
    }
}

fn quantile(points: &[(f64, f64)], share: f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= share);
    let (Some(&low), high) = (points.get(after.saturating_sub(1)), points.get(after)) else { return 0.0 };
    high.map_or(low.1, |high| low.1 + (high.1 - low.1) * (share - low.0) / (high.0 - low.0))
}

/// How a count is distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Always this.
    Fixed(u16),
    /// Each from the first to the second, both included, as often as the others.
    Between(u16, u16),
}

impl Count {
    /// The mean.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(count) => f64::from(count),
            Self::Between(least, most) => f64::midpoint(f64::from(least), f64::from(most)),
        }
    }

    /// The least that comes.
    #[must_use]
    pub fn least(self) -> u16 {
        match self {
            Self::Fixed(count) => count,
            Self::Between(least, most) => least.min(most),
        }
    }

    pub(super) fn draw(self, draws: &mut Draws) -> u16 {
        match self {
            Self::Fixed(count) => count,
            Self::Between(least, most) => {
                let span = u64::from(most.saturating_sub(least)) + 1;
                least + u16::try_from(draws.below(span)).unwrap_or(u16::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Distribution {
        Distribution::Quantiles(vec![(0.0, 1.0), (0.5, 2.0), (0.99, 10.0), (1.0, 100.0)])
    }

    #[test]
    fn draws_have_the_mean_that_is_told() {
        for (distribution, error) in
            [(Distribution::Fixed(3.0), 1e-12), (Distribution::Exponential(5.0), 0.06), (measured(), 0.06)]
        {
            let mut draws = Draws::of(3);
            let mean = (0..200_000).map(|_| distribution.draw(&mut draws)).sum::<f64>() / 200_000.0;
            assert!((mean - distribution.mean()).abs() < error, "{distribution:?}: {mean}");
        }
    }

    #[test]
    fn a_measured_distribution_gives_its_quantiles_back() {
        let Distribution::Quantiles(points) = measured() else { panic!("it is a list of quantiles") };
        for (share, value) in [(0.0, 1.0), (0.25, 1.5), (0.5, 2.0), (0.99, 10.0), (0.995, 55.0)] {
            assert!((quantile(&points, share) - value).abs() < 1e-9, "{share}");
        }
        let step = [(0.0, 1.0), (0.5, 1.0), (0.5, 3.0), (1.0, 3.0)];
        assert!(quantile(&step, 0.49) < 1.1 && quantile(&step, 0.5) > 2.9);
    }

    #[test]
    fn a_wrong_distribution_is_told_with_its_name() {
        let wrong = [
            Distribution::Fixed(-1.0),
            Distribution::Exponential(f64::NAN),
            Distribution::Quantiles(vec![]),
            Distribution::Quantiles(vec![(0.0, 1.0), (0.9, 2.0)]),
            Distribution::Quantiles(vec![(0.0, 3.0), (1.0, 2.0)]),
            Distribution::Quantiles(vec![(0.0, 1.0), (0.7, 2.0), (0.6, 2.0), (1.0, 2.0)]),
        ];
        for distribution in wrong {
            assert!(distribution.check("think_s").unwrap_err().contains("think_s"), "{distribution:?}");
        }
        assert_eq!(measured().check("think_s"), Ok(()));
    }

    #[test]
    fn counts_come_from_their_range_and_fill_it() {
        let mut draws = Draws::of(5);
        let drawn: std::collections::BTreeSet<u16> = (0..200).map(|_| Count::Between(2, 4).draw(&mut draws)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(Count::Fixed(7).draw(&mut draws), 7);
    }
}
