//! A disk that fails, or loses its power, when a harness says so: what is behind the hidden `--control`.
//!
//! The harness that started the server talks to it over standard input and output, a line each way:
//!
//! | line in | line out | what it does |
//! |---|---|---|
//! | `fail 3 EIO`, `fail 3 EIO for-good` | `armed` | the third file system call from now on fails, or it and every later one (see [`Fault`]), as far as such a call can fail so at all ([`can_occur`]) |
//! | `disarm` | `made Folder Stat! Write` | all goes well from now on; which calls were made since `fail`, those marked that were made to fail |
//! | `power-cut 7` | `off` | of what was not synced, some is lost, as the seed 7 has it; the saves folder is made what is left, and the process ends at once |
//! | anything else | `error: ` and what is wrong | nothing |
//!
//! No request is answered from the moment of a power cut on: what was acknowledged, was acknowledged before. When
//! standard input ends, the server stops.

use crate::fs::failing::can_occur;
use crate::fs::forgetting::{Forgetting, write_to};
use crate::fs::{Between, CallKind, Extent, Failing, Fault};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::io::Errno;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Makes calls fail, and keeps which calls were made. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    failing: Failing,
    /// Since a fault was armed, and whether each was made to fail.
    made: Arc<Mutex<Vec<(CallKind, bool)>>>,
}

impl Between for Faults {
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        let outcome = self.failing.before(call);
        let errno = outcome.as_ref().err().and_then(Errno::from_io_error);
        // What no disk does proves nothing of a server.
        let is_let_through = errno.is_some_and(|errno| !can_occur(errno, call));
        let outcome = if is_let_through { Ok(Extent::Whole) } else { outcome };
        self.made().push((call, outcome.is_err()));
        outcome
    }
}

/// Without any, every call goes through.
impl Between for Option<Faults> {
    fn before(&self, call: CallKind) -> io::Result<Extent> {
        self.as_ref().map_or(Ok(Extent::Whole), |faults| faults.before(call))
    }
}

impl Faults {
    fn arm(&self, text: &str) -> Result<(), String> {
        let fault: Fault = text.parse()?;
        self.made().clear();
        self.failing.plan().arm([fault]);
        Ok(())
    }

    fn disarm(&self) -> String {
        self.failing.plan().disarm();
        let mut said = "made".to_owned();
        for (call, failed) in self.made().drain(..) {
            // Writing to a text cannot fail.
            let _ = write!(said, " {call:?}{}", if failed { "!" } else { "" });
        }
        said
    }

    fn made(&self) -> MutexGuard<'_, Vec<(CallKind, bool)>> {
        // Nobody panics while holding it.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a harness can do to the server's disk.
#[derive(Debug)]
pub enum Control {
    /// Have its calls fail.
    Faults(Faults),
    /// Cut its power.
    Power {
        /// The disk.
        disk: Forgetting,
        /// Where what is left of it goes.
        saves: PathBuf,
    },
}

/// What comes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It is answered.
    Answer(String),
    /// The power is gone, and so is the process once that is said.
    Off,
}

impl Control {
    /// Does what each line of standard input says, on a thread of its own; ready when standard input has ended.
    pub fn listen(self) -> impl Future<Output = ()> {
        let (ended, told) = oneshot::channel();
        // Reading standard input cannot be called off.
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                match self.told(&line) {
                    Said::Answer(answer) => drop(writeln!(io::stdout(), "{answer}")),
                    Said::Off => {
                        let _ = writeln!(io::stdout(), "off");
                        std::process::exit(0);
                    }
                }
            }
            // The server may have stopped already.
            let _ = ended.send(());
        });
        async {
            // Either way, the thread has ended.
            let _ = told.await;
        }
    }

    fn told(&self, line: &str) -> Said {
        self.done(line.trim()).unwrap_or_else(|why| Said::Answer(format!("error: {why}")))
    }

    fn done(&self, line: &str) -> Result<Said, String> {
        let (order, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (order, self) {
            ("fail", Self::Faults(faults)) => faults.arm(rest).map(|()| Said::Answer("armed".to_owned())),
            ("disarm", Self::Faults(faults)) => Ok(Said::Answer(faults.disarm())),
            ("power-cut", Self::Power { disk, saves }) => {
                let seed = rest.parse().map_err(|_| format!("`{rest}` is no seed; write `power-cut 7`"))?;
                cut_power(disk, saves, seed).map_err(|error| format!("the power cannot be cut: {error}"))?;
                Ok(Said::Off)
            }
            ("fail" | "disarm", _) => {
                Err("this disk cannot be made to fail: start the server with --control faults".to_owned())
            }
            ("power-cut", _) => Err("this disk forgets nothing: start the server with --control power".to_owned()),
            _ => Err(format!("`{line}` is not known here; there are `fail`, `disarm` and `power-cut`")),
        }
    }
}

fn cut_power(disk: &Forgetting, saves: &std::path::Path, seed: u64) -> io::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let left = disk.cut_power(&mut |below| random.random_range(0..below))?;
    write_to(&left, saves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::memory::Called;
    use crate::fs::{FileSystem, Open, ready};

    fn answer(control: &Control, line: &str) -> String {
        match control.told(line) {
            Said::Answer(answer) => answer,
            Said::Off => "off".to_owned(),
        }
    }

    #[test]
    fn a_call_fails_when_its_number_comes_and_what_was_called_is_told() {
        let faults = Faults::default();
        let control = Control::Faults(faults.clone());
        assert_eq!(answer(&control, "fail 2 EIO"), "armed");
        let outcomes =
            [CallKind::Stat, CallKind::Write, CallKind::Open(Open::New)].map(|call| faults.before(call).is_ok());
        assert_eq!(outcomes, [true, false, true]);
        assert_eq!(answer(&control, "disarm"), "made Stat Write! Open(New)");
        assert_eq!(answer(&control, "fail 2 ENOSPC for-good"), "armed");
        assert!(faults.before(CallKind::Write).is_ok());
        assert_eq!(answer(&control, "disarm"), "made Write");
        assert!(faults.before(CallKind::Write).is_ok(), "nothing is armed any more");
    }

    #[test]
    fn a_call_that_cannot_fail_so_is_let_through() {
        let faults = Faults::default();
        let control = Control::Faults(faults.clone());
        let table = [
            ("fail 1 EIO", CallKind::Rewind, "made Rewind"),
            ("fail 1 ENOSPC for-good", CallKind::Read, "made Read"),
            ("fail 1 ENOLCK", CallKind::Lock, "made Lock!"),
        ];
        for (line, call, made) in table {
            assert_eq!(answer(&control, line), "armed");
            assert_eq!(faults.before(call).is_err(), made.ends_with('!'), "{line}");
            assert_eq!(answer(&control, "disarm"), made);
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_in_words() {
        let control = Control::Faults(Faults::default());
        for (line, word) in [
            ("", "not known"),
            ("reboot", "not known"),
            ("fail", "no fault"),
            ("fail 0 EIO", "no number"),
            ("fail 1 EWHAT", "EWHAT"),
            ("fail 1 EIO, 2 EIO", "no fault"),
            ("power-cut 7", "--control power"),
        ] {
            let said = answer(&control, line);
            assert!(said.starts_with("error: ") && said.contains(word), "{line:?}: {said}");
        }
    }

    #[test]
    fn a_power_cut_leaves_in_the_folder_what_was_synced() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("A4K.json"), "old").expect("writes");
        let disk = Forgetting::load(folder.path(), || 0).expect("reads");
        let files = Called(disk.clone());
        let control = Control::Power { disk, saves: folder.path().to_owned() };
        ready(async {
            let file = files.open("B4K.json", Open::New).await?;
            files.write(&file, b"n").await?;
            files.sync(&file).await?;
            files.sync_folder().await
        })
        .and_then(|outcome| outcome)
        .expect("it is in memory");
        assert!(answer(&control, "power-cut often").starts_with("error: `often` is no seed"));
        assert!(answer(&control, "fail 1 EIO").contains("--control faults"));
        assert_eq!(control.told("power-cut 7"), Said::Off);
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("is left");
        assert_eq!((read("A4K.json").as_str(), read("B4K.json").as_str()), ("old", "n"));
        assert!(ready(files.names()).is_err(), "no call ends any more");
        assert!(answer(&control, "power-cut 7").starts_with("error: the power cannot be cut"));
    }
}
