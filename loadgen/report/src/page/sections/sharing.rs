//! The risk that two users are handed one key, as `generate-key` of the specification does not reserve it.

use super::risk::ALPHABET;
use crate::page::chances::name;
use crate::page::chart::scale::{Scale, Unit};
use crate::page::chart::{Axis, Chart, Kind, Point, Series};
use crate::page::content::{Basis, Block, Table, chosen, numbers};
use crate::page::number;
use record::measurements::Measured;
use stats::collisions::{Sharing, Traffic, Window, at_once};
use stats::keys::KeySpace;

/// Users, each of whom opens a session once an hour (assumed).
const USERS: [u32; 3] = [10, 100, 1_000];
const OPENING_EVERY_S: f64 = 3_600.0;

/// Documents in the folder: what the specification recommends at most (assumed).
const DOCUMENTS: usize = 10_000;

/// From a key's being handed out to its document's being made (assumed). The last outlasts a reservation.
const WINDOWS_S: [f64; 4] = [0.1, 1.0, 10.0, 1_800.0];
const WINDOW_S: f64 = 1.0;

/// How long a key that was handed out stays reserved, where the server reserves: its default.
const RESERVED_S: f64 = 900.0;

const LENGTHS: std::ops::RangeInclusive<u32> = 3..=8;

/// Documents and users of the table of those who start at once.
const USED: [usize; 3] = [0, 10_000, 45_000];
const AT_ONCE: [usize; 3] = [10, 100, 1_000];

pub(super) fn blocks(targets: &[Measured]) -> Vec<Block> {
    let about = format!(
        "The specification's generate-key does not reserve what it hands out: until instantiate has made the document, \
         the same key can go to somebody else. Assumed: users who each open a session an hour, {} documents in the \
         folder, and a window from key to document of {} unless another is said. A server that reserves keys for 15 \
         minutes lets nobody share within that time; a window longer than that is open again.",
        number::count(DOCUMENTS as u64),
        number::span(WINDOW_S)
    );
    let mut blocks = vec![Block::Text(about), Block::Chart(Box::new(by_length()))];
    blocks.extend(seen(targets).map(Block::Text));
    blocks.extend([Block::Table(by_window()), Block::Table(starting_at_once())]);
    blocks
}

/// What was measured of it.
fn seen(targets: &[Measured]) -> Option<String> {
    let of_target = |target: &Measured| {
        let twice: u64 = target.users.iter().filter_map(|of| of.wrong.get("duplicate key")).sum();
        let sent: u64 = target.users.iter().map(|of| of.sent).sum();
        let operations = number::of(sent, "operation");
        format!("{}: {} in {operations}", name(target), times(twice))
    };
    let loaded = targets.iter().filter(|target| !target.users.is_empty()).map(of_target);
    let seen: Vec<String> = loaded.collect();
    (!seen.is_empty())
        .then(|| format!("A key that another held was handed out under load: {} (measured).", seen.join("; ")))
}

fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{} times", number::count(count)),
    }
}

fn traffic(users: u32, window_s: f64) -> Traffic {
    let openings_per_s = f64::from(users) / OPENING_EVERY_S;
    Traffic { openings_per_s, window: Window::Fixed(window_s), life_s: DOCUMENTS as f64 / openings_per_s }
}

/// Shared sessions a day; not a number where the sessions leave no key free.
fn shared_a_day(length: u32, users: u32, window_s: f64, reserved_s: f64) -> f64 {
    let space = KeySpace { alphabet: ALPHABET, length };
    let sharing = Sharing::reserved(space, traffic(users, window_s), reserved_s);
    sharing.map_or(f64::NAN, Sharing::shared_sessions_a_day)
}

fn by_length() -> Chart {
    let of_users = |(hue, &users): (usize, &u32)| {
        let at = |length: u32| Point::at(length.into(), shared_a_day(length, users, WINDOW_S, 0.0));
        let points: Vec<Point> = LENGTHS.map(at).collect();
        [
            Series { name: None, hue, kind: Kind::Line, points: points.clone() },
            Series::new(format!("{}, no reservation", number::of(users.into(), "user")), hue, Kind::Dots, points),
        ]
    };
    let hundred = |length| number::digits(shared_a_day(length, 100, WINDOW_S, 0.0));
    Chart {
        title: "Shared sessions a day by key length".to_owned(),
        sentence: format!(
            "100 users who open a session an hour share {} sessions a day with three characters and {} with eight, where \
             nothing is reserved; none where keys are reserved, which has no place on this axis (assumed).",
            hundred(3),
            hundred(8)
        ),
        x: Axis::new("characters in a key", Scale::Linear, Unit::Number).to(8.3),
        y: Axis::new("shared sessions a day", Scale::Log, Unit::Power),
        series: USERS.iter().enumerate().flat_map(of_users).collect(),
        marks: Vec::new(),
        table: by_length_table(),
    }
}

fn by_length_table() -> Table {
    let mut columns = vec![chosen("characters")];
    columns.extend(
        USERS.map(|users| numbers(&format!("{}, no reservation", number::of(users.into(), "user")), Basis::Assumed)),
    );
    columns.push(numbers("any, reserved", Basis::Assumed));
    let row = |length: u32| {
        let mut row = vec![number::count(length.into())];
        row.extend(USERS.map(|users| number::digits(shared_a_day(length, users, WINDOW_S, 0.0))));
        row.push(number::digits(shared_a_day(length, USERS[USERS.len() - 1], WINDOW_S, RESERVED_S)));
        row
    };
    Table::new("Shared sessions a day by key length", columns).with_rows(LENGTHS.map(row))
}

fn by_window() -> Table {
    let columns = vec![
        chosen("users"),
        chosen("from key to document"),
        numbers("shared a day, no reservation", Basis::Assumed),
        numbers("shared a day, reserved for 15 min", Basis::Assumed),
    ];
    let row = |users: u32, window_s: f64| {
        let shared = [0.0, RESERVED_S].map(|reserved_s| number::digits(shared_a_day(3, users, window_s, reserved_s)));
        let [unreserved, reserved] = shared;
        vec![number::count(users.into()), number::span(window_s), unreserved, reserved]
    };
    let rows = USERS.iter().flat_map(|&users| WINDOWS_S.map(|window_s| row(users, window_s)));
    Table::new("Shared sessions a day with three characters, by users and window", columns).with_rows(rows)
}

fn starting_at_once() -> Table {
    let mut columns = vec![chosen("documents")];
    columns.extend(AT_ONCE.map(|users| numbers(&format!("{} at once", number::count(users as u64)), Basis::Assumed)));
    let row = |used: usize| {
        let chances = AT_ONCE.map(|users| number::share(at_once(KeySpace::SPECIFIED, used, users)));
        [vec![number::count(used as u64)], chances.to_vec()].concat()
    };
    let caption = "Chance that not all who start at once get a key of their own, three characters, no reservation";
    Table::new(caption, columns).with_rows(USED.map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_within_a_reservation_and_some_do_beyond() {
        for users in USERS {
            assert!(shared_a_day(3, users, 10.0, RESERVED_S).abs() < 1e-300 && shared_a_day(3, users, 10.0, 0.0) > 0.0);
            assert!(shared_a_day(3, users, 1_800.0, RESERVED_S) > 0.0);
        }
    }

    #[test]
    fn the_folder_is_taken_to_hold_what_is_recommended() {
        assert!(USERS.iter().all(|&users| (traffic(users, 1.0).active_sessions() - 10_000.0).abs() < 1e-6));
    }

    #[test]
    fn duplicates_under_load_are_counted() {
        use record::measurements::Users;
        let of = |count| Users { sent: 50, wrong: [("duplicate key".to_owned(), count)].into(), ..Users::default() };
        let target = Measured { name: "documented".to_owned(), users: vec![of(2), of(1)], ..Measured::default() };
        assert_eq!(
            seen(&[target]).as_deref(),
            Some(
                "A key that another held was handed out under load: documented: 3 times in 100 operations (measured)."
            )
        );
        assert_eq!((seen(&[]), times(0), times(1)), (None, "never".to_owned(), "once".to_owned()));
    }
}
