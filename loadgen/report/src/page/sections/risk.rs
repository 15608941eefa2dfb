//! The risk that somebody gets into a session that is not theirs: by the same key, or by a guess.

use super::sharing;
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Point, Series};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers};
use crate::page::number;
use record::measurements::{Measured, Measurements};
use stats::guesses::{SECRET_ENOUGH, expected_time_s, expected_without_replacement, length_for_expected};
use stats::keys::KeySpace;

pub(in crate::page) const ID: &str = "risk";
pub(in crate::page) const TITLE: &str = "Risk that two share a session";

/// Characters at each place of a key.
pub(super) const ALPHABET: u32 = KeySpace::SPECIFIED.alphabet;

/// Sessions that a guess may hit (assumed).
const SESSIONS: [u64; 3] = [1, 100, 10_000];

/// Key lengths of guesses.
const GUESSED: std::ops::RangeInclusive<u32> = 3..=12;

/// Guesses a second that somebody is taken to make (assumed).
const GUESSES_PER_S: f64 = 1_000.0;

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    section_of(&measurements.targets)
}

/// Of what was measured; what is assumed needs none of it.
pub(in crate::page) fn section_of(targets: &[Measured]) -> Section {
    let mut blocks = sharing::blocks(targets);
    blocks.push(Block::Heading("Guessing a session".to_owned()));
    blocks.push(Block::Chart(Box::new(guesses())));
    Section { id: ID, title: TITLE, blocks }
}

fn space(length: u32) -> KeySpace {
    KeySpace { alphabet: ALPHABET, length }
}

fn guesses() -> Chart {
    let expected = |length: u32, sessions: u64| expected_without_replacement(space(length), sessions);
    let of_sessions = |(hue, &sessions): (usize, &u64)| {
        let points: Vec<Point> = GUESSED.map(|length| Point::at(length.into(), expected(length, sessions))).collect();
        [
            Series { name: None, hue, kind: Kind::Line, points: points.clone() },
            Series::new(number::of(sessions, "session"), hue, Kind::Dots, points),
        ]
    };
    let mut series: Vec<Series> = SESSIONS.iter().enumerate().flat_map(of_sessions).collect();
    let enough = [GUESSED.start(), GUESSED.end()].map(|&length| Point::at(length.into(), SECRET_ENOUGH));
    series.push(Series::new("2⁴⁰, enough for a secret", 3, Kind::Line, enough.to_vec()));
    Chart {
        title: "Expected guesses until a session is hit".to_owned(),
        sentence: sentence(),
        x: Axis::new("characters in a key", Scale::Linear, Unit::Number).to(12.5),
        y: Axis::new("guesses", Scale::Log, Unit::Power).from(1.0),
        series,
        marks: Vec::new(),
        table: table(),
    }
}

fn sentence() -> String {
    let needed = |sessions| {
        let length = length_for_expected(ALPHABET, sessions, SECRET_ENOUGH);
        let length = length.map_or_else(|| number::NONE.to_owned(), |length| number::count(length.into()));
        format!(
            "{length} characters where there {} {}",
            if sessions == 1 { "is" } else { "are" },
            number::of(sessions, "session")
        )
    };
    format!(
        "With three characters one of 10,000 sessions is hit after {} guesses; for 2⁴⁰ of them a key needs {} (assumed: \
         nobody guesses a key twice).",
        number::digits(expected_without_replacement(space(3), 10_000)),
        number::and(&SESSIONS.map(needed)),
    )
}

fn table() -> Table {
    let mut columns = vec![chosen("characters")];
    columns.extend(SESSIONS.map(|of| numbers(&format!("guesses, {}", number::of(of, "session")), Basis::Assumed)));
    let pace = format!("time at {} guesses a second, 10,000 sessions", number::digits(GUESSES_PER_S));
    columns.push(numbers(&pace, Basis::Assumed));
    let row = |length: u32| {
        let mut row = vec![number::count(length.into())];
        row.extend(SESSIONS.map(|of| number::digits(expected_without_replacement(space(length), of))));
        row.push(number::span(expected_time_s(space(length), 10_000, GUESSES_PER_S)));
        row
    };
    Table::new("Expected guesses until a session is hit", columns).with_rows(GUESSED.map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_the_lengths_that_make_a_secret() {
        let text = sentence();
        assert!(
            text.contains("after 4.67 guesses") && text.contains("8 characters where there is 1 session"),
            "{text}"
        );
        assert!(text.contains("11 characters where there are 10,000 sessions"), "{text}");
    }
}
