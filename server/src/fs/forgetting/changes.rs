//! Changes that are cached, and the files that they are made to.

use crate::fs::Stat;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which file, whatever it is called; never given again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number(u64);

impl Number {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names, with the file that each comes to stand for; with none it is removed.
pub(super) type Names = Vec<(Arc<str>, Option<Number>)>;

/// What reaches the disk at once, or not; of a write, a part may.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    /// One call's change of names, all of them at once.
    Names(Names),
    Write {
        file: Number,
        start_bytes: usize,
        bytes: Arc<[u8]>,
        modified_ms: u64,
    },
    Truncate {
        file: Number,
        modified_ms: u64,
    },
}

/// A file on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct File {
    pub(super) content: Arc<Vec<u8>>,
    pub(super) reservation: bool,
    pub(super) modified_ms: u64,
}

/// What is on a disk: files, and the names that lead to them. Files without a name are there as well, since one that
/// was not synced may yet survive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Files {
    pub(super) names: BTreeMap<Arc<str>, Number>,
    files: BTreeMap<Number, File>,
}

impl Change {
    pub(super) fn is_of_names(&self) -> bool {
        matches!(self, Self::Names(_))
    }

    pub(super) fn is_data_of(&self, of: Number) -> bool {
        matches!(*self, Self::Write { file, .. } | Self::Truncate { file, .. } if file == of)
    }

    /// In how many ways it may come out: lost, kept, and half of a write.
    pub(super) fn ways(&self) -> usize {
        if matches!(self, Self::Write { .. }) { 3 } else { 2 }
    }

    /// The names after it; `None` where it is no change of names.
    pub(super) fn applied_to_names(&self, names: &BTreeMap<Arc<str>, Number>) -> Option<BTreeMap<Arc<str>, Number>> {
        let Self::Names(changed) = self else { return None };
        let mut names = names.clone();
        for (name, file) in changed {
            match file {
                Some(file) => names.insert(Arc::clone(name), *file),
                None => names.remove(name),
            };
        }
        Some(names)
    }

    /// A file after it, of a write with its first `kept_bytes` alone, where so many are given.
    fn applied_to_file(&self, file: &File, kept_bytes: Option<usize>) -> File {
        let mut file = file.clone();
        match self {
            Self::Names(_) => {}
            Self::Write { start_bytes, bytes, modified_ms, .. } => {
                let kept = &bytes[..kept_bytes.unwrap_or(usize::MAX).min(bytes.len())];
                if kept.is_empty() {
                    return file;
                }
                let (start, end) = (*start_bytes, start_bytes + kept.len());
                let content = Arc::make_mut(&mut file.content);
                if content.len() < end {
                    // A gap that an earlier write left when it was lost reads as zeros.
                    content.resize(end, 0);
                }
                content[start..end].copy_from_slice(kept);
                file.modified_ms = *modified_ms;
            }
            Self::Truncate { modified_ms, .. } => {
                file.content = Arc::default();
                file.modified_ms = *modified_ms;
            }
        }
        file
    }

    /// Half of a write.
    fn half(&self) -> Option<usize> {
        match self {
            Self::Write { bytes, .. } => Some(bytes.len() / 2),
            _ => None,
        }
    }
}

impl Files {
    pub(super) fn add(&mut self, number: Number, content: &[u8], stat: Stat) {
        let Stat { reservation, modified_ms, .. } = stat;
        self.files.insert(number, File { content: Arc::new(content.to_vec()), reservation, modified_ms });
    }

    pub(super) fn apply(&mut self, change: &Change, kept_bytes: Option<usize>) {
        match change {
            Change::Names(_) => self.names = change.applied_to_names(&self.names).unwrap_or_default(),
            Change::Write { file, .. } | Change::Truncate { file, .. } => {
                if let Some(file) = self.files.get_mut(file) {
                    *file = change.applied_to_file(file, kept_bytes);
                }
            }
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = Number> + '_ {
        self.files.keys().copied()
    }

    /// The file of this number, which was [added](Self::add).
    pub(super) fn file(&self, number: Number) -> File {
        self.files[&number].clone()
    }

    /// Every content that a file can have once any of these changes have reached it, and any write among them half.
    pub(super) fn every_content(&self, number: Number, changes: &[Change]) -> Vec<File> {
        let of_file = changes.iter().filter(|change| change.is_data_of(number));
        let every = of_file.fold(BTreeSet::from([self.file(number)]), |mut every, change| {
            let kept: Vec<File> = every.iter().map(|file| change.applied_to_file(file, None)).collect();
            let half = change.half();
            let torn: Vec<File> =
                half.iter().flat_map(|_| every.iter().map(|file| change.applied_to_file(file, half))).collect();
            every.extend(kept.into_iter().chain(torn));
            every
        });
        every.into_iter().collect()
    }

    pub(super) fn retain(&mut self, reached: &BTreeSet<Number>) {
        self.files.retain(|number, _| reached.contains(number));
    }
}
