//! What a loss of power leaves: the page cache, what of it is on the disk for certain, and what may be.

use super::changes::{Change, File, Files, Names, Number};
use crate::fs::Open;
use crate::fs::memory::kernel::InodeNumber;
use crate::fs::memory::{Call, FileId, Kernel, Outcome, Reply};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Of so many unsynced changes every subset is tried, the newest ones; where there are more, the older ones have all
/// reached the disk or none. Each doubles the number of losses, and a save makes five.
pub const FREE_CHANGES: usize = 12;

/// A saves folder whose writes are cached: what programs see, and what of it is on the disk. A plain value.
///
/// Takes the same calls as a [`Kernel`], and answers the same. What it assumes of the disk is said in [`super`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteBack {
    cache: Kernel,
    folder_exists: bool,
    /// Which of our files a file of the cache is; the cache gives a number again once its file is forgotten.
    numbers: BTreeMap<InodeNumber, Number>,
    next_number: Number,
    /// What is on the disk for certain.
    synced: Files,
    /// What may be there, oldest first.
    unsynced: Vec<Change>,
}

/// What becomes of an unsynced change when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It did not reach the disk.
    Lost,
    /// It did.
    Kept,
    /// Of a write only the first so many bytes did. Any other change is atomic, and kept.
    Torn {
        /// How many bytes.
        kept_bytes: usize,
    },
}

/// Everything that a loss of power can leave.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Each folder that can be left, once; none has open files or locks.
    pub left: Vec<Kernel>,
    /// In how many ways: subsets of the unsynced changes, with each write in them whole or half.
    pub ways: usize,
    /// Whether there were more than [`FREE_CHANGES`], and so not every subset was tried.
    pub bounded: bool,
}

impl WriteBack {
    /// A folder that is on the disk as it is, all of it.
    #[must_use]
    pub fn new(mut synced: Kernel) -> Self {
        let folder_exists = matches!(synced.call(0, &Call::Folder), Some(Ok(Reply::Folder(Some(_)))));
        let names: Vec<Arc<str>> = synced.name_list().map(Arc::from).collect();
        let mut disk = Self {
            cache: synced,
            folder_exists,
            numbers: BTreeMap::new(),
            next_number: Number::default(),
            synced: Files::default(),
            unsynced: Vec::new(),
        };
        for name in names {
            let number = disk.number_new_file(&name);
            if let (Some(content), Some(stat)) = (disk.cache.content(&name), disk.cache.stat(&name)) {
                disk.synced.add(number, content, stat);
            }
            disk.synced.names.insert(name, number);
        }
        disk
    }

    /// What programs see.
    #[must_use]
    pub fn cache(&self) -> &Kernel {
        &self.cache
    }

    /// How many changes would not all survive a loss of power now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// Sets the clock; files are stamped with it from now on.
    pub fn set_clock(&mut self, now_ms: u64) {
        self.cache.set_clock(now_ms);
    }

    /// The end of a process: its files are closed and its locks released. The page cache is the kernel's, and stays.
    pub fn kill(&mut self, owner: u16) {
        self.cache.kill(owner);
    }

    /// As [`Kernel::call`].
    pub fn call(&mut self, owner: u16, call: &Call) -> Option<Outcome> {
        let was_there = |name: &str| self.cache.inode_of_name(name).and_then(|inode| self.numbers.get(&inode)).copied();
        // What a change of names is about is known before it is made, and what a write takes after it.
        let names = match call {
            Call::Rename { from, to } => [Some((from, None)), was_there(from).map(|file| (to, Some(file)))],
            Call::Exchange { one, other } => [Some((one, was_there(other))), Some((other, was_there(one)))],
            Call::Unlink { name } => [Some((name, None)), None],
            _ => [None, None],
        };
        let names: Names = names.into_iter().flatten().map(|(name, file)| (name.as_str().into(), file)).collect();
        let is_new = matches!(call, Call::Open { name, how } if *how != Open::Read && was_there(name).is_none());
        let opened = call.file().and_then(|file| self.opened(file));

        let outcome = self.cache.call(owner, call)?;
        let Ok(reply) = &outcome else { return Some(outcome) };
        match (call, reply, opened) {
            (Call::CreateFolder, ..) => self.folder_exists = true,
            (Call::Open { name, .. }, ..) if is_new => self.created(name),
            (Call::Rename { .. } | Call::Exchange { .. } | Call::Unlink { .. }, ..) => {
                self.unsynced.push(Change::Names(names));
            }
            (Call::Write { bytes, .. }, Reply::Written(taken), Some((file, start_bytes))) => {
                let (bytes, modified_ms) = (bytes[..*taken].into(), self.cache.now_ms());
                self.unsynced.push(Change::Write { file, start_bytes, bytes, modified_ms });
            }
            (Call::Truncate { .. }, _, Some((file, _))) => {
                self.unsynced.push(Change::Truncate { file, modified_ms: self.cache.now_ms() });
            }
            (Call::Sync { .. }, _, Some((file, _))) => self.sync(|change| change.is_data_of(file)),
            (Call::SyncFolder, ..) => {
                self.sync(Change::is_of_names);
                self.forget_unreachable();
            }
            _ => {}
        }
        Some(outcome)
    }

    /// What is left of a loss of power in which each unsynced change, oldest first, met its fate; those for which none
    /// is given are lost.
    #[must_use]
    pub fn left(&self, fates: &[Fate]) -> Kernel {
        let mut files = self.synced.clone();
        for (change, fate) in self.unsynced.iter().zip(fates) {
            match fate {
                Fate::Lost => {}
                Fate::Kept => files.apply(change, None),
                Fate::Torn { kept_bytes } => files.apply(change, Some(*kept_bytes)),
            }
        }
        self.folder_of(&files.names, |file| files.file(file))
    }

    /// What is left of some loss of power. `draw` answers a uniform number below its argument.
    #[must_use]
    pub fn some_loss(&self, draw: &mut dyn FnMut(u64) -> u64) -> Kernel {
        // A disk that had time to write nearly all of it is to be met as well as one that had none.
        let kept_quarters = draw(5);
        let fates: Vec<Fate> = self
            .unsynced
            .iter()
            .map(|change| match change {
                _ if draw(4) >= kept_quarters => Fate::Lost,
                Change::Write { bytes, .. } if draw(4) == 0 => {
                    let kept = draw(bytes.len() as u64 + 1);
                    Fate::Torn { kept_bytes: usize::try_from(kept).unwrap_or(usize::MAX) }
                }
                _ => Fate::Kept,
            })
            .collect();
        self.left(&fates)
    }

    /// Everything that a loss of power can leave now: any of the unsynced changes may have reached the disk, and of any
    /// write among them just the first half.
    #[must_use]
    pub fn every_loss(&self) -> Losses {
        let (older, free) = self.unsynced.split_at(self.unsynced.len().saturating_sub(FREE_CHANGES));
        let mut bases = vec![self.synced.clone()];
        if !older.is_empty() {
            let mut files = self.synced.clone();
            older.iter().for_each(|change| files.apply(change, None));
            bases.push(files);
        }
        let mut left = Vec::new();
        let mut known = HashSet::new();
        for base in &bases {
            self.each_loss(base, free, |kernel| {
                if known.insert(kernel.clone()) {
                    left.push(kernel);
                }
            });
        }
        let ways = free.iter().map(Change::ways).product::<usize>() * bases.len();
        Losses { left, ways, bounded: !older.is_empty() }
    }

    /// Names and the files' content are independent: so any names that can be there go with any content, of each file,
    /// that can be there.
    fn each_loss(&self, base: &Files, free: &[Change], mut found: impl FnMut(Kernel)) {
        let every_names = free.iter().fold(BTreeSet::from([base.names.clone()]), |every, change| {
            let with = |names: &BTreeMap<_, _>| change.applied_to_names(names);
            every.iter().filter_map(with).collect::<BTreeSet<_>>().union(&every).cloned().collect()
        });
        let contents: BTreeMap<Number, Vec<_>> =
            base.numbers().map(|file| (file, base.every_content(file, free))).collect();
        for names in every_names {
            let reached: Vec<Number> = names.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
            // Counts through the contents of the files that names lead to, as an odometer does.
            let mut chosen: BTreeMap<Number, usize> = reached.iter().map(|&file| (file, 0)).collect();
            loop {
                found(self.folder_of(&names, |file| contents[&file][chosen[&file]].clone()));
                let Some(&next) = reached.iter().find(|file| chosen[file] + 1 < contents[file].len()) else { break };
                reached.iter().take_while(|&&file| file != next).for_each(|file| {
                    chosen.insert(*file, 0);
                });
                chosen.entry(next).and_modify(|place| *place += 1);
            }
        }
    }

    fn opened(&self, file: FileId) -> Option<(Number, usize)> {
        let (inode, position_bytes) = self.cache.opened(file)?;
        Some((*self.numbers.get(&inode)?, position_bytes))
    }

    /// A name came with its file: one change, as its inode is journaled with it.
    fn created(&mut self, name: &str) {
        let number = self.number_new_file(name);
        if let Some(stat) = self.cache.stat(name) {
            self.synced.add(number, &[], stat);
            self.unsynced.push(Change::Names(vec![(name.into(), Some(number))]));
        }
    }

    fn number_new_file(&mut self, name: &str) -> Number {
        let number = self.next_number;
        self.next_number = number.next();
        if let Some(inode) = self.cache.inode_of_name(name) {
            self.numbers.insert(inode, number);
        }
        number
    }

    fn sync(&mut self, reaches_disk: impl Fn(&Change) -> bool) {
        let (reached, unsynced) = std::mem::take(&mut self.unsynced).into_iter().partition(reaches_disk);
        self.unsynced = unsynced;
        let reached: Vec<Change> = reached;
        reached.iter().for_each(|change| self.synced.apply(change, None));
    }

    /// Once all names are synced, no name will ever lead to a file that has none: an open file cannot be named again.
    fn forget_unreachable(&mut self) {
        let reached: BTreeSet<Number> = self.synced.names.values().copied().collect();
        self.synced.retain(&reached);
        self.unsynced.retain(|change| reached.iter().any(|&file| change.is_data_of(file)));
        self.numbers.retain(|_, number| reached.contains(number));
    }

    fn folder_of(&self, names: &BTreeMap<Arc<str>, Number>, content: impl Fn(Number) -> File) -> Kernel {
        let mut folder = if self.folder_exists { Kernel::with_folder() } else { Kernel::default() };
        for (name, &number) in names {
            let file = content(number);
            folder.set_clock(file.modified_ms);
            folder.place(name, &file.content, file.reservation);
        }
        folder.set_clock(self.cache.now_ms());
        folder
    }
}
