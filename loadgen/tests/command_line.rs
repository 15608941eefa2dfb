//! What users type, and what they get for it.

mod support;

use record::claims::Verdict;
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::path::Path;
use support::harness::{finished, interrupt, loadgen, names, saves_folder, started, verify, verify_in, verify_target};
use support::liar;

#[test]
fn wrong_usage_names_the_flag_what_was_given_and_what_is_taken() {
    let table: [(&[&str], &[&str]); 20] = [
        (&["verify", "--only", "S99"], &["--only", "S99", "K1, K2"]),
        (&["verify", "--users", "1"], &["--users", "1", "2..=10000"]),
        (&["verify", "--protocol", "fast"], &["--protocol", "fast", "documented, hardened, both"]),
        (&["verify", "--quick", "--full"], &["--quick", "--full"]),
        (&["verify", "--saves", "x"], &["--target"]),
        (&["verify", "--target", "localhost"], &["--target", "localhost", "http://"]),
        (&["verify", "--target", "http://127.0.0.1:1", "--path-template", "/api"], &["/api", "{op}"]),
        (&["verify", "--target", "http://127.0.0.1:1", "--saves", "/nowhere"], &["--saves", "/nowhere"]),
        (&["verify", "--target", "http://127.0.0.1:1/?token=1"], &["--target", "query", "path template"]),
        (&["run", "--target", "http://127.0.0.1:1/#top"], &["--target", "fragment"]),
        (&["run", "--rate", "nan"], &["--rate", "nan", "above 0"]),
        (&["run", "--rate", "inf"], &["--rate", "inf", "above 0"]),
        (&["run", "--rate=-1"], &["--rate", "-1", "above 0"]),
        (&["run", "--rate", "0"], &["--rate", "0", "above 0"]),
        (&["run", "--stage", "hold:1s:nan"], &["--stage", "nan", "0 or more"]),
        (&["run", "--objective", "goodput > nan"], &["--objective", "nan", "no rate"]),
        (&["plan", "--growth", "nan"], &["--growth", "nan", "2x"]),
        (&["plan", "--max-extrapolation", "inf"], &["--max-extrapolation", "inf", "2x"]),
        (&["plan", "--disk", "nanGB"], &["--disk", "nanGB", "20GB"]),
        (&["saves", "fill", "--to", "46657"], &["--to", "46657", "46656"]),
    ];
    for (arguments, parts) in table {
        let output = loadgen().args(arguments).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: {part:?} is missing from {said}");
        }
    }
}

/// Regression: whatever named the target named its password with it.
#[test]
fn a_password_is_neither_printed_nor_stored() {
    let [lies, honest] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
    let liar = liar::spawn(Some(liar::Lie::NoReservation), lies.path());
    let server = liar::spawn(None, honest.path());
    let secret = |url: &str| url.replace("://", "://someone:s3cr%3Ft@");
    let (refuted, target, gone) = (secret(&liar.url), secret(&server.url), secret("http://127.0.0.1:1"));
    let (query, bare, upper) = (format!("{gone}/?q"), &gone["http://".len()..], gone.replace("http", "HTTP"));
    let accepted: [&[&str]; 4] = [
        &["verify", "--quick", "--only", "K7", "--target", &refuted],
        &["verify", "--quick", "--only", "S9", "--target", &target, "--target", &target],
        &["run", "--users", "2", "--duration", "1s", "--no-ceiling", "--target", &target],
        &["compare", "--duration", "1s", "--users", "1", &target, &server.url],
    ];
    let refused: [&[&str]; 9] = [
        &["verify", "--target", &gone],
        &["run", "--target", &query],
        &["run", "--target", bare],
        &["run", &target],
        &["run", "--rate", &target],
        &["compare", &gone, "hardened"],
        &["compare", &upper, "hardened"],
        &["report", &target],
        &["check-history", "--format", "kv", &target],
    ];
    for arguments in accepted.into_iter().chain(refused) {
        let out = tempfile::tempdir().expect("a folder");
        let mut command = loadgen();
        command.args(arguments);
        if arguments[0] != "report" {
            command.arg("--out").arg(out.path());
        }
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code() == Some(2), refused.contains(&arguments), "{arguments:?}: {said}");
        let files = names(out.path()).into_iter().map(|name| {
            let bytes = std::fs::read(out.path().join(&name)).expect("a file of the run");
            (name, String::from_utf8_lossy(&bytes).into_owned())
        });
        for (name, text) in files.chain([("the terminal".to_owned(), said)]) {
            let is_there = ["s3cr", "someone"].iter().any(|part| text.contains(part));
            assert!(!is_there, "{arguments:?}: the password is in {name}: {text}");
        }
    }
}

/// What a server gets from `http://user:password@host`.
#[test]
fn a_password_is_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let target = format!("http://someone:s3cr%3Ft@{}", listener.local_addr().expect("it listens"));
    let out = tempfile::tempdir().expect("a folder");
    let run = started(loadgen().args(["verify", "--target", &target, "--out"]).arg(out.path()));
    let (stream, _) = listener.accept().expect("it connects");
    let head = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let sent: Vec<String> = head.filter(|line| line.to_ascii_lowercase().starts_with("authorization")).collect();
    assert_eq!(sent, ["authorization: Basic c29tZW9uZTpzM2NyP3Q="]);
    drop(listener);
    assert_eq!(run.wait_with_output().expect("it ends").status.code(), Some(2));
}

#[test]
fn both_protocols_are_told_apart_by_looking() {
    let run = verify(&["--quick", "--only", "K7,S1,S4"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = run.report.expect("a report");
    let verdicts =
        |target: usize| -> Vec<Verdict> { report.targets[target].claims.iter().map(|claim| claim.verdict).collect() };
    assert_eq!(verdicts(0), [Verdict::Refuted, Verdict::Holds, Verdict::Refuted], "K7, S1, S4 on documented");
    assert_eq!(verdicts(1), [Verdict::Holds; 3], "K7, S1, S4 on hardened");
    assert!(run.stdout.contains("refuted (known)") && run.stdout.contains("All as expected"), "{}", run.stdout);
}

#[test]
fn what_failures_of_the_disk_the_server_and_the_power_leave_is_told_by_looking() {
    let temp = saves_folder();
    let run = verify_in(temp.path(), &["--quick", "--only", "R1,R2,R3,R4"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stderr, run.stdout);
    let report = run.report.expect("a report");
    let verdicts =
        |target: usize| -> Vec<Verdict> { report.targets[target].claims.iter().map(|claim| claim.verdict).collect() };
    assert_eq!(verdicts(0), [Verdict::Refuted, Verdict::Refuted, Verdict::Refuted, Verdict::Holds], "on documented");
    assert_eq!(verdicts(1), [Verdict::Holds; 4], "on hardened");
    assert!(names(temp.path()).is_empty(), "the temporary folders are gone");
    assert_eq!(processes_with(temp.path()), 0, "the servers are gone");
}

#[test]
fn other_disks_other_processes_cut_connections_and_archiving_are_told_by_looking() {
    let temp = saves_folder();
    let run = verify_in(temp.path(), &["--only", "S8,S9,R6,O4,O5"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stderr, run.stdout);
    let report = run.report.expect("a report");
    let verdicts =
        |target: usize| -> Vec<Verdict> { report.targets[target].claims.iter().map(|claim| claim.verdict).collect() };
    let [holds, refuted] = [Verdict::Holds, Verdict::Refuted];
    assert_eq!(verdicts(0), [holds, holds, holds, refuted, refuted], "on documented");
    assert_eq!(verdicts(1), [holds, holds, holds, holds, refuted], "on hardened");
    assert!(names(temp.path()).is_empty(), "the temporary folders are gone");
    assert_eq!(processes_with(temp.path()), 0, "the servers are gone");
}

#[test]
fn a_known_refutation_of_a_target_is_expected_and_an_unknown_one_fails() {
    let saves = tempfile::tempdir().expect("a folder");
    let server = liar::spawn(Some(liar::Lie::NoReservation), saves.path());
    let only = ["--only", "K7,S1"];
    assert_eq!(verify_target(&server.url, saves.path(), &only).code, 1);
    let known = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(known.path(), "K7 # no reservation\n").expect("writes");
    let path = known.path().to_str().expect("UTF-8");
    assert_eq!(verify_target(&server.url, saves.path(), &[&only[..], &["--expect", path]].concat()).code, 0);
    std::fs::write(known.path(), "K7\nS1\n").expect("writes");
    let run = verify_target(&server.url, saves.path(), &[&only[..], &["--expect", path]].concat());
    assert_eq!(run.code, 1, "a known refutation that is not found fails");
    assert!(run.stdout.contains("known to be refuted!"), "{}", run.stdout);
}

#[test]
fn a_target_in_use_is_left_alone_without_consent_and_its_documents_with_it() {
    let saves = tempfile::tempdir().expect("a folder");
    let document = r#"{"sessionKey":"A4K","typeSlug":"word","metadata":{},"state":{"theirs":true}}"#;
    std::fs::write(saves.path().join("A4K.json"), document).expect("writes");
    let server = liar::spawn(None, saves.path());
    let run = verify_target(&server.url, saves.path(), &["--only", "S1,S5,K1,O1"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("holds 1 documents") && run.stderr.contains("--yes"), "{}", run.stderr);
    let run = verify_target(&server.url, saves.path(), &["--only", "S1,S5,K1,O1", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (verdict, why) = run.verdict("K1");
    assert_eq!((verdict, why.contains("not empty")), (Verdict::Untestable, true), "{why}");
    assert_eq!(names(saves.path()), ["A4K.json"], "only theirs is left");
    assert_eq!(std::fs::read_to_string(saves.path().join("A4K.json")).expect("reads"), document);
}

#[test]
fn a_folder_that_is_not_the_targets_is_not_filled() {
    let (saves, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let run = verify_target(&server.url, other.path(), &["--only", "K1"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is not the saves folder"), "{}", run.stderr);
    assert!(names(saves.path()).is_empty() && names(other.path()).is_empty());
}

#[test]
fn ctrl_c_ends_a_run_cleanly() {
    let (temp, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut run = started(loadgen().args(["verify", "--quick", "--out"]).arg(out.path()).env("TMPDIR", temp.path()));
    let mut lines = BufReader::new(run.stderr.take().expect("standard error")).lines();
    let first = lines.next().expect("a first verdict").expect("text");
    assert!(names(temp.path()).len() >= 2, "two embedded servers have a folder each");
    interrupt(&mut run, Signal::INT, || true);
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = run.wait_with_output().expect("it ends");
    let finished = finished(&output, out.path());
    assert_eq!(finished.code, 3, "{first}\n{}", rest.join("\n"));
    let report = finished.report.expect("what was measured is reported");
    assert!(report.partial && !report.targets[0].claims.is_empty() && report.targets[1].claims.is_empty());
    assert!(finished.stdout.contains("The run was interrupted"), "{}", finished.stdout);
    assert!(names(temp.path()).is_empty(), "the temporary folders are gone");
    assert_eq!(processes_with(temp.path()), 0, "the embedded servers are gone");
}

#[test]
fn ctrl_c_while_a_server_is_killed_or_its_power_cut_leaves_no_server_and_no_folder() {
    for only in ["R2", "R3"] {
        let (temp, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let mut command = loadgen();
        command.args(["verify", "--full", "--protocol", "hardened", "--only", only, "--out"]).arg(out.path());
        let mut run = started(command.env("TMPDIR", temp.path()));
        // One server is the target; the other is the experiment's own.
        interrupt(&mut run, Signal::INT, || processes_with(temp.path()) >= 2);
        let finished = finished(&run.wait_with_output().expect("it ends"), out.path());
        assert_eq!(finished.code, 3, "{only}: {}", finished.stderr);
        assert!(names(temp.path()).is_empty(), "{only}: the temporary folders are gone");
        assert_eq!(processes_with(temp.path()), 0, "{only}: the servers are gone");
    }
}

#[test]
fn ctrl_c_on_a_target_cleans_its_documents_up() {
    let (saves, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let mut command = loadgen();
    command.args(["verify", "--quick", "--only", "R5,K3", "--target", &server.url, "--saves"]).arg(saves.path());
    let mut run = started(command.arg("--out").arg(out.path()));
    let mut lines = BufReader::new(run.stderr.take().expect("standard error")).lines();
    let _first = lines.next().expect("a first verdict").expect("text");
    // K3 fills the folder now.
    interrupt(&mut run, Signal::TERM, || names(saves.path()).len() >= 1_000);
    let _rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(finished(&output, out.path()).code, 3);
    assert!(names(saves.path()).is_empty(), "the folder is as it was");
}

/// A load runs on threads of its own: it must be broken off, and the keys that its users hold be given back.
#[test]
fn ctrl_c_during_a_load_ends_it_and_cleans_its_documents_up() {
    let (saves, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = liar::spawn(None, saves.path());
    let mut command = loadgen();
    command.args(["verify", "--only", "P1", "--users", "20", "--target", &server.url, "--out"]).arg(out.path());
    let mut run = started(&mut command);
    interrupt(&mut run, Signal::INT, || names(saves.path()).len() >= 10);
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(finished(&output, out.path()).code, 3);
    assert!(names(saves.path()).is_empty(), "the folder is as it was");
}

/// Processes that have a path in their command line.
fn processes_with(path: &Path) -> usize {
    let entries = std::fs::read_dir("/proc").expect("/proc can be read");
    let command_lines = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let wanted = path.to_string_lossy().into_owned();
    command_lines.filter(|line| String::from_utf8_lossy(line).contains(&wanted)).count()
}
