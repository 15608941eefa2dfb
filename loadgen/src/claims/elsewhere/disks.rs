//! File systems that are there, and such as can be made: in a file, by whoever may mount one.

use crate::reference::temporary_folder;
use rustix::fs::statfs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where other file systems than the temporary folder's may be, on most machines.
const PLACES: [&str; 3] = ["/dev/shm", "/var/tmp", "/tmp"];

/// Size of the file that a file system is made in; xfs wants 300 MB at least. What is not written takes no space.
const IMAGE_BYTES: u64 = 512 << 20;

/// File systems that are made, each with the words that make it in a file.
const MADE: [(&str, &[&str]); 3] =
    [("ext4", &["mkfs.ext4", "-q", "-F"]), ("xfs", &["mkfs.xfs", "-q", "-f"]), ("btrfs", &["mkfs.btrfs", "-q", "-f"])];

/// The file systems' numbers in `statfs`, from `linux/magic.h`; those of the specification's time and ours.
const MAGIC: [(u32, &str); 6] = [
    (0xEF53, "ext4"),
    (0x0102_1994, "tmpfs"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x794C_7630, "overlay"),
    (0x2FC1_2FC1, "zfs"),
];

/// A folder on a file system. What was made for it goes when this does.
#[derive(Debug)]
pub(super) struct Mounted {
    name: String,
    folder: PathBuf,
    needs_umount: bool,
    _temporary: TempDir,
}

impl Mounted {
    /// The file system's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.needs_umount {
            let at_once = run(Command::new("umount").arg(&self.folder));
            // Somebody who still has a file open there keeps it until it is closed.
            let _ = at_once.or_else(|_| run(Command::new("umount").arg("-l").arg(&self.folder)));
        }
    }
}

/// One of each file system that can be had, and why others cannot.
pub(super) fn find() -> (Vec<Mounted>, Vec<String>) {
    let mut disks: Vec<Mounted> = Vec::new();
    let temporary = std::env::temp_dir();
    for place in PLACES.map(PathBuf::from).into_iter().chain([temporary]) {
        let Some(disk) = there(&place) else { continue };
        if disks.iter().all(|known| known.name != disk.name) {
            disks.push(disk);
        }
    }
    let mut left_out = Vec::new();
    let made = MADE.map(|(name, words)| (name, Some(words))).into_iter().chain([("overlay", None)]);
    for (name, words) in made {
        if disks.iter().any(|disk| disk.name == name) {
            continue;
        }
        match words.map_or_else(overlay, |words| image(name, words)) {
            Ok(disk) => disks.push(disk),
            Err(why) => left_out.push(format!("{name} cannot be made ({why})")),
        }
    }
    (disks, left_out)
}

/// A folder in a place, where files can be created there.
fn there(place: &Path) -> Option<Mounted> {
    let temporary = tempfile::Builder::new().prefix("claimcheck-").tempdir_in(place).ok()?;
    let number = statfs(temporary.path()).ok()?.f_type;
    // The kernel's number has 32 bits, whatever it is kept in.
    let known = MAGIC.iter().find(|(magic, _)| i64::from(*magic) == number & 0xFFFF_FFFF);
    let name = known.map_or_else(|| format!("{number:x}"), |(_, name)| (*name).to_owned());
    Some(Mounted { name, folder: temporary.path().to_owned(), needs_umount: false, _temporary: temporary })
}

/// A file system in a file.
fn image(name: &str, words: &[&str]) -> Result<Mounted, String> {
    mounted(name, |temporary, folder| {
        let image = temporary.join("image");
        let made = File::create(&image).and_then(|file| file.set_len(IMAGE_BYTES));
        made.map_err(|error| error.to_string())?;
        run(Command::new(words[0]).args(&words[1..]).arg(&image))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(folder))
    })
}

/// A folder laid over another one, as containers have it.
fn overlay() -> Result<Mounted, String> {
    mounted("overlay", |temporary, folder| {
        let part = |name: &str| {
            let path = temporary.join(name);
            std::fs::create_dir(&path).map(|()| path).map_err(|error| error.to_string())
        };
        let (lower, upper, work) = (part("lower")?, part("upper")?, part("work")?);
        let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
        run(Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(folder))
    })
}

fn mounted(name: &str, mount: impl FnOnce(&Path, &Path) -> Result<(), String>) -> Result<Mounted, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root may mount".to_owned());
    }
    let temporary = temporary_folder().map_err(|error| format!("{error:#}"))?;
    let folder = temporary.path().join("mounted");
    std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
    mount(temporary.path(), &folder)?;
    Ok(Mounted { name: name.to_owned(), folder, needs_umount: true, _temporary: temporary })
}

/// Runs a command to its end; the last line of what it said where it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", said.lines().last().unwrap_or("it failed").trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_systems_that_are_there_can_be_written_to_and_go_with_what_was_made_for_them() {
        let (disks, left_out) = find();
        assert!(!disks.is_empty());
        let mut paths = Vec::new();
        for disk in &disks {
            std::fs::write(disk.path().join("A4K.json"), "{}").expect("writes");
            assert!(disk.name().chars().all(|c| c.is_ascii_alphanumeric()), "{}", disk.name());
            paths.push(disk.path().to_owned());
        }
        let names: Vec<&str> = disks.iter().map(Mounted::name).collect();
        for name in ["ext4", "xfs", "btrfs", "overlay"] {
            let is_explained = left_out.iter().any(|why| why.starts_with(&format!("{name} cannot be made (")));
            assert!(names.contains(&name) != is_explained, "{name}: {names:?}, {left_out:?}");
        }
        drop(disks);
        assert!(paths.iter().all(|path| !path.exists()), "{paths:?}");
        let mounts = std::fs::read_to_string("/proc/mounts").expect("reads");
        assert!(paths.iter().all(|path| !mounts.contains(path.to_str().expect("UTF-8"))));
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let error =
            run(Command::new("sh").args(["-c", "echo first >&2; echo no room >&2; exit 3"])).expect_err("fails");
        assert_eq!(error, "sh: no room");
        assert!(run(&mut Command::new("/nowhere/mkfs")).is_err_and(|error| error.contains("/nowhere/mkfs")));
    }
}
