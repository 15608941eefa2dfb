//! What operations cost in things that can be counted: file system calls by name, allocations, and bytes written.
//!
//! Each is carried out on a real folder, with a clock that stands still and chance from a seed, on one thread: so the
//! counts are the same each time, and on every machine.

use crate::saves::SeededWorld;
use record::counts::Tally;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::{Around, Between, CallKind, Extent};
use server::protocol::{Error, Protocol, World};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Builder, Runtime};

/// Size of a saved document's state, bytes: with what surrounds it 2.7 KB, as the specification's documents have.
const STATE_BYTES: usize = 2_600;

/// Documents that a list shows.
const LISTED: usize = 8;

/// What is counted besides calls.
const ALLOCATIONS: &str = "allocations";
const BYTES_WRITTEN: &str = "bytes written";

/// More calls than any operation here makes: what is noted must not be an allocation itself.
const MOST_CALLS: usize = 10_000;

/// The documents' keys: of what is counted, of the round before it, and of those that are listed.
const COUNTED: &str = "AAA";
const WARMING_UP: &str = "BBB";
const LISTED_PREFIX: &str = "CC";

/// A call, as the manual pages name it.
fn name(call: CallKind) -> &'static str {
    match call {
        CallKind::Folder => "stat of the folder",
        CallKind::CreateFolder => "mkdir",
        CallKind::Names => "readdir",
        CallKind::Stat => "stat",
        CallKind::Open(_) => "open",
        CallKind::StatOpen => "fstat",
        CallKind::Lock => "flock",
        CallKind::Unlock => "flock (unlock)",
        CallKind::Read => "read",
        CallKind::Write => "write",
        CallKind::Truncate => "ftruncate",
        CallKind::Rewind => "lseek",
        CallKind::Sync => "fdatasync",
        CallKind::SyncFolder => "fsync of the folder",
        CallKind::Rename => "rename",
        CallKind::Exchange => "renameat2",
        CallKind::Unlink => "unlink",
    }
}

/// Notes the calls that go through to a file system. Clones share what they noted.
#[derive(Clone, Debug)]
pub struct Counter(Arc<Mutex<Noted>>);

#[derive(Debug)]
struct Noted {
    calls: Vec<&'static str>,
    bytes_written: u64,
}

impl Default for Counter {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Noted { calls: Vec::with_capacity(MOST_CALLS), bytes_written: 0 })))
    }
}

impl Counter {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was noted since the last time.
    fn take(&self) -> Tally {
        let mut noted = self.noted();
        let mut tally = Tally::from([(BYTES_WRITTEN.to_owned(), std::mem::take(&mut noted.bytes_written))]);
        for call in noted.calls.drain(..) {
            *tally.entry(call.to_owned()).or_default() += 1;
        }
        tally
    }
}

impl Between for Counter {
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        self.noted().calls.push(name(call));
        Ok(Extent::Whole)
    }

    fn moved(&self, call: CallKind, bytes: usize) {
        if call == CallKind::Write {
            self.noted().bytes_written += bytes as u64;
        }
    }
}

/// A folder whose calls are noted.
pub type CountedDisk = Around<DiskFileSystem, Counter>;

/// A folder whose calls are noted.
#[must_use]
pub fn counted_disk(folder: &Path, counter: &Counter) -> CountedDisk {
    let disk = DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait: None });
    Around::new(disk, counter.clone())
}

/// A clock that stands still, and chance from a seed.
#[derive(Debug)]
pub struct StillWorld(SeededWorld);

impl StillWorld {
    /// A world of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SeededWorld::new(seed))
    }
}

impl World for StillWorld {
    /// As many digits as times have from 2001 to 2286, so that documents have the size that they have today.
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }

    fn draw(&self, below: u64) -> u64 {
        self.0.draw(below)
    }
}

/// What runs a protocol: what waits for a device does so on one other thread, whose own costs are not counted.
///
/// # Errors
/// Where the thread cannot be started.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().max_blocking_threads(1).build()
}

/// Carries out each operation twice, and counts the second time: what is set up once, such as a thread's random numbers,
/// is there then. `allocations` counts those of what it runs.
///
/// # Errors
/// Where an operation fails.
pub fn of_operations<P: Protocol>(
    protocol: &P,
    counter: &Counter,
    runtime: &Runtime,
    allocations: impl Fn(&mut dyn FnMut()) -> u64,
) -> Result<BTreeMap<&'static str, Tally>, Error> {
    for number in 0..LISTED {
        runtime.block_on(protocol.instantiate(&body(&format!("{LISTED_PREFIX}{number}"))))?;
    }
    let mut counted = BTreeMap::new();
    for key in [WARMING_UP, COUNTED] {
        let body = body(key);
        for (name, operation) in operations::<P>() {
            let mut outcome = Ok(());
            // What it is boxed in is no cost of the operation.
            let mut pending = operation(protocol, key, &body);
            counter.take();
            let allocated = allocations(&mut || outcome = runtime.block_on(pending.as_mut()));
            outcome?;
            let mut tally = counter.take();
            tally.insert(ALLOCATIONS.to_owned(), allocated);
            counted.insert(name, tally);
        }
    }
    Ok(counted)
}

/// An operation under way.
type Operation<P> = for<'a> fn(&'a P, &'a str, &'a [u8]) -> Pending<'a>;
type Pending<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// A document's life, in this order.
fn operations<P: Protocol>() -> [(&'static str, Operation<P>); 8] {
    [
        ("generate-key", |protocol, _, _| Box::pin(async { protocol.generate_key().await.map(drop) })),
        ("instantiate", |protocol, _, body| Box::pin(async { protocol.instantiate(body).await.map(drop) })),
        ("instantiate what is there", |protocol, _, body| {
            Box::pin(async { protocol.instantiate(body).await.map(drop) })
        }),
        ("save, the first", |protocol, _, body| Box::pin(protocol.save(body))),
        ("save, a further one", |protocol, _, body| Box::pin(protocol.save(body))),
        ("restore", |protocol, key, _| Box::pin(async { protocol.restore(key).await.map(drop) })),
        ("list of 9", |protocol, _, _| Box::pin(async { protocol.list().await.map(drop) })),
        ("delete", |protocol, key, _| Box::pin(protocol.delete(key))),
    ]
}

/// A request to instantiate or save.
fn body(key: &str) -> Vec<u8> {
    let state = "x".repeat(STATE_BYTES);
    format!(
        r#"{{"sessionKey":"{key}","typeSlug":"word","metadata":{{"title":"counted"}},"state":{{"text":"{state}"}}}}"#
    )
    .into_bytes()
}
