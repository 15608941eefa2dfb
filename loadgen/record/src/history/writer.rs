//! The thread that compresses and writes a history, beside the run.
//!
//! Memory is bounded: a worker that is ahead of the disk waits in [`HistorySender::send`], and shows as slip, which is
//! better than a machine out of memory or a history with holes.

use super::HistoryHeader;
use crate::files::at;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

/// Bytes that a worker gathers before it sends them: enough for zstd to compress well (about 1,900 lines), little enough
/// that many workers' buffers fit into any memory.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Chunks on their way to the thread before a sender must wait, and spare buffers kept: 16 MB each, which is 2 s of
/// 50,000 operations per s.
const QUEUED_CHUNKS: usize = 64;

/// The fastest of the usual levels: it makes a tenth or less of a history, at hundreds of MB per s.
const LEVEL: i32 = 1;

enum Message {
    Chunk(Vec<u8>),
    /// No more will come: senders may outlive the writer, so it does not wait for them to be dropped.
    End,
}

/// Emptied buffers, to be filled again.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// A history that is being written.
#[derive(Debug)]
pub struct HistoryWriter {
    sender: HistorySender,
    thread: JoinHandle<io::Result<u64>>,
    path: PathBuf,
}

/// A worker's way to the thread.
#[derive(Clone, Debug)]
pub struct HistorySender {
    queue: SyncSender<Message>,
    spare: Spare,
}

/// Adds lines to a history that was written before.
///
/// # Errors
/// Where the file cannot be written; the message names it.
pub fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let append = || {
        let mut frames = Frames::new(File::options().append(true).open(path)?)?;
        frames.append(lines)
    };
    append().map_err(|error| at(path, &error))
}

impl HistoryWriter {
    /// Creates the file, with its header.
    ///
    /// # Errors
    /// Where the file cannot be created or the thread cannot be started; the message names the file.
    pub fn create(path: &Path, header: &HistoryHeader) -> io::Result<Self> {
        let create = || {
            let mut frames = Frames::new(File::create(path)?)?;
            let mut line = serde_json::to_vec(header)?;
            line.push(b'\n');
            frames.append(&line)?;
            let (queue, chunks) = sync_channel(QUEUED_CHUNKS);
            let spare = Spare::default();
            let sender = HistorySender { queue, spare: Arc::clone(&spare) };
            let thread = std::thread::Builder::new()
                .name("history".to_owned())
                .spawn(move || write_chunks(&chunks, frames, &spare))?;
            Ok(Self { sender, thread, path: path.to_owned() })
        };
        create().map_err(|error| at(path, &error))
    }

    /// A way to the thread, for a worker.
    #[must_use]
    pub fn sender(&self) -> HistorySender {
        self.sender.clone()
    }

    /// Writes what was sent until now and closes the file. Returns its size, bytes. Chunks that are sent later are lost.
    ///
    /// # Errors
    /// The first error of any write; the message names the file.
    pub fn finish(self) -> io::Result<u64> {
        // Where the thread is gone already, joining it says why.
        let _ = self.sender.queue.send(Message::End);
        let result = self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the history's thread panicked")));
        result.map_err(|error| at(&self.path, &error))
    }
}

impl HistorySender {
    /// Hands over whole lines, about [`CHUNK_BYTES`] of them, and returns an empty buffer to go on with. It waits where
    /// the disk is behind, and never where the history has ended or failed: [`HistoryWriter::finish`] tells of that.
    #[must_use]
    pub fn send(&self, chunk: Vec<u8>) -> Vec<u8> {
        if chunk.is_empty() || self.queue.send(Message::Chunk(chunk)).is_err() {
            return Vec::with_capacity(CHUNK_BYTES);
        }
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES))
    }
}

/// Writes until the end, or the first failure. The queue is then gone, so that no sender waits for ever.
fn write_chunks(chunks: &Receiver<Message>, mut frames: Frames, spare: &Spare) -> io::Result<u64> {
    while let Ok(Message::Chunk(mut chunk)) = chunks.recv() {
        frames.append(&chunk)?;
        chunk.clear();
        let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < QUEUED_CHUNKS {
            spare.push(chunk);
        }
    }
    Ok(frames.written_bytes)
}

/// A file of zstd frames, one for each chunk.
struct Frames {
    file: File,
    compressor: Compressor<'static>,
    frame: Vec<u8>,
    written_bytes: u64,
}

impl Frames {
    fn new(file: File) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        // A flipped bit is then an error when it is read, not another number.
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self { file, compressor, frame: Vec::new(), written_bytes: 0 })
    }

    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.frame.clear();
        self.frame.reserve(compress_bound(chunk.len()));
        self.compressor.compress_to_buffer(chunk, &mut self.frame)?;
        self.file.write_all(&self.frame)?;
        self.written_bytes += self.frame.len() as u64;
        Ok(())
    }
}
