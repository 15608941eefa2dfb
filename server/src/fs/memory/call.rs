//! System calls as data: so that they can be recorded, replayed, failed, and made one at a time.

use super::super::{FolderStat, Open, Stat};
use rustix::io::Errno;
use std::fmt;

/// An open file description: whose it is, and the lowest number that was free for its owner when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// Who opened it: a thread or a process of a model, as its user counts them.
    pub owner: u16,
    /// Its number among the owner's open files.
    pub number: u16,
}

/// What kind of lock is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// `LOCK_EX`: nobody else may hold any.
    Exclusive,
    /// `LOCK_SH`: others may hold shared ones.
    Shared,
}

/// A method of [`super::FileSystem`] with its arguments, or the closing of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the methods of `FileSystem` say it")]
pub enum Call {
    Folder,
    CreateFolder,
    Names,
    Stat { name: String },
    Open { name: String, how: Open },
    StatOpen { file: FileId },
    Lock { file: FileId, kind: LockKind },
    Unlock { file: FileId },
    Read { file: FileId, at_most_bytes: usize },
    Write { file: FileId, bytes: Vec<u8> },
    Truncate { file: FileId },
    Rewind { file: FileId },
    Sync { file: FileId },
    SyncFolder,
    Rename { from: String, to: String },
    Exchange { one: String, other: String },
    Unlink { name: String },
    Close { file: FileId },
}

/// What a call that succeeded answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the methods of `FileSystem` say it")]
pub enum Reply {
    Done,
    Folder(Option<FolderStat>),
    Names(Vec<String>),
    Stat(Option<Stat>),
    Opened(FileId),
    Read(Vec<u8>),
    Written(usize),
}

/// How a call came out.
pub type Outcome = Result<Reply, Errno>;

impl Call {
    /// The file that the call is made on, if it is made on an open one.
    #[must_use]
    pub fn file(&self) -> Option<FileId> {
        match *self {
            Self::StatOpen { file }
            | Self::Lock { file, .. }
            | Self::Unlock { file }
            | Self::Read { file, .. }
            | Self::Write { file, .. }
            | Self::Truncate { file }
            | Self::Rewind { file }
            | Self::Sync { file }
            | Self::Close { file } => Some(file),
            _ => None,
        }
    }
}

/// As the kernel's interface spells it, files by their numbers: `write(3, 37 bytes)`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("stat(.)"),
            Self::CreateFolder => f.write_str("mkdir(.)"),
            Self::Names => f.write_str("readdir(.)"),
            Self::Stat { name } => write!(f, "stat({name})"),
            Self::Open { name, how } => write!(f, "open({name}, {})", flags(*how)),
            Self::StatOpen { file } => write!(f, "fstat({file})"),
            Self::Lock { file, kind: LockKind::Exclusive } => write!(f, "flock({file}, EX)"),
            Self::Lock { file, kind: LockKind::Shared } => write!(f, "flock({file}, SH)"),
            Self::Unlock { file } => write!(f, "flock({file}, UN)"),
            Self::Read { file, at_most_bytes } => write!(f, "read({file}, {at_most_bytes})"),
            Self::Write { file, bytes } => write!(f, "write({file}, {} bytes)", bytes.len()),
            Self::Truncate { file } => write!(f, "ftruncate({file}, 0)"),
            Self::Rewind { file } => write!(f, "lseek({file}, 0)"),
            Self::Sync { file } => write!(f, "fdatasync({file})"),
            Self::SyncFolder => f.write_str("fsync(.)"),
            Self::Rename { from, to } => write!(f, "rename({from}, {to})"),
            Self::Exchange { one, other } => write!(f, "exchange({one}, {other})"),
            Self::Unlink { name } => write!(f, "unlink({name})"),
            Self::Close { file } => write!(f, "close({file})"),
        }
    }
}

/// Its number alone, counted from 3 as a process's own files are; whose it is shows in the place where it stands.
impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number + 3)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Folder(Some(_)) => f.write_str("a folder"),
            Self::Folder(None) | Self::Stat(None) => f.write_str("not there"),
            Self::Names(names) => f.write_str(&names.join(" ")),
            Self::Stat(Some(stat)) if stat.reservation && stat.size_bytes == 0 => f.write_str("a reservation"),
            Self::Stat(Some(stat)) => write!(f, "{} bytes", stat.size_bytes),
            Self::Opened(file) => write!(f, "{file}"),
            Self::Read(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Written(bytes) => write!(f, "{bytes}"),
        }
    }
}

/// An error as the kernel's manual calls it.
#[must_use]
pub fn name_of(errno: Errno) -> String {
    let name = match errno {
        Errno::NOENT => "ENOENT",
        Errno::EXIST => "EEXIST",
        Errno::BADF => "EBADF",
        Errno::INVAL => "EINVAL",
        Errno::IO => "EIO",
        Errno::NOSPC => "ENOSPC",
        Errno::DQUOT => "EDQUOT",
        Errno::MFILE => "EMFILE",
        Errno::NOLCK => "ENOLCK",
        Errno::ACCESS => "EACCES",
        Errno::INTR => "EINTR",
        other => return format!("errno {}", other.raw_os_error()),
    };
    name.to_owned()
}

fn flags(how: Open) -> &'static str {
    match how {
        Open::Read => "read",
        Open::WriteOrCreate => "write, create",
        Open::ReadWriteOrCreate => "read, write, create",
        Open::New => "write, create new",
        Open::NewReservation => "create new, sticky",
    }
}
