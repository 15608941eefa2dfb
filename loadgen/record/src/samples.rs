//! Sample records, for the tests of whoever reads records.

use crate::claims::{ClaimReport, Outcome, Report, TargetReport, Verdict};
use crate::comparison::{self, Comparison, Side, Turn, side_of};
use crate::figures::{Named, OperationReport, Percentiles, Rate};
use crate::host::Host;
use crate::measurements::{self, Fill, Folder, Measured, Measurements, PredictedFill, Users};
use crate::run::{
    self, CounterexampleReport, Generator, HistoryReport, Little, RunReport, RunTarget, Search, Trial, TrialPhase,
    Window,
};
use crate::step::Step;
use serde_json::{Map, json};
use stats::ratio::starts::PAIRS_PER_START;
use std::collections::BTreeMap;

/// A report of these verdicts on the documented protocol.
#[must_use]
pub fn claims(claims: Vec<ClaimReport>) -> Report {
    let mut report = Report::new(7, "quick", 100, "2026-11-24T09:00:00Z".to_owned());
    report.host = host();
    let target = TargetReport::new("documented", Some("documented"), "http://127.0.0.1:1/");
    report.targets.push(TargetReport { claims, ..target });
    report
}

fn host() -> Host {
    Host { os: "Linux 6".to_owned(), cpus: 2, memory_mb: 1_000 }
}

fn claim(id: &str, title: &str, quote: &str, (verdict, outcome): (Verdict, Outcome), summary: &str) -> ClaimReport {
    ClaimReport {
        id: id.to_owned(),
        title: title.to_owned(),
        quote: quote.to_owned(),
        verdict,
        outcome,
        summary: summary.to_owned(),
        measured: Map::new(),
        expected: Map::new(),
        counterexample: Vec::new(),
        schedule: Vec::new(),
        reproduce: format!("loadgen verify --only {id} --seed 7"),
        took_s: 1.5,
    }
}

/// S4, with any verdict.
#[must_use]
pub fn s4(verdict: Verdict, outcome: Outcome) -> ClaimReport {
    let quote = "restore.php [KEEP] Already read-only, no changes needed";
    claim("S4", "a restore answers a whole, current document", quote, (verdict, outcome), "too few")
}

/// S4, refuted as is known of the documented protocol.
#[must_use]
pub fn torn() -> ClaimReport {
    let step = Step {
        user: Some(3),
        from_ms: Some(1.5),
        to_ms: Some(2.25),
        did: "restore A4K".to_owned(),
        got: "500 no".to_owned(),
    };
    ClaimReport {
        summary: "a torn read | of half".to_owned(),
        measured: Map::from_iter([("restores".to_owned(), 17.into())]),
        counterexample: vec![step, Step::finding("A4K", "was there")],
        schedule: ["At the start AAA.json is there.", "", "Schedule: there; save | restore; 1 2"]
            .map(str::to_owned)
            .into(),
        ..s4(Verdict::Refuted, Outcome::AsExpected)
    }
}

/// S1, with any verdict.
#[must_use]
pub fn s1(verdict: Verdict, outcome: Outcome, summary: &str) -> ClaimReport {
    let title = "no concurrent save loses another's metadata";
    claim("S1", title, "Read-modify-write is atomic", (verdict, outcome), summary)
}

/// S1, which holds.
#[must_use]
pub fn s1_holds() -> ClaimReport {
    s1(Verdict::Holds, Outcome::AsExpected, "all there")
}

/// One name with its count.
#[must_use]
pub fn named(name: &str, count: u64) -> Named {
    Named::from([(name.to_owned(), count)])
}

fn times(p50: u64) -> Percentiles {
    Percentiles {
        p50,
        p90: p50 * 2,
        p99: p50 * 10,
        p99_9: p50 * 50,
        max: p50 * 100,
        mean: 1.5 * p50 as f64,
        lower_bounds_from: None,
    }
}

/// A valid run with a wrong answer and an error.
#[must_use]
pub fn run() -> RunReport {
    let restore = OperationReport {
        sent: 10,
        answered: 10,
        verified: 9,
        wrong: named("torn read", 1),
        response_us: times(123),
        service_us: times(100),
        ..OperationReport::default()
    };
    let save = OperationReport {
        sent: 20,
        answered: 19,
        timed_out: 1,
        verified: 19,
        errors: named("no answer within 10 s", 1),
        response_us: times(12_345),
        service_us: times(12_000),
        ..OperationReport::default()
    };
    let total = OperationReport {
        sent: 30,
        answered: 29,
        timed_out: 1,
        verified: 28,
        wrong: restore.wrong.clone(),
        errors: save.errors.clone(),
        response_us: times(9_000),
        service_us: times(8_000),
    };
    let measured = Window { from_us: 5_000_000, to_us: 15_000_000 };
    RunReport {
        schema: run::SCHEMA.to_owned(),
        seed: 7,
        started: "2026-11-24T09:00:00Z".to_owned(),
        scenario: "editing".to_owned(),
        plan: json!({"users": 3}),
        target: RunTarget { url: "http://127.0.0.1:1/".to_owned(), protocol: Some("hardened".to_owned()) },
        valid: true,
        why_invalid: Vec::new(),
        partial: false,
        measured,
        turns: None,
        errors_allowed: Some(0.05),
        rate: Rate::of(&total, measured, Some(3.0)),
        operations: BTreeMap::from([("restore".to_owned(), restore), ("save".to_owned(), save)]),
        total,
        slip_us: times(3),
        little: Little::of(2.1, 2.0),
        generator: Generator {
            threads: 2,
            cpu_s: 0.5,
            cpu_us_per_operation: 16.5,
            busiest_thread_share: 0.25,
            lag_us: Percentiles {
                p50: 50,
                p90: 60,
                p99: 900,
                p99_9: 1_000,
                max: 2_000,
                mean: 55.5,
                ..Percentiles::default()
            },
            peak_rss_bytes: 20_000_000,
            rss_bytes_per_user: 6_000,
            ceiling_per_s: Some(60_000.0),
            ceiling_cpu_us_per_operation: Some(15.0),
            history_bytes: 4_321,
        },
        search: Some(search()),
        history: Some(history()),
        left_behind: vec!["A4K".to_owned()],
        left_behind_command: Some("curl A4K".to_owned()),
        host: host(),
    }
}

/// The verdict on its history.
#[must_use]
pub fn history() -> HistoryReport {
    HistoryReport {
        linearizable: Some(false),
        documents: 3,
        operations: 45,
        anomalies: BTreeMap::from([("stale read".to_owned(), 2)]),
        undecided: BTreeMap::from([("B4K".to_owned(), "too many operations at once".to_owned())]),
        counterexamples: vec![CounterexampleReport {
            anomaly: "stale read".to_owned(),
            key: "A4K".to_owned(),
            story: vec!["From 1.000 s to 1.005 s user 2 restored it.".to_owned(), "No order explains it.".to_owned()],
            picture: Some("counterexample.html".to_owned()),
        }],
    }
}

/// A search for the highest rate.
#[must_use]
pub fn search() -> Search {
    let trial = |rate_per_s, phase, kept, why: &str| Trial {
        rate_per_s,
        phase,
        kept,
        valid: true,
        why: why.to_owned(),
        goodput_per_s: rate_per_s,
        worst: "save p99 12.3 ms".to_owned(),
    };
    Search {
        objective: "p99 of response ≤ 50 ms".to_owned(),
        trials: vec![
            trial(100.0, TrialPhase::Double, true, "kept"),
            trial(200.0, TrialPhase::Bisect, false, "save | p99 is 80 ms"),
            trial(100.0, TrialPhase::Confirm, true, "kept"),
        ],
        found_per_s: Some(100.0),
    }
}

/// The same with an interrupted and invalid run, without a wrong answer.
#[must_use]
pub fn invalid_run() -> RunReport {
    let mut report = run();
    report.valid = false;
    report.partial = true;
    report.why_invalid = vec!["slip p99 is 12 ms; the generator was late".to_owned()];
    report.total.wrong.clear();
    report.history = None;
    report.operations.values_mut().for_each(|operation| operation.wrong.clear());
    report
}

/// A comparison of `pairs` pairs, in which saves of B take `ratio` times A's 100 µs.
#[must_use]
pub fn comparison(pairs: usize, ratio: f64) -> Comparison {
    let turn = |number: usize| {
        let side = side_of(number);
        // A few µs of noise, the same in each run.
        let us = 100.0 + (number * 7 % 5) as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundred µs")]
        let p50 = if side == Side::A { us } else { us * ratio }.round() as u64;
        let save = OperationReport {
            sent: 100,
            answered: 100,
            verified: 100,
            response_us: Percentiles { p50, ..Percentiles::default() },
            ..OperationReport::default()
        };
        let operations = BTreeMap::from([("save".to_owned(), save.clone())]);
        Turn { side, start: 1, seconds: 0.5, operations, total: save, held_up: None }
    };
    Comparison {
        schema: comparison::SCHEMA.to_owned(),
        seed: 7,
        started: "2026-11-25T09:00:00Z".to_owned(),
        partial: false,
        host: host(),
        a: "hardened".to_owned(),
        b: "documented".to_owned(),
        load: "1 user".to_owned(),
        starts: 1,
        turns: (0..2 * pairs).map(turn).collect(),
        failures: Vec::new(),
    }
}

/// The same with so many starts, whose ratios differ by up to so much.
#[must_use]
pub fn comparison_with_starts(starts: usize, ratio: f64, spread: f64) -> Comparison {
    let mut sample = Comparison { starts, ..comparison(starts * PAIRS_PER_START, 1.0) };
    for (number, turn) in sample.turns.iter_mut().enumerate() {
        turn.start = number / (2 * PAIRS_PER_START) + 1;
        let luck = 1.0 + spread * ((turn.start * 5 % 7) as f64 / 3.0 - 1.0);
        let ratio = if turn.side == Side::A { 1.0 } else { ratio * luck };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundred µs")]
        let p50 = (turn.operations["save"].response_us.p50 as f64 * ratio).round() as u64;
        turn.operations.values_mut().for_each(|save| save.response_us.p50 = p50);
    }
    sample
}

/// A target that tries at random, measured without error at three fills, four numbers of users and three of documents.
#[must_use]
pub fn measurements() -> Measurements {
    // 100 µs an attempt.
    let fill = |documents: u64, attempts: &[(u32, u64)]| Fill {
        documents,
        requests: attempts.iter().map(|(_, count)| count).sum(),
        attempts: attempts.iter().copied().collect(),
        time_us: Percentiles { mean: 100.0 / (1.0 - documents as f64 / 46_656.0), ..Percentiles::default() },
        ..Fill::default()
    };
    let users = |users: u32, per_s: f64| Users {
        users,
        goodput_per_s: vec![per_s * 0.9, per_s, per_s * 1.1],
        response_us: vec![(0.5, 80), (0.99, 400)],
        operations: BTreeMap::from([("save".to_owned(), Percentiles::default())]),
        ..Users::default()
    };
    let folder = |documents: u64| Folder {
        documents,
        list_us: Percentiles { p50: 100 + 20 * documents, ..Percentiles::default() },
        ..Folder::default()
    };
    let held_out = Fill {
        held_out: true,
        predicted: Some(PredictedFill { mean_attempts: 1.5, refused_share: 0.0, mean_us: None }),
        ..fill(15_552, &[(1, 2), (2, 2)])
    };
    Measurements {
        schema: measurements::SCHEMA.to_owned(),
        seed: 7,
        started: "2026-11-25T09:00:00Z".to_owned(),
        partial: false,
        host: host(),
        targets: vec![Measured {
            name: "documented".to_owned(),
            url: "http://127.0.0.1:1/".to_owned(),
            keys: 46_656,
            fills: vec![
                fill(0, &[(1, 100)]),
                fill(11_664, &[(1, 75), (2, 19), (3, 6)]),
                held_out,
                fill(23_328, &[(1, 50), (2, 25), (3, 13), (5, 12)]),
            ],
            users: vec![users(1, 100.0), users(2, 190.0), users(4, 300.0), users(8, 350.0)],
            folders: vec![folder(0), folder(500), folder(1_000)],
        }],
    }
}
