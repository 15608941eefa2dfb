//! A saves folder with so many keys in use, and key requests to a protocol on it.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::ready;
use server::keys::{Key, KeySpace};
use server::outside::RealWorld;
use server::protocol::{Error, Protocol, Rules, World};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// A temporary saves folder; it is removed when dropped.
#[derive(Debug)]
pub struct FilledFolder {
    folder: TempDir,
}

impl FilledFolder {
    /// Makes a folder in `parent` in which `used_keys` keys of the space, spread over it at random but always the
    /// same, have a file. The files are empty, as no key request looks into one.
    ///
    /// # Errors
    /// Where a file cannot be created.
    pub fn new(parent: &Path, keys: KeySpace, used_keys: usize) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("claimcheck-bench-").tempdir_in(parent)?;
        let all_keys = usize::try_from(keys.size()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut random = StdRng::seed_from_u64(used_keys as u64);
        for index in rand::seq::index::sample(&mut random, all_keys, used_keys) {
            File::create_new(folder.path().join(format!("{}.json", keys.at(index as u64))))?;
        }
        Ok(Self { folder })
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

/// The attempts of so many requests, each key given back before the next.
///
/// # Errors
/// As [`request`] and [`give_back`].
pub fn count_attempts<P: Protocol>(protocol: &P, requests: usize) -> Result<Vec<u32>, Error> {
    let one = |_| {
        let Request { key, attempts } = request(protocol)?;
        key.map_or(Ok(()), |key| give_back(protocol, key))?;
        Ok(attempts)
    };
    (0..requests).map(one).collect()
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
        FilledFolder::new(&std::env::temp_dir(), three(), used_keys).expect("a folder that can be written")
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
        assert_eq!(count_attempts(&documented, 50).expect("no request fails").len(), 50);
        assert_eq!(documents(&folder), 500);

        let hint = SharedHint::new(three());
        let hardened = Hardened::new(folder.disk(), SeededWorld::new(1), hint, rules(three()), Durability::Process);
        ready(hardened.read_hint()).expect("waits for nothing").expect("can be read");
        assert_eq!(count_attempts(&hardened, 50).expect("no request fails"), vec![1; 50]);
        assert_eq!(documents(&folder), 500);
    }

    #[test]
    fn one_seed_gives_the_same_attempts_each_time() {
        let folder = filled(5_000);
        let count = |seed| {
            let options = DocumentedOptions { checks_writes: true };
            let protocol = Documented::new(folder.disk(), SeededWorld::new(seed), rules(three()), options);
            count_attempts(&protocol, 200).expect("no request fails")
        };
        assert_eq!(count(7), count(7));
        assert_ne!(count(7), count(8));
    }
}
