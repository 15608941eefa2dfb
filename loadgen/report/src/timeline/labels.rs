//! What is written above the bars: as much as there is room for.

use super::layout::BarPlace;
use super::shown::{Operation, Shown};
use super::text::{columns, short};

/// How wide a letter of a label is taken to be, in pixels.
pub(super) const LETTER: f64 = 7.0;
/// Bold letters are wider.
pub(super) const BOLD: f64 = 1.1;
/// Between a label and what comes after it.
const LABEL_GAP: f64 = 8.0;
/// Longest texts, in letters.
pub(super) const LABEL_COLUMNS: usize = 32;
pub(super) const NAME_COLUMNS: usize = 20;
const VALUE_COLUMNS: usize = 14;
/// What marks an operation that fits nowhere, so that it needs no colour.
pub(super) const MISFIT: char = '✗';

/// Gives each bar the longest label that fits above it, until the next one in its lane. Answers with the width that the
/// picture needs for that.
pub(super) fn labels(shown: &Shown<'_>, bars: &mut [BarPlace], end_x: f64) -> f64 {
    let mut by_place: Vec<usize> = (0..bars.len()).collect();
    by_place.sort_by(|&a, &b| {
        let key = |at: usize| (&bars[at].y, &bars[at].from_x);
        key(a).0.total_cmp(key(b).0).then(key(a).1.total_cmp(key(b).1))
    });
    let mut width = end_x;
    let mut used: Option<(f64, f64)> = None;
    for (place, &at) in by_place.iter().enumerate() {
        let next =
            by_place.get(place + 1).map(|&next| &bars[next]).filter(|next| next.y.total_cmp(&bars[at].y).is_eq());
        let from_x = bars[at].from_x;
        let room = next.map_or(f64::INFINITY, |next| next.from_x - from_x - LABEL_GAP);
        let label = longest(&wordings(&shown.operations[at]), room);
        let needed = columns(&label) as f64 * LETTER;
        // The last one of a lane may begin further left than its bar, if it would not fit into the picture otherwise.
        let free_x = used.filter(|(y, _)| y.total_cmp(&bars[at].y).is_eq()).map_or(0.0, |(_, used_x)| used_x);
        let label_x = if next.is_none() { (end_x - needed).max(free_x).min(from_x) } else { from_x };
        width = width.max(label_x + needed);
        used = Some((bars[at].y, label_x + needed + LABEL_GAP));
        (bars[at].label, bars[at].label_x) = (label, label_x);
    }
    width
}

/// Who did what, and what came of it.
pub(super) fn with_process(operation: &Operation<'_>) -> String {
    format!("{}: {}", short(&operation.bar.process, NAME_COLUMNS), in_words(operation).0)
}

fn longest(wordings: &[String], room: f64) -> String {
    let fits = |letters: usize| letters as f64 * LETTER <= room;
    if let Some(fitting) = wordings.iter().find(|wording| fits(columns(wording))) {
        return fitting.clone();
    }
    let limit = (0..LABEL_COLUMNS).rev().find(|&letters| fits(letters)).unwrap_or_default();
    let shortest = wordings.last().map(|wording| short(wording, limit)).unwrap_or_default();
    if limit < 3 { String::new() } else { shortest }
}

/// What a label can say, from long to short.
fn wordings(operation: &Operation<'_>) -> Vec<String> {
    let mark = if operation.is_misfit { format!("{MISFIT} ") } else { String::new() };
    let (full, brief) = in_words(operation);
    let name = short(&operation.bar.name, VALUE_COLUMNS);
    let mut wordings = vec![format!("{mark}{full}"), format!("{mark}{brief}"), format!("{mark}{name}")];
    if operation.is_misfit {
        wordings.push(MISFIT.to_string());
    }
    wordings
}

/// The operation in full, and only what is most worth knowing of it: what was sent, or what came back if nothing was.
pub(super) fn in_words(operation: &Operation<'_>) -> (String, String) {
    let bar = operation.bar;
    let [name, input, output] = [&bar.name, &bar.input, &bar.output].map(|text| short(text, VALUE_COLUMNS));
    let output = if bar.returned.is_none() && output.is_empty() { "?".to_owned() } else { output };
    let sent = if input.is_empty() { name } else { format!("{name} {input}") };
    let full = if output.is_empty() { sent.clone() } else { format!("{sent} → {output}") };
    let full = short(&full, LABEL_COLUMNS);
    if input.is_empty() { (full.clone(), full) } else { (full, sent) }
}
