//! Response times against queueing theory.

use super::*;

/// Of a service time in the tests of queues, the mean.
const SERVICE_US: f64 = 10_000.0;

/// So many users make arrivals as good as Poisson: that they are not without end shortens queues by 1/1,000 or so.
const MANY: u32 = 20_000;

/// A server whose `generate-key` alone takes time, so that it is a queue of one kind of customer: what takes no time
/// delays nobody. `load` is the mean number of busy cores.
fn open_queue(service: Distribution, cores: u32, load: f64) -> Parameters {
    let think_s = f64::from(MANY) * SERVICE_US / 1e6 / load;
    let mut parameters = quick_sessions(MANY, think_s, 150_000.0);
    parameters.server.generate_key_us = service;
    parameters.server.cores = cores;
    parameters
}

fn generate_key(parameters: &Parameters, seed: u64) -> (Outcome, Response) {
    let outcome = simulate(parameters, seed).unwrap();
    let response = response(&outcome, Operation::GenerateKey);
    (outcome, response)
}

/// The chance to wait in M/M/c, and the mean wait in service times.
fn erlang_c(cores: u32, load: f64) -> (f64, f64) {
    let mut blocked = 1.0;
    for busy in 1..=cores {
        blocked = load * blocked / (f64::from(busy) + load * blocked);
    }
    let c = f64::from(cores);
    let waits = c * blocked / (c - load * (1.0 - blocked));
    (waits, waits / (c - load))
}

#[test]
fn one_core_with_exponential_times_is_m_m_1_in_mean_and_percentiles() {
    let (outcome, response) = generate_key(&open_queue(Distribution::Exponential(SERVICE_US), 1, 0.6), 1);
    let mean_us = SERVICE_US / 0.4;
    assert_near(outcome.utilisation, 0.6, 0.02);
    assert_near(response.mean_us, mean_us, 0.04);
    for (found, share) in [(response.p50_us, 0.5), (response.p90_us, 0.9), (response.p99_us, 0.99)] {
        assert_near(found, -mean_us * f64::ln(1.0 - share), 0.06);
    }
}

#[test]
fn several_cores_with_exponential_times_are_m_m_c_by_erlangs_c() {
    for (seed, cores, load) in [(2, 3, 2.1), (3, 8, 6.4)] {
        let (outcome, response) = generate_key(&open_queue(Distribution::Exponential(SERVICE_US), cores, load), seed);
        assert_near(outcome.utilisation, load / f64::from(cores), 0.02);
        let (_, wait) = erlang_c(cores, load);
        assert_near(response.mean_us / SERVICE_US - 1.0, wait, 0.07);
    }
}

#[test]
fn fixed_and_measured_times_wait_by_pollaczek_and_khinchine() {
    let uniform = Distribution::Quantiles(vec![(0.0, 0.0), (1.0, 2.0 * SERVICE_US)]);
    for (seed, service, square) in [(4, Distribution::Fixed(SERVICE_US), 1.0), (5, uniform, 4.0 / 3.0)] {
        let (_, response) = generate_key(&open_queue(service, 1, 0.6), seed);
        let wait = 0.6 * square / (2.0 * 0.4);
        assert_near(response.mean_us / SERVICE_US - 1.0, wait, 0.05);
    }
}

#[test]
fn writers_that_share_one_lock_are_served_as_by_one_core() {
    let think_s = f64::from(MANY) * SERVICE_US / 1e6 / 0.6;
    let mut parameters = quick_sessions(MANY, think_s, 150_000.0);
    parameters.users.window_s = Distribution::Exponential(1.0);
    parameters.server.instantiate_us = Distribution::Exponential(SERVICE_US);
    parameters.server.cores = 4;
    for (seed, lock_shares, mean_us, tolerance) in
        [(6, 1, SERVICE_US / 0.4, 0.05), (7, 0, SERVICE_US * (1.0 + erlang_c(4, 0.6).1), 0.02)]
    {
        parameters.server.lock_shares = lock_shares;
        let outcome = simulate(&parameters, seed).unwrap();
        assert_near(response(&outcome, Operation::Instantiate).mean_us, mean_us, tolerance);
        assert!(response(&outcome, Operation::Restore).mean_us < 100.0, "readers take no lock");
    }
}

/// A closed network: so many users who think for `think_s` and ask for `demand_s` of service in each round. Answers
/// the rounds a second, by the product form (a machine repairman with several repairers).
fn rounds_per_s(users: u32, think_s: f64, demand_s: f64, cores: u32) -> f64 {
    // Weights of 0, 1, … requests present, each from the one before.
    let mut weights = vec![1.0];
    for present in 1..=users {
        let thinking = f64::from(users - present + 1);
        let before = weights.last().copied().unwrap_or(1.0);
        weights.push(before * thinking * demand_s / think_s / f64::from(present.min(cores)));
    }
    let sum: f64 = weights.iter().sum();
    let busy: f64 = (0..).zip(&weights).map(|(present, weight): (u32, _)| f64::from(present.min(cores)) * weight).sum();
    busy / sum / demand_s
}

/// The same for one core, by mean value analysis.
fn rounds_per_s_by_mva(users: u32, think_s: f64, demand_s: f64) -> f64 {
    let (mut present, mut rounds_per_s) = (0.0, 0.0);
    for population in 1..=users {
        let response_s = demand_s * (1.0 + present);
        rounds_per_s = f64::from(population) / (think_s + response_s);
        present = rounds_per_s * response_s;
    }
    rounds_per_s
}

#[test]
fn a_closed_load_on_few_cores_is_that_of_mean_value_analysis() {
    assert_near(rounds_per_s(20, 0.7, 0.06, 1), rounds_per_s_by_mva(20, 0.7, 0.06), 1e-12);
    for (seed, cores, users) in [(8, 1, 20), (9, 1, 5), (10, 3, 40)] {
        let mut parameters = quick_sessions(users, 0.4, 1.0);
        let service = Distribution::Exponential(SERVICE_US);
        parameters.users.window_s = Distribution::Fixed(0.09);
        parameters.users.saves = Count::Fixed(2);
        parameters.users.save_spacing_s = Distribution::Exponential(0.07);
        parameters.server = Server {
            cores,
            generate_key_us: service.clone(),
            attempt_us: 0.0,
            instantiate_us: service.clone(),
            restore_us: service.clone(),
            save_us: service.clone(),
            delete_us: service,
            lock_shares: 0,
        };
        (parameters.warm_up_s, parameters.duration_s) = (10.0, 4_000.0);
        let outcome = simulate(&parameters, seed).unwrap();
        // generate-key, instantiate, restore, two saves, delete; a think time, a window, three spacings.
        let (requests, think_s) = (6.0, 0.4 + 0.09 + 3.0 * 0.07);
        let expected_per_s = rounds_per_s(users, think_s, requests * SERVICE_US / 1e6, cores);
        assert_near(outcome.openings as f64 / outcome.duration_s, expected_per_s, 0.015);
        let response_us = (f64::from(users) / expected_per_s - think_s) / requests * 1e6;
        for operation in Operation::ALL {
            assert_near(response(&outcome, operation).mean_us, response_us, 0.04);
        }
    }
}
