use super::super::evidence::Figures;
use super::*;
use record::comparison::failing::ServerFailure;
use record::counts::Counts;
use record::samples::{comparison, comparison_with_starts as started_anew};
use record::samples::{invalid_run as invalid, run};

fn judge(gates: &Gates, evidence: &Evidence) -> Judgement {
    super::judge(gates, evidence, 38)
}

fn gates(text: &str) -> Gates {
    text.parse().expect("gates")
}

fn answers(judgement: &Judgement) -> Vec<(&str, Answer)> {
    judgement.judged.iter().map(|judged| (judged.gate.as_str(), judged.answer)).collect()
}

/// A run without a wrong answer.
fn right() -> RunReport {
    let mut run = run();
    run.operations.values_mut().for_each(|report| report.wrong.clear());
    run.total.wrong.clear();
    run.history = None;
    run.left_behind.clear();
    run
}

fn claims() -> Report {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/reference/claims.json"));
    serde_json::from_str(&text.expect("the reference")).expect("a report")
}

const LIMIT: &str = "[[limit]]\nkeep = \"wrong <= 100\"";

#[test]
fn a_wrong_answer_fails_whatever_a_limit_allows() {
    let judged = |run| judge(&gates(LIMIT), &Evidence { run: Some(run), ..Evidence::default() });
    let wrong = judged(run());
    assert_eq!(wrong.exit_code(), 1);
    assert_eq!(answers(&wrong)[0], ("no wrong answer", Answer::Fail));
    assert_eq!(answers(&wrong)[1], ("one order explains the history", Answer::Fail));
    assert!(wrong.judged[1].why.contains("stale read"), "{}", wrong.judged[1].why);
    let pass = ["no wrong answer", "no more errors than allowed", "wrong <= 100"].map(|gate| (gate, Answer::Pass));
    assert_eq!(answers(&judged(right())), pass);
}

#[test]
fn documents_that_may_be_left_on_a_target_are_named_and_keep_the_gate_from_opening() {
    let run = RunReport { left_behind: vec!["A4K".to_owned()], ..right() };
    let judged = judge(&gates(LIMIT), &Evidence { run: Some(run), ..Evidence::default() });
    assert_eq!((judged.exit_code(), answers(&judged)[2].1), (3, Answer::Inconclusive));
    assert!(judged.judged[2].why.contains("A4K"), "{:?}", judged.judged);
}

/// Regression: a server that died in the middle of a load, or whose disk was full, opened all gates but one on its errors.
#[test]
fn a_run_of_which_more_failed_than_may_fails() {
    let run = RunReport { errors_allowed: Some(0.03), ..right() };
    let judged = judge(&gates(LIMIT), &Evidence { run: Some(run), ..Evidence::default() });
    assert_eq!((judged.exit_code(), answers(&judged)[1]), (1, ("no more errors than allowed", Answer::Fail)));
    assert_eq!(judged.judged[1].why, "3.3 % failed (1 of 30 operations; 3.0 % allowed)");
}

#[test]
fn a_run_that_is_not_to_be_believed_decides_nothing() {
    let mut run = invalid();
    run.left_behind.clear();
    run.total.wrong.clear();
    run.history = None;
    let judged = judge(&gates(LIMIT), &Evidence { run: Some(run), ..Evidence::default() });
    assert_eq!(judged.exit_code(), 3);
    assert!(judged.judged[2].why.contains("slip p99") && judged.judged[2].why.ends_with("run it again"));
}

#[test]
fn verdicts_must_be_as_expected_or_as_asked_for() {
    let judged =
        |text: &str, report: Report| judge(&gates(text), &Evidence { claims: Some(report), ..Evidence::default() });
    assert_eq!(judged("[verdicts]", claims()).exit_code(), 0);
    let asked = judged("[verdicts]\nK1 = \"refuted\"", claims());
    assert_eq!(asked.exit_code(), 1);
    let told = &asked.judged[0];
    assert!(
        told.gate.starts_with("K1 on documented") && told.why.starts_with("holds (refuted is asked for)"),
        "{told:?}"
    );
    let mut report = claims();
    report.targets[1].claims[0].outcome = Outcome::Failed;
    let failed = judged("[verdicts]", report.clone());
    assert_eq!(
        (failed.exit_code(), failed.judged[0].gate.as_str()),
        (1, "K1 on hardened: all 46,656 keys come out, and no others")
    );
    report.targets[1].claims[0].outcome = Outcome::Undecided;
    assert_eq!(judged("[verdicts]", report.clone()).exit_code(), 3);
    report.targets.iter_mut().for_each(|target| target.claims.retain(|claim| claim.id != "S4"));
    report.targets[1].claims[0].outcome = Outcome::AsExpected;
    let untried = judged("[verdicts]\nS4 = \"holds\"", report.clone());
    assert_eq!(untried.exit_code(), 3, "what was not tried is not as asked for");
    report.partial = true;
    assert_eq!(judged("[verdicts]", report).exit_code(), 3);
}

#[test]
fn a_count_that_differs_fails_with_the_command_that_renews_it() {
    let counts = |fsync: u64| Counts {
        schema: record::counts::SCHEMA.to_owned(),
        renewed_by: "make counts".to_owned(),
        operations: [("save".to_owned(), [("fsync".to_owned(), fsync)].into())].into(),
    };
    let judged = |now| {
        let evidence = Evidence { counts: Some(counts(now)), baseline: Some(counts(1)), ..Evidence::default() };
        judge(&gates("[counts]\nbaseline = \"counts.json\""), &evidence)
    };
    assert_eq!(judged(1).exit_code(), 0);
    let more = judged(2);
    assert_eq!((more.exit_code(), more.judged[0].stage), (1, Stage::Counts));
    assert_eq!(more.judged[0].why, "save: fsync 1 → 2, 1 more; if that is meant: make counts");
    assert_eq!(judged(0).exit_code(), 1, "fewer is a difference too");
}

#[test]
fn a_limit_with_a_window_is_about_that_window() {
    let text = "[[limit]]\nkeep = \"wrong = 0\"\nafter = \"5s\"";
    let window = Figures { total: right().total, operations: right().operations, seconds: 3.0 };
    let after = std::time::Duration::from_secs(5);
    let mut evidence = Evidence { run: Some(right()), windows: [(after, window)].into(), ..Evidence::default() };
    let last = |evidence: &Evidence| judge(&gates(text), evidence).judged.last().map(|judged| judged.answer);
    evidence.run.as_mut().expect("a run").total.sent = 0;
    assert_eq!(last(&evidence), Some(Answer::Pass), "the window has operations, the run has none");
    evidence.windows.values_mut().for_each(|window| window.total.sent = 0);
    assert_eq!(last(&evidence), Some(Answer::Fail), "what did not occur keeps no limit");
    evidence.windows.clear();
    assert_eq!(last(&evidence), Some(Answer::Inconclusive), "the whole run is not that window");
}

const RATIO: &str = "[[ratio]]\nof = \"save p50\"\nat_most = 1.1";

#[test]
fn a_ratio_passes_fails_or_stays_open() {
    let judged = |pairs, ratio| {
        let evidence = Evidence { comparison: Some(comparison(pairs, ratio)), ..Evidence::default() };
        judge(&gates(RATIO), &evidence)
    };
    let last = |judgement: Judgement| judgement.judged.last().cloned().expect("a gate");
    assert_eq!(last(judged(28, 1.0)).answer, Answer::Pass);
    let slow = last(judged(28, 2.0));
    assert_eq!((slow.answer, slow.stage), (Answer::Fail, Stage::Ratios));
    assert!(slow.why.contains(" in 28 pairs; A 102 µs, B 204 µs"), "{}", slow.why);
    let few = last(judged(9, 2.0));
    assert!(few.answer == Answer::Inconclusive && few.why.contains("measured 9 pairs"), "{}", few.why);
    let near = last(judged(28, 1.1));
    assert!(near.answer == Answer::Inconclusive && near.why.contains("measure longer"), "{}", near.why);
    assert!(last(judged(30, 1.0)).why.contains("in 28 pairs"), "only the last look's pairs count");
}

#[test]
fn a_ratio_of_several_starts_has_their_variation_in_it() {
    let judged = |starts, ratio, spread| {
        let evidence = Evidence { comparison: Some(started_anew(starts, ratio, spread)), ..Evidence::default() };
        judge(&gates(RATIO), &evidence).judged.pop().expect("a gate")
    };
    let found = judged(16, 1.3, 0.1);
    assert!(found.answer == Answer::Fail && found.why.ends_with("; 16 starts of each server"), "{}", found.why);
    assert_eq!(judged(16, 1.0, 0.05).answer, Answer::Pass);
    assert_eq!(judged(4, 1.2, 0.1).answer, Answer::Inconclusive, "four starts that differ so much tell nothing");
    let one = judge(&gates(RATIO), &Evidence { comparison: Some(comparison(28, 1.3)), ..Evidence::default() });
    let why = &one.judged.last().expect("a gate").why;
    assert!(why.ends_with("; one start of each server: the ratio includes the variation between starts"), "{why}");
}

#[test]
fn the_same_file_is_judged_the_same_each_time() {
    let evidence = Evidence { comparison: Some(comparison(20, 1.08)), ..Evidence::default() };
    assert_eq!(judge(&gates(RATIO), &evidence), judge(&gates(RATIO), &evidence));
}

#[test]
fn a_wrong_answer_of_either_server_comes_before_its_times() {
    for turn in [0, 1] {
        let mut wrong = comparison(28, 1.0);
        wrong.turns[turn].total.wrong.insert("torn read".to_owned(), 1);
        let judged = judge(&gates(RATIO), &Evidence { comparison: Some(wrong), ..Evidence::default() });
        assert_eq!(judged.exit_code(), 1);
        assert_eq!(judged.judged.len(), 2, "no ratio is judged");
        assert!(judged.left_out[0].starts_with("ratios: what a server does"), "{:?}", judged.left_out);
    }
}

#[test]
fn a_server_that_fails_quickly_is_no_fast_one() {
    let failing = |sides: &[Side], failures: u64| {
        let mut comparison = comparison(28, 0.5);
        for turn in comparison.turns.iter_mut().filter(|turn| sides.contains(&turn.side)) {
            turn.total.errors.insert("500 Failed to open file".to_owned(), failures);
        }
        comparison.note_failures();
        judge(&gates(RATIO), &Evidence { comparison: Some(comparison), ..Evidence::default() })
    };
    let of_b = failing(&[Side::B], 2);
    assert_eq!(of_b.exit_code(), 1, "2 of 100");
    let failed = of_b.judged.iter().find(|judged| judged.answer == Answer::Fail).expect("a gate");
    assert_eq!(failed.gate, "B (documented) does not fail");
    assert!(failed.why.starts_with("in turns 2–3, 6–7, 10–11, 14–15 and 20 more: "), "{}", failed.why);
    assert!(failed.why.ends_with(": 2.0 % of its requests failed: 56 × 500 Failed to open file"), "{}", failed.why);
    assert_eq!(of_b.judged.len(), 3, "no ratio is judged");
    assert_eq!(failing(&[Side::A], 2).exit_code(), 1, "nothing can be held to it");
    assert_eq!(failing(&[Side::A, Side::B], 2).exit_code(), 1);
    assert_eq!(failing(&[Side::B], 1).exit_code(), 0, "1 of 100 is a lost connection");
}

#[test]
fn a_server_that_died_fails_with_its_turn_and_its_last_words_and_no_ratio_is_judged() {
    for side in [Side::A, Side::B] {
        let why = "its process ended (signal: 9 (SIGKILL))".to_owned();
        let failure = ServerFailure { side, turns: vec![7], why, details: vec!["out of memory".to_owned()] };
        let died = Comparison { failures: vec![failure], ..comparison(28, 0.5) };
        let judged = judge(&gates(RATIO), &Evidence { comparison: Some(died), ..Evidence::default() });
        let failed = &judged.judged[2];
        assert_eq!((judged.exit_code(), judged.judged.len()), (1, 3));
        assert!(failed.gate.starts_with(&format!("{side} (")), "{failed:?}");
        assert_eq!(failed.why, "in turn 7: its process ended (signal: 9 (SIGKILL)); out of memory");
    }
}

#[test]
fn a_comparison_that_was_interrupted_decides_nothing() {
    let partial = Comparison { partial: true, ..comparison(28, 1.0) };
    let judged = judge(&gates(RATIO), &Evidence { comparison: Some(partial), ..Evidence::default() });
    assert_eq!(judged.exit_code(), 3);
}

#[test]
fn ratios_without_a_comparison_are_said_to_be_left_out() {
    let text = format!("{LIMIT}\n{RATIO}");
    let judged = judge(&gates(&text), &Evidence { run: Some(right()), ..Evidence::default() });
    assert_eq!(judged.exit_code(), 0);
    assert!(judged.left_out[0].contains("loadgen gate A B"), "{:?}", judged.left_out);
}
