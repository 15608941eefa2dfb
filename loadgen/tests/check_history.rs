//! `loadgen check-history` as its users run it.

mod support;

use std::path::Path;
use support::harness::loadgen;

/// Exit code, and what was printed.
fn check(format: &str, files: &[&Path], out: &Path) -> (i32, String) {
    let output =
        loadgen().args(["check-history", "--format", format, "--out"]).arg(out).args(files).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

fn file(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path
}

/// A register's log; the last read is of what was overwritten before it began.
const STALE: &str = "INFO  jepsen.util - 0 :invoke :write 1\nINFO  jepsen.util - 0 :ok :write 1\n\
                     INFO  jepsen.util - 0 :invoke :write 2\nINFO  jepsen.util - 0 :ok :write 2\n\
                     something else\n\
                     INFO  jepsen.util - 1 :invoke :read nil\nINFO  jepsen.util - 1 :ok :read 1\n";

const APPENDED: &str = "{:process 0, :type :invoke, :f :append, :key \"k\", :value \"x\"}\n\
                        {:process 0, :type :ok, :f :append, :key \"k\", :value \"x\"}\n\
                        {:process 1, :type :invoke, :f :get, :key \"k\", :value nil}\n\
                        {:process 1, :type :ok, :f :get, :key \"k\", :value \"x\"}\n";

#[test]
fn a_history_is_told_to_be_linearizable_or_not_with_the_piece_that_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let stale = file(folder.path(), "stale.log", STALE);
    let (code, said) = check("jepsen-register", &[&stale], &folder.path().join("pictures"));
    assert_eq!(code, 1, "{said}");
    for part in ["stale.log: NOT linearizable (3 operations", "read → 1", "✗", "stale.html"] {
        assert!(said.contains(part), "{part:?} is missing from\n{said}");
    }
    let page = std::fs::read_to_string(folder.path().join("pictures/stale.html")).expect("a picture");
    assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("://"), "it needs nothing from elsewhere");
    let fine = file(folder.path(), "fine.txt", APPENDED);
    let (code, said) = check("kv", &[&fine], &folder.path().join("none"));
    assert!(code == 0 && said.contains("fine.txt: linearizable (2 operations"), "{said}");
    assert!(!folder.path().join("none").exists(), "nothing is wrong, so nothing is drawn");
}

#[test]
fn of_several_histories_each_is_told_and_one_that_is_wrong_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = file(
        folder.path(),
        "wrong.txt",
        &APPENDED.replace(":get, :key \"k\", :value \"x\"", ":get, :key \"k\", :value \"y\""),
    );
    let fine = file(folder.path(), "fine.txt", APPENDED);
    let (code, said) = check("kv", &[&fine, &wrong], folder.path());
    assert!(code == 1 && said.contains("1 linearizable, 1 not, 0 undecided"), "{said}");
}

#[test]
fn a_file_that_is_no_history_is_an_error_that_names_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = file(folder.path(), "cut.txt", &APPENDED[..100]);
    let (code, said) = check("kv", &[&cut], folder.path());
    assert!(code == 2 && said.contains("cut.txt") && said.contains("line 2"), "{said}");
    let binary = folder.path().join("binary");
    std::fs::write(&binary, [0xff, 0xfe, 0]).expect("writes");
    for format in ["kv", "jepsen-register", "claimcheck"] {
        let (code, said) = check(format, &[&binary], folder.path());
        assert!(code == 2 && said.contains("binary"), "{format}: {said}");
    }
}

/// Many writes at once that nobody waited for, and reads that no order explains: that cannot be found out without memory.
#[test]
fn what_cannot_be_decided_within_the_limits_is_undecided() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |process: u32, what: String| format!("INFO  jepsen.util - {process} {what}\n");
    let mut log: String = (0..40).map(|value| line(value, format!(":invoke :write {value}"))).collect();
    for read in 0..400 {
        log += &line(99, ":invoke :read nil".to_owned());
        log += &line(99, format!(":ok :read {}", read * 7 % 40));
    }
    let hard = file(folder.path(), "hard.log", &log);
    let output = loadgen()
        .args(["check-history", "--format", "jepsen-register", "--memory", "0", "--out"])
        .args([folder.path(), &hard])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(3) && said.contains("undecided") && said.contains("memory"), "{said}");
}
