//! The reference server, as the harness uses it.
//!
//! Architecture invariant: this is the only file of the harness that knows the `server` crate, so that a verdict on
//! any other server is worth as much. [`process`] knows its command line.

pub mod process;

use anyhow::Context;
use clap::ValueEnum;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::keys::KeySpace;
use server::outside::{RealWorld, SharedHint};
use server::protocol::{Durability, Hardened, Rules};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use process::{Disk, Embedded, Launcher, Process};
pub use server::ServerOptions;

/// How long archiving waits for a document that is being saved.
const ARCHIVE_LOCK_WAIT: Duration = Duration::from_secs(30);

/// Where a Linux system keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// The protocols of the reference server.
// Without comments on them: they would be in the help of options.
#[allow(missing_docs, reason = "see above")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    Documented,
    Hardened,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Documented, Self::Hardened];

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
/// hardened protocol's saves take. Returns for each key whether its document was moved, or why it could not be. Only
/// three-character keys have a lock.
///
/// # Errors
/// If the protocol cannot be set up.
pub fn archive(
    saves: &Path,
    keys_there: Vec<String>,
    saved_before: SystemTime,
    move_away: impl Fn(&str) -> io::Result<()> + Send + Sync,
) -> anyhow::Result<Vec<(String, anyhow::Result<bool>)>> {
    let before_ms = saved_before.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let before_ms = u64::try_from(before_ms).unwrap_or(u64::MAX);
    let keys = KeySpace::new(3).context("three-character keys")?;
    let disk = DiskFileSystem::new(saves.to_owned(), DiskOptions { lock_wait: Some(ARCHIVE_LOCK_WAIT) });
    let rules = Rules { keys, types: Vec::new() };
    let protocol = Hardened::new(disk, RealWorld, SharedHint::new(keys), rules, Durability::Process);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let with_locks = keys_there.into_iter().filter_map(|name| keys.parse(&name).map(|key| (name, key)));
    let archive = |(name, key)| {
        let outcome = runtime.block_on(protocol.archive(key, before_ms, &move_away));
        (name, outcome.map_err(anyhow::Error::new))
    };
    Ok(with_locks.map(archive).collect())
}

/// A saves folder for a server of our own: where `TMPDIR` says, or else in memory, where that can be had. The experiments
/// create and remove some hundred thousand files; a disk that is busy with that for minutes says nothing of a protocol.
///
/// # Errors
/// Where none can be made.
pub fn temporary_folder() -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("claimcheck-");
    let in_memory = std::env::var_os("TMPDIR").is_none().then(|| builder.tempdir_in(IN_MEMORY));
    in_memory
        .and_then(Result::ok)
        .map_or_else(|| builder.tempdir(), Ok)
        .context("cannot create a temporary saves folder")
}
