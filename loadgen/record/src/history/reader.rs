//! A history read back as a stream, in bounded memory, tolerant of nothing.

use super::{HistoryHeader, HistoryRecord, SCHEMA};
use crate::files::HISTORY_FILE;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;
use thiserror::Error;
use zstd::Decoder;

/// No line is longer: messages are cut far below this, and a damaged file must not fill the memory.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// Why a history cannot be read.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The file cannot be opened.
    #[error("{path}: {error}")]
    Open {
        /// The file.
        path: String,
        /// What happened.
        error: io::Error,
    },
    /// A line is damaged, missing its end, or no operation.
    #[error("line {line} of the history: {reason}")]
    Line {
        /// Its number; the header is line 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A history that is being read: an iterator over its operations, which ends after the first error.
pub struct HistoryReader {
    header: HistoryHeader,
    lines: Lines,
    has_failed: bool,
}

/// Opens a history and reads its header.
///
/// # Errors
/// Where the file cannot be opened, or does not begin with a header of this version.
pub fn read_history(path: &Path) -> Result<HistoryReader, HistoryError> {
    let open = |error| HistoryError::Open { path: path.display().to_string(), error };
    let decoder = Decoder::new(File::open(path).map_err(open)?).map_err(open)?;
    let mut lines = Lines { input: BufReader::new(decoder), number: 0, line: Vec::new() };
    let header = header(&mut lines)?;
    Ok(HistoryReader { header, lines, has_failed: false })
}

fn header(lines: &mut Lines) -> Result<HistoryHeader, HistoryError> {
    let read = lines.next_line().map(|line| line.map(serde_json::from_slice::<HistoryHeader>));
    let reason = match read {
        Ok(Some(Ok(header))) if header.schema == SCHEMA => return Ok(header),
        Ok(Some(Ok(header))) => format!("its schema is {:?}, not {SCHEMA:?}", header.schema),
        Ok(Some(Err(error))) => error.to_string(),
        Ok(None) => "the header is missing".to_owned(),
        Err(HistoryError::Line { reason, .. }) => reason,
        Err(error) => return Err(error),
    };
    Err(lines
        .damaged(&format_args!("{reason}; expected a {HISTORY_FILE} of `loadgen run`, which begins with a header")))
}

impl HistoryReader {
    /// The first line.
    #[must_use]
    pub fn header(&self) -> &HistoryHeader {
        &self.header
    }

    fn next_record(&mut self) -> Result<Option<HistoryRecord>, HistoryError> {
        let Some(line) = self.lines.next_line()? else { return Ok(None) };
        let record: HistoryRecord = serde_json::from_slice(line).map_err(|error| self.lines.damaged(&error))?;
        match record.contradiction() {
            Some(reason) => Err(self.lines.damaged(&reason)),
            None => Ok(Some(record)),
        }
    }
}

impl Iterator for HistoryReader {
    type Item = Result<HistoryRecord, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = self.next_record().transpose();
        self.has_failed = matches!(next, Some(Err(_)));
        next
    }
}

struct Lines {
    input: BufReader<Decoder<'static, BufReader<File>>>,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// The next line without its end, or none after the last.
    fn next_line(&mut self) -> Result<Option<&[u8]>, HistoryError> {
        self.line.clear();
        self.number += 1;
        let read = self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line);
        match read {
            Err(error) => Err(self.damaged(&error)),
            Ok(0) => Ok(None),
            Ok(_) => match self.line.strip_suffix(b"\n") {
                Some(line) => Ok(Some(line)),
                None if self.line.len() as u64 == MAX_LINE_BYTES => Err(self.damaged(&"it is longer than any can be")),
                None => Err(self.damaged(&"its end is missing")),
            },
        }
    }

    fn damaged(&self, reason: &dyn Display) -> HistoryError {
        HistoryError::Line { line: self.number, reason: reason.to_string() }
    }
}
