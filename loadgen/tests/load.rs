//! Load runs as their users run them. Nothing here judges how fast anything was.

mod support;

use record::files::{HISTORY_FILE, HLOG_FILE, JUNIT_FILE, RUN_FILE, SUMMARY_FILE, read_run};
use record::history::read_history;
use record::run::RunReport;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use support::harness::{loadgen, saves_folder};
use support::liar::{self, Lie};

/// A finished load run.
struct Loaded {
    code: i32,
    stdout: String,
    stderr: String,
    out: tempfile::TempDir,
}

impl Loaded {
    fn report(&self) -> RunReport {
        read_run(self.out.path()).unwrap_or_else(|error| panic!("{error}\n{}", self.stderr))
    }
}

fn run(arguments: &[&str]) -> Loaded {
    let out = tempfile::tempdir().expect("a folder");
    let output = loadgen().arg("run").args(arguments).arg("--out").arg(out.path()).output().expect("it runs");
    Loaded {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        out,
    }
}

/// `loadgen report` on a run's folder: its exit code, and what it prints.
fn report(folder: &Path) -> (i32, String) {
    let output = loadgen().arg("report").arg(folder).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// Every scenario on the hardened protocol: the run itself may be called invalid on a machine that is too busy, but no
/// answer is wrong, none is an error, and the files agree.
#[test]
fn every_scenario_runs_without_a_wrong_answer_and_its_files_agree() {
    for (scenario, operation) in [
        ("journey", "instantiate"),
        ("same-session", "save"),
        ("keygen-burst", "delete"),
        ("churn", "delete"),
        ("list-heavy", "list"),
        ("mixed", "restore"),
    ] {
        let loaded =
            run(&["--scenario", scenario, "--users", "8", "--duration", "2s", "--warm-up", "0s", "--seed", "7"]);
        let found = loaded.report();
        assert!(matches!(loaded.code, 0 | 3), "{scenario}: {}{}", loaded.stderr, loaded.stdout);
        assert!(found.operations[operation].verified > 0, "{scenario}: {}", loaded.stdout);
        assert_eq!((found.total.wrong_count(), found.total.error_count()), (0, 0), "{scenario}: {}", loaded.stdout);
        assert_eq!((found.seed, found.scenario.as_str()), (7, scenario));
        let (code, said) = report(loaded.out.path());
        assert!(code == 0 && said.contains("they agree"), "{scenario}: {said}");
    }
}

#[test]
fn an_open_load_sends_what_was_planned() {
    let loaded = run(&["--scenario", "mixed", "--mix", "restore=1", "--rate", "200", "--arrivals", "constant"]
        .into_iter()
        .chain(["--users", "20", "--duration", "2s", "--seed", "1"])
        .collect::<Vec<_>>());
    let found = loaded.report();
    let restores = &found.operations["restore"];
    assert_eq!((found.rate.planned_per_s, restores.sent), (Some(200.0), 400), "{}", loaded.stdout);
    assert!(found.little.residual.abs() < 0.02, "{:?}", found.little);
}

#[test]
fn the_run_files_are_all_there_and_what_was_tampered_with_is_found() {
    let loaded = run(&["--scenario", "churn", "--users", "4", "--duration", "1s"]);
    for name in [RUN_FILE, HLOG_FILE, HISTORY_FILE, SUMMARY_FILE, JUNIT_FILE] {
        assert!(loaded.out.path().join(name).is_file(), "{name}");
    }
    let path = loaded.out.path().join(RUN_FILE);
    let json = std::fs::read_to_string(&path).expect("reads");
    let mut value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let schema = serde_json::from_str(record::run::JSON_SCHEMA).expect("a schema");
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .expect("a schema")
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let verified = value["operations"]["delete"]["verified"].as_u64().expect("a count");
    value["operations"]["delete"]["verified"] = (verified + 1).into();
    std::fs::write(&path, value.to_string()).expect("writes");
    let (code, said) = report(loaded.out.path());
    assert!(code == 1 && said.contains("delete") && said.contains(&(verified + 1).to_string()), "{said}");
    std::fs::write(loaded.out.path().join(HLOG_FILE), "nothing").expect("writes");
    std::fs::remove_file(&path).expect("removes");
    let (code, said) = report(loaded.out.path());
    assert!(code == 2 && said.contains(RUN_FILE), "{said}");
}

/// What each lie looks like to a load, on a server that is somebody's: it is left as it was.
/// What is left to check-history, and what it then finds there.
#[test]
fn a_history_that_was_not_judged_can_be_judged_later() {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::DeleteKeepsFile), saves.path());
    let load = ["--target", &server.url, "--scenario", "churn", "--users", "4", "--duration", "1s", "--warm-up", "0s"];
    let loaded = run(&[&load[..], &["--no-ceiling", "--quiet", "--no-judge"]].concat());
    assert_eq!(loaded.report().history, None);
    assert!(loaded.stdout.contains("History: not judged. `loadgen check-history"), "{}", loaded.stdout);
    let (code, said) = report(loaded.out.path());
    assert!(code == 0 && said.contains("Every figure was worked out again"), "{said}");
    let mut judge = loadgen();
    judge.args(["check-history", "--format", "claimcheck", "--out"]).arg(loaded.out.path()).arg(loaded.out.path());
    let judged = judge.output().expect("it runs");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.code() == Some(1) && said.contains("resurrected document"), "{said}");
}

#[test]
fn wrong_answers_of_a_server_are_found_by_name() {
    for (lie, scenario, wrong) in [
        (Lie::StaleRestore, "mixed", "stale read"),
        // The new document with the earlier one's state: that state is whole, and stale.
        (Lie::TornRestore, "mixed", "stale read"),
        (Lie::LosesInList, "list-heavy", "missing from list"),
        (Lie::DeleteKeepsFile, "churn", "resurrected document"),
        (Lie::CrossTalk, "mixed", "key that changed owners"),
    ] {
        let saves = saves_folder();
        let server = liar::spawn(Some(lie), saves.path());
        let loaded =
            run(&["--target", &server.url, "--scenario", scenario, "--users", "8", "--duration", "2s", "--quiet"]);
        assert_eq!(loaded.code, 1, "{lie:?}: {}{}", loaded.stderr, loaded.stdout);
        let found = loaded.report();
        let names: Vec<&String> = found.operations.values().flat_map(|operation| operation.wrong.keys()).collect();
        assert!(names.iter().any(|name| *name == wrong), "{lie:?}: {names:?}");
        assert!(loaded.stdout.contains("WRONG ANSWERS"), "{}", loaded.stdout);
        assert_eq!(loaded.stderr, "", "--quiet shows nothing");
    }
}

#[test]
fn an_honest_server_is_not_accused_and_left_as_it_was() {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    for scenario in ["journey", "same-session", "keygen-burst", "churn", "list-heavy", "mixed"] {
        let loaded = run(&["--target", &server.url, "--scenario", scenario, "--users", "8", "--duration", "1s"]);
        let found = loaded.report();
        assert_eq!((found.total.wrong_count(), found.total.error_count()), (0, 0), "{scenario}: {}", loaded.stdout);
        assert_eq!(found.left_behind, Vec::<String>::new());
        let left: Vec<_> = std::fs::read_dir(saves.path()).expect("reads").collect();
        assert!(left.is_empty(), "{scenario}: {left:?}");
    }
}

/// The documented protocol's restores beside saves, and keys that it hands out twice.
#[test]
fn the_specifications_faults_show_under_load() {
    let torn = run(&["--protocol", "documented", "--scenario", "same-session", "--users", "16", "--duration", "2s"]);
    assert_eq!(torn.code, 1, "{}{}", torn.stderr, torn.stdout);
    let wrong = &torn.report().operations["restore"].wrong;
    assert!(wrong.contains_key("unreadable document") || wrong.contains_key("torn read"), "{wrong:?}");
    let twice = run(&["--protocol", "documented", "--scenario", "keygen-burst", "--think", "100ms"]
        .into_iter()
        .chain(["--users", "300", "--duration", "3s"])
        .collect::<Vec<_>>());
    let wrong = &twice.report().operations["generate-key"].wrong;
    assert!(twice.code == 1 && wrong.contains_key("duplicate key"), "{wrong:?} {}", twice.stdout);
}

#[test]
fn a_server_in_use_is_not_loaded_without_consent() {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    std::fs::write(saves.path().join("A4K.json"), contract::document::stored("A4K", CONTENT, 1)).expect("writes");
    let refused = run(&["--target", &server.url, "--duration", "1s"]);
    assert!(refused.code == 2 && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let loaded = run(&["--target", &server.url, "--yes", "--scenario", "churn", "--users", "4", "--duration", "1s"]);
    assert_eq!(loaded.report().total.wrong_count(), 0, "{}", loaded.stdout);
    let left: Vec<_> =
        std::fs::read_dir(saves.path()).expect("reads").map(|entry| entry.expect("reads").file_name()).collect();
    assert_eq!(left, ["A4K.json"]);
}

const CONTENT: contract::document::Content = contract::document::Content { writer: 1, number: 1, size_bytes: 300 };

#[test]
fn an_interrupted_run_reports_what_it_measured() {
    let out = tempfile::tempdir().expect("a folder");
    let mut running = loadgen()
        .args(["run", "--scenario", "mixed", "--users", "4", "--duration", "1h", "--warm-up", "0s", "--out"])
        .arg(out.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let shown = BufReader::new(running.stderr.take().expect("piped"));
    // An hour's run shows a line every two minutes: the history is what tells that it runs.
    while read_history(&out.path().join(HISTORY_FILE)).is_err() {
        assert!(running.try_wait().expect("is known").is_none(), "it has ended");
    }
    let pid = Pid::from_raw(i32::try_from(running.id()).expect("a number")).expect("a process");
    kill_process(pid, Signal::INT).expect("is there");
    let lines: Vec<String> = shown.lines().map_while(Result::ok).collect();
    let status = running.wait().expect("ends");
    assert!(lines.iter().any(|line| line.contains("stopping")), "{lines:?}");
    assert_eq!(status.code(), Some(3), "{lines:?}");
    assert!(read_run(out.path()).expect("a report").partial);
    assert_eq!(report(out.path()).0, 0);
}

/// Regression: a target that was dead for most of a run left it "valid", with exit 0 and one error per user and second.
#[test]
fn a_target_that_dies_fails_the_run() {
    let saves = saves_folder();
    let server = liar::spawn(None, saves.path());
    let (url, counted) = (server.url.clone(), std::sync::Arc::clone(&server.counted));
    let dies = std::thread::spawn(move || {
        while counted.now().0 < 2_000 {
            std::thread::yield_now();
        }
        drop(server);
    });
    let loaded = run(&["--target", &url, "--scenario", "mixed", "--users", "4", "--duration", "8s", "--warm-up", "0s"]);
    dies.join().expect("it died");
    assert_eq!(loaded.code, 1, "{}\n{}", loaded.stdout, loaded.stderr);
    let report = loaded.report();
    assert!(report.turns.expect("a closed load").missed > report.total.error_count(), "{:?}", report.turns);
    assert!(loaded.stdout.contains("TOO MANY ERRORS: "), "{}", loaded.stdout);
    for (file, part) in [(JUNIT_FILE, "type=\"too many errors\""), (SUMMARY_FILE, "**TOO MANY ERRORS**: ")] {
        let text = std::fs::read_to_string(loaded.out.path().join(file)).expect("it is written");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_objective_without_a_clause_on_errors_gets_one() {
    let search = ["--mix", "restore=1", "--users", "4", "--rate", "4", "--duration", "1s", "--warm-up", "100ms"];
    let loaded = run(&[&["--scenario", "mixed", "--objective", "restore max < 1ns"][..], &search].concat());
    let objective = "restore max < 0ms, errors < 1%";
    assert_eq!(loaded.report().search.expect("a search").objective, objective);
    assert!(
        loaded.stderr.contains("had no clause on errors. It is now: restore max < 0ms, errors < 1%"),
        "{}",
        loaded.stderr
    );
    let own = run(&[&["--scenario", "mixed", "--objective", "errors = 0"][..], &search].concat());
    let report = own.report();
    assert_eq!((report.search.expect("a search").objective.as_str(), report.errors_allowed), ("errors = 0", None));
}

#[test]
fn the_highest_rate_that_keeps_an_objective_is_looked_for() {
    let loaded = run(&["--scenario", "mixed", "--mix", "restore=1", "--objective", "restore max < 1ns"]
        .into_iter()
        .chain(["--users", "8", "--rate", "4", "--duration", "2s", "--warm-up", "100ms"])
        .collect::<Vec<_>>());
    let search = loaded.report().search.expect("a search");
    assert_eq!((search.found_per_s, search.trials.len(), loaded.code), (None, 3, 3), "{}", loaded.stdout);
    assert!(loaded.stdout.contains("No rate was found"), "{}", loaded.stdout);
}

#[test]
fn wrong_usage_names_the_flag_what_was_given_and_what_is_taken() {
    let table: [(&[&str], &[&str]); 11] = [
        (&["run", "--scenario", "fast"], &["--scenario", "fast", "journey, same-session"]),
        (&["run", "--users", "10001"], &["--users", "10001", "1..=10000"]),
        (&["run", "--rate", "0"], &["above 0"]),
        (&["run", "--rate", "10", "--stage", "hold:1s:5"], &["--rate", "--stage"]),
        (&["run", "--stage", "leap:1s:5"], &["--stage", "leap", "ramp:30s:1000"]),
        (&["run", "--think", "long"], &["--think", "long", "100ms"]),
        (&["run", "--document-bytes", "5"], &["--document-bytes", "5", "300"]),
        (&["run", "--mix", "save=0"], &["--mix", "save=0"]),
        (&["run", "--objective", "save p98 < 1s"], &["--objective", "p98", "save p99 < 50ms"]),
        (&["run", "--target", "http://127.0.0.1:1"], &["cannot reach http://127.0.0.1:1"]),
        (&["report", "/nowhere"], &["/nowhere/run.json"]),
    ];
    for (arguments, parts) in table {
        let out = tempfile::tempdir().expect("a folder");
        let output = loadgen().args(arguments).current_dir(out.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: {part:?} is missing from {said}");
        }
    }
}
