//! The page: the story, the picture and the table.

use super::labels::{MISFIT, with_process};
use super::layout::Layout;
use super::shown::{Limits, Operation, Shown};
use super::text::{grouped, operations, short, short_with_note};
use super::units::Clock;
use super::{Timeline, svg, table};
use crate::escape::html;
use std::fmt::Write as _;

/// What a picture can hold and still be read.
const LIMITS: Limits = Limits { operations: 600, processes: 120 };

/// Longest texts, in letters.
const TITLE: usize = 120;
const SENTENCE: usize = 600;
const VALUE: usize = 60;

/// So many of those that fit nowhere are named in the story.
const NAMED: usize = 3;

/// Sentences of the story; more would be no story.
const SENTENCES: usize = 40;

/// Forbids the page to load anything and to run anything, whatever it might hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("style.css");

pub(super) fn render(timeline: &Timeline) -> String {
    let shown = Shown::new(timeline, LIMITS);
    let clock = Clock::new(timeline.unit, shown.latest());
    let layout = Layout::new(&shown, clock);
    let title = html(&short(&timeline.title, TITLE));
    let rules = table::panel_rules(&shown);
    let story = story(timeline, &shown);
    let legend = legend(&shown, &layout);
    let picture = svg::draw(&shown, &layout, clock);
    let panels = table::panels(&shown, clock);
    let table = table::draw(&shown, clock);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"referrer\" content=\"no-referrer\"/><title>{title}</title>\n<style>\n{STYLE}{rules}\n</style></head>\n\
         <body><main><h1>{title}</h1>\n{story}\n\
         <figure class=\"picture\">{legend}\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Picture\">{picture}</div>\n\
         <div class=\"panels\" aria-hidden=\"true\"><p class=\"panel-hint\">Point at an operation, or step to it with the Tab \
         key, to see all of it; Enter goes to its line in the table.</p>{panels}</div></figure>\n\
         <h2>The same as a table</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">{table}</div>\n\
         </main></body></html>\n",
        policy = html(POLICY),
    )
}

fn story(timeline: &Timeline, shown: &Shown<'_>) -> String {
    let mut out = String::new();
    let sentences = timeline.summary.iter().take(SENTENCES).map(|sentence| html(&short_with_note(sentence, SENTENCE)));
    let _ = write!(out, "<div class=\"story\">");
    for sentence in sentences {
        let _ = write!(out, "<p>{sentence}</p>");
    }
    out.push_str("</div>\n");
    let _ = write!(out, "<p class=\"verdict\">{}{}</p>", html(&verdict(timeline, shown)), links(shown));
    for note in &shown.notes {
        let _ = write!(out, "\n<p class=\"note\">{}</p>", html(note));
    }
    out
}

/// What the picture shows, in words; where something fits nowhere, its names are to follow.
pub(super) fn verdict(timeline: &Timeline, shown: &Shown<'_>) -> String {
    let (placed, all) = (grouped(shown.placed), operations(timeline.operations.len()));
    let state = short(shown.last_state, VALUE);
    if timeline.operations.is_empty() {
        return "There is no operation to show.".to_owned();
    }
    let fits = match shown.misfits().count() {
        0 => return format!("The order shown places {placed} of {all}, and ends in the state \"{state}\"."),
        1 => "This fits",
        _ => "These fit",
    };
    format!(
        "No order explains all answers. The longest legal one places {placed} of {all}, and ends in the state \
         \"{state}\". {fits} nowhere after it: "
    )
}

/// The places and the names of what fits nowhere, and how many more there are.
pub(super) fn names_of_misfits(shown: &Shown<'_>) -> (Vec<(usize, String)>, Option<String>) {
    let name = |misfit: &Operation<'_>| (misfit.index, format!("{MISFIT} {}", with_process(misfit)));
    let more = shown.misfits().count().saturating_sub(NAMED);
    (shown.misfits().take(NAMED).map(name).collect(), (more > 0).then(|| format!("and {} more", grouped(more))))
}

/// Links to what fits nowhere, as it may be far to the right in the picture.
fn links(shown: &Shown<'_>) -> String {
    let (names, more) = names_of_misfits(shown);
    let link = |(index, name): &(usize, String)| format!("<a href=\"#o{index}\">{}</a>", html(name));
    names.iter().map(link).chain(more).collect::<Vec<_>>().join(", ")
}

/// Only what there is in the picture.
fn legend(shown: &Shown<'_>, layout: &Layout) -> String {
    let has = |kind: fn(&Operation<'_>) -> bool| shown.operations.iter().any(kind);
    let mut out = String::from("<figcaption class=\"legend\">");
    let mut entry = |key: &str, words: &str| {
        let _ = write!(
            out,
            "<span class=\"entry\"><svg width=\"40\" height=\"18\" aria-hidden=\"true\">{key}</svg>{words}</span>"
        );
    };
    entry(
        "<rect class=\"bar placed\" x=\"1\" y=\"2\" width=\"38\" height=\"14\" rx=\"2\"/>",
        "an operation, from call to return: it takes effect at one moment in between",
    );
    if !shown.order.is_empty() {
        entry(
            "<path class=\"order\" d=\"M0 14L20 9L40 4\"/><circle class=\"dot\" cx=\"20\" cy=\"9\" r=\"8\"/>\
             <text class=\"digits\" x=\"20\" y=\"12.5\">1</text>",
            "the longest legal order, and above it the state that it leads to",
        );
    }
    if has(|operation| operation.is_misfit) {
        entry(
            "<rect class=\"bar misfit\" x=\"1\" y=\"2\" width=\"38\" height=\"14\" rx=\"2\"/>\
             <path class=\"hatch\" d=\"M4 16l14 -14M14 16l14 -14M24 16l13 -13\"/>",
            "<b class=\"wrong\">✗ fits nowhere</b> after that order",
        );
    }
    if has(|operation| operation.interval.returned.is_none()) {
        entry(
            "<path class=\"bar placed open\" d=\"M16 2H1V16H16\"/>\
             <path class=\"bar placed open\" opacity=\"0.6\" d=\"M16 2h10m0 14h-10\"/>\
             <path class=\"bar placed open\" opacity=\"0.3\" d=\"M26 2h10m0 14h-10\"/>",
            "no answer: can take effect at any time after its call, or never",
        );
    }
    if has(|operation| operation.place.is_none() && !operation.is_misfit) {
        entry(
            "<rect class=\"bar left\" x=\"1\" y=\"2\" width=\"38\" height=\"14\" rx=\"2\"/>",
            "has no place in that order",
        );
    }
    if !layout.cuts.is_empty() {
        entry(
            "<path class=\"cut\" d=\"M8 0l3 4.5l-3 4.5l3 4.5l-3 4.5H32l3 -4.5l-3 -4.5l3 -4.5l-3 -4.5\"/>",
            "a time in which nothing was called or answered, cut out",
        );
    }
    out.push_str("</figcaption>");
    out
}
