//! O4: old sessions archived while people save.
//!
//! - [`archiver`]: the specification's command, or ours.
//! - [`judgement`]: what must be where afterwards.

mod archiver;
mod judgement;

use super::seen::Seen;
use super::{Claim, Expectation, Expected, Needs, Phase};
use crate::lab::{Lab, Stuck, at_once};
use archiver::Archiver;
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::Exchange;
use engine::saves_folder::SavesFolder;
use rand::seq::SliceRandom;
use record::claims::ClaimId;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Old documents of a round that somebody comes back to while they are archived, and such that nobody does.
const RETURNED_TO: usize = 120;
const LEFT_ALONE: usize = 10;

/// Documents that are not old, and keys that were only handed out.
const YOUNG: usize = 10;
const HANDED_OUT: usize = 5;

/// Users who come back.
const SAVERS: usize = 8;

/// "Archive old sessions (> 30 days)"
const OLD: Duration = Duration::from_hours(24 * 40);

/// A file that is no document, and as old.
const NO_DOCUMENT: &str = "notes.json";

/// How long the first round's archiving is taken to last, for its saves to be spread over it; then it is known.
const FIRST_SPREAD: Duration = Duration::from_millis(150);

/// O4
pub(super) static O4: Claim = Claim {
    id: ClaimId::of("O4"),
    title: "archiving moves no session in use, and loses none",
    quote: "Archive old sessions (> 30 days): find saves/ -name \"*.json\" -mtime +30 -exec mv {} archives/ \\;",
    tried: "130 documents are made 40 days old and archived while eight users save 120 of them, once each. Ten new \
            documents, five keys that were only handed out and, if the folder was empty at the start, a file \
            `notes.json` are there as well. The archiving is the specification's command, or `loadgen saves archive` \
            if the folder has the hardened protocol's lock files; rounds go on for 2 s (30 s with `--full`) or until \
            the first fault. So on a target the command is judged as much as the server.",
    holds_if: "Only old documents are moved, none of them with a save of that time; every acknowledged save is in the \
            saves folder; and no document is damaged, missing from both folders, or in both with the same content. A \
            session that is saved after its document was moved starts a new document, which is no fault.",
    needs: Needs::Folder,
    // The specification's command takes no lock; a server with another way to archive may do better.
    expected: Expected { contract: Expectation::Either, ..Expected::REFUTED_ON_DOCUMENTED },
    decisions_on_chance: 0,
    phase: Phase::Service,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judgement::judge(&experiment(lab).await?)) }),
};

/// A document before it was archived, and where it is afterwards.
#[derive(Clone, Debug)]
struct Session {
    key: String,
    /// Whether it was old when the archiving began.
    was_old: bool,
    /// What somebody saved meanwhile, and what came of that.
    save: Option<Exchange>,
    in_saves: Seen,
    in_archive: Seen,
}

/// One archiving.
#[derive(Clone, Debug)]
struct Round {
    by: Archiver,
    sessions: Vec<Session>,
    /// Files in the archive that are no document: of keys that were only handed out, or not of a key at all.
    strays: Vec<String>,
}

/// A document's first content, and that of the save during the archiving.
fn content(document: usize, number: u64) -> Content {
    Content { writer: document as u64, number, size_bytes: REAL_STATE_BYTES }
}

async fn experiment(lab: &Arc<Lab>) -> Result<Vec<Round>, Stuck> {
    let second = Duration::from_secs(1);
    let until = Instant::now() + lab.lasting(2 * second, 2 * second, 30 * second);
    let archiver = Archiver::of(lab.folder()?)?;
    let (mut rounds, mut spread) = (Vec::new(), FIRST_SPREAD);
    while Instant::now() < until {
        let (round, took) = round(lab, archiver, spread, rounds.len() as u64).await?;
        spread = took;
        let is_caught = round.sessions.iter().any(|session| judgement::fault(session).is_some());
        rounds.push(round);
        if is_caught {
            break;
        }
    }
    Ok(rounds)
}

/// A round, and how long its archiving took.
async fn round(lab: &Arc<Lab>, by: Archiver, spread: Duration, number: u64) -> Result<(Round, Duration), Stuck> {
    let folder = lab.folder()?;
    let archive = archiver::folder_beside(folder)?;
    let (keys, handed_out) = set_up(lab, folder).await?;
    let began = Instant::now();
    // Where there are documents of others, only ours may be moved.
    let only = (!lab.was_empty).then(|| keys.clone());
    let archiving = async {
        by.run(folder, archive.path(), only.as_deref()).await?;
        Ok::<_, Stuck>(began.elapsed())
    };
    let (took, saves) = tokio::join!(archiving, come_back(lab, &keys[..RETURNED_TO], spread, number));
    let moved = SavesFolder::open(archive.path()).map_err(Stuck)?;
    let mut sessions = Vec::new();
    for (document, key) in keys.iter().enumerate() {
        sessions.push(Session {
            key: key.clone(),
            was_old: document < RETURNED_TO + LEFT_ALONE,
            save: saves.get(key).cloned(),
            in_saves: Seen::in_file(folder, key),
            in_archive: Seen::in_file(&moved, key),
        });
    }
    let is_session =
        |name: &String| name.strip_suffix(".json").is_some_and(|key| keys.iter().any(|known| known == key));
    let mut strays = moved.names()?;
    strays.retain(|name| !is_session(name));
    lab.release(&[keys, handed_out].concat()).await;
    // It is moved along where the archiver is none too careful.
    let _ = std::fs::remove_file(folder.path().join(NO_DOCUMENT));
    Ok((Round { by, sessions, strays }, took?))
}

/// Documents, of which all but the young ones are made old, and other files as old.
async fn set_up(lab: &Arc<Lab>, folder: &SavesFolder) -> Result<(Vec<String>, Vec<String>), Stuck> {
    let keys = lab.new_keys(RETURNED_TO + LEFT_ALONE + YOUNG).await?;
    let mut user = lab.user(0);
    for (document, key) in keys.iter().enumerate() {
        lab.needs_time()?;
        let created = user.instantiate(key, "word", &content(document, 0).state()).await;
        if !created.is_success() {
            return Err(Stuck(format!("no session to archive: {}", created.step())));
        }
    }
    let handed_out = lab.new_keys(HANDED_OUT).await?;
    for key in keys[..RETURNED_TO + LEFT_ALONE].iter().chain(&handed_out) {
        let path = folder.document_path(key);
        // A key that was only handed out has a file where keys are reserved.
        if path.exists() {
            age(&path)?;
        }
    }
    if lab.was_empty {
        let path = folder.path().join(NO_DOCUMENT);
        std::fs::write(&path, "{}")?;
        age(&path)?;
    }
    Ok((keys, handed_out))
}

fn age(path: &Path) -> Result<(), Stuck> {
    let long_ago = SystemTime::now() - OLD;
    let aged = File::options().write(true).open(path).and_then(|file| file.set_modified(long_ago));
    aged.map_err(|error| Stuck(format!("{} cannot be made old: {error}", path.display())))
}

/// Has users save each document once, in any order, spread over a time.
async fn come_back(lab: &Arc<Lab>, keys: &[String], spread: Duration, round: u64) -> BTreeMap<String, Exchange> {
    let mut order: Vec<(usize, String)> = keys.iter().cloned().enumerate().collect();
    order.shuffle(&mut lab.random(round));
    let (order, pause) = (Arc::new(order), spread / u32::try_from(RETURNED_TO / SAVERS).unwrap_or(1));
    let saved = at_once(lab.crowd(SAVERS), move |mut user, number| {
        let order = Arc::clone(&order);
        async move {
            let mut saved = Vec::new();
            for (document, key) in order.iter().skip(number).step_by(SAVERS) {
                let content = content(*document, 1);
                let mut save = user.save(key, "word", &BTreeMap::new(), &content.state()).await;
                save.note = format!("with {content}");
                saved.push((key.clone(), save));
                tokio::time::sleep(pause).await;
            }
            saved
        }
    });
    saved.await.into_iter().flatten().collect()
}
