//! Histories written as a run writes its own.

use super::{Made, Said};
use contract::Operation;
use contract::key::key_at;
use record::history::{Answer, CHUNK_BYTES, HistoryHeader, HistoryLine, HistoryWriter, Judgement, Output};
use std::io;
use std::path::Path;

/// Between when an operation is meant to be sent and when it is, µs.
const SLIP_US: u64 = 60;

/// Writes `history.jsonl.zst`; returns its size, bytes.
///
/// # Errors
/// Where the file cannot be written; the message names it.
pub fn write(history: impl Iterator<Item = Made>, seed: u64, path: &Path) -> io::Result<u64> {
    let writer = HistoryWriter::create(path, &HistoryHeader::new(seed, 0))?;
    let sender = writer.sender();
    let mut chunk = Vec::new();
    for made in history {
        append(&made, &mut chunk);
        if chunk.len() >= CHUNK_BYTES {
            chunk = sender.send(chunk);
        }
    }
    let _ = sender.send(chunk);
    writer.finish()
}

fn append(made: &Made, chunk: &mut Vec<u8>) {
    let key = key_at(made.key);
    let input = made.input.map(|content| content.to_string());
    let shown = match made.said {
        Said::Shows(content) => content.to_string(),
        _ => String::new(),
    };
    let output = match made.said {
        Said::Handed => Output::Success(&key),
        Said::Created => Output::Success("created"),
        Said::Existed => Output::Success("exists"),
        Said::Saved => Output::Success("saved"),
        Said::Shows(_) => Output::Success(&shown),
        Said::NotFound => Output::Refusal { status: 404, message: "No saved data found" },
        Said::Deleted => Output::Success("deleted"),
    };
    let line = HistoryLine {
        process: made.process as u64,
        operation: made.operation,
        key: (made.operation != Operation::GenerateKey).then_some(&key),
        meant_us: made.called_us.saturating_sub(SLIP_US),
        free_us: None,
        call_us: made.called_us,
        input: input.as_deref(),
        answer: Some(Answer { return_us: made.returned_us, output }),
        timed_out_us: None,
        judgement: Judgement::Verified,
        phase: None,
    };
    line.write_to(chunk);
}
