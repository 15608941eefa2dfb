//! Servers that fail in a comparison: which one, in which turns, and how. Pure.

use super::{Side, Turn};
use crate::figures::{Named, in_words};
use serde::{Deserialize, Serialize};
use stats::statistics::percentile;
use std::fmt;

/// Share of a server's operations that may fail or not be sent, because a connection was lost for example. Beyond it, its
/// times are those of failing, which can be quick.
const MOST_LOST: f64 = 0.01;

/// Turns with operations that were not sent before a server is said to fail by them: after one lost connection the user
/// pauses, and most of that turn is not sent.
const LEAST_INTERRUPTED: usize = 2;

/// Ranges of turns that are named in a sentence.
const MOST_RANGES: usize = 4;

/// A server that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFailure {
    /// Which one.
    pub side: Side,
    /// In which turns, counted from 1. None if it was while it was prepared for a turn.
    pub turns: Vec<usize>,
    /// How, in a sentence.
    pub why: String,
    /// Its last log lines, and whether documents may be left on it.
    pub details: Vec<String>,
}

impl fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.turns[..] {
            [] => write!(f, "outside of the turns that are measured: {}", self.why),
            [turn] => write!(f, "in turn {turn}: {}", self.why),
            turns => write!(f, "in turns {}: {}", ranges(turns), self.why),
        }
    }
}

/// Whether a side's operations failed, or were not sent as its server did not respond, in too large a share of its turns.
#[must_use]
pub fn failure(side: Side, turns: &[Turn]) -> Option<ServerFailure> {
    let of_side = || turns.iter().zip(1..).filter(|(turn, _)| turn.side == side);
    let whole: Vec<f64> =
        of_side().filter(|(turn, _)| turn.is_whole()).map(|(turn, _)| turn.total.sent as f64).collect();
    let usual = percentile(&whole, 0.5).unwrap_or(1.0);
    // If the generator itself was held up, it may be why nothing was sent.
    let not_sent = |turn: &Turn| {
        let missing = (usual - turn.total.sent as f64).max(0.0);
        if turn.is_whole() || turn.held_up.is_some() { 0.0 } else { missing }
    };
    let failed: f64 = of_side().map(|(turn, _)| turn.total.error_count() as f64).sum();
    let sent: f64 = of_side().map(|(turn, _)| turn.total.sent as f64).sum();
    let interrupted = of_side().filter(|(turn, _)| not_sent(turn) > 0.0).count();
    let missing: f64 = of_side().map(|(turn, _)| not_sent(turn)).sum();
    let missing = if interrupted < LEAST_INTERRUPTED { 0.0 } else { missing };
    let lost = (failed + missing) / (sent + missing).max(1.0);
    (lost > MOST_LOST).then(|| {
        let mut kinds = Named::new();
        for (name, count) in of_side().flat_map(|(turn, _)| &turn.total.errors) {
            *kinds.entry(name.clone()).or_default() += count;
        }
        let or_not_sent = if missing > 0.0 { " or were not sent" } else { "" };
        let kinds = in_words(&kinds).map(|kinds| format!(": {kinds}")).unwrap_or_default();
        let concerned = of_side().filter(|(turn, _)| turn.total.error_count() > 0 || not_sent(turn) > 0.0);
        ServerFailure {
            side,
            turns: concerned.map(|(_, number)| number).collect(),
            why: format!("{:.1} % of its requests failed{or_not_sent}{kinds}", lost * 100.0),
            details: Vec::new(),
        }
    })
}

/// Ascending numbers, such as `2–3, 6–7 and 12 more`.
fn ranges(numbers: &[usize]) -> String {
    let ranges: Vec<&[usize]> = numbers.chunk_by(|one, next| one + 1 == *next).collect();
    let (shown, others) = ranges.split_at(MOST_RANGES.min(ranges.len()));
    let shown = shown.iter().map(|range| match range {
        [one] => one.to_string(),
        range => format!("{}–{}", range[0], range[range.len() - 1]),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match others.iter().map(|range| range.len()).sum::<usize>() {
        0 => shown,
        others => format!("{shown} and {others} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::comparison as sample;

    /// Turns of two equal servers in which B's turns of these numbers are made worse.
    fn worse(numbers: &[usize], worsen: impl Fn(&mut Turn)) -> Option<ServerFailure> {
        let mut turns = sample(10, 1.0).turns;
        for number in numbers {
            assert_eq!(turns[number - 1].side, Side::B);
            worsen(&mut turns[number - 1]);
        }
        assert_eq!(failure(Side::A, &turns), None);
        failure(Side::B, &turns)
    }

    fn silent(turn: &mut Turn) {
        (turn.total.sent, turn.total.answered, turn.total.verified) = (0, 0, 0);
    }

    #[test]
    fn a_server_without_answers_in_some_turns_fails_by_their_numbers() {
        let failure = worse(&[2, 3, 6], silent).expect("it fails");
        assert_eq!(failure.to_string(), "in turns 2–3, 6: 30.0 % of its requests failed or were not sent");
        assert_eq!(failure.turns, [2, 3, 6]);
    }

    #[test]
    fn a_server_that_hangs_up_in_the_middle_of_turns_fails_by_what_was_not_sent() {
        let hangs_up = |turn: &mut Turn| {
            (turn.total.sent, turn.total.answered) = (40, 39);
            turn.total.errors.insert("connection closed".to_owned(), 1);
        };
        let failure = worse(&[2, 7], hangs_up).expect("it fails");
        // 2 failed and 120 not sent, of 880 sent and 120 not.
        let why = "in turns 2, 7: 12.2 % of its requests failed or were not sent: 2 × connection closed";
        assert_eq!(failure.to_string(), why);
        assert_eq!(worse(&[2], hangs_up), None, "one lost connection of a thousand requests accuses nobody");
    }

    #[test]
    fn one_request_in_a_hundred_may_fail_and_no_more() {
        let fails = |turn: &mut Turn| turn.total.errors = Named::from([("503 full".to_owned(), 5)]);
        assert_eq!(worse(&[2, 3], fails), None);
        let failure = worse(&[2, 3, 6], fails).expect("it fails");
        assert_eq!(failure.to_string(), "in turns 2–3, 6: 1.5 % of its requests failed: 15 × 503 full");
    }

    #[test]
    fn a_pause_of_the_machine_accuses_nobody() {
        let paused = |turn: &mut Turn| {
            silent(turn);
            turn.held_up = Some("the generator was late".to_owned());
        };
        assert_eq!((worse(&[2, 3, 6], paused), worse(&[2], silent)), (None, None));
    }

    #[test]
    fn a_server_that_never_answered_fails_in_all_of_its_turns() {
        let failure = worse(&[2, 3, 6, 7, 10, 11, 14, 15, 18, 19], silent).expect("it fails");
        let why = "in turns 2–3, 6–7, 10–11, 14–15 and 2 more: 100.0 % of its requests failed or were not sent";
        assert_eq!(failure.to_string(), why);
    }

    #[test]
    fn a_failure_outside_of_the_turns_names_none() {
        let failure = ServerFailure { side: Side::B, turns: vec![], why: "it ended".to_owned(), details: vec![] };
        assert_eq!(failure.to_string(), "outside of the turns that are measured: it ended");
    }
}
