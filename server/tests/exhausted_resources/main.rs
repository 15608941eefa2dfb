//! What becomes of a server that has run out of something: room on the disk, inodes, open files.
//!
//! - `no_room`: no file can get any longer, which a limit of the process brings about without any right.
//! - `full_disk`: small file systems in memory, mounted for one server alone. Where that may not be done, those tests say
//!   so on standard error and pass.
//! - `open_files`: connections that use up what a process may have open.
//! - `crowd` is many users at once on such a server, whose answers must be explained by an order in which what was refused
//!   changed nothing.

mod crowd;
mod full_disk;
mod no_room;
mod open_files;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

/// A document whose state is so many bytes long.
fn document_of(key: &str, bytes: usize) -> String {
    support::document(key, &format!("\"{}\"", "x".repeat(bytes)))
}

/// The names in a saves folder that are neither documents nor lock files.
fn stray_files(saves: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(saves).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let without_documents = paths.filter(|path| path.extension().is_none_or(|extension| extension != "json"));
    let names = without_documents.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    names.filter(|name| !name.starts_with(".lock-")).collect()
}
