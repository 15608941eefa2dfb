//! The saves folder and its files.

use contract::key::is_key;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A folder of documents.
#[derive(Clone, Debug)]
pub struct SavesFolder(PathBuf);

impl SavesFolder {
    /// The folder at a path, which must be there.
    ///
    /// # Errors
    /// A sentence that says what is in the way.
    pub fn open(path: &Path) -> Result<Self, String> {
        let outcome = fs::metadata(path);
        match outcome {
            Ok(metadata) if metadata.is_dir() => Ok(Self(path.to_owned())),
            Ok(_) => Err(format!("{} is not a folder", path.display())),
            Err(error) => Err(format!("cannot read the saves folder {}: {error}", path.display())),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a key's document.
    #[must_use]
    pub fn document_path(&self, key: &str) -> PathBuf {
        self.0.join(format!("{key}.json"))
    }

    /// The text of a key's document; `None` if there is none, or it cannot be read.
    #[must_use]
    pub fn document(&self, key: &str) -> Option<String> {
        self.read(key).ok()
    }

    /// The text of a key's document.
    ///
    /// # Errors
    /// If there is none, it is no regular file, or no text.
    pub fn read(&self, key: &str) -> io::Result<String> {
        let path = self.document_path(key);
        // Opening a pipe would wait for somebody who writes.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        fs::read_to_string(path)
    }

    /// Every name in the folder.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.0)?.map(|entry| Ok(name_of(&entry?))).collect()
    }

    /// The names that `ls -1 saves/*.json` prints: `*` matches no leading dot.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn json_names(&self) -> io::Result<Vec<String>> {
        let mut names = self.names()?;
        names.retain(|name| Self::shows(name));
        names.sort();
        Ok(names)
    }

    #[allow(clippy::case_sensitive_file_extension_comparisons, reason = "the shell's pattern is case-sensitive")]
    fn shows(name: &str) -> bool {
        name.ends_with(".json") && !name.starts_with('.')
    }

    /// The keys that have a regular file, sorted.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn keys(&self) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            keys.extend(key_of(&name_of(&entry)).filter(|_| is_file).map(str::to_owned));
        }
        keys.sort();
        Ok(keys)
    }

    /// The paths that `find saves/ -name "*.lock"` prints, folders below included.
    ///
    /// # Errors
    /// Where a folder cannot be read: its path is in the error.
    pub fn lock_files(&self) -> io::Result<Vec<PathBuf>> {
        self.search_locks().into_iter().collect()
    }

    /// As [`lock_files`](Self::lock_files), with an error for each folder that cannot be read.
    #[must_use]
    pub fn search_locks(&self) -> Vec<io::Result<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>);
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
            match entries {
                Err(error) => found.push(Err(named(error))),
                Ok(entries) => {
                    for entry in entries {
                        found.extend(entry.file_name().to_string_lossy().ends_with(".lock").then(|| Ok(entry.path())));
                        folders.extend(entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| entry.path()));
                    }
                }
            }
        }
        found
    }
}

fn name_of(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

/// The key whose document has this name.
#[must_use]
pub fn key_of(name: &str) -> Option<&str> {
    name.strip_suffix(".json").filter(|stem| is_key(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: a pipe of that name was read, and nobody ever writes to it.
    #[test]
    fn only_regular_files_are_documents() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = SavesFolder::open(temp.path()).expect("there");
        fs::write(folder.document_path("A4K"), "{}").expect("writes");
        fs::write(temp.path().join("D4K.json.json"), "{}").expect("writes");
        fs::create_dir(folder.document_path("B4K")).expect("creates");
        std::os::unix::fs::symlink(folder.document_path("A4K"), folder.document_path("C4K")).expect("links");
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.document_path("E4K"), rustix::fs::Mode::RUSR).expect("creates");
        assert_eq!(folder.keys().expect("reads"), ["A4K"]);
        let read = |key: &&str| folder.document(key).is_some();
        assert_eq!(["A4K", "B4K", "C4K", "D4K", "E4K"].iter().filter(|key| read(key)).collect::<Vec<_>>(), [&"A4K"]);
        assert!(folder.read("E4K").is_err_and(|error| error.to_string().contains("no regular file")));
    }

    #[test]
    fn the_folder_shows_what_the_specifications_commands_print() {
        let temp = tempfile::tempdir().expect("a folder");
        for name in ["A4K.json", "B4K.json", ".C4K.json", "notes.json", "A4K.json.lock", "lock"] {
            fs::write(temp.path().join(name), "{}").expect("writes");
        }
        fs::create_dir(temp.path().join("below")).expect("creates");
        fs::write(temp.path().join("below/x.lock"), "").expect("writes");
        let folder = SavesFolder::open(temp.path()).expect("there");
        assert_eq!(folder.json_names().expect("reads"), ["A4K.json", "B4K.json", "notes.json"]);
        assert_eq!(folder.keys().expect("reads"), ["A4K", "B4K"]);
        assert_eq!(folder.lock_files().expect("reads").len(), 2);
        assert!(SavesFolder::open(&temp.path().join("none")).is_err_and(|error| error.contains("cannot read")));
    }
}
