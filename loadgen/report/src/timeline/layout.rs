//! Where everything is in the picture. All distances are in pixels.

use super::axis::{Axis, Cut, DOT_ROOM, Tick};
use super::dots::{self, Home, Window};
use super::labels::{BOLD, LABEL_COLUMNS, LETTER, NAME_COLUMNS, labels};
use super::shown::{Interval, Operation, Shown};
use super::text::{columns, short};
use super::units::Clock;
use std::collections::BTreeMap;

/// From top to bottom: what fits nowhere, the axis, the states, and then the rows.
pub(super) const AXIS_Y: f64 = 24.0;
pub(super) const STATES_Y: f64 = 46.0;
pub(super) const STATES_HEIGHT: f64 = 22.0;
pub(super) const ROWS_Y: f64 = 90.0;
/// Within a lane: a label, and the bar below it.
pub(super) const LABEL_HEIGHT: f64 = 14.0;
pub(super) const BAR_HEIGHT: f64 = 18.0;
const LANE: f64 = 38.0;
const ROW_PADDING: f64 = 8.0;
/// How long a bar goes on that has no end, at least, and how long it takes to fade out.
const OPEN: f64 = 24.0;
pub(super) const FADE: f64 = 48.0;
/// More rows than these are not all seen at once.
const ROWS_AT_A_GLANCE: usize = 12;

/// A row: all operations of one process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// The bar of an operation; the one at the same place in [`Shown::operations`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BarPlace {
    /// The lane's top.
    pub(super) y: f64,
    pub(super) from_x: f64,
    /// The end; without an answer, where the bar begins to fade.
    pub(super) to_x: f64,
    pub(super) fades: bool,
    pub(super) label: String,
    pub(super) label_x: f64,
}

impl BarPlace {
    pub(super) fn end_x(&self) -> f64 {
        self.to_x + if self.fades { FADE } else { 0.0 }
    }

    pub(super) fn middle_y(&self) -> f64 {
        self.y + LABEL_HEIGHT + BAR_HEIGHT / 2.0
    }
}

/// A dot of the order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dot {
    /// Its place in [`Shown::operations`].
    pub(super) operation: usize,
    pub(super) number: usize,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A state for as long as it lasts in the order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) from_x: f64,
    pub(super) to_x: f64,
    /// None where operations are not shown, so that there was more than one state.
    pub(super) value: Option<String>,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    pub(super) bars: Vec<BarPlace>,
    pub(super) dots: Vec<Dot>,
    pub(super) states: Vec<State>,
    pub(super) ticks: Vec<Tick>,
    pub(super) cuts: Vec<Cut>,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) names_width: f64,
}

impl Layout {
    pub(super) fn new(shown: &Shown<'_>, clock: Clock) -> Self {
        let order: Vec<Interval> = shown.order.iter().map(|&at| shown.operations[at].interval).collect();
        let windows = dots::windows(&order);
        let homes: Vec<Home> = windows.iter().copied().map(Window::home).collect();
        let intervals: Vec<Interval> = shown.operations.iter().map(|operation| operation.interval).collect();
        let axis = Axis::new(&intervals, &homes);
        let places = dots::places(&axis, &windows);

        let mut bars = bars(shown, &axis, &places);
        let rows = rows(shown, &mut bars);
        let end_x = bars.iter().map(BarPlace::end_x).fold(axis.end_x, f64::max) + 2.0;
        let width = labels(shown, &mut bars, end_x);
        let dot = |(&operation, &x): (&usize, &f64)| {
            let number = shown.operations[operation].place.map_or(0, |place| place.number);
            Dot { operation, number, x, y: bars[operation].middle_y() }
        };
        let dots: Vec<Dot> = shown.order.iter().zip(&places).map(dot).collect();
        let states = states(shown, &dots, end_x);
        let height = rows.last().map_or(ROWS_Y, |row| row.y + row.height);
        let longest = rows.iter().map(|row| columns(&row.name)).max().unwrap_or_default().max(9);
        let names_width = longest as f64 * LETTER * BOLD + 18.0;
        Self { ticks: axis.ticks(clock), cuts: axis.cuts(), rows, bars, dots, states, width, height, names_width }
    }
}

fn bars(shown: &Shown<'_>, axis: &Axis, places: &[f64]) -> Vec<BarPlace> {
    let dots: BTreeMap<usize, f64> = shown.order.iter().copied().zip(places.iter().copied()).collect();
    let bar = |(at, operation): (usize, &Operation)| {
        let Interval { called, returned } = operation.interval;
        let from_x = axis.called_x(called);
        let dot_x = dots.get(&at).map_or(0.0, |x| x + DOT_ROOM / 2.0);
        let to_x = if returned.is_some() { axis.returned_x(returned) } else { dot_x.max(from_x + OPEN) };
        BarPlace { y: 0.0, from_x, to_x, fades: returned.is_none(), label: String::new(), label_x: from_x }
    };
    shown.operations.iter().enumerate().map(bar).collect()
}

/// Puts the processes one below the other, as people count them, and what would overlap within one in lanes. If there are
/// many, those with something that fits nowhere come first, so that they are seen.
fn rows(shown: &Shown<'_>, bars: &mut [BarPlace]) -> Vec<Row> {
    let mut processes: BTreeMap<(Vec<Piece<'_>>, &str), Vec<usize>> = BTreeMap::new();
    for (at, operation) in shown.operations.iter().enumerate() {
        let process = operation.bar.process.as_str();
        processes.entry((pieces(process), process)).or_default().push(at);
    }
    let mut processes: Vec<(&str, Vec<usize>)> =
        processes.into_iter().map(|((_, process), operations)| (process, operations)).collect();
    if processes.len() > ROWS_AT_A_GLANCE {
        let is_right = |at: &usize| !shown.operations[*at].is_misfit;
        processes.sort_by_key(|(_, operations)| operations.iter().all(is_right));
    }
    let mut rows = Vec::new();
    let mut y = ROWS_Y;
    for (process, mut operations) in processes {
        operations.sort_by(|&a, &b| bars[a].from_x.total_cmp(&bars[b].from_x).then(a.cmp(&b)));
        let mut ends: Vec<f64> = Vec::new();
        for at in operations {
            let bar = &mut bars[at];
            let lane = ends.iter().position(|end| *end <= bar.from_x).unwrap_or(ends.len());
            ends.resize(ends.len().max(lane + 1), 0.0);
            ends[lane] = bar.end_x();
            bar.y = y + ROW_PADDING / 2.0 + lane as f64 * LANE;
        }
        let height = ends.len() as f64 * LANE + ROW_PADDING;
        rows.push(Row { name: short(process, NAME_COLUMNS), y, height });
        y += height;
    }
    rows
}

/// A part of a process's name; "user 9" comes before "user 10".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Number(u64),
    Text(&'a str),
}

/// The beginning is enough to put names in order, however long they are.
fn pieces(name: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next().filter(|_| pieces.len() < 8) {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(piece.parse().map_or(Piece::Text(piece), Piece::Number));
        rest = after;
    }
    pieces
}

/// The states from left to right; each begins with the dot that brings it about.
fn states(shown: &Shown<'_>, dots: &[Dot], end_x: f64) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    let mut add = |from_x: f64, to_x: f64, state: Option<&str>| {
        let state = state.map(|state| short(state, LABEL_COLUMNS * 2));
        match states.last_mut() {
            Some(last) if last.value == state => last.to_x = to_x,
            _ => states.push(State { from_x, to_x, value: state }),
        }
    };
    let mut from_x = 0.0;
    let mut state = shown.initial_state;
    let mut number = 0;
    for dot in dots {
        let Some(place) = shown.operations[dot.operation].place else { continue };
        let is_next = place.number == number + 1;
        add(from_x, dot.x, is_next.then_some(state));
        (from_x, state, number) = (dot.x, place.after, place.number);
    }
    add(from_x, end_x, (number == shown.placed).then_some(state));
    states
}
