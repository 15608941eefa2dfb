//! The walls of the house: which room imports which, and what each must not name. Cargo keeps the crates apart; this
//! keeps what Cargo cannot, and compares the sources with docs/architecture.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates inside `loadgen/`, each a room.
const CRATES: [&str; 6] = ["check", "contract", "engine", "record", "report", "stats"];

/// What a room must not name in its code, and why.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("contract", &["std::net", "std::fs", "Instant", "SystemTime", "tokio", "hyper", "reqwest"]),
    ("check", &["std::net", "std::fs", "Instant", "SystemTime", "tokio", "hyper", "reqwest", "http"]),
    ("stats", &["std::net", "std::fs", "Instant", "SystemTime", "tokio", "hyper", "reqwest", "contract"]),
    ("record", &["std::net", "tokio", "hyper", "reqwest"]),
    ("report", &["std::net", "Instant", "SystemTime", "tokio", "hyper", "reqwest"]),
];

/// The only room that names the reference server's crate.
const KNOWS_SERVER: &str = "reference";

/// How the contract's texts begin: only `contract` has a string like these. (A sentence may quote them.)
const TEXTS: [&str; 7] = [
    "Instance created",
    "Instance already exists",
    "Unable to generate unique key",
    "Server busy",
    "Failed to acquire file lock",
    "Invalid session key",
    "No saved data found",
];

/// The contract's paths.
const PATHS: &str = "/php/api/";

/// A room's sources: path and text, without tests.
type Sources = Vec<(PathBuf, String)>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All rooms: the crates, and the modules of the binary.
fn rooms() -> BTreeMap<String, Sources> {
    let mut rooms: BTreeMap<String, Sources> =
        CRATES.iter().map(|name| ((*name).to_owned(), sources(&root().join(name).join("src")))).collect();
    for (path, text) in sources(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).expect("a source").to_owned();
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let name = first.trim_end_matches(".rs").to_owned();
        if !["lib", "main", "sources"].contains(&name.as_str()) {
            rooms.entry(name).or_default().push((path, text));
        }
    }
    rooms
}

fn sources(folder: &Path) -> Sources {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests" || name == "samples");
        if is_test {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = code(&fs::read_to_string(&path).expect("a source"));
            found.push((path, text));
        }
    }
    found
}

/// A source without comments and without its module of tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// Whether code names something, as whole words.
fn names(code: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    // A crate's name stands at the start of a path, a type's anywhere.
    let is_type = name.starts_with(char::is_uppercase);
    code.match_indices(name).any(|(at, _)| {
        let is_joined = code[..at].ends_with(|c: char| in_word(c) || c == ':' && !is_type);
        !is_joined && (name.ends_with(':') || !code[at + name.len()..].starts_with(in_word))
    })
}

/// Whether a room's code imports another: a crate by its name, a module of the binary as `crate::name`.
fn imports(text: &str, own_is_crate: bool, other: &str) -> bool {
    if CRATES.contains(&other) {
        names(text, &format!("{other}::")) || text.contains(&format!("use {other};"))
    } else {
        !own_is_crate && names(text, &format!("crate::{other}"))
    }
}

fn graph(rooms: &BTreeMap<String, Sources>) -> BTreeMap<String, BTreeSet<String>> {
    let of = |(name, sources): (&String, &Sources)| {
        let is_crate = CRATES.contains(&name.as_str());
        let others = rooms.keys().filter(|other| *other != name);
        let imported = others.filter(|other| sources.iter().any(|(_, text)| imports(text, is_crate, other)));
        (name.clone(), imported.cloned().collect())
    };
    rooms.iter().map(of).collect()
}

/// The graph as docs/architecture.md has it: a line for each room.
fn drawn(graph: &BTreeMap<String, BTreeSet<String>>) -> String {
    let line = |(room, imported): (&String, &BTreeSet<String>)| {
        let imported: Vec<&str> = imported.iter().map(String::as_str).collect();
        format!("{room:<10} {}", imported.join(" ")).trim_end().to_owned() + "\n"
    };
    graph.iter().map(line).collect()
}

/// Rooms that import each other, directly or by way of others.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let reaches = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(room) = open.pop() {
            open.extend(graph.get(room).into_iter().flatten().filter(|next| seen.insert(*next)));
        }
        seen.contains(from)
    };
    graph.keys().filter(|room| reaches(room)).cloned().collect()
}

/// What the rooms name although they must not.
fn violations(rooms: &BTreeMap<String, Sources>) -> Vec<String> {
    let mut found = Vec::new();
    for (room, sources) in rooms {
        let forbidden = FORBIDDEN.iter().find(|(of, _)| of == room).map_or(&[][..], |(_, names)| names);
        for (path, text) in sources {
            let named = forbidden.iter().filter(|name| names(text, name)).map(|name| (*name).to_owned());
            let server = (!CRATES.contains(&room.as_str()) && room != KNOWS_SERVER && names(text, "server::"))
                .then(|| "server".to_owned());
            let begins = |own: &str| text.match_indices(&format!("\"{own}")).any(|(at, _)| !text[..at].ends_with('\\'));
            let texts =
                TEXTS.iter().filter(|own| begins(own)).chain([&PATHS].into_iter().filter(|path| text.contains(**path)));
            let texts = texts.filter(|_| room != "contract").map(|text| format!("{text:?}"));
            found.extend(named.chain(server).chain(texts).map(|what| format!("{}: {what}", path.display())));
        }
    }
    found
}

#[test]
fn rooms_import_each_other_as_the_architecture_says_and_never_in_a_circle() {
    let graph = graph(&rooms());
    assert_eq!(circles(&graph), Vec::<String>::new());
    let page = fs::read_to_string(root().join("../docs/architecture.md")).expect("the page");
    let block = page.split("```rooms\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of rooms");
    assert_eq!(block, drawn(&graph), "docs/architecture.md has to have this:\n{}", drawn(&graph));
}

#[test]
fn no_room_names_what_it_must_not_know() {
    assert_eq!(violations(&rooms()), Vec::<String>::new());
}

/// Each wall, with something thrown through it.
#[test]
fn planted_violations_are_found() {
    for (room, line) in [
        ("check", "use std::net::TcpStream;"),
        ("stats", "let now = SystemTime::now();"),
        ("report", "let began = std::time::Instant::now();"),
        ("contract", "use hyper::Request;"),
        ("record", "tokio::spawn(async {});"),
        ("claims", "use server::ServerOptions;"),
        ("claims", "message == \"Instance created\""),
        ("lab", "format!(\"{url}/php/api/list.php\")"),
    ] {
        let mut rooms = rooms();
        rooms.get_mut(room).expect("a room").push((PathBuf::from("planted.rs"), code(line)));
        assert!(violations(&rooms).iter().any(|found| found.starts_with("planted.rs")), "{room}: {line}");
    }
    let mut rooms = rooms();
    rooms.get_mut("lab").expect("a room").push((PathBuf::from("planted.rs"), "use crate::claims::ALL;".to_owned()));
    let circle = circles(&graph(&rooms));
    assert!(circle.contains(&"lab".to_owned()) && circle.contains(&"claims".to_owned()), "{circle:?}");
    assert_eq!(code("use a; // hyper\n/// tokio\n#[cfg(test)]\nmod tests { reqwest }"), "use a;");
}
