//! Writes that fail half way, as on a full disk: here because a file may not grow beyond a limit.

mod support;

use support::{Server, assert_granted, assert_refused, assert_says, document};

/// The limit in the shell's blocks: 32 or 64 KiB.
const LIMIT_BLOCKS: u32 = 64;

/// A document that does not fit.
fn too_long(key: &str) -> String {
    document(key, &format!("\"{}\"", "x".repeat(200_000)))
}

#[test]
fn the_hardened_protocol_answers_an_error_and_keeps_what_was_there() {
    let server = Server::under_file_size_limit(LIMIT_BLOCKS, "hardened", &[]);
    assert_says(&server.post("save", &document("AAA", "[1]")), "");
    let before = server.restore("AAA");
    let reserved = server.get("generate-key").key();
    for _ in 0..2 {
        assert_refused(&server.post("save", &too_long("AAA")), 500, "Failed to write file");
        assert_refused(&server.post("save", &too_long("BBB")), 500, "Failed to write file");
        assert_refused(&server.post("instantiate", &too_long(&reserved)), 500, "Failed to write file");
    }
    assert_eq!(server.restore("AAA").data_text(), before.data_text());
    assert_refused(&server.restore("BBB"), 404, "No saved data found");
    let names = std::fs::read_dir(server.saves()).expect("reads").flatten();
    let left: Vec<_> =
        names.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().contains("next")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_says(&server.post("instantiate", &document(&reserved, "{}")), "Instance created");
    assert_says(&server.post("save", &document("AAA", "[2]")), "");
}

#[test]
fn the_documented_protocol_answers_an_error_and_has_lost_what_was_there() {
    let server = Server::under_file_size_limit(LIMIT_BLOCKS, "documented", &[]);
    assert_says(&server.post("save", &document("AAA", "[1]")), "");
    for operation in ["save", "instantiate"] {
        assert_refused(&server.post(operation, &too_long("BBB")), 500, "Failed to write file");
        assert_says(&server.post("save", &document("BBB", "{}")), "");
        assert_says(&server.delete("BBB"), "Instance deleted successfully");
    }
    assert_refused(&server.post("save", &too_long("AAA")), 500, "Failed to write file");
    // The known flaw of truncating before writing.
    assert_refused(&server.restore("AAA"), 500, "Invalid saved data format");
    assert_says(&server.post("save", &document("AAA", "[2]")), "");
    assert_granted(&server.restore("AAA"));
}

#[test]
fn with_unchecked_writes_the_documented_protocol_answers_success_all_the_same() {
    let server = Server::under_file_size_limit(LIMIT_BLOCKS, "documented", &["--unchecked-writes"]);
    assert_says(&server.post("save", &too_long("AAA")), "");
    assert_says(&server.post("instantiate", &too_long("BBB")), "Instance created");
    for key in ["AAA", "BBB"] {
        assert_refused(&server.restore(key), 500, "Invalid saved data format");
    }
}
