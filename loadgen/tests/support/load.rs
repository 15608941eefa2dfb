//! Whole load runs and their results.

use super::harness::loadgen;
use record::files::read_run;
use record::run::{HistoryReport, RunReport};

/// The scenarios.
pub(crate) const SCENARIOS: [&str; 6] = ["journey", "same-session", "keygen-burst", "churn", "list-heavy", "mixed"];

/// A finished load run.
pub(crate) struct Loaded {
    pub(crate) code: i32,
    pub(crate) said: String,
    pub(crate) report: RunReport,
    pub(crate) out: tempfile::TempDir,
}

impl Loaded {
    pub(crate) fn history(&self) -> &HistoryReport {
        self.report.history.as_ref().unwrap_or_else(|| panic!("no history: {}", self.said))
    }

    /// Keeps the run's files; returns their path and the run's output.
    pub(crate) fn kept(&self) -> String {
        let kept = self.out.path().with_extension("kept");
        // A second message about the same run finds them moved already.
        let _ = std::fs::rename(self.out.path(), &kept);
        format!("{}\n{}", kept.display(), self.said)
    }

    /// What keeps an honest server from being acquitted, if anything: a wrong document or a wrong response. A machine
    /// that is too busy makes a run invalid, not wrong.
    pub(crate) fn accusation(&self) -> Option<String> {
        let history = self.history();
        let wrong: u64 = self.report.operations.values().map(|operation| operation.wrong.values().sum::<u64>()).sum();
        let is_clean = history.linearizable == Some(true) && history.anomalies.is_empty() && wrong == 0;
        let is_right = is_clean && history.operations > 0 && matches!(self.code, 0 | 3);
        (!is_right).then(|| format!("exit code {}, {:?}: {}", self.code, history.anomalies, self.kept()))
    }
}

/// Runs a load. Any number of errors is allowed: exit 1 means that something is wrong.
pub(crate) fn run(arguments: &[&str]) -> Loaded {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = loadgen();
    command
        .args(["run", "--quiet", "--no-ceiling", "--warm-up", "0s", "--errors-allowed", "100%"])
        .args(arguments)
        .arg("--out")
        .arg(out.path());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = read_run(out.path()).unwrap_or_else(|error| panic!("{error}\n{said}"));
    Loaded { code: output.status.code().unwrap_or(-1), said, report, out }
}
