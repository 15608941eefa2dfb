//! What was measured, as Markdown.

use super::closed_form::{attempts_of, chance_each, mean_interval, refusals_of};
use super::figures::{Row, rows, significant};
use super::measured::{AtFill, CONFIDENCE, Run};
use stats::statistics::Interval;
use std::fmt::Write as _;

/// All runs: the documented figures of each, and its keys by fill beside the closed form.
#[must_use]
pub fn markdown(runs: &[Run]) -> String {
    let mut text = "# Performance Characteristics: documented and measured\n".to_owned();
    let _ = writeln!(text, "\nIntervals are of {} % confidence; those of means are criterion's.", CONFIDENCE * 100.0);
    let chance = chance_each(runs);
    for run in runs {
        let _ = writeln!(text, "\n## Files: {}\n\n{}", run.place, limits(&rows(run)));
        let _ = writeln!(text, "### Keys by fill: {}\n\n{}", run.place, keys(run, chance));
    }
    text
}

fn limits(rows: &[Row]) -> String {
    let mut text = "| documented | protocol | measured | verdict |\n|---|---|---|---|\n".to_owned();
    for Row { documented, subject, measured, verdict, .. } in rows {
        let subject = subject.map_or("both".to_owned(), |subject| subject.to_string());
        let _ = writeln!(text, "| {documented} | {subject} | {measured} | {verdict} |");
    }
    text
}

fn keys(run: &Run, chance: f64) -> String {
    let mut text =
        "| used keys | protocol | attempts | closed form | of so many, but for a chance of 1 in 1,000 in all | \
                    refused | closed form | time, µs |\n|--:|---|---|--:|---|--:|--:|--:|\n"
            .to_owned();
    for at in run.fills.iter().filter(|at| at.counts.requests > 0) {
        let AtFill { subject, used_keys, counts, .. } = at;
        let share = refusals_of(*subject, *used_keys);
        let _ = writeln!(
            text,
            "| {used_keys} | {subject} | {} | {} / {} | {share:.6} | {} |",
            attempts(at, chance),
            counts.refused,
            counts.requests,
            at.time_ns.map_or("–".to_owned(), |ns| significant(ns.mean / 1e3)),
        );
    }
    text
}

/// Three cells: measured, expected, and within what.
fn attempts(at: &AtFill, chance: f64) -> String {
    let Some(measured) = at.attempts else { return "– | – | –".to_owned() };
    let expected = attempts_of(at.subject, at.used_keys);
    let Interval { low, high } = mean_interval(expected, measured.iterations, chance);
    format!("{:.4} | {:.4} | {low:.4} to {high:.4}", measured.counted_mean(), expected.mean())
}
