//! Where things are, over timelines made at random.

use super::super::axis::DOT_ROOM;
use super::super::labels::LETTER;
use super::super::layout::{BarPlace, Layout};
use super::super::shown::{Limits, Operation, Shown};
use super::super::text::columns;
use super::super::units::Clock;
use super::super::{Timeline, Unit};
use super::{bar, chain, placed, random, stale_read};

const LIMITS: Limits = Limits { operations: 600, processes: 120 };
/// Sums of the same numbers in another order differ by less.
const ROUNDING: f64 = 1e-6;

fn layout(timeline: &Timeline) -> (Shown<'_>, Layout) {
    let shown = Shown::new(timeline, LIMITS);
    let layout = Layout::new(&shown, Clock::new(timeline.unit, shown.latest()));
    (shown, layout)
}

fn pairs<'a, 's>(
    shown: &'s Shown<'a>,
    layout: &'s Layout,
) -> impl Iterator<Item = [(&'s Operation<'a>, &'s BarPlace); 2]> {
    let all = || shown.operations.iter().zip(&layout.bars).enumerate();
    all().flat_map(move |(at, a)| all().filter(move |(other, _)| at != *other).map(move |(_, b)| [a, b]))
}

#[test]
fn each_dot_is_within_its_operation_and_none_is_left_of_the_one_before() {
    let mut dots = 0;
    for timeline in random::timelines() {
        let (shown, layout) = layout(&timeline);
        assert_eq!(layout.dots.len(), timeline.order.len(), "the order is legal, so all of it is shown");
        for dot in &layout.dots {
            let bar = &layout.bars[dot.operation];
            assert!(dot.x >= bar.from_x + DOT_ROOM / 2.0 - ROUNDING, "{dot:?} left of {bar:?}");
            assert!(dot.x <= bar.to_x - DOT_ROOM / 2.0 + ROUNDING, "{dot:?} right of {bar:?}");
            assert!((dot.y - bar.middle_y()).abs() < ROUNDING);
            assert_eq!(shown.operations[dot.operation].index, timeline.order[dot.number - 1].operation);
        }
        assert!(layout.dots.windows(2).all(|pair| pair[1].x - pair[0].x >= DOT_ROOM - ROUNDING), "{:?}", layout.dots);
        dots += layout.dots.len();
    }
    assert!(dots > 1_000, "there was something to see: {dots}");
}

#[test]
fn no_two_bars_lie_over_each_other() {
    for timeline in random::timelines() {
        let (shown, layout) = layout(&timeline);
        for [(_, a), (_, b)] in pairs(&shown, &layout) {
            let is_beside = a.end_x() <= b.from_x || b.end_x() <= a.from_x;
            assert!(is_beside || (a.y - b.y).abs() > 30.0, "{a:?} and {b:?}");
        }
    }
}

#[test]
fn what_came_first_is_further_left() {
    for timeline in random::timelines() {
        let (shown, layout) = layout(&timeline);
        for [(a, a_bar), (b, b_bar)] in pairs(&shown, &layout) {
            if a.interval.called < b.interval.called {
                assert!(a_bar.from_x < b_bar.from_x, "{a:?} {b:?}");
            }
            if a.interval.returned.is_some_and(|returned| returned < b.interval.called) {
                assert!(a_bar.to_x < b_bar.from_x, "{a:?} {b:?}");
            }
            assert!(a_bar.to_x - a_bar.from_x >= 10.0 - ROUNDING, "each bar is seen: {a_bar:?}");
        }
    }
}

#[test]
fn no_two_labels_lie_over_each_other() {
    for timeline in random::timelines().chain([chain(100)]) {
        let (_, layout) = layout(&timeline);
        let labelled: Vec<&BarPlace> = layout.bars.iter().filter(|bar| !bar.label.is_empty()).collect();
        for (at, a) in labelled.iter().enumerate() {
            for b in labelled[at + 1..].iter().filter(|b| (b.y - a.y).abs() < 1.0) {
                let [a_end, b_end] = [a, b].map(|bar| bar.label_x + columns(&bar.label) as f64 * LETTER);
                assert!(a_end <= b.label_x || b_end <= a.label_x, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn nothing_is_outside_of_the_picture() {
    for timeline in random::timelines() {
        let (_, layout) = layout(&timeline);
        for bar in &layout.bars {
            let label_end = bar.label_x + columns(&bar.label) as f64 * LETTER;
            assert!(bar.from_x >= 0.0 && bar.label_x >= 0.0, "{bar:?}");
            assert!(bar.end_x() <= layout.width && label_end <= layout.width + ROUNDING, "{bar:?} in {}", layout.width);
            assert!(bar.y + 36.0 <= layout.height, "{bar:?}");
        }
        assert!(layout.ticks.iter().all(|tick| tick.x >= 0.0 && tick.x <= layout.width));
        assert!(layout.ticks.windows(2).all(|pair| pair[1].x - pair[0].x > 80.0), "{:?}", layout.ticks);
        assert_eq!(layout.ticks.is_empty(), layout.bars.is_empty());
    }
}

#[test]
fn the_states_change_with_the_dots_that_change_them() {
    let timeline = stale_read();
    let (_, layout) = layout(&timeline);
    let states: Vec<Option<&str>> = layout.states.iter().map(|state| state.value.as_deref()).collect();
    assert_eq!(states, [Some("nothing"), Some("A"), Some("B")]);
    assert!((layout.states[1].from_x - layout.dots[0].x).abs() < ROUNDING);
    assert!((layout.states[2].from_x - layout.dots[1].x).abs() < ROUNDING);
    assert!(layout.states[2].to_x >= layout.bars[3].end_x(), "the last one lasts to the end");
}

#[test]
fn a_state_is_not_claimed_where_operations_of_the_order_are_not_shown() {
    let timeline = chain(5);
    let shown = Shown::new(&timeline, Limits { operations: 3, processes: 9 });
    let layout = Layout::new(&shown, Clock::Lines);
    let states: Vec<Option<&str>> = layout.states.iter().map(|state| state.value.as_deref()).collect();
    assert_eq!(states, [None, Some("v2"), Some("v3")]);
    assert_eq!(layout.dots.iter().map(|dot| dot.number).collect::<Vec<_>>(), [3, 4], "numbers are of the whole order");

    let mut timeline = timeline;
    timeline.misfits = vec![0];
    timeline.order = vec![placed(1, "b"), placed(2, "c"), placed(3, "d")];
    let shown = Shown::new(&timeline, Limits { operations: 2, processes: 9 });
    let states = Layout::new(&shown, Clock::Lines).states;
    assert_eq!(states.last().map(|state| state.value.as_deref()), Some(None), "nor at the end");
}

#[test]
fn processes_are_in_the_order_that_people_count_in() {
    let names = ["user 10", "user 9", "saves folder", "user 9b", "7"];
    let operations = names.map(|name| bar(name, "list", "", "", 1, 2)).to_vec();
    let timeline = Timeline { operations, ..Timeline::default() };
    let rows: Vec<String> = layout(&timeline).1.rows.into_iter().map(|row| row.name).collect();
    assert_eq!(rows, ["7", "saves folder", "user 9", "user 9b", "user 10"]);
}

#[test]
fn among_many_processes_what_fits_nowhere_comes_first() {
    let operations = (0..13).map(|user| bar(&format!("user {user}"), "list", "", "", 1, 2)).collect();
    let mut timeline = Timeline { operations, misfits: vec![7], ..Timeline::default() };
    assert_eq!(layout(&timeline).1.rows[0].name, "user 7");
    timeline.operations.pop();
    assert_eq!(layout(&timeline).1.rows[0].name, "user 0", "few are seen at once");
}

#[test]
fn a_label_says_as_much_as_there_is_room_for() {
    let labels = |timeline: &Timeline| layout(timeline).1.bars.into_iter().map(|bar| bar.label).collect::<Vec<_>>();
    let wanted = ["instantiate A → A4K", "save B → saved", "restore → B", "✗ restore → A"];
    assert_eq!(labels(&stale_read()), wanted);
    let mut crowded = chain(60);
    crowded.misfits = vec![30];
    crowded.order.truncate(30);
    let labels = labels(&crowded);
    assert_eq!([labels[29].as_str(), &labels[59]], ["save", "save v → saved"]);
    assert_eq!(labels[30], "✗", "the mark fits wherever a bar does");
}

#[test]
fn a_long_answerless_operation_does_not_hide_what_its_process_did_next() {
    let operations = vec![bar("user 1", "save", "A", "", 10, None), bar("user 1", "save", "B", "saved", 20, 30)];
    let timeline =
        Timeline { operations, order: vec![placed(1, "B"), placed(0, "A")], unit: Unit::Lines, ..Timeline::default() };
    let (_, layout) = layout(&timeline);
    assert!(layout.bars[0].y < layout.bars[1].y && layout.rows.len() == 1, "two lanes of one row");
    assert!(layout.bars[0].fades && !layout.bars[1].fades);
    assert!(layout.bars[0].to_x > layout.dots[1].x, "it lasts to where it has effect");
}

#[test]
fn the_ends_of_time_do_no_harm() {
    let ends = [0, 1, u64::MAX - 1, u64::MAX];
    let of = |called| ends.map(move |returned| bar("user 1", "save", "", "", called, returned));
    let mut operations: Vec<_> = ends.into_iter().flat_map(of).collect();
    operations.extend(ends.map(|called| bar("user 2", "save", "", "", called, None)));
    let timeline = Timeline { operations, misfits: vec![3], ..Timeline::default() };
    let (_, layout) = layout(&timeline);
    assert!(layout.width.is_finite() && layout.width < 3_000.0, "{}", layout.width);
}
