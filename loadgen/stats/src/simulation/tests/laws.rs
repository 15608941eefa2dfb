//! What must hold whatever is simulated.

use super::*;

/// Everything at once: visits, saves, deletes and abandoned documents, retries, locks, and a busy server.
fn everything(protocol: Protocol) -> Parameters {
    let mut parameters = quick_sessions(400, 5.0, 1.0);
    parameters.protocol = protocol;
    parameters.keys = KeySpace { alphabet: 10, length: 3 };
    let users = &mut parameters.users;
    users.window_s = Distribution::Quantiles(vec![(0.0, 0.05), (0.9, 0.5), (1.0, 4.0)]);
    users.saves = Count::Between(1, 4);
    users.save_spacing_s = Distribution::Exponential(0.5);
    users.visits = Count::Between(1, 3);
    users.away_s = Distribution::Fixed(1.0);
    users.deleted_share = 0.5;
    users.session_life_s = Distribution::Exponential(20.0);
    (users.start_tries, users.retry_pause_s) = (3, 0.2);
    parameters.server = Server {
        cores: 2,
        generate_key_us: Distribution::Exponential(3_000.0),
        attempt_us: 100.0,
        instantiate_us: Distribution::Exponential(4_000.0),
        restore_us: Distribution::Fixed(2_000.0),
        save_us: Distribution::Exponential(5_000.0),
        delete_us: Distribution::Exponential(3_000.0),
        lock_shares: 4,
    };
    (parameters.warm_up_s, parameters.duration_s, parameters.samples) = (0.0, 300.0, 300);
    parameters
}

/// Makes parameters wrong.
type Mistake = fn(&mut Parameters);

const HARDENED: Protocol = Protocol::Hardened { reservation_ttl_s: 2.0 };

#[test]
fn no_request_and_no_session_is_lost_or_made_up() {
    let mut in_flight = 0;
    for protocol in [DOCUMENTED, Protocol::Documented { max_attempts: 2 }, HARDENED] {
        for seed in 0..2 {
            let outcome = simulate(&everything(protocol), seed).unwrap();
            for operation in &outcome.operations {
                assert_eq!(operation.sent, operation.answered + operation.in_flight, "{operation:?}");
                in_flight += operation.in_flight;
            }
            let active = outcome.fill.last().unwrap().active_sessions;
            assert_eq!(outcome.openings, outcome.deleted + outcome.abandoned + active);
            assert_eq!(outcome.openings + outcome.exhausted.hits, outcome.exhausted.trials);
            assert_eq!(outcome.attempts.counts.iter().sum::<u64>(), outcome.exhausted.trials);
        }
    }
    assert!(in_flight > 6, "some were still on their way");
}

#[test]
fn the_shared_sessions_expected_are_those_that_come() {
    for protocol in [DOCUMENTED, HARDENED] {
        let mut parameters = everything(protocol);
        parameters.duration_s = 1_000.0;
        let outcome = simulate(&parameters, 4).unwrap();
        let (hits, expected) = (outcome.shared_sessions.hits as f64, outcome.shared_sessions_expected);
        assert!(hits > 10.0 && (hits - expected).abs() < SIGMAS * expected.sqrt(), "{hits} instead of {expected}");
    }
}

#[test]
fn the_requests_present_are_their_rate_times_their_response_time() {
    let mut parameters = everything(DOCUMENTED);
    parameters.warm_up_s = 60.0;
    let outcome = simulate(&parameters, 5).unwrap();
    let by_operation = outcome.operations.iter();
    let expected: f64 = by_operation.map(|of| of.throughput_per_s * of.response.unwrap().mean_us / 1e6).sum();
    assert!(outcome.utilisation > 0.7, "{}", outcome.utilisation);
    assert_near(outcome.requests_in_system, expected, 0.02);
}

#[test]
fn the_sessions_active_are_their_rate_times_the_time_they_take() {
    let mut parameters = everything(DOCUMENTED);
    (parameters.warm_up_s, parameters.duration_s) = (60.0, 1_000.0);
    parameters.server.cores = 8;
    parameters.server.lock_shares = 0;
    parameters.keys.length = 5;
    let outcome = simulate(&parameters, 6).unwrap();
    let users = &parameters.users;
    let (visits, saves) = (users.visits.mean(), users.saves.mean());
    let (window_s, spacing_s) = (users.window_s.mean(), users.save_spacing_s.mean());
    let typing_s = (visits * saves + users.deleted_share) * spacing_s;
    let served_s: f64 = Operation::ALL
        .into_iter()
        .zip([1.0, visits, visits, visits * saves, users.deleted_share])
        .map(|(operation, requests)| requests * response(&outcome, operation).mean_us / 1e6)
        .sum();
    let session_s = window_s + typing_s + (visits - 1.0) * users.away_s.mean() + served_s;
    let expected = outcome.openings as f64 / outcome.duration_s * session_s;
    assert_near(outcome.active_sessions, expected, 0.02);
    let samples = outcome.fill.iter().map(|sample| sample.active_sessions as f64).sum::<f64>();
    assert_near(samples / outcome.fill.len() as f64, expected, 0.02);
}

#[test]
fn the_documents_that_stay_are_their_rate_times_their_life() {
    for (seed, life) in [(7, Distribution::Fixed(50.0)), (8, Distribution::Exponential(50.0))] {
        let mut parameters = quick_sessions(500, 10.0, 1.0);
        parameters.users.deleted_share = 0.25;
        parameters.users.session_life_s = life;
        (parameters.warm_up_s, parameters.duration_s, parameters.samples) = (500.0, 3_000.0, 1_000);
        let outcome = simulate(&parameters, seed).unwrap();
        assert_near(outcome.abandoned as f64, 0.75 * outcome.openings as f64, 0.02);
        let expected = outcome.abandoned as f64 / outcome.duration_s * 50.0;
        let used = outcome.fill.iter().map(|sample| sample.used_keys as f64).sum::<f64>();
        assert_near(used / outcome.fill.len() as f64, expected, 0.015);
        assert!(
            outcome
                .fill
                .iter()
                .all(|sample| { (sample.fill * THREE_CHARACTER_KEYS as f64 - sample.used_keys as f64).abs() < 1e-6 })
        );
    }
}

#[test]
fn initial_documents_stay_or_age_evenly() {
    let mut parameters = quick_sessions(1, 1e8, 1.0);
    parameters.users.session_life_s = Distribution::Exponential(1_000.0);
    (parameters.warm_up_s, parameters.duration_s, parameters.samples) = (100.0, 1_000.0, 10);
    for (ages, expected) in [(false, [500; 11]), (true, [450, 400, 350, 300, 250, 200, 150, 100, 50, 0, 0])] {
        parameters.initial = Initial { documents: 500, ages };
        let outcome = simulate(&parameters, 9).unwrap();
        let used: Vec<u64> = outcome.fill.iter().map(|sample| sample.used_keys).collect();
        // A sample at the very time of an archiving is taken before it.
        assert!(used.iter().zip(expected).all(|(&used, expected)| used.abs_diff(expected) <= 1), "{used:?}");
        let times: Vec<f64> = outcome.fill.iter().map(|sample| sample.at_s.round()).collect();
        assert_eq!(times.first().zip(times.last()), Some((&0.0, &1_000.0)));
    }
}

#[test]
fn a_start_is_tried_three_times_a_pause_apart_before_the_user_gives_up() {
    let mut parameters = quick_sessions(10, 10.0, 1.0);
    (parameters.users.start_tries, parameters.users.retry_pause_s) = (3, 1.0);
    parameters.initial.documents = THREE_CHARACTER_KEYS;
    (parameters.warm_up_s, parameters.duration_s) = (50.0, 20_000.0);
    let outcome = simulate(&parameters, 10).unwrap();
    assert_near(outcome.exhausted.hits as f64, 3.0 * outcome.given_up as f64, 0.001);
    assert_near(outcome.given_up as f64, 10.0 * 20_000.0 / 12.0, 0.04);
    assert_near(outcome.exhausted_per_s, 3.0 * 10.0 / 12.0, 0.04);
}

#[test]
fn a_seed_decides_everything_and_another_seed_something_else() {
    for protocol in [DOCUMENTED, HARDENED] {
        let parameters = everything(protocol);
        let first = simulate(&parameters, 11).unwrap();
        assert_eq!(first, simulate(&parameters, 11).unwrap());
        assert_ne!(first.events, simulate(&parameters, 12).unwrap().events);
        let text = serde_json::to_string(&first).unwrap();
        let read: Outcome = serde_json::from_str(&text).unwrap();
        assert_eq!((read.shared_sessions, read.attempts.counts), (first.shared_sessions, first.attempts.counts));
    }
}

#[test]
fn parameters_survive_their_text_and_mistakes_are_told() {
    let right = everything(HARDENED);
    let text = serde_json::to_string(&right).unwrap();
    assert_eq!(serde_json::from_str::<Parameters>(&text).unwrap(), right);
    let mistakes: [(&str, Mistake); 9] = [
        ("36^7 keys", |wrong| wrong.keys = KeySpace { alphabet: 36, length: 7 }),
        ("more than the 1000 keys", |wrong| wrong.initial.documents = 1_001),
        ("0 users", |wrong| wrong.users.count = 0),
        ("a visit at least", |wrong| wrong.users.visits = Count::Between(0, 2)),
        ("give a share", |wrong| wrong.users.deleted_share = 1.5),
        ("window_s", |wrong| wrong.users.window_s = Distribution::Fixed(f64::NAN)),
        ("0 cores", |wrong| wrong.server.cores = 0),
        ("the duration", |wrong| wrong.duration_s = 0.0),
        ("never end", |wrong| {
            wrong.users.think_s = Distribution::Fixed(0.0);
            wrong.server.generate_key_us = Distribution::Fixed(0.0);
        }),
    ];
    for (told, make) in mistakes {
        let mut wrong = right.clone();
        make(&mut wrong);
        let error = simulate(&wrong, 1).unwrap_err();
        assert!(error.contains(told), "{told}: {error}");
    }
}

#[test]
fn calibrated_parameters_are_the_measured_servers() {
    let calibration = super::super::Calibration {
        cores: 2,
        generate_key_us: Distribution::Fixed(40.0),
        attempt_us: 2.5,
        instantiate_us: Distribution::Fixed(90.0),
        restore_us: Distribution::Fixed(30.0),
        save_us: Distribution::Fixed(80.0),
        delete_us: Distribution::Fixed(50.0),
        window_s: Distribution::Fixed(0.02),
        lock_shares: 64,
    };
    let mut parameters = calibration.parameters(KeySpace { alphabet: 36, length: 3 }, HARDENED, 1_000);
    parameters.duration_s = 7_200.0;
    let outcome = simulate(&parameters, 13).unwrap();
    assert_near(response(&outcome, Operation::GenerateKey).mean_us, 42.5, 0.01);
    assert_near(response(&outcome, Operation::Save).mean_us, 80.0, 0.01);
    assert_near(outcome.openings as f64, 1_000.0 * 7_200.0 / (3_600.0 + 0.02 + 3.0 * 2.8), 0.1);
}
