//! How a run ended, as its page's last event tells it. Pure.

use super::figures::{Moment, Row};
use record::figures::OperationReport;
use record::run::RunReport;
use report::run::terminal;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// What a run came to, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It could not be carried out.
    Failed,
    /// Answers were wrong, or contradict each other.
    Wrong,
    /// Its figures are not to be used.
    Invalid,
    /// As expected.
    Good,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ending {
    outcome: Outcome,
    /// Whether its figures may be used; none where there are none.
    valid: Option<bool>,
    /// What it amounts to, a sentence each, as on the terminal.
    verdict: Vec<String>,
    /// The folder of the run's files.
    folder: String,
    /// Figures of all that was measured, where it was.
    whole: Option<Moment>,
}

impl Ending {
    /// The ending of a run whose files are in a folder.
    #[must_use]
    pub fn of(outcome: &anyhow::Result<RunReport>, folder: &Path) -> Self {
        let folder = folder.display().to_string();
        match outcome {
            Ok(report) => Self {
                outcome: match report.verdict_code() {
                    0 => Outcome::Good,
                    1 => Outcome::Wrong,
                    _ => Outcome::Invalid,
                },
                valid: Some(report.valid && !report.partial),
                verdict: terminal::verdict_lines(report).into_iter().chain([terminal::history_line(report)]).collect(),
                folder,
                whole: Some(whole(report)),
            },
            Err(error) => Self {
                outcome: Outcome::Failed,
                valid: None,
                verdict: vec![format!("The run failed: {error:#}")],
                folder,
                whole: None,
            },
        }
    }
}

/// The figures of `run.json`, as a page has them.
fn whole(report: &RunReport) -> Moment {
    let measured = Duration::try_from_secs_f64(report.measured.seconds()).unwrap_or_default();
    let row = |of: &OperationReport| Row::of(of, measured);
    Moment {
        total: row(&report.total),
        operations: report.operations.iter().map(|(name, operation)| (name.clone(), row(operation))).collect(),
        slip_p99_us: report.slip_us.p99,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use record::samples::{invalid_run as invalid, run as sample};

    #[test]
    fn an_ending_says_what_the_terminal_says_and_where_the_files_are() {
        let ending = Ending::of(&Ok(sample()), Path::new("reports/x"));
        assert_eq!((ending.outcome, ending.folder.as_str()), (Outcome::Wrong, "reports/x"));
        for (line, begin) in ending.verdict.iter().zip(["WRONG ANSWERS: 1 of 29.", "NOT LINEARIZABLE", "History: NOT"])
        {
            assert!(line.starts_with(begin), "{:?}", ending.verdict);
        }
        let whole = ending.whole.expect("it was measured");
        assert_eq!((whole.total.answered, whole.total.wrong), (29, 1));
        assert_eq!(whole.operations["restore"].wrong, 1);
        let ending = Ending::of(&Ok(invalid()), Path::new("x"));
        assert_eq!((ending.outcome, ending.valid), (Outcome::Invalid, Some(false)));
        let good = RunReport { valid: true, partial: false, why_invalid: Vec::new(), ..invalid() };
        let ending = Ending::of(&Ok(good), Path::new("x"));
        assert_eq!((ending.outcome, ending.valid), (Outcome::Good, Some(true)));
    }

    #[test]
    fn a_run_that_failed_says_why() {
        let failed = Err(anyhow!("refused").context("cannot reach http://127.0.0.1:1/"));
        let ending = Ending::of(&failed, Path::new("x"));
        assert_eq!((ending.outcome, ending.valid, ending.whole), (Outcome::Failed, None, None));
        assert_eq!(ending.verdict, ["The run failed: cannot reach http://127.0.0.1:1/: refused"]);
    }
}
