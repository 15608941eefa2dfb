use super::*;
use crate::simulated::{STANDARD_ERRORS, exponential, random};
use rand::rngs::StdRng;
use std::collections::VecDeque;

/// Where a user is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Thinks,
    AtCores,
    AtLock,
}

/// A station: who is served, and who waits in order of arrival.
struct Station {
    place: Place,
    servers: usize,
    mean_s: f64,
    serving: usize,
    waiting: VecDeque<usize>,
}

impl Station {
    fn new(place: Place, servers: usize, mean_s: f64) -> Self {
        Self { place, servers, mean_s, serving: 0, waiting: VecDeque::new() }
    }
}

/// A network simulated event by event: each user has a place and, unless they wait, a time at which they leave it.
struct Network<'a> {
    until_s: Vec<f64>,
    place: Vec<Place>,
    stations: [Station; 2],
    think_s: f64,
    draw: &'a mut dyn FnMut(f64) -> f64,
}

impl Network<'_> {
    fn arrive(&mut self, user: usize, now_s: f64, station: usize) {
        self.place[user] = self.stations[station].place;
        self.stations[station].waiting.push_back(user);
        self.until_s[user] = f64::INFINITY;
        self.serve(station, now_s);
    }

    fn serve(&mut self, station: usize, now_s: f64) {
        let station = &mut self.stations[station];
        while station.serving < station.servers
            && let Some(user) = station.waiting.pop_front()
        {
            station.serving += 1;
            self.until_s[user] = now_s + (self.draw)(station.mean_s);
        }
    }

    fn leave(&mut self, station: usize, now_s: f64) {
        self.stations[station].serving -= 1;
        self.serve(station, now_s);
    }

    /// Lets the next user move on; the time, and whether an operation ended.
    fn step(&mut self) -> (f64, bool) {
        let user = (0..self.until_s.len()).min_by(|&a, &b| self.until_s[a].total_cmp(&self.until_s[b])).unwrap();
        let now_s = self.until_s[user];
        match self.place[user] {
            Place::Thinks => self.arrive(user, now_s, 0),
            Place::AtCores => {
                self.leave(0, now_s);
                self.arrive(user, now_s, 1);
            }
            Place::AtLock => {
                self.leave(1, now_s);
                self.place[user] = Place::Thinks;
                self.until_s[user] = now_s + (self.draw)(self.think_s);
                return (now_s, true);
            }
        }
        (now_s, false)
    }
}

/// Means of a simulation by batches, each long enough to be nearly independent of the next.
struct Simulated {
    throughput_per_s: Vec<f64>,
    at_cores: Vec<f64>,
    at_lock: Vec<f64>,
}

fn simulate(model: TwoStations, users: usize, operations: usize, draw: &mut dyn FnMut(f64) -> f64) -> Simulated {
    const BATCHES: usize = 40;
    let stations = [
        Station::new(Place::AtCores, model.cores as usize, model.core_s),
        Station::new(Place::AtLock, 1, model.hold_s),
    ];
    let until_s = (0..users).map(|_| draw(model.think_s)).collect();
    let mut network = Network { until_s, place: vec![Place::Thinks; users], stations, think_s: model.think_s, draw };
    let mut simulated = Simulated { throughput_per_s: vec![], at_cores: vec![], at_lock: vec![] };
    let mut start_s = 0.0;
    for batch in 0..=BATCHES {
        let (mut ended, mut last_s, mut core_users_s, mut lock_users_s) = (0, start_s, 0.0, 0.0);
        while ended < operations / BATCHES {
            let at = |place| network.place.iter().filter(|&&at| at == place).count() as f64;
            let (at_cores, at_lock) = (at(Place::AtCores), at(Place::AtLock));
            let (now_s, done) = network.step();
            core_users_s += at_cores * (now_s - last_s);
            lock_users_s += at_lock * (now_s - last_s);
            (ended, last_s) = (ended + usize::from(done), now_s);
        }
        // The first batch is the way into the steady state.
        if batch > 0 {
            let span_s = last_s - start_s;
            simulated.throughput_per_s.push(ended as f64 / span_s);
            simulated.at_cores.push(core_users_s / span_s);
            simulated.at_lock.push(lock_users_s / span_s);
        }
        start_s = last_s;
    }
    simulated
}

/// Demands that batches' mean agrees, as far as their scatter can tell.
#[track_caller]
fn assert_batches(batches: &[f64], expected: f64) {
    let count = batches.len() as f64;
    let mean = batches.iter().sum::<f64>() / count;
    let variance = batches.iter().map(|batch| (batch - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let allowed = STANDARD_ERRORS * (variance / count).sqrt();
    assert!((mean - expected).abs() <= allowed, "simulated {mean}, expected {expected} ± {allowed}");
}

fn exponential_times(random: &mut StdRng) -> impl FnMut(f64) -> f64 {
    |mean_s| if mean_s > 0.0 { exponential(random, mean_s) } else { 0.0 }
}

#[test]
fn a_lock_serves_users_as_fast_as_simulated() {
    let model = OneLock { think_s: 0.1, hold_s: 0.01 };
    let loads = model.loads(30);
    let network = TwoStations { think_s: 0.1, cores: 64, core_s: 0.0, hold_s: 0.01 };
    let mut random = random(14);
    for users in [1, 5, 11, 20, 30] {
        let simulated = simulate(network, users, 80_000, &mut exponential_times(&mut random));
        let load = loads[users - 1];
        assert_batches(&simulated.throughput_per_s, load.throughput_per_s);
        assert_batches(&simulated.at_lock, load.at_lock);
        assert_eq!(load.users, users);
    }
}

#[test]
fn cores_and_a_lock_serve_users_as_fast_as_simulated() {
    let mut random = random(15);
    let models = [
        TwoStations { think_s: 0.05, cores: 2, core_s: 0.02, hold_s: 0.005 },
        TwoStations { think_s: 0.1, cores: 3, core_s: 0.01, hold_s: 0.01 },
    ];
    for model in models {
        let loads = model.loads(24);
        for users in [2, 8, 24] {
            let simulated = simulate(model, users, 80_000, &mut exponential_times(&mut random));
            let load = loads[users - 1];
            assert_batches(&simulated.throughput_per_s, load.load.throughput_per_s);
            assert_batches(&simulated.at_lock, load.load.at_lock);
            assert_batches(&simulated.at_cores, load.at_cores);
        }
    }
}

/// Machines under one repairman, from the chances of each number broken: an exact formula of another kind.
fn repairman_per_s(users: i32, model: OneLock) -> f64 {
    let ratio = model.hold_s / model.think_s;
    let weights = (0..=users).scan(1.0, |weight, broken| {
        let this = *weight;
        *weight *= f64::from(users - broken) * ratio;
        Some(this)
    });
    (1.0 - 1.0 / weights.sum::<f64>()) / model.hold_s
}

#[test]
fn a_lock_agrees_with_the_repairmans_formula() {
    let model = OneLock { think_s: 0.3, hold_s: 0.02 };
    for users in [1, 2, 10, 40] {
        let load = model.loads(40)[usize::try_from(users).unwrap() - 1];
        assert!((load.throughput_per_s / repairman_per_s(users, model) - 1.0).abs() < 1e-12);
        assert!((load.lock_utilisation - load.throughput_per_s * 0.02).abs() < 1e-12);
    }
}

#[test]
fn a_lock_alone_is_two_stations_with_nothing_to_compute() {
    let (lock, stations) =
        (OneLock { think_s: 1.0, hold_s: 0.01 }, TwoStations { think_s: 1.0, cores: 2, core_s: 0.0, hold_s: 0.01 });
    for (one, two) in lock.loads(1_000).into_iter().zip(stations.loads(1_000)) {
        assert!((one.throughput_per_s / two.load.throughput_per_s - 1.0).abs() < 1e-9, "{one:?} {two:?}");
        assert!((one.at_lock - two.load.at_lock).abs() < 1e-6 * one.at_lock + 1e-9, "{one:?} {two:?}");
        assert!(two.core_utilisation < 1e-300);
    }
}

#[test]
fn no_load_passes_its_bounds_and_constant_times_come_up_to_them() {
    // The lock is the narrow place of the first, the cores of the second.
    let lock_bound = TwoStations { think_s: 0.1, cores: 2, core_s: 0.01, hold_s: 0.01 };
    let core_bound = TwoStations { think_s: 0.1, cores: 2, core_s: 0.04, hold_s: 0.01 };
    for (model, knee_users) in [(lock_bound, 12.0), (core_bound, 7.5)] {
        assert!((model.knee_users() - knee_users).abs() < 1e-9);
        for load in model.loads(60) {
            let bounds = model.bounds(load.load.users);
            assert!(load.load.throughput_per_s <= bounds.most_per_s * (1.0 + 1e-9));
            assert!(load.load.throughput_per_s >= bounds.least_per_s * (1.0 - 1e-9));
            assert!(load.load.response_s >= bounds.least_response_s * (1.0 - 1e-9));
        }
        // With constant times users fall into step: they do not wait before the knee, and the narrow place is never
        // idle after it.
        for users in [1, 6, 24] {
            let simulated = simulate(model, users, 4_000, &mut |mean_s| mean_s);
            let mean = simulated.throughput_per_s.iter().sum::<f64>() / 40.0;
            assert!((mean / model.bounds(users).most_per_s - 1.0).abs() < 2e-3, "{users}: {mean}");
        }
        assert!((model.bounds(1).least_per_s - model.bounds(1).most_per_s).abs() < 1e-9);
    }
}

#[test]
fn the_narrow_place_is_in_use_all_the_time_when_users_are_many() {
    let core_bound = TwoStations { think_s: 0.1, cores: 4, core_s: 0.04, hold_s: 0.005 }.loads(100)[99];
    assert!((core_bound.core_utilisation - 1.0).abs() < 1e-3 && (core_bound.load.lock_utilisation - 0.5).abs() < 1e-3);
}

#[test]
fn the_knee_of_a_lock_lies_where_its_bounds_cross() {
    let model = OneLock { think_s: 0.99, hold_s: 0.01 };
    assert!((model.knee_users() - 100.0).abs() < 1e-9);
    assert!((model.bounds(100).most_per_s - 100.0).abs() < 1e-9 && (model.bounds(50).most_per_s - 50.0).abs() < 1e-9);
    assert!((model.bounds(200).most_per_s - 100.0).abs() < 1e-9);
    assert!((model.bounds(200).least_response_s - 1.01).abs() < 1e-9);
    assert!((model.bounds(200).least_per_s - 200.0 / 2.99).abs() < 1e-9);
}

#[test]
fn littles_law_holds_of_a_steady_state_and_tells_one_that_is_not() {
    let load = OneLock { think_s: 0.2, hold_s: 0.01 }.loads(50)[49];
    assert!(little_deviation(50.0, load.throughput_per_s, load.response_s, 0.2).abs() < 1e-12);
    assert!((little_deviation(50.0, 0.9 * load.throughput_per_s, load.response_s, 0.2) + 0.1).abs() < 1e-12);
}
