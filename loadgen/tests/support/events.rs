//! What a browser, or a program, gets from a run that can be watched.

use super::harness::{loadgen, started};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::process::{Child, ChildStderr};

/// A process that ends with this, whatever becomes of the test.
pub(crate) struct Ending(Child);

impl Deref for Ending {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Ending {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run under way, with a page.
pub(crate) struct Watched {
    pub(crate) run: Ending,
    pub(crate) address: SocketAddr,
    pub(crate) out: tempfile::TempDir,
    /// Open, for the run writes to it.
    stderr: BufReader<ChildStderr>,
}

impl Watched {
    /// Starts a run with a page at a free port, and waits until it says where.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let out = tempfile::tempdir().expect("a folder");
        let mut command = loadgen();
        command.args(["run", "--live", "127.0.0.1:0", "--quiet", "--no-ceiling"]).args(arguments);
        let mut run = started(command.arg("--out").arg(out.path()));
        let mut stderr = BufReader::new(run.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("it says where");
        let url = line.trim_end().strip_prefix("live: http://").and_then(|rest| rest.strip_suffix('/'));
        let address = url.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("it says {line:?}"));
        Self { run: Ending(run), address, out, stderr }
    }

    /// Waits for its end: the exit code, and what else it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String, tempfile::TempDir) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("text");
        (self.run.wait().expect("it ends").code(), said, self.out)
    }

    /// Asks with these lines besides the first and the `Host`.
    pub(crate) fn ask(&self, method: &str, path: &str, lines: &str) -> Answered {
        ask(self.address, &format!("{method} {path} HTTP/1.0\r\nHost: {}\r\n{lines}\r\n", self.address))
    }

    /// Its events, from the first that is kept, or the one after that id.
    pub(crate) fn events(&self, after: Option<&str>) -> Events {
        let answered =
            self.ask("GET", "/events", &after.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default());
        assert_eq!(answered.status, 200, "{}", answered.head);
        Events(answered.body)
    }
}

/// An answer whose body is still to be read.
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Status line and header, in lower case.
    pub(crate) head: String,
    pub(crate) body: BufReader<TcpStream>,
}

impl Answered {
    pub(crate) fn text(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).expect("text");
        text
    }
}

/// Asks in HTTP/1.0, where a body ends with its connection.
pub(crate) fn ask(address: SocketAddr, request: &str) -> Answered {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it takes requests");
    let mut body = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(body.read_line(&mut head).expect("a head") > 0, "the head ended early: {head}");
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answered { status, head: head.to_lowercase(), body }
}

/// An event, read.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// Events until the connection ends; comments are passed over.
pub(crate) struct Events(BufReader<TcpStream>);

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            match line.trim_end_matches('\n').split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("data", json)) => event.data = serde_json::from_str(json).expect("JSON"),
                Some(("" | "retry", _)) => {}
                // An empty line ends an event, where there is one.
                None if !line.trim().is_empty() => panic!("{line:?} is no line of an event"),
                None if event.id.is_empty() => {}
                None => return Some(event),
                Some(_) => panic!("{line:?} is no line of an event"),
            }
        }
    }
}
