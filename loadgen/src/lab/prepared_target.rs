//! A target from its preflight to its clean-up: the same for every command.

use crate::lab::clean_up::{announce, clean_up};
use crate::lab::{Effort, Lab, preflight};
use crate::print::stderr;
use crate::reference::{Embedded, Launcher, Protocol};
use anyhow::{Context, ensure};
use engine::client::Target;
use engine::saves_folder::SavesFolder;
use report::left_behind;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is tried, measured or loaded.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The reference server, embedded, with this protocol.
    Embedded(Protocol),
    /// A server that is there.
    Server {
        /// Where.
        target: Box<Target>,
        /// Its saves folder, if it is known.
        saves: Option<SavesFolder>,
        /// Whether it may hold documents of others.
        consent: bool,
    },
}

impl Subject {
    /// The protocol, if it is known.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static str> {
        match self {
            Self::Embedded(protocol) => Some(protocol.name()),
            Self::Server { .. } => None,
        }
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.protocol().unwrap_or("target")
    }
}

/// How a command uses its target.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Users of experiments that do not name their own number.
    pub users: usize,
    /// Seed of all randomness of the harness.
    pub seed: u64,
    /// How long experiments may take.
    pub effort: Effort,
    /// Whether experiments read and fill the saves folder of an embedded server.
    pub uses_folder: bool,
}

/// A target that passed the preflight.
pub struct PreparedTarget {
    /// What experiments on it share.
    pub lab: Arc<Lab>,
    /// The server, if it was started for this.
    pub server: Option<Embedded>,
}

impl PreparedTarget {
    /// Starts the embedded server, or takes the one that is there. Logs go to the folder `out`.
    ///
    /// # Errors
    /// If the server cannot be started, or the target fails the preflight.
    pub async fn open(subject: &Subject, out: &Path, settings: Settings) -> anyhow::Result<Self> {
        match subject {
            Subject::Embedded(protocol) => {
                let log = out.join(format!("server-{}.log", protocol.name()));
                Self::start(&Launcher::new(*protocol, log), settings).await
            }
            Subject::Server { target, saves, consent } => {
                Self::take(Target::clone(target), saves.clone(), *consent, settings).await
            }
        }
    }

    /// Takes a server that is there.
    ///
    /// # Errors
    /// If it fails the preflight.
    pub async fn take(
        target: Target,
        saves: Option<SavesFolder>,
        consent: bool,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        Self::inspect(settings.lab(target, saves), consent, None).await
    }

    /// Starts a server on a temporary saves folder.
    ///
    /// # Errors
    /// As [`PreparedTarget::open`].
    pub async fn start(launcher: &Launcher, settings: Settings) -> anyhow::Result<Self> {
        let server = Embedded::start(launcher).await?;
        let target = server.target().map_err(anyhow::Error::msg)?;
        let folder = settings.uses_folder.then(|| SavesFolder::open(server.saves())).transpose();
        let lab = settings.lab(target, folder.map_err(anyhow::Error::msg)?);
        Self::inspect(Lab { launcher: Some(launcher.apart()), ..lab }, true, Some(server)).await
    }

    async fn inspect(mut lab: Lab, consent: bool, server: Option<Embedded>) -> anyhow::Result<Self> {
        preflight::look(&mut lab, consent).await?;
        Ok(Self { lab: Arc::new(lab), server })
    }

    /// What is left if this program ends before the clean-up; nothing of an embedded server, whose folder is temporary.
    #[must_use]
    pub fn may_be_left(&self) -> LeftBehind {
        match self.server {
            Some(_) => LeftBehind { target: Arc::clone(&self.lab.target), keys: Vec::new() },
            None => LeftBehind::on(&self.lab),
        }
    }

    /// Stops an embedded server and removes its folder, or cleans up. When `stop` is cancelled, the clean-up is cut short.
    ///
    /// # Errors
    /// If an embedded server cannot be stopped, or its folder not be removed.
    pub async fn leave(self, stop: &CancellationToken) -> anyhow::Result<LeftBehind> {
        let keys = match self.server {
            Some(server) => {
                server.stop().await.context("the embedded server could not be cleaned up")?;
                Vec::new()
            }
            None => clean_up(&self.lab, stop).await,
        };
        Ok(LeftBehind { target: Arc::clone(&self.lab.target), keys })
    }

    /// As [`PreparedTarget::leave`], for commands whose report does not list what is left: it is printed.
    ///
    /// # Errors
    /// As [`PreparedTarget::leave`], and if a document of ours may be left.
    pub async fn leave_or_fail(self, stop: &CancellationToken) -> anyhow::Result<()> {
        let left = self.leave(stop).await?;
        left.print();
        ensure!(left.keys.is_empty(), "not everything could be removed from {}", left.target.url());
        Ok(())
    }
}

impl Settings {
    fn lab(self, target: Target, folder: Option<SavesFolder>) -> Lab {
        Lab::new(target, folder, self.users, self.seed, self.effort)
    }
}

/// Leaves targets as they were, and returns the report. `keep` enters in it what may be left on each target, and writes it:
/// before the clean-up, which may be cut short, and after it. If there is no report, or it cannot be written, the targets are
/// left all the same, and what may be left is printed.
///
/// # Errors
/// As [`PreparedTarget::leave`]; if there is no report, or it cannot be written.
pub async fn leave_all<R>(
    targets: Vec<PreparedTarget>,
    report: anyhow::Result<R>,
    keep: impl Fn(&mut R, Vec<LeftBehind>) -> anyhow::Result<()>,
    out: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<R> {
    let kept = |report: anyhow::Result<R>, left: &[LeftBehind]| {
        report.and_then(|mut report| keep(&mut report, left.to_vec()).map(|()| report))
    };
    let may_be_left: Vec<LeftBehind> = targets.iter().map(PreparedTarget::may_be_left).collect();
    let report = kept(report, &may_be_left);
    if report.is_ok() {
        announce(stop, out);
    }
    let mut left = Vec::new();
    for target in targets {
        left.push(target.leave(stop).await?);
    }
    let report = kept(report, &left);
    if report.is_err() {
        left.iter().for_each(LeftBehind::print);
    }
    report
}

/// Documents of ours that may be left on a target.
#[derive(Clone, Debug)]
pub struct LeftBehind {
    target: Arc<Target>,
    /// Their keys.
    pub keys: Vec<String>,
}

impl LeftBehind {
    /// What is to be removed from a target by a clean-up.
    #[must_use]
    pub fn on(lab: &Lab) -> Self {
        Self { target: Arc::clone(&lab.target), keys: lab.may_be_left() }
    }

    /// A shell command that deletes them; `None` without keys.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        left_behind::command(&self.target.delete_url_to_give(), &self.keys)
    }

    /// Prints them to standard error, if there are any.
    pub fn print(&self) {
        for line in left_behind::lines(&self.keys, self.command().as_deref(), self.target.url().as_str()) {
            stderr!("{line}");
        }
    }
}

#[cfg(test)]
mod tests;
