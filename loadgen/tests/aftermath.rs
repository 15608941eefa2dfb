//! Deletes that are undone later, and lost last saves, on a target whose folder is unknown. No user's request shows
//! them, so the harness looks once the load is over. Nothing here judges speed.

mod support;

use record::files::{HISTORY_FILE, read_run};
use record::history::{Phase, read_history};
use record::run::RunReport;
use std::path::Path;
use support::harness::{loadgen, names, saves_folder};
use support::liar::{self, Lie};
use support::undone::{self, Undone};

/// A finished load run.
struct Loaded {
    code: i32,
    said: String,
    report: RunReport,
    out: tempfile::TempDir,
}

fn run(url: &str, load: &[&str]) -> Loaded {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = loadgen();
    command.args([
        "run",
        "--quiet",
        "--no-ceiling",
        "--warm-up",
        "0s",
        "--target",
        url,
        "--users",
        "8",
        "--duration",
        "1s",
    ]);
    let output = command.args(load).arg("--out").arg(out.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = read_run(out.path()).unwrap_or_else(|error| panic!("{error}\n{said}"));
    Loaded { code: output.status.code().unwrap_or(-1), said, report, out }
}

impl Loaded {
    /// The run's history convicts the server of this.
    fn is_convicted_of(&self, anomaly: &str) {
        let history = self.report.history.as_ref().unwrap_or_else(|| panic!("no history: {}", self.said));
        assert!(history.anomalies.contains_key(anomaly), "not of {anomaly}: {:?}: {}", history.anomalies, self.said);
        assert_eq!((self.code, history.linearizable), (1, Some(false)), "{}", self.said);
    }

    /// The run names the documents that stay behind, as far as they are still there.
    fn names_what_stays(&self, saves: &Path) {
        // A reservation that is left is an empty file, which expires.
        let is_document = |name: &&String| std::fs::metadata(saves.join(name)).is_ok_and(|file| file.len() > 0);
        let stays = names(saves);
        let stays = stays.iter().filter(is_document).filter_map(|name| name.strip_suffix(".json"));
        let stays: Vec<String> = stays.map(str::to_owned).collect();
        assert_eq!(self.report.left_behind, stays, "{}", self.said);
    }
}

/// Regression: in such a load 48 deletes were not done at all, and 54 undone later, and the exit code was 0.
#[test]
fn a_delete_that_is_not_done_is_found_when_the_load_is_over() {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::DeleteKeepsFile), saves.path());
    let loaded = run(&server.url, &["--scenario", "mixed", "--mix", "save=3,churn=1"]);
    loaded.is_convicted_of("resurrected document");
    assert!(!loaded.report.left_behind.is_empty(), "{}", loaded.said);
    loaded.names_what_stays(saves.path());
}

#[test]
fn a_delete_that_comes_undone_is_found_when_the_load_is_over() {
    for scenario in ["churn", "mixed"] {
        let saves = saves_folder();
        let server = undone::spawn(Undone::Delete, 20, saves.path());
        let loaded = run(&server.url, &["--scenario", scenario, "--mix", "save=3,churn=1"]);
        loaded.is_convicted_of("resurrected document");
        loaded.names_what_stays(saves.path());
    }
}

#[test]
fn a_last_save_that_is_lost_is_found_when_the_load_is_over() {
    let saves = saves_folder();
    let server = undone::spawn(Undone::Save, 1, saves.path());
    run(&server.url, &["--scenario", "mixed", "--mix", "save=1"]).is_convicted_of("stale read");
}

/// The final look is part of the history, but of no measurement.
#[test]
fn an_honest_server_is_looked_at_and_acquitted() {
    let saves = saves_folder();
    let server = liar::spawn_reusing_keys(saves.path());
    let loaded = run(&server.url, &["--scenario", "mixed", "--mix", "save=1,restore=1,churn=1"]);
    let history = loaded.report.history.as_ref().unwrap_or_else(|| panic!("no history: {}", loaded.said));
    assert_eq!((history.linearizable, &history.anomalies), (Some(true), &[].into()), "{}", loaded.said);
    assert_eq!(loaded.report.left_behind, Vec::<String>::new(), "{}", loaded.said);
    assert_eq!(names(saves.path()), Vec::<String>::new());
    let records = read_history(&loaded.out.path().join(HISTORY_FILE)).expect("it can be read");
    let looks = records.filter(|record| record.as_ref().is_ok_and(|record| record.phase == Some(Phase::Aftermath)));
    assert!(looks.count() > 8, "a list, and each user's document at least: {}", loaded.said);
    let report = loadgen().arg("report").arg(loaded.out.path()).output().expect("it runs");
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stdout));
}
