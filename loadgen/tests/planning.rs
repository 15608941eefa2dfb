//! `measure` and `plan` as their users run them.

mod support;

use record::measurements::Measurements;
use rustix::process::Signal;
use std::path::PathBuf;
use support::harness::{interrupt, loadgen, names, saves_folder, started};
use support::liar;
use tempfile::TempDir;

/// Interrupts a command that measures a target with its saves folder, when it fills that; answers what it left.
fn interrupted(arguments: &[&str]) -> TempDir {
    let (saves, out) = (saves_folder(), tempfile::tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let mut command = loadgen();
    command.args(arguments).args(["--quick", "--seed", "7", "--target", &server.url, "--saves"]).arg(saves.path());
    let mut run = started(command.arg("--out").arg(out.path()));
    interrupt(&mut run, Signal::INT, || names(saves.path()).len() >= 1_000);
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
