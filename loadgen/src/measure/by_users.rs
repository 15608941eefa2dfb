//! Throughput and latency by users.

use crate::lab::load;
use crate::lab::load::Load;
use crate::lab::{Lab, Stuck};
use engine::scenario::{Plan, Scenario, Shape};
use hdrhistogram::Histogram;
use rand::Rng;
use rand::seq::SliceRandom;
use record::figures::Tally;
use record::hlog::new_histogram;
use record::measurements::Users;
use stats::scalability::{Fitted, Point};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Users that the law is fitted to, and such as are predicted first.
const FITTED: [u32; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000];
const HELD_OUT: [u32; 4] = [3, 24, 100, 400];

/// Rounds: in each, every number of users once, in an order of its own, so that what the machine does at one time does
/// not fall on one number; those that are held out last, predicted from the others of the round. Many short ones: a machine
/// that others use too can be half as fast from one second to the next.
const ROUNDS: usize = 24;

/// What they do: no lists, whose work grows with the users' documents, so that a rise and a fall are the users' own.
const MIX: &str = "restore=62,save=34,churn=4";

/// How long each load lasts: until the users are under way, and then measured.
const WARM_UP: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_millis(200);

/// Quantiles that are kept.
const QUANTILES: [f64; 12] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 1.0];

/// Measures every number of users, round by round.
pub(super) async fn sweep(lab: &Arc<Lab>) -> Result<Vec<Users>, Stuck> {
    let mut points: BTreeMap<u32, Rounds> = BTreeMap::new();
    for round in 0..lab.effort.pick(2, ROUNDS, ROUNDS) {
        let mut random = lab.random(round as u64);
        let fitted = shuffled(&FITTED, &mut random);
        for &users in &fitted {
            points.entry(users).or_insert_with(Rounds::new).add(&at(lab, users).await?);
        }
        let this_round = |users: &u32| Point {
            users: f64::from(*users),
            rounds_per_s: points[users].so_far.goodput_per_s.last().copied().into_iter().collect(),
        };
        let law = Fitted::to(&fitted.iter().map(this_round).collect::<Vec<_>>());
        for users in shuffled(&HELD_OUT, &mut random) {
            let point = points.entry(users).or_insert_with(Rounds::new);
            if let Ok(law) = &law {
                point.so_far.predicted_goodput_per_s.push(law.law.throughput_per_s(f64::from(users)));
            }
            point.add(&at(lab, users).await?);
        }
    }
    Ok(points.into_iter().map(|(users, point)| point.close(users)).collect())
}

fn shuffled(numbers: &[u32], random: &mut impl Rng) -> Vec<u32> {
    let mut numbers = numbers.to_vec();
    numbers.shuffle(random);
    numbers
}

/// One round of one number of users.
async fn at(lab: &Arc<Lab>, users: u32) -> Result<Load, Stuck> {
    let load = load::carry_out(lab, plan(lab, users)?, None).await?;
    lab.release(&lab.ledger.keys()).await;
    Ok(load)
}

fn plan(lab: &Lab, users: u32) -> Result<Plan, Stuck> {
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let plan = load::plan(lab, Scenario::Mixed, users as usize, WARM_UP + MEASURED);
    let mut plan = Plan { mix: MIX.parse().map_err(Stuck)?, ..plan };
    if let engine::scenario::Load::Closed { stages, .. } = &mut plan.load {
        *stages = Shape::constant(f64::from(users), us(MEASURED)).after_warm_up(us(WARM_UP));
    }
    Ok(plan)
}

/// The rounds of one number of users.
struct Rounds {
    so_far: Users,
    response_us: Histogram<u64>,
    tallies: [Tally; 6],
}

impl Rounds {
    fn new() -> Self {
        Self { so_far: Users::default(), response_us: new_histogram(), tallies: Default::default() }
    }

    fn add(&mut self, load: &Load) {
        let total = load.total();
        self.so_far.goodput_per_s.push(total.verified as f64 / load.seconds);
        self.so_far.mean_response_us.push(total.response_us.mean);
        self.so_far.sent += total.sent;
        for (tally, more) in self.tallies.iter_mut().zip(&load.tallies) {
            tally.merge(more);
            self.response_us += more.response_us();
        }
        for (sum, more) in [(&mut self.so_far.wrong, total.wrong), (&mut self.so_far.errors, total.errors)] {
            more.into_iter().for_each(|(name, count)| *sum.entry(name).or_default() += count);
        }
    }

    fn close(mut self, users: u32) -> Users {
        if self.so_far.predicted_goodput_per_s.len() != self.so_far.goodput_per_s.len() {
            // Rounds without a law: what is left of the predictions would stand beside other rounds.
            self.so_far.predicted_goodput_per_s.clear();
        }
        let response_us = QUANTILES.map(|quantile| (quantile, self.response_us.value_at_quantile(quantile)));
        let operations = contract::Operation::ALL.into_iter().zip(&self.tallies);
        let operations = operations.filter(|(_, tally)| !tally.response_us().is_empty());
        let operations = operations.map(|(operation, tally)| (operation.name().to_owned(), tally.report().response_us));
        Users {
            users,
            held_out: HELD_OUT.contains(&users),
            response_us: response_us.into(),
            operations: operations.collect(),
            ..self.so_far
        }
    }
}
