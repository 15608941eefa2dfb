//! What is kept of operations besides counts.

use super::*;
use record::history::Output;
use record::step::Step;
use std::sync::mpsc::channel;

/// What is kept of operations of these times and judgements.
fn kept(operations: &[(u64, Judgement<'_>)]) -> Interval {
    kept_with(None, operations)
}

fn kept_with(detail: Option<&str>, operations: &[(u64, Judgement<'_>)]) -> Interval {
    let ((out, intervals), (_back, emptied)) = (channel(), channel());
    let window = Window { from_us: 100, to_us: 10_000 };
    let mut recorder = Recorder::new((0, 1), window, None, out, emptied);
    for &(meant_us, judgement) in operations {
        recorder.sends(meant_us, meant_us);
        recorder.done(&Done {
            user: 3,
            operation: Operation::Save,
            key: Some("A4K"),
            meant_us,
            free_us: meant_us,
            call_us: meant_us,
            end_us: meant_us + 1_500,
            is_timeout: false,
            input: Some("w3.n7"),
            answer: Some(Answer { return_us: meant_us + 1_500, output: Output::Success("saved") }),
            judgement,
            detail,
            is_set_up: false,
        });
    }
    recorder.finish(0, 10_000);
    *intervals.recv().expect("handed over")
}

#[test]
fn an_example_says_who_did_what_when_and_what_is_wrong_with_the_answer() {
    let interval = kept(&[(1_000, Judgement::Verified), (2_000, Judgement::Wrong("malformed answer"))]);
    let step = Step {
        user: Some(3),
        from_ms: Some(2.0),
        to_ms: Some(3.5),
        did: "save A4K with w3.n7".to_owned(),
        got: "malformed answer: saved".to_owned(),
    };
    assert_eq!(interval.examples, [Example { is_wrong: true, step }]);
}

#[test]
fn an_example_says_what_changed_if_the_name_does_not() {
    let detail = "typeSlug: posted \"word\", shown \"demo\"";
    let interval = kept_with(Some(detail), &[(2_000, Judgement::Wrong("changed document"))]);
    assert_eq!(interval.examples[0].step.got, format!("changed document: {detail}"));
}

#[test]
fn examples_are_few_and_errors_leave_room_for_wrong_answers() {
    let mut operations: Vec<_> = (0..100).map(|at| (200 + at, Judgement::Error("500 no"))).collect();
    operations.push((300, Judgement::Wrong("torn read")));
    let examples = kept(&operations).examples;
    assert_eq!((examples.len(), examples.last().map(|last| last.is_wrong)), (MOST_EXAMPLES + 1, Some(true)));
}

#[test]
fn what_is_not_measured_gives_no_example() {
    assert_eq!(kept(&[(99, Judgement::Error("500 no"))]).examples, []);
}

#[test]
fn merging_keeps_the_examples_and_failures_of_both_and_clearing_none() {
    let mut one = kept(&[(200, Judgement::Error("500 no"))]);
    let mut other = kept(&[(300, Judgement::Wrong("torn read"))]);
    one.failed_by_user = [(1, 2), (2, 1)].into();
    other.failed_by_user = [(2, 5)].into();
    one.merge(&other);
    assert_eq!((one.examples.len(), one.failed_by_user.clone()), (2, [(1, 2), (2, 6)].into()));
    one.clear();
    assert!(one.examples.is_empty() && one.failed_by_user.is_empty());
}
