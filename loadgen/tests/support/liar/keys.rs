//! Keys, and how a free one is found.
//!
//! A table of keys believed to be in use makes one attempt enough in most cases, at any fill. Only the folder decides
//! whether a key is in use, when the key's file is created there with `O_CREAT|O_EXCL`. The folder is read again when
//! the table proves wrong or has no free key left, and now and then for keys that others freed.

use super::store::Liar;
use super::wire::{EXHAUSTED, FOLDER_NOT_FOUND, INTERNAL_ERROR, OPEN_FAILED, Refusal};
use super::{Lie, store::locked};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// How many keys there are: 36³.
pub(super) const KEYS: usize = 46_656;

/// The specification's limit of attempts.
const MAX_ATTEMPTS: u32 = 100;

/// After so many keys running that were in use, the folder is read anew.
const MISSES_BEFORE_LOOK: u32 = 4;

/// Draws from the table before its free keys are counted out: at half fill one in 2⁶⁴ needs that.
const DRAWS: usize = 64;

/// A folder's modification time comes from the kernel's last tick, at most 10 ms ago. A look at a folder modified
/// less than twice that ago may have missed a change that bears the same time.
const TICK: Duration = Duration::from_millis(20);

/// The folder is read again after this time and this many keys, whichever comes last.
const OLD_AFTER: Duration = Duration::from_secs(1);
const OLD_AFTER_KEYS: u32 = 1_000;

/// A well-formed key, as its number below [`KEYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(usize);

impl Key {
    /// The key that a text spells, if it does.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let chars: &[u8; 3] = text.as_bytes().try_into().ok()?;
        let digit = |char: &u8| ALPHABET.iter().position(|letter| letter == char);
        chars.iter().try_fold(0, |number, char| Some(number * ALPHABET.len() + digit(char)?)).map(Self)
    }

    /// The key whose document a file name stands for.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        name.strip_suffix(".json").and_then(Self::parse)
    }

    /// Its number.
    pub(super) fn index(self) -> usize {
        self.0
    }

    fn random() -> Self {
        Self(rand::random_range(0..KEYS))
    }

    /// `BiasedPicker`: 256 is no multiple of 36, so that the remainders 0 to 3 have 8 bytes each and the others 7.
    fn random_biased() -> Self {
        Self(rand::random::<[u8; 3]>().iter().fold(0, |number, byte| number * 36 + usize::from(byte % 36)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let char = |place: usize| char::from(ALPHABET[self.0 / place % 36]);
        write!(f, "{}{}{}", char(36 * 36), char(36), char(1))
    }
}

/// Which keys are believed to be in use.
pub(super) struct Table {
    used: Vec<bool>,
    /// The folder's modification time at the last look, where that look is sure to have seen all changes of that
    /// time.
    looked_at: Option<SystemTime>,
    /// Where it is the server's habit to hand out ended keys again first: those that were ended.
    ended: Option<Vec<Key>>,
    /// When the folder was last read, and how many keys have been picked since.
    read: Instant,
    picked: u32,
    /// Whether it ignores keys that others freed for as long as it knows of free ones.
    never_looks_again: bool,
}

impl Table {
    /// A table of an empty folder.
    pub(super) fn new() -> Self {
        let used = vec![false; KEYS];
        Self { used, looked_at: None, ended: None, read: Instant::now(), picked: 0, never_looks_again: false }
    }

    /// Notes that a key is in use, or is not any more.
    pub(super) fn note(&mut self, key: Key, used: bool) {
        self.used[key.index()] = used;
        self.ended.iter_mut().filter(|_| !used).for_each(|ended| ended.push(key));
    }

    /// Makes it the server's habit to hand out ended keys again first.
    pub(super) fn prefer_ended(&mut self) {
        self.ended = Some(Vec::new());
    }

    /// Makes it use the keys that it knows to be free for as long as there are any.
    pub(super) fn never_look_again(&mut self) {
        self.never_looks_again = true;
    }

    /// Whether others may have freed keys since the folder was read.
    fn is_old(&self) -> bool {
        !self.never_looks_again && self.picked >= OLD_AFTER_KEYS && self.read.elapsed() >= OLD_AFTER
    }

    /// The keys believed to be in use.
    pub(super) fn used(&self) -> impl Iterator<Item = Key> {
        (0..KEYS).filter(|&number| self.used[number]).map(Key)
    }

    /// A key believed free, uniformly drawn; `None` where there is none.
    fn pick(&mut self, draw: impl Fn() -> Key) -> Option<Key> {
        self.picked = self.picked.saturating_add(1);
        if let Some(key) = self.ended.as_mut().and_then(Vec::pop) {
            return Some(key);
        }
        let is_free = |key: &Key| !self.used[key.index()];
        (0..DRAWS).map(|_| draw()).find(is_free).or_else(|| {
            let free: Vec<Key> = (0..KEYS).map(Key).filter(is_free).collect();
            (!free.is_empty()).then(|| free[rand::random_range(0..free.len())])
        })
    }

    /// Reads from the folder which keys are in use.
    fn look(&mut self, saves: &Path) -> Result<(), Refusal> {
        (self.read, self.picked) = (Instant::now(), 0);
        let modified = modified(saves).ok_or(FOLDER_NOT_FOUND)?;
        self.looked_at = modified.elapsed().is_ok_and(|age| age > TICK).then_some(modified);
        let keys = tokio::task::block_in_place(|| keys_in(saves)).map_err(|_| FOLDER_NOT_FOUND)?;
        self.used.fill(false);
        for key in keys {
            self.note(key, true);
        }
        Ok(())
    }

    fn is_current(&self, saves: &Path) -> bool {
        self.looked_at.is_some() && self.looked_at == modified(saves)
    }
}

fn modified(saves: &Path) -> Option<SystemTime> {
    fs::metadata(saves).and_then(|folder| folder.modified()).ok()
}

/// The keys that have a file in the folder.
pub(super) fn keys_in(saves: &Path) -> std::io::Result<Vec<Key>> {
    let names = fs::read_dir(saves)?.map(|entry| Ok(entry?.file_name().to_str().and_then(Key::of_file)));
    names.filter_map(Result::transpose).collect()
}

/// How generate-key went.
pub(super) struct Drawn {
    /// The key handed out.
    pub(super) key: Result<Key, Refusal>,
    /// How many keys were tried.
    pub(super) attempts: u32,
}

impl Liar {
    /// Hands out a key that is not in use, and reserves it.
    pub(super) fn generate_key(&self) -> Drawn {
        let mut table = locked(&self.table);
        let mut attempts = 0;
        let key = loop {
            let candidate = match self.candidate(&mut table, attempts) {
                Ok(Some(key)) => key,
                // WrongExhaustion: the wrong status and message.
                Ok(None) => break Err(if self.tells(Lie::WrongExhaustion) { INTERNAL_ERROR } else { EXHAUSTED }),
                Err(refusal) => break Err(refusal),
            };
            attempts += 1;
            match self.reserve(candidate) {
                Ok(reserved) => {
                    // NoReservation: the key stays as free as it was.
                    table.note(candidate, !(reserved && self.tells(Lie::NoReservation)));
                    if reserved {
                        break Ok(candidate);
                    }
                }
                Err(refusal) => break Err(refusal),
            }
        };
        Drawn { key, attempts }
    }

    /// A key worth trying after so many that were not; `None` where there is none.
    fn candidate(&self, table: &mut Table, misses: u32) -> Result<Option<Key>, Refusal> {
        if !self.saves.is_dir() {
            return Err(FOLDER_NOT_FOUND);
        }
        if self.lies(Lie::GivesUpEarly) {
            let candidate = (misses < 20).then(Key::random);
            if candidate.is_none() {
                self.told();
            }
            return Ok(candidate);
        }
        // HandsOutUsed: the table is what it handed out itself; the folder does not count.
        if self.lies(Lie::HandsOutUsed) {
            return Ok(table.pick(Key::random));
        }
        if misses == MAX_ATTEMPTS {
            return Ok(None);
        }
        if table.is_old() || misses > 0 && misses.is_multiple_of(MISSES_BEFORE_LOOK) {
            table.look(&self.saves)?;
        }
        let draw = if self.tells(Lie::BiasedPicker) { Key::random_biased } else { Key::random };
        if let Some(key) = table.pick(draw) {
            return Ok(Some(key));
        }
        if table.is_current(&self.saves) {
            return Ok(None);
        }
        table.look(&self.saves)?;
        Ok(table.pick(draw))
    }

    /// Whether the key was free; if so, it is reserved now.
    fn reserve(&self, key: Key) -> Result<bool, Refusal> {
        if self.lies(Lie::NoReservation) {
            return Ok(!self.path(key).exists());
        }
        match OpenOptions::new().write(true).create_new(true).open(self.path(key)) {
            Ok(_) => Ok(true),
            // HandsOutUsed: that it is there already does not matter.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(self.tells(Lie::HandsOutUsed)),
            Err(_) => Err(OPEN_FAILED),
        }
    }
}
