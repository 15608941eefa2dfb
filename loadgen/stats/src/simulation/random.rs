//! Draws of one run: one stream, spelled out here so that a seed in an old report means the same for ever.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
///
/// `Xoshiro256PlusPlus`: a run draws some 10⁹ numbers, more than half the state of the 64-bit `SplitMix64` should give.
#[derive(Clone, Debug)]
pub(super) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    pub(super) fn of(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0..bound (0 if the bound is 0); the bias of less than bound / 2⁶⁴ is not to be seen.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        // The upper half of a 128-bit product fits.
        (product >> 64) as u64
    }

    /// Exponential of mean 1; at most 37.
    pub(super) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut draws = Draws::of(1);
        assert_eq!([draws.below(1_000_000), draws.below(1_000_000)], [811_612, 747_104]);
    }

    #[test]
    fn draws_are_uniform_and_exponential_by_mean_and_spread() {
        let mut draws = Draws::of(7);
        let mean_and_variance = |drawn: Vec<f64>| {
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            (mean, drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / drawn.len() as f64)
        };
        let (mean, variance) = mean_and_variance((0..100_000).map(|_| draws.unit()).collect());
        assert!((mean - 0.5).abs() < 0.004 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
        let (mean, variance) = mean_and_variance((0..100_000).map(|_| draws.exponential()).collect());
        assert!((mean - 1.0).abs() < 0.015 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        let drawn: std::collections::HashSet<u64> = (0..200).map(|_| draws.below(5)).collect();
        assert_eq!(drawn, (0..5).collect());
        assert_eq!(draws.below(0), 0);
    }
}
