//! `summary.md`: a run for a pull request. Whether its figures may be used comes before the figures.

use crate::escape::{markdown as escape, markdown_code as code};
use crate::left_behind::in_markdown;
use crate::run::words;
use record::run::{HistoryReport, RunReport, Search};
use std::fmt::Write as _;

/// The whole summary.
#[must_use]
pub fn markdown(report: &RunReport) -> String {
    let mut out = format!("# Run: {}\n\n{}\n\n", escape(&report.scenario), verdict(report));
    let _ = writeln!(out, "{}\n\nThe plan: `{}`\n", escape(&words::what_ran(report)), code(&report.plan.to_string()));
    out.push_str(&table(&words::OPERATION_HEADS, words::operation_rows(report)));
    out.push_str(
        "\nResponse times, from when an operation was meant to be sent; service times from when it was sent.\n",
    );
    out.push_str(&section("Wrong answers", &words::named(report, |operation| &operation.wrong)));
    out.push_str(&section("Errors", &words::named(report, |operation| &operation.errors)));
    out.push_str(&section("Rate and generator", &words::figures(report)));
    match &report.history {
        Some(history) => out.push_str(&judged(history)),
        None => drop(writeln!(out, "\n{}", words::unjudged(report))),
    }
    if let Some(search) = &report.search {
        out.push_str(&searched(search));
    }
    out.push_str(&in_markdown(&report.left_behind, report.left_behind_command.as_deref(), &report.target.url));
    out
}

fn verdict(report: &RunReport) -> String {
    let mut out = String::new();
    let wrong = report.total.wrong_count();
    if wrong > 0 {
        let _ = writeln!(out, "**WRONG ANSWERS: {wrong}.** They are named below.\n");
    }
    if report.history.as_ref().is_some_and(|history| history.linearizable == Some(false)) {
        let _ =
            writeln!(out, "**NOT LINEARIZABLE.** The answers contradict each other: see the verdict on the history.\n");
    }
    if report.fails_too_often() {
        let _ = writeln!(out, "**TOO MANY ERRORS**: {}.\n", words::failed(report));
    }
    let doubts = words::doubts(report);
    if doubts.is_empty() {
        out.push_str("Valid: the generator kept up, and the window is whole.");
        return out;
    }
    let _ = write!(out, "> **INVALID: do not use these figures.**\n>");
    for doubt in doubts {
        let _ = write!(out, "\n> - {}", escape(&doubt));
    }
    out
}

fn judged(history: &HistoryReport) -> String {
    let mut out = format!("\n## Verdict on the history\n\n{}\n", escape(&words::history(history)));
    for (head, story) in words::counterexamples(history) {
        let _ = writeln!(out, "\n### {}\n", escape(&head));
        for line in story {
            let _ = writeln!(out, "- {}", escape(&line));
        }
    }
    out
}

fn section(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut out = format!("\n## {title}\n\n");
    for line in lines {
        let _ = writeln!(out, "- {}", escape(line));
    }
    out
}

fn searched(search: &Search) -> String {
    let rows = search.trials.iter().map(words::trial_row).collect();
    format!("\n## Search\n\n{}\n\n{}", escape(&words::found(search)), table(&words::TRIAL_HEADS, rows))
}

fn table<const N: usize>(heads: &[&str; N], rows: Vec<[String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.map(|cell| escape(&cell)).join(" | "));
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::run::summary::*;
    use record::samples::{invalid_run as invalid, run as sample};

    #[test]
    fn the_summary_holds_what_ran_and_every_figure() {
        let text = markdown(&sample());
        for part in [
            "# Run: editing\n\n**WRONG ANSWERS: 1.** They are named below.\n\n**NOT LINEARIZABLE.** ",
            "Scenario editing against http\\://127.0.0.1:1/ (hardened), 2026-11-24T09:00:00Z, seed 7, on Linux 6 with 2 CPUs \
             and 1000 MB. Measured from 5.0 s to 15.0 s.",
            "The plan: `{\"users\":3}`",
            "| restore | 10 | 9 | 1 | 0 | 0.123 ms | 1.23 ms | 6.15 ms | 12.3 ms | 1.00 ms |",
            "| save | 20 | 19 | 0 | 1 | 12.3 ms | 123 ms | 617 ms | 1.23 s | 120 ms |",
            "| total | 30 | 28 | 1 | 1 | 9.00 ms | ",
            "## Wrong answers\n\n- restore: 1 × torn read\n",
            "## Errors\n\n- save: 1 × no answer within 10 s\n",
            "- Rate per s: 3.0 sent of 3.0 planned, 2.9 answered, 2.8 goodput\n",
            "- Slip (how late the generator was): p50 0.003 ms, p90 0.006 ms, p99 0.030 ms, p99.9 0.150 ms, max 0.300 ms\n",
            "- In flight: 2.10 by count, 2.00 by times (Little's law), +5.0 % apart\n",
            "2 threads, the busiest 25 % busy; 0.5 s of CPU, 16.5 µs an operation; 20 MB of memory, 6000 B a user; \
             history 4321 B\n",
            "- Generator's ceiling: 60000 operations per s at 15.0 µs of CPU each\n",
            "Highest rate that keeps to \"p99 of response ≤ 50 ms\": 100.0 per s.",
            "| 200.0 | bisect | no | 200.0 | save p99 12.3 ms | save \\| p99 is 80 ms |",
            "Documents of this run may be left on http\\://127.0.0.1:1/: A4K.\n\nTo delete them:\n\n```sh\ncurl A4K\n```\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
        assert!(!text.contains("INVALID"), "{text}");
    }

    #[test]
    fn an_invalid_run_says_so_before_any_figure_and_why() {
        let text = markdown(&invalid());
        let (before, after) = text.split_once("| operation |").expect("a table");
        for part in ["> **INVALID", "> - slip p99 is 12 ms; the generator was late", "> - the run was interrupted"] {
            assert!(before.contains(part), "{part:?} is missing from\n{before}");
        }
        assert!(!after.contains("Wrong answers"), "a section without lines is left out: {after}");
        let unreasoned = record::run::RunReport { why_invalid: Vec::new(), partial: false, ..invalid() };
        assert!(markdown(&unreasoned).contains("> - no reason is given"));
    }

    #[test]
    fn hostile_messages_break_neither_table_nor_page() {
        let mut report = sample();
        let save = report.operations.get_mut("save").expect("there");
        save.errors.insert("500 <script>\n| `x` *y* [z](u)".to_owned(), 1);
        let text = markdown(&report);
        assert!(text.contains("- save: 1 × 500 &lt;script&gt;\\\\n\\| \\`x\\` \\*y\\* \\[z\\](u)\n"), "{text}");
    }
}
