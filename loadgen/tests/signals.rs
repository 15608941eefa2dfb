//! Runs that are interrupted: the report first, then the clean-up, which ends also if the target stands still; a second
//! signal ends the run at once. Nothing here judges how long anything takes.

mod support;

use record::claims::Report;
use record::files::read_run;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr};
use support::harness::{interrupt, loadgen, names, saves_folder, started};
use support::hostile::{self, Hostile};
use support::liar;
use support::running::Running;

/// What is printed once the report is there.
const REPORTED: &str = "report written to ";

/// The code of a run that was ended at once.
const KILLED: Option<i32> = Some(130);

/// A target that stands still after so many requests.
const HONEST: usize = 1_000;
const HANGS: Hostile = Hostile::HangsLater(HONEST);

fn hangs(server: &Running) -> bool {
    server.counted.now().0 > HONEST as u64
}

fn load(url: &str, users: &str, out: &Path) -> Child {
    let mut command = loadgen();
    command.args(["run", "--quiet", "--no-ceiling", "--warm-up", "0s", "--duration", "1h", "--scenario", "mixed"]);
    started(command.args(["--mix", "save=3,churn=1", "--target", url, "--users", users, "--out"]).arg(out))
}

fn claims(url: &str, out: &Path) -> Child {
    let mut command = loadgen();
    started(command.args(["verify", "--full", "--only", "S1,S2,S4", "--target", url, "--out"]).arg(out))
}

/// Reads what is printed up to the line that says where the report is.
fn wait_for_report(run: &mut Child) -> std::io::Lines<BufReader<ChildStderr>> {
    let mut lines = BufReader::new(run.stderr.take().expect("piped")).lines();
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with(REPORTED)));
    assert!(line.is_some(), "the report was not announced");
    lines
}

fn signal(run: &Child, signal: Signal) {
    kill_process(Pid::from_child(run), signal).expect("it runs");
}

fn documents(saves: &Path) -> Vec<String> {
    let is_document = |name: &&String| std::fs::metadata(saves.join(name)).is_ok_and(|file| file.len() > 0);
    names(saves).iter().filter(is_document).filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect()
}

#[track_caller]
fn are_listed(documents: &[String], left_behind: &[String]) {
    let unlisted: Vec<&String> = documents.iter().filter(|key| !left_behind.contains(key)).collect();
    assert!(unlisted.is_empty(), "{unlisted:?} of {documents:?} are not in {left_behind:?}");
}

/// Regression: SIGHUP ended a run at once, and left its documents.
#[test]
fn every_signal_that_ends_a_run_has_it_report_and_clean_up() {
    for of in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (saves, out) = (saves_folder(), tempfile::tempdir().expect("a folder"));
        let server = liar::spawn(None, saves.path());
        let mut run = load(&server.url, "4", out.path());
        interrupt(&mut run, of, || !documents(saves.path()).is_empty());
        let rest: Vec<String> = wait_for_report(&mut run).map_while(Result::ok).collect();
        assert_eq!(run.wait().expect("it ends").code(), Some(3), "{of:?}: {rest:?}");
        let report = read_run(out.path()).expect("a report");
        assert!(report.partial && report.left_behind.is_empty(), "{of:?}: {:?}", report.left_behind);
        assert_eq!(names(saves.path()), Vec::<String>::new(), "{of:?}: {rest:?}");
    }
}

/// Regression: this took 48 s with 5 users, and more than two minutes with 50.
#[test]
fn a_target_that_stands_still_keeps_no_run_from_ending_and_what_is_there_is_listed() {
    let (out, server) = (tempfile::tempdir().expect("a folder"), hostile::spawn(HANGS));
    let mut run = load(&server.url, "50", out.path());
    interrupt(&mut run, Signal::INT, || hangs(&server));
    let rest: Vec<String> = wait_for_report(&mut run).map_while(Result::ok).collect();
    assert_ne!(run.wait().expect("it ends").code(), Some(0), "{rest:?}");
    let report = read_run(out.path()).expect("a report");
    assert!(report.partial);
    are_listed(&documents(&server.saves), &report.left_behind);
}

/// Regression: the report was written after the clean-up, so that a second signal lost it.
#[test]
fn a_second_signal_ends_a_run_at_once_with_its_report_on_the_disk() {
    for second in [Signal::INT, Signal::TERM] {
        let (out, server) = (tempfile::tempdir().expect("a folder"), hostile::spawn(HANGS));
        let mut run = load(&server.url, "5", out.path());
        interrupt(&mut run, Signal::INT, || hangs(&server));
        let lines = wait_for_report(&mut run);
        let report = read_run(out.path()).expect("it is there already");
        signal(&run, second);
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(run.wait().expect("it ends").code(), KILLED, "{rest:?}");
        for file in ["summary.md", "junit.xml"] {
            assert!(out.path().join(file).exists(), "{file}");
        }
        let again = read_run(out.path()).expect("it is still there");
        assert!(again.partial && again.left_behind == report.left_behind, "it says what it said");
        are_listed(&documents(&server.saves), &again.left_behind);
    }
}

#[test]
fn a_second_signal_ends_verify_at_once_with_its_report_on_the_disk() {
    let (out, server) = (tempfile::tempdir().expect("a folder"), hostile::spawn(HANGS));
    let mut run = claims(&server.url, out.path());
    interrupt(&mut run, Signal::HUP, || hangs(&server));
    let lines = wait_for_report(&mut run);
    signal(&run, Signal::TERM);
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(run.wait().expect("it ends").code(), KILLED, "{rest:?}");
    let report = Report::read(out.path()).expect("it is there");
    assert!(report.partial && out.path().join("summary.md").exists());
    are_listed(&documents(&server.saves), &report.targets[0].left_behind);
}
