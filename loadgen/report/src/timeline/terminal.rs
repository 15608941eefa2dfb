//! The same for a terminal.

use super::Timeline;
use super::labels::MISFIT;
use super::page::{names_of_misfits, verdict};
use super::shown::{Limits, Operation, Shown};
use super::text::{columns, padded, right_aligned, short, wrapped};
use super::units::Clock;

/// Columns of a line.
pub(super) const WIDTH: usize = 120;
/// What one reads in a terminal; the page has more.
const LIMITS: Limits = Limits { operations: 100, processes: 100 };
/// Longest texts, in columns.
const PROCESS: usize = 16;
const NAME: usize = 16;
const SENTENCE: usize = 600;
const SENTENCES: usize = 40;
const INDENT: &str = "  ";

pub(super) fn lines(timeline: &Timeline) -> Vec<String> {
    let shown = Shown::new(timeline, LIMITS);
    let clock = Clock::new(timeline.unit, shown.latest());
    let mut lines = vec![short(&timeline.title, WIDTH)];
    let sentences = timeline.summary.iter().take(SENTENCES).map(|sentence| short(sentence, SENTENCE));
    let (names, more) = names_of_misfits(&shown);
    let misfits: Vec<String> = names.into_iter().map(|(_, name)| name).chain(more).collect();
    let verdict = format!("{}{}", verdict(timeline, &shown), misfits.join(", "));
    for sentence in sentences.chain([verdict]).chain(shown.notes.iter().cloned()) {
        let wrapped = wrapped(&sentence, WIDTH - INDENT.len());
        lines.extend(wrapped.into_iter().map(|line| format!("{INDENT}{line}").trim_end().to_owned()));
    }
    lines.push(String::new());
    lines.extend(table(&shown, clock));
    lines
}

/// One cell for each column, in the order of the calls.
type Row = [String; 6];

fn table(shown: &Shown<'_>, clock: Clock) -> Vec<String> {
    let unit = clock.heading();
    let head =
        [&format!("called ({unit})"), &format!("returned ({unit})"), "process", "operation", "input → output", "order"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(shown.operations.iter().map(|operation| row(operation, clock)));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    let others: usize = INDENT.len() * 6 + widths.iter().sum::<usize>() - widths[4];
    widths[4] = widths[4].min(WIDTH.saturating_sub(others));
    rows.iter().map(|row| line(row, widths)).collect()
}

fn row(operation: &Operation<'_>, clock: Clock) -> Row {
    let bar = operation.bar;
    let order = match operation.place {
        Some(place) => format!("{:>3}", place.number),
        None if operation.is_misfit => format!("  {MISFIT} fits nowhere"),
        None => "  – not placed".to_owned(),
    };
    [
        clock.number(bar.called),
        bar.returned.map_or_else(|| "–".to_owned(), |returned| clock.number(returned)),
        short(&bar.process, PROCESS),
        short(&bar.name, NAME),
        values(operation),
        order,
    ]
}

/// What was sent and what came back, each with its half of the line if it needs that much.
fn values(operation: &Operation<'_>) -> String {
    const HALF: usize = 22;
    let bar = operation.bar;
    let (input, output) = (short(&bar.input, HALF), short(&bar.output, HALF));
    let output = if bar.returned.is_none() && output.is_empty() { "no answer".to_owned() } else { output };
    format!("{input} → {output}").trim_start().to_owned()
}

fn line(row: &Row, widths: [usize; 6]) -> String {
    let [called, returned, process, name, values, order] = row;
    let values = short(values, widths[4]);
    let cells = [
        right_aligned(called, widths[0]),
        right_aligned(returned, widths[1]),
        padded(process, widths[2]),
        padded(name, widths[3]),
        padded(&values, widths[4]),
        order.clone(),
    ];
    format!("{INDENT}{}", cells.join(INDENT)).trim_end().to_owned()
}
