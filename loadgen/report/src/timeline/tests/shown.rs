//! What is shown, and what is said of the rest.

use super::super::Timeline;
use super::super::shown::{Limits, Shown};
use super::{bar, chain, placed, stale_read};

const LIMITS: Limits = Limits { operations: 600, processes: 120 };

fn notes(timeline: &Timeline) -> Vec<String> {
    Shown::new(timeline, LIMITS).notes
}

#[test]
fn an_order_that_cannot_be_is_shown_up_to_there_and_named() {
    let mut timeline = stale_read();
    timeline.hidden = 0;
    assert_eq!(notes(&timeline), [""; 0]);
    let cases = [
        (placed(4, "x"), "there is no such operation."),
        (placed(0, "x"), "the operation has a place already."),
        (placed(2, "x"), "its answer was there before one that comes earlier in the order was called."),
    ];
    for (wrong, problem) in cases {
        let mut timeline = timeline.clone();
        timeline.misfits.clear();
        timeline.order = vec![placed(0, "A"), placed(3, "A"), wrong, placed(1, "B")];
        let shown = Shown::new(&timeline, LIMITS);
        assert_eq!(shown.notes, [format!("The order is shown up to number 2 only; number 3 cannot be: {problem}")]);
        assert_eq!((shown.placed, shown.order.len(), shown.last_state), (2, 2, "A"));
    }
}

#[test]
fn operations_that_meet_in_one_moment_can_be_in_either_order() {
    let operations = vec![bar("user 1", "save", "", "", 1, 5), bar("user 2", "save", "", "", 5, 9)];
    let timeline = Timeline { operations, order: vec![placed(1, "b"), placed(0, "a")], ..Timeline::default() };
    assert_eq!(Shown::new(&timeline, LIMITS).placed, 2);
}

#[test]
fn misfits_that_cannot_be_marked_are_counted() {
    let mut timeline = stale_read();
    timeline.misfits = vec![3, 0, 99];
    let shown = Shown::new(&timeline, LIMITS);
    assert_eq!(shown.misfits().map(|misfit| misfit.index).collect::<Vec<_>>(), [3]);
    assert_eq!(
        shown.notes[0],
        "2 operations said to fit nowhere cannot be marked: not in the history, or in the order."
    );
}

#[test]
fn an_answer_before_its_call_is_said_to_be_one() {
    let mut timeline = stale_read();
    timeline.operations[3].returned = Some(1);
    let shown = Shown::new(&timeline, LIMITS);
    assert_eq!(shown.notes[0], "1 operation said to be answered before the call; shown as answered at once.");
    assert_eq!(shown.operations[3].interval.returned, Some(9_500));
}

#[test]
fn of_too_many_operations_those_nearest_to_the_misfits_are_shown() {
    let mut timeline = chain(2_000);
    timeline.misfits = vec![700];
    timeline.order.truncate(700);
    let shown = Shown::new(&timeline, Limits { operations: 5, processes: 9 });
    let indices: Vec<usize> = shown.operations.iter().map(|operation| operation.index).collect();
    assert_eq!(indices, [698, 699, 700, 701, 702]);
    assert_eq!(shown.notes, ["Only a part is shown: 5 of 2,000 operations, nearest to what fits nowhere."]);
    assert_eq!((shown.placed, shown.last_state), (700, "v699"), "what is said of the order is said of all of it");
}

#[test]
fn the_misfits_come_before_what_is_at_the_same_time() {
    let operations = (0..9).map(|user| bar(&format!("user {user}"), "list", "", "", 1, 2)).collect();
    let timeline = Timeline { operations, misfits: vec![8], ..Timeline::default() };
    let shown = Shown::new(&timeline, Limits { operations: 2, processes: 9 });
    assert_eq!(shown.operations.iter().map(|operation| operation.index).collect::<Vec<_>>(), [0, 8]);
}

#[test]
fn without_misfits_the_end_of_the_order_is_shown_and_without_an_order_the_end() {
    let indices = |timeline: &Timeline| {
        let shown = Shown::new(timeline, Limits { operations: 3, processes: 9 });
        shown.operations.iter().map(|operation| operation.index).collect::<Vec<_>>()
    };
    let mut timeline = chain(100);
    timeline.misfits.clear();
    timeline.order.truncate(50);
    assert_eq!(indices(&timeline), [48, 49, 50]);
    timeline.order.clear();
    assert_eq!(indices(&timeline), [97, 98, 99]);
}

#[test]
fn of_too_many_processes_those_nearest_to_the_misfits_are_shown() {
    let operations =
        (0..9).map(|user| bar(&format!("user {user}"), "list", "", "", user * 10, user * 10 + 1)).collect();
    let timeline = Timeline { operations, misfits: vec![8], ..Timeline::default() };
    let shown = Shown::new(&timeline, Limits { operations: 9, processes: 2 });
    assert_eq!(shown.operations.iter().map(|operation| operation.index).collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn what_the_caller_left_out_is_counted() {
    assert_eq!(
        notes(&stale_read()),
        ["2 operations of the history are not shown: whatever they did, no order explains these."]
    );
    let one = Timeline { hidden: 1, ..Timeline::default() };
    assert_eq!(notes(&one), ["1 operation of the history is not shown: whatever it did, no order explains these."]);
}
