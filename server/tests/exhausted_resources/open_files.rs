//! A server that may have few files open, and connections that use them up.

use crate::crowd::{self, Visits};
use crate::stray_files;
use crate::support::{
    Answer, Connection, PROTOCOLS, Server, assert_granted, assert_refused, assert_says, document, eventually,
    saves_folder,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use std::path::Path;

/// Files that the server may have open, its own dozen included.
const MOST_OPEN: usize = 40;

const UNDER_OPEN_FILES_LIMIT: &str = r#"ulimit -n "$0"; exec "$@""#;

/// A server that may have few files open.
struct Limited {
    server: Server,
    /// Files that it has open while nobody is connected.
    own: usize,
}

impl Limited {
    fn on(saves: &Path, protocol: &str) -> Self {
        let starter = ["sh", "-c", UNDER_OPEN_FILES_LIMIT, &MOST_OPEN.to_string()];
        let server = Server::started_by(&starter, saves, protocol, &[]);
        let own = open_files(&server);
        Self { server, own }
    }

    /// Waits until nobody is connected any more.
    fn wait_until_idle(&self) {
        eventually("all connections are closed", || (open_files(&self.server) == self.own).then_some(()));
    }

    /// Connections that leave the server so many files that it may still open.
    fn use_up_all_but(&self, left: usize) -> Vec<Connection> {
        self.wait_until_idle();
        let hold = |_| {
            let mut connection = self.server.connect();
            assert_granted(&ask(&mut connection, "GET", "/api/health", ""));
            connection
        };
        let held: Vec<Connection> = (self.own + left..MOST_OPEN).map(hold).collect();
        assert_eq!(open_files(&self.server), MOST_OPEN - left);
        held
    }
}

/// Files that count: a process may have inherited some with numbers beyond its limit.
fn open_files(server: &Server) -> usize {
    let numbers = std::fs::read_dir(format!("/proc/{}/fd", server.id())).expect("it is our child");
    let number = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<usize>().ok();
    numbers.filter_map(number).filter(|number| *number < MOST_OPEN).count()
}

fn ask(connection: &mut Connection, method: &str, target: &str, body: &str) -> Answer {
    connection.send(method, target, body);
    connection.receive()
}

#[test]
fn with_no_file_left_to_open_each_answer_is_right_or_a_clear_error_and_documents_stay() {
    for protocol in PROTOCOLS {
        let saves = saves_folder();
        let limited = Limited::on(saves.path(), protocol);
        let server = &limited.server;
        for key in ["AAA", "DEL"] {
            assert_says(&server.post("save", &document(key, "[1]")), "");
        }
        let before = server.restore("AAA");
        let mut held = limited.use_up_all_but(0);
        let admitted = &mut held[0];

        assert_granted(&ask(admitted, "GET", "/api/health", ""));
        assert_refused(&ask(admitted, "GET", "/api/restore?sessionKey=AAA", ""), 500, "Failed to read saved data");
        assert_refused(&ask(admitted, "GET", "/api/list", ""), 500, "Failed to access saves directory");
        for operation in ["/api/save", "/api/instantiate"] {
            for key in ["AAA", "NEW"] {
                assert_refused(&ask(admitted, "POST", operation, &document(key, "[2]")), 500, "Failed to open file");
            }
        }
        let (delete, generate) =
            (ask(admitted, "DELETE", "/api/delete?session=DEL", ""), ask(admitted, "GET", "/api/generate-key", ""));
        if protocol == "hardened" {
            assert_refused(&delete, 500, "Failed to open file");
            assert_refused(&generate, 500, "Failed to open file");
        } else {
            // Neither opens anything.
            assert_says(&delete, "Instance deleted successfully");
            assert_granted(&generate);
        }

        // Connections beyond are held back, and served once there is room.
        let mut beyond: Vec<Connection> = (0..5).map(|_| server.connect()).collect();
        for connection in &mut beyond {
            connection.send("GET", "/api/health", "");
        }
        assert_granted(&ask(&mut held[0], "GET", "/api/health", ""));
        held.truncate(1);
        for connection in &mut beyond {
            assert_granted(&connection.receive());
        }
        drop((held, beyond));
        limited.wait_until_idle();
        assert_eq!(server.restore("AAA").data_text(), before.data_text());
        assert_refused(&server.restore("NEW"), 404, "No saved data found");
        assert_eq!(stray_files(saves.path()), Vec::<String>::new());
        assert_says(&server.post("save", &document("AAA", "[3]")), "");
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([3]));
        assert_granted(&server.get("generate-key"));
    }
}

/// Deletes what a crowd left, so that the next one starts from nothing.
fn delete_all(server: &Server, keys: &[&str]) {
    for key in keys {
        server.delete(key);
        assert_refused(&server.restore(key), 404, "No saved data found");
    }
}

#[test]
fn what_the_hardened_protocol_refuses_for_want_of_open_files_changes_nothing_for_anybody() {
    const KEYS: [&str; 3] = ["AAA", "BBB", "CCC"];
    let saves = saves_folder();
    let limited = Limited::on(saves.path(), "hardened");
    let work = |left: usize, visits: Visits| {
        let held = limited.use_up_all_but(left);
        let seen = crowd::work(&limited.server, &KEYS, visits).unwrap_or_else(|fault| panic!("{left} left: {fault}"));
        println!("{left} files left to {visits:?} visits: {seen:?}");
        drop(held);
        limited.wait_until_idle();
        delete_all(&limited.server, &KEYS);
        seen
    };
    // A connection for each user and, for what all of them do at once: one file, with which no save can be done, for it
    // has its lock open as well; a few; and enough, as a request has two open at the most.
    assert!(work(crowd::USERS + 1, Visits::Long).refused > 0);
    for for_files in 2..=4 {
        work(crowd::USERS + for_files, Visits::Long);
    }
    assert_eq!(work(crowd::USERS + 2 * crowd::USERS, Visits::Long).refused, 0);
    // Fewer than users: some are held back until others leave.
    work(3, Visits::Short);
    assert_eq!(stray_files(saves.path()), Vec::<String>::new());
}

/// Whether a server may open anything.
fn may_open_files(server: &Server, may: bool) {
    let process = Pid::from_raw(i32::try_from(server.id()).expect("a process id"));
    let most = MOST_OPEN as u64;
    // What it has open stays open.
    let limit = Rlimit { current: Some(if may { most } else { 0 }), maximum: Some(most) };
    prlimit(process, Resource::Nofile, limit).expect("it is our child");
}

#[test]
fn a_list_leaves_out_no_document_for_want_of_open_files() {
    // What could not be opened, for whatever reason, was once taken for deleted since the names were read: a list that ran
    // out of open files half way was answered as a success, with 456 of 1,000 documents.
    const DOCUMENTS: usize = 500;
    const LISTS: usize = 40;
    let saves = saves_folder();
    let file = |n: usize| saves.path().join(format!("{n:03}.json"));
    std::fs::write(file(0), document("000", "[1]")).expect("writes");
    for n in 1..DOCUMENTS {
        std::fs::hard_link(file(0), file(n)).expect("links");
    }
    let limited = Limited::on(saves.path(), "hardened");
    let mut connection = limited.server.connect();
    // Turns of an empty loop until it runs out: before and after the list, and closer and closer to the middle.
    let (mut too_early, mut too_late) = (0, 1 << 20);
    for _ in 0..LISTS {
        let turns = usize::midpoint(too_early, too_late);
        connection.send("GET", "/api/list", "");
        (0..turns).for_each(|_| std::hint::spin_loop());
        may_open_files(&limited.server, false);
        let answer = connection.receive();
        may_open_files(&limited.server, true);
        if answer.status == 200 {
            assert_eq!(assert_granted(&answer).as_array().map(Vec::len), Some(DOCUMENTS), "a success that lacks some");
            // Slowly, for they do not all take the same time.
            too_late -= (too_late - turns) / 2;
        } else {
            assert_refused(&answer, 500, "Failed to access saves directory");
            too_early += (turns - too_early) / 2;
        }
    }
}
