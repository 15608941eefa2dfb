use super::*;
use crate::limits::closed_form::{WHOLE_RUN_ERRS, chance_each, contradictions, mean_interval};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stats::keys::{Attempts, MAX_ATTEMPTS};

/// A whole run's requests at a fill of 45,000 are more.
const REQUESTS: u32 = 20_000;

/// The mean attempts of requests, and how many of them found none, where a share of draws hits a key in use.
fn simulated(fill: f64, requests: u32, random: &mut StdRng) -> (f64, u64) {
    let mut refused = 0;
    let mut one = || {
        let found = (1..=MAX_ATTEMPTS).find(|_| random.random::<f64>() >= fill);
        refused += u64::from(found.is_none());
        f64::from(found.unwrap_or(MAX_ATTEMPTS))
    };
    let total: f64 = (0..requests).map(|_| one()).sum();
    (total / f64::from(requests), refused)
}

/// A fill at which a mean was counted over [`REQUESTS`], with refusals.
fn at(subject: Subject, used_keys: usize, mean: f64, refused: u64) -> AtFill {
    let (total, iterations) = (mean * f64::from(REQUESTS), u64::from(REQUESTS));
    let attempts = Some(Measured { iterations, total, ..measured(mean, mean, mean) });
    AtFill { attempts, ..counted(subject, used_keys, refused, iterations) }
}

fn contradicts(at: AtFill) -> bool {
    !contradictions(&[run(vec![at])]).is_empty()
}

#[test]
fn what_is_drawn_as_documented_contradicts_at_no_fill() {
    let mut random = StdRng::seed_from_u64(1);
    let fills = [0, 1_000, 10_000, 23_328, 41_990, 45_000, 46_189, 46_609, THREE_CHARACTER_KEYS].map(|used_keys| {
        let (mean, refused) = simulated(used_keys as f64 / THREE_CHARACTER_KEYS as f64, REQUESTS, &mut random);
        at(Subject::Documented, used_keys, mean, refused)
    });
    assert_eq!(contradictions(&[run(fills.to_vec())]), Vec::<String>::new());
}

/// At 45,000 used keys, with this mean and this share refused.
fn at_the_hard_limit(mean: f64, refused: f64) -> AtFill {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let refused = (refused * f64::from(REQUESTS)).round() as u64;
    at(Subject::Documented, 45_000, mean, refused)
}

#[test]
fn drawing_without_the_limit_of_a_hundred_contradicts() {
    let attempts = Attempts::at(45_000.0 / THREE_CHARACTER_KEYS as f64);
    let without_limit = 1.0 / (1.0 - attempts.fill());
    assert!(!contradicts(at_the_hard_limit(attempts.mean(), attempts.exhaustion())));
    assert!(contradicts(at_the_hard_limit(without_limit, attempts.exhaustion())));
    assert!(contradicts(at_the_hard_limit(attempts.mean(), 0.0)));
}

#[test]
fn a_limit_of_ninety_attempts_contradicts() {
    let attempts = Attempts::at(45_000.0 / THREE_CHARACTER_KEYS as f64);
    assert!(contradicts(at_the_hard_limit(attempts.mean(), attempts.fill().powi(90))));
}

#[test]
fn one_attempt_too_many_contradicts_where_every_request_makes_one() {
    let mean = 1.0 + 1.0 / f64::from(REQUESTS);
    for (subject, used_keys) in [(Subject::Documented, 0), (Subject::Hardened, 0), (Subject::Hardened, 46_609)] {
        assert!(!contradicts(at(subject, used_keys, 1.0, 0)));
        assert!(contradicts(at(subject, used_keys, mean, 0)));
    }
}

#[test]
fn refusals_must_be_none_below_the_last_key_and_all_after_it() {
    assert!(contradicts(at(Subject::Hardened, 46_609, 1.0, 1)));
    let full = |refused| counted(Subject::Hardened, THREE_CHARACTER_KEYS, refused, 100_000);
    assert!(!contradicts(full(100_000)));
    assert!(contradicts(full(99_999)));
}

#[test]
fn the_whole_run_errs_by_its_thousandth_however_many_fills_there_are() {
    let fill = at(Subject::Hardened, 0, 1.0, 0);
    for (runs, fills, comparisons) in [(1, 1, 2.0), (2, 11, 44.0)] {
        let runs = vec![run(vec![fill; fills]); runs];
        assert!((chance_each(&runs) * comparisons - WHOLE_RUN_ERRS).abs() < 1e-15);
    }
    // Of a full folder on the hardened protocol, refusals alone are compared.
    let without_attempts = counted(Subject::Hardened, THREE_CHARACTER_KEYS, 9, 9);
    assert!((chance_each(&[run(vec![without_attempts])]) - WHOLE_RUN_ERRS).abs() < 1e-15);
}

#[test]
fn a_mean_is_outside_no_more_often_than_the_chance_says_and_not_never() {
    const RUNS: u32 = 4_000;
    let chance = 0.1;
    let mut random = StdRng::seed_from_u64(2);
    for fill in [0.05, 0.5, 0.95, 0.99] {
        let Interval { low, high } = mean_interval(Attempts::at(fill), 500, chance);
        let is_outside = |_: &u32| !(low..=high).contains(&simulated(fill, 500, &mut random).0);
        let outside = (0..RUNS).filter(is_outside).count() as f64 / f64::from(RUNS);
        assert!(outside <= chance && outside > chance / 20.0, "{fill}: {outside}");
    }
}

#[test]
fn the_interval_is_an_eighth_wider_than_a_normal_one_where_that_would_do() {
    let (attempts, requests) = (Attempts::at(0.5), 1_000_000_u64);
    // Two-sided, of the normal distribution: 4.0556 standard errors at 5 × 10⁻⁵.
    let normal = 4.0556 * (attempts.variance() / requests as f64).sqrt();
    let Interval { low, high } = mean_interval(attempts, requests, 5e-5);
    for half in [high - attempts.mean(), attempts.mean() - low] {
        assert!((half / normal - 1.135).abs() < 0.01, "{}", half / normal);
    }
}

#[test]
fn nothing_asked_says_nothing() {
    let Interval { low, high } = mean_interval(Attempts::at(0.5), 0, 0.001);
    assert!((low - 1.0).abs() < 1e-12 && (high - 100.0).abs() < 1e-12);
}
