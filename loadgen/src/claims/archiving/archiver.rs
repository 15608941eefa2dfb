//! How old sessions are archived: as the specification says, or as `loadgen saves archive` does it.

use crate::lab::Stuck;
use crate::saves::archive::archive;
use engine::saves_folder::SavesFolder;
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// "> 30 days", as find counts them and as we do.
const DAYS: &str = "+30";
const AGE: Duration = Duration::from_hours(24 * 30);

/// The first of the lock files that the hardened protocol keeps in its folder.
const HARDENED_LOCK_FILE: &str = ".lock-00";

/// A way to archive old sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archiver {
    /// `find … -exec mv`.
    Specification,
    /// `loadgen saves archive`.
    Ours,
}

impl fmt::Display for Archiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Specification => "find … -mtime +30 -exec mv",
            Self::Ours => "loadgen saves archive",
        })
    }
}

impl Archiver {
    /// What a folder's operator would use: ours where the folder has the lock files that it takes.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub(super) fn of(folder: &SavesFolder) -> Result<Self, Stuck> {
        let is_hardened = folder.names()?.iter().any(|name| name == HARDENED_LOCK_FILE);
        Ok(if is_hardened { Self::Ours } else { Self::Specification })
    }

    /// Archives what is old, of all documents or of some only.
    ///
    /// # Errors
    /// Where that cannot be done at all.
    pub(super) async fn run(self, folder: &SavesFolder, archive: &Path, only: Option<&[String]>) -> Result<(), Stuck> {
        match self {
            Self::Specification => find(folder.path(), archive, only).await,
            Self::Ours => ours(folder, archive).await,
        }
    }
}

/// An empty folder on the same file system, as `archives/` is beside `saves/`, where one can be made there.
pub(super) fn folder_beside(folder: &SavesFolder) -> Result<TempDir, Stuck> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("claimcheck-archives-");
    let beside = folder.path().parent().and_then(|parent| builder.tempdir_in(parent).ok());
    Ok(beside.map_or_else(|| builder.tempdir(), Ok)?)
}

async fn find(saves: &Path, archive: &Path, only: Option<&[String]>) -> Result<(), Stuck> {
    let mut command = Command::new("find");
    command.arg(saves);
    match only {
        None => {
            command.args(["-name", "*.json"]);
        }
        Some(keys) => {
            command.arg("(");
            for (number, key) in keys.iter().enumerate() {
                command.args(if number > 0 { &["-o", "-name"][..] } else { &["-name"] }).arg(format!("{key}.json"));
            }
            command.arg(")");
        }
    }
    command.args(["-mtime", DAYS, "-exec", "mv", "{}"]).arg(archive).arg(";");
    // It complains of files that went away under it, which is no failure of ours.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let ended = command.status().await;
    ended.map(|_| ()).map_err(|error| Stuck(format!("the specification's find cannot be run: {error}")))
}

async fn ours(saves: &SavesFolder, to: &Path) -> Result<(), Stuck> {
    let (saves, to) = (saves.clone(), to.to_owned());
    let archiving = tokio::task::spawn_blocking(move || archive(&saves, &to, AGE));
    let archived = archiving.await.map_err(|lost| Stuck(lost.to_string()))?;
    let failed = archived.map(|archived| archived.failed.into_iter().next());
    match failed {
        Ok(None) => Ok(()),
        Ok(Some((name, error))) => Err(Stuck(format!("loadgen saves archive: {name}: {error:#}"))),
        Err(error) => Err(Stuck(format!("loadgen saves archive: {error:#}"))),
    }
}
