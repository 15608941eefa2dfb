//! `loadgen saves`

use crate::print::{stderr, stdout};
use crate::saves::{Fill, Filler, archive};
use anyhow::{Context, bail};
use clap::Subcommand;
use contract::document::{Document, REAL_STATE_BYTES};
use contract::key::KEY_CHARACTERS;
use contract::visible;
use engine::saves_folder::SavesFolder;
use engine::saves_folder::key_of;
use stats::keys::THREE_CHARACTER_KEYS;
use stats::statistics::uniformity;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Exit code of an audit that found something wrong, and of an archiving that left documents behind.
const DAMAGED: u8 = 1;
const INCOMPLETE: u8 = 1;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count the active sessions, as `ls -1 saves/*.json | wc -l` does
    Count {
        /// The saves folder
        #[arg(long, value_name = "DIR", default_value = "saves")]
        saves: PathBuf,
    },
    /// Show how keys are distributed, and find damaged documents, strays and lock files; exit 1 where there are any
    Audit {
        /// The saves folder
        #[arg(long, value_name = "DIR", default_value = "saves")]
        saves: PathBuf,
    },
    /// Move documents that were not saved for long to another folder, under the hardened protocol's locks: a session
    /// that is saved meanwhile stays. Exit 1 if one cannot be moved; the others are
    Archive {
        /// The saves folder
        #[arg(long, value_name = "DIR", default_value = "saves")]
        saves: PathBuf,
        /// Where they go
        #[arg(long, value_name = "DIR", default_value = "archives")]
        to: PathBuf,
        /// How long ago they were last saved
        #[arg(long, value_name = "TIME", default_value = "30days", value_parser = humantime::parse_duration)]
        older_than: Duration,
    },
    /// Fill a folder with documents of real size under random keys, until it holds so many
    Fill {
        /// The saves folder; it is created where it is not there
        #[arg(long, value_name = "DIR", default_value = "saves")]
        saves: PathBuf,
        /// How many documents it is to hold, at most 46,656
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=THREE_CHARACTER_KEYS as u64))]
        to: u64,
        /// Seed of the keys
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
    },
}

/// Runs a command; answers the exit code.
///
/// # Errors
/// Where the folder cannot be used.
pub fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Count { saves } => {
            stdout!("{}", open(&saves)?.json_names()?.len());
            Ok(0)
        }
        Command::Audit { saves } => audit(&open(&saves)?),
        Command::Archive { saves, to, older_than } => {
            let archived = archive::archive(&open(&saves)?, &to, older_than)?;
            stdout!("{} documents archived to {}", archived.keys.len(), to.display());
            for (name, error) in &archived.failed {
                stderr!("not archived: {name}: {error:#}");
            }
            Ok(if archived.failed.is_empty() { 0 } else { INCOMPLETE })
        }
        Command::Fill { saves, to, seed } => fill(&saves, usize::try_from(to)?, seed),
    }
}

fn open(saves: &Path) -> anyhow::Result<SavesFolder> {
    SavesFolder::open(saves).map_err(anyhow::Error::msg).context("--saves")
}

fn fill(saves: &Path, to: usize, seed: u64) -> anyhow::Result<u8> {
    std::fs::create_dir_all(saves).with_context(|| format!("cannot create {}", saves.display()))?;
    let mut filler = Filler::new(open(saves)?, seed, Fill::Documents { state_bytes: REAL_STATE_BYTES });
    let there = filler.fill_to(to).with_context(|| format!("cannot fill {}", saves.display()))?;
    let added = filler.keep();
    if there > to {
        bail!("{} holds {there} documents already, more than {to}; none was removed", saves.display());
    }
    stdout!("{} holds {there} documents, {added} of them new", saves.display());
    Ok(0)
}

fn audit(folder: &SavesFolder) -> anyhow::Result<u8> {
    let (mut documents, mut reservations, mut problems) = (0, 0, Vec::new());
    let mut counts = [0_u64; 36];
    for name in folder.json_names()? {
        let Some(stem) = key_of(&name) else {
            problems.push(format!("stray: {name} is named as no key is"));
            continue;
        };
        let read = folder.read(stem);
        if read.is_ok() {
            counts[KEY_CHARACTERS.iter().position(|&c| c == stem.as_bytes()[0]).unwrap_or_default()] += 1;
        }
        match read {
            Ok(text) if text.is_empty() => reservations += 1,
            Ok(text)
                if Document::parse(&text).is_some_and(|document| document.session_key.as_deref() == Some(stem)) =>
            {
                documents += 1;
            }
            Ok(_) => problems.push(format!("damaged: {name} is not a whole document of its key")),
            Err(error) => problems.push(format!("unreadable: {name}: {error}")),
        }
    }
    problems.extend(folder.search_locks().into_iter().map(|found| match found {
        Ok(path) => format!("lock file: {}", path.display()),
        Err(error) => format!("unreadable: {error}"),
    }));
    stdout!("{documents} documents, {reservations} empty (handed out, not yet saved)");
    let total: u64 = counts.iter().sum();
    for (&character, count) in KEY_CHARACTERS.iter().zip(counts) {
        stdout!("{:>7} {}", count, char::from(character));
    }
    if total >= 5 * 36 {
        let fit = uniformity(&counts, Some(THREE_CHARACTER_KEYS as u64).filter(|&space| space > total));
        stdout!("first characters: chi-square {:.1} on 35 degrees of freedom, p = {:.3}", fit.statistic, fit.p);
    }
    problems.iter().for_each(|problem| stdout!("{}", visible(problem)));
    Ok(if problems.is_empty() { 0 } else { DAMAGED })
}
