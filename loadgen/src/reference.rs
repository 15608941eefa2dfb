//! The reference server, as the harness uses it.
//!
//! Architecture invariant: this is the only file of the harness that knows the `server` crate, so that a verdict on
//! any other server is worth as much.

use crate::client::Target;
use crate::client::target::DEFAULT_PATH_TEMPLATE;
use anyhow::{Context, bail};
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::keys::KeySpace;
use server::outside::{RealWorld, SharedHint};
use server::protocol::{Durability, Hardened, Rules};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub use server::ServerOptions;

/// How long an embedded server may take to say that it listens, and to end.
const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(12);

/// How long archiving waits for a document that is being saved.
const ARCHIVE_LOCK_WAIT: Duration = Duration::from_secs(30);

/// Where a Linux system keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// What a server prints when it is ready, before its URL.
const READY: &str = "listening on ";

/// The protocols of the reference server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// As documented.
    Documented,
    /// Hardened.
    Hardened,
}

impl Protocol {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Hardened => "hardened",
        }
    }
}

/// Runs the reference server in this process, until it is told to stop.
///
/// # Errors
/// Where it cannot be set up.
pub fn serve(options: ServerOptions) -> anyhow::Result<()> {
    options.serve()
}

/// Has `move_away` take documents last saved before a time out of a saves folder, each under the lock that the
/// hardened protocol's saves take; answers their keys.
///
/// # Errors
/// Where the folder cannot be used.
pub fn archive(
    saves: &Path,
    saved_before: SystemTime,
    move_away: impl Fn(&str) -> io::Result<()> + Send + Sync,
) -> anyhow::Result<Vec<String>> {
    let before_ms = saved_before.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let before_ms = u64::try_from(before_ms).unwrap_or(u64::MAX);
    let keys = KeySpace::new(3).context("three-character keys")?;
    let disk = DiskFileSystem::new(saves.to_owned(), DiskOptions { lock_wait: Some(ARCHIVE_LOCK_WAIT) });
    let rules = Rules { keys, types: Vec::new() };
    let protocol = Hardened::new(disk, RealWorld, SharedHint::new(keys), rules, Durability::Process);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let archived = runtime.block_on(protocol.archive(before_ms, move_away));
    let archived = archived.with_context(|| format!("cannot archive from {}", saves.display()))?;
    Ok(archived.iter().map(ToString::to_string).collect())
}

/// A reference server in a child process of its own, with a saves folder of its own.
#[derive(Debug)]
pub struct Embedded {
    child: Child,
    saves: tempfile::TempDir,
    url: String,
}

impl Embedded {
    /// Starts one: this very program, told to serve. Its log goes to a file.
    ///
    /// # Errors
    /// Where it cannot be started, or does not come to listen.
    pub async fn start(protocol: Protocol, log: &Path) -> anyhow::Result<Self> {
        let saves = temporary_folder()?;
        let program = std::env::current_exe().context("cannot find this program, to start it as a server")?;
        let log_file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--until-stdin-closes"])
            .args(["--protocol", protocol.name(), "--saves"])
            .arg(saves.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            // Ctrl-C goes to the whole process group; the server must outlive it, to be cleaned up after.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the embedded server")?;
        let output = child.stdout.take().context("the embedded server has no output")?;
        let mut line = String::new();
        let mut output = BufReader::new(output);
        let ready = tokio::time::timeout(START, output.read_line(&mut line)).await;
        let Some(url) = line.trim_end().strip_prefix(READY).filter(|_| matches!(ready, Ok(Ok(_)))) else {
            bail!("the embedded server did not come to listen; see {}", log.display());
        };
        let url = url.to_owned();
        Ok(Self { child, saves, url })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Where it said something that is no URL.
    pub fn target(&self) -> Result<Target, String> {
        Target::new(&self.url, DEFAULT_PATH_TEMPLATE)
    }

    /// Its saves folder.
    #[must_use]
    pub fn saves(&self) -> &Path {
        self.saves.path()
    }

    /// Ends it, and removes its folder.
    ///
    /// # Errors
    /// Where the process cannot be ended or the folder not be removed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        // It ends when its standard input does.
        drop(self.child.stdin.take());
        if tokio::time::timeout(END, self.child.wait()).await.is_err() {
            self.child.kill().await.context("cannot end the embedded server")?;
        }
        let path = self.saves.path().to_owned();
        tokio::task::spawn_blocking(move || self.saves.close())
            .await?
            .with_context(|| format!("cannot remove the temporary saves folder {}", path.display()))
    }
}

/// A saves folder for an embedded server: where `TMPDIR` says, or else in memory, where that can be had. The experiments
/// create and remove some hundred thousand files; a disk that is busy with that for minutes says nothing of a protocol.
fn temporary_folder() -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("claimcheck-");
    let in_memory = std::env::var_os("TMPDIR").is_none().then(|| builder.tempdir_in(IN_MEMORY));
    in_memory
        .and_then(Result::ok)
        .map_or_else(|| builder.tempdir(), Ok)
        .context("cannot create a temporary saves folder")
}
