//! The harness as its users run it: the binary, its exit code, what it prints, and the report it writes.

use record::claims::Report;
use record::claims::Verdict;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A finished run of `loadgen verify`.
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// `claims.json`, where it was written.
    pub(crate) report: Option<Report>,
}

impl Run {
    /// The verdict on a claim, and its summary, of the first target.
    pub(crate) fn verdict(&self, id: &str) -> (Verdict, String) {
        let report = self.report.as_ref().unwrap_or_else(|| panic!("no report: {}", self.stderr));
        let claim = report.targets[0].claims.iter().find(|claim| claim.id == id);
        let claim = claim.unwrap_or_else(|| panic!("{id} was not tried: {}", self.stderr));
        (claim.verdict, claim.summary.clone())
    }
}

/// The harness's binary, with no terminal to draw on.
pub(crate) fn loadgen() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.stdin(Stdio::null());
    command
}

/// A folder for a server's documents: in memory where that can be had, as the embedded servers' folders are.
pub(crate) fn saves_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// Runs `loadgen verify` with these arguments.
pub(crate) fn verify(arguments: &[&str]) -> Run {
    run(loadgen().arg("verify").args(arguments))
}

/// Runs `loadgen verify` with a folder for its temporary ones.
pub(crate) fn verify_in(temp: &Path, arguments: &[&str]) -> Run {
    run(loadgen().arg("verify").args(arguments).env("TMPDIR", temp))
}

fn run(command: &mut Command) -> Run {
    let out = tempfile::tempdir().expect("a folder");
    let output = command.arg("--out").arg(out.path()).output().expect("it runs");
    finished(&output, out.path())
}

/// Runs `loadgen verify --quick` on a server with its saves folder.
pub(crate) fn verify_target(url: &str, saves: &Path, arguments: &[&str]) -> Run {
    let saves = saves.to_str().expect("a path in UTF-8");
    verify(&[&["--target", url, "--saves", saves, "--quick"], arguments].concat())
}

/// Starts the binary, to be interrupted. What it prints is kept.
pub(crate) fn started(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// Sends a run a signal as soon as it is time for that.
pub(crate) fn interrupt(run: &mut Child, signal: Signal, is_time: impl Fn() -> bool) {
    while !is_time() {
        assert!(run.try_wait().expect("it can be asked").is_none(), "it ended before it was interrupted");
    }
    kill_process(Pid::from_child(run), signal).expect("it runs");
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What a run left.
pub(crate) fn finished(output: &Output, out: &Path) -> Run {
    let report = std::fs::read_to_string(out.join("claims.json")).ok();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        report: report.map(|json| serde_json::from_str(&json).expect("the report can be read")),
    }
}
