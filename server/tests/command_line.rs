//! What a server can be told at its start.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use support::{PROTOCOLS, Server, assert_granted, assert_refused, assert_says, document, eventually};

/// Runs a command that is to fail; answers its status and what it said on standard error.
fn failure_of(command: &mut Command) -> (ExitStatus, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    eventually("it gives up", || child.try_wait().expect("it is our child"));
    let output = child.wait_with_output().expect("it has ended");
    (output.status, String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn wrong_usage_exits_2_and_names_the_flag() {
    for [flag, value] in [
        ["--key-length", "2"],
        ["--key-length", "9"],
        ["--key-length", "three"],
        ["--protocol", "x"],
        ["--durability", "x"],
        ["--lock-wait", "5"],
        ["--reservation-ttl", "5"],
        ["--listen", "localhost"],
        ["--max-connections", "many"],
        ["--max-body-bytes", "1k"],
        ["--log", "server=loud"],
        ["--no-such-flag", "x"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        let (status, said) = failure_of(command.args([flag, value]));
        assert_eq!(status.code(), Some(2), "{flag} {value}: {said}");
        assert!(said.contains(flag), "{flag} {value}: {said}");
    }
}

#[test]
fn a_taken_address_exits_2_and_says_what_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    for protocol in PROTOCOLS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["--listen", &address, "--protocol", protocol, "--saves"]).arg(folder.path());
        let (status, said) = failure_of(&mut command);
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(&address) && said.contains("--listen"), "{said}");
    }
}

#[test]
fn a_saves_folder_that_cannot_be_exits_2_and_is_named() {
    let mut command = Server::command(Path::new("/dev/null/saves"), "hardened", &[]);
    let (status, said) = failure_of(&mut command);
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("/dev/null/saves"), "{said}");
}

#[test]
fn limits_beyond_all_measure_are_no_limits() {
    let most = usize::MAX.to_string();
    for protocol in PROTOCOLS {
        let flags = ["--max-connections", &most, "--max-body-bytes", &most];
        let times = ["--lock-wait", "100000years", "--reservation-ttl", "100000years"];
        let server = Server::new(protocol, &[flags, times].concat());
        assert_says(&server.post("save", &document("AAA", "{}")), "");
    }
}

#[test]
fn its_types_replace_the_specifications() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--type", "song", "--type", "poem"]);
        for slug in ["song", "poem"] {
            assert_says(&server.post("save", &format!(r#"{{"sessionKey":"AAA","typeSlug":"{slug}"}}"#)), "");
        }
        assert_refused(&server.post("save", &document("AAA", "{}")), 400, "Invalid checklist type");
    }
}

#[test]
fn its_key_length_is_that_of_every_key() {
    for protocol in PROTOCOLS {
        for length in [4, 8] {
            let server = Server::new(protocol, &["--key-length", &length.to_string()]);
            let key = server.get("generate-key").key();
            assert_eq!(key.len(), length);
            assert_says(&server.post("instantiate", &document(&key, "{}")), "Instance created");
            assert_granted(&server.restore(&key));
            assert_refused(&server.post("save", &document("AAA", "{}")), 400, "Invalid session key");
            assert_refused(&server.restore("AAA"), 400, "Invalid session key");
        }
    }
}

#[test]
fn a_server_that_syncs_to_disk_answers_as_one_that_does_not() {
    let server = Server::new("hardened", &["--durability", "disk"]);
    let key = server.get("generate-key").key();
    assert_says(&server.post("instantiate", &document(&key, "{}")), "Instance created");
    assert_says(&server.post("save", &document(&key, "[1]")), "");
    assert_eq!(assert_granted(&server.restore(&key))["state"], serde_json::json!([1]));
    assert_says(&server.delete(&key), "Instance deleted successfully");
}

#[test]
fn a_server_started_again_serves_what_was_saved_before() {
    for protocol in PROTOCOLS {
        let saves = tempfile::tempdir().expect("a folder");
        let first = Server::on(saves.path(), protocol, &[]);
        assert_says(&first.post("save", &document("AAA", "[1]")), "");
        let before = first.restore("AAA");
        // Dropping kills it: an acknowledged save survives that.
        drop(first);
        let second = Server::on(saves.path(), protocol, &[]);
        assert_eq!(second.restore("AAA").data_text(), before.data_text());
    }
}
