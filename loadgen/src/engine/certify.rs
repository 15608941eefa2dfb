//! Whether a run's figures may be believed: they are of the target only as long as the generator kept up. Pure.

use super::Measured;
use super::ceiling::Ceiling;
use crate::record::figures::{OperationReport, Percentiles, Tally};
use crate::record::run::Little;

/// A generator's thread that computes for more of its time than this cannot come to everything when it is to.
const MOST_BUSY: f64 = 0.9;

/// A run that comes nearer to the ceiling than this says how fast the generator is, not the target.
const MOST_OF_CEILING: f64 = 0.9;

/// How late the generator may be itself, at the 99th percentile, µs.
const MOST_LATE_US: u64 = 10_000;

/// The share of the planned arrivals that must have been taken up.
const LEAST_TAKEN: f64 = 0.99;

/// How far the number in flight, counted, may be from that worked out from the times.
const MOST_RESIDUAL: f64 = 0.02;

/// Little's law: the mean number of operations in flight, counted, against the sum of their times over the window.
#[must_use]
pub fn little(measured: &Measured) -> Little {
    let seconds = measured.window.seconds();
    let times = measured.tallies.iter().map(Tally::service_us);
    let in_service_s: f64 = times.map(|times| times.mean() * times.len() as f64 / 1e6).sum();
    Little::of(measured.in_flight_by_count, if seconds > 0.0 { in_service_s / seconds } else { 0.0 })
}

/// How the generator itself was held up, if it was, so that times are not the target's alone.
#[must_use]
pub fn why_held_up(measured: &Measured) -> Option<String> {
    why_busy(measured).or_else(|| why_late(measured))
}

fn why_busy(measured: &Measured) -> Option<String> {
    (measured.busiest_thread_share > MOST_BUSY).then(|| {
        format!(
            "the generator was the bottleneck: one of its {} threads was computing {:.0} % of the time (at most {:.0} %); \
             give it more --threads or a machine of its own, or ask for less",
            measured.threads,
            measured.busiest_thread_share * 100.0,
            MOST_BUSY * 100.0
        )
    })
}

fn why_late(measured: &Measured) -> Option<String> {
    let late = |name: &str, p99_us: u64| {
        format!(
            "the generator was late: {name} {:.1} ms at the 99th percentile (at most {:.0} ms); the machine was busy, or \
             it was asked for too much",
            p99_us as f64 / 1e3,
            MOST_LATE_US as f64 / 1e3
        )
    };
    let (slip_us, lag_us) = (Percentiles::of(&measured.slip_us).p99, Percentiles::of(&measured.lag_us).p99);
    if slip_us > MOST_LATE_US {
        Some(late("it sent operations late by", slip_us))
    } else {
        (lag_us > MOST_LATE_US).then(|| late("it came to answers late by", lag_us))
    }
}

/// What speaks against a run's figures, a sentence each; nothing where they may be believed.
#[must_use]
pub fn why_invalid(measured: &Measured, total: &OperationReport, users: u32, ceiling: Option<Ceiling>) -> Vec<String> {
    let mut why = Vec::new();
    if total.answered == 0 {
        why.push("no operation was answered within what was measured: there are no figures".to_owned());
    }
    why.extend(why_busy(measured));
    let answered_per_s = total.answered as f64 / measured.window.seconds().max(f64::MIN_POSITIVE);
    if let Some(ceiling) = ceiling
        && answered_per_s > MOST_OF_CEILING * ceiling.per_s
    {
        why.push(format!(
            "the generator was the bottleneck: {answered_per_s:.0} operations a second are more than {:.0} % of the {:.0} \
             that it can do at all",
            MOST_OF_CEILING * 100.0,
            ceiling.per_s
        ));
    }
    why.extend(why_late(measured));
    if let Some(arrivals) = measured.arrivals
        && (arrivals.taken as f64) < LEAST_TAKEN * arrivals.planned as f64
    {
        why.push(format!(
            "the planned rate was missed: {} of {} arrivals were taken up, as all {users} users were still waiting for \
             answers; give more --users, or a lower --rate",
            arrivals.taken, arrivals.planned
        ));
    }
    let little = little(measured);
    if little.residual.abs() > MOST_RESIDUAL {
        why.push(format!(
            "counts and times disagree: {:.2} operations in flight by count, {:.2} by their times: a fault of the generator",
            little.in_flight_by_count, little.in_flight_by_times
        ));
    }
    why
}
