//! Runs the simulation at the size it is made for, and prints how fast it was.
//!
//! `cargo run --release -p benches --example simulation -- [users] [alphabet] [length] [documented|hardened] [fill] [think_s] [saves] [hours]`

use stats::keys::KeySpace;
use stats::simulation::{Calibration, Count, Distribution, Initial, Operation, Protocol, simulate};
use std::time::Instant;

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |index: usize, default: f64| arguments.get(index).map_or(default, |text| text.parse().unwrap_or(default));
    let documented = arguments.get(3).is_none_or(|name| name == "documented");
    let protocol = if documented {
        Protocol::Documented { max_attempts: 100 }
    } else {
        Protocol::Hardened { reservation_ttl_s: 900.0 }
    };
    let calibration = Calibration {
        cores: 4,
        generate_key_us: Distribution::Exponential(60.0),
        attempt_us: 2.0,
        instantiate_us: Distribution::Exponential(90.0),
        restore_us: Distribution::Exponential(50.0),
        save_us: Distribution::Exponential(80.0),
        delete_us: Distribution::Exponential(60.0),
        window_s: Distribution::Quantiles(vec![(0.0, 0.02), (0.5, 0.08), (0.9, 0.3), (0.99, 1.2), (1.0, 30.0)]),
        lock_shares: if documented { 0 } else { 64 },
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an example's arguments")]
    let whole = |value: f64| value as u32;
    let keys = KeySpace { alphabet: whole(number(1, 10.0)), length: whole(number(2, 9.0)) };
    let mut parameters = calibration.parameters(keys, protocol, whole(number(0, 1e6)));
    let size = keys.count().ok_or("too many keys")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the keys")]
    let documents = (size as f64 * number(4, 0.25)) as u64;
    parameters.initial = Initial { documents, ages: false };
    parameters.users.think_s = Distribution::Exponential(number(5, 3_600.0));
    parameters.users.saves = Count::Fixed(u16::try_from(whole(number(6, 10.0))).unwrap_or(u16::MAX));
    parameters.users.save_spacing_s = Distribution::Exponential(30.0);
    parameters.users.deleted_share = 0.5;
    parameters.users.session_life_s = Distribution::Exponential(4.0 * 3_600.0);
    parameters.duration_s = number(7, 24.0) * 3_600.0;

    let begun = Instant::now();
    let outcome = simulate(&parameters, 1)?;
    let took_s = begun.elapsed().as_secs_f64();
    println!(
        "{} users, {size} keys, {:.0} h: {} events in {took_s:.1} s, {:.2} million a second",
        parameters.users.count,
        (parameters.warm_up_s + parameters.duration_s) / 3_600.0,
        outcome.events,
        outcome.events as f64 / took_s / 1e6
    );
    println!(
        "openings {}, 503 {}, attempts mean {:.4} p99 {}, shared {} (expected {:.3e} a day), active {:.0}, utilisation {:.3}",
        outcome.openings,
        outcome.exhausted.hits,
        outcome.attempts.mean,
        outcome.attempts.p99,
        outcome.shared_sessions.hits,
        outcome.shared_sessions_expected_per_day,
        outcome.active_sessions,
        outcome.utilisation
    );
    for operation in Operation::ALL {
        if let Some(response) = outcome.operation(operation).and_then(|outcome| outcome.response) {
            println!("{operation:?}: {response:?}");
        }
    }
    Ok(())
}
