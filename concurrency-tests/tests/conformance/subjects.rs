//! Everything that is held to the same results, each made anew for every sequence of calls.

use crate::calls::Account;
use crate::subject::{Inspected, STEP_MS, Session, Subject};
use concurrency_tests::plain_fs::{Plain, PlainFs};
use concurrency_tests::shuttle_fs::{ShuttleFs, ShuttleSteps};
use concurrency_tests::{ModelFs, Steps, explore};
use rustix::io::Errno;
use server::fs::disk::{DiskFileSystem, DiskOptions};
use server::fs::failing::Effect;
use server::fs::forgetting::{Forgetting, WriteBack};
use server::fs::memory::{Called, Kernel};
use server::fs::{Around, Failing, Fault, FileSystem, Retrying};
use shuttle::scheduler::DfsScheduler;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Makes calls on a subject, in a folder that is not there yet, and gives an account of them.
pub(crate) type Script = Arc<dyn Fn(&mut dyn Subject) -> Account + Send + Sync>;

/// A kind of subject.
pub(crate) struct Kind {
    pub(crate) name: String,
    run: Box<dyn Fn(&Script) -> Account>,
}

impl Kind {
    pub(crate) fn new(name: impl Into<String>, run: impl Fn(&Script) -> Account + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    /// Runs a script on a subject of this kind. One that panics (a lock that waits for ever under loom does) gives an
    /// account of that alone.
    pub(crate) fn run(&self, script: &Script) -> Account {
        catch_unwind(AssertUnwindSafe(|| (self.run)(script))).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
            vec![format!("a panic: {message}")]
        })
    }
}

/// Where real folders are made: on the disk that the repository's build is on, and in memory.
const PLACES: [&str; 2] = [env!("CARGO_TARGET_TMPDIR"), "/dev/shm"];

/// A call or repetition of one beyond this would not be interrupted any more.
const INTERRUPTED_CALLS: usize = 4_000;

/// All kinds; the first are real disks.
pub(crate) fn all() -> Vec<Kind> {
    keep_panics_as_they_are();
    let places = real_places();
    // What else could say what is right?
    assert!(!places.is_empty(), "files can be made and exchanged in none of {PLACES:?}");
    let mut kinds: Vec<Kind> = places.iter().cloned().map(real).collect();
    kinds.extend([
        Kind::new("kernel in memory", |script| script(&mut Kernel::default())),
        Kind::new("model under loom", under_loom),
        Kind::new("model under shuttle", under_shuttle),
        Kind::new("disk that forgets", |script| script(&mut Session::new(Called(forgetting())))),
        Kind::new("faults, none armed", |script| script(&mut Session::new(Around::new(plain(), Failing::new())))),
        Kind::new("interrupted and short, in memory", |script| interrupted(plain(), script)),
    ]);
    // On the last one, which is in memory where that can be had: its syncs take no time.
    kinds.extend(places.into_iter().next_back().map(|place| {
        let name = format!("interrupted and short, on {}", kind_of_file_system(&place));
        Kind::new(name, move |script| on_disk(&place, |disk| interrupted(disk, script)))
    }));
    kinds
}

fn real(place: PathBuf) -> Kind {
    let name = format!("{} at {}", kind_of_file_system(&place), place.display());
    Kind::new(name, move |script| on_disk(&place, |disk| script(&mut Session::new(disk))))
}

/// A kernel in memory that a file system can be put around.
pub(crate) fn plain() -> PlainFs {
    Called(Plain::new(Kernel::default(), true))
}

/// Interrupts every call once, and does only half of every read and write: [`Retrying`] hides the one, and whoever
/// makes the calls repeats the other.
fn interrupted<F: Inspected>(fs: F, script: &Script) -> Account {
    let failing = Failing::new();
    let plan = failing.plan();
    let interruptions = (1..INTERRUPTED_CALLS).step_by(2).map(|at_call| Fault::once(at_call, Errno::INTR));
    let short = Fault { at_call: 1, effect: Effect::Short, for_good: true };
    plan.arm(interruptions.chain([short]));
    let account = script(&mut Session::new(Around::new(Around::new(fs, failing), Retrying)));
    // Half of all calls and more were hit, to the last: what does not fire tests nothing.
    assert!(plan.calls() < INTERRUPTED_CALLS && plan.hits() * 2 >= plan.calls(), "of {} calls", plan.calls());
    account
}

fn forgetting() -> Forgetting {
    static CLOCK_MS: AtomicU64 = AtomicU64::new(0);
    Forgetting::new(WriteBack::new(Kernel::default()), || CLOCK_MS.fetch_add(STEP_MS, Relaxed))
}

fn under_loom(script: &Script) -> Account {
    let script = Arc::clone(script);
    let explored = explore(None, move || {
        let fs: ModelFs = Called(Steps::new(Kernel::default()));
        script(&mut Session::new(fs))
    });
    assert_eq!(explored.iterations, 1, "one thread has one order of steps");
    explored.outcomes.into_keys().next().expect("one outcome")
}

fn under_shuttle(script: &Script) -> Account {
    let (script, account) = (Arc::clone(script), Arc::new(Mutex::new(None)));
    let given = Arc::clone(&account);
    run_in_shuttle(move || {
        let fs: ShuttleFs = Called(ShuttleSteps::new(Kernel::default()));
        *given.lock().unwrap_or_else(PoisonError::into_inner) = Some(script(&mut Session::new(fs)));
    });
    let account = account.lock().unwrap_or_else(PoisonError::into_inner).take();
    account.expect("it ran")
}

fn run_in_shuttle(run: impl Fn() + Send + Sync + 'static) {
    let runs = shuttle::Runner::new(DfsScheduler::new(None, false), shuttle::Config::new()).run(run);
    assert_eq!(runs, 1, "one thread has one schedule");
}

/// When it runs first, shuttle has every panic of the process printed with a schedule from then on. Loom ends each of
/// its threads by a panic that is nobody's business. So whatever was done at a panic before is done again.
fn keep_panics_as_they_are() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        explore(None, || ());
        let as_it_is = std::panic::take_hook();
        run_in_shuttle(|| ());
        std::panic::set_hook(as_it_is);
    });
}

fn on_disk(place: &Path, run: impl FnOnce(DiskFileSystem) -> Account) -> Account {
    let folder = tempfile::tempdir_in(place).expect("a folder could be made here before");
    run(disk(&folder.path().join("saves")))
}

fn disk(folder: &Path) -> DiskFileSystem {
    DiskFileSystem::new(folder.to_owned(), DiskOptions { lock_wait: None })
}

/// The places that can be used; of the others, stderr is told.
fn real_places() -> Vec<PathBuf> {
    let lacks = |place: &Path| match tempfile::tempdir_in(place) {
        Err(error) => Some(error.to_string()),
        Ok(folder) if !disk(folder.path()).can_exchange() => Some("names cannot be exchanged there".to_owned()),
        Ok(_) => None,
    };
    let usable = |place: &PathBuf| match lacks(place) {
        None => true,
        Some(lack) => {
            eprintln!("conformance: left out is {}: {lack}", place.display());
            false
        }
    };
    PLACES.map(PathBuf::from).into_iter().filter(usable).collect()
}

/// By its number in statfs(2).
fn kind_of_file_system(place: &Path) -> String {
    match rustix::fs::statfs(place).map(|stat| stat.f_type) {
        Ok(0xef53) => "ext4".to_owned(),
        Ok(0x0102_1994) => "tmpfs".to_owned(),
        Ok(0x794c_7630) => "overlayfs".to_owned(),
        Ok(0x5846_5342) => "xfs".to_owned(),
        Ok(0x9123_683e) => "btrfs".to_owned(),
        Ok(other) => format!("file system {other:#x}"),
        Err(error) => format!("file system ({error})"),
    }
}
