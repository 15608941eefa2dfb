//! Keys that others freed behind the hardened protocol's back.
//!
//! Sessions were archived by `mv`, 40,000 of 46,356 at once. The server had read the folder before, and went on drawing
//! from the 300 keys that it knew to be free: each new session had one of those, as long as users ended theirs in time.

use rustix::io::Errno;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::{Around, Between, CallKind, Extent, ready};
use server::keys::{Key, KeySpace};
use server::outside::SharedHint;
use server::protocol::{Durability, Hardened, Protocol, Rules, World};
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What the server promises: keys that others freed come out once both have passed.
const KEYS_HANDED_OUT: usize = 1_000;
const TIME_MS: u64 = 1_000;

const ALL_KEYS: u64 = 46_656;
const LEFT_FREE: u64 = 300;
const MOVED_AWAY: u64 = 40_000;

/// A clock that the test moves, and chance from a seed.
#[derive(Clone)]
struct TestWorld(Arc<(AtomicU64, Mutex<u64>)>);

impl TestWorld {
    fn new(seed: u64) -> Self {
        Self(Arc::new((AtomicU64::new(1_700_000_000_000), Mutex::new(seed))))
    }

    fn pass(&self, time_ms: u64) {
        self.0.0.fetch_add(time_ms, Relaxed);
    }

    fn go_back(&self, time_ms: u64) {
        self.0.0.fetch_sub(time_ms, Relaxed);
    }
}

impl World for TestWorld {
    fn now_ms(&self) -> u64 {
        self.0.0.load(Relaxed)
    }

    /// `SplitMix64`.
    fn draw(&self, below: u64) -> u64 {
        let mut state = self.0.1.lock().expect("nobody panics with it");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Counts how often the folder is read, and has that fail when it is told to.
#[derive(Clone, Default)]
struct Reads(Arc<(AtomicUsize, AtomicBool)>);

impl Between for Reads {
    fn before(&self, call: CallKind) -> std::io::Result<Extent> {
        if call == CallKind::Names {
            self.0.0.fetch_add(1, Relaxed);
            if self.0.1.load(Relaxed) {
                return Err(Errno::MFILE.into());
            }
        }
        Ok(Extent::Whole)
    }
}

/// A server whose folder is full but for [`LEFT_FREE`] keys, and that has read it.
struct Full {
    server: Hardened<Around<DiskFileSystem, Reads>, TestWorld, SharedHint>,
    world: TestWorld,
    reads: Reads,
    saves: TempDir,
    archive: TempDir,
}

fn keys() -> KeySpace {
    KeySpace::new(3).expect("three is in range")
}

/// The keys in an order in which neighbours have nothing in common, so that each part is spread over all characters.
fn shuffled() -> impl Iterator<Item = Key> {
    (0..ALL_KEYS).map(|place| keys().at(place * 29_989 % ALL_KEYS))
}

fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn file(folder: &Path, key: Key) -> std::path::PathBuf {
    folder.join(format!("{key}.json"))
}

impl Full {
    fn new(seed: u64) -> Self {
        let (saves, archive) = (folder(), folder());
        let first = file(saves.path(), keys().at(0));
        std::fs::write(&first, "{}").expect("writes");
        for key in shuffled().skip(1).take((ALL_KEYS - LEFT_FREE - 1).try_into().expect("it fits")) {
            let path = file(saves.path(), key);
            std::fs::hard_link(&first, &path).or_else(|_| std::fs::write(&path, "{}")).expect("links or writes");
        }
        let (world, reads) = (TestWorld::new(seed), Reads::default());
        let disk = DiskFileSystem::new(saves.path().to_owned(), DiskOptions { lock_wait: None });
        let rules = Rules { keys: keys(), types: vec!["word".to_owned()] };
        let hint = SharedHint::new(keys());
        let disk = Around::new(disk, reads.clone());
        let server = Hardened::new(disk, world.clone(), hint, rules, Durability::Process);
        ready(server.read_hint()).expect("is ready").expect("reads the folder");
        Self { server, world, reads, saves, archive }
    }

    /// Moves documents away as an archiver does, without a word to the server; responds with their keys.
    fn move_away(&self) -> HashSet<Key> {
        let moved: HashSet<Key> = shuffled().take(MOVED_AWAY.try_into().expect("it fits")).collect();
        for &key in &moved {
            std::fs::rename(file(self.saves.path(), key), file(self.archive.path(), key)).expect("moves");
        }
        moved
    }

    /// Draws keys; each session is ended before the next begins, so that the keys known to be free never run out.
    fn draw(&self, count: usize) -> Vec<Key> {
        let draw = || {
            let handed = ready(self.server.generate_key()).expect("is ready").expect("keys are free");
            ready(self.server.delete(handed.key.as_str())).expect("is ready").expect("it was reserved");
            handed.key
        };
        (0..count).map(|_| draw()).collect()
    }

    fn reads(&self) -> usize {
        self.reads.0.0.load(Relaxed)
    }
}

/// Chi-square of the characters at a position against the keys that are free.
fn chi_square(drawn: &[Key], free: &HashSet<Key>, position: usize) -> f64 {
    let count = |keys: &mut dyn Iterator<Item = &Key>| {
        let mut counts = [0_u32; 128];
        keys.for_each(|key| counts[usize::from(key.as_str().as_bytes()[position])] += 1);
        counts
    };
    let (drawn_counts, free_counts) = (count(&mut drawn.iter()), count(&mut free.iter()));
    let scale =
        f64::from(u32::try_from(drawn.len()).expect("fits")) / f64::from(u32::try_from(free.len()).expect("fits"));
    let cells = drawn_counts.iter().zip(free_counts).filter(|(_, free)| *free > 0);
    cells.map(|(&drawn, free)| (f64::from(drawn) - f64::from(free) * scale).powi(2) / (f64::from(free) * scale)).sum()
}

/// 35 degrees of freedom, p = 0.001.
const MOST_CHI_SQUARE: f64 = 66.6;

#[test]
fn keys_that_others_freed_come_out_again_and_all_free_keys_alike() {
    for seed in 1..=3 {
        let full = Full::new(seed);
        let moved = full.move_away();
        let of_moved = |drawn: &[Key]| drawn.iter().filter(|key| moved.contains(key)).count();
        // They may come out at once; the promise is about what comes next.
        full.draw(KEYS_HANDED_OUT);
        full.world.pass(TIME_MS);
        let drawn = full.draw(6_000);
        let share = of_moved(&drawn);
        // 40,000 of 40,300 free ones: 5,955 are expected, with a standard deviation of 7.
        assert!((5_920..=5_990).contains(&share), "seed {seed}: {share} of 6,000 are keys that were moved away");
        let free: HashSet<Key> = shuffled().filter(|&key| !file(full.saves.path(), key).exists()).collect();
        assert_eq!(free.len() as u64, MOVED_AWAY + LEFT_FREE);
        for position in 0..3 {
            let statistic = chi_square(&drawn, &free, position);
            assert!(statistic < MOST_CHI_SQUARE, "seed {seed}, position {position}: chi-square {statistic:.0}");
        }
    }
}

#[test]
fn the_folder_is_read_again_once_per_second_at_most_and_only_when_keys_are_asked_for() {
    let full = Full::new(1);
    let at_the_start = full.reads();
    full.draw(3 * KEYS_HANDED_OUT);
    assert_eq!(full.reads(), at_the_start, "no time has passed");
    full.world.pass(TIME_MS);
    full.draw(3 * KEYS_HANDED_OUT);
    assert_eq!(full.reads(), at_the_start + 1, "a second has passed");
    full.world.pass(10 * TIME_MS);
    full.draw(KEYS_HANDED_OUT / 2);
    full.world.pass(TIME_MS);
    assert_eq!(full.reads(), at_the_start + 2, "keys were asked for before the first of these seconds");
    full.draw(KEYS_HANDED_OUT / 4);
    assert_eq!(full.reads(), at_the_start + 2, "few keys have been handed out since");
}

/// `abs_diff` in place of a subtraction: a clock set back by an hour would have had the server look again in an hour.
#[test]
fn a_clock_that_is_set_back_does_not_keep_the_server_from_looking() {
    let full = Full::new(1);
    let moved = full.move_away();
    full.world.go_back(3_600_000);
    full.draw(KEYS_HANDED_OUT);
    let drawn = full.draw(100);
    assert!(drawn.iter().filter(|key| moved.contains(key)).count() > 90, "{drawn:?}");
}

#[test]
fn a_look_that_fails_costs_no_request_its_key() {
    let full = Full::new(1);
    let at_the_start = full.reads();
    full.reads.0.1.store(true, Relaxed);
    full.world.pass(TIME_MS);
    assert_eq!(full.draw(2 * KEYS_HANDED_OUT).len(), 2 * KEYS_HANDED_OUT);
    assert_eq!(full.reads(), at_the_start + 1, "it was tried");
}
