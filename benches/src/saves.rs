//! A saves folder with so many keys in use, and key requests to a protocol on it.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::ready;
use server::keys::{Key, KeySpace};
use server::outside::RealWorld;
use server::protocol::{Error, Protocol, Rules, World};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// What the order in which keys come into use is drawn from.
const ORDER_SEED: u64 = 1;

/// A temporary saves folder in which ever more keys are in use; it is removed when dropped.
#[derive(Debug)]
pub struct FilledFolder {
    folder: TempDir,
    keys: KeySpace,
    /// All keys, by position, in the order in which they come into use: at random, but always the same.
    order: Vec<u64>,
    used_keys: usize,
}

impl FilledFolder {
    /// Makes a folder in `parent` in which no key is in use.
    ///
    /// # Errors
    /// Where the folder cannot be created.
    pub fn empty(parent: &Path, keys: KeySpace) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("claimcheck-bench-").tempdir_in(parent)?;
        let mut order: Vec<u64> = (0..keys.size()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(ORDER_SEED));
        Ok(Self { folder, keys, order, used_keys: 0 })
    }

    /// Has `used_keys` keys in use, by creating what is missing; where there are as many already, nothing happens. The
    /// files are empty, as no key request looks into one. One that a protocol put there meanwhile is left as it is.
    ///
    /// # Errors
    /// Where a file cannot be created.
    pub fn fill_to(&mut self, used_keys: usize) -> io::Result<()> {
        for &index in self.order.iter().take(used_keys).skip(self.used_keys) {
            let path = self.folder.path().join(format!("{}.json", self.keys.at(index)));
            File::options().write(true).create(true).truncate(false).open(path)?;
        }
        self.used_keys = self.used_keys.max(used_keys);
        Ok(())
    }

    /// Changes the folder, and leaves it as it was.
    ///
    /// # Errors
    /// Where a file cannot be created or removed.
    pub fn touch(&self) -> io::Result<()> {
        let path = self.folder.path().join(".touched");
        File::create(&path)?;
        std::fs::remove_file(path)
    }

    /// The folder as a server sees it. Locks are waited for as long as it takes; here nobody else holds any.
    #[must_use]
    pub fn disk(&self) -> DiskFileSystem {
        DiskFileSystem::new(self.folder.path().to_owned(), DiskOptions { lock_wait: None })
    }
}

/// The rules of a server with these keys.
#[must_use]
pub fn rules(keys: KeySpace) -> Rules {
    Rules { keys, types: vec!["word".to_owned()] }
}

/// The real clock, and chance from a seed: so a count of attempts comes out the same each time.
#[derive(Debug)]
pub struct SeededWorld(Mutex<StdRng>);

impl SeededWorld {
    /// A world of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl World for SeededWorld {
    fn now_ms(&self) -> u64 {
        RealWorld.now_ms()
    }

    fn draw(&self, below: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..below)
    }
}

/// What came of a key request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key; `None` where the attempts were exhausted.
    pub key: Option<Key>,
    /// How many keys were tried.
    pub attempts: u32,
}

/// Asks for a key.
///
/// # Errors
/// Where the request failed for another reason than that the attempts were exhausted.
pub fn request<P: Protocol>(protocol: &P) -> Result<Request, Error> {
    match ready(protocol.generate_key()).map_err(Error::Lock)? {
        Ok(generated) => Ok(Request { key: Some(generated.key), attempts: generated.attempts }),
        Err(Error::KeysExhausted { attempts }) => Ok(Request { key: None, attempts }),
        Err(error) => Err(error),
    }
}

/// Gives a key back, where the protocol reserved it; so the fill stays what it was.
///
/// # Errors
/// Where it was reserved and cannot be given back.
pub fn give_back<P: Protocol>(protocol: &P, key: Key) -> Result<(), Error> {
    match ready(protocol.delete(key.as_str())).map_err(Error::Lock)? {
        Err(Error::InstanceNotFound) => Ok(()),
        outcome => outcome,
    }
}

/// So many requests, each key given back before the next.
///
/// # Errors
/// As [`request`] and [`give_back`].
pub fn requests<P: Protocol>(protocol: &P, requests: u64) -> Result<Vec<Request>, Error> {
    let one = |_| {
        let request = request(protocol)?;
        request.key.map_or(Ok(()), |key| give_back(protocol, key))?;
        Ok(request)
    };
    (0..requests).map(one).collect()
}

/// Asks for keys until a request finds none; answers the different ones. Only a protocol that reserves comes to an end.
///
/// # Errors
/// As [`request`].
pub fn drain<P: Protocol>(protocol: &P) -> Result<HashSet<Key>, Error> {
    let mut handed_out = HashSet::new();
    while let Some(key) = request(protocol)?.key {
        handed_out.insert(key);
    }
    Ok(handed_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use server::fs::FileSystem;
    use server::outside::SharedHint;
    use server::protocol::{Documented, DocumentedOptions, Durability, Hardened};

    fn three() -> KeySpace {
        KeySpace::new(3).expect("three is in range")
    }

    fn filled(used_keys: usize) -> FilledFolder {
        let mut folder = FilledFolder::empty(&std::env::temp_dir(), three()).expect("a folder that can be written");
        folder.fill_to(used_keys).expect("files can be created");
        folder
    }

    fn hardened(folder: &FilledFolder) -> Hardened<DiskFileSystem, SeededWorld, SharedHint> {
        let hint = SharedHint::new(three());
        let hardened = Hardened::new(folder.disk(), SeededWorld::new(1), hint, rules(three()), Durability::Process);
        ready(hardened.read_hint()).expect("waits for nothing").expect("can be read");
        hardened
    }

    fn attempts<P: Protocol>(protocol: &P, count: u64) -> Vec<u32> {
        requests(protocol, count).expect("no request fails").iter().map(|request| request.attempts).collect()
    }

    fn documents(folder: &FilledFolder) -> usize {
        let names = ready(folder.disk().names()).and_then(|names| names).expect("can be read");
        let is_document = |name: &&String| name.strip_suffix(".json").is_some_and(|key| three().parse(key).is_some());
        names.iter().filter(is_document).count()
    }

    #[test]
    fn counting_leaves_the_fill_as_it_was_on_both_protocols() {
        let folder = filled(500);
        let options = DocumentedOptions { checks_writes: true };
        let documented = Documented::new(folder.disk(), SeededWorld::new(1), rules(three()), options);
        assert_eq!(attempts(&documented, 50).len(), 50);
        assert_eq!(documents(&folder), 500);

        assert_eq!(attempts(&hardened(&folder), 50), vec![1; 50]);
        assert_eq!(documents(&folder), 500);
    }

    #[test]
    fn a_folder_is_filled_further_by_what_is_missing() {
        let mut folder = filled(300);
        let names = |folder: &FilledFolder| -> HashSet<String> {
            ready(folder.disk().names()).and_then(|names| names).expect("can be read").into_iter().collect()
        };
        let before = names(&folder);
        folder.fill_to(700).expect("files can be created");
        assert!(before.is_subset(&names(&folder)));
        folder.fill_to(100).expect("nothing is to be done");
        assert_eq!(documents(&folder), 700);
    }

    #[test]
    fn what_is_left_is_handed_out_to_the_last_key() {
        let mut folder = filled(46_000);
        assert_eq!(drain(&hardened(&folder)).expect("no request fails").len(), 656);
        folder.fill_to(46_656).expect("files are there or can be created");
        assert_eq!(documents(&folder), 46_656);
    }

    #[test]
    fn one_seed_gives_the_same_attempts_each_time() {
        let folder = filled(5_000);
        let count = |seed| {
            let options = DocumentedOptions { checks_writes: true };
            let protocol = Documented::new(folder.disk(), SeededWorld::new(seed), rules(three()), options);
            attempts(&protocol, 200)
        };
        assert_eq!(count(7), count(7));
        assert_ne!(count(7), count(8));
    }
}
