//! The lines for a terminal.

use super::super::terminal::WIDTH;
use super::super::text::columns;
use super::super::{Timeline, Unit};
use super::{bar, chain, hostile, random, stale_read};

#[test]
fn the_lines_say_what_the_picture_shows() {
    let wanted = "\
Stale read under key A4K
  User 17's save of B was acknowledged.
  User 3 got A afterwards.
  No order explains all answers. The longest legal one places 3 of 4 operations, and ends in the state \"B\". This fits
  nowhere after it: ✗ user 3: restore → A
  2 operations of the history are not shown: whatever they did, no order explains these.

  called (ms)  returned (ms)  process  operation    input → output  order
        1.000          3.000  user 3   instantiate  A → A4K           1
        4.000          8.000  user 17  save         B → saved         2
        5.000          9.000  user 8   restore      → B               3
        9.500         12.000  user 3   restore      → A               ✗ fits nowhere
";
    assert_eq!(stale_read().to_string(), wanted);
}

#[test]
fn what_was_never_answered_and_what_has_no_place_are_told_apart() {
    let operations = vec![bar("p", "write", "1", "", 3, None), bar("p", "read", "", "1", 4, 7)];
    let timeline = Timeline { operations, unit: Unit::Lines, ..Timeline::default() };
    let lines = timeline.lines();
    let ends: Vec<&str> = lines.iter().rev().take(2).map(|line| line.trim_start()).collect();
    let wanted = [
        "4                7  p        read       → 1               – not placed",
        "3                –  p        write      1 → no answer     – not placed",
    ];
    assert_eq!(ends, wanted);
}

#[test]
fn no_line_is_wider_than_a_terminal_and_none_holds_what_a_terminal_obeys() {
    for timeline in random::timelines().take(50).chain([hostile(), chain(500), Timeline::default()]) {
        for line in timeline.lines() {
            assert!(columns(&line) <= WIDTH, "{line}");
            assert!(
                !line.contains(|letter: char| letter.is_control() || letter == '\u{202e}' || letter == '\u{2067}'),
                "{line}"
            );
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn a_terminal_gets_only_what_is_nearest() {
    let lines = chain(500).lines();
    assert!(lines.contains(&"  Only a part is shown: 100 of 500 operations, nearest to what fits nowhere.".to_owned()));
    assert!(lines.len() < 110 && lines.last().is_some_and(|line| line.ends_with("✗ fits nowhere")));
}
