//! Whole load runs and the verdict on their histories: each server with a fault is convicted of it by its name, and runs
//! on honest servers of nothing. Nothing here judges how fast anything was.
//!
//! `CLEAN_RUNS=100` makes it so many runs on honest servers.

mod support;

use loadgen::check::documents::whole::Verdict;
use loadgen::record::history::{Accesses, read_history};
use loadgen::record::run::{CounterexampleReport, HistoryReport, RunReport};
use loadgen::record::{HISTORY_FILE, read_report};
use std::collections::BTreeMap;
use std::path::Path;
use support::harness::{loadgen, saves_folder};
use support::hostile::{self, Hostile};
use support::liar::{self, Lie};

/// How long runs on a server with a fault last, one after the other, s, until its fault has shown. One run is enough but on
/// a machine that is busy beyond measure.
const DURATIONS_S: [u32; 5] = [1, 2, 4, 8, 16];

/// The scenarios, with an operation of each.
const SCENARIOS: [&str; 6] = ["journey", "same-session", "keygen-burst", "churn", "list-heavy", "mixed"];

/// A finished load run.
struct Loaded {
    code: i32,
    said: String,
    report: RunReport,
    out: tempfile::TempDir,
}

impl Loaded {
    fn history(&self) -> &HistoryReport {
        self.report.history.as_ref().unwrap_or_else(|| panic!("no history: {}", self.said))
    }

    /// Keeps the run's files, and says where they are and what the run said.
    fn kept(&self) -> String {
        let kept = self.out.path().with_extension("kept");
        std::fs::rename(self.out.path(), &kept).expect("it can be renamed");
        format!("{}\n{}", kept.display(), self.said)
    }
}

fn run(arguments: &[&str]) -> Loaded {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = loadgen();
    command.args(["run", "--quiet", "--no-ceiling", "--warm-up", "0s"]).args(arguments).arg("--out").arg(out.path());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = read_report(out.path()).unwrap_or_else(|error| panic!("{error}\n{said}"));
    Loaded { code: output.status.code().unwrap_or(-1), said, report, out }
}

/// `loadgen check-history` on a run's folder: its exit code, and what it prints.
fn check_history(folder: &Path) -> (i32, String) {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = loadgen();
    command.args(["check-history", "--format", "claimcheck", "--out"]).arg(out.path()).arg(folder);
    let output = command.output().expect("it runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The anomalies of a run's history, judged again from its file.
fn judged_again(folder: &Path) -> BTreeMap<String, u64> {
    let history = read_history(&folder.join(HISTORY_FILE)).expect("it can be read");
    let accesses = Accesses::gather(history).expect("it is whole");
    Verdict::of(&accesses.by_key).anomalies.iter().map(|(anomaly, count)| (anomaly.name().to_owned(), *count)).collect()
}

/// A run in which an anomaly shows. Where none does within half a minute, the server gets away with it.
fn convicted(lie: Lie, anomaly: &str, scenario: &[&str]) -> Loaded {
    for duration_s in DURATIONS_S {
        let saves = saves_folder();
        let server = liar::spawn(Some(lie), saves.path());
        let duration = format!("{duration_s}s");
        let load = ["--target", &server.url, "--users", "16", "--duration", &duration, "--scenario"];
        let loaded = run(&[&load, scenario].concat());
        if loaded.history().anomalies.contains_key(anomaly) {
            return loaded;
        }
        eprintln!("{lie:?}: no {anomaly} within {duration}, but {:?}", loaded.history().anomalies);
    }
    panic!("{lie:?} is not convicted of {anomaly}");
}

/// The story of a counterexample is told, and its picture needs nothing but itself.
fn is_told(counterexample: &CounterexampleReport, folder: &Path) {
    assert!(counterexample.story.len() > 1, "{counterexample:?}");
    let picture = folder.join(counterexample.picture.as_ref().expect("a picture"));
    let page = std::fs::read_to_string(&picture).expect("it can be read");
    assert!(page.to_lowercase().starts_with("<!doctype html"), "{}", picture.display());
    for link in ["://", "src=", "@import", "url("] {
        assert!(!page.contains(link), "{} holds {link}", picture.display());
    }
}

/// A server with this fault is convicted of it by its name, with a proof, and so again by the history's file alone. What
/// else it may be convicted of is the same fault seen from another side.
fn is_convicted(lie: Lie, anomaly: &str, others: &[&str], scenario: &[&str]) {
    let loaded = convicted(lie, anomaly, scenario);
    let history = loaded.history();
    eprintln!("{lie:?}: {:?}", history.anomalies);
    assert_eq!((loaded.code, history.linearizable), (1, Some(false)), "{lie:?}: {}", loaded.said);
    let is_known = |name: &&String| *name == anomaly || others.contains(&name.as_str());
    assert_eq!(history.anomalies.keys().find(|name| !is_known(name)), None, "{lie:?}: {}", loaded.kept());
    let counterexample = history.counterexamples.iter().find(|counterexample| counterexample.anomaly == anomaly);
    is_told(counterexample.unwrap_or_else(|| panic!("{lie:?}: {}", loaded.said)), loaded.out.path());
    let (code, said) = check_history(loaded.out.path());
    assert!(code == 1 && said.contains("NOT linearizable") && said.contains(anomaly), "{lie:?}: {said}");
    assert_eq!(judged_again(loaded.out.path()), history.anomalies, "{lie:?}");
}

macro_rules! faults {
    ($($name:ident: $lie:ident, $anomaly:literal, or $others:expr, in $scenario:expr;)*) => {
        $(#[test]
        fn $name() {
            is_convicted(Lie::$lie, $anomaly, &$others, &$scenario);
        })*

        #[test]
        fn every_lie_of_histories_is_tried() {
            let tried = [$(Lie::$lie),*];
            assert!(Lie::OF_HISTORIES.iter().all(|lie| tried.contains(lie)));
        }
    };
}

/// Each on its own session, which is read more often than it is written.
const OWN: [&str; 3] = ["mixed", "--mix", "restore=4,save=1"];

/// All on one document.
const SHARED: [&str; 3] = ["same-session", "--mix", "restore=3,save=1"];

/// Sessions end and begin, and live for some time.
const CHANGING: [&str; 3] = ["mixed", "--mix", "restore=2,save=2,churn=1"];

faults! {
    a_lost_update_is_convicted: LyingSave, "lost update", or ["stale read"], in OWN;
    a_torn_read_is_convicted: SavesInTwoSteps, "torn read", or [], in SHARED;
    a_stale_read_is_convicted: StaleRestore, "stale read", or ["lost update"], in OWN;
    a_non_monotonic_read_is_convicted: LaggingReplica, "non-monotonic read", or [], in SHARED;
    an_aborted_read_is_convicted: RefusesAndStores, "aborted read", or [], in OWN;
    an_intermediate_read_is_convicted: RemovesFirst, "intermediate read", or [], in SHARED;
    a_duplicate_key_is_convicted: SharesKeys, "duplicate key", or [], in ["churn"];
    a_key_that_changed_owners_is_convicted: HandsOutLive, "key that changed owners", or ["duplicate key"], in CHANGING;
    anothers_document_is_convicted: CrossTalk, "key that changed owners", or [], in OWN;
    a_resurrected_document_is_convicted: DeleteKeepsFile, "resurrected document", or [], in ["churn"];
    a_write_to_an_unlinked_file_is_convicted: KeepsUnlinkedOpen, "write to an unlinked file", or [], in ["churn"];
    an_acknowledged_document_that_is_lost_is_convicted: LosesDocuments, "acknowledged then lost", or [], in OWN;
    a_list_that_lacks_a_document_is_convicted: LosesInList, "missing from list", or [], in ["list-heavy"];
    // Where what it comes back over is still under way, it is only older than what was seen.
    a_save_applied_twice_is_convicted: SavesTwice, "applied twice", or ["non-monotonic read"], in SHARED;
}

/// Runs on an honest server, that many: on no document is anything wrong.
fn is_acquitted(name: &str, arguments: &[&str]) {
    let loaded = run(arguments);
    let history = loaded.history();
    let is_clean = history.linearizable == Some(true) && history.anomalies.is_empty();
    // A machine that is too busy makes a run invalid, not wrong.
    let is_right = is_clean && history.operations > 0 && matches!(loaded.code, 0 | 3);
    assert!(is_right, "{name} {arguments:?}: {}", loaded.kept());
}

/// An honest server, one that hands out the keys of ended sessions first, and the reference server.
#[test]
fn runs_on_honest_servers_are_acquitted() {
    let runs = std::env::var("CLEAN_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3 * SCENARIOS.len());
    for number in 0..runs {
        let scenario = SCENARIOS[number % SCENARIOS.len()];
        let users = (8 + number % 9).to_string();
        let load = ["--scenario", scenario, "--users", &users, "--duration", "1s"];
        let saves = saves_folder();
        let on = |server: &support::running::Running| [&["--target", &server.url], &load[..]].concat().join(" ");
        match number / SCENARIOS.len() % 3 {
            0 => {
                let server = liar::spawn(None, saves.path());
                is_acquitted("honest", &on(&server).split(' ').collect::<Vec<_>>());
            }
            1 => {
                let server = liar::spawn_reusing_keys(saves.path());
                is_acquitted("reuses keys", &on(&server).split(' ').collect::<Vec<_>>());
            }
            _ => is_acquitted("embedded", &load),
        }
    }
}

/// What nobody waits for any more may still take effect, at any time, or never.
#[test]
fn requests_without_an_answer_accuse_nobody() {
    for (number, scenario) in SCENARIOS.into_iter().enumerate() {
        let saves = saves_folder();
        let server = liar::spawn_late(saves.path());
        let mut load = vec!["--target", &server.url, "--scenario", scenario, "--users", "16", "--duration", "2s"];
        load.extend(["--patience", "100ms"]);
        // Who has no answer pauses, but not in an open load.
        load.extend(["--rate", "200"].iter().filter(|_| number % 2 == 1));
        let loaded = run(&load);
        assert_eq!(loaded.history().linearizable, Some(true), "{load:?}: {}", loaded.kept());
    }
}

#[test]
fn a_server_that_goes_away_or_hangs_is_accused_of_nothing() {
    for (kind, scenario) in [
        (Hostile::DiesLater(500), "same-session"),
        (Hostile::DiesLater(500), "churn"),
        (Hostile::HangsLater(500), "mixed"),
        (Hostile::Flaky, "mixed"),
    ] {
        let server = hostile::spawn(kind);
        let load = ["--target", &server.url, "--scenario", scenario, "--users", "16", "--duration", "1s"];
        let loaded = run(&[&load[..], &["--patience", "200ms"]].concat());
        assert_eq!(loaded.history().linearizable, Some(true), "{kind:?} {scenario}: {}", loaded.kept());
    }
}
