//! The saves folder and its files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Characters of a key, in the specification's order.
pub const KEY_CHARACTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Whether a text is a key of three to eight characters.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.bytes().all(|byte| KEY_CHARACTERS.contains(&byte))
}

/// Whether a text is a key as the contract has it.
#[must_use]
pub fn is_three_character_key(text: &str) -> bool {
    text.len() == 3 && is_key(text)
}

/// The three-character key at a position below 46,656, in the order of the alphabet.
#[must_use]
pub fn key_at(position: usize) -> String {
    [36 * 36, 36, 1].iter().map(|place| char::from(KEY_CHARACTERS[position / place % 36])).collect()
}

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

    /// The text of a key's document; `None` where there is none, or it is no text.
    #[must_use]
    pub fn document(&self, key: &str) -> Option<String> {
        fs::read_to_string(self.document_path(key)).ok()
    }

    /// Every name in the folder.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
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

    /// The keys that have a file.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn keys(&self) -> io::Result<Vec<String>> {
        let names = self.json_names()?;
        Ok(names
            .iter()
            .filter_map(|name| name.strip_suffix(".json"))
            .filter(|stem| is_key(stem))
            .map(str::to_owned)
            .collect())
    }

    /// The paths that `find saves/ -name "*.lock"` prints, folders below included.
    ///
    /// # Errors
    /// Where a folder cannot be read.
    pub fn lock_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().ends_with(".lock") {
                    found.push(entry.path());
                }
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_in_the_order_of_the_alphabet() {
        assert_eq!(
            (key_at(0), key_at(35), key_at(36), key_at(46_655)),
            ("AAA".into(), "AA9".into(), "ABA".into(), "999".into())
        );
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
