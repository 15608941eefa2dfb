//! What the sources themselves are held to.

use record::claims::ClaimId;
use std::fs;
use std::path::{Path, PathBuf};

/// What is quoted by Rust's own escapes in messages, file by file: text, which these escapes keep on one line.
const QUOTED_TEXT: [(&str, &[&str]); 31] = [
    ("contract/src/request.rs", &["template"]),
    ("engine/src/client/target.rs", &["page", "shown"]),
    ("engine/src/scenario/arrivals.rs", &["text"]),
    ("engine/src/scenario/mix.rs", &["name", "part", "text", "weight"]),
    ("engine/src/scenario/mod.rs", &["text"]),
    ("engine/src/scenario/plan.rs", &["text"]),
    ("engine/src/scenario/sizes.rs", &["text"]),
    ("engine/src/scenario/stage.rs", &["more", "name", "text"]),
    ("engine/src/scenario/text.rs", &["load"]),
    ("engine/src/scenario/think.rs", &["text"]),
    ("engine/src/scenario/units.rs", &["text"]),
    ("record/src/comparison/figure.rs", &["text"]),
    ("record/src/comparison/mod.rs", &["", "SCHEMA"]),
    ("record/src/counts.rs", &["", "SCHEMA"]),
    ("record/src/formats/mod.rs", &["found"]),
    ("record/src/history/accesses.rs", &["other", "tag", "text"]),
    ("record/src/history/reader.rs", &["", "SCHEMA"]),
    ("record/src/history/record.rs", &["name"]),
    ("record/src/hlog.rs", &["tag"]),
    ("record/src/measurements.rs", &["", "SCHEMA"]),
    ("report/src/gate/gates.rs", &["id", "text"]),
    ("report/src/objective.rs", &[""]),
    ("report/src/plan/objective.rs", &["clause"]),
    ("report/src/splice.rs", &["", "name"]),
    ("src/claims/crashes.rs", &["said"]),
    ("src/claims/failures.rs", &["line", "said"]),
    ("src/cli/mod.rs", &["hidden", "text"]),
    ("src/compare/contender.rs", &["shown"]),
    ("src/judge/recorded.rs", &["name", "text"]),
    ("src/reference/process.rs", &["line", "said"]),
    ("src/verify/expectations.rs", &["id"]),
];

/// Messages once had `Some("demo")` and `Whole { writer: 0 …` in them. What is no text is put in words.
#[test]
fn rusts_debug_form_is_used_in_messages_for_quoted_text_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for path in all_sources() {
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
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
    let mut found = Vec::new();
    for path in all_sources() {
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

/// The sources of all rooms.
fn all_sources() -> Vec<PathBuf> {
    let rooms = ["", "check", "contract", "engine", "record", "report", "stats"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    rooms.iter().flat_map(|room| sources(&root.join(room).join("src"))).collect()
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
        let is_test =
            path.file_stem().is_some_and(|stem| ["tests", "textbook", "samples"].iter().any(|name| stem == *name));
        match path.is_dir() {
            _ if is_test => {}
            true => found.extend(sources(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
    found
}
