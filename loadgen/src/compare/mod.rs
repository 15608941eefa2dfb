//! Two servers loaded in turns, A B B A, for as long as it takes to tell them apart, or not. Both are started anew every
//! few pairs if the harness can start them, as the same code is now faster, now slower from start to start.
//!
//! - [`contender`]: one of the two: named, started, ended.
//! - [`self_test`]: whether the gates on ratios can be trusted on this machine.

pub mod contender;
pub mod self_test;

use crate::lab::load;
use crate::lab::load::Load;
use crate::lab::{Lab, Stuck};
use anyhow::anyhow;
use contender::Ready;
use contract::Operation;
use engine::scenario;
use engine::scenario::{Mix, Plan, Scenario, Shape};
use record::comparison::failing::ServerFailure;
use record::comparison::{Comparison, SCHEMA, Side, Turn, side_of};
use record::figures::Tally;
use record::host::Host;
use report::gate::gates::TurnLoad;
use stats::ratio::starts::PAIRS_PER_START;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio_util::sync::CancellationToken;

/// How long users are under way in each turn before anything is measured.
const WARM_UP: Duration = Duration::from_millis(50);

/// What users do if nothing else is asked for: no lists, whose work grows with what others saved.
pub const DEFAULT_MIX: &str = "restore=62,save=34,churn=4";

/// What is compared, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// The baseline, as it is told.
    pub a: String,
    /// What is held to it, as it is told.
    pub b: String,
    /// The load of each turn, and how long all may take.
    pub load: TurnLoad,
    /// What its users do.
    pub mix: Mix,
    /// How often both are started, at most.
    pub starts: usize,
    /// What all randomness of the harness comes from.
    pub seed: u64,
}

/// Loads the two in turns until what was measured decides (`is_decided` is asked after each pair, or after each start if
/// there are to be several), or the time is up, and ends both. When `stop` is cancelled, or a server does not respond any
/// more, the comparison is of the turns until then. `keep` writes it down before servers are ended, as that may take long.
///
/// # Errors
/// If a server cannot be started or loaded, the comparison cannot be written, or documents of ours cannot be removed.
pub async fn compare(
    order: &Order,
    start: &impl AsyncFn(Side) -> anyhow::Result<Ready>,
    is_decided: &(dyn Fn(&Comparison) -> bool + Sync),
    keep: &(dyn Fn(&Comparison) -> anyhow::Result<()> + Sync),
    stop: &CancellationToken,
) -> anyhow::Result<Comparison> {
    let mut comparison = without_turns(order);
    let began = Instant::now();
    let mut ends = Vec::new();
    for number in 1..=order.starts {
        let [mut a, mut b] = match both_started(start, number).await {
            Ok(servers) => servers,
            Err((side, error)) if number == 1 => return Err(error.context(side.to_string())),
            Err((side, error)) => {
                let why = format!("it could not be started anew for start {number}: {error:#}");
                comparison.failures.push(ServerFailure { side, turns: Vec::new(), why, details: Vec::new() });
                break;
            }
        };
        let is_enough = |comparison: &Comparison, pairs: usize| {
            if order.starts > 1 {
                return pairs == PAIRS_PER_START;
            }
            pairs > 0 && (is_decided(comparison) || is_up(began.elapsed(), pairs + 1, order.load.at_most))
        };
        let measured = in_turns(order, number, [&mut a, &mut b], &mut comparison, &is_enough, stop).await;
        let kept = keep(&comparison);
        let (a, b) = tokio::join!(a.target.leave_or_fail(stop), b.target.leave_or_fail(stop));
        ends.extend([(Side::A, a), (Side::B, b)]);
        measured?;
        kept?;
        let is_over = comparison.partial || !comparison.failures.is_empty() || is_decided(&comparison);
        if is_over || is_up(began.elapsed(), number, order.load.at_most) {
            break;
        }
    }
    comparison.note_failures();
    for (side, ended) in ends {
        let Err(error) = ended else { continue };
        // Nothing can be removed from a server that is gone: its failure says so.
        match comparison.failures.iter_mut().find(|failure| failure.side == side) {
            Some(failure) => failure.details.push(format!("{error:#}")),
            None => return Err(error),
        }
    }
    keep(&comparison)?;
    Ok(comparison)
}

/// Whether there is no time for one more of what took so long so many times.
fn is_up(elapsed: Duration, times: usize, at_most: Duration) -> bool {
    elapsed + elapsed.div_f64(times as f64) > at_most
}

/// Both servers, or which one could not be started. They take turns in being the first, as the second may find less room.
async fn both_started(
    start: &impl AsyncFn(Side) -> anyhow::Result<Ready>,
    number: usize,
) -> Result<[Ready; 2], (Side, anyhow::Error)> {
    let of = async |side| start(side).await.map_err(|error| (side, error));
    if number.is_multiple_of(2) {
        let b = of(Side::B).await?;
        return Ok([of(Side::A).await?, b]);
    }
    Ok([of(Side::A).await?, of(Side::B).await?])
}

fn without_turns(order: &Order) -> Comparison {
    Comparison {
        schema: SCHEMA.to_owned(),
        seed: order.seed,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        partial: false,
        host: Host::this(),
        a: order.a.clone(),
        b: order.b.clone(),
        load: in_words(&order.load, order.mix),
        starts: order.starts,
        turns: Vec::new(),
        failures: Vec::new(),
    }
}

/// Loads both servers of one start in turns, until it is enough, it is to stop or one of them fails.
async fn in_turns(
    order: &Order,
    start: usize,
    [a, b]: [&mut Ready; 2],
    comparison: &mut Comparison,
    is_enough: &(dyn Fn(&Comparison, usize) -> bool + Sync),
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    // Connections, caches, first documents: the first turn of each is not the server's usual one.
    for (ready, side) in [(&mut *a, Side::A), (&mut *b, Side::B)] {
        let (_, failure) = turn(ready, (side, start), order, 0).await?;
        if let Some(failure) = failure {
            comparison.failures.push(failure);
            return Ok(());
        }
    }
    for pairs in 0.. {
        if stop.is_cancelled() {
            comparison.partial = true;
            break;
        }
        if is_enough(comparison, pairs) {
            break;
        }
        for _ in 0..2 {
            let number = comparison.turns.len();
            let side = side_of(number);
            let ready = if side == Side::A { &mut *a } else { &mut *b };
            let seed = order.seed.wrapping_add(number as u64);
            let (turn, failure) = turn(ready, (side, start), order, seed).await?;
            comparison.turns.push(turn);
            if let Some(failure) = failure {
                comparison.failures.push(ServerFailure { turns: vec![number + 1], ..failure });
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One load of one server, after which its keys are given back; and how it failed, if it does not respond any more.
async fn turn(
    ready: &mut Ready,
    (side, start): (Side, usize),
    order: &Order,
    seed: u64,
) -> anyhow::Result<(Turn, Option<ServerFailure>)> {
    let lab = Arc::clone(&ready.target.lab);
    let stuck = |Stuck(why)| anyhow!("{} cannot be loaded: {why}", lab.target.url());
    let plan = plan(&lab, order, seed);
    let turn = told(side, start, load::carry_out_to_the_end(&lab, plan, None, None).await.map_err(stuck)?);
    if !turn.is_whole()
        && let Some((why, details)) = ready.silence().await
    {
        return Ok((turn, Some(ServerFailure { side, turns: Vec::new(), why, details })));
    }
    lab.release(&lab.ledger.keys()).await;
    Ok((turn, None))
}

fn plan(lab: &Lab, Order { load, mix, .. }: &Order, seed: u64) -> Plan {
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let plan = load::plan(lab, Scenario::Mixed, load.users as usize, load.turn);
    let mut plan = Plan { mix: *mix, seed, ..plan };
    if let scenario::Load::Closed { stages, .. } = &mut plan.load {
        *stages = Shape::constant(f64::from(load.users), us(load.turn)).after_warm_up(us(WARM_UP));
    }
    plan
}

fn told(side: Side, start: usize, load: Load) -> Turn {
    let total = load.total();
    let operations = Operation::ALL.into_iter().zip(load.tallies.iter().map(Tally::report));
    let operations = operations.filter(|(_, report)| report.sent > 0);
    Turn {
        side,
        start,
        seconds: load.seconds,
        operations: operations.map(|(operation, report)| (operation.name().to_owned(), report)).collect(),
        total,
        held_up: load.held_up,
    }
}

fn in_words(load: &TurnLoad, mix: Mix) -> String {
    let users = if load.users == 1 { "1 user".to_owned() } else { format!("{} users", load.users) };
    let turn = humantime::format_duration(load.turn);
    format!("{users} without pauses, {mix}, in turns of {turn}")
}
