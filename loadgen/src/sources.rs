//! What the sources themselves are held to.

use record::claims::ClaimId;
use std::fs;
use std::path::{Path, PathBuf};

/// What is quoted by Rust's own escapes in messages, file by file: text, which these escapes keep on one line.
const QUOTED_TEXT: [(&str, &[&str]); 30] = [
    ("claims/crashes.rs", &["said"]),
    ("claims/failures.rs", &["line", "said"]),
    ("cli/mod.rs", &["hidden", "text"]),
    ("client/target.rs", &["page", "path_template", "shown"]),
    ("compare/contender.rs", &["shown"]),
    ("gate/comparison.rs", &["", "SCHEMA"]),
    ("gate/counts.rs", &["", "SCHEMA"]),
    ("gate/figure.rs", &["text"]),
    ("gate/gates.rs", &["id", "text"]),
    ("judge/recorded.rs", &["name", "text"]),
    ("measure/file.rs", &["", "SCHEMA"]),
    ("plan/objective.rs", &["clause"]),
    ("record/formats/mod.rs", &["found"]),
    ("record/history/accesses.rs", &["other", "tag", "text"]),
    ("record/history/reader.rs", &["", "SCHEMA"]),
    ("record/history/record.rs", &["name"]),
    ("record/hlog.rs", &["tag"]),
    ("reference/process.rs", &["line", "said"]),
    ("report/splice.rs", &["", "name"]),
    ("run/objective.rs", &[""]),
    ("scenario/arrivals.rs", &["text"]),
    ("scenario/mix.rs", &["name", "part", "text", "weight"]),
    ("scenario/mod.rs", &["text"]),
    ("scenario/plan.rs", &["text"]),
    ("scenario/sizes.rs", &["text"]),
    ("scenario/stage.rs", &["more", "name", "text"]),
    ("scenario/text.rs", &["load"]),
    ("scenario/think.rs", &["text"]),
    ("scenario/units.rs", &["text"]),
    ("verify/expectations.rs", &["id"]),
];

/// Messages once had `Some("demo")` and `Whole { writer: 0 …` in them. What is no text is put in words.
#[test]
fn rusts_debug_form_is_used_in_messages_for_quoted_text_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root) {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a source");
        let code = without_tests(&text);
        let allowed = QUOTED_TEXT.iter().find(|(file, _)| *file == name).map_or(&[][..], |(_, names)| names);
        let uses = debug_forms(code).into_iter().filter(|place| !allowed.contains(&place.as_str()));
        found.extend(uses.map(|place| format!("{name}: {{{place}:?}}")));
    }
    assert!(found.is_empty(), "put into words, or, where it is text, into the list:\n{}", found.join("\n"));
}

#[test]
fn the_debug_form_is_found_in_every_spelling() {
    let code = r#"format!("{a:?} {} {:?} {b:#?} {:02x?} {c:>8?} {d} {{:?}}")"#;
    assert_eq!(debug_forms(code), ["a", "", "b", "", "c", ""]);
}

/// An id in quotes once decided what was expected of a claim, far from the claim: `ClaimId::of("S4")` is checked by the
/// compiler, and each claim's properties are its own.
#[test]
fn no_claim_is_named_by_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "check/src", "contract/src", "engine/src", "record/src", "report/src", "stats/src"];
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| sources(&root.join(folder))) {
        let text = fs::read_to_string(&path).expect("a source");
        let names = named_by_text(without_tests(&text)).into_iter().map(|id| format!("{}: {id}", path.display()));
        found.extend(names);
    }
    assert!(found.is_empty(), "use ClaimId:\n{}", found.join("\n"));
}

#[test]
fn a_claims_name_is_found_in_text_and_not_in_a_claims_id() {
    assert_eq!(named_by_text(r#"["S4", ClaimId::of("S5"), "K10", "A4", "p99", "S", "S4,K7"]"#), ["S4", "K10"]);
}

/// Texts that are a claim's id, other than arguments of `ClaimId::of`.
fn named_by_text(code: &str) -> Vec<&str> {
    let texts = code.match_indices('"').zip(code.match_indices('"').skip(1));
    let is_id =
        |text: &&str| text.starts_with(|first: char| first.is_ascii_uppercase()) && text.parse::<ClaimId>().is_ok();
    let texts = texts.filter(|((start, _), _)| !code[..*start].ends_with("ClaimId::of("));
    texts.map(|((start, _), (end, _))| &code[start + 1..end]).filter(is_id).collect()
}

/// A source up to its tests.
fn without_tests(text: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| {
        let next = text[*at..].lines().nth(1).unwrap_or_default();
        next.contains("mod ") && next.ends_with('{')
    };
    text.match_indices("#[cfg(test)]\n").find(begins).map_or(text, |(at, _)| &text[..at])
}

/// The names of what is formatted by `Debug`; empty where it has none.
fn debug_forms(code: &str) -> Vec<String> {
    let places = code.split('{').skip(1).filter_map(|after| after.split_once('}')).map(|(place, _)| place);
    let forms = places.filter_map(|place| place.split_once(':').filter(|(_, how)| how.ends_with('?')));
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    forms.filter(|(name, _)| is_name(name)).map(|(name, _)| name.to_owned()).collect()
}

/// All sources below a folder, but those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let test_files = ["tests", "textbook", "sources", "samples"];
        let is_test = path.file_stem().is_some_and(|stem| test_files.iter().any(|name| stem == *name));
        match path.is_dir() {
            _ if is_test => {}
            true => found.extend(sources(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
    found
}
