//! Locks that another process holds: here the test's own process, with locks of its own on the server's files.

mod support;

use serde_json::json;
use std::fs::File;
use support::{PROTOCOLS, Server, assert_granted, assert_refused, assert_says, document, eventually};

/// Saves that wait at once: more than a server has threads to run requests on.
const WAITING_SAVES: usize = 20;

/// Every lock that a save of AAA may need, held until dropped.
fn hold_locks(server: &Server, protocol: &str) -> Vec<File> {
    let names = match protocol {
        "documented" => vec!["AAA.json".to_owned()],
        _ => (0..64).map(|n| format!(".lock-{n:02}")).collect(),
    };
    let hold = |name: String| {
        let options = File::options().read(true).append(true).create(true).open(server.file(&name));
        let file = options.expect("opens");
        fs2::FileExt::try_lock_exclusive(&file).expect("nobody else holds it");
        file
    };
    names.into_iter().map(hold).collect()
}

/// Sends a save of AAA, which the server has accepted when this returns.
fn begin_save(server: &Server, state: &str) -> support::Connection {
    let body = document("AAA", state);
    let mut connection = server.connect();
    connection.begin_post("/api/save", &body);
    connection.send_bytes(body.as_bytes());
    connection
}

#[test]
fn a_lock_held_by_another_process_is_answered_within_the_deadline() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--lock-wait", "300ms"]);
        assert_says(&server.post("save", &document("AAA", "[1]")), "");
        let held = hold_locks(&server, protocol);
        let saves: Vec<_> = (0..WAITING_SAVES).map(|_| begin_save(&server, "[2]")).collect();
        for mut save in saves {
            assert_refused(&save.receive(), 500, "Failed to acquire file lock");
        }
        assert_refused(&server.post("instantiate", &document("AAA", "{}")), 500, "Failed to acquire file lock");
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([1]), "what failed changed nothing");

        drop(held);
        // The deadline may pass once more before the kernel has handed the lock on.
        eventually("a save gets the lock again", || {
            (server.post("save", &document("AAA", "[3]")).status == 200).then_some(())
        });
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([3]));
    }
}

#[test]
fn saves_that_wait_for_a_lock_block_nobody_else_and_all_get_it_in_the_end() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--lock-wait", "forever"]);
        assert_says(&server.post("save", &document("AAA", "[]")), "");
        let held = hold_locks(&server, protocol);
        let saves: Vec<_> = (0..WAITING_SAVES).map(|n| begin_save(&server, &n.to_string())).collect();

        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        assert_granted(&server.get("health"));
                        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([]));
                        assert_refused(&server.restore("BBB"), 404, "No saved data found");
                        assert_granted(&server.get("list"));
                    }
                });
            }
        });

        drop(held);
        for mut save in saves {
            assert_says(&save.receive(), "");
        }
    }
}

#[test]
fn a_lock_on_one_document_holds_up_no_save_of_another() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--lock-wait", "forever"]);
        let mut held = hold_locks(&server, protocol);
        // AAA is the first key of all: its lock is the first.
        held.truncate(1);
        let mut save = begin_save(&server, "[]");
        for key in ["AAB", "BBB", "999"] {
            assert_says(&server.post("save", &document(key, "[]")), "");
        }
        drop(held);
        assert_says(&save.receive(), "");
    }
}

#[test]
fn a_client_that_leaves_while_its_save_waits_leaves_no_lock_behind() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--lock-wait", "forever"]);
        let held = hold_locks(&server, protocol);
        drop((0..WAITING_SAVES).map(|_| begin_save(&server, "[1]")).collect::<Vec<_>>());
        eventually("the server has noticed", || (server.counted("claimcheck_connections") == 1).then_some(()));
        drop(held);
        assert_says(&server.post("save", &document("AAA", "[2]")), "");
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([2]));
    }
}
