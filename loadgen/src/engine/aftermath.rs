//! What belongs to a load's history besides its operations, and the verdict on the whole. Nothing of it is done while the
//! load runs, whose processors it would take.

use super::name_content;
use crate::check::documents::access::{Access, HARNESS, SAVES_FOLDER};
use crate::check::documents::whole::Verdict;
use crate::client::Operation;
use crate::document::{Content, Document};
use crate::record::history::{Accesses, Answer, HistoryLine, Judgement, Output, Phase, append, read_history};
use crate::saves::folder::SavesFolder;
use anyhow::anyhow;
use std::path::Path;
use std::time::Duration;

/// How long a server has for requests that nobody waits for any more, before a document is looked at once more that is
/// not whole.
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
        judgement: Judgement::Verified,
        phase: Some(Phase::SetUp),
    }
    .write_to(&mut line);
    line
}

/// Looks at the saves folder, where it is known, enters what is there in the history of a load of a seed, and judges that.
///
/// # Errors
/// Where the history is damaged, or cannot be written to.
pub async fn judge(history: &Path, folder: Option<&SavesFolder>, seed: u64) -> anyhow::Result<Verdict> {
    let mut accesses = Accesses::gather(read_history(history)?).map_err(|error| anyhow!(error))?;
    if let Some(folder) = folder {
        let lines = look(folder, &accesses, seed).await;
        append(history, &lines)?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            accesses.add(&serde_json::from_slice(line)?).map_err(|error| anyhow!(error))?;
        }
    }
    Ok(Verdict::of(&accesses.by_key))
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
            Self::Nothing => Output::Refusal { status: 404, message: "No saved data found" },
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
            judgement: Judgement::Verified,
            phase: Some(Phase::SavesFolder),
        }
    }
}
