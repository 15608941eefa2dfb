//! A counter in a file, that whoever holds the file's lock reads, adds one to and writes; and other processes that do so.

use crate::subjects::disk;
use server::fs::disk::DiskFileSystem;
use server::fs::{FileSystem, Open};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tokio::runtime::Builder;

/// The file.
const COUNTER: &str = "counter";

/// Bytes of its number.
const NUMBER_BYTES: usize = 8;

/// What a holding process is told by; the folder follows.
const HOLD: &str = "--hold";

/// Holds the lock once, and counts that.
pub(crate) async fn hold(disk: &DiskFileSystem) -> io::Result<()> {
    let file = disk.open(COUNTER, Open::ReadWriteOrCreate).await?;
    disk.lock(&file).await?;
    let mut content = Vec::with_capacity(NUMBER_BYTES);
    disk.read(&file, &mut content, NUMBER_BYTES).await?;
    disk.rewind(&file).await?;
    let written = disk.write(&file, &(number(&content) + 1).to_le_bytes()).await?;
    disk.unlock(&file).await?;
    if written == NUMBER_BYTES { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// The number in the file: 0 where nobody has counted yet.
fn number(content: &[u8]) -> u64 {
    content.try_into().map(u64::from_le_bytes).unwrap_or_default()
}

/// What was counted in a folder.
pub(crate) fn counted(folder: &Path) -> u64 {
    number(&std::fs::read(folder.join(COUNTER)).unwrap_or_default())
}

/// Whether this process is one that holds the lock for another.
pub(crate) fn is_one() -> bool {
    std::env::args_os().any(|argument| argument == HOLD)
}

/// Holds the lock as often as each line of standard input says, and answers each, until it ends.
pub(crate) fn hold_as_told() {
    let folder = std::env::args_os().skip_while(|argument| argument != HOLD).nth(1).map(PathBuf::from);
    let disk = disk(&folder.expect("a folder"));
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for line in io::stdin().lines() {
        let times: u64 = line.expect("a line").parse().expect("a number");
        runtime.block_on(async {
            for _ in 0..times {
                hold(&disk).await.expect("the counter can be written");
            }
        });
        println!("held");
    }
}

/// A process that holds the lock when it is told to, until it is dropped.
pub(crate) struct Holder {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Holder {
    /// Starts one; it is ready when it has answered.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.arg(HOLD).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (orders, answers) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let mut holder = Self { child, orders, answers: BufReader::new(answers) };
        holder.order(0);
        holder.wait();
        holder
    }

    /// Has it hold the lock so many times.
    pub(crate) fn order(&mut self, times: u64) {
        let orders = self.orders.as_mut().expect("not dropped yet");
        writeln!(orders, "{times}").expect("it listens");
    }

    /// Waits until it has.
    pub(crate) fn wait(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim(), "held", "a process that holds the lock failed");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // The end of its orders ends it.
        self.orders = None;
        let _ = self.child.wait();
    }
}
