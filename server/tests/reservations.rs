//! Keys that the hardened protocol has handed out and that are not instantiated yet.

mod support;

use serde_json::json;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};
use support::{Server, assert_granted, assert_refused, assert_says, document, eventually};

/// The mode of a reservation: the sticky bit tells it from a file that is empty for another reason.
const RESERVATION_MODE: u32 = 0o1644;
const DOCUMENT_MODE: u32 = 0o644;

/// Puts a file in the folder as it would be had it been made an hour ago.
fn put_old(server: &Server, key: &str, content: &str, mode: u32) {
    let path = server.file(&format!("{key}.json"));
    std::fs::write(&path, content).expect("writes");
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("sets the mode");
    set_old(server, key);
}

fn set_old(server: &Server, key: &str) {
    set_modified(server, key, SystemTime::now() - Duration::from_hours(1));
}

fn set_modified(server: &Server, key: &str, when: SystemTime) {
    let file = File::options().write(true).open(server.file(&format!("{key}.json"))).expect("opens");
    file.set_modified(when).expect("sets the time");
}

fn wait_until_gone(server: &Server, key: &str) {
    let path = server.file(&format!("{key}.json"));
    eventually("the reservation is given back", || (!path.exists()).then_some(()));
}

#[test]
fn a_reserved_key_is_nobodys_document_and_can_be_ended_once() {
    let server = Server::new("hardened", &[]);
    let key = server.get("generate-key").key();
    assert_refused(&server.restore(&key), 404, "No saved data found");
    assert_eq!(assert_granted(&server.get("list")), json!([]));
    let reservation = server.file(&format!("{key}.json")).metadata().expect("it counts as a session for `ls`");
    assert_eq!((reservation.len(), reservation.permissions().mode() & 0o7777), (0, RESERVATION_MODE));
    assert_says(&server.delete(&key), "Instance deleted successfully");
    assert_refused(&server.delete(&key), 404, "Instance not found");
}

#[test]
fn a_reserved_key_can_be_instantiated_and_saved() {
    let server = Server::new("hardened", &[]);
    let key = server.get("generate-key").key();
    assert_says(&server.post("instantiate", &document(&key, "[1]")), "Instance created");
    assert_says(&server.post("instantiate", &document(&key, "[2]")), "Instance already exists");
    assert_eq!(assert_granted(&server.restore(&key))["state"], json!([1]));
    let key = server.get("generate-key").key();
    assert_says(&server.post("save", &document(&key, "[3]")), "");
    assert_eq!(assert_granted(&server.restore(&key))["state"], json!([3]));
    let list = assert_granted(&server.get("list"));
    assert_eq!(list.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_reservation_is_given_back_when_its_time_is_over() {
    let server = Server::new("hardened", &["--reservation-ttl", "1s"]);
    let key = server.get("generate-key").key();
    wait_until_gone(&server, &key);
    assert_refused(&server.delete(&key), 404, "Instance not found");
    eventually("it is counted", || (server.counted("claimcheck_reservations_given_back_total") == 1).then_some(()));
}

#[test]
fn only_stale_reservations_are_given_back() {
    let server = Server::new("hardened", &["--reservation-ttl", "1s"]);
    let key = server.get("generate-key").key();
    assert_says(&server.post("instantiate", &document(&key, "{}")), "Instance created");
    set_old(&server, &key);
    // What a loss of power leaves of a document that was never synced is empty as well, and somebody's.
    put_old(&server, "AAA", "", DOCUMENT_MODE);
    // A reservation that the documented protocol instantiated in place keeps its mark.
    put_old(&server, "BBB", &document("BBB", "{}"), RESERVATION_MODE);
    for other in ["abc", "ABCD"] {
        put_old(&server, other, "", RESERVATION_MODE);
    }
    // However slow the machine, this one is not a second old before the test is over.
    let young = server.get("generate-key").key();
    set_modified(&server, &young, SystemTime::now() + Duration::from_hours(1));
    // The second of these goes in a later look through the folder than the first: the look in between, which began
    // after all the others were there, is over.
    for stale in ["YYY", "ZZZ"] {
        put_old(&server, stale, "", RESERVATION_MODE);
        wait_until_gone(&server, stale);
    }
    for kept in [&key, &young, "AAA", "BBB", "abc", "ABCD"] {
        assert!(server.file(&format!("{kept}.json")).exists(), "{kept}");
    }
}

#[test]
fn a_server_copes_when_another_gives_back_what_it_reserved() {
    let server = Server::new("hardened", &["--reservation-ttl", "1h"]);
    let other = Server::on(server.saves(), "hardened", &["--reservation-ttl", "1s"]);
    // Each gives back what is stale to it, whoever reserved it.
    let key = server.get("generate-key").key();
    wait_until_gone(&other, &key);
    assert_says(&server.post("instantiate", &document(&key, "{}")), "Instance created");
}

#[test]
fn the_documented_protocol_takes_a_reservation_for_not_there_yet() {
    let hardened = Server::new("hardened", &["--reservation-ttl", "1s"]);
    let documented = Server::on(hardened.saves(), "documented", &[]);
    let key = hardened.get("generate-key").key();
    assert_says(&documented.post("instantiate", &document(&key, "[1]")), "Instance created");
    assert_says(&hardened.post("instantiate", &document(&key, "[2]")), "Instance already exists");
    set_old(&hardened, &key);
    put_old(&hardened, "ZZZ", "", RESERVATION_MODE);
    wait_until_gone(&hardened, "ZZZ");
    for server in [&hardened, &documented] {
        assert_eq!(assert_granted(&server.restore(&key))["state"], json!([1]));
    }
}
