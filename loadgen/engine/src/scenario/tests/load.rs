use super::{SECOND_US, closed, open, plan, shape};
use crate::scenario::{Arrival, Arrivals, Load, Pacing, Plan, Scenario, Shape};

fn open_plan(load: Load) -> Plan {
    plan(Scenario::SameSession, load)
}

fn all(plan: &Plan) -> Vec<Arrival> {
    plan.arrivals(0, 1).collect()
}

#[test]
fn a_constant_rates_count_is_exact() {
    for rate in [1_u32, 777, 50_000] {
        let plan = open_plan(open(f64::from(rate), 10 * SECOND_US, Arrivals::Constant));
        let arrivals = all(&plan);
        assert_eq!(arrivals.len(), 10 * rate as usize);
        assert_eq!(plan.planned_arrivals(3 * SECOND_US, 5 * SECOND_US), 2 * u64::from(rate));
    }
    let arrivals = all(&open_plan(open(1_000.0, SECOND_US, Arrivals::Constant)));
    assert!((0..).zip(&arrivals).all(|(number, arrival)| arrival.at_us == 500 + 1_000 * number), "{arrivals:?}");
}

#[test]
fn the_highest_rate_ends_within_the_run() {
    let arrivals = all(&open_plan(open(1_000_000.0, SECOND_US, Arrivals::Constant)));
    assert_eq!(arrivals.len(), 1_000_000);
    assert_eq!(arrivals[999_999].at_us, SECOND_US - 1);
}

#[test]
fn users_take_turns() {
    let plan = Plan { users: 3, ..open_plan(open(7.0, SECOND_US, Arrivals::Constant)) };
    let turns: Vec<(u32, u64)> = plan.arrivals(0, 1).map(|arrival| (arrival.user, arrival.turn)).collect();
    assert_eq!(turns, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2)]);
}

#[test]
fn the_union_of_the_shards_is_the_whole() {
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        let stages = shape(&["ramp:2s:500", "spike:1s:3000", "hold:2s"]).after_warm_up(SECOND_US);
        let plan = Plan { users: 10, ..open_plan(Load::Open { stages, arrivals }) };
        let whole = all(&plan);
        assert!(whole.len() > 4_000, "{}", whole.len());
        for shards in [2, 3, 16] {
            let mut union = Vec::new();
            for shard in 0..shards {
                let own: Vec<Arrival> = plan.arrivals(shard, shards).collect();
                assert!(own.iter().all(|arrival| arrival.user % shards == shard));
                // More shards than users: some have nothing to do, and end.
                assert_eq!(own.is_empty(), shard >= 10);
                assert!(own.is_sorted_by_key(|arrival| arrival.at_us));
                union.extend(own);
            }
            union.sort_by_key(|arrival| (arrival.turn, arrival.user));
            assert_eq!(union, whole);
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_arrivals_and_another_makes_others() {
    let plan = open_plan(open(100.0, 10 * SECOND_US, Arrivals::Poisson));
    assert_eq!(all(&plan), all(&plan.clone()));
    assert_ne!(all(&plan), all(&Plan { seed: 2, ..plan.clone() }));
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance)
}

#[test]
fn poisson_counts_vary_as_much_as_their_mean_and_gaps_as_their_own() {
    let times: Vec<u64> = plan_times(open(200.0, 500 * SECOND_US, Arrivals::Poisson));
    let mut counts = vec![0.0; 500];
    times.iter().for_each(|at_us| counts[usize::try_from(at_us / SECOND_US).unwrap()] += 1.0);
    let (mean, variance) = moments(&counts);
    assert!((mean - 200.0).abs() < 3.0, "mean {mean}");
    assert!((variance / mean - 1.0).abs() < 0.2, "variance {variance}");
    let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let (mean, variance) = moments(&gaps);
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "coefficient of variation {}", variance.sqrt() / mean);
}

fn plan_times(load: Load) -> Vec<u64> {
    open_plan(load).arrivals(0, 1).map(|arrival| arrival.at_us).collect()
}

#[test]
fn poisson_arrivals_follow_a_ramp() {
    let times = plan_times(Load::Open { stages: shape(&["ramp:100s:1000"]), arrivals: Arrivals::Poisson });
    // The integral is 5·t²: a quarter of the 50,000 come in the first half.
    let early = times.iter().filter(|&&at_us| at_us < 50 * SECOND_US).count();
    assert!(times.len().abs_diff(50_000) < 700 && early.abs_diff(12_500) < 350, "{early} of {}", times.len());
}

#[test]
fn planned_arrivals_are_those_of_the_stream() {
    let plan = open_plan(open(100.0, 10 * SECOND_US, Arrivals::Poisson));
    let within = all(&plan).iter().filter(|arrival| (3_000_000..4_000_000).contains(&arrival.at_us)).count();
    assert!(within > 50);
    assert_eq!(plan.planned_arrivals(3_000_000, 4_000_000), within as u64);
    assert_eq!(plan.planned_arrivals(0, plan.end_us()), all(&plan).len() as u64);
    let closed = plan_of(closed(5.0));
    assert_eq!((closed.planned_arrivals(0, u64::MAX), all(&closed).len()), (0, 0));
}

fn plan_of(load: Load) -> Plan {
    plan(Scenario::Journey, load)
}

#[test]
fn as_many_users_are_active_as_the_level_rounded_up() {
    let stages = shape(&["ramp:10s:10", "hold:5s:2.5", "spike:1s:7", "hold:5s"]);
    let plan = plan_of(Load::Closed { stages, pacing: Pacing::Think });
    let active_at = |t_us| (0..100).filter(|&user| plan.active_from(user, t_us) == Some(t_us)).count();
    for (t_us, active) in [(0, 0), (1, 1), (5_500_000, 6), (9_999_999, 10), (12_000_000, 3), (15_000_000, 7)] {
        assert_eq!(active_at(t_us), active, "at {t_us}");
        assert_eq!(active.to_string(), plan.stages().level_at(t_us).ceil().to_string());
    }
    // User 6 comes by the ramp, goes with the hold, comes again for the spike, and is gone.
    assert_eq!(plan.active_from(6, 0), Some(6_000_001));
    assert_eq!(plan.active_from(6, 10_000_000), Some(15_000_000));
    assert_eq!(plan.active_from(6, 16_000_000), None);
    assert_eq!(plan.most_users(), 10);
    assert_eq!(plan.active_from(2, 20_999_999), Some(20_999_999));
    assert_eq!(plan.active_from(2, plan.end_us()), None);
}

#[test]
fn there_are_no_more_users_than_the_plan_has() {
    let plan = Plan { users: 3, ..plan_of(closed(5.0)) };
    assert_eq!((plan.active_from(2, 0), plan.active_from(3, 0), plan.most_users()), (Some(0), None, 3));
    assert_eq!(plan_of(open(5.0, SECOND_US, Arrivals::Poisson)).active_from(0, 0), None);
    assert_eq!(plan_of(open(5.0, SECOND_US, Arrivals::Poisson)).most_users(), 100);
}

#[test]
fn the_journeys_users_begin_one_after_the_other() {
    let starts_of = |warm_up_us, duration_us| -> Vec<u64> {
        let stages = Shape::constant(100.0, duration_us).after_warm_up(warm_up_us);
        let plan = plan_of(Load::Closed { stages, pacing: Pacing::Think });
        (0..100).map(|user| plan.start_us(user)).collect()
    };
    for (warm_up_s, duration_s, within_s) in [(10, 60, 10), (0, 60, 2), (0, 1, 1), (5, 1, 5)] {
        let starts = starts_of(warm_up_s * SECOND_US, duration_s * SECOND_US);
        let slot_us = within_s * SECOND_US / 100;
        for (user, start_us) in (0..).zip(&starts) {
            assert_eq!(start_us / slot_us, user, "user {user} starts at {start_us}");
        }
        let jittered = starts.iter().filter(|&start_us| start_us % slot_us != 0).count();
        assert!(jittered > 90, "{jittered}");
    }
}

#[test]
fn starts_depend_on_the_seed_and_other_scenarios_begin_at_once() {
    let journey = plan_of(closed(100.0));
    let starts = |plan: &Plan| (0..100).map(|user| plan.start_us(user)).collect::<Vec<_>>();
    assert_eq!(starts(&journey), starts(&journey.clone()));
    assert_ne!(starts(&journey), starts(&Plan { seed: 2, ..journey }));
    assert_eq!(starts(&plan(Scenario::Churn, closed(100.0))), [0; 100]);
}

#[test]
fn users_at_a_pace_are_spread_evenly_over_it() {
    let stages = Shape::constant(4.0, 10 * SECOND_US);
    let load = Load::Closed { stages, pacing: Pacing::Pace(SECOND_US) };
    let paced = Plan { users: 4, ..plan(Scenario::Mixed, load) };
    assert_eq!([0, 1, 2, 3].map(|user| paced.start_us(user)), [0, 250_000, 500_000, 750_000]);
}
