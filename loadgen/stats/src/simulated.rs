//! Draws for the simulations that the closed forms are held to.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Standard errors that a mean over many draws may be off: a fair simulation is off by more in 1 of 16,000 tries, and
/// the seeds are fixed, so a test that passes goes on passing.
pub(super) const STANDARD_ERRORS: f64 = 4.0;

/// Random numbers of a fixed seed.
pub(super) fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A time of the exponential distribution.
pub(super) fn exponential(random: &mut StdRng, mean: f64) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

/// A standard normal number (Box and Muller).
pub(super) fn normal(random: &mut StdRng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Demands that the mean of independent `draws` is `expected`, as far as so many draws can tell.
#[track_caller]
pub(super) fn assert_mean(draws: &[f64], expected: f64) {
    let count = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / count;
    let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let allowed = STANDARD_ERRORS * (variance / count).sqrt() + 1e-12;
    assert!((mean - expected).abs() <= allowed, "simulated {mean}, expected {expected} ± {allowed}");
}

/// Demands that `hits` of so many independent trials agree with a chance.
#[track_caller]
pub(super) fn assert_share(hits: usize, trials: usize, chance: f64) {
    let share = hits as f64 / trials as f64;
    let allowed = STANDARD_ERRORS * (chance * (1.0 - chance) / trials as f64).sqrt() + 1e-12;
    assert!((share - chance).abs() <= allowed, "simulated {share}, expected {chance} ± {allowed}");
}
