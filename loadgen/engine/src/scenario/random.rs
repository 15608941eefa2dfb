//! Draws that depend on nothing but what they are for.

use super::units::whole;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What is drawn for: draws for one purpose tell nothing about those for another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Turn = 1,
    Start = 2,
    Arrivals = 3,
    Opening = 4,
}

/// A stream of random numbers.
///
/// `SplitMix64` is as cheap to seed as to use, so every turn has its own stream and can be computed without the turns
/// before it. The draws are spelled out here, not taken from `rand`, whose distributions may change between versions:
/// a seed in an old report has to mean the same plan.
#[derive(Clone)]
pub(super) struct Draws(SplitMix64);

impl Draws {
    /// The stream of a user's turn.
    pub(super) fn of(seed: u64, purpose: Purpose, user: u32, turn: u64) -> Self {
        // The seed is mixed first, too: else one seed's purpose 2 would be the next seed's purpose 1.
        let mixed = [seed, purpose as u64, u64::from(user), turn].into_iter().fold(0, mix);
        Self(SplitMix64::seed_from_u64(mixed))
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0..bound (0 if the bound is 0); the bias of less than bound / 2⁶⁴ is not to be seen.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// Uniform in from..to.
    pub(super) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from))
    }

    /// Exponential of mean 1; at most 37.
    pub(super) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Exponential of that mean, rounded.
    pub(super) fn exponential_us(&mut self, mean_us: u64) -> u64 {
        whole(self.exponential() * mean_us as f64)
    }
}

fn mix(state: u64, word: u64) -> u64 {
    SplitMix64::seed_from_u64(state ^ word).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_seed_purpose_user_and_turn_has_its_own_stream() {
        let mut first = HashSet::new();
        for seed in 0..3 {
            for purpose in [Purpose::Turn, Purpose::Start, Purpose::Arrivals] {
                for (user, turn) in (0..20).flat_map(|user| (0..20).map(move |turn| (user, turn))) {
                    first.insert(Draws::of(seed, purpose, user, turn).0.next_u64());
                }
            }
        }
        assert_eq!(first.len(), 3 * 3 * 20 * 20);
    }

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut draws = Draws::of(1, Purpose::Turn, 2, 3);
        assert_eq!([draws.below(1_000_000), draws.below(1_000_000)], [513_814, 875_188]);
    }

    #[test]
    fn draws_fill_their_range() {
        let mut draws = Draws::of(7, Purpose::Turn, 0, 0);
        let drawn: HashSet<u64> = (0..200).map(|_| draws.between(3, 8)).collect();
        assert_eq!(drawn, (3..8).collect());
        assert_eq!(draws.below(0), 0);
    }

    #[test]
    fn exponential_draws_have_their_mean_and_their_spread() {
        let mut draws = Draws::of(7, Purpose::Turn, 0, 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| draws.exponential()).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 1.0).abs() < 0.03 && (variance - 1.0).abs() < 0.08, "{mean} {variance}");
    }
}
