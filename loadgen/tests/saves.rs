//! `loadgen saves` and `loadgen serve`, on real folders.

mod support;

use contract::document::Document;
use rustix::fs::{CWD, Mode, mkfifoat};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use support::harness::{loadgen, names};

/// Runs `loadgen saves`; answers its exit code and what it printed.
fn saves(arguments: &[&str]) -> (i32, String) {
    let output = loadgen().arg("saves").args(arguments).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// Makes a file 40 days old, if it is there.
fn age(path: &Path) {
    if let Ok(file) = std::fs::File::options().write(true).open(path) {
        let old = std::time::SystemTime::now() - std::time::Duration::from_hours(24 * 40);
        file.set_modified(old).expect("sets");
    }
}

/// Writes a document that is 40 days old.
fn write_old(path: &Path) {
    std::fs::write(path, "{}").expect("writes");
    age(path);
}

fn path(folder: &Path) -> &str {
    folder.to_str().expect("UTF-8")
}

#[test]
fn a_filled_folder_holds_that_many_real_documents_and_no_fewer_keys() {
    let temp = tempfile::tempdir().expect("a folder");
    let folder = temp.path().join("saves");
    let (code, said) = saves(&["fill", "--saves", path(&folder), "--to", "2000"]);
    assert_eq!((code, said.contains("holds 2000 documents, 2000 of them new")), (0, true), "{said}");
    assert_eq!(saves(&["count", "--saves", path(&folder)]), (0, "2000\n".to_owned()));
    let (code, said) = saves(&["fill", "--saves", path(&folder), "--to", "2500"]);
    assert_eq!((code, said.contains("holds 2500 documents, 500 of them new")), (0, true), "{said}");
    for entry in std::fs::read_dir(&folder).expect("reads") {
        let entry = entry.expect("an entry");
        let text = std::fs::read_to_string(entry.path()).expect("reads");
        let document = Document::parse(&text).expect("a whole document");
        assert_eq!(document.session_key.map(|key| key + ".json"), entry.file_name().into_string().ok());
        assert!((2_700..3_000).contains(&text.len()), "{} bytes", text.len());
    }
    let (code, said) = saves(&["fill", "--saves", path(&folder), "--to", "10"]);
    assert_eq!((code, said.contains("none was removed")), (2, true), "{said}");
    assert_eq!(saves(&["count", "--saves", path(&folder)]), (0, "2500\n".to_owned()));
}

#[test]
fn an_audit_shows_the_distribution_and_finds_what_is_wrong() {
    let temp = tempfile::tempdir().expect("a folder");
    saves(&["fill", "--saves", path(temp.path()), "--to", "400"]);
    let (code, said) = saves(&["audit", "--saves", path(temp.path())]);
    assert_eq!((code, said.contains("400 documents, 0 empty") && said.contains("p = 0.")), (0, true), "{said}");
    for (name, content) in
        [("notes.json", "{}"), ("A4K.json", "{\"sessionKey\":"), ("B4K.json.lock", ""), ("C4K.json", "")]
    {
        std::fs::write(temp.path().join(name), content).expect("writes");
    }
    let (code, said) = saves(&["audit", "--saves", path(temp.path())]);
    assert_eq!(code, 1);
    for part in ["stray: notes.json", "damaged: A4K.json", "lock file: ", "1 empty"] {
        assert!(said.contains(part), "{part:?} is missing from {said}");
    }
}

/// Puts things beside documents that are none, under the names of documents.
fn put_strangers(folder: &Path) {
    std::fs::create_dir(folder.join("DIR.json")).expect("creates");
    std::os::unix::fs::symlink("A4K.json", folder.join("LNK.json")).expect("links");
    std::os::unix::fs::symlink("LOP.json", folder.join("LOP.json")).expect("links");
    mkfifoat(CWD, folder.join("PIP.json"), Mode::RUSR | Mode::WUSR).expect("creates");
}

/// Regression: it hung on the pipe, took AAA.json.json for AAA's, and had names speak to the terminal.
#[test]
fn an_audit_names_what_is_no_document_and_comes_to_its_end() {
    let temp = tempfile::tempdir().expect("a folder");
    saves(&["fill", "--saves", path(temp.path()), "--to", "10"]);
    put_strangers(temp.path());
    for name in ["AAA.json.json", "\u{1b}[2J.json", "\u{1b}.lock"] {
        std::fs::write(temp.path().join(name), "").expect("writes");
    }
    let (code, said) = saves(&["audit", "--saves", path(temp.path())]);
    assert_eq!(code, 1, "{said}");
    for part in [
        "10 documents, 0 empty",
        "unreadable: DIR.json: it is no regular file",
        "unreadable: LNK.json: it is no regular file",
        "unreadable: LOP.json: it is no regular file",
        "unreadable: PIP.json: it is no regular file",
        "stray: AAA.json.json",
        "stray: \\u{1b}[2J.json",
        "/\\u{1b}.lock",
    ] {
        assert!(said.contains(part), "{part:?} is missing from {said}");
    }
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

/// The names in a saves folder that are not the server's own.
fn left_in(saves: &Path) -> Vec<String> {
    names(saves).into_iter().filter(|name| !name.starts_with('.')).collect()
}

/// Regression: folders and links were moved, too, and a link to itself ended the archiving.
#[test]
fn only_regular_files_are_archived() {
    let (temp, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write_old(&temp.path().join("A4K.json"));
    put_strangers(temp.path());
    let before = names(temp.path());
    let archive = |to: &Path| saves(&["archive", "--saves", path(temp.path()), "--to", path(to), "--older-than", "0s"]);
    let (code, said) = archive(temp.path());
    assert!(code == 2 && said.contains("is the saves folder"), "{said}");
    assert_eq!(names(temp.path()), before);
    let (code, said) = archive(to.path());
    assert!(code == 0 && said.contains("1 documents archived"), "{said}");
    assert_eq!(names(to.path()), ["A4K.json"]);
    assert_eq!(left_in(temp.path()), ["DIR.json", "LNK.json", "LOP.json", "PIP.json"]);
}

/// Regression: the archiving stopped there, without a word on which document it was.
#[test]
fn a_document_that_cannot_be_archived_is_named_and_the_others_are_archived() {
    let (temp, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for key in ["A4K", "B4K", "C4K"] {
        write_old(&temp.path().join(format!("{key}.json")));
    }
    // All names that a second document of this key could get are taken.
    std::fs::write(to.path().join("B4K.json"), "").expect("writes");
    (2..10_000).for_each(|number| {
        std::fs::hard_link(to.path().join("B4K.json"), to.path().join(format!("B4K.{number}.json"))).expect("links");
    });
    let (code, said) = saves(&["archive", "--saves", path(temp.path()), "--to", path(to.path()), "--older-than", "0s"]);
    assert!(code == 1 && said.contains("2 documents archived") && said.contains("B4K.json: "), "{said}");
    assert_eq!(left_in(temp.path()), ["B4K.json"]);
}

/// `loadgen serve`, and where it listens.
fn serve(folder: &Path) -> (Child, String) {
    let mut server = loadgen()
        .args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-closes", "--saves", path(folder)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("standard output")).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("listening on http://").expect("the ready line").to_owned();
    (server, address)
}

fn post(address: &str, operation: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    let head = format!(
        "POST /api/{operation} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer
}

#[test]
fn a_document_that_is_saved_while_others_are_archived_stays() {
    let (temp, archive) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (mut server, address) = serve(temp.path());
    let body = |n: u32| format!(r#"{{"sessionKey":"A4K","typeSlug":"word","metadata":{{"n":{n}}},"state":{{}}}}"#);
    let done = AtomicBool::new(false);
    let document = temp.path().join("A4K.json");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..300 {
                assert!(post(&address, "save", &body(n)).contains("\"success\":true"));
                // Old again at once, as far as its file tells: every archiving is tempted by it.
                age(&document);
            }
            done.store(true, SeqCst);
        });
        while !done.load(SeqCst) {
            let (code, said) = saves(&["archive", "--saves", path(temp.path()), "--to", path(archive.path())]);
            assert_eq!(code, 0, "{said}");
        }
    });
    assert!(post(&address, "save", &body(300)).contains("\"success\":true"));
    let (code, said) = saves(&["archive", "--saves", path(temp.path()), "--to", path(archive.path())]);
    assert_eq!((code, said.contains("0 documents archived")), (0, true), "just saved: {said}");
    // Each archived document is whole; the last save is in the folder.
    for entry in std::fs::read_dir(archive.path()).expect("reads") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("reads");
        assert!(
            Document::parse(&text).is_some_and(|document| document.session_key.as_deref() == Some("A4K")),
            "{text}"
        );
    }
    assert!(std::fs::read_to_string(&document).expect("reads").contains("\"n\":300"));
    drop(server.stdin.take());
    assert!(server.wait().expect("it ends").success());
}
