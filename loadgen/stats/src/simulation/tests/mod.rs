//! The simulation held to what is known exactly: closed forms, laws, and a naive simulation.

mod keys;
mod laws;
mod naive;
mod queues;

use super::{
    Chance, Count, Distribution, Initial, Operation, Outcome, Parameters, Protocol, Response, Server, Users, simulate,
};
use crate::keys::KeySpace;

const DOCUMENTED: Protocol = Protocol::Documented { max_attempts: 100 };

/// Keys of three characters: 36³.
const THREE_CHARACTER_KEYS: u64 = 46_656;

/// How many standard deviations an estimate may be off: of a thousand such tests fewer than one in a hundred thousand
/// fails by chance.
const SIGMAS: f64 = 4.5;

/// Users who only open sessions and delete them at once, on a server that takes no time.
fn quick_sessions(users: u32, think_s: f64, openings: f64) -> Parameters {
    let none = Distribution::Fixed(0.0);
    Parameters {
        keys: KeySpace { alphabet: 36, length: 3 },
        protocol: DOCUMENTED,
        users: Users {
            count: users,
            think_s: Distribution::Exponential(think_s),
            window_s: none.clone(),
            saves: Count::Fixed(0),
            save_spacing_s: none.clone(),
            visits: Count::Fixed(1),
            away_s: none.clone(),
            deleted_share: 1.0,
            session_life_s: none.clone(),
            start_tries: 1,
            retry_pause_s: 0.0,
        },
        initial: Initial::default(),
        server: Server {
            cores: 1,
            generate_key_us: none.clone(),
            attempt_us: 0.0,
            instantiate_us: none.clone(),
            restore_us: none.clone(),
            save_us: none.clone(),
            delete_us: none,
            lock_shares: 0,
        },
        warm_up_s: think_s,
        duration_s: openings * think_s / f64::from(users),
        samples: 0,
    }
}

fn response(outcome: &Outcome, operation: Operation) -> Response {
    outcome.operation(operation).and_then(|outcome| outcome.response).unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected, "found {found}, expected {expected} within {relative}");
}

/// A share of independent trials is what it should be.
#[track_caller]
fn assert_share(found: Chance, expected: f64) {
    let deviation = (expected * (1.0 - expected) / found.trials as f64).sqrt();
    let off = (found.share() - expected).abs();
    assert!(off <= SIGMAS * deviation, "{found:?} is {}, expected {expected} ± {deviation}", found.share());
}
