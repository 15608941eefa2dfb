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

/// Regression: a log passes over what it does not know, so anything without an operation was "linearizable (0 operations)".
#[test]
fn a_file_without_an_operation_of_its_format_is_an_error_that_names_line_and_what_was_expected() {
    let folder = tempfile::tempdir().expect("a folder");
    let nemesis = "[{:process :nemesis, :type :info, :f :start, :value nil}]\n";
    let header = "{\"schema\":\"claimcheck.history/1\",\"seed\":1,\"warm_up_us\":0}\n";
    let compressed = |text: &str| zstd::encode_all(text.as_bytes(), 0).expect("compresses");
    let contents: [(&str, Vec<u8>); 12] = [
        ("empty", Vec::new()),
        ("blank", b"\n \n".to_vec()),
        ("prose", b"\nDear reader,\nthere is no history here.\n".to_vec()),
        ("markdown", b"# A heading\n\n- a list\n".to_vec()),
        ("other.log", b"INFO  jepsen.core - Running test\nINFO  jepsen.core - Everything looks good!\n".to_vec()),
        ("list.edn", b"[\n]\n".to_vec()),
        ("nemesis.edn", nemesis.into()),
        ("history.jsonl", header.into()),
        ("header.zst", compressed(header)),
        ("nothing.zst", compressed("")),
        ("prose.zst", compressed("Dear reader,\n")),
        ("latin1", b"INFO  jepsen.util - 0 :invoke :write 1\ncaf\xe9\n".to_vec()),
    ];
    for (name, content) in contents {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("writes");
        for format in ["kv", "jepsen-register", "claimcheck"] {
            let (code, said) = check(format, &[&path], folder.path());
            assert_eq!(code, 2, "{format}: {said}");
            for part in [name, "line ", "expected "] {
                assert!(said.contains(part), "{format} on {name}: {part:?} is missing from {said}");
            }
        }
    }
    for (format, other) in
        [("kv", STALE), ("jepsen-register", APPENDED), ("claimcheck", STALE), ("claimcheck", APPENDED)]
    {
        let (code, said) = check(format, &[&file(folder.path(), "other", other)], folder.path());
        assert!(code == 2 && said.contains("line 1") && said.contains("expected "), "{format}: {said}");
    }
}

/// What did not happen needs no place in an order, but the file is a history.
#[test]
fn a_history_of_operations_that_all_failed_is_linearizable() {
    let folder = tempfile::tempdir().expect("a folder");
    let failed = "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :fail, :f :write, :value 1}\n";
    let (code, said) = check("jepsen-register", &[&file(folder.path(), "failed.edn", failed)], folder.path());
    assert!(code == 0 && said.contains("linearizable (0 operations"), "{said}");
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
