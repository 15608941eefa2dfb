//! Operations without a clear response accuse nobody: neither a server that carried them out, nor one that hands out
//! the key of a session that it ended. Nothing here judges speed.
//!
//! Regression: with every 100th delete carried out and answered with a 500, an honest server was convicted of 272
//! duplicate keys. The run still counted the keys of sessions that the server had ended as held.

mod support;

use engine::saves_folder::SavesFolder;
use loadgen::saves::{Fill, Filler};
use record::claims::Verdict;
use record::files::read_run;
use record::run::RunReport;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::harness::{loadgen, names, saves_folder, started, verify_target};
use support::unclear::{self, Unclear};
use tokio::time::sleep;

/// A finished load run: its report and its output.
struct Loaded {
    code: i32,
    said: String,
    report: RunReport,
}

fn run_command(arguments: &[&str], out: &Path) -> Command {
    let mut command = loadgen();
    command
        .args(["run", "--quiet", "--no-ceiling", "--warm-up", "0s", "--errors-allowed", "100%"])
        .args(arguments)
        .arg("--out")
        .arg(out);
    command
}

fn finish(run: Child, out: &Path) -> Loaded {
    let output = run.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = read_run(out).unwrap_or_else(|error| panic!("{error}\n{said}"));
    Loaded { code: output.status.code().unwrap_or(-1), said, report }
}

impl Loaded {
    /// Nothing is reported as wrong. A machine that is too busy makes a run invalid, and errors may make it fail, but
    /// it is not wrong.
    fn accuses_nobody(&self, name: &str) {
        let history = self.report.history.as_ref().unwrap_or_else(|| panic!("{name}: no history: {}", self.said));
        assert_eq!(self.report.total.wrong_count(), 0, "{name}: {}", self.said);
        assert!(history.anomalies.is_empty() && history.linearizable == Some(true), "{name}: {}", self.said);
        assert!(matches!(self.code, 0 | 3), "{name}: exit {}: {}", self.code, self.said);
    }
}

/// Runs a load on a server whose responses to one operation may get lost, and whose keys all had an earlier owner.
fn is_acquitted(unclear: Unclear, paths: &'static [&'static str], load: &[&str]) {
    let name = format!("{unclear:?} {paths:?} {load:?}");
    let (saves, out) = (saves_folder(), tempfile::tempdir().expect("a folder"));
    let server = unclear::spawn(unclear, paths, 20, saves.path());
    let arguments = [&["--target", &server.url, "--scenario"], load].concat();
    let loaded = finish(started(&mut run_command(&arguments, out.path())), out.path());
    loaded.accuses_nobody(&name);
    assert!(loaded.report.total.error_count() > 0, "{name}: every answer was heard: {}", loaded.said);
    assert_eq!(names(saves.path()), Vec::<String>::new(), "{name}: what was written is taken back");
}

#[test]
fn a_key_whose_delete_has_no_clear_answer_may_be_handed_out_again() {
    for (unclear, scenario) in
        [(Unclear::Error, "churn"), (Unclear::Error, "keygen-burst"), (Unclear::Cut, "churn"), (Unclear::Cut, "mixed")]
    {
        let load = [scenario, "--users", "16", "--duration", "1s", "--mix", "save=1,churn=1"];
        is_acquitted(unclear, &["delete"], &load);
    }
}

#[test]
fn an_instantiate_without_a_clear_answer_is_tried_again_and_proves_nothing() {
    for unclear in [Unclear::Error, Unclear::Cut] {
        is_acquitted(unclear, &["instantiate"], &["churn", "--users", "16", "--duration", "1s"]);
        is_acquitted(unclear, &["instantiate"], &["journey", "--users", "60", "--duration", "4s"]);
        is_acquitted(unclear, &["instantiate", "save", "delete"], &["mixed", "--users", "16", "--duration", "1s"]);
    }
}

/// Regression: K9 and S7 were refuted by the same server, though one order explains everything.
#[test]
fn claims_are_not_refuted_by_what_was_not_heard() {
    for (unclear, paths) in [(Unclear::Error, &["delete"][..]), (Unclear::Cut, &["instantiate"])] {
        let saves = saves_folder();
        let server = unclear::spawn(unclear, paths, 20, saves.path());
        let run = verify_target(&server.url, saves.path(), &["--only", "K9,S7"]);
        for id in ["K9", "S7"] {
            let (verdict, summary) = run.verdict(id);
            assert_ne!(verdict, Verdict::Refuted, "{unclear:?} {paths:?} {id}: {summary}\n{}", run.stderr);
        }
    }
}

/// The reference server in a process of its own, killed on drop.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(address: &str, saves: &Path) -> Self {
        let mut command = loadgen();
        command.args(["serve", "--log", "error", "--protocol", "hardened", "--listen", address, "--saves"]).arg(saves);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints");
        let address = line.trim().rsplit_once("http://").expect("where it listens").1.to_owned();
        Self { process, address }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has exited already, nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Documents of others: so few keys are free that an ended session's key soon has a new owner.
const DOCUMENTS: usize = 46_000;

/// A folder that is almost full until the filler is dropped.
fn almost_full() -> (tempfile::TempDir, Filler) {
    let saves = saves_folder();
    let folder = SavesFolder::open(saves.path()).expect("it is there");
    let mut filler = Filler::new(folder, 1, Fill::Links);
    assert_eq!(filler.fill_to(DOCUMENTS).expect("it can be filled"), DOCUMENTS);
    (saves, filler)
}

/// Returns once sessions come and go in the folder that was almost full.
async fn until_under_way(run: &mut Child, saves: &Path) {
    // The server's own lock files are hidden.
    while names(saves).iter().filter(|name| !name.starts_with('.')).count() < DOCUMENTS + 50 {
        assert!(
            run.try_wait().expect("it can be asked").is_none(),
            "it ended before anything could happen to the server"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

fn load_on_reference(address: &str, arguments: &[&str], out: &Path) -> Child {
    let url = format!("http://{address}");
    let load = ["--target", &url, "--yes", "--scenario", "churn", "--users", "200", "--duration", "4s"];
    started(&mut run_command(&[&load, arguments].concat(), out))
}

#[tokio::test]
async fn a_server_that_is_stopped_for_a_moment_is_accused_of_nothing() {
    let ((saves, _filler), out) = (almost_full(), tempfile::tempdir().expect("a folder"));
    let server = Server::start("127.0.0.1:0", saves.path());
    let mut run = load_on_reference(&server.address, &["--patience", "300ms"], out.path());
    until_under_way(&mut run, saves.path()).await;
    for _ in 0..3 {
        server.signal(Signal::STOP);
        sleep(Duration::from_millis(600)).await;
        server.signal(Signal::CONT);
        sleep(Duration::from_millis(400)).await;
    }
    let loaded = finish(run, out.path());
    loaded.accuses_nobody("stopped");
    assert!(loaded.report.total.error_count() > 0, "it was stopped before or after: {}", loaded.said);
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_is_accused_of_nothing() {
    let ((saves, _filler), out) = (almost_full(), tempfile::tempdir().expect("a folder"));
    let server = Server::start("127.0.0.1:0", saves.path());
    let mut run = load_on_reference(&server.address, &[], out.path());
    until_under_way(&mut run, saves.path()).await;
    let address = server.address.clone();
    drop(server);
    let server = Server::start(&address, saves.path());
    let loaded = finish(run, out.path());
    loaded.accuses_nobody("killed and started again");
    assert!(loaded.report.total.error_count() > 0, "it was killed before or after: {}", loaded.said);
    drop(server);
}
