//! Old documents moved out of the saves folder, without losing one.
//!
//! The specification's `find … -mtime +30 -exec mv` tests and then moves: a save in between goes along, and is lost to
//! its user. Here each document is tested and moved under the lock that its saves take.

use crate::reference;
use anyhow::{Context, ensure};
use engine::saves_folder::SavesFolder;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What an archiving did.
#[derive(Debug, Default)]
pub struct Archived {
    /// The keys of the documents that were moved.
    pub keys: Vec<String>,
    /// The names of those that could not be moved, each with the reason.
    pub failed: Vec<(String, anyhow::Error)>,
}

/// Moves the documents that were last saved longer ago than `age` from one folder to another. Documents are regular
/// files; one that cannot be moved stays, and the others are moved all the same. Nothing in the archive is replaced: a
/// second document of one key gets a number in its name.
///
/// # Errors
/// If a folder cannot be used, or both are the same.
pub fn archive(saves: &SavesFolder, archive: &Path, age: Duration) -> anyhow::Result<Archived> {
    let path = saves.path();
    fs::create_dir_all(archive).with_context(|| format!("cannot create {}", archive.display()))?;
    ensure!(
        !is_same(path, archive)?,
        "{} is the saves folder {} itself, in which sessions would only be renamed; give another folder to move them to",
        archive.display(),
        path.display()
    );
    let saved_before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
    let keys = saves.keys().with_context(|| format!("cannot read {}", path.display()))?;
    let outcomes =
        reference::archive(path, keys, saved_before, |name| move_away(&saves.path().join(name), archive, name))?;
    let mut archived = Archived::default();
    for (key, outcome) in outcomes {
        match outcome {
            Ok(true) => archived.keys.push(key),
            Ok(false) => {}
            Err(error) => archived.failed.push((format!("{key}.json"), error)),
        }
    }
    Ok(archived)
}

/// Whether two paths lead to one folder.
fn is_same(one: &Path, other: &Path) -> anyhow::Result<bool> {
    let identity = |path: &Path| {
        let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok((metadata.dev(), metadata.ino()))
    };
    Ok(identity(one)? == identity(other)?)
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

    fn archived(saves: &Path, to: &Path) -> anyhow::Result<Archived> {
        archive(&SavesFolder::open(saves).expect("there"), to, Duration::from_hours(24 * 30))
    }

    /// Regression: the archiving stopped at the first file that could not be moved, without its name.
    #[test]
    fn a_document_that_cannot_be_moved_is_named_and_the_others_are_moved() {
        let saves = folder("A4K.json", "{}", 31);
        write(saves.path(), "B4K.json", "{}", 31);
        write(saves.path(), "C4K.json", "{}", 31);
        let keys = SavesFolder::open(saves.path()).expect("there").keys().expect("reads");
        let move_away = |name: &str| match name {
            "B4K.json" => Err(ErrorKind::PermissionDenied.into()),
            _ => fs::remove_file(saves.path().join(name)),
        };
        let outcomes = reference::archive(saves.path(), keys, SystemTime::now(), move_away).expect("archives");
        let told: Vec<(&str, Option<bool>)> =
            outcomes.iter().map(|(key, outcome)| (key.as_str(), outcome.as_ref().ok().copied())).collect();
        assert_eq!(told, [("A4K", Some(true)), ("B4K", None), ("C4K", Some(true))]);
        assert!(saves.path().join("B4K.json").exists() && !saves.path().join("C4K.json").exists());
    }

    /// Regression: the sessions were renamed to KEY.2.json, and so were gone for their users.
    #[test]
    fn nothing_is_archived_to_the_saves_folder_itself() {
        let saves = folder("A4K.json", "{}", 31);
        let beside = tempfile::tempdir().expect("a folder");
        let link = beside.path().join("link");
        std::os::unix::fs::symlink(saves.path(), &link).expect("links");
        for to in
            [saves.path().to_owned(), link, saves.path().join("../").join(saves.path().file_name().expect("a name"))]
        {
            let error = archived(saves.path(), &to).expect_err("refused").to_string();
            assert!(error.contains("is the saves folder"), "{error}");
        }
        assert!(saves.path().join("A4K.json").exists());
    }

    #[test]
    fn only_old_documents_are_moved_and_none_is_replaced() {
        let saves = folder("A4K.json", "{\"old\":2}", 31);
        write(saves.path(), "B4K.json", "{}", 29);
        write(saves.path(), "notes.json", "{}", 31);
        write(saves.path(), "C4K.json", "", 31);
        let to = folder("A4K.json", "{\"old\":1}", 90);
        let moved = archived(saves.path(), to.path()).expect("archives");
        assert!(moved.keys == ["A4K"] && moved.failed.is_empty(), "{moved:?}");
        assert_eq!(fs::read_to_string(to.path().join("A4K.json")).expect("reads"), "{\"old\":1}");
        assert_eq!(fs::read_to_string(to.path().join("A4K.2.json")).expect("reads"), "{\"old\":2}");
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
