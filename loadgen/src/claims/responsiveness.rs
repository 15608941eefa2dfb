//! P1: a hundred users on the client's journey.

use super::{Claim, Finding, Needs};
use crate::client::{Exchange, Operation, User};
use crate::document::{Content, REAL_STATE_BYTES};
use crate::model::statistics::{clopper_pearson, percentile};
use crate::saves::folder::is_key;
use crate::verify::lab::{Lab, at_once};
use crate::verify::stalls::{Stall, StallWatch, is_undisturbed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// "100 users on the journey, 30 s"
const DURATION: Duration = Duration::from_secs(30);

/// Users arrive within this time, not all at once: that is another claim's experiment.
const ARRIVAL_MS: u64 = 2_000;

/// The client saves this long after the last of a burst of changes.
const SAVE_DELAY: Duration = Duration::from_secs(2);

/// A burst of changes takes up to this long.
const BURST_MS: u64 = 600;

/// Saves of one session before it ends.
const SAVES_PER_SESSION: u64 = 3;

/// A user comes back to its session after every other save, and restores it.
const SAVES_PER_RETURN: u64 = 2;

/// The limit of every operation's 99th percentile.
const LIMIT_MS: f64 = 100.0;
const ONE_PERCENT: f64 = 0.01;

/// More exchanges than this disturbed by pauses of the harness, and times say nothing.
const MOST_DISTURBED: f64 = 0.2;

/// P1
pub(super) static P1: Claim = Claim {
    id: "P1",
    title: "100 users are served easily",
    quote: "Handles 100 concurrent users easily",
    needs: Needs::Wire,
    is_quick: false,
    mostly_waits: true,
    attempt: |lab| {
        Box::pin(async move {
            let watch = StallWatch::start(lab.origin);
            let exchanges = experiment(lab).await;
            Ok(judge(&exchanges, &watch.stalls()))
        })
    },
};

async fn experiment(lab: &Arc<Lab>) -> Vec<Exchange> {
    let until = Instant::now() + DURATION;
    let seed = lab.seed;
    let journeys = at_once(lab.crowd(lab.users), move |user, number| {
        let random = StdRng::seed_from_u64(seed ^ number as u64);
        async move { journey(user, random, until).await }
    });
    journeys.await.into_iter().flatten().collect()
}

/// One user, session after session, until the time is over.
async fn journey(mut user: User, mut random: StdRng, until: Instant) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    sleep(Duration::from_millis(random.random_range(0..ARRIVAL_MS))).await;
    while Instant::now() < until {
        let asked = user.generate_key().await;
        let key = asked.key_handed_out().filter(|key| is_key(key));
        exchanges.push(asked);
        let Some(key) = key else {
            // "Wait before retry": 1000 ms.
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        session(&mut user, &key, &mut random, until, &mut exchanges).await;
    }
    exchanges
}

async fn session(user: &mut User, key: &str, random: &mut StdRng, until: Instant, exchanges: &mut Vec<Exchange>) {
    let content = |number| Content { writer: user.number() as u64, number, size_bytes: REAL_STATE_BYTES };
    let states: Vec<_> = (0..=SAVES_PER_SESSION).map(|number| content(number).state()).collect();
    exchanges.push(user.instantiate(key, "word", &states[0]).await);
    exchanges.push(user.restore(key).await);
    for (saves, state) in (1..).zip(&states[1..]) {
        if Instant::now() >= until {
            break;
        }
        sleep(SAVE_DELAY + Duration::from_millis(random.random_range(0..BURST_MS))).await;
        exchanges.push(user.save(key, "word", &BTreeMap::new(), state).await);
        if saves % SAVES_PER_RETURN == 0 {
            exchanges.push(user.restore(key).await);
        }
    }
    exchanges.push(user.delete(key).await);
}

fn judge(exchanges: &[Exchange], stalls: &[Stall]) -> Finding {
    let error = exchanges.iter().find(|exchange| !exchange.is_success());
    let errors = exchanges.iter().filter(|exchange| !exchange.is_success()).count();
    let undisturbed: Vec<&Exchange> = exchanges.iter().filter(|exchange| is_undisturbed(exchange, stalls)).collect();
    let disturbed = exchanges.len() - undisturbed.len();
    let times: Vec<(Operation, Times)> =
        [Operation::GenerateKey, Operation::Instantiate, Operation::Save, Operation::Restore, Operation::Delete]
            .map(|operation| (operation, Times::of(operation, &undisturbed)))
            .into();
    let slow = times.iter().find(|(_, times)| times.p99_ms >= LIMIT_MS && times.surely_slow);
    let unsure = times.iter().find(|(_, times)| times.p99_ms >= LIMIT_MS || times.count == 0);
    let worst = times.iter().map(|(_, times)| times.p99_ms).fold(0.0, f64::max);
    let finding = if let Some(exchange) = error {
        Finding::refuted(format!("{errors} of {} exchanges failed", exchanges.len()), vec![exchange.step()])
    } else if disturbed as f64 > MOST_DISTURBED * exchanges.len() as f64 {
        Finding::inconclusive(format!("the harness was held up during {disturbed} of {} exchanges", exchanges.len()))
    } else if let Some((operation, times)) = slow {
        let summary = format!("{operation}: p99 {:.0} ms", times.p99_ms);
        Finding::refuted(summary, times.slowest.iter().map(Exchange::step).collect())
    } else if let Some((operation, times)) = unsure {
        Finding::inconclusive(format!(
            "{operation}: p99 {:.0} ms of {} exchanges is too few to tell",
            times.p99_ms, times.count
        ))
    } else {
        Finding::holds(format!("{} exchanges, no error, the slowest operation's p99 {worst:.1} ms", exchanges.len()))
    };
    let by_operation: Vec<_> = times
        .iter()
        .map(|(operation, times)| json!({ "operation": operation.name(), "count": times.count, "p99_ms": times.p99_ms, "max_ms": times.slowest.as_ref().map(Exchange::took_ms) }))
        .collect();
    finding
        .measured("exchanges", exchanges.len())
        .measured("errors", errors)
        .measured("disturbed_by_pauses_of_the_harness", disturbed)
        .measured("by_operation", by_operation)
        .expected("errors", 0)
        .expected("p99_ms_below", LIMIT_MS)
}

/// One operation's times.
struct Times {
    count: usize,
    p99_ms: f64,
    /// Whether more than 1 % of such exchanges are slow, as far as 99 % confidence goes.
    surely_slow: bool,
    slowest: Option<Exchange>,
}

impl Times {
    fn of(operation: Operation, exchanges: &[&Exchange]) -> Self {
        let of_it: Vec<&&Exchange> = exchanges.iter().filter(|exchange| exchange.operation == operation).collect();
        let times: Vec<f64> = of_it.iter().map(|exchange| exchange.took_ms()).collect();
        let slow = times.iter().filter(|&&time| time >= LIMIT_MS).count();
        Self {
            count: times.len(),
            p99_ms: percentile(&times, 0.99).unwrap_or_default(),
            surely_slow: clopper_pearson(slow as u64, times.len() as u64, 0.99).low > ONE_PERCENT,
            slowest: of_it
                .into_iter()
                .max_by_key(|exchange| exchange.to_us - exchange.from_us)
                .map(|exchange| (*exchange).clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::client::exchange::{Answer, Body};

    fn exchange(operation: Operation, took_ms: u64) -> Exchange {
        let outcome =
            Ok(Answer { status: 200, attempts: None, body: Body::parse(br#"{"success":true,"timestamp":1}"#) });
        let (key, note) = (String::new(), String::new());
        Exchange { user: 0, operation, key, note, from_us: 1_000_000, to_us: 1_000_000 + took_ms * 1_000, outcome }
    }

    fn run(slow_saves: usize) -> Vec<Exchange> {
        let operations = [Operation::GenerateKey, Operation::Instantiate, Operation::Restore, Operation::Delete];
        let mut run: Vec<Exchange> =
            operations.iter().flat_map(|&operation| vec![exchange(operation, 3); 300]).collect();
        run.extend(vec![exchange(Operation::Save, 3); 300 - slow_saves]);
        run.extend(vec![exchange(Operation::Save, 120); slow_saves]);
        run
    }

    #[test]
    fn a_hundredth_of_slow_saves_is_allowed_and_a_tenth_refutes() {
        assert_eq!(judge(&run(2), &[]).verdict, Verdict::Holds);
        assert_eq!(judge(&run(5), &[]).verdict, Verdict::Inconclusive);
        let finding = judge(&run(30), &[]);
        assert_eq!((finding.verdict, finding.summary.as_str()), (Verdict::Refuted, "save: p99 120 ms"));
    }

    #[test]
    fn one_error_refutes() {
        let mut run = run(0);
        let body = Body::parse(br#"{"success":false,"message":"Failed to open file","timestamp":1}"#);
        run[7].outcome = Ok(Answer { status: 500, attempts: None, body });
        assert_eq!(judge(&run, &[]).verdict, Verdict::Refuted);
    }

    #[test]
    fn what_held_up_the_harness_is_not_held_against_the_server() {
        let stall = Stall { from_us: 1_050_000, to_us: 1_110_000 };
        assert_eq!(judge(&run(30), &[stall]).verdict, Verdict::Holds);
        let pause = Stall { from_us: 0, to_us: 9_000_000 };
        assert_eq!(judge(&run(0), &[pause]).verdict, Verdict::Inconclusive);
    }
}
