//! `history.jsonl.zst`: every operation of a run, one JSON object a line, after a header.
//!
//! Lines are written at full load, so they are put together by hand ([`HistoryLine`]), gathered by each worker in a
//! buffer of its own, and compressed by one thread beside the run ([`HistoryWriter`]): a zstd frame for each buffer, as
//! `zstdcat` and any other tool reads it. They are read back as a stream, in bounded memory ([`read_history`]).
//!
//! The order of lines is that in which buffers came: within a process by time, between processes by chance.

mod accesses;
mod line;
mod reader;
mod record;
mod writer;

pub use accesses::Accesses;
pub use line::{Answer, HistoryLine, Judgement, Output, Phase};
pub use reader::{HistoryError, HistoryReader, read_history};
pub use record::{HistoryRecord, RecordedOutput};
pub use writer::{CHUNK_BYTES, HistorySender, HistoryWriter, append};

use serde::{Deserialize, Serialize};

/// Name and version of the format of the history.
pub const SCHEMA: &str = "claimcheck.history/2";

/// The JSON Schema of one line of the history, the header included.
pub const JSON_SCHEMA: &str = include_str!("../../schemas/history.schema.json");

/// The first line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryHeader {
    /// [`SCHEMA`].
    pub schema: String,
    /// What all randomness of the run came from.
    pub seed: u64,
    /// Operations meant before this time are warm-up, µs since the run's start. Where the window ends is known only
    /// later, and stands in `run.json`.
    pub warm_up_us: u64,
}

impl HistoryHeader {
    /// The header of a run that begins.
    #[must_use]
    pub fn new(seed: u64, warm_up_us: u64) -> Self {
        Self { schema: SCHEMA.to_owned(), seed, warm_up_us }
    }
}

#[cfg(test)]
mod tests;
