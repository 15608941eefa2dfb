//! What the kernel keeps of a saves folder, as a plain value: names, files (inodes), and open files.
//!
//! Each method is one system call and takes effect at once. The three are kept apart because the protocols'
//! faults live in the difference: a lock belongs to an open file, not to a name; a file that was unlinked or
//! replaced lives on for whoever has it open. The conformance test of `concurrency-tests` compares this with a
//! real folder, call by call.

use super::call::{Call, FileId, LockKind, Outcome, Reply};
use crate::fs::{FolderStat, Open, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How coarse the kernel stamps files: with the time of its last tick, up to 10 ms ago.
const TICK_MS: u64 = 10;

/// A saves folder. The default is one that is not there yet, at the start of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kernel {
    folder_exists: bool,
    folder_modified_ms: u64,
    names: BTreeMap<Arc<str>, InodeNumber>,
    /// Those that a name or an open file leads to.
    inodes: BTreeMap<InodeNumber, Inode>,
    open_files: BTreeMap<FileId, OpenFile>,
    now_ms: u64,
}

/// Which file, whatever it is called; unlike a real inode number it can change ([`Kernel::renumber`]), as no call tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InodeNumber(u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Inode {
    content: Arc<Vec<u8>>,
    reservation: bool,
    modified_ms: u64,
    /// Who holds its lock: one, or several where it is shared.
    locked_by: Vec<FileId>,
    lock_is_shared: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OpenFile {
    inode: InodeNumber,
    how: Open,
    position_bytes: usize,
    has_written: bool,
}

impl Kernel {
    /// A folder that is there and has nothing in it.
    #[must_use]
    pub fn with_folder() -> Self {
        Self { folder_exists: true, ..Self::default() }
    }

    /// Makes a call for `owner`; `None` where it has to wait for a lock, and did nothing.
    pub fn call(&mut self, owner: u16, call: &Call) -> Option<Outcome> {
        let done = |()| Reply::Done;
        Some(match call {
            Call::Folder => Ok(Reply::Folder(self.folder())),
            Call::CreateFolder => {
                self.folder_exists = true;
                Ok(Reply::Done)
            }
            Call::Names => self.names().map(Reply::Names),
            Call::Stat { name } => Ok(Reply::Stat(self.stat(name))),
            Call::Open { name, how } => self.open(owner, name, *how).map(Reply::Opened),
            Call::StatOpen { file } => self.file(*file).map(|open| Reply::Stat(Some(self.stat_inode(open.inode)))),
            Call::Lock { file, kind } => match self.try_lock(*file, *kind) {
                Ok(false) => return None,
                outcome => outcome.map(|_| Reply::Done),
            },
            Call::Unlock { file } => self.unlock(*file).map(done),
            Call::Read { file, at_most_bytes } => self.read(*file, *at_most_bytes).map(Reply::Read),
            Call::Write { file, bytes } => self.write(*file, bytes).map(Reply::Written),
            Call::Truncate { file } => self.truncate(*file).map(done),
            Call::Rewind { file } => self.rewind(*file).map(done),
            // Nothing is ever lost here, so a sync does nothing.
            Call::Sync { file } => self.file(*file).map(|_| Reply::Done),
            Call::SyncFolder => self.folder_must_exist().map(done),
            Call::Rename { from, to } => self.rename(from, to).map(done),
            Call::Exchange { one, other } => self.exchange(one, other).map(done),
            Call::Unlink { name } => self.unlink(name).map(done),
            Call::Close { file } => {
                self.close(*file);
                Ok(Reply::Done)
            }
        })
    }

    /// What a name's file holds: not a system call, but for looking at how a scenario came out.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).map(|inode| self.inodes[inode].content.as_slice())
    }

    /// The names in the folder, in order.
    pub fn name_list(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// `stat` of a name.
    #[must_use]
    pub fn stat(&self, name: &str) -> Option<Stat> {
        self.names.get(name).map(|&inode| self.stat_inode(inode))
    }

    /// Which file a name stands for.
    #[must_use]
    pub fn inode_of_name(&self, name: &str) -> Option<InodeNumber> {
        self.names.get(name).copied()
    }

    /// Which file was opened, and the position in it, bytes.
    #[must_use]
    pub fn opened(&self, file: FileId) -> Option<(InodeNumber, usize)> {
        self.open_files.get(&file).map(|open| (open.inode, open.position_bytes))
    }

    /// What the clock says, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Sets the clock; files are stamped with it from now on.
    pub fn set_clock(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Whether any open file holds the lock of what a name stands for; `None` where it stands for nothing.
    #[must_use]
    pub fn is_locked(&self, name: &str) -> Option<bool> {
        self.names.get(name).map(|inode| !self.inodes[inode].locked_by.is_empty())
    }

    /// Whether an open file holds a lock.
    #[must_use]
    pub fn holds_lock(&self, file: FileId) -> bool {
        self.file(file).is_ok_and(|open| self.inodes[&open.inode].locked_by.contains(&file))
    }

    /// Whether `file` would get this lock without waiting.
    #[must_use]
    pub fn can_lock(&self, file: FileId, kind: LockKind) -> bool {
        self.file(file).is_ok_and(|open| self.lock_is_free(open.inode, file, kind))
    }

    /// How many files are open.
    #[must_use]
    pub fn open_file_count(&self) -> usize {
        self.open_files.len()
    }

    /// The end of a process: its files are closed, and so its locks released.
    pub fn kill(&mut self, owner: u16) {
        let files: Vec<FileId> = self.open_files.keys().copied().filter(|file| file.owner == owner).collect();
        files.into_iter().for_each(|file| self.close(file));
    }

    /// Puts a file in place as it is before a scenario begins: not a system call. Where a name is taken, the file
    /// that it stands for is replaced.
    pub fn place(&mut self, name: &str, content: &[u8], reservation: bool) {
        let inode = self.add_inode(content.to_vec(), reservation);
        self.names.insert(name.into(), inode);
        self.forget_unreachable();
    }

    /// Numbers the files anew, in the order of their names and of those who have them open: two folders that no
    /// sequence of calls can tell apart are equal after it.
    pub fn renumber(&mut self) {
        let mut order: Vec<InodeNumber> = Vec::with_capacity(self.inodes.len());
        let reached = self.names.values().chain(self.open_files.values().map(|open| &open.inode));
        for &inode in reached {
            if !order.contains(&inode) {
                order.push(inode);
            }
        }
        if order.iter().enumerate().all(|(place, inode)| place == inode.0 as usize) && order.len() == self.inodes.len()
        {
            return;
        }
        let new_number = |inode: InodeNumber| {
            let place = order.iter().position(|&other| other == inode).unwrap_or_default();
            InodeNumber(u32::try_from(place).unwrap_or(u32::MAX))
        };
        self.names.values_mut().for_each(|inode| *inode = new_number(*inode));
        self.open_files.values_mut().for_each(|open| open.inode = new_number(open.inode));
        self.inodes =
            order.iter().filter_map(|&inode| Some((new_number(inode), self.inodes.remove(&inode)?))).collect();
    }

    fn folder(&self) -> Option<FolderStat> {
        self.folder_exists.then_some(FolderStat { modified_ns: self.folder_modified_ms * 1_000_000 })
    }

    fn names(&self) -> Result<Vec<String>, Errno> {
        self.folder_must_exist()?;
        Ok(self.names.keys().map(ToString::to_string).collect())
    }

    fn open(&mut self, owner: u16, name: &str, how: Open) -> Result<FileId, Errno> {
        let inode = match (self.names.get(name).copied(), how) {
            (Some(_), Open::New | Open::NewReservation) => return Err(Errno::EXIST),
            (Some(inode), _) => inode,
            (None, Open::Read) => return Err(Errno::NOENT),
            (None, _) => self.create(name, how == Open::NewReservation)?,
        };
        let taken = |number: &u16| self.open_files.contains_key(&FileId { owner, number: *number });
        let number = (0..u16::MAX).find(|number| !taken(number)).ok_or(Errno::MFILE)?;
        let file = FileId { owner, number };
        self.open_files.insert(file, OpenFile { inode, how, position_bytes: 0, has_written: false });
        Ok(file)
    }

    fn close(&mut self, file: FileId) {
        // A file that is not open holds no lock either.
        let _ = self.unlock(file);
        self.open_files.remove(&file);
        self.forget_unreachable();
    }

    /// False means that another open file description holds the lock; one that holds it already keeps it, in the
    /// kind that it asks for now.
    fn try_lock(&mut self, file: FileId, kind: LockKind) -> Result<bool, Errno> {
        let inode = self.file(file)?.inode;
        if !self.lock_is_free(inode, file, kind) {
            return Ok(false);
        }
        let inode = self.inode(inode)?;
        inode.locked_by.retain(|&holder| holder != file);
        inode.locked_by.push(file);
        inode.locked_by.sort_unstable();
        inode.lock_is_shared = kind == LockKind::Shared;
        Ok(true)
    }

    fn lock_is_free(&self, inode: InodeNumber, file: FileId, kind: LockKind) -> bool {
        let inode = &self.inodes[&inode];
        let others = inode.locked_by.iter().any(|&holder| holder != file);
        !others || (inode.lock_is_shared && kind == LockKind::Shared)
    }

    fn unlock(&mut self, file: FileId) -> Result<(), Errno> {
        let inode = self.file(file)?.inode;
        let inode = self.inode(inode)?;
        inode.locked_by.retain(|&holder| holder != file);
        inode.lock_is_shared &= !inode.locked_by.is_empty();
        Ok(())
    }

    /// All that is there, up to `at_most_bytes`.
    fn read(&mut self, file: FileId, at_most_bytes: usize) -> Result<Vec<u8>, Errno> {
        let open = self.open_files.get_mut(&file).ok_or(Errno::BADF)?;
        if !matches!(open.how, Open::Read | Open::ReadWriteOrCreate) {
            return Err(Errno::BADF);
        }
        let rest = self.inodes[&open.inode].content.get(open.position_bytes..).unwrap_or_default();
        let taken = &rest[..rest.len().min(at_most_bytes)];
        open.position_bytes += taken.len();
        Ok(taken.to_vec())
    }

    /// Answers how many bytes were taken.
    ///
    /// The first write to an open file takes half of what it is given, and a later one all. So a document takes
    /// two steps, between which a reader can come, and no more, which would only multiply the interleavings.
    /// A kernel may do so (POSIX allows a short write), and what a reader then sees is real even where it does
    /// not: ext4 copies page by page, under no lock that a reader takes.
    fn write(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        let stamp_ms = self.stamp_ms();
        let open = self.open_files.get_mut(&file).ok_or(Errno::BADF)?;
        if open.how == Open::Read {
            return Err(Errno::BADF);
        }
        let taken = if open.has_written { bytes } else { &bytes[..bytes.len().div_ceil(2)] };
        if taken.is_empty() {
            return Ok(0);
        }
        let (start, end) = (open.position_bytes, open.position_bytes + taken.len());
        (open.position_bytes, open.has_written) = (end, true);
        let inode = self.inodes.get_mut(&open.inode).ok_or(Errno::BADF)?;
        let content = Arc::make_mut(&mut inode.content);
        if content.len() < end {
            // Where the position is past the end, the gap reads as zeros.
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(taken);
        inode.modified_ms = stamp_ms;
        Ok(taken.len())
    }

    /// The position stays where it is.
    fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        let stamp_ms = self.stamp_ms();
        let open = self.file(file)?;
        if open.how == Open::Read {
            return Err(Errno::INVAL);
        }
        let inode = open.inode;
        let inode = self.inode(inode)?;
        inode.content = Arc::default();
        inode.modified_ms = stamp_ms;
        Ok(())
    }

    fn rewind(&mut self, file: FileId) -> Result<(), Errno> {
        self.open_files.get_mut(&file).ok_or(Errno::BADF)?.position_bytes = 0;
        Ok(())
    }

    /// Into itself, a name is not changed, and nothing is stamped.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let inode = self.names.get(from).copied().ok_or(Errno::NOENT)?;
        if from != to {
            self.names.remove(from);
            self.names.insert(to.into(), inode);
            self.names_changed();
        }
        Ok(())
    }

    /// With itself, as [`Kernel::rename`].
    fn exchange(&mut self, one: &str, other: &str) -> Result<(), Errno> {
        let inode_of = |name| self.names.get(name).copied().ok_or(Errno::NOENT);
        let (inode_of_one, inode_of_other) = (inode_of(one)?, inode_of(other)?);
        if one != other {
            self.names.insert(one.into(), inode_of_other);
            self.names.insert(other.into(), inode_of_one);
            self.names_changed();
        }
        Ok(())
    }

    fn unlink(&mut self, name: &str) -> Result<(), Errno> {
        self.names.remove(name).ok_or(Errno::NOENT)?;
        self.names_changed();
        Ok(())
    }

    fn create(&mut self, name: &str, reservation: bool) -> Result<InodeNumber, Errno> {
        self.folder_must_exist()?;
        let inode = self.add_inode(Vec::new(), reservation);
        self.names.insert(name.into(), inode);
        self.names_changed();
        Ok(inode)
    }

    fn add_inode(&mut self, content: Vec<u8>, reservation: bool) -> InodeNumber {
        let number = InodeNumber(self.inodes.last_key_value().map_or(0, |(last, _)| last.0 + 1));
        let inode = Inode {
            content: Arc::new(content),
            reservation,
            modified_ms: self.stamp_ms(),
            locked_by: Vec::new(),
            lock_is_shared: false,
        };
        self.inodes.insert(number, inode);
        number
    }

    fn names_changed(&mut self) {
        self.folder_modified_ms = self.stamp_ms();
        self.forget_unreachable();
    }

    fn forget_unreachable(&mut self) {
        let (names, open_files) = (&self.names, &self.open_files);
        self.inodes.retain(|number, _| {
            names.values().any(|inode| inode == number) || open_files.values().any(|open| open.inode == *number)
        });
    }

    fn stamp_ms(&self) -> u64 {
        self.now_ms / TICK_MS * TICK_MS
    }

    fn file(&self, file: FileId) -> Result<&OpenFile, Errno> {
        self.open_files.get(&file).ok_or(Errno::BADF)
    }

    fn inode(&mut self, inode: InodeNumber) -> Result<&mut Inode, Errno> {
        self.inodes.get_mut(&inode).ok_or(Errno::BADF)
    }

    fn folder_must_exist(&self) -> Result<(), Errno> {
        self.folder_exists.then_some(()).ok_or(Errno::NOENT)
    }

    fn stat_inode(&self, inode: InodeNumber) -> Stat {
        let Inode { content, reservation, modified_ms, .. } = &self.inodes[&inode];
        Stat { size_bytes: content.len() as u64, modified_ms: *modified_ms, reservation: *reservation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u16 = 0;

    fn opened(kernel: &mut Kernel, name: &str, how: Open) -> FileId {
        kernel.open(ME, name, how).expect("can be opened")
    }

    #[test]
    fn a_document_is_written_in_two_steps() {
        let mut kernel = Kernel::with_folder();
        let file = opened(&mut kernel, "A4K.json", Open::New);
        assert_eq!((kernel.write(file, b"12345"), kernel.content("A4K.json")), (Ok(3), Some(&b"123"[..])));
        assert_eq!((kernel.write(file, b"45"), kernel.content("A4K.json")), (Ok(2), Some(&b"12345"[..])));
    }

    #[test]
    fn a_change_of_names_is_stamped_with_the_last_tick_and_a_write_leaves_the_folder_alone() {
        let mut kernel = Kernel::with_folder();
        let mut stamps = Vec::new();
        let mut stamp = |kernel: &mut Kernel| {
            stamps.push(kernel.folder().map(|stat| stat.modified_ns));
            kernel.set_clock(kernel.now_ms + 25);
        };
        stamp(&mut kernel);
        let file = opened(&mut kernel, "a", Open::New);
        stamp(&mut kernel);
        opened(&mut kernel, "b", Open::WriteOrCreate);
        stamp(&mut kernel);
        kernel.exchange("a", "b").expect("both are there");
        stamp(&mut kernel);
        kernel.rename("a", "c").expect("is there");
        stamp(&mut kernel);
        kernel.unlink("b").expect("is there");
        stamp(&mut kernel);
        kernel.write(file, b"12").expect("is open to write");
        opened(&mut kernel, "c", Open::WriteOrCreate);
        stamp(&mut kernel);
        assert_eq!(stamps, [0, 20, 50, 70, 100, 120, 120].map(|ms| Some(ms * 1_000_000)));
    }

    #[test]
    fn shared_locks_go_together_and_an_exclusive_one_with_none() {
        let mut kernel = Kernel::with_folder();
        let files = [(); 3].map(|()| opened(&mut kernel, "a", Open::WriteOrCreate));
        assert_eq!(kernel.try_lock(files[0], LockKind::Shared), Ok(true));
        assert_eq!(kernel.try_lock(files[1], LockKind::Shared), Ok(true));
        assert_eq!(kernel.try_lock(files[2], LockKind::Exclusive), Ok(false));
        kernel.close(files[0]);
        assert_eq!(kernel.try_lock(files[2], LockKind::Exclusive), Ok(false));
        kernel.close(files[1]);
        assert_eq!(kernel.try_lock(files[2], LockKind::Exclusive), Ok(true));
        let late = opened(&mut kernel, "a", Open::Read);
        assert_eq!(kernel.try_lock(late, LockKind::Shared), Ok(false));
    }

    #[test]
    fn a_process_that_ends_leaves_no_open_file_and_no_lock() {
        let mut kernel = Kernel::with_folder();
        let mine = opened(&mut kernel, "a", Open::New);
        kernel.try_lock(mine, LockKind::Exclusive).expect("is open");
        let theirs = kernel.open(1, "a", Open::Read).expect("is there");
        assert_eq!(kernel.try_lock(theirs, LockKind::Exclusive), Ok(false));
        kernel.kill(ME);
        assert_eq!((kernel.open_file_count(), kernel.try_lock(theirs, LockKind::Exclusive)), (1, Ok(true)));
    }

    #[test]
    fn folders_that_no_call_can_tell_apart_are_equal_once_renumbered() {
        let made = |names: [&str; 2]| {
            let mut kernel = Kernel::with_folder();
            let gone = opened(&mut kernel, "gone", Open::New);
            kernel.unlink("gone").expect("is there");
            kernel.close(gone);
            names.iter().for_each(|name| kernel.place(name, name.as_bytes(), false));
            kernel.renumber();
            kernel
        };
        assert_eq!(made(["a", "b"]), made(["b", "a"]));
        let mut exchanged = made(["a", "b"]);
        exchanged.exchange("a", "b").expect("both are there");
        exchanged.renumber();
        assert_ne!(made(["a", "b"]), exchanged);
    }
}
