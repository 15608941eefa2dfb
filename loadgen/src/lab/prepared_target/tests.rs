use super::*;
use anyhow::bail;
use engine::client::ledger::Ownership;
use std::cell::RefCell;

const SETTINGS: Settings = Settings { users: 2, seed: 1, effort: Effort::Quick, uses_folder: true };

/// A target that is gone, with a document of ours under a key: no clean-up can remove it.
fn gone(key: &str) -> PreparedTarget {
    let target = Target::new("http://127.0.0.1:1", "/api/{op}").expect("a target");
    let lab = SETTINGS.lab(target, None);
    lab.ledger.own(key, Ownership::Written);
    PreparedTarget { lab: Arc::new(lab), server: None }
}

/// Leaves two targets; returns whether there is a report at the end, and the keys that it was written with.
async fn left(report: anyhow::Result<()>, is_writable: bool) -> (anyhow::Result<()>, Vec<Vec<String>>) {
    let written: RefCell<Vec<Vec<String>>> = RefCell::default();
    let keep = |(): &mut (), left: Vec<LeftBehind>| {
        written.borrow_mut().push(left.into_iter().flat_map(|left| left.keys).collect());
        if is_writable { Ok(()) } else { bail!("the disk is full") }
    };
    let targets = vec![gone("A4K"), gone("B4K")];
    let report = leave_all(targets, report, keep, Path::new("/nowhere"), &CancellationToken::new()).await;
    (report, written.take())
}

#[tokio::test]
async fn a_report_lists_what_may_be_left_on_each_target_before_the_clean_up_and_after_it() {
    let (report, written) = left(Ok(()), true).await;
    report.expect("it is written");
    assert_eq!(written, [["A4K", "B4K"], ["A4K", "B4K"]]);
}

#[tokio::test]
async fn a_report_that_is_missing_or_cannot_be_written_is_the_error_and_is_not_written_again() {
    let (report, written) = left(Err(anyhow::anyhow!("the load failed")), true).await;
    assert_eq!((report.expect_err("there is none").to_string(), written.len()), ("the load failed".to_owned(), 0));
    let (report, written) = left(Ok(()), false).await;
    assert_eq!((report.expect_err("not written").to_string(), written.len()), ("the disk is full".to_owned(), 1));
}

#[tokio::test]
async fn a_command_without_a_list_of_what_may_be_left_fails_over_it() {
    let stop = CancellationToken::new();
    let error = gone("A4K").leave_or_fail(&stop).await.expect_err("A4K may be left");
    assert_eq!(error.to_string(), "not everything could be removed from http://127.0.0.1:1/");
    let untouched = gone("A4K");
    untouched.lab.ledger.disown(&["A4K".to_owned()]);
    untouched.leave_or_fail(&stop).await.expect("nothing is left");
}

/// A program that says where it listens, though it does not, and logs its arguments.
fn silent(log: &Path) -> Launcher {
    let script = "echo $0 $* >&2; echo listening on http://127.0.0.1:1; exec sleep 1000";
    Launcher::of_program("/bin/sh".into(), vec!["-c".to_owned(), script.to_owned()], log.to_owned())
}

#[tokio::test]
async fn a_server_that_fails_the_preflight_is_gone_with_its_folder() {
    let log = tempfile::NamedTempFile::new().expect("a log");
    let error = PreparedTarget::start(&silent(log.path()), SETTINGS).await.err().expect("it cannot be reached");
    assert!(error.to_string().starts_with("cannot reach http://127.0.0.1:1/"), "{error:#}");
    let logged = std::fs::read_to_string(log.path()).expect("reads");
    let folder = logged.trim_end().rsplit(' ').next().expect("its arguments");
    assert!(logged.contains("--saves /") && !Path::new(folder).exists(), "{logged}");
}

#[tokio::test]
async fn an_embedded_server_leaves_nothing_behind() {
    let log = tempfile::NamedTempFile::new().expect("a log");
    let server = Embedded::start(&silent(log.path())).await.expect("it says that it listens");
    let folder = server.saves().to_owned();
    let target = PreparedTarget { server: Some(server), ..gone("A4K") };
    assert!(target.may_be_left().keys.is_empty());
    let left = target.leave(&CancellationToken::new()).await.expect("it is stopped");
    assert!(left.keys.is_empty() && !folder.exists());
}
