//! One run: a task is done while calls fail, and what came of it is judged.

use super::subject::{CLIENT, Files, MOVED_AWAY, Record, Recorded, Said, Server, Subject, Task};
use check::{Answer, Document, Monitor, Operation, Slot, Store};
use concurrency_tests::Action;
use concurrency_tests::plain_fs::Plain;
use concurrency_tests::scenario::{KEY, KEYS, OLD, Start, UnderKey, file_of, store_in, strays};
use concurrency_tests::world::{LONG_AGO_MS, NOW_MS};
use server::fs::failing::FAULTS;
use server::fs::memory::{Called, Kernel};
use server::fs::{Around, CallKind, Failing, Fault};
use std::fmt;

/// What a server is asked for, and on what.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) subject: Subject,
    pub(super) task: Task,
    pub(super) begin: Begin,
    /// Whether the server has read which keys are in use, as it does when it starts. Where it has not, it is as if
    /// another process had taken them since.
    pub(super) hint_is_read: bool,
}

/// What is there at the start.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    words: String,
    pub(super) folder: Kernel,
}

impl Begin {
    /// Everything that can be under one key.
    pub(super) fn with_one_key() -> Vec<Self> {
        Start::ALL.map(|start| Self { words: start.in_words(), folder: start.folder() }).into()
    }

    /// Nothing, or a document: what the documented protocol knows.
    pub(super) fn documented() -> Vec<Self> {
        let starts = Start::ALL.into_iter().filter(|start| !start.spare && start.under_key != UnderKey::Reserved);
        starts.map(|start| Self { words: start.in_words(), folder: start.folder() }).collect()
    }

    /// All keys are in use, the last by a reservation where the protocol knows such a thing.
    pub(super) fn full(reserves: bool) -> Self {
        let mut folder = Kernel::with_folder();
        folder.set_clock(LONG_AGO_MS);
        for key in &KEYS[..2] {
            folder.place(&file_of(key), OLD.replace(KEY, key).as_bytes(), false);
        }
        folder.set_clock(NOW_MS);
        let last = if reserves { String::new() } else { OLD.replace(KEY, KEYS[2]) };
        folder.place(&file_of(KEYS[2]), last.as_bytes(), reserves);
        Self { words: "all keys are in use".to_owned(), folder }
    }

    /// The folder is gone.
    pub(super) fn without_folder() -> Self {
        let mut folder = Kernel::default();
        folder.set_clock(NOW_MS);
        Self { words: "there is no saves folder".to_owned(), folder }
    }

    fn store(&self) -> Store {
        store_in(&self.folder).unwrap_or_else(|error| unreachable!("scenarios start well: {error}"))
    }
}

/// What is asked for once nothing fails any more; each is answered right, whatever failed before.
pub(super) type Then = &'static [Action];

/// The start of a server, on its files.
pub(super) type Launch<'a> = &'a dyn Fn(Subject, Files) -> Server;

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The calls that the task made.
    pub(super) calls: Vec<Recorded>,
    /// How many of the faults hit a call.
    pub(super) fired: usize,
    pub(super) said: Option<Said>,
    /// What was in the folder when it was said.
    pub(super) left: Kernel,
    pub(super) verdict: Result<Good, Broken>,
}

/// A run in which nothing was broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Good {
    /// Whether the answer was an error.
    pub(super) is_error: bool,
    /// Whether documents and reservations are as they were.
    pub(super) is_unchanged: bool,
    /// Whether a file was left that only the next save removes, as the call that would have removed it failed.
    pub(super) is_stray_left: bool,
}

/// What was broken, and how, in words.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) promise: Promise,
    pub(super) how: String,
}

/// What is promised of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// No lock is held that somebody then waits for.
    NoLockIsHeld,
    /// What is answered is right, or says that something failed.
    NoFalseAnswer,
    /// The earlier document is intact, or the new one is whole.
    DocumentsAreWhole,
    /// What is there is what the answer allows.
    NothingIsLost,
    /// Nothing that was not synced is taken for synced.
    SyncsAreBelievedOnlyIfDone,
    NoFileIsOpen,
    NoFileIsLeftBehind,
    /// No key stays reserved that nobody was told.
    NoKeyIsReservedForNobody,
    /// The next requests are answered right, and the next save leaves nothing behind.
    TheNextRequestsWork,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.how)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread =
            if self.hint_is_read || !self.subject.reserves() { "" } else { ", which the server does not know" };
        write!(f, "{}: {} where {}{unread}", self.subject, self.task, self.begin.words)
    }
}

/// Answers that say that something failed, each a 5xx. `Invalid saved data format` is one too, and not among them: it
/// accuses the document.
const ERRORS: [&str; 8] = [
    "Saves directory not found",
    "Failed to create saves directory",
    "Failed to access saves directory",
    "Failed to open file",
    "Failed to acquire file lock",
    "Failed to write file",
    "Failed to read saved data",
    "Failed to delete instance",
];

/// Runs a scenario with these faults.
pub(super) fn run(scenario: &Scenario, launch: Launch<'_>, faults: &[Fault], then: Then) -> Run {
    let plain = Plain::new(scenario.begin.folder.clone(), scenario.subject.can_exchange());
    let (failing, record) = (Failing::new(), Record::default());
    let plan = failing.plan();
    let files = Around::new(Around::new(Called(plain.clone()), failing), record.clone());
    let server = launch(scenario.subject, files);
    if scenario.hint_is_read {
        let started = server(Task::Start, 0).ok();
        assert_eq!(started, Some(Said::Started), "{scenario}: nothing fails yet");
    }
    record.take();
    plan.arm(faults.iter().copied());
    let said = server(scenario.task, 0);
    plan.disarm();
    let calls = record.take();
    let left = plain.kernel().clone();
    let mut judge = Judge { scenario, calls: &calls, monitor: Monitor::new(scenario.begin.store()) };
    let verdict = match &said {
        Ok(said) => judge.outcome(said, &left).and_then(|good| {
            judge.next_requests(&server, &plain, then)?;
            Ok(good)
        }),
        Err(_) => broken(Promise::NoLockIsHeld, "it waits for ever"),
    };
    Run { fired: plan.fired(), said: said.ok(), left, verdict, calls }
}

fn broken<T>(promise: Promise, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { promise, how: how.into() })
}

struct Judge<'a> {
    scenario: &'a Scenario,
    calls: &'a [Recorded],
    monitor: Monitor,
}

impl Judge<'_> {
    /// Whether a call of this kind was made to fail.
    fn was_hit(&self, kinds: &[CallKind]) -> bool {
        let injected = |error: i32| FAULTS.iter().any(|errno| errno.raw_os_error() == error);
        self.calls.iter().any(|one| kinds.contains(&one.call) && one.error.is_some_and(injected))
    }

    fn outcome(&mut self, said: &Said, left: &Kernel) -> Result<Good, Broken> {
        let is_error = if let Said::Answer(Answer::Wrong(text)) = said {
            self.error(text)?;
            true
        } else {
            self.answer(said, left)?;
            false
        };
        let is_unchanged = self.documents(left)?;
        if left.open_file_count() > 0 {
            return broken(Promise::NoFileIsOpen, format!("still open: {}", left.open_file_count()));
        }
        if is_error
            && self.scenario.task == Task::Do(Action::GenerateKey)
            && !is_unchanged
            && !self.was_hit(&[CallKind::Unlink])
        {
            return broken(
                Promise::NoKeyIsReservedForNobody,
                format!("there are {}", left.name_list().collect::<Vec<_>>().join(", ")),
            );
        }
        let is_stray_left = self.strays(left)?;
        Ok(Good { is_error, is_unchanged, is_stray_left })
    }

    fn error(&mut self, text: &str) -> Result<(), Broken> {
        if !ERRORS.contains(&text) {
            return broken(Promise::NoFalseAnswer, format!("answered {text:?}"));
        }
        if self.calls.iter().all(|one| one.error.is_none()) {
            return broken(Promise::NoFalseAnswer, format!("answered {text:?} where nothing failed"));
        }
        match self.scenario.task {
            Task::Do(action) => self.called(action, 0),
            Task::Archive => self.monitor.called(CLIENT, &moved()),
            Task::Start => return Ok(()),
        }
        self.monitor.failed(CLIENT);
        Ok(())
    }

    fn answer(&mut self, said: &Said, left: &Kernel) -> Result<(), Broken> {
        let is_right = match (self.scenario.task, said) {
            (Task::Do(action), Said::Answer(answer)) => {
                self.called(action, 0);
                self.monitor.answered(CLIENT, answer)
            }
            (Task::Archive, Said::Archived(keys)) if keys.is_empty() => {
                !matches!(self.scenario.begin.store().slot(KEY), Slot::Present(_))
            }
            (Task::Archive, Said::Archived(keys)) => {
                self.monitor.called(CLIENT, &moved());
                let moved = left.content(MOVED_AWAY).and_then(Document::parse);
                *keys == [KEY] && self.monitor.answered(CLIENT, &Answer::Moved(moved))
            }
            (Task::Start, Said::Started) => true,
            _ => false,
        };
        if !is_right {
            let text = match said {
                Said::Answer(answer) => answer.to_string(),
                other => format!("{other:?}"),
            };
            return broken(Promise::NoFalseAnswer, format!("answered {text}"));
        }
        if self.scenario.subject.syncs() && self.was_hit(&[CallKind::Sync, CallKind::SyncFolder]) {
            return broken(Promise::SyncsAreBelievedOnlyIfDone, format!("answered {said:?}"));
        }
        Ok(())
    }

    /// Whether they are as they were.
    fn documents(&self, left: &Kernel) -> Result<bool, Broken> {
        let store = store_in(left).or_else(|torn| broken(Promise::DocumentsAreWhole, torn))?;
        if !self.monitor.can_be(&store) {
            return broken(Promise::NothingIsLost, format!("what is left is {store:?}"));
        }
        let before = self.scenario.begin.store();
        let is_gone = |slot: &Slot| *slot == Slot::Absent;
        if self.scenario.task == Task::Archive && is_gone(store.slot(KEY)) && !is_gone(before.slot(KEY)) {
            let archived = left.content(MOVED_AWAY).and_then(Document::parse).map(Slot::Present);
            if archived.as_ref() != Some(before.slot(KEY)) {
                return broken(Promise::NothingIsLost, "it is neither in the folder nor archived");
            }
        }
        Ok(store == before)
    }

    /// Whether one is left that may be: one that was there before and was not touched, or one whose removal was the
    /// very call that failed.
    fn strays(&self, left: &Kernel) -> Result<bool, Broken> {
        let before = &self.scenario.begin.folder;
        let is_untouched = |name: &str| {
            before.content(name).is_some()
                && (before.content(name), before.stat(name)) == (left.content(name), left.stat(name))
        };
        let strays = strays(left);
        if strays.iter().all(|name| is_untouched(name)) {
            return Ok(false);
        }
        if self.was_hit(&[CallKind::Unlink]) && strays.len() == 1 {
            return Ok(true);
        }
        broken(Promise::NoFileIsLeftBehind, format!("left behind: {}", strays.join(", ")))
    }

    /// Has requests made of the same server, now that nothing fails.
    fn next_requests(&mut self, server: &Server, plain: &Plain, then: Then) -> Result<(), Broken> {
        for (number, &action) in then.iter().enumerate() {
            if action == Action::GenerateKey && self.another_key_is_handed_out() {
                continue;
            }
            self.called(action, number + 1);
            let told = |how: String| broken(Promise::TheNextRequestsWork, how);
            let Ok(Said::Answer(answer)) = server(Task::Do(action), number + 1) else {
                return told(format!("a {action} waits for ever"));
            };
            if !self.monitor.answered(CLIENT, &answer) {
                return told(format!("a {action} is answered {answer}"));
            }
            let kernel = plain.kernel();
            if matches!(answer, Answer::Saved | Answer::Created) && !strays(&kernel).is_empty() {
                return told(format!("after a {action}, {} is still there", strays(&kernel).join(", ")));
            }
            if kernel.open_file_count() > 0 {
                return told(format!("a {action} left a file open"));
            }
        }
        match store_in(&plain.kernel()) {
            Ok(store) if self.monitor.can_be(&store) => Ok(()),
            Ok(store) => broken(Promise::TheNextRequestsWork, format!("in the end there is {store:?}")),
            Err(torn) => broken(Promise::TheNextRequestsWork, format!("in the end, {torn}")),
        }
    }

    /// Whether generate-key would hand out a key of which the sequential model knows nothing.
    fn another_key_is_handed_out(&self) -> bool {
        let is_full = |store: &Store| KEYS.iter().all(|key| *store.slot(key) != Slot::Absent);
        self.scenario.subject.knows_all_keys() && self.monitor.stores().iter().any(is_full)
    }

    fn called(&mut self, action: Action, number: usize) {
        self.monitor.called(CLIENT, &action.operation(CLIENT, number, None, self.scenario.subject.reserves()));
    }
}

fn moved() -> Operation {
    Operation::MoveAway { key: KEY.to_owned() }
}
