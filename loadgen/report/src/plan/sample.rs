//! Measurements to try plans on, made by known laws.

#[cfg(test)]
use super::question::Question;
use record::figures::Percentiles;
use record::host::Host;
use record::measurements::{Fill, Folder, Measured, Measurements, SCHEMA, Users};
use stats::keys::Attempts;
use stats::scalability::Law;
use std::collections::BTreeMap;

/// Throughput of the sample: its peak is at 18.7 users.
pub(super) const LAW: Law = Law { lambda_per_s: 6_000.0, sigma: 0.3, kappa: 0.002 };

/// Time of a key in the documented sample: so much, and so much an attempt, µs.
pub(super) const KEY_US: (f64, f64) = (80.0, 20.0);

const KEYS: u64 = 46_656;

/// Both protocols and a target; the documented one and the target try at random.
#[must_use]
pub fn measurements() -> Measurements {
    let host = Host { os: "Linux 6".to_owned(), cpus: 2, memory_mb: 1_000 };
    let targets =
        vec![server("documented", at_random()), server("hardened", by_knowledge()), server("target", at_random())];
    let (schema, started) = (SCHEMA.to_owned(), "2026-11-25T09:00:00Z".to_owned());
    Measurements { schema, seed: 7, started, partial: false, host, targets }
}

/// One of them.
#[cfg(test)]
pub(super) fn measured(name: &str) -> Measured {
    measurements().targets.into_iter().find(|measured| measured.name == name).expect("a sample")
}

/// Ten thousand sessions of thirty days and a hundred users.
#[cfg(test)]
pub(super) fn question(objective: &str) -> Question {
    Question {
        sessions: 10_000,
        users: 100,
        life_s: 30.0 * 86_400.0,
        objective: objective.parse().expect("an objective"),
        window_s: 0.2,
        think_s: 30.0,
        growth: 1.0,
        disk_bytes: None,
        max_extrapolation: 3.0,
        seed: 7,
    }
}

/// The usual question with other sessions and users.
#[cfg(test)]
pub(super) fn asked(sessions: u64, users: u32, objective: &str) -> Question {
    Question { sessions, users, ..question(objective) }
}

fn server(name: &str, fills: Vec<Fill>) -> Measured {
    Measured {
        name: name.to_owned(),
        url: "http://127.0.0.1:1/".to_owned(),
        keys: KEYS,
        fills,
        users: [1, 2, 4, 8, 16, 32, 64, 128].map(users).to_vec(),
        folders: [0, 1_000, 2_000, 5_000, 10_000].map(folder).to_vec(),
    }
}

fn at_random() -> Vec<Fill> {
    let fill = |documents: u64| {
        let attempts = Attempts::at(documents as f64 / KEYS as f64);
        let us = |attempts: f64| KEY_US.0 + KEY_US.1 * attempts;
        let percentile = |q| whole(us(f64::from(attempts.percentile(q))));
        let requests = |n: u32| whole(attempts.chance_of(n.cast_signed()) * 1e6);
        Fill {
            documents,
            attempts: (1..=100).map(|n| (n, requests(n))).filter(|(_, count)| *count > 0).collect(),
            time_us: Percentiles {
                p50: percentile(0.5),
                p90: percentile(0.9),
                p99: percentile(0.99),
                p99_9: percentile(0.999),
                max: 3_000,
                mean: us(attempts.mean()),
                ..Percentiles::default()
            },
            ..Fill::default()
        }
    };
    [0, 11_664, 23_328, 34_992, 41_990, 45_000, 46_189, KEYS].map(fill).to_vec()
}

fn by_knowledge() -> Vec<Fill> {
    let fill = |(documents, p99): (u64, u64)| Fill {
        documents,
        attempts: BTreeMap::from([(1, 4_000)]),
        time_us: Percentiles { p50: 100, p90: 130, p99, p99_9: 800, max: 4_000, mean: 110.0, ..Percentiles::default() },
        ..Fill::default()
    };
    [(0, 200), (11_664, 210), (23_328, 220), (34_992, 230), (46_189, 240)].map(fill).to_vec()
}

/// Response times that belong to the throughput: those of one user, times how many wait for how much.
fn users(users: u32) -> Users {
    let per_s = LAW.throughput_per_s(f64::from(users));
    let longer = f64::from(users) / per_s * LAW.lambda_per_s;
    let time = |us: f64| whole(us * longer);
    let times = Percentiles {
        p50: time(140.0),
        p90: time(250.0),
        p99: time(400.0),
        p99_9: time(900.0),
        max: time(2_000.0),
        mean: 160.0 * longer,
        ..Percentiles::default()
    };
    let names = ["generate-key", "instantiate", "restore", "save", "delete"];
    let quantiles = [(0.0, 60.0), (0.5, 140.0), (0.9, 250.0), (0.99, 400.0), (1.0, 2_000.0)];
    Users {
        users,
        goodput_per_s: [0.96, 0.98, 1.0, 1.02, 1.04].map(|share| share * per_s).to_vec(),
        mean_response_us: [0.96, 0.98, 1.0, 1.02, 1.04].map(|share| share * f64::from(users) / per_s * 1e6).to_vec(),
        response_us: quantiles.map(|(share, us)| (share, time(us))).to_vec(),
        operations: names.map(|name| (name.to_owned(), times)).into(),
        ..Users::default()
    }
}

/// 200 µs and 20 µs a document; the largest was held out, and predicted a tenth too low.
fn folder(documents: u64) -> Folder {
    let p50 = 200 + 20 * documents;
    let held_out = documents == 10_000;
    Folder {
        documents,
        held_out,
        list_us: Percentiles { p50, ..Percentiles::default() },
        disk_bytes: documents * 4_096,
        predicted_list_p50_us: held_out.then_some(p50 as f64 / 1.1),
        ..Folder::default()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and small")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[test]
fn the_sample_has_the_times_that_it_says() {
    let half = &measured("documented").fills[2];
    assert!(
        (super::server::quantile_us(&half.time_us, super::objective::Quantile::P99) - (80.0 + 20.0 * 7.0)).abs() < 1e-9
    );
}
