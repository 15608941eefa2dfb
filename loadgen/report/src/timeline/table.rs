//! The operations in words: as a table below the picture, and each on its own for a pointer that rests on its bar.

use super::labels::MISFIT;
use super::shown::{Operation, Shown};
use super::text::{short, short_with_note};
use super::units::Clock;
use crate::escape::html;
use std::fmt::Write as _;

/// Longest texts, in letters: in a cell of the table, in the panel, and in a title.
const CELL: usize = 200;
const PANEL: usize = 160;
const TITLE: usize = 60;

/// The table, in the order of the dots; then what fits nowhere, then the rest.
pub(super) fn draw(shown: &Shown<'_>, clock: Clock) -> String {
    let unit = clock.heading();
    let mut out = format!(
        "<table><thead><tr><th scope=\"col\">Order</th><th scope=\"col\">Process</th><th scope=\"col\">Operation</th>\
         <th scope=\"col\">Input</th><th scope=\"col\">Output</th><th scope=\"col\" class=\"number\">Called ({unit})</th>\
         <th scope=\"col\" class=\"number\">Returned ({unit})</th><th scope=\"col\">State after</th></tr></thead><tbody>"
    );
    let initial = html(&short_with_note(shown.initial_state, CELL));
    let _ = write!(out, "<tr><td>0</td><td colspan=\"6\">at the start</td><td>{initial}</td></tr>");
    for operation in in_order(shown) {
        row(operation, clock, &mut out);
    }
    out.push_str("</tbody></table>");
    out
}

/// As the order has them; then what fits nowhere, then the rest, by their calls.
fn in_order<'a, 's>(shown: &'s Shown<'a>) -> impl Iterator<Item = &'s Operation<'a>> {
    let placed = shown.order.iter().map(|&at| &shown.operations[at]);
    let rest = shown.operations.iter().filter(|operation| operation.place.is_none() && !operation.is_misfit);
    placed.chain(shown.misfits()).chain(rest)
}

fn row(operation: &Operation<'_>, clock: Clock, out: &mut String) {
    let Operation { index, bar, .. } = operation;
    let class = if operation.is_misfit { " class=\"wrong\"" } else { "" };
    let (order, state) = match operation.place {
        Some(place) => (place.number.to_string(), html(&short_with_note(place.after, CELL))),
        None if operation.is_misfit => (format!("{MISFIT} fits nowhere"), "–".to_owned()),
        None => ("not placed".to_owned(), "–".to_owned()),
    };
    let _ = write!(out, "<tr id=\"r{index}\"{class}><td><a href=\"#o{index}\">{order}</a></td>");
    for text in [&bar.process, &bar.name, &bar.input] {
        let _ = write!(out, "<td>{}</td>", html(&short_with_note(text, CELL)));
    }
    let output = match bar.returned {
        None if bar.output.is_empty() => "<i>no answer</i>".to_owned(),
        _ => html(&short_with_note(&bar.output, CELL)),
    };
    let called = clock.number(bar.called);
    let returned = bar.returned.map_or_else(|| "–".to_owned(), |returned| clock.number(returned));
    let _ = write!(
        out,
        "<td>{output}</td><td class=\"number\">{called}</td><td class=\"number\">{returned}</td><td>{state}</td></tr>"
    );
}

/// A panel for each operation; the page shows the one that is pointed at.
pub(super) fn panels(shown: &Shown<'_>, clock: Clock) -> String {
    let mut out = String::new();
    for operation in &shown.operations {
        let bar = operation.bar;
        let class = if operation.is_misfit { "panel wrong" } else { "panel" };
        let _ = write!(out, "<dl class=\"{class}\" id=\"d{}\">", operation.index);
        let mut entry = |term: &str, text: &str| {
            let text = if text.is_empty() { "–".to_owned() } else { html(&short_with_note(text, PANEL)) };
            let _ = write!(out, "<div><dt>{term}</dt><dd>{text}</dd></div>");
        };
        entry(&standing(operation), &format!("{}: {}", short(&bar.process, TITLE), short(&bar.name, TITLE)));
        entry("input", &bar.input);
        entry("output", output(operation));
        entry("from call to return", &interval(operation, clock));
        states(operation, shown).iter().for_each(|(term, state)| entry(term, state));
        out.push_str("</dl>");
    }
    out
}

/// Shows the panel of the bar that the pointer is on, or else the keyboard, or else that a link led to.
pub(super) fn panel_rules(shown: &Shown<'_>) -> String {
    let mut out = String::new();
    for Operation { index, .. } in &shown.operations {
        let _ = write!(
            out,
            ".picture:has(#o{index}:hover) #d{index},\
             .picture:not(:has(.handle:hover)):has(#o{index}:focus) #d{index},\
             .picture:not(:has(.handle:is(:hover,:focus))):has(#o{index}:target) #d{index}{{display:flex}}"
        );
    }
    out
}

/// Everything about an operation, for where there is but one line.
pub(super) fn in_one_line(operation: &Operation<'_>, shown: &Shown<'_>, clock: Clock) -> String {
    let bar = operation.bar;
    let texts = [&bar.process, &bar.name, &bar.input, output(operation)];
    let [process, name, input, output] = texts.map(|text| short(text, TITLE));
    let sent = if input.is_empty() { name } else { format!("{name} {input}") };
    let (standing, interval) = (standing(operation), interval(operation, clock));
    let states = states(operation, shown).into_iter().map(|(term, state)| format!("; {term}: {}", short(state, TITLE)));
    format!("{standing}. {process}: {sent} → {output}; {interval}{}", states.collect::<String>())
}

fn standing(operation: &Operation<'_>) -> String {
    match operation.place {
        Some(place) => format!("number {} of the order", place.number),
        None if operation.is_misfit => format!("{MISFIT} fits nowhere"),
        None => "not in the order".to_owned(),
    }
}

fn output<'a>(operation: &Operation<'a>) -> &'a str {
    let bar = operation.bar;
    if bar.returned.is_none() && bar.output.is_empty() { "no answer" } else { &bar.output }
}

fn interval(operation: &Operation<'_>, clock: Clock) -> String {
    let bar = operation.bar;
    let called = clock.moment(bar.called);
    match bar.returned {
        Some(returned) => {
            let span = clock.span(returned.saturating_sub(bar.called));
            format!("{called} to {} ({span})", clock.moment(returned))
        }
        None => format!("{called}, and never answered"),
    }
}

/// The states before and after; for what is in no order, the one that it would have to follow.
fn states<'a>(operation: &Operation<'a>, shown: &Shown<'a>) -> Vec<(&'static str, &'a str)> {
    match operation.place {
        Some(place) => vec![("state before", place.before), ("state after", place.after)],
        None => vec![("state after the whole order", shown.last_state)],
    }
}
