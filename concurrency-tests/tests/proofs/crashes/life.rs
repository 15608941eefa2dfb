//! What one client does until the crash, and every moment at which the crash can come.

use super::machine::{Flaw, Machine, OWNER, Recorded};
use super::subject::{Server, Subject};
use check::{Answer, Document, Monitor, Operation, Slot, Store};
use concurrency_tests::scenario::{Action, KEYS, Start, store_in};
use server::fs::forgetting::WriteBack;
use server::fs::memory::Called;
use server::fs::ready;
use std::collections::BTreeSet;
use std::fmt;

/// The client before the crash. Numbers of clients tell their documents apart; together with each other there are two.
pub(super) const BEFORE: usize = 0;

/// The client of a server that was started after a crash, before another.
pub(super) const BETWEEN: usize = 2;

/// The client after the last crash.
pub(super) const AFTER: usize = 3;

/// What is done, one after another, on what was there at the start.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) start: Start,
    pub(super) actions: Vec<Action>,
}

impl Life {
    /// The moment before it.
    pub(super) fn begin(&self) -> Result<Moment, String> {
        let (after, folder) = (String::new(), self.start.folder());
        let possible = Monitor::new(store_in(&folder)?);
        Ok(Moment { after, disk: WriteBack::new(folder), possible })
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.start)?;
        self.actions.iter().try_for_each(|action| write!(f, " {action}"))
    }
}

/// A moment at which a crash can come: after a system call, or after an answer. No process has a file open.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// After what, in words.
    pub(super) after: String,
    pub(super) disk: WriteBack,
    /// What may be there, given what was acknowledged. What was under way may have taken effect, and will not any more.
    pub(super) possible: Monitor,
}

/// A life's last action, moment by moment; those before it are the last of shorter lives.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) moments: Vec<Moment>,
    /// Every document that was ever under a key.
    pub(super) documents: BTreeSet<(String, Document)>,
}

/// One client of one server, with what it was answered held to the model.
#[derive(Debug)]
pub(super) struct Client {
    /// Its number in the history.
    number: usize,
    pub(super) server: Server,
    pub(super) machine: Machine,
    pub(super) reserves: bool,
    pub(super) monitor: Monitor,
    /// How many documents it has written: each is marked with its number.
    written: usize,
    /// The key that it was handed by its last request.
    handed: Option<String>,
}

impl Client {
    pub(super) fn new(number: usize, subject: Subject, machine: Machine, monitor: Monitor) -> Result<Self, String> {
        let server = subject.start(&machine)?;
        Ok(Self { number, server, machine, reserves: subject.reserves(), monitor, written: 0, handed: None })
    }

    /// Whether it makes sense: only who was handed a key just before can rely on it.
    fn can(&self, action: Action) -> bool {
        action != Action::InstantiateOwn || self.handed.is_some()
    }

    /// Makes a request; says what the model is to be told of it, and what was answered.
    pub(super) fn ask(&mut self, action: Action) -> Result<(Operation, Answer), String> {
        let (number, handed) = (self.written, self.handed.take());
        let operation = action.operation(self.number, number, handed.as_deref(), self.reserves);
        let files = Called(self.machine.clone());
        let answer = ready(action.perform(&self.server, &files, self.number, number, handed.as_deref()))
            .map_err(|_| format!("{action} waits for ever"))?;
        self.written += usize::from(matches!(action, Action::Save | Action::Instantiate | Action::InstantiateOwn));
        if let Answer::Handed(key) = &answer {
            self.handed = Some(key.clone());
        }
        Ok((operation, answer))
    }

    /// Makes a request, and holds the answer to the model.
    pub(super) fn request(&mut self, action: Action) -> Result<(), String> {
        let (operation, answer) = self.ask(action)?;
        self.monitor.called(self.number, &operation);
        let is_explained = self.monitor.answered(self.number, &answer);
        is_explained.then_some(()).ok_or_else(|| format!("{action} is answered {answer:?}, which nothing explains"))
    }
}

/// Starts a server on a disk, and has a client make requests; `None` where one of them makes no sense there.
pub(super) fn live(
    subject: Subject,
    flaw: Flaw,
    begin: &Moment,
    number: usize,
    actions: &[Action],
) -> Result<Option<Moments>, String> {
    let machine = Machine::new(begin.disk.clone(), subject.can_exchange(), flaw);
    let mut client = Client::new(number, subject, machine.clone(), begin.possible.clone())?;
    let mut moments = Vec::new();
    if actions.len() == 1 {
        moments.extend(during(&machine, "the start", &begin.possible));
    }
    let mut documents = documents_in(&begin.possible);
    for (place, &action) in actions.iter().enumerate() {
        if !client.can(action) {
            return Ok(None);
        }
        machine.take_recorded();
        let (operation, answer) = client.ask(action)?;
        client.monitor.called(number, &operation);
        documents.extend(documents_in(&client.monitor));
        let mut interrupted = client.monitor.clone();
        interrupted.failed(number);
        if !client.monitor.answered(number, &answer) {
            return Err(format!("{action} is answered {answer:?} without any crash"));
        }
        if place + 1 == actions.len() {
            moments.extend(during(&machine, &action.to_string(), &interrupted));
            let (after, disk) = (format!("the answer to {action}"), machine.disk_alone());
            moments.push(Moment { after, disk, possible: client.monitor.clone() });
        }
    }
    Ok(Some(Moments { moments, documents }))
}

/// The moments after the calls that were made since the last ones were asked for.
fn during(machine: &Machine, what: &str, possible: &Monitor) -> Vec<Moment> {
    let moment = |Recorded { call, mut disk }: Recorded| {
        disk.kill(OWNER);
        Moment { after: format!("{call} of {what}"), disk, possible: possible.clone() }
    };
    machine.take_recorded().into_iter().map(moment).collect()
}

fn documents_in(monitor: &Monitor) -> BTreeSet<(String, Document)> {
    let under = |store: &Store, key: &str| match store.slot(key) {
        Slot::Present(document) => Some((key.to_owned(), document.clone())),
        _ => None,
    };
    monitor
        .stores()
        .iter()
        .flat_map(|store| KEYS.iter().filter_map(|key| under(store, key)).collect::<Vec<_>>())
        .collect()
}
