//! The picture, drawn from its layout.

use super::bars::{draw_bar, draw_dot};
use super::labels::{BOLD, LETTER, MISFIT, with_process};
use super::layout::{AXIS_Y, BAR_HEIGHT, BarPlace, Dot, LABEL_HEIGHT, Layout, ROWS_Y, STATES_HEIGHT, STATES_Y};
use super::shown::{Operation, Shown};
use super::text::columns;
use super::units::Clock;
use crate::escape::html;
use std::fmt::Write as _;

/// Left and right of everything, so that nothing is cut off at the edges.
const MARGIN: f64 = 10.0;
/// How much is seen of what was before the first that fits nowhere, when the page opens.
const BEFORE_START: f64 = 360.0;
/// Below the rows: the axis once more, if the picture is as tall as this.
const TALL: f64 = 700.0;
const FOOT: f64 = 26.0;
/// From one label of a long bar to the next.
const AGAIN: f64 = 560.0;

/// The names of the rows, and next to them the picture proper, which may be wide.
pub(super) fn draw(shown: &Shown<'_>, layout: &Layout, clock: Clock) -> String {
    let height = layout.height + if layout.height > TALL { FOOT } else { 4.0 };
    let mut out = names(layout, height);
    let width = layout.width + 2.0 * MARGIN;
    let first_misfit = misfits(shown, layout).next();
    let start = first_misfit.map(|(_, bar)| bar.from_x).or(layout.dots.last().map(|dot| dot.x)).unwrap_or_default();
    let start = (start - BEFORE_START).max(0.0);
    let _ = write!(out, "<div class=\"plot\"><i class=\"start\" style=\"left:{start:.1}px\"></i>");
    let _ = write!(
        out,
        "<svg role=\"group\" aria-label=\"The operations as bars from call to return, by process. The table below says the \
         same.\" width=\"{width:.1}\" height=\"{height:.1}\" viewBox=\"-{MARGIN:.1} 0 {width:.1} {height:.1}\">"
    );
    stripes(layout, &mut out);
    axis(layout, height, &mut out);
    misfit_bands(shown, layout, &mut out);
    for (operation, bar) in shown.operations.iter().zip(&layout.bars) {
        draw_bar(operation, bar, &mut out);
    }
    cuts(layout, clock, &mut out);
    states(layout, &mut out);
    misfit_flags(shown, layout, &mut out);
    order(layout, &mut out);
    labels(shown, layout, &mut out);
    layout.dots.iter().for_each(|dot| draw_dot(dot, &mut out));
    handles(shown, layout, clock, &mut out);
    out.push_str("</svg></div>");
    out
}

fn names(layout: &Layout, height: f64) -> String {
    let width = layout.names_width;
    let mut out = format!(
        "<svg class=\"names\" aria-hidden=\"true\" width=\"{width:.1}\" height=\"{height:.1}\" viewBox=\"0 0 {width:.1} {height:.1}\">"
    );
    let _ = write!(out, "<rect class=\"ground\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
    let x = width - 10.0;
    for (index, row) in layout.rows.iter().enumerate() {
        if index % 2 == 0 {
            let (y, height) = (row.y, row.height);
            let _ = write!(out, "<rect class=\"stripe\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
        }
        let y = row.y + row.height / 2.0 + 7.0;
        let _ = write!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", html(&row.name));
    }
    let y = STATES_Y + 15.0;
    let _ = write!(out, "<text class=\"name quiet\" x=\"{x:.1}\" y=\"{y:.1}\">state</text></svg>");
    out
}

fn stripes(layout: &Layout, out: &mut String) {
    for row in layout.rows.iter().step_by(2) {
        let (x, y, width, height) = (-MARGIN, row.y, layout.width + 2.0 * MARGIN, row.height);
        let _ = write!(
            out,
            "<rect class=\"stripe\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }
}

fn axis(layout: &Layout, height: f64, out: &mut String) {
    for tick in &layout.ticks {
        let (x, y, end_y) = (tick.x, AXIS_Y + 12.0, layout.height);
        let label = html(&tick.label);
        let _ = write!(out, "<path class=\"grid\" d=\"M{x:.1} {:.1}V{end_y:.1}\"/>", y + 4.0);
        let _ = write!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>");
        if layout.height > TALL {
            let _ = write!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>", height - 8.0);
        }
    }
}

/// Times that were cut out: a strip with torn edges over everything that goes on meanwhile.
fn cuts(layout: &Layout, clock: Clock, out: &mut String) {
    for cut in &layout.cuts {
        let (from_x, to_x) = (cut.from_x + 4.0, cut.to_x - 4.0);
        let top = STATES_Y + STATES_HEIGHT + 4.0;
        let mut left = format!("M{from_x:.1} {top:.1}");
        let mut right = String::new();
        let mut y = top;
        while y < layout.height {
            left.push_str("l3 6l-3 6");
            right.push_str("l-3 -6l3 -6");
            y += 12.0;
        }
        let _ = write!(out, "<path class=\"cut\" d=\"{left}H{to_x:.1}{right}\"/>");
        let (x, y) = (f64::midpoint(from_x, to_x), top + 13.0);
        let _ = write!(out, "<text class=\"cut-label\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", clock.span(cut.span));
    }
}

/// The time of what fits nowhere, through all rows.
fn misfit_bands(shown: &Shown<'_>, layout: &Layout, out: &mut String) {
    for (_, bar) in misfits(shown, layout) {
        let (x, width, y) = (bar.from_x, bar.end_x() - bar.from_x, AXIS_Y - 8.0);
        let height = layout.height - y;
        let _ =
            write!(out, "<rect class=\"band\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
    }
}

/// What fits nowhere at the top of its band, and the state that it does not fit. Where there is no room for the words, the
/// label of the bar must do.
fn misfit_flags(shown: &Shown<'_>, layout: &Layout, out: &mut String) {
    let mut free_x = -MARGIN;
    for (operation, bar) in misfits(shown, layout) {
        repeat_state(layout, bar.from_x, out);
        let text = format!("{MISFIT} fits nowhere: {}", with_process(operation));
        let wide = columns(&text) as f64 * LETTER * BOLD;
        let x = bar.from_x.min(layout.width - wide).max(0.0);
        if x >= free_x {
            let _ = write!(out, "<text class=\"flag\" x=\"{x:.1}\" y=\"12\">{}</text>", html(&text));
            free_x = x + wide;
        }
    }
}

fn misfits<'a, 's>(
    shown: &'s Shown<'a>,
    layout: &'s Layout,
) -> impl Iterator<Item = (&'s Operation<'a>, &'s BarPlace)> {
    shown.operations.iter().zip(&layout.bars).filter(|(operation, _)| operation.is_misfit)
}

/// Says the state once more where something does not fit it, if it began too far away to be seen at a glance.
fn repeat_state(layout: &Layout, x: f64, out: &mut String) {
    const FAR: f64 = 80.0;
    let Some(state) = layout.states.iter().rfind(|state| state.from_x <= x) else { return };
    if let Some(value) = state.value.as_ref().filter(|_| x - state.from_x > FAR) {
        let (x, y, label) = (x + 5.0, STATES_Y + 15.0, html(value));
        let width = (state.to_x - x).max(0.0);
        let _ = write!(
            out,
            "<svg x=\"{x:.1}\" width=\"{width:.1}\" height=\"{ROWS_Y}\"><text class=\"state-label again\" y=\"{y}\">{label}</text></svg>"
        );
    }
}

fn states(layout: &Layout, out: &mut String) {
    for (index, state) in layout.states.iter().enumerate() {
        let (x, width) = (state.from_x, (state.to_x - state.from_x).max(0.0));
        let label = html(state.value.as_deref().unwrap_or("…"));
        let class = if index % 2 == 0 { "even" } else { "odd" };
        let _ = write!(
            out,
            "<svg x=\"{x:.1}\" y=\"{STATES_Y}\" width=\"{width:.1}\" height=\"{STATES_HEIGHT}\"><title>state: {label}</title>\
             <rect class=\"state {class}\" width=\"{width:.1}\" height=\"{STATES_HEIGHT}\"/>\
             <path class=\"begin\" d=\"M0 0V{STATES_HEIGHT}\"/><text class=\"state-label\" x=\"5\" y=\"15\">{label}</text></svg>"
        );
    }
}

/// The order as a line from dot to dot; dashed where operations between two dots are not shown.
fn order(layout: &Layout, out: &mut String) {
    let bottom = STATES_Y + STATES_HEIGHT;
    let begins_a_state = |dot: &&Dot| layout.states.iter().any(|state| state.from_x.total_cmp(&dot.x).is_eq());
    for dot in layout.dots.iter().filter(begins_a_state) {
        let _ = write!(out, "<path class=\"stem\" d=\"M{:.1} {bottom:.1}V{:.1}\"/>", dot.x, dot.y);
    }
    let points =
        |dots: &[Dot]| dots.iter().map(|dot| format!("{:.1},{:.1}", dot.x, dot.y)).collect::<Vec<_>>().join(" ");
    for run in layout.dots.chunk_by(|a, b| b.number == a.number + 1) {
        let _ = write!(out, "<polyline class=\"order\" points=\"{}\"/>", points(run));
    }
    for pair in layout.dots.windows(2).filter(|pair| pair[1].number != pair[0].number + 1) {
        let _ = write!(out, "<polyline class=\"order skip\" points=\"{}\"/>", points(pair));
    }
}

/// The labels; those of long bars again and again, as their beginning may be out of sight.
fn labels(shown: &Shown<'_>, layout: &Layout, out: &mut String) {
    for (operation, bar) in shown.operations.iter().zip(&layout.bars).filter(|(_, bar)| !bar.label.is_empty()) {
        let class = if operation.is_misfit { "label wrong" } else { "label" };
        let (x, y, label) = (bar.label_x + 1.0, bar.y + LABEL_HEIGHT - 4.0, html(&bar.label));
        let _ = write!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>");
        let mut again_x = bar.from_x + AGAIN;
        while again_x < bar.to_x - AGAIN / 2.0 {
            let _ = write!(out, "<text class=\"{class}\" x=\"{again_x:.1}\" y=\"{y:.1}\">… {label}</text>");
            again_x += AGAIN;
        }
    }
}

/// What a pointer or the keyboard finds: lies over everything, and shows only when it is found.
fn handles(shown: &Shown<'_>, layout: &Layout, clock: Clock, out: &mut String) {
    for (operation, bar) in shown.operations.iter().zip(&layout.bars) {
        let (id, x, y, width) = (operation.index, bar.from_x - 2.0, bar.y - 1.0, bar.end_x() - bar.from_x + 4.0);
        let height = LABEL_HEIGHT + BAR_HEIGHT + 4.0;
        let title = html(&super::table::in_one_line(operation, shown, clock));
        let _ = write!(
            out,
            "<a class=\"handle\" id=\"o{id}\" href=\"#r{id}\"><title>{title}</title>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"3\"/></a>"
        );
    }
}
