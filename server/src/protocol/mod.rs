//! The two protocols: what the server does with its files for each operation.
//!
//! Architecture invariant: nothing here imports tokio, hyper, `std::fs`, `std::sync`, `std::thread`, a clock or
//! randomness. Files come in as a [`FileSystem`], time and chance as a [`World`], the hint of free keys as a
//! [`Hint`]. So the very code that serves can be run under a model checker, on failing files, or without HTTP.

pub mod document;
mod documented;
mod error;
mod hardened;

pub use documented::{Documented, DocumentedOptions};
pub use error::Error;
pub use hardened::{Durability, Hardened};

use crate::fs::FileSystem;
use crate::keys::{Key, KeySpace};
use serde::Serialize;
use serde_json::value::RawValue;
use std::future::Future;
use std::io;

/// Time and chance.
pub trait World: Send + Sync {
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// A uniform number below `below`, which is not 0.
    fn draw(&self, below: u64) -> u64;
}

/// A hint's response to a request for a key to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pick {
    /// This key is believed free; it was drawn uniformly from all that are.
    Try(Key),
    /// Others may have freed keys since the folder was last read: whoever gets this reads it. Until the next scan is
    /// due, the hint goes on picking from the keys that it believes free.
    LookDue,
    /// No key is believed free, according to this scan of the folder, if there was one.
    NoneFree(Option<Look>),
}

/// Which keys are worth trying; see [`crate::hint::KeyHint`]. It is shared between requests, so other requests can run
/// between two of its methods, as between system calls; in a server, every method completes at once.
pub trait Hint: Send + Sync {
    /// Returns a key to try, or reports that the folder must be read first.
    fn pick<W: World>(&self, world: &W) -> impl Future<Output = Pick> + Send;
    /// The file system said that the key is in use.
    fn taken(&self, key: Key) -> impl Future<Output = ()> + Send;
    /// The key was given up.
    fn freed(&self, key: Key) -> impl Future<Output = ()> + Send;
    /// A look at the folder found these keys in use, and no others. Answers one of those that it found free, drawn
    /// uniformly, or `None` where there is none; whatever others may have looked meanwhile.
    fn looked<W: World>(&self, world: &W, used: &[Key], look: Look) -> impl Future<Output = Option<Key>> + Send;
}

/// When and on what a look at the folder was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// The folder's modification time just before it was read, Unix nanoseconds.
    pub folder_modified_ns: u64,
    /// The time just before it was read, Unix milliseconds.
    pub at_ms: u64,
}

/// What a server accepts.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The keys.
    pub keys: KeySpace,
    /// The type slugs.
    pub types: Vec<String>,
}

/// Answer to generate-key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The key handed out.
    pub key: Key,
    /// How many keys were tried, this one included.
    pub attempts: u32,
}

/// Answer to instantiate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instantiated {
    /// The document was not there and is now.
    Created,
    /// It was there, and was left as it is.
    Existed,
}

/// A document as list shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The document's key.
    pub session_key: String,
    /// Last modification of its file, Unix milliseconds.
    pub timestamp: u64,
    /// Its creation, Unix milliseconds (`documented` takes the modification for it).
    pub created: u64,
    /// Its type.
    pub type_slug: Option<Box<RawValue>>,
    /// The part of its metadata that list shows.
    pub metadata: ListedMetadata,
}

/// The metadata in a [`Listed`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedMetadata {
    /// Version of the document format.
    pub version: &'static str,
    /// As [`Listed::created`].
    pub created: u64,
    /// When it was last saved, as the document says; absent before the first save.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<Box<RawValue>>,
}

/// The six operations of the wire contract, and giving back reservations. `body` is a request's body, `key` the
/// text of a parameter, as they came; every operation checks them.
pub trait Protocol: Send + Sync + 'static {
    /// Hands out a key that is not in use.
    fn generate_key(&self) -> impl Future<Output = Result<Generated, Error>> + Send;
    /// Creates a document where there is none.
    fn instantiate(&self, body: &[u8]) -> impl Future<Output = Result<Instantiated, Error>> + Send;
    /// Stores a document, its metadata overlaid on the stored one's.
    fn save(&self, body: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;
    /// The stored document: one JSON value, as it was saved.
    fn restore(&self, key: &str) -> impl Future<Output = Result<Vec<u8>, Error>> + Send;
    /// Removes a document.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// All documents, newest first.
    fn list(&self) -> impl Future<Output = Result<Vec<Listed>, Error>> + Send;
    /// Gives back the keys reserved before `reserved_before_ms` (Unix milliseconds) and never instantiated;
    /// answers how many. A protocol without reservations has none to give back.
    fn give_back_stale(&self, reserved_before_ms: u64) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// The file of a key's document.
fn file_name(key: Key) -> String {
    format!("{key}.json")
}

/// The key whose document a file is; `None` for any other file.
fn key_of_file(keys: KeySpace, name: &str) -> Option<Key> {
    name.strip_suffix(".json").and_then(|stem| keys.parse(stem))
}

async fn write_all<F: FileSystem>(fs: &F, file: &F::File, content: &[u8]) -> io::Result<()> {
    let mut rest = content;
    while !rest.is_empty() {
        match fs.write(file, rest).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => rest = &rest[written..],
        }
    }
    Ok(())
}

/// Reads on until `size_bytes` have been read or the file ends.
async fn read_at_most<F: FileSystem>(fs: &F, file: &F::File, size_bytes: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(size_bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut content = Vec::with_capacity(size);
    loop {
        let missing = size - content.len();
        if missing == 0 || fs.read(file, &mut content, missing).await? == 0 {
            return Ok(content);
        }
    }
}

/// Sorts newest first, and by key within one timestamp. A file that is removed and created again while the folder is
/// read can appear twice: only the newer one is kept.
fn newest_first(listed: &mut Vec<Listed>) {
    listed.sort_unstable_by(|a, b| a.session_key.cmp(&b.session_key).then_with(|| b.timestamp.cmp(&a.timestamp)));
    listed.dedup_by(|older, newer| older.session_key == newer.session_key);
    listed.sort_by(|a, b| b.timestamp.cmp(&a.timestamp).then_with(|| a.session_key.cmp(&b.session_key)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, timestamp: u64) -> Listed {
        let metadata = ListedMetadata { version: "1.0", created: 1, last_modified: None };
        Listed { session_key: key.to_owned(), timestamp, created: 1, type_slug: None, metadata }
    }

    #[test]
    fn a_session_whose_file_came_twice_is_listed_once() {
        let mut listed = vec![entry("B4K", 2), entry("A4K", 1), entry("B4K", 3), entry("C4K", 3)];
        newest_first(&mut listed);
        let shown: Vec<(&str, u64)> =
            listed.iter().map(|entry| (entry.session_key.as_str(), entry.timestamp)).collect();
        assert_eq!(shown, [("B4K", 3), ("C4K", 3), ("A4K", 1)]);
    }
}
