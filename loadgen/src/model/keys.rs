//! Closed forms of the specification's key generation: a hundred uniform tries without reservation.

/// Keys of three characters: 36³.
pub const THREE_CHARACTER_KEYS: usize = 46_656;

/// Tries of one request.
pub const MAX_ATTEMPTS: i32 = 100;

/// The chance that a request finds no key at a fill between 0 and 1: every try meets a used one.
#[must_use]
pub fn exhaustion_chance(fill: f64) -> f64 {
    fill.powi(MAX_ATTEMPTS)
}

/// Mean number of tries of a request at a fill below 1, a request that fails counting all its tries:
/// the sum of fill^i for i below 100.
#[must_use]
pub fn mean_attempts(fill: f64) -> f64 {
    if fill >= 1.0 { f64::from(MAX_ATTEMPTS) } else { (1.0 - exhaustion_chance(fill)) / (1.0 - fill) }
}

/// The chance that `users` keys drawn at once, without reservation, from `free` keys are not all different.
#[must_use]
pub fn birthday_collision(users: usize, free: usize) -> f64 {
    1.0 - (0..users).map(|taken| 1.0 - taken as f64 / free as f64).product::<f64>()
}

/// How many trials without a collision exclude, at the given confidence, that each collides with `chance`.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of trials, rounded up")]
pub fn trials_to_exclude(chance: f64, confidence: f64) -> u64 {
    ((1.0 - confidence).ln() / (1.0 - chance).ln()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_forms_give_the_figures_of_the_claims() {
        let fill = |used: f64| used / THREE_CHARACTER_KEYS as f64;
        assert!((exhaustion_chance(fill(44_556.0)) - 0.01).abs() < 1e-4);
        assert!((exhaustion_chance(fill(45_000.0)) - 0.027).abs() < 5e-4);
        assert!((exhaustion_chance(fill(46_334.0)) - 0.5).abs() < 2e-3);
        assert!((mean_attempts(fill(23_328.0)) - 2.0).abs() < 1e-9);
        assert!((mean_attempts(1.0) - 100.0).abs() < 1e-9);
        assert!((birthday_collision(100, THREE_CHARACTER_KEYS) - 0.1007).abs() < 1e-4);
        assert!((birthday_collision(10, THREE_CHARACTER_KEYS) - 0.000_96).abs() < 1e-5);
        assert!((birthday_collision(100, THREE_CHARACTER_KEYS - 10_000) - 0.126).abs() < 1e-3);
    }

    #[test]
    fn forty_four_trials_exclude_the_birthday_rate_of_a_hundred() {
        assert_eq!(trials_to_exclude(birthday_collision(100, THREE_CHARACTER_KEYS), 0.99), 44);
    }
}
