//! What is shown while a load runs: a table that renews itself on a terminal, lines elsewhere. All of it goes to
//! standard error; the result alone goes to standard output.

use crate::print::stderr;
use engine::Second;
use engine::scenario::Plan;
use indicatif::{ProgressBar, ProgressStyle};
use record::figures::OperationReport;
use record::run::Trial;
use report::run::words::figure;
use std::fmt::Write as _;

/// Parts of the bar.
const PARTS: u64 = 1_000;

/// Where standard error is no terminal, a run prints so many lines or so, and no more than one a second.
const MOST_LINES: u64 = 30;

/// See the module.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    is_quiet: bool,
    /// Seconds between two lines.
    every_s: u64,
    seconds: u64,
    wrong: u64,
    errors: u64,
}

impl Progress {
    /// A view of a run that begins.
    #[must_use]
    pub fn new(plan: &Plan, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(PARTS) };
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let every_s = (plan.end_us() / 1_000_000 / MOST_LINES).max(1);
        Self { bar, is_quiet, every_s, seconds: 0, wrong: 0, errors: 0 }
    }

    /// Shows a second, of which `reports` are the operations' figures.
    pub fn show(&mut self, second: &Second, reports: &[(&str, OperationReport)]) {
        self.wrong += reports.iter().map(|(_, report)| report.wrong_count()).sum::<u64>();
        self.errors += reports.iter().map(|(_, report)| report.error_count()).sum::<u64>();
        self.seconds += 1;
        if self.is_quiet {
            return;
        }
        if self.bar.is_hidden() {
            if self.seconds.is_multiple_of(self.every_s) {
                stderr!("{}", self.line(second, reports));
            }
        } else {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the parts")]
            self.bar.set_position((second.progress * PARTS as f64) as u64);
            self.bar.set_message(self.table(reports));
        }
    }

    /// Takes the table away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The second in a line.
    fn line(&self, second: &Second, reports: &[(&str, OperationReport)]) -> String {
        let mut line = format!("{:>3.0} %", second.progress * 100.0);
        if reports.is_empty() {
            line.push_str("  nothing measured yet");
        }
        for (name, report) in reports {
            let _ = write!(
                line,
                "  {name} {}/s p50 {} p99 {}",
                report.answered,
                figure(&report.response_us, report.response_us.p50),
                figure(&report.response_us, report.response_us.p99)
            );
        }
        let _ = write!(line, "  ·  so far {} wrong, {} errors", self.wrong, self.errors);
        line
    }

    /// The second as a table below the bar.
    fn table(&self, reports: &[(&str, OperationReport)]) -> String {
        let mut table = format!("   {} wrong answers, {} errors so far", self.wrong, self.errors);
        if reports.is_empty() {
            table.push_str("\nnothing measured yet");
        } else {
            let _ = write!(
                table,
                "\n{:<13}{:>9}{:>12}{:>12}{:>8}{:>8}",
                "last second", "per s", "p50", "p99", "errors", "wrong"
            );
        }
        for (name, report) in reports {
            let (p50, p99) = (
                figure(&report.response_us, report.response_us.p50),
                figure(&report.response_us, report.response_us.p99),
            );
            let (errors, wrong) = (report.error_count(), report.wrong_count());
            let _ = write!(table, "\n{name:<13}{:>9}{p50:>12}{p99:>12}{errors:>8}{wrong:>8}", report.answered);
        }
        table
    }
}

/// One trial of a search, in a line.
#[must_use]
pub fn trial(trial: &Trial) -> String {
    let outcome = match (trial.kept, trial.valid) {
        (_, false) => "not known",
        (true, true) => "kept",
        (false, true) => "not kept",
    };
    format!("{:<8} {:>9.0}/s  {outcome:<9}  {}", trial.phase.name(), trial.rate_per_s, trial.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::scenario::{Load, Mix, Pacing, Scenario, Shape, Sizes, Think};
    use record::figures::{Tally, Took};
    use record::history::Judgement;
    use record::hlog::new_histogram;
    use std::time::Duration;

    #[test]
    fn a_second_is_told_by_operation_with_all_that_was_wrong_so_far() {
        let load = Load::Closed { stages: Shape::constant(2.0, 10_000_000), pacing: Pacing::Think };
        let (think, sizes, mix) = (Think::None, Sizes::default(), Mix::default());
        let plan = Plan { seed: 1, scenario: Scenario::Mixed, users: 2, load, think, sizes, mix };
        let mut progress = Progress::new(&plan, true);
        let mut tallies = std::array::from_fn(|_| Tally::new());
        let took = Some(Took { response_us: 1_500, service_us: 1_400, is_timeout: false });
        tallies[2].count(took, Judgement::Verified);
        tallies[2].count(took, Judgement::Wrong("stale read"));
        tallies[3].count(None, Judgement::Error("no answer within 10 s"));
        let second = Second {
            start: Duration::from_secs(3),
            measured: Duration::from_secs(1),
            progress: 0.25,
            tallies,
            slip_us: new_histogram(),
        };
        progress.show(&second, &second.reports());
        progress.show(&second, &second.reports());
        let reports: Vec<_> = [("save", second.tallies[2].report())].into();
        assert_eq!(
            progress.line(&second, &reports),
            " 25 %  save 2/s p50 1.50 ms p99 1.50 ms  ·  so far 2 wrong, 2 errors"
        );
        let table = progress.table(&reports);
        assert!(table.contains("2 wrong answers, 2 errors so far") && table.contains("save"), "{table}");
    }
}
