//! The server's own binary as a child process.

use super::{Answer, Connection, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// Starts what follows in a process whose files may not grow beyond so many blocks (of 512 or 1,024 bytes); what is
/// written beyond fails, as on a full disk.
const UNDER_FILE_SIZE_LIMIT: &str = r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#;

/// A server that is ready; it is killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// The server ends with its end, where it was started so.
    stdin: Option<ChildStdin>,
    /// Kept open, so that the server can go on writing to it.
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    saves: PathBuf,
    own_folder: Option<TempDir>,
}

impl Server {
    /// A server with a saves folder of its own.
    pub(crate) fn new(protocol: &str, flags: &[&str]) -> Self {
        Self::in_new_folder(|saves| Self::command(saves, protocol, flags))
    }

    /// A server on this saves folder, which may have others.
    pub(crate) fn on(saves: &Path, protocol: &str, flags: &[&str]) -> Self {
        Self::launch(&mut Self::command(saves, protocol, flags), saves)
    }

    /// A server with a saves folder of its own, that can write no file longer than so many blocks.
    pub(crate) fn under_file_size_limit(blocks: u32, protocol: &str, flags: &[&str]) -> Self {
        Self::in_new_folder(|saves| {
            let starter = ["sh", "-c", UNDER_FILE_SIZE_LIMIT, &blocks.to_string()];
            Self::after(&starter, &Self::command(saves, protocol, flags))
        })
    }

    /// A server that another program becomes in the end, which is given the server's command line.
    pub(crate) fn started_by(starter: &[&str], saves: &Path, protocol: &str, flags: &[&str]) -> Self {
        Self::launch(&mut Self::after(starter, &Self::command(saves, protocol, flags)), saves)
    }

    fn after(starter: &[&str], server: &Command) -> Command {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(server.get_program()).args(server.get_args());
        command
    }

    /// The command that starts a server on any free port.
    pub(crate) fn command(saves: &Path, protocol: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["--listen", "127.0.0.1:0", "--log", "error", "--protocol", protocol, "--saves"]);
        command.arg(saves).args(flags);
        command
    }

    fn in_new_folder(command: impl FnOnce(&Path) -> Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self::launch(&mut command(folder.path()), folder.path());
        server.own_folder = Some(folder);
        server
    }

    fn launch(command: &mut Command, saves: &Path) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line or the end");
        let address = line.strip_prefix("listening on http://").and_then(|rest| rest.trim_end().parse().ok());
        let address = address.unwrap_or_else(|| panic!("{command:?} said {line:?}"));
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, address, saves: saves.to_owned(), own_folder: None }
    }

    /// A file in the saves folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.saves.join(name)
    }

    /// The saves folder.
    pub(crate) fn saves(&self) -> &Path {
        &self.saves
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).expect("the server accepts")
    }

    /// One request on a connection of its own.
    pub(crate) fn request(&self, method: &str, target: &str, body: &str) -> Answer {
        let mut connection = self.connect();
        connection.send(method, target, body);
        connection.receive()
    }

    /// GET of an operation, with its query.
    pub(crate) fn get(&self, operation: &str) -> Answer {
        self.request("GET", &format!("/php/api/{operation}"), "")
    }

    /// POST to an operation.
    pub(crate) fn post(&self, operation: &str, body: &str) -> Answer {
        self.request("POST", &format!("/php/api/{operation}"), body)
    }

    /// Restores a document.
    pub(crate) fn restore(&self, key: &str) -> Answer {
        self.get(&format!("restore?sessionKey={key}"))
    }

    /// Deletes a document.
    pub(crate) fn delete(&self, key: &str) -> Answer {
        self.request("DELETE", &format!("/php/api/delete?session={key}"), "")
    }

    /// The value that `/metrics` shows for a counter with its labels; 0 where it is not there yet.
    pub(crate) fn counted(&self, counter: &str) -> u64 {
        let answer = self.request("GET", "/metrics", "");
        let value = answer.text().lines().find_map(|line| line.strip_prefix(counter)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().expect("a count"))
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the server is there");
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until nobody listens any more.
    pub(crate) fn wait_until_it_refuses(&self) {
        eventually("new connections are refused", || Connection::open(self.address).is_err().then_some(()));
    }

    /// Waits until the process has ended.
    pub(crate) fn wait_until_it_ends(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().expect("it is our child"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
