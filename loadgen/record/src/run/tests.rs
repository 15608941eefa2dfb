use super::*;
use crate::figures::KEYS_EXHAUSTED;
use crate::samples::{history, invalid_run as invalid, named, run as sample};
use serde_json::{Value, json};

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
