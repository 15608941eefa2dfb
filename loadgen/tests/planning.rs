//! `measure` and `plan` as their users run them.

mod support;

use loadgen::measure::file::Measurements;
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::harness::{loadgen, saves_folder};
use support::liar;
use tempfile::TempDir;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Interrupts a command that measures a target with its saves folder, when it fills that; answers what it left.
fn interrupted(command: &[&str]) -> TempDir {
    let (saves, out) = (saves_folder(), tempfile::tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let mut run = loadgen()
        .args(command)
        .args(["--quick", "--seed", "7", "--target", &server.url, "--saves"])
        .arg(saves.path())
        .arg("--out")
        .arg(out.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // Between two fills, of 1,000 and 10,000: a request for a key that is called off leaves its reservation with nobody.
    while names(saves.path()).len() < 1_500 {
        assert!(run.try_wait().expect("it can be asked").is_none(), "it ended before it was interrupted");
    }
    kill_process(Pid::from_child(&run), Signal::INT).expect("it runs");
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(names(saves.path()).is_empty(), "the folder is as it was");
    out
}

#[test]
fn ctrl_c_while_a_target_is_measured_leaves_its_folder_as_it_was_and_what_was_measured() {
    for command in [&["measure"][..], &["verify", "--only", "S3", "--measure"]] {
        let out = interrupted(command);
        let measurements = Measurements::read(out.path()).expect("a file");
        assert!(measurements.partial && measurements.seed == 7 && measurements.targets.len() == 1);
        let page = std::fs::read_to_string(out.path().join("report.html")).expect("a page");
        assert_eq!(page.contains("one instantiate creates"), command[0] == "verify", "its verdict is told, too");
    }
}

/// Runs `plan` on the reference measurements; answers the exit code, standard output and standard error.
fn plan(arguments: &[&str]) -> (i32, String, String) {
    let measured = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/reference");
    let question = ["--sessions", "10000", "--users", "100", "--session-life", "30d"];
    let output = loadgen().arg("plan").arg("--measured").arg(measured).args(question).args(arguments).output();
    let output = output.expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_plan_is_answered_from_the_reference_measurements() {
    let (code, said, errors) =
        plan(&["--objective", "generate-key p99 < 10ms, shared-session risk < 1e-6 a day", "--simulate"]);
    assert_eq!(code, 0, "{errors}");
    assert!(said.contains("on the hardened protocol keep every objective"), "{said}");
    for basis in ["measured", "fitted", "closed form", "assumed", "simulated"] {
        assert!(said.contains(basis), "{basis}: {said}");
    }
    let (code, said, _) = plan(&["--objective", "guesses > 2^60", "--protocol", "documented"]);
    assert_eq!(code, 1, "no key of up to twelve characters: {said}");
}

#[test]
fn what_was_never_measured_is_refused_by_name() {
    let (code, _, errors) = plan(&["--objective", "503 < 1%", "--protocol", "target"]);
    assert!(code == 2 && errors.contains("target was not measured"), "{code}: {errors}");
    let (code, _, errors) = plan(&["--objective", "save p42 < 1ms"]);
    assert!(code == 2 && errors.contains("p42"), "{code}: {errors}");
    let nothing = tempfile::tempdir().expect("a folder");
    let question = ["--sessions", "10", "--users", "1", "--session-life", "1d", "--objective", "503 < 1%"];
    let output = loadgen().arg("plan").arg("--measured").arg(nothing.path()).args(question).output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && errors.contains("loadgen measure"), "{errors}");
}
