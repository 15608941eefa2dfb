//! How a server ends.

mod support;

use rustix::process::Signal;
use std::fs::File;
use support::{PROTOCOLS, Server, assert_granted, assert_says, document};

/// Holds the lock that a save of AAA needs, until dropped.
fn hold_lock(server: &Server, protocol: &str) -> File {
    let name = if protocol == "documented" { "AAA.json" } else { ".lock-00" };
    let file = File::options().append(true).create(true).open(server.file(name)).expect("opens");
    fs2::FileExt::try_lock_exclusive(&file).expect("nobody else holds it");
    file
}

#[test]
fn sigterm_and_sigint_end_it_with_status_0() {
    for protocol in PROTOCOLS {
        for signal in [Signal::TERM, Signal::INT] {
            let mut server = Server::new(protocol, &[]);
            assert_granted(&server.get("health"));
            server.signal(signal);
            assert_eq!(server.wait_until_it_ends().code(), Some(0), "{protocol} {signal:?}");
        }
    }
}

#[test]
fn from_the_moment_it_is_ready_a_signal_ends_it_properly() {
    // Its line on standard output is what a caller waits for, so the signal may come right after it. It once
    // killed the server, which began to listen for signals only when it waited for its first connection.
    for _ in 0..20 {
        let mut server = Server::new("hardened", &[]);
        server.signal(Signal::TERM);
        assert_eq!(server.wait_until_it_ends().code(), Some(0));
    }
}

#[test]
fn the_end_of_standard_input_ends_it_where_it_was_started_so() {
    for protocol in PROTOCOLS {
        let mut server = Server::new(protocol, &["--until-stdin-closes"]);
        assert_granted(&server.get("health"));
        server.close_stdin();
        assert_eq!(server.wait_until_it_ends().code(), Some(0));

        let mut server = Server::new(protocol, &[]);
        server.close_stdin();
        assert_granted(&server.get("health"));
    }
}

#[test]
fn a_save_that_waits_for_its_lock_is_still_answered() {
    for protocol in PROTOCOLS {
        let saves = tempfile::tempdir().expect("a folder");
        let mut server = Server::on(saves.path(), protocol, &["--lock-wait", "forever"]);
        let held = hold_lock(&server, protocol);
        let body = document("AAA", "[1]");
        let mut connection = server.connect();
        connection.begin_post("/api/save", &body);
        server.signal(Signal::TERM);
        server.wait_until_it_refuses();
        connection.send_bytes(body.as_bytes());
        drop(held);
        let answer = connection.receive();
        assert_says(&answer, "");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(connection.until_closed(), b"");
        assert_eq!(server.wait_until_it_ends().code(), Some(0));
        let stored = std::fs::read_to_string(saves.path().join("AAA.json")).expect("it was saved");
        assert!(stored.contains("[1]"), "{stored}");
    }
}

#[test]
fn idle_connections_are_closed() {
    for protocol in PROTOCOLS {
        let mut server = Server::new(protocol, &[]);
        let silent = server.connect();
        let mut kept = server.connect();
        kept.send("GET", "/api/health", "");
        assert_granted(&kept.receive());
        server.signal(Signal::TERM);
        assert_eq!((kept.until_closed(), silent.until_closed()), (Vec::new(), Vec::new()));
        assert_eq!(server.wait_until_it_ends().code(), Some(0));
    }
}

#[test]
fn a_lock_that_is_never_released_does_not_keep_it_alive() {
    // The save is answered at its deadline, but leaves a thread behind that waits in the kernel and cannot be
    // called off. The end of the server once waited for that thread.
    for protocol in PROTOCOLS {
        let mut server = Server::new(protocol, &["--lock-wait", "10ms"]);
        let _held = hold_lock(&server, protocol);
        assert_eq!(server.post("save", &document("AAA", "[]")).status, 500);
        server.signal(Signal::TERM);
        assert_eq!(server.wait_until_it_ends().code(), Some(0));
    }
}
