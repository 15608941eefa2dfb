//! What belongs to a load's history besides its operations, and the verdict on the whole. Nothing of it is done while the
//! load runs, whose processors it would take.

mod looks;

use super::name_content;
use crate::client::{Patience, Target};
use crate::saves_folder::SavesFolder;
use anyhow::anyhow;
use check::documents::access::{Access, HARNESS, SAVES_FOLDER};
use check::documents::whole::Verdict;
use contract::Operation;
use contract::document::{Content, Document};
use contract::message::NO_DOCUMENT;
use record::history::{Accesses, Answer, HistoryLine, Judgement, Output, Phase, append, read_history};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a server gets after a load to finish requests that nobody waits for any more, and for anything that it may
/// undo. Then its documents are looked at; after the same time again, once more those that are not whole.
const SETTLES: Duration = Duration::from_millis(500);

/// How a session for all users came to be, as the history's first line: before everything else.
#[must_use]
pub fn opening_line(key: &str, content: Content, seed: u64) -> Vec<u8> {
    let mut tag = String::new();
    name_content(seed, content, &mut tag);
    let mut line = Vec::new();
    HistoryLine {
        process: u64::from(HARNESS),
        operation: Operation::Instantiate,
        key: Some(key),
        meant_us: 0,
        free_us: None,
        call_us: 0,
        input: Some(&tag),
        answer: Some(Answer { return_us: 0, output: Output::Success("created") }),
        timed_out_us: None,
        judgement: Judgement::Verified,
        phase: Some(Phase::SetUp),
    }
    .write_to(&mut line);
    line
}

/// Where to look at a load's documents once it is over.
#[derive(Debug, Default)]
pub struct View<'a> {
    /// The target, and how long to wait for a response.
    pub target: Option<(&'a Arc<Target>, Patience)>,
    /// Its saves folder, if known.
    pub folder: Option<&'a SavesFolder>,
    /// Cancelling this stops the look at the target.
    pub stop: CancellationToken,
}

/// The verdict on a load's history, and what it showed.
#[derive(Debug)]
pub struct Judged {
    /// The verdict on the history.
    pub verdict: Verdict,
    /// Keys of sessions that have certainly ended, although a document of the load is still there.
    pub came_back: Vec<String>,
}

/// Looks at the documents of a load, appends what is there to its history, and judges the history. `seed` is the
/// load's.
///
/// # Errors
/// If the history is damaged, or cannot be written to.
pub async fn judge(history: &Path, view: &View<'_>, seed: u64) -> anyhow::Result<Judged> {
    let mut accesses = Accesses::default();
    accesses.add_all(read_history(history)?).map_err(|error| anyhow!(error))?;
    let mut came_back = Vec::new();
    if let Some((target, patience)) = view.target {
        let look = async {
            tokio::time::sleep(SETTLES).await;
            looks::look(target, patience, &accesses, seed).await
        };
        let seen = tokio::select! {
            biased;
            () = view.stop.cancelled() => looks::Seen::default(),
            seen = look => seen,
        };
        enter(&seen.lines, history, &mut accesses)?;
        came_back = seen.came_back;
    }
    if let Some(folder) = view.folder {
        let lines = look(folder, &accesses, seed).await;
        enter(&lines, history, &mut accesses)?;
    }
    accesses.finish();
    Ok(Judged { verdict: Verdict::of(&accesses.by_key), came_back })
}

/// Appends lines to a history, and adds them to the accesses read from it.
fn enter(lines: &[u8], history: &Path, accesses: &mut Accesses) -> anyhow::Result<()> {
    append(history, lines)?;
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        accesses.add(&serde_json::from_slice(line)?).map_err(|error| anyhow!(error))?;
    }
    Ok(())
}

/// What the files of all documents of a history hold, as lines of the history: restores after everything else.
async fn look(folder: &SavesFolder, accesses: &Accesses, seed: u64) -> Vec<u8> {
    let at_us = accesses.last_us() + 1;
    let mut seen: Vec<Seen> = accesses.by_key.iter().map(|(key, _)| Seen::look(folder, key, seed)).collect();
    if seen.contains(&Seen::Broken) {
        tokio::time::sleep(SETTLES).await;
        seen = accesses.by_key.iter().map(|(key, _)| Seen::look(folder, key, seed)).collect();
    }
    let mut lines = Vec::new();
    for ((key, of_key), seen) in accesses.by_key.iter().zip(&seen) {
        // Somebody whom nobody waits for any more may still be writing.
        if *seen != Seen::Broken || !of_key.iter().any(Access::is_open_write) {
            seen.line(key, at_us).write_to(&mut lines);
        }
    }
    lines
}

/// What a document's file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// It is not there, or empty: a reservation.
    Nothing,
    /// This content, by its tag.
    Content(String),
    /// No whole document.
    Broken,
}

impl Seen {
    fn look(folder: &SavesFolder, key: &str, seed: u64) -> Self {
        let text = folder.document(key).filter(|text| !text.is_empty());
        let Some(text) = text else { return Self::Nothing };
        let content = Document::parse(&text).and_then(|document| document.content());
        content.map_or(Self::Broken, |content| {
            let mut tag = String::new();
            name_content(seed, content, &mut tag);
            Self::Content(tag)
        })
    }

    fn line<'a>(&'a self, key: &'a str, at_us: u64) -> HistoryLine<'a> {
        let output = match self {
            Self::Nothing => Output::Refusal { status: NO_DOCUMENT.0, message: NO_DOCUMENT.1 },
            Self::Content(tag) => Output::Success(tag),
            Self::Broken => Output::Success("no whole document"),
        };
        HistoryLine {
            process: u64::from(SAVES_FOLDER),
            operation: Operation::Restore,
            key: Some(key),
            meant_us: at_us,
            free_us: None,
            call_us: at_us,
            input: None,
            answer: Some(Answer { return_us: at_us, output }),
            timed_out_us: None,
            judgement: Judgement::Verified,
            phase: Some(Phase::SavesFolder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::writer;
    use check::anomaly::Anomaly;
    use contract::document::stored;
    use record::history::{HistoryHeader, HistoryWriter};

    const SEED: u64 = 7;

    fn content(number: u64) -> Content {
        Content { writer: writer(SEED, 3), number, size_bytes: 300 }
    }

    /// The history of a user who saved two contents under A4K, one after the other.
    fn two_saves(path: &Path) {
        let history = HistoryWriter::create(path, &HistoryHeader::new(SEED, 0)).expect("creates");
        let mut lines = opening_line("A4K", content(0), SEED);
        for (number, tag) in [(1, "w3.n1"), (2, "w3.n2")] {
            HistoryLine {
                process: 3,
                operation: Operation::Save,
                key: Some("A4K"),
                meant_us: number * 100,
                free_us: None,
                call_us: number * 100,
                input: Some(tag),
                answer: Some(Answer { return_us: number * 100 + 10, output: Output::Success("saved") }),
                timed_out_us: None,
                judgement: Judgement::Verified,
                phase: None,
            }
            .write_to(&mut lines);
        }
        let _ = history.sender().send(lines);
        history.finish().expect("writes");
    }

    /// What is said of two acknowledged saves where the document's file holds this, where there is one.
    async fn anomalies(file: Option<String>) -> Vec<Anomaly> {
        let folder = tempfile::tempdir().expect("a folder");
        let history = folder.path().join("history.jsonl.zst");
        two_saves(&history);
        let saves = tempfile::tempdir().expect("a folder");
        if let Some(text) = file {
            std::fs::write(saves.path().join("A4K.json"), text).expect("writes");
        }
        let saves = SavesFolder::open(saves.path()).expect("is there");
        let view = View { folder: Some(&saves), ..View::default() };
        let verdict = judge(&history, &view, SEED).await.expect("a history").verdict;
        // What was seen is in the history from then on: judged again, it gets the same verdict.
        assert_eq!(judge(&history, &View::default(), SEED).await.expect("a history").verdict, verdict);
        verdict.anomalies.into_keys().collect()
    }

    #[tokio::test]
    async fn what_no_answer_shows_is_found_in_the_saves_folder() {
        let file = |number| stored("A4K", content(number), 1);
        assert_eq!(anomalies(Some(file(2))).await, []);
        assert_eq!(anomalies(Some(file(1))).await, [Anomaly::LostUpdate]);
        assert_eq!(anomalies(None).await, [Anomaly::AcknowledgedThenLost]);
        assert_eq!(anomalies(Some(String::new())).await, [Anomaly::AcknowledgedThenLost], "empty, as a reservation is");
        assert_eq!(anomalies(Some(file(2).replace("textarea-0", "textarea-x"))).await, [Anomaly::TornRead]);
    }
}
