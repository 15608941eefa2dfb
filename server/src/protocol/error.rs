//! What an operation can answer besides success. The texts are the wire contract's.

use std::io;

/// Why an operation did not do what it was asked. Each variant's text is the `message` that a client sees; the
/// system's own error, where there is one, is its source.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum Error {
    #[error("Invalid data format")]
    InvalidData,
    #[error("Invalid session key")]
    InvalidKey,
    #[error("Missing typeSlug parameter")]
    MissingType,
    #[error("Invalid checklist type")]
    InvalidType,
    #[error("Session key is required")]
    KeyRequired,
    #[error("No saved data found")]
    NothingSaved,
    #[error("Instance not found")]
    InstanceNotFound,
    /// With how many keys were tried.
    #[error("Unable to generate unique key - all attempts exhausted")]
    KeysExhausted { attempts: u32 },
    #[error("Saves directory not found")]
    FolderNotFound,
    #[error("Failed to create saves directory")]
    CreateFolder(#[source] io::Error),
    #[error("Failed to access saves directory")]
    AccessFolder(#[source] io::Error),
    #[error("Failed to open file")]
    Open(#[source] io::Error),
    #[error("Failed to acquire file lock")]
    Lock(#[source] io::Error),
    #[error("Failed to write file")]
    Write(#[source] io::Error),
    #[error("Failed to read saved data")]
    Read(#[source] io::Error),
    #[error("Invalid saved data format")]
    InvalidSavedData,
    #[error("Failed to delete instance")]
    Delete(#[source] io::Error),
}
