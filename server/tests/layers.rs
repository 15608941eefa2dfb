//! The walls between the layers, of docs/architecture.md: what each part of the source must not name.

use std::path::Path;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Each part of the source, and what it must not name. `std::{` is among them because a name inside such a group
/// would not be found.
const WALLS: [(&str, &[&str]); 3] = [
    (
        "protocol",
        &[
            "tokio",
            "hyper",
            "http::",
            "fs2",
            "rustix",
            "rand::",
            "SystemTime",
            "Instant",
            "std::fs",
            "std::sync",
            "std::thread",
            "std::time",
            "std::net",
            "std::env",
            "std::process",
            "std::{",
        ],
    ),
    ("fs", &["hyper", "http", "serde_json", "StatusCode", "crate::protocol", "std::{"]),
    ("http", &["std::path", "std::fs", "PathBuf", "crate::fs::disk", "crate::fs::FileSystem", "fs2", "std::{"]),
];

/// The only file that locks.
const LOCKING_FILE: &str = "fs/disk.rs";

/// Every source file under a folder of the source: its path from there, and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(Path::new(SOURCE).join(folder)).expect("the folder is there");
    for entry in entries {
        let entry = entry.expect("it can be read");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy()).trim_start_matches('/').to_owned();
        if entry.path().is_dir() {
            found.extend(sources(&name));
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            found.push((name, std::fs::read_to_string(entry.path()).expect("it can be read")));
        }
    }
    assert!(!found.is_empty(), "nothing to look at in {folder}");
    found
}

/// The lines outside comments that name something forbidden.
fn violations<'a>(source: &'a str, forbidden: &[&str]) -> Vec<&'a str> {
    let is_violation = |line: &&str| forbidden.iter().any(|name| names(code_of(line), name));
    source.lines().filter(is_violation).collect()
}

/// A line without its comment. Only `//` after white space begins one: in a URL it does not.
fn code_of(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" //").next().unwrap_or(line) }
}

/// Whether code names something, as a whole word: `rand::` is not in `operand::`, nor `http` in `http_body_util`.
fn names(code: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let joined_before = code[..at].ends_with(in_word);
        let joined_after = name.ends_with(in_word) && code[at + name.len()..].starts_with(in_word);
        !joined_before && !joined_after
    })
}

#[test]
fn no_layer_names_what_belongs_to_another() {
    for (folder, forbidden) in WALLS {
        for (file, source) in sources(folder) {
            assert_eq!(violations(&source, forbidden), Vec::<&str>::new(), "{file} must not name these");
        }
    }
}

#[test]
fn only_the_real_disk_names_the_crate_that_locks() {
    let naming = |(file, source): (String, String)| (!violations(&source, &["fs2"]).is_empty()).then_some(file);
    assert_eq!(sources("").into_iter().filter_map(naming).collect::<Vec<_>>(), [LOCKING_FILE]);
}

#[test]
fn the_scanner_finds_what_is_planted_and_nothing_else() {
    let (_, forbidden) = WALLS[0];
    for planted in [
        "use tokio::sync::Mutex;",
        "    let now = std::time::SystemTime::now();",
        "use std::{fs, io};",
        "    rand::rng().random()",
        "let url = \"http://x\"; std::thread::yield_now();",
        "    std::sync::Mutex::new(()) // shared",
        "pub(crate) use ::hyper;",
    ] {
        let source = format!("use std::io;\n{planted}\n");
        assert_eq!(violations(&source, forbidden), [planted]);
    }
    for innocent in [
        "/// Runs without tokio.",
        "    // std::fs would block",
        "use std::io::{self, ErrorKind};",
        "let operand::Kind = kind; // as rand::rng does",
        "let hyperbola = tokio_like;",
    ] {
        assert_eq!(violations(innocent, forbidden), Vec::<&str>::new());
    }
}
