//! `loadgen … | head -1`: the reader of a command's output may go away at any moment. Commands used to panic then, and left
//! their documents on the target.

mod support;

use std::io::pipe;
use std::path::Path;
use std::process::{Command, Stdio};
use support::harness::{loadgen, names, saves_folder};
use support::liar;

/// The exit code of a panic.
const PANIC: i32 = 101;

/// The exit code of a command that prints into a pipe that nobody reads.
fn code_unread(command: &mut Command) -> Option<i32> {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let errors = writer.try_clone().expect("a pipe");
    command.stdin(Stdio::null()).stdout(writer).stderr(errors).status().expect("it runs").code()
}

/// A command that prints into a pipe that nobody reads comes to its own end, with one of these exit codes.
#[track_caller]
fn ends(arguments: &[&str], codes: &[i32]) {
    let code = code_unread(loadgen().args(arguments));
    assert!(code.is_some_and(|code| codes.contains(&code)), "{arguments:?}: {code:?}");
}

#[test]
fn no_command_panics_when_nobody_reads_what_it_prints() {
    let saves = saves_folder();
    let folder = saves.path().to_str().expect("UTF-8");
    let server = liar::spawn(None, saves.path());
    let out = tempfile::tempdir().expect("a folder");
    let path = |name: &str| out.path().join(name).to_str().expect("UTF-8").to_owned();
    let (run, other) = (path("run"), path("other"));
    let load = ["run", "--target", &server.url, "--users", "2", "--duration", "1s", "--warm-up", "0s", "--no-ceiling"];
    for folder in [&run, &other] {
        // 3: the machine was too busy for its figures to count.
        ends(&[&load[..], &["--out", folder]].concat(), &[0, 3]);
        assert!(Path::new(folder).join("run.json").exists(), "its files are what a run leaves");
    }
    assert!(names(saves.path()).is_empty(), "its documents are gone");
    ends(&["verify", "--target", &server.url, "--quick", "--only", "R5", "--out", &path("verify")], &[0]);
    ends(&["report", &run], &[0]);
    ends(&["check-history", "--format", "claimcheck", &run], &[0]);
    ends(&["compare", &run, &other, "--out", &path("compare")], &[0]);
    ends(&["saves", "fill", "--saves", folder, "--to", "3"], &[0]);
    ends(&["saves", "count", "--saves", folder], &[0]);
    ends(&["saves", "audit", "--saves", folder], &[0]);
    ends(&["plan"], &[2]);
    ends(&["gate", &run], &[2]);
    ends(&["measure", "--target", "http://127.0.0.1:1"], &[2]);
    ends(&["serve", "--listen", "127.0.0.1:0", "--saves", folder, "--until-stdin-closes"], &[0]);
    ends(&["serve", "--listen", "nowhere"], &[2]);
    for command in ["verify", "run", "measure", "plan", "report", "compare", "gate", "check-history", "saves", "serve"]
    {
        assert_ne!(code_unread(loadgen().args([command, "--help"])), Some(PANIC), "{command}");
    }
}
