//! A folder in which every key is in use.

mod support;

use std::path::Path;
use support::{Server, assert_granted, assert_refused, assert_says, document};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const EXHAUSTED: &str = "Unable to generate unique key - all attempts exhausted";

/// Puts a document under every key.
fn fill(saves: &Path) {
    let first = saves.join("AAA.json");
    std::fs::write(&first, "{}").expect("writes");
    let characters = || ALPHABET.chars();
    let pairs = characters().flat_map(|a| characters().map(move |b| (a, b)));
    for (a, b, c) in pairs.flat_map(|(a, b)| characters().map(move |c| (a, b, c))).skip(1) {
        let path = saves.join(format!("{a}{b}{c}.json"));
        // One file under many names is made faster than many files, where the file system has so many.
        std::fs::hard_link(&first, &path).or_else(|_| std::fs::write(&path, "{}")).expect("links or writes");
    }
}

#[test]
fn a_full_folder_is_told_and_the_hardened_protocol_finds_the_one_key_that_is_freed() {
    let saves = tempfile::tempdir().expect("a folder");
    fill(saves.path());

    let documented = Server::on(saves.path(), "documented", &[]);
    let answer = documented.get("generate-key");
    assert_refused(&answer, 503, EXHAUSTED);
    assert_eq!(answer.header("x-key-attempts"), Some("100"), "the specification's limit");

    let hardened = Server::on(saves.path(), "hardened", &[]);
    for _ in 0..2 {
        let answer = hardened.get("generate-key");
        assert_refused(&answer, 503, EXHAUSTED);
        assert_eq!(answer.header("x-key-attempts"), Some("0"), "a look at the folder is enough");
        assert_eq!(answer.header("retry-after"), None, "which tells it from a server that is busy");
    }
    // What is there is served all the same.
    assert_says(&hardened.post("save", &document("Q7Z", "{}")), "");

    std::fs::remove_file(saves.path().join("Q7Z.json")).expect("removes");
    let answer = hardened.get("generate-key");
    assert_granted(&answer);
    assert_eq!((answer.key(), answer.header("x-key-attempts")), ("Q7Z".to_owned(), Some("1")));
    assert_refused(&hardened.get("generate-key"), 503, EXHAUSTED);

    assert_says(&hardened.delete("AB3"), "Instance deleted successfully");
    assert_eq!(hardened.get("generate-key").key(), "AB3");
    assert_says(&documented.delete("AB3"), "Instance deleted successfully");
    assert_eq!(hardened.get("generate-key").key(), "AB3", "another process freed it");
}
