//! What the kernel keeps of a saves folder, as a plain value: names, files (inodes), and open files.
//!
//! Each method is one system call and takes effect at once. The three are kept apart because the protocols'
//! faults live in the difference: a lock belongs to an open file, not to a name; a file that was unlinked or
//! replaced lives on for whoever has it open. `tests/conformance.rs` compares this with a real folder, call by call.

use crate::world::NOW_MS;
use rustix::io::Errno;
use server::fs::{FolderStat, Open, Stat};
use std::collections::BTreeMap;

/// A saves folder. The default is one that is not there yet.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    folder_exists: bool,
    /// Which inode, by its place in `inodes`, a name stands for.
    names: BTreeMap<String, usize>,
    /// Every inode that ever was. One that nobody can reach any more is left where it is.
    inodes: Vec<Inode>,
    /// Every open file description that ever was, closed ones included.
    open_files: Vec<OpenFile>,
    /// How often a name was added, removed or moved.
    name_changes: u64,
}

/// An open file description of a [`Kernel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(usize);

#[derive(Clone, Debug)]
struct Inode {
    content: Vec<u8>,
    reservation: bool,
    locked_by: Option<FileId>,
}

#[derive(Clone, Debug)]
struct OpenFile {
    inode: usize,
    how: Open,
    position_bytes: usize,
    has_written: bool,
}

impl Kernel {
    /// `stat` of the folder.
    ///
    /// Each change of names has a modification time of its own, and all of them are long before [`NOW_MS`]. So a
    /// look at the folder counts as settled, as it does on a disk once the clock has ticked on.
    #[must_use]
    pub fn folder(&self) -> Option<FolderStat> {
        self.folder_exists.then_some(FolderStat { modified_ns: self.name_changes })
    }

    /// `mkdir -p` of the folder.
    pub fn create_folder(&mut self) {
        self.folder_exists = true;
    }

    /// `readdir`.
    ///
    /// # Errors
    /// `NOENT` where the folder is not there.
    pub fn names(&self) -> Result<Vec<String>, Errno> {
        self.folder_must_exist()?;
        Ok(self.names.keys().cloned().collect())
    }

    /// `stat` of a name.
    #[must_use]
    pub fn stat(&self, name: &str) -> Option<Stat> {
        self.names.get(name).map(|&inode| self.stat_inode(inode))
    }

    /// What a name's file holds: not a system call, but for looking at how a scenario came out.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).map(|&inode| self.inodes[inode].content.as_slice())
    }

    /// `open`.
    ///
    /// # Errors
    /// `EXIST` where a new file is asked for and the name is taken; `NOENT` where there is no such file to read,
    /// or no folder to create it in.
    pub fn open(&mut self, name: &str, how: Open) -> Result<FileId, Errno> {
        let inode = match (self.names.get(name).copied(), how) {
            (Some(_), Open::New | Open::NewReservation) => return Err(Errno::EXIST),
            (Some(inode), _) => inode,
            (None, Open::Read) => return Err(Errno::NOENT),
            (None, _) => self.create(name, how == Open::NewReservation)?,
        };
        self.open_files.push(OpenFile { inode, how, position_bytes: 0, has_written: false });
        Ok(FileId(self.open_files.len() - 1))
    }

    /// `fstat`.
    #[must_use]
    pub fn stat_open(&self, file: FileId) -> Stat {
        self.stat_inode(self.open_files[file.0].inode)
    }

    /// `close`; answers whether that released a lock.
    pub fn close(&mut self, file: FileId) -> bool {
        self.unlock(file)
    }

    /// `flock(LOCK_EX|LOCK_NB)`; answers whether the file has the lock now. False means that another open file
    /// description holds it; one that holds it already keeps it.
    pub fn try_lock(&mut self, file: FileId) -> bool {
        let inode = &mut self.inodes[self.open_files[file.0].inode];
        *inode.locked_by.get_or_insert(file) == file
    }

    /// `flock(LOCK_UN)`; answers whether a lock was held.
    pub fn unlock(&mut self, file: FileId) -> bool {
        let inode = &mut self.inodes[self.open_files[file.0].inode];
        inode.locked_by.take_if(|holder| *holder == file).is_some()
    }

    /// `read`; all that is there, up to `at_most_bytes`.
    ///
    /// # Errors
    /// `BADF` where the file was opened to write only.
    pub fn read(&mut self, file: FileId, at_most_bytes: usize) -> Result<&[u8], Errno> {
        let open = &mut self.open_files[file.0];
        if !matches!(open.how, Open::Read | Open::ReadWriteOrCreate) {
            return Err(Errno::BADF);
        }
        let rest = self.inodes[open.inode].content.get(open.position_bytes..).unwrap_or_default();
        let taken = &rest[..rest.len().min(at_most_bytes)];
        open.position_bytes += taken.len();
        Ok(taken)
    }

    /// `write`; answers how many bytes were taken.
    ///
    /// The first write to an open file takes half of what it is given, and a later one all. So a document takes
    /// two steps, between which a reader can come, and no more, which would only multiply the interleavings.
    /// A kernel may do so (POSIX allows a short write), and what a reader then sees is real even where it does
    /// not: ext4 copies page by page, under no lock that a reader takes.
    ///
    /// # Errors
    /// `BADF` where the file was opened to read only.
    pub fn write(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        let open = &mut self.open_files[file.0];
        if open.how == Open::Read {
            return Err(Errno::BADF);
        }
        let taken = if open.has_written { bytes } else { &bytes[..bytes.len().div_ceil(2)] };
        if taken.is_empty() {
            return Ok(0);
        }
        let (start, end) = (open.position_bytes, open.position_bytes + taken.len());
        let content = &mut self.inodes[open.inode].content;
        if content.len() < end {
            // Where the position is past the end, the gap reads as zeros.
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(taken);
        (open.position_bytes, open.has_written) = (end, true);
        Ok(taken.len())
    }

    /// `ftruncate` to nothing; the position stays where it is.
    ///
    /// # Errors
    /// `INVAL` where the file was opened to read only.
    pub fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        let open = &self.open_files[file.0];
        if open.how == Open::Read {
            return Err(Errno::INVAL);
        }
        self.inodes[open.inode].content.clear();
        Ok(())
    }

    /// `lseek` to the start.
    pub fn rewind(&mut self, file: FileId) {
        self.open_files[file.0].position_bytes = 0;
    }

    /// `fsync` of the folder. Nothing is ever lost here, so there is nothing to do.
    ///
    /// # Errors
    /// `NOENT` where the folder is not there.
    pub fn sync_folder(&self) -> Result<(), Errno> {
        self.folder_must_exist()
    }

    /// `rename`.
    ///
    /// # Errors
    /// `NOENT` where there is no `from`.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let inode = self.names.remove(from).ok_or(Errno::NOENT)?;
        self.names.insert(to.to_owned(), inode);
        self.name_changes += 1;
        Ok(())
    }

    /// `renameat2(RENAME_EXCHANGE)`.
    ///
    /// # Errors
    /// `NOENT` unless both names are there.
    pub fn exchange(&mut self, one: &str, other: &str) -> Result<(), Errno> {
        let inode_of = |name| self.names.get(name).copied().ok_or(Errno::NOENT);
        let (inode_of_one, inode_of_other) = (inode_of(one)?, inode_of(other)?);
        self.names.insert(one.to_owned(), inode_of_other);
        self.names.insert(other.to_owned(), inode_of_one);
        self.name_changes += 1;
        Ok(())
    }

    /// `unlink`.
    ///
    /// # Errors
    /// `NOENT` where there is no such name.
    pub fn unlink(&mut self, name: &str) -> Result<(), Errno> {
        self.names.remove(name).ok_or(Errno::NOENT)?;
        self.name_changes += 1;
        Ok(())
    }

    /// Puts a file in place as it is before a scenario begins: not a system call.
    pub fn place(&mut self, name: &str, content: &[u8]) {
        self.inodes.push(Inode { content: content.to_vec(), reservation: false, locked_by: None });
        self.names.insert(name.to_owned(), self.inodes.len() - 1);
    }

    fn create(&mut self, name: &str, reservation: bool) -> Result<usize, Errno> {
        self.folder_must_exist()?;
        self.inodes.push(Inode { content: Vec::new(), reservation, locked_by: None });
        let inode = self.inodes.len() - 1;
        self.names.insert(name.to_owned(), inode);
        self.name_changes += 1;
        Ok(inode)
    }

    fn folder_must_exist(&self) -> Result<(), Errno> {
        self.folder_exists.then_some(()).ok_or(Errno::NOENT)
    }

    fn stat_inode(&self, inode: usize) -> Stat {
        let Inode { content, reservation, .. } = &self.inodes[inode];
        Stat { size_bytes: content.len() as u64, modified_ms: NOW_MS, reservation: *reservation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_folder() -> Kernel {
        let mut kernel = Kernel::default();
        kernel.create_folder();
        kernel
    }

    #[test]
    fn a_document_is_written_in_two_steps() {
        let mut kernel = with_folder();
        let file = kernel.open("A4K.json", Open::New).expect("is new");
        assert_eq!((kernel.write(file, b"12345"), kernel.content("A4K.json")), (Ok(3), Some(&b"123"[..])));
        assert_eq!((kernel.write(file, b"45"), kernel.content("A4K.json")), (Ok(2), Some(&b"12345"[..])));
    }

    #[test]
    fn every_change_of_names_has_a_time_of_its_own_and_a_write_none() {
        let mut kernel = with_folder();
        let mut times = vec![kernel.folder()];
        let file = kernel.open("a", Open::New).expect("is new");
        times.push(kernel.folder());
        kernel.open("b", Open::WriteOrCreate).expect("is created");
        times.push(kernel.folder());
        kernel.exchange("a", "b").expect("both are there");
        times.push(kernel.folder());
        kernel.rename("a", "c").expect("is there");
        times.push(kernel.folder());
        kernel.unlink("b").expect("is there");
        times.push(kernel.folder());
        assert!(times.is_sorted_by(|earlier, later| earlier.map(|s| s.modified_ns) < later.map(|s| s.modified_ns)));
        kernel.write(file, b"12").expect("is open to write");
        kernel.open("c", Open::WriteOrCreate).expect("is there");
        assert_eq!(kernel.folder(), times[5]);
    }
}
