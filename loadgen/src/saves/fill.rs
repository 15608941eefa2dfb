//! Documents made to bring a folder to a fill.

use contract::document::{Content, MIN_STATE_BYTES, stored};
use contract::key::key_at;
use engine::saves_folder::SavesFolder;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use stats::keys::THREE_CHARACTER_KEYS;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writer's number in the documents that a folder is filled with.
pub const FILL_WRITER: u64 = 999_999;

/// The file that [`Fill::Links`] are links to. No command of the specification's shows it.
const LINKED: &str = ".claimcheck-fill";

/// What a folder is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// A document of its own under each key, its state of so many bytes at least.
    Documents {
        /// Size of a state.
        state_bytes: usize,
    },
    /// One document under all keys: 46,656 links cost a disk next to nothing, where as many files, written and removed
    /// within a minute, can keep a slow one busy for minutes. Where a file system refuses, documents are written.
    Links,
}

/// Fills a folder with documents under random keys, and takes away only what it put there.
#[derive(Debug)]
pub struct Filler {
    folder: SavesFolder,
    /// The keys not used yet, in random order; taken from the end.
    order: Vec<String>,
    /// The keys of the documents that were put there.
    ours: Vec<String>,
    fill: Fill,
}

impl Filler {
    /// A filler whose keys come in an order that the seed decides.
    #[must_use]
    pub fn new(folder: SavesFolder, seed: u64, fill: Fill) -> Self {
        let mut order: Vec<String> = (0..THREE_CHARACTER_KEYS).map(key_at).collect();
        order.shuffle(&mut StdRng::seed_from_u64(seed));
        Self { folder, order, ours: Vec::new(), fill }
    }

    /// How many documents it has put there.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.ours.len()
    }

    /// The keys of its documents.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.ours
    }

    /// Adds documents under keys without one, or takes its own away, until the folder holds so many; answers how
    /// many it holds then: more, where others have put more there.
    ///
    /// # Errors
    /// Where a file cannot be written or removed.
    pub fn fill_to(&mut self, documents: usize) -> io::Result<usize> {
        let mut there = self.folder.keys()?.len();
        while there > documents
            && let Some(key) = self.ours.pop()
        {
            self.remove(&key)?;
            there -= 1;
            self.order.push(key);
        }
        while there < documents
            && let Some(key) = self.order.pop()
        {
            if self.add(&key)? {
                self.ours.push(key);
                there += 1;
            }
        }
        Ok(there)
    }

    /// Takes all of its documents away.
    ///
    /// # Errors
    /// Where a file cannot be removed.
    pub fn empty(&mut self) -> io::Result<()> {
        while let Some(key) = self.ours.pop() {
            self.remove(&key)?;
            self.order.push(key);
        }
        ignore_missing(fs::remove_file(self.folder.path().join(LINKED)))
    }

    /// Leaves its documents in the folder for good; answers how many they are.
    #[must_use]
    pub fn keep(mut self) -> usize {
        std::mem::take(&mut self.ours).len()
    }

    /// Takes one of its documents away; false where it is not one of its own.
    ///
    /// # Errors
    /// Where the file cannot be removed.
    pub fn take_away(&mut self, key: &str) -> io::Result<bool> {
        let Some(place) = self.ours.iter().position(|own| own == key) else { return Ok(false) };
        let key = self.ours.swap_remove(place);
        self.remove(&key)?;
        self.order.push(key);
        Ok(true)
    }

    /// Forgets a document that the server has deleted.
    pub fn forget(&mut self, key: &str) {
        if let Some(place) = self.ours.iter().position(|own| own == key) {
            self.order.push(self.ours.swap_remove(place));
        }
    }

    /// Puts a document under a key; false where there is one.
    fn add(&mut self, key: &str) -> io::Result<bool> {
        match self.fill {
            Fill::Documents { state_bytes } => write_new(&self.folder.document_path(key), key, state_bytes),
            Fill::Links => match self.link(key) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(_) => {
                    self.fill = Fill::Documents { state_bytes: MIN_STATE_BYTES };
                    self.add(key)
                }
                Ok(()) => Ok(true),
            },
        }
    }

    fn link(&self, key: &str) -> io::Result<()> {
        let (linked, path) = (self.folder.path().join(LINKED), self.folder.document_path(key));
        match fs::hard_link(&linked, &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                write_new(&linked, key, MIN_STATE_BYTES)?;
                fs::hard_link(&linked, &path)
            }
            outcome => outcome,
        }
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        ignore_missing(fs::remove_file(self.folder.document_path(key)))
    }
}

/// Writes a document to a file that is not there yet; false where it is.
fn write_new(path: &Path, key: &str, size_bytes: usize) -> io::Result<bool> {
    let content = Content { writer: FILL_WRITER, number: 0, size_bytes };
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        file => file?.write_all(stored(key, content, 0).as_bytes()).map(|()| true),
    }
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        // Whatever happens, a folder is left as it was found, as far as it lets us.
        let _ = self.empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_and_emptied_of_its_own_documents_only() {
        fills_and_empties(Fill::Documents { state_bytes: MIN_STATE_BYTES });
        fills_and_empties(Fill::Links);
    }

    fn fills_and_empties(fill: Fill) {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = SavesFolder::open(temp.path()).expect("there");
        let mut filler = Filler::new(folder.clone(), 1, fill);
        let stranger = filler.order[filler.order.len() - 5].clone();
        fs::write(folder.document_path(&stranger), "{}").expect("writes");
        assert_eq!(filler.fill_to(20).expect("fills"), 20);
        assert_eq!((folder.keys().expect("reads").len(), filler.filled()), (20, 19));
        let second: Vec<String> = filler.keys()[..7].to_vec();
        assert_eq!(filler.fill_to(8).expect("empties"), 8);
        assert_eq!(filler.keys(), second);
        assert!(filler.take_away(&second[2]).expect("removes") && !filler.take_away(&stranger).expect("not ours"));
        assert_eq!(filler.fill_to(30).expect("fills again"), 30);
        assert_eq!((filler.fill_to(0).expect("empties"), filler.filled()), (1, 0));
        filler.fill_to(3).expect("fills again");
        drop(filler);
        assert_eq!(folder.names().expect("reads"), [format!("{stranger}.json")]);
    }
}
