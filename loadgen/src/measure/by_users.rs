//! Throughput and latency by users.

use super::file::Users;
use super::predict;
use crate::claims::load::{self, Load};
use crate::record::figures::Tally;
use crate::record::hlog::new_histogram;
use crate::scenario::{Plan, Scenario, Shape};
use crate::verify::lab::{Lab, Stuck};
use hdrhistogram::Histogram;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Users that the law is fitted to, and such as are predicted first.
const FITTED: [u32; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000];
const HELD_OUT: [u32; 4] = [3, 24, 100, 400];

/// Rounds: in each, every number of users once, in an order of its own, so that what the machine does at one time does
/// not fall on one number.
const ROUNDS: usize = 5;

/// What they do: no lists, whose work grows with the users' documents, so that a rise and a fall are the users' own.
const MIX: &str = "restore=62,save=34,churn=4";

/// How long each load lasts: until the users are under way, and then measured.
const WARM_UP: Duration = Duration::from_millis(300);
const MEASURED: Duration = Duration::from_millis(700);

/// Quantiles that are kept.
const QUANTILES: [f64; 12] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 1.0];

/// Measures the fitted numbers of users, predicts the others, and measures those.
pub(super) async fn sweep(lab: &Arc<Lab>) -> Result<Vec<Users>, Stuck> {
    let mut points = rounds(lab, &FITTED, false).await?;
    let law = predict::throughput(&points);
    let mut held_out = rounds(lab, &HELD_OUT, true).await?;
    for point in &mut held_out {
        point.predicted_goodput_per_s = law.as_ref().map(|law| law.law.throughput_per_s(f64::from(point.users)));
    }
    points.extend(held_out);
    points.sort_by_key(|point| point.users);
    Ok(points)
}

async fn rounds(lab: &Arc<Lab>, numbers: &[u32], held_out: bool) -> Result<Vec<Users>, Stuck> {
    let mut points: BTreeMap<u32, Point> = BTreeMap::new();
    for round in 0..lab.effort.pick(2, ROUNDS, ROUNDS) {
        let mut order = numbers.to_vec();
        order.shuffle(&mut lab.random(round as u64));
        for users in order {
            let load = load::carry_out(lab, plan(lab, users)?, None).await?;
            points.entry(users).or_insert_with(Point::new).add(&load);
            lab.give_back(&lab.ledger.keys()).await;
        }
    }
    Ok(points.into_iter().map(|(users, point)| Users { users, held_out, ..point.close() }).collect())
}

fn plan(lab: &Lab, users: u32) -> Result<Plan, Stuck> {
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let plan = load::plan(lab, Scenario::Mixed, users as usize, WARM_UP + MEASURED);
    let mut plan = Plan { mix: MIX.parse().map_err(Stuck)?, ..plan };
    if let crate::scenario::Load::Closed { stages, .. } = &mut plan.load {
        *stages = Shape::constant(f64::from(users), us(MEASURED)).after_warm_up(us(WARM_UP));
    }
    Ok(plan)
}

/// The rounds of one number of users.
struct Point {
    so_far: Users,
    response_us: Histogram<u64>,
    tallies: [Tally; 6],
}

impl Point {
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

    fn close(self) -> Users {
        let response_us = QUANTILES.map(|quantile| (quantile, self.response_us.value_at_quantile(quantile)));
        let operations = crate::client::Operation::ALL.into_iter().zip(&self.tallies);
        let operations = operations.filter(|(_, tally)| !tally.response_us().is_empty());
        let operations = operations.map(|(operation, tally)| (operation.name().to_owned(), tally.report().response_us));
        Users { response_us: response_us.into(), operations: operations.collect(), ..self.so_far }
    }
}
