//! What the tests share: a real server process for each of them, a client that sends exactly what it is told to, and
//! waiting for what is meant instead of for a time.
#![allow(dead_code, reason = "each test file is a program of its own, and uses a part of this")]

mod client;
pub(crate) mod history;
mod process;
pub(crate) mod search;
pub(crate) mod user;

pub(crate) use client::{Answer, Connection};
pub(crate) use process::Server;

use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Names of the protocols, as `--protocol` takes them.
pub(crate) const PROTOCOLS: [&str; 2] = ["documented", "hardened"];

/// The operations of the wire contract.
pub(crate) const OPERATIONS: [&str; 7] = ["generate-key", "instantiate", "save", "restore", "delete", "list", "health"];

/// How long anything is waited for. No test depends on it to pass: only a server that hangs gets there. It is less than
/// the 30 s for which a server waits for a body, so that one that waits where it should not is found out.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Pause between two looks; what is waited for mostly takes less.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks again and again until there is something to see.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(since.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::park_timeout(PAUSE);
    }
}

/// A folder for documents: in memory where that can be had, as thousands of files come and go; `TMPDIR` puts it elsewhere.
pub(crate) fn saves_folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none()
        && let Ok(folder) = tempfile::tempdir_in(in_memory)
    {
        return folder;
    }
    tempfile::tempdir().expect("a folder")
}

/// The body of an instantiate or save that is valid and carries this state.
pub(crate) fn document(key: &str, state: &str) -> String {
    format!(r#"{{"sessionKey":"{key}","typeSlug":"word","state":{state}}}"#)
}

/// The body of a valid save that carries this metadata.
pub(crate) fn with_metadata(key: &str, metadata: &str) -> String {
    format!(r#"{{"sessionKey":"{key}","typeSlug":"word","metadata":{metadata},"state":{{}}}}"#)
}

/// Asserts that an answer is the error envelope with this status and message, and nothing more.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.message()), (status, message.to_owned()), "{answer:?}");
    assert_eq!(fields(&answer.json()), ["message", "success", "timestamp"], "{answer:?}");
    assert_envelope(answer, false);
}

/// Asserts that an answer is the success envelope, and nothing more; answers its data.
#[track_caller]
pub(crate) fn assert_granted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(fields(&answer.json()), ["data", "success", "timestamp"], "{answer:?}");
    assert_envelope(answer, true);
    answer.json()["data"].clone()
}

/// Asserts success with a message.
#[track_caller]
pub(crate) fn assert_says(answer: &Answer, message: &str) {
    assert_eq!(assert_granted(answer), serde_json::json!({ "message": message }));
}

#[track_caller]
fn assert_envelope(answer: &Answer, success: bool) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert_eq!(answer.json()["success"], success, "{answer:?}");
    // Seconds: from 2020 on, and far too few to be milliseconds.
    let seconds = answer.json()["timestamp"].as_u64();
    assert!(seconds.is_some_and(|s| (1_577_836_800..100_000_000_000).contains(&s)), "{answer:?}");
}

/// Names of an object's fields, sorted.
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}
