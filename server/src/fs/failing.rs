//! A disk that fails when it is told to: faults are armed by the number of the call that they are to hit.
//!
//! ```
//! use rustix::io::Errno;
//! use server::fs::disk::{DiskFileSystem, DiskOptions};
//! use server::fs::{Around, Failing, Fault};
//!
//! let disk = DiskFileSystem::new("saves".into(), DiskOptions { lock_wait: None });
//! let failing = Failing::new();
//! let plan = failing.plan();
//! let files = Around::new(disk, failing);
//! // The third call from now on fails, and the fifth and whatever comes after it finds no space.
//! plan.arm([Fault::once(3, Errno::IO), Fault::for_good(5, Errno::NOSPC)]);
//! // The same, as it comes in from outside.
//! assert_eq!(plan.arm_text("3 EIO, 5 ENOSPC for-good"), Ok(2));
//! // … `files` is used, and then:
//! assert_eq!((plan.calls(), plan.fired()), (0, 0), "none of it was tested");
//! plan.disarm();
//! # drop(files);
//! ```

use super::Open;
use super::around::{Between, CallKind, Extent};
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The errors that a disk, its quotas, its permissions and the process's limits give rise to.
pub const FAULTS: [Errno; 6] = [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::MFILE, Errno::NOLCK, Errno::ACCESS];

/// Whether a call can fail so, by the manual pages (open(2), stat(2), flock(2), …, section ERRORS) on a local file
/// system. The saves folder is opened by reading its names and by syncing it.
#[must_use]
pub fn can_occur(errno: Errno, call: CallKind) -> bool {
    use CallKind as C;
    let creates = matches!(call, C::CreateFolder | C::Open(Open::WriteOrCreate | Open::ReadWriteOrCreate))
        || matches!(call, C::Open(Open::New | Open::NewReservation));
    match errno {
        // Whatever goes to the disk. A lock and a file's position are in memory.
        Errno::IO => !matches!(call, C::Lock | C::Unlock | C::Rewind),
        // Whatever takes space: a file, its bytes, a name. What is written is given its place at the sync, perhaps.
        Errno::NOSPC | Errno::DQUOT => {
            creates || matches!(call, C::Write | C::Sync | C::SyncFolder | C::Rename | C::Exchange)
        }
        Errno::MFILE => matches!(call, C::Open(_) | C::Names | C::SyncFolder),
        // `LOCK_UN` needs no memory.
        Errno::NOLCK => call == C::Lock,
        Errno::ACCESS => matches!(
            call,
            C::Folder
                | C::CreateFolder
                | C::Names
                | C::Stat
                | C::Open(_)
                | C::SyncFolder
                | C::Rename
                | C::Exchange
                | C::Unlink
        ),
        // A signal can come at any time.
        _ => true,
    }
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Which call it hits: 1 is the next one after it was armed.
    pub at_call: usize,
    /// What becomes of that call.
    pub effect: Effect,
    /// Whether later calls are hit as well: those at which such a fault can occur ([`can_occur`]; of a short one,
    /// reads and writes). So a disk that is full for good can still be read, and its files removed.
    pub for_good: bool,
}

/// What a fault does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It is not made, and answers this error.
    Fails(Errno),
    /// It is made with half as many bytes. Where it is neither a read nor a write, it is made as it is, and the
    /// fault has not fired.
    Short,
}

impl Fault {
    /// A call that fails, once.
    #[must_use]
    pub fn once(at_call: usize, errno: Errno) -> Self {
        Self { at_call, effect: Effect::Fails(errno), for_good: false }
    }

    /// A call that fails, and every later one that can fail so.
    #[must_use]
    pub fn for_good(at_call: usize, errno: Errno) -> Self {
        Self { for_good: true, ..Self::once(at_call, errno) }
    }

    /// A read or write that takes half of what it is given, once.
    #[must_use]
    pub fn short(at_call: usize) -> Self {
        Self { at_call, effect: Effect::Short, for_good: false }
    }

    fn hits(&self, number: usize, call: CallKind) -> bool {
        let (first, later) = (number == self.at_call, self.for_good && number > self.at_call);
        match self.effect {
            Effect::Fails(errno) => first || later && can_occur(errno, call),
            Effect::Short => (first || later) && matches!(call, CallKind::Read | CallKind::Write),
        }
    }
}

/// As it is read: `3 EIO`, `3 EIO for-good`, `3 short`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at_call)?;
        match self.effect {
            Effect::Fails(errno) => f.write_str(&super::memory::call::name_of(errno))?,
            Effect::Short => f.write_str("short")?,
        }
        f.write_str(if self.for_good { " for-good" } else { "" })
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (number, what, for_good) = match words[..] {
            [number, what] => (number, what, false),
            [number, what, "for-good"] => (number, what, true),
            _ => return Err(format!("`{text}` is no fault; write `3 EIO`, `3 EIO for-good` or `3 short`")),
        };
        let at_call = number.parse().ok().filter(|&number| number > 0);
        let at_call = at_call.ok_or_else(|| format!("`{number}` is no number of a call; the next one is 1"))?;
        let effect = if what == "short" {
            Effect::Short
        } else {
            let errnos = FAULTS.into_iter().chain([Errno::INTR]);
            let errno = errnos.into_iter().find(|&errno| super::memory::call::name_of(errno) == what);
            Effect::Fails(errno.ok_or_else(|| format!("`{what}` is neither `short` nor an error that is known here"))?)
        };
        Ok(Self { at_call, effect, for_good })
    }
}

/// Which calls are to fail, and what came of it. Shared by the file system and whoever arms it.
#[derive(Debug, Default)]
pub struct FaultPlan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Each with how many calls it has hit.
    armed: Vec<(Fault, usize)>,
    calls: usize,
}

impl FaultPlan {
    /// Arms these faults, in place of any that were; calls are counted anew. Of several that hit one call, the one
    /// named first has its way.
    pub fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.state() = State { armed: faults.into_iter().map(|fault| (fault, 0)).collect(), calls: 0 };
    }

    /// Arms faults that are written down: `3 EIO, 5 ENOSPC for-good`; answers how many. An empty text disarms, and
    /// has calls counted anew.
    ///
    /// # Errors
    /// In words, where the text is something else; then nothing is changed.
    pub fn arm_text(&self, text: &str) -> Result<usize, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let faults = parts.map(str::parse).collect::<Result<Vec<Fault>, String>>()?;
        let count = faults.len();
        self.arm(faults);
        Ok(count)
    }

    /// Lets every call through from now on. What was counted stays.
    pub fn disarm(&self) {
        let mut state = self.state();
        state.armed.iter_mut().for_each(|(fault, _)| (fault.at_call, fault.for_good) = (usize::MAX, false));
    }

    /// How many calls were made since faults were last armed, those that were made to fail among them.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// How many of the faults that were last armed have hit a call. One that has not is no test of anything.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.state().armed.iter().filter(|(_, hits)| *hits > 0).count()
    }

    /// How many calls were hit, by whichever fault.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.state().armed.iter().map(|(_, hits)| hits).sum()
    }

    fn next(&self, call: CallKind) -> Option<Effect> {
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        let (fault, hits) = state.armed.iter_mut().find(|(fault, _)| fault.hits(number, call))?;
        *hits += 1;
        Some(fault.effect)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes calls fail, by its [`FaultPlan`]. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Failing {
    plan: Arc<FaultPlan>,
}

impl Failing {
    /// One with nothing armed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The plan, to arm it.
    #[must_use]
    pub fn plan(&self) -> Arc<FaultPlan> {
        Arc::clone(&self.plan)
    }
}

impl Between for Failing {
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        match self.plan.next(call) {
            None => Ok(Extent::Whole),
            Some(Effect::Short) => Ok(Extent::Half),
            Some(Effect::Fails(errno)) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of calls, by number.
    fn outcomes(plan: &str, calls: &[CallKind]) -> Vec<Result<Extent, Option<i32>>> {
        let failing = Failing::new();
        failing.plan().arm_text(plan).expect("a plan");
        calls.iter().map(|&call| failing.before(call).map_err(|error| error.raw_os_error())).collect()
    }

    #[test]
    fn a_fault_hits_the_call_of_its_number_alone() {
        let whole = Ok(Extent::Whole);
        let failed = |errno: Errno| Err(Some(errno.raw_os_error()));
        assert_eq!(
            outcomes("2 EIO, 4 ENOLCK", &[CallKind::Stat; 5]),
            [whole, failed(Errno::IO), whole, failed(Errno::NOLCK), whole]
        );
    }

    #[test]
    fn a_disk_that_is_full_for_good_can_still_be_read_and_its_files_removed() {
        let calls = [CallKind::Write, CallKind::Write, CallKind::Read, CallKind::Unlink, CallKind::Open(Open::New)];
        let full = Err(Some(Errno::NOSPC.raw_os_error()));
        let whole = Ok(Extent::Whole);
        assert_eq!(outcomes("2 ENOSPC for-good", &calls), [whole, full, whole, whole, full]);
    }

    #[test]
    fn only_a_read_or_write_can_be_short_and_another_call_leaves_the_fault_unfired() {
        let failing = Failing::new();
        let plan = failing.plan();
        for (call, extent, fired) in [(CallKind::Write, Extent::Half, 1), (CallKind::Stat, Extent::Whole, 0)] {
            plan.arm([Fault::short(1)]);
            assert_eq!((failing.before(call).ok(), plan.calls(), plan.fired()), (Some(extent), 1, fired));
        }
    }

    #[test]
    fn what_is_disarmed_fires_no_more_and_its_counts_stay() {
        let failing = Failing::new();
        let plan = failing.plan();
        plan.arm([Fault::for_good(1, Errno::IO), Fault::once(9, Errno::IO)]);
        assert!(failing.before(CallKind::Stat).is_err() && failing.before(CallKind::Stat).is_err());
        plan.disarm();
        assert!(failing.before(CallKind::Stat).is_ok());
        assert_eq!((plan.calls(), plan.fired(), plan.hits()), (3, 1, 2));
    }

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in ["3 EIO", "1 EINTR", "3 EDQUOT for-good", "12 short", "12 short for-good"] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "EIO", "0 EIO", "3 EWHAT", "3 EIO often", "3 EIO for good"] {
            assert!(text.parse::<Fault>().is_err(), "{text:?}");
        }
    }
}
