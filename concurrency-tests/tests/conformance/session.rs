//! Calls, and a file system that they are made on.

use concurrency_tests::ModelFs;
use rustix::io::Errno;
use server::fs::disk::DiskFileSystem;
use server::fs::{FileSystem, Open as How, ready};
use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::io;

/// A call: on a name, or on the file that was opened under a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    CreateFolder,
    Folder,
    Names,
    Stat(&'static str),
    Open(char, &'static str, How),
    StatOpen(char),
    Lock(char),
    IsLocked(&'static str),
    Unlock(char),
    Read(char, usize),
    Write(char, &'static str),
    Truncate(char),
    Rewind(char),
    Close(char),
    Rename(&'static str, &'static str),
    Exchange(&'static str, &'static str),
    Unlink(&'static str),
}

/// A file system, and a look at it from outside.
pub(crate) trait Subject: FileSystem {
    /// Whether an open file holds the lock of what a name stands for now; `None` where it stands for nothing.
    fn is_locked(&self, name: &str) -> Option<bool>;
}

impl Subject for ModelFs {
    fn is_locked(&self, name: &str) -> Option<bool> {
        let probe = now(self.open(name, How::Read)).ok()?;
        Some(!self.try_lock(&probe))
    }
}

impl Subject for DiskFileSystem {
    fn is_locked(&self, name: &str) -> Option<bool> {
        let probe = File::open(self.folder_path().join(name)).ok()?;
        Some(fs2::FileExt::try_lock_exclusive(&probe).is_err())
    }
}

/// A file system in use.
#[derive(Debug)]
pub(crate) struct Session<F: FileSystem> {
    pub(crate) fs: F,
    /// The open files, by the letters that they were opened under.
    pub(crate) open: BTreeMap<char, F::File>,
}

impl<F: Subject> Session<F> {
    pub(crate) fn new(fs: F) -> Self {
        Self { fs, open: BTreeMap::new() }
    }

    /// Makes a call and tells what came of it, in words; nothing where it only succeeded.
    pub(crate) fn make(&mut self, call: Call) -> Result<String, Errno> {
        self.try_make(call).map_err(|error| Errno::from_io_error(&error).expect("an error of the system"))
    }

    fn try_make(&mut self, call: Call) -> io::Result<String> {
        let Self { fs, open } = self;
        match call {
            Call::Folder => return Ok(now(fs.folder())?.map_or("none", |_| "there").to_owned()),
            Call::Names => {
                let mut names = now(fs.names())?;
                names.sort();
                return Ok(names.join(" "));
            }
            Call::Stat(name) => return Ok(now(fs.stat(name))?.map_or("none".to_owned(), words)),
            Call::StatOpen(letter) => return now(fs.stat_open(&open[&letter])).map(words),
            Call::IsLocked(name) => return Ok(format!("{:?}", fs.is_locked(name))),
            Call::Read(letter, at_most_bytes) => {
                let mut bytes = Vec::new();
                let count = now(fs.read(&open[&letter], &mut bytes, at_most_bytes))?;
                assert_eq!(count, bytes.len());
                return Ok(String::from_utf8(bytes).expect("only text was written"));
            }
            Call::Write(letter, text) => {
                let mut rest = text.as_bytes();
                while !rest.is_empty() {
                    rest = &rest[now(fs.write(&open[&letter], rest))?..];
                }
            }
            Call::Open(letter, name, how) => drop(open.insert(letter, now(fs.open(name, how))?)),
            Call::Close(letter) => drop(open.remove(&letter)),
            Call::CreateFolder => now(fs.create_folder())?,
            Call::Lock(letter) => now(fs.lock(&open[&letter]))?,
            Call::Unlock(letter) => now(fs.unlock(&open[&letter]))?,
            Call::Truncate(letter) => now(fs.truncate(&open[&letter]))?,
            Call::Rewind(letter) => now(fs.rewind(&open[&letter]))?,
            Call::Rename(from, to) => now(fs.rename(from, to))?,
            Call::Exchange(one, other) => now(fs.exchange(one, other))?,
            Call::Unlink(name) => now(fs.unlink(name))?,
        }
        Ok(String::new())
    }
}

fn words(stat: server::fs::Stat) -> String {
    format!("{} bytes{}", stat.size_bytes, if stat.reservation { ", reservation" } else { "" })
}

/// The outcome of a call that waits for nothing.
fn now<T>(call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    ready(call).expect("no lock is asked for that is held elsewhere")
}
