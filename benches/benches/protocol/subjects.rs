//! The protocols, as a server would have them, and documents for them.

use benches::saves::rules;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::ready;
use server::keys::KeySpace;
use server::outside::{RealWorld, SharedHint};
use server::protocol::{Documented, DocumentedOptions, Durability, Error, Hardened};
use std::future::Future;
use std::path::Path;

/// The specification's protocol on files.
pub(crate) type DocumentedOnDisk = Documented<DiskFileSystem, RealWorld>;

/// The protocol that keeps its promises, on files.
pub(crate) type HardenedOnDisk = Hardened<DiskFileSystem, RealWorld, SharedHint>;

/// Bytes of a real document.
pub(crate) const REAL_DOCUMENT_BYTES: usize = 2_700;

/// The specification's keys.
pub(crate) fn keys() -> KeySpace {
    KeySpace::new(3).expect("three is in range")
}

/// A folder as a server sees it. Locks are waited for as long as it takes.
pub(crate) fn disk(folder: &Path) -> DiskFileSystem {
    DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait: None })
}

pub(crate) fn documented(disk: DiskFileSystem) -> DocumentedOnDisk {
    Documented::new(disk, RealWorld, rules(keys()), DocumentedOptions { checks_writes: true })
}

/// A hardened server that has read the folder, as one has before its first request.
pub(crate) fn hardened(disk: DiskFileSystem) -> HardenedOnDisk {
    let protocol = Hardened::new(disk, RealWorld, SharedHint::new(keys()), rules(keys()), Durability::Process);
    ready(protocol.read_hint()).expect("waits for nothing").expect("the folder can be read");
    protocol
}

/// A temporary folder.
pub(crate) fn folder_in(parent: &Path) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("claimcheck-bench-").tempdir_in(parent);
    folder.expect("BENCH_DIR must be a folder to write to")
}

/// The answer of an operation that must succeed, and that nobody else keeps waiting.
pub(crate) fn done<T>(operation: impl Future<Output = Result<T, Error>>) -> T {
    ready(operation).expect("waits for nothing").expect("is answered")
}

/// The body of an instantiate or save of a document with so many bytes.
pub(crate) fn body(key: &str, bytes: usize) -> Vec<u8> {
    let (before, after) = (format!(r#"{{"sessionKey":"{key}","typeSlug":"word","state":{{"text":""#), r#""}}"#);
    let text = "x".repeat(bytes.saturating_sub(before.len() + after.len()));
    format!("{before}{text}{after}").into_bytes()
}
