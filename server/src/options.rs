//! What a server can be told on the command line, and how it is put together from that.

use crate::control::{Control, Faults};
use crate::fs::disk::{DiskFileSystem, DiskOptions};
use crate::fs::forgetting::Forgetting;
use crate::fs::memory::Called;
use crate::fs::{Around, FileSystem, Retrying};
use crate::http::{self, Limits, pages::Pages};
use crate::keys::KeySpace;
use crate::outside::{RealWorld, SharedHint};
use crate::protocol::{Documented, DocumentedOptions, Durability, Hardened, Protocol, Rules, World};
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

/// How a server is started; see `server --help`.
#[derive(Args, Clone, Debug)]
pub struct ServerOptions {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8036")]
    pub listen: SocketAddr,
    /// The saves folder
    #[arg(long, value_name = "DIR", default_value = "saves")]
    pub saves: PathBuf,
    /// The protocol: the specification's to the letter, or the one that keeps its promises
    #[arg(long, value_enum, default_value_t = ProtocolName::Hardened)]
    pub protocol: ProtocolName,
    /// What an acknowledged save survives: the death of the process, or the loss of power too (hardened only)
    #[arg(long, value_enum, default_value_t = DurabilityName::Process)]
    pub durability: DurabilityName,
    /// Characters in a key, 3 to 8
    #[arg(long, value_name = "N", default_value = "3", value_parser = key_space)]
    pub key_length: KeySpace,
    /// A type slug that documents may have; may be given again [default: the specification's eight]
    #[arg(long = "type", value_name = "SLUG")]
    pub types: Vec<String>,
    /// How long a key that was handed out and never instantiated stays reserved (hardened only)
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    pub reservation_ttl: Duration,
    /// How long a lock held by another is waited for before the answer is an error; `forever` as PHP does
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = lock_wait)]
    pub lock_wait: LockWait,
    /// Answer success without looking whether the write succeeded, as the specification does (documented only)
    #[arg(long)]
    pub unchecked_writes: bool,
    /// Connections served at once; further ones are answered 503 `Server busy`
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    pub max_connections: usize,
    /// Longest request body in bytes; a longer one is answered 413
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body_bytes)]
    pub max_body_bytes: usize,
    /// What is logged to standard error: a level, or the filters of the `tracing` crates
    #[arg(long, value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub log: String,
    /// Shut down when standard input ends: a server that was started by a program ends with it
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
    /// Hold each answer back for so long, in which its thread computes: a server that is slower by a known share
    #[arg(long, hide = true, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration)]
    pub hold_back: Duration,
    /// What standard input can do to the disk, until it ends; as `control.rs` has it
    #[arg(long, hide = true, value_enum)]
    pub control: Option<ControlName>,
}

/// Name of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtocolName {
    /// The specification's.
    Documented,
    /// The one that keeps its promises.
    Hardened,
}

/// Name of a [`Durability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DurabilityName {
    /// The death of the process
    Process,
    /// The loss of power too: each answer waits for the disk
    Disk,
}

/// What a harness can do to the server's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ControlName {
    /// Have its calls fail.
    Faults,
    /// Cut its power. The files are in memory, loaded from the saves folder.
    Power,
}

/// How long a lock is waited for; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockWait(pub Option<Duration>);

/// The specification's types.
const DEFAULT_TYPES: [&str; 8] = ["demo", "word", "powerpoint", "excel", "docs", "slides", "camtasia", "dojo"];

impl ServerOptions {
    /// Runs the server until it is told to stop (SIGINT or SIGTERM), and what was accepted is finished.
    ///
    /// # Errors
    /// Where it cannot be set up: the address is taken, say.
    pub fn serve(self) -> anyhow::Result<()> {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&self.log)).with_writer(std::io::stderr);
        // It would report a closed standard error on standard error, and panic.
        log.log_internal_errors(false).init();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = runtime.block_on(self.serve_disk());
        // A lock that another process holds may have a thread of ours wait for it, for ever; what was accepted is
        // finished, or has had its time.
        runtime.shutdown_background();
        outcome
    }

    async fn serve_disk(self) -> anyhow::Result<()> {
        if self.control == Some(ControlName::Power) {
            let disk = Forgetting::load(&self.saves, || RealWorld.now_ms());
            let disk = disk.with_context(|| format!("cannot load {}", self.saves.display()))?;
            let control = Control::Power { disk: disk.clone(), saves: self.saves.clone() };
            return self.serve_protocol(Around::new(Called(disk), Retrying), Some(control)).await;
        }
        let disk = DiskFileSystem::new(self.saves.clone(), DiskOptions { lock_wait: self.lock_wait.0 });
        // One type of file system whether it can be made to fail or not: each costs its own copy of the server.
        let faults = self.control.map(|_| Faults::default());
        let control = faults.clone().map(Control::Faults);
        self.serve_protocol(Around::new(Around::new(disk, faults), Retrying), control).await
    }

    async fn serve_protocol<F: FileSystem + 'static>(self, files: F, control: Option<Control>) -> anyhow::Result<()> {
        let rules = Rules { keys: self.key_length, types: self.types() };
        match self.protocol {
            ProtocolName::Documented => {
                let options = DocumentedOptions { checks_writes: !self.unchecked_writes };
                self.serve_on(Documented::new(files, RealWorld, rules, options), control).await
            }
            ProtocolName::Hardened => {
                if !files.can_exchange() {
                    warn!(
                        "this file system cannot exchange two names; saves are put in place by renaming, which is slower on some"
                    );
                }
                files.create_folder().await.with_context(|| format!("cannot create {}", self.saves.display()))?;
                let durability = match self.durability {
                    DurabilityName::Process => Durability::Process,
                    DurabilityName::Disk => Durability::Disk,
                };
                let hint = SharedHint::new(self.key_length);
                let protocol = Hardened::new(files, RealWorld, hint, rules, durability);
                if let Err(error) = protocol.create_lock_files().await {
                    warn!(%error, "cannot create the lock files; if this disk is full, not every document can be deleted");
                }
                protocol.read_hint().await?;
                self.serve_on(protocol, control).await
            }
        }
    }

    async fn serve_on<P: Protocol>(&self, protocol: P, control: Option<Control>) -> anyhow::Result<()> {
        let limits = Limits {
            connections: self.max_connections,
            body_bytes: self.max_body_bytes,
            hold_back: self.hold_back,
            ..Limits::default()
        };
        let listener = tokio::net::TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}; choose another address with --listen", self.listen))?;
        let address = listener.local_addr()?;
        let pages = Pages::new(&self.types(), self.key_length.length());
        let server = http::Server::new(protocol, limits, pages);
        server.raise_open_file_limit();
        server.sweep_reservations(self.reservation_ttl);
        // Standard input has one reader.
        let stop = http::told_to_stop(self.until_stdin_closes && control.is_none());
        let controlled = control.map(Control::listen);
        let stop = async {
            match controlled {
                None => stop.await,
                Some(ended) => tokio::select! { () = stop => {}, () = ended => {} },
            }
        };
        // Standard output may be closed.
        let _ = writeln!(std::io::stdout(), "listening on http://{address}");
        info!(%address, saves = %self.saves.display(), protocol = ?self.protocol, durability = ?self.durability, "ready");
        server.run(listener, stop).await;
        info!("stopped");
        Ok(())
    }

    fn types(&self) -> Vec<String> {
        if self.types.is_empty() { DEFAULT_TYPES.map(str::to_owned).to_vec() } else { self.types.clone() }
    }
}

fn key_space(text: &str) -> Result<KeySpace, String> {
    text.parse().ok().and_then(KeySpace::new).ok_or_else(|| "a key has 3 to 8 characters".to_owned())
}

fn lock_wait(text: &str) -> Result<LockWait, String> {
    if text == "forever" {
        return Ok(LockWait(None));
    }
    let wait = humantime::parse_duration(text);
    wait.map(|wait| LockWait(Some(wait))).map_err(|error| format!("{error}; give a time such as 5s, or forever"))
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_wait_is_a_time_or_forever() {
        assert_eq!(lock_wait("250ms"), Ok(LockWait(Some(Duration::from_millis(250)))));
        assert_eq!(lock_wait("forever"), Ok(LockWait(None)));
        assert!(lock_wait("5").is_err());
    }

    #[test]
    fn a_key_length_is_three_to_eight() {
        assert!(key_space("3").is_ok() && key_space("8").is_ok());
        assert!(["2", "9", "three", ""].iter().all(|text| key_space(text).is_err()));
    }
}
