use super::super::figures::{KEYS_EXHAUSTED, Named};
use super::*;
use serde_json::{Value, json};

fn named(name: &str, count: u64) -> Named {
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
pub(crate) fn sample() -> RunReport {
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
        schema: SCHEMA.to_owned(),
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
        host: Host { os: "Linux 6".to_owned(), cpus: 2, memory_mb: 1_000 },
    }
}

fn history() -> HistoryReport {
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

fn search() -> Search {
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
pub(crate) fn invalid() -> RunReport {
    let mut report = sample();
    report.valid = false;
    report.partial = true;
    report.why_invalid = vec!["slip p99 is 12 ms; the generator was late".to_owned()];
    report.total.wrong.clear();
    report.history = None;
    report.operations.values_mut().for_each(|operation| operation.wrong.clear());
    report
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[test]
fn run_json_keeps_to_its_schema() {
    let bare = RunReport { search: None, generator: Generator { threads: 1, ..Generator::default() }, ..sample() };
    for report in [sample(), invalid(), bare] {
        let json = serde_json::to_value(&report).expect("writes");
        let errors: Vec<String> = validator().iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn a_spoiled_run_json_does_not_keep_to_its_schema() {
    let spoils: [(&str, Value); 8] = [
        ("/valid", json!("yes")),
        ("/schema", json!("claimcheck.run/1")),
        ("/started", json!("today")),
        ("/operations/save/wrong/torn read", json!(-1)),
        ("/operations/save/response_us/p50", json!(0.5)),
        ("/search/trials/0/phase", json!("guess")),
        ("/slip_us/p75", json!(1)),
        ("/extra", json!(1)),
    ];
    for (pointer, value) in spoils {
        let mut json = serde_json::to_value(sample()).expect("writes");
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        json.pointer_mut(parent).expect("there")[name] = value;
        assert!(!validator().is_valid(&json), "{pointer}");
    }
    let mut unreasoned = serde_json::to_value(invalid()).expect("writes");
    unreasoned["why_invalid"] = json!([]);
    assert!(!validator().is_valid(&unreasoned), "an invalid run says why");
}

#[test]
fn a_wrong_answer_outweighs_an_invalid_run_and_both_outweigh_success() {
    let valid = RunReport { total: invalid().total, history: None, left_behind: Vec::new(), ..sample() };
    assert_eq!(valid.exit_code(), 0, "a few errors are the server's clear word");
    let judged =
        |linearizable| RunReport { history: Some(HistoryReport { linearizable, ..history() }), ..valid.clone() };
    assert_eq!([Some(true), Some(false), None].map(|verdict| judged(verdict).exit_code()), [0, 1, 3]);
    assert_eq!(RunReport { valid: false, ..valid.clone() }.exit_code(), 3);
    assert_eq!(RunReport { partial: true, ..valid.clone() }.exit_code(), 3);
    let leaves = RunReport { left_behind: sample().left_behind, ..valid };
    assert_eq!((leaves.verdict_code(), leaves.exit_code()), (0, 3), "documents that may be left are no success");
    assert_eq!(sample().exit_code(), 1);
    assert_eq!(RunReport { valid: false, partial: true, ..sample() }.exit_code(), 1);
}

/// Regression: a target that was dead for 3 s of 5 was "valid", with 80 failures of 59,789.
#[test]
fn turns_that_were_missed_count_as_failed() {
    let mut run = RunReport { total: invalid().total, history: None, left_behind: Vec::new(), ..sample() };
    assert!((run.failed_share() - 1.0 / 30.0).abs() < 1e-12 && !run.fails_too_often());
    run.turns = Some(Turns { taken: 30, missed: 30 });
    assert!((run.failed_share() - (0.5 + 0.5 / 30.0)).abs() < 1e-12, "{}", run.failed_share());
    assert_eq!((run.fails_too_often(), run.exit_code()), (true, 1));
    assert_eq!(RunReport { valid: false, ..run.clone() }.exit_code(), 1, "that it was late is no excuse");
    run.errors_allowed = None;
    assert_eq!(run.exit_code(), 0, "an objective says how many there may be");
    run.errors_allowed = Some(0.0);
    run.turns = None;
    run.total.errors = named(KEYS_EXHAUSTED, 1);
    assert_eq!(run.exit_code(), 0, "when all keys are in use, 503 is no error");
}

#[test]
fn another_verdict_on_a_history_is_told_from_the_same() {
    let told = history();
    assert_eq!(told.difference(&HistoryReport { counterexamples: Vec::new(), ..history() }), None);
    for other in [
        HistoryReport { linearizable: None, ..history() },
        HistoryReport { operations: 44, ..history() },
        HistoryReport { anomalies: BTreeMap::new(), ..history() },
    ] {
        assert!(told.difference(&other).is_some_and(|difference| difference.starts_with("history: run.json has")));
    }
}

#[test]
fn the_window_holds_its_first_moment_and_not_its_end() {
    let window = Window { from_us: 10, to_us: 20 };
    assert_eq!([9, 10, 19, 20].map(|us| window.contains(us)), [false, true, true, false]);
    assert!((window.seconds() - 1e-5).abs() < 1e-12);
}

#[test]
fn littles_residual_is_a_share_of_what_the_times_say() {
    assert!((Little::of(2.1, 2.0).residual - 0.05).abs() < 1e-9);
    assert_eq!(Little::of(0.0, 0.0), Little::default());
}
