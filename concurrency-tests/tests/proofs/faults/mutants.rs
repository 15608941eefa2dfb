//! Guards against faults, each taken away: the sweep finds it.

use super::run::{Launch, Promise};
use super::subject::{HintedKeys, Subject};
use super::sweep::Sweep;
use super::{THENS, hardened, scenarios};
use concurrency_tests::mutants::SparesKept;
use concurrency_tests::proof::{Proof, Row};
use server::fs::{Fault, FileSystem, FolderStat, Open, Stat};
use std::io::{self, ErrorKind};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

pub(super) fn proofs() -> Vec<Proof> {
    vec![
        Proof { name: "every_guard_against_faults_has_a_mutant_that_is_found", prove: mutants_are_found },
        Proof { name: "a_fault_that_never_fires_is_a_failure", prove: unfired_fault },
    ]
}

/// What is done with an error that should have been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// What could not be written is said to be.
    Written,
    /// What could not be synced is said to be.
    Synced,
    /// A file that cannot be opened is said not to be there.
    NotThere,
    /// A folder that cannot be read is said to be empty.
    Empty,
    /// A reservation that was not synced is kept.
    KeptReservation,
    /// A file on which a call failed is never closed.
    NeverClosed,
}

/// A file system that tells a lie.
#[derive(Clone, Debug)]
struct Lying<F> {
    files: F,
    lie: Lie,
    /// Whether the last sync of the folder has.
    sync_has_failed: Arc<AtomicBool>,
}

fn mutants_are_found() -> Result<Vec<Row>, String> {
    let [process, _, disk, _] = hardened(HintedKeys::Few)[..] else { return Err("there are four".to_owned()) };
    let without_exchange = hardened(HintedKeys::Few)[1];
    let spares_kept: Launch<'_> = &|subject, files| subject.server_on(SparesKept(files));
    let mut rows =
        vec![found("the spare is removed after an error", without_exchange, spares_kept, Promise::NoFileIsLeftBehind)?];
    let lies = [
        ("a failed write is told", process, Lie::Written, Promise::DocumentsAreWhole),
        ("a failed sync is told", disk, Lie::Synced, Promise::SyncsAreBelievedOnlyIfDone),
        ("what cannot be opened may be there", process, Lie::NotThere, Promise::NoFalseAnswer),
        ("a folder that cannot be read may not be empty", process, Lie::Empty, Promise::NoFalseAnswer),
        ("a reservation is removed after an error", disk, Lie::KeptReservation, Promise::NoKeyIsReservedForNobody),
        ("a file is closed after an error", process, Lie::NeverClosed, Promise::NoFileIsOpen),
    ];
    for (guard, subject, lie, promise) in lies {
        let launch: Launch<'_> = &|subject, files| {
            let sync_has_failed = Arc::default();
            subject.server_on(Lying { files, lie, sync_has_failed })
        };
        rows.push(found(guard, subject, launch, promise)?);
    }
    Ok(rows)
}

/// Sweeps until the promise is broken.
fn found(guard: &str, subject: Subject, launch: Launch<'_>, promise: Promise) -> Result<Row, String> {
    let mut sweep = Sweep::new(launch, &THENS[..1]);
    let mut caught = None;
    for scenario in scenarios(subject) {
        // Where it breaks a promise even if nothing fails, the sweep ends; then another scenario is to find it.
        let _ = sweep.scenario(&scenario, &mut |violation| {
            if violation.broken.promise == promise && caught.is_none() {
                caught = Some((scenario.to_string(), violation.faults[0].to_string(), violation.broken.how.clone()));
            }
            Ok(())
        });
        if let Some((by, fault, how)) = caught.take() {
            return Ok(Row {
                by: "mutant",
                what: format!("without: {guard}"),
                scenarios: sweep.tally.scenarios,
                searched: format!("found by {by}"),
                bound: format!("fault {fault}"),
                found: how,
            });
        }
    }
    Err(format!("not found without: {guard}"))
}

fn unfired_fault() -> Result<Vec<Row>, String> {
    let subject = hardened(HintedKeys::Few)[0];
    let scenario = &scenarios(subject)[0];
    let mut sweep = Sweep::new(&Subject::server, &THENS[..1]);
    let late = Fault::once(1000, rustix::io::Errno::IO);
    match sweep.faults(scenario, &[late], &mut |_| Ok(())) {
        Err(_) => Ok(Vec::new()),
        Ok(_) => Err("a fault in a call that was never made is taken for one that was survived".to_owned()),
    }
}

/// An open file, which the lie can keep open.
#[derive(Debug)]
struct LyingFile<File> {
    file: Option<File>,
    is_kept: AtomicBool,
}

impl<File> LyingFile<File> {
    fn new(file: File) -> Self {
        Self { file: Some(file), is_kept: AtomicBool::new(false) }
    }

    fn within(&self) -> &File {
        self.file.as_ref().unwrap_or_else(|| unreachable!("it is only taken when this is dropped"))
    }
}

impl<File> Drop for LyingFile<File> {
    fn drop(&mut self) {
        let file = self.file.take();
        if self.is_kept.load(SeqCst) {
            mem::forget(file);
        }
    }
}

impl<F: FileSystem> Lying<F> {
    /// What is said in place of an error, where this is the lie.
    fn lied<T>(&self, lie: Lie, outcome: io::Result<T>, instead: T) -> io::Result<T> {
        if self.lie == lie { Ok(outcome.unwrap_or(instead)) } else { outcome }
    }

    fn noted<T>(&self, file: &LyingFile<F::File>, outcome: io::Result<T>) -> io::Result<T> {
        if self.lie == Lie::NeverClosed && outcome.is_err() {
            file.is_kept.store(true, SeqCst);
        }
        outcome
    }
}

impl<F: FileSystem> FileSystem for Lying<F> {
    type File = LyingFile<F::File>;

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        self.files.folder().await
    }

    async fn create_folder(&self) -> io::Result<()> {
        self.files.create_folder().await
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        let names = self.files.names().await;
        self.lied(Lie::Empty, names, Vec::new())
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        self.files.stat(name).await
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<LyingFile<F::File>> {
        let opened = self.files.open(name, how).await.map(LyingFile::new);
        if self.lie == Lie::NotThere && how == Open::Read {
            return opened.map_err(|_| ErrorKind::NotFound.into());
        }
        opened
    }

    async fn stat_open(&self, file: &LyingFile<F::File>) -> io::Result<Stat> {
        self.files.stat_open(file.within()).await
    }

    async fn lock(&self, file: &LyingFile<F::File>) -> io::Result<()> {
        self.files.lock(file.within()).await
    }

    async fn unlock(&self, file: &LyingFile<F::File>) -> io::Result<()> {
        self.files.unlock(file.within()).await
    }

    async fn read(&self, file: &LyingFile<F::File>, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        self.files.read(file.within(), into, at_most_bytes).await
    }

    async fn write(&self, file: &LyingFile<F::File>, bytes: &[u8]) -> io::Result<usize> {
        let written = self.noted(file, self.files.write(file.within(), bytes).await);
        self.lied(Lie::Written, written, bytes.len())
    }

    async fn truncate(&self, file: &LyingFile<F::File>) -> io::Result<()> {
        self.files.truncate(file.within()).await
    }

    async fn rewind(&self, file: &LyingFile<F::File>) -> io::Result<()> {
        self.files.rewind(file.within()).await
    }

    async fn sync(&self, file: &LyingFile<F::File>) -> io::Result<()> {
        let synced = self.files.sync(file.within()).await;
        self.lied(Lie::Synced, synced, ())
    }

    async fn sync_folder(&self) -> io::Result<()> {
        let synced = self.files.sync_folder().await;
        self.sync_has_failed.store(synced.is_err(), SeqCst);
        self.lied(Lie::Synced, synced, ())
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to).await
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.files.exchange(one, other).await
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        if self.lie == Lie::KeptReservation && self.sync_has_failed.swap(false, SeqCst) {
            return Ok(());
        }
        self.files.unlink(name).await
    }

    fn can_exchange(&self) -> bool {
        self.files.can_exchange()
    }
}
