//! The table that a run ends with, and what follows from it.

use crate::left_behind;
use crate::run::words;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use contract::visible;
use record::files::HISTORY_FILE;
use record::run::{HistoryReport, RunReport};
use std::fmt::Write as _;
use std::path::Path;

/// Columns of a table. It is made for a terminal of usual width, and the same everywhere, to be compared.
const WIDTH: u16 = 118;

/// Names of wrong answers and errors that are shown of each; all are in the run's folder.
const SHOWN_NAMES: usize = 8;

/// The whole result: table, names, figures, and what it amounts to. `folder` holds the run's files.
#[must_use]
pub fn render(report: &RunReport, folder: &Path) -> String {
    let mut out = format!("{}\n\n", visible(&words::what_ran(report)));
    let _ = writeln!(out, "{}", table(&words::OPERATION_HEADS, words::operation_rows(report), &[0]));
    out.push_str(&names("Wrong answers", &words::named(report, |operation| &operation.wrong)));
    out.push_str(&names("Errors", &words::named(report, |operation| &operation.errors)));
    out.push('\n');
    for line in words::figures(report) {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", history_line(report));
    out.extend(report.history.iter().map(counterexamples));
    if let Some(search) = &report.search {
        let rows = search.trials.iter().map(words::trial_row).collect();
        let _ = writeln!(out, "\n{}\n{}", table(&words::TRIAL_HEADS, rows, &[1, 2, 4, 5]), words::found(search));
    }
    for line in left_behind::lines(&report.left_behind, report.left_behind_command.as_deref(), &report.target.url) {
        let _ = write!(out, "\n{line}");
    }
    if !report.left_behind.is_empty() {
        out.push('\n');
    }
    let _ = write!(out, "\n{}", conclusion(report, folder));
    out
}

/// A table whose columns hold numbers, but for those that are named.
fn table<const N: usize>(heads: &[&str; N], rows: Vec<[String; N]>, of_words: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(heads.to_vec());
    for row in rows {
        table.add_row(row.to_vec());
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let alignment = if of_words.contains(&at) { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table
}

fn names(title: &str, lines: &[String]) -> String {
    let mut out = String::new();
    if !lines.is_empty() {
        let _ = writeln!(out, "\n{title}:");
    }
    for line in lines.iter().take(SHOWN_NAMES) {
        let _ = writeln!(out, "    {line}");
    }
    if lines.len() > SHOWN_NAMES {
        let _ = writeln!(out, "    … and {} more in {}", lines.len() - SHOWN_NAMES, super::SUMMARY_FILE);
    }
    out
}

/// The verdict on the history in a sentence, or why there is none.
#[must_use]
pub fn history_line(report: &RunReport) -> String {
    report.history.as_ref().map_or_else(|| words::unjudged(report), words::history)
}

/// The first counterexample whole, of the others where they are.
fn counterexamples(history: &HistoryReport) -> String {
    let mut out = String::new();
    for (number, (head, story)) in words::counterexamples(history).into_iter().enumerate() {
        let _ = writeln!(out, "    {head}");
        for line in story.iter().filter(|_| number == 0) {
            let _ = writeln!(out, "        {line}");
        }
    }
    out
}

/// What the run amounts to, then where to look.
fn conclusion(report: &RunReport, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{}\nSeed {}; the run's files are in {folder}\nTo work its figures out again from them: loadgen report {folder}\n",
        verdict_lines(report).join("\n"),
        report.seed
    )
}

/// What a run amounts to, a line each: what is wrong comes first, then whether the figures may be used.
#[must_use]
pub fn verdict_lines(report: &RunReport) -> Vec<String> {
    let mut lines = Vec::new();
    let wrong = report.total.wrong_count();
    if wrong > 0 {
        lines.push(format!(
            "WRONG ANSWERS: {wrong} of {}. {} has each, under \"wrong\".",
            report.total.answered, HISTORY_FILE
        ));
    }
    let is_linearizable = report.history.as_ref().is_none_or(|history| history.linearizable != Some(false));
    if !is_linearizable {
        lines.push("NOT LINEARIZABLE: the answers contradict each other.".to_owned());
    }
    if report.fails_too_often() {
        lines.push(format!("TOO MANY ERRORS: {}.", words::failed(report)));
    }
    let doubts = words::doubts(report);
    if !doubts.is_empty() {
        lines.push(format!("INVALID: {}.", doubts.join("; ")));
        lines.push("Do not use these figures.".to_owned());
    } else if lines.is_empty() {
        let (errors, sent) = (report.total.error_count(), report.total.sent);
        lines.push(format!("Valid, and no answer was wrong; {errors} of {sent} operations failed."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::run::terminal::*;
    use record::run::Turns;
    use record::samples::{invalid_run as invalid, run as sample};

    #[test]
    fn the_result_says_what_happened_and_what_to_do() {
        let text = render(&sample(), Path::new("reports/x"));
        for part in [
            "Scenario editing against http://127.0.0.1:1/ (hardened)",
            "│ restore   ┆   10 ┆        9 ┆     1 ┆      0 ┆     0.123 ms ┆",
            "\nWrong answers:\n    restore: 1 × torn read\n",
            "\nErrors:\n    save: 1 × no answer within 10 s\n",
            "Slip (how late the generator was): p50 0.003 ms",
            "│      200.0 ┆ bisect  ┆ no   ┆",
            "\nDocuments of this run may be left on http://127.0.0.1:1/: A4K.\nTo delete them: curl A4K\n",
            "\nHistory: NOT LINEARIZABLE. No order explains 45 operations on 3 documents: 2 × stale read.\n    stale read under \
             key A4K, drawn in counterexample.html\n        From 1.000 s to 1.005 s user 2 restored it.\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
        let end = "\nWRONG ANSWERS: 1 of 29. history.jsonl.zst has each, under \"wrong\".\n\
                   NOT LINEARIZABLE: the answers contradict each other.\n\
                   Seed 7; the run's files are in reports/x\nTo work its figures out again from them: loadgen report reports/x\n";
        assert!(text.ends_with(end), "{text}");
        assert!(text.lines().all(|line| !line.starts_with(['│', '┌']) || line.chars().count() <= 118), "{text}");
    }

    #[test]
    fn an_invalid_run_ends_with_why() {
        let text = render(&invalid(), Path::new("x"));
        let expected = "INVALID: slip p99 is 12 ms; the generator was late; the run was interrupted before its planned \
                        end.\nDo not use these figures.\n";
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("Wrong answers:"), "{text}");
    }

    #[test]
    fn missed_turns_and_times_that_are_lower_bounds_are_shown() {
        let mut failing = RunReport { errors_allowed: Some(0.01), ..invalid() };
        failing.turns = Some(Turns { taken: 75, missed: 25 });
        failing.total.response_us.lower_bounds_from = Some(failing.total.response_us.p99);
        let text = render(&failing, Path::new("x"));
        let turns = "25 of 100 turns were missed while users waited for a response";
        for part in [
            &format!("TOO MANY ERRORS: 27.5 % failed (1 of 30 operations; {turns}; 1.0 % allowed).\nINVALID"),
            &format!("\nTurns: {turns}\n"),
            "┆      9.00 ms ┆ ≥ 90.0 ms ┆",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
    }

    #[test]
    fn a_good_run_says_so() {
        let good = RunReport { valid: true, partial: false, why_invalid: Vec::new(), ..invalid() };
        let text = render(&good, Path::new("x"));
        assert!(text.contains("Valid, and no answer was wrong; 1 of 30 operations failed.\n"), "{text}");
        assert!(!text.contains("INVALID"), "{text}");
    }

    #[test]
    fn hostile_messages_cannot_steer_the_terminal_and_many_are_cut() {
        let mut report = sample();
        let save = report.operations.get_mut("save").expect("there");
        save.errors.extend((0..20).map(|at| (format!("{at:02}\u{1b}[2J"), 1)));
        let text = render(&report, Path::new("x"));
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.contains("    … and 13 more in summary.md\n"), "{text}");
    }
}
