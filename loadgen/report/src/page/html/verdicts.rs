//! Verdicts as HTML: all of them at a glance, then each promise with what came of it on the targets side by side.

use super::text;
use crate::escape::html;
use crate::page::verdicts::{Promise, Tried, class, shape};
use crate::timeline::text::{short, short_with_note};
use record::step::Step;
use std::fmt::Write as _;

/// Most lines of a counterexample or a schedule, and of all of them together, and longest line, in letters: what keeps
/// the page below a megabyte and a half. The rest is in `claims.json`.
const LINES: usize = 60;
const LINES_OF_ALL: usize = 2_400;
const LINE: usize = 200;

pub(super) fn write(targets: &[String], promises: &[Promise], out: &mut String) {
    glance(targets, promises, out);
    let lines = lines_of_each(promises);
    promises.iter().for_each(|promise| one(promise, lines, out));
}

/// How many lines each counterexample and each schedule may have.
fn lines_of_each(promises: &[Promise]) -> usize {
    let tried = promises.iter().flat_map(|promise| promise.tried.iter().flatten());
    let count = tried.map(|of| usize::from(!of.counterexample.is_empty()) + usize::from(!of.schedule.is_empty())).sum();
    LINES_OF_ALL.checked_div(count).unwrap_or(LINES).min(LINES)
}

fn glance(targets: &[String], promises: &[Promise], out: &mut String) {
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All verdicts\"><table class=\"glance\">\
         <caption><span>All verdicts. ✓ holds, ✗ refuted, ? inconclusive, – untestable here or not tried</span></caption><thead><tr>\
         <th scope=\"col\">Claim</th><th scope=\"col\">Promise</th>",
    );
    for target in targets {
        let _ = write!(out, "<th scope=\"col\">{}</th>", text(target));
    }
    out.push_str("</tr></thead><tbody>\n");
    for promise in promises {
        let (id, title) = (text(&promise.id), text(&promise.title));
        let _ = write!(out, "<tr><th scope=\"row\"><a href=\"#{}\">{id}</a></th><td>{title}</td>", promise.anchor);
        for tried in &promise.tried {
            let _ = write!(out, "<td>{}</td>", tried.as_ref().map_or_else(|| "– not tried".to_owned(), mark));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn mark(of: &Tried) -> String {
    format!("<span class=\"mark {}\">{} {}</span>", class(of.verdict), shape(of.verdict), text(&of.mark))
}

fn one(promise: &Promise, lines: usize, out: &mut String) {
    let (id, title, quote) = (text(&promise.id), text(&promise.title), text(&promise.quote));
    let _ = write!(
        out,
        "<article class=\"promise\" id=\"{anchor}\" aria-labelledby=\"{anchor}-title\"><h3 id=\"{anchor}-title\">{id}: {title}</h3>\
         <blockquote>{quote}</blockquote><div class=\"beside\">",
        anchor = promise.anchor
    );
    promise.tried.iter().flatten().for_each(|of| came_of_it(promise, of, lines, out));
    out.push_str("</div></article>\n");
}

fn came_of_it(promise: &Promise, of: &Tried, most: usize, out: &mut String) {
    let (target, summary) = (text(&of.target), text(&of.summary));
    let _ = write!(out, "<div class=\"tried {}\"><h4>{target}: {}</h4><p>{summary}</p>", class(of.verdict), mark(of));
    if !of.figures.is_empty() {
        let figures = text(&of.figures.join(" · "));
        let _ = write!(out, "<p class=\"figures\"><span class=\"basis measured\">measured</span> {figures}</p>");
    }
    let steps: Vec<String> = of.counterexample.iter().take(most).map(Step::to_string).collect();
    lines(&format!("Counterexample to {} on {}", promise.id, of.target), &steps, of.counterexample.len(), out);
    lines(
        &format!("The shortest way to break {} by the specification's protocol, in the model", promise.id),
        &of.schedule.iter().take(most).cloned().collect::<Vec<_>>(),
        of.schedule.len(),
        out,
    );
    let _ = write!(out, "<p class=\"again\">Again: <code>{}</code></p></div>", text(&of.reproduce));
}

/// Lines that can be looked at, and how many more there are; nothing of none.
fn lines(summary: &str, shown: &[String], all: usize, out: &mut String) {
    if all == 0 {
        return;
    }
    let _ = write!(out, "<details><summary>{}</summary><pre tabindex=\"0\">", text(summary));
    for line in shown {
        let _ = writeln!(out, "{}", html(&short(line, LINE)));
    }
    if all > shown.len() {
        let _ = writeln!(
            out,
            "{}",
            html(&short_with_note(&format!("… and {} more, in claims.json", all - shown.len()), LINE))
        );
    }
    out.push_str("</pre></details>");
}
