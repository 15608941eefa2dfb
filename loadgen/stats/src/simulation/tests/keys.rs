//! `generate-key` against closed forms: attempts, 503, and sessions shared.

use super::*;

#[test]
fn attempts_and_503s_are_those_of_the_closed_forms_at_any_fill() {
    for (seed, fill) in (1..).zip([0.0, 0.25, 0.5, 0.75, 0.9, 0.965, 0.99, 1.0]) {
        let mut parameters = quick_sessions(50, 1.0, 40_000.0);
        let documents = (0..=THREE_CHARACTER_KEYS).find(|&used| used as f64 >= fill * THREE_CHARACTER_KEYS as f64);
        parameters.initial.documents = documents.unwrap();
        let outcome = simulate(&parameters, seed).unwrap();
        let f = documents.unwrap() as f64 / THREE_CHARACTER_KEYS as f64;
        assert_share(outcome.exhausted, f.powi(100));
        let expected = if f < 1.0 { (1.0 - f.powi(100)) / (1.0 - f) } else { 100.0 };
        let requests = outcome.exhausted.trials as f64;
        assert!(requests > 30_000.0);
        let squares: f64 = (0..).zip(&outcome.attempts.counts).map(|(k, &n)| f64::from(k).powi(2) * n as f64).sum();
        let deviation = ((squares / requests - outcome.attempts.mean.powi(2)).max(0.0) / requests).sqrt();
        let off = (outcome.attempts.mean - expected).abs();
        assert!(off <= SIGMAS * deviation + 1e-9, "fill {f}: {} instead of {expected}", outcome.attempts.mean);
    }
}

#[test]
fn a_hardened_server_takes_one_attempt_and_fails_only_where_nothing_is_free() {
    let mut parameters = quick_sessions(50, 1.0, 20_000.0);
    parameters.protocol = Protocol::Hardened { reservation_ttl_s: 900.0 };
    for (documents, failing) in [(0, false), (46_600, false), (THREE_CHARACTER_KEYS, true)] {
        parameters.initial.documents = documents;
        let outcome = simulate(&parameters, 3).unwrap();
        let attempts = u64::from(!failing);
        assert_eq!((outcome.attempts.p50, outcome.attempts.max), (attempts, attempts));
        assert_eq!(outcome.exhausted.hits > 0, failing);
        assert_eq!(outcome.openings == 0, failing);
    }
}

#[test]
fn attempts_cost_what_they_are_said_to() {
    let mut parameters = quick_sessions(10, 1.0, 20_000.0);
    parameters.server.generate_key_us = Distribution::Fixed(10.0);
    parameters.server.attempt_us = 3.0;
    parameters.server.cores = 16;
    parameters.initial.documents = THREE_CHARACTER_KEYS / 2;
    let outcome = simulate(&parameters, 4).unwrap();
    let expected_us = 10.0 + 3.0 * outcome.attempts.mean;
    assert_near(response(&outcome, Operation::GenerateKey).mean_us, expected_us, 1e-3);
}

/// Openings at the rate λ are pending, each for the window, on keys that others may still be handed: a Poisson number of
/// mean λW of them, whatever the window's distribution. The next opening hits none of them with exp(−λW/free).
#[test]
fn documented_sessions_are_shared_at_the_rate_of_the_closed_form() {
    let window_s = 1.0;
    let measured = Distribution::Quantiles(vec![(0.0, 0.0), (0.5, 0.5), (1.0, 3.0)]);
    let windows = [Distribution::Fixed(window_s), Distribution::Exponential(window_s), measured];
    for (seed, window) in (10..).zip(windows) {
        let mut parameters = quick_sessions(2_000, 20.0, 150_000.0);
        parameters.users.window_s = window.clone();
        parameters.initial.documents = 42_000;
        let outcome = simulate(&parameters, seed).unwrap();
        let free = (THREE_CHARACTER_KEYS - 42_000) as f64;
        let rate_per_s = outcome.openings as f64 / outcome.duration_s;
        let expected = 1.0 - (-rate_per_s * window.mean() / free).exp();
        assert_share(outcome.shared_sessions, expected);
        assert_near(outcome.shared_sessions_expected, expected * outcome.openings as f64, 0.01);
        let per_day = outcome.shared_sessions.share() * rate_per_s * 86_400.0;
        assert_near(outcome.shared_sessions_per_day, per_day, 1e-9);
    }
}

#[test]
fn hardened_sessions_are_never_shared_within_the_time_of_a_reservation() {
    let mut parameters = quick_sessions(2_000, 20.0, 100_000.0);
    parameters.users.window_s = Distribution::Quantiles(vec![(0.0, 0.0), (1.0, 4.999)]);
    parameters.protocol = Protocol::Hardened { reservation_ttl_s: 5.0 };
    parameters.initial.documents = 45_500;
    let outcome = simulate(&parameters, 20).unwrap();
    assert!(outcome.openings > 50_000);
    assert_eq!((outcome.shared_sessions.hits, outcome.reservations_ended), (0, 0));
    assert!(outcome.shared_sessions_expected.abs() < f64::EPSILON);
}

#[test]
fn hardened_sessions_are_shared_for_as_long_as_the_window_exceeds_the_reservation() {
    let mut parameters = quick_sessions(2_000, 20.0, 240_000.0);
    let (window_s, reservation_ttl_s) = (5.0, 2.0);
    parameters.users.window_s = Distribution::Fixed(window_s);
    parameters.protocol = Protocol::Hardened { reservation_ttl_s };
    parameters.initial.documents = 21_000;
    let outcome = simulate(&parameters, 21).unwrap();
    let rate_per_s = outcome.openings as f64 / outcome.duration_s;
    let free = (THREE_CHARACTER_KEYS - 21_000) as f64 - rate_per_s * reservation_ttl_s;
    let expected = 1.0 - (-rate_per_s * (window_s - reservation_ttl_s) / free).exp();
    assert_share(outcome.shared_sessions, expected);
    assert_near(outcome.shared_sessions_expected, expected * outcome.openings as f64, 0.02);
    assert_near(outcome.reservations_ended as f64, outcome.openings as f64, 0.01);
}
