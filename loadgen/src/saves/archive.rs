//! Old documents moved out of the saves folder, without losing one.
//!
//! The specification's `find … -mtime +30 -exec mv` tests and then moves: a save in between goes along, and is lost to
//! its user. Here each document is tested and moved under the lock that its saves take.

use crate::reference;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Moves the documents that were last saved longer ago than `age` from one folder to another; answers their keys.
/// Nothing in the archive is replaced: a second document of one key gets a number in its name.
///
/// # Errors
/// Where a folder or file cannot be used. What was moved until then stays moved.
pub fn archive(saves: &Path, archive: &Path, age: Duration) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(archive)?;
    let saved_before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
    let (from, to) = (saves.to_owned(), archive.to_owned());
    reference::archive(saves, saved_before, move |name| move_away(&from.join(name), &to, name))
}

fn move_away(from: &Path, archive: &Path, name: &str) -> io::Result<()> {
    for to in free_names(archive, name) {
        match renameat_with(CWD, from, CWD, &to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::CrossesDevices => return copy_away(from, archive, name),
            outcome => return outcome,
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// To another file system: the copy is whole and on the disk before the original goes.
fn copy_away(from: &Path, archive: &Path, name: &str) -> io::Result<()> {
    let copy = archive.join(format!(".{name}.copy"));
    let modified = fs::metadata(from)?.modified()?;
    fs::copy(from, &copy)?;
    let file = File::options().write(true).open(&copy)?;
    file.set_modified(modified)?;
    file.sync_all()?;
    for to in free_names(archive, name) {
        match fs::hard_link(&copy, to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            outcome => {
                outcome?;
                File::open(archive)?.sync_all()?;
                fs::remove_file(from)?;
                return fs::remove_file(copy);
            }
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// `A4K.json`, then `A4K.2.json` and so on: an earlier session's document of the same key may be there.
fn free_names(archive: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    let (folder, name) = (archive.to_owned(), name.to_owned());
    (1..10_000).map(move |number| match (number, name.strip_suffix(".json")) {
        (2.., Some(stem)) => folder.join(format!("{stem}.{number}.json")),
        _ => folder.join(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a document of a given age.
    fn folder(name: &str, content: &str, age_days: u64) -> tempfile::TempDir {
        let temp = tempfile::tempdir().expect("a folder");
        write(temp.path(), name, content, age_days);
        temp
    }

    fn write(folder: &Path, name: &str, content: &str, age_days: u64) {
        fs::write(folder.join(name), content).expect("writes");
        let file = File::options().write(true).open(folder.join(name)).expect("opens");
        file.set_modified(SystemTime::now() - Duration::from_hours(24 * age_days)).expect("sets");
    }

    #[test]
    fn only_old_documents_are_moved_and_none_is_replaced() {
        let saves = folder("A4K.json", "{\"old\":2}", 31);
        write(saves.path(), "B4K.json", "{}", 29);
        write(saves.path(), "notes.json", "{}", 31);
        write(saves.path(), "C4K.json", "", 31);
        let archived = folder("A4K.json", "{\"old\":1}", 90);
        let moved = archive(saves.path(), archived.path(), Duration::from_hours(24 * 30)).expect("archives");
        assert_eq!(moved, ["A4K"]);
        assert_eq!(fs::read_to_string(archived.path().join("A4K.json")).expect("reads"), "{\"old\":1}");
        assert_eq!(fs::read_to_string(archived.path().join("A4K.2.json")).expect("reads"), "{\"old\":2}");
        for name in ["B4K.json", "notes.json", "C4K.json"] {
            assert!(saves.path().join(name).exists(), "{name}");
        }
        assert!(!saves.path().join("A4K.json").exists());
    }

    #[test]
    fn a_copy_is_whole_before_the_original_goes() {
        let saves = folder("A4K.json", "{\"old\":2}", 31);
        let archived = folder("A4K.json", "{\"old\":1}", 90);
        copy_away(&saves.path().join("A4K.json"), archived.path(), "A4K.json").expect("copies");
        assert_eq!(fs::read_to_string(archived.path().join("A4K.2.json")).expect("reads"), "{\"old\":2}");
        assert!(!saves.path().join("A4K.json").exists() && !archived.path().join(".A4K.json.copy").exists());
    }
}
