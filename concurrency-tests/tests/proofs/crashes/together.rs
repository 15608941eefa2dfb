//! Two clients of one server at once, and the power goes: at every moment of every interleaving of their calls.
//!
//! What is promised is that changes that were acknowledged survive, and that a document is there of which that was said.
//! An answer that there is nothing may rest on a change that somebody else made and has not synced yet, and promises
//! nothing.

use super::ON_DISK;
use super::life::{Life, Moment};
use super::machine::Flaw;
use super::recovery::keeps_all;
use super::subject::Subject;
use super::survey::{Crash, Survey};
use check::{Answer, Monitor};
use concurrency_tests::explorer::Programs;
use concurrency_tests::explorer::hint::TinyHint;
use concurrency_tests::explorer::program::{Next, Part, Place};
use concurrency_tests::explorer::script::{Given, Script, Step, What};
use concurrency_tests::proof::Row;
use concurrency_tests::scenario::{Action, KEYS, Start, rules};
use concurrency_tests::world::NOW_MS;
use server::fs::forgetting::WriteBack;
use server::fs::memory::{Call, Called};
use server::protocol::{Durability, Hardened};
use std::collections::HashSet;
use std::fmt;

/// What changes anything.
const CHANGES: [Action; 5] = [Action::Save, Action::Instantiate, Action::Delete, Action::GenerateKey, Action::GiveBack];

/// Two clients, by their number, each with one request.
#[derive(Clone, Copy, Debug)]
struct Pair {
    start: Start,
    actions: [Action; 2],
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {} beside {}", self.start, self.actions[0], self.actions[1])
    }
}

/// All there is to know of the future.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    disk: WriteBack,
    hint: TinyHint,
    at: [At; 2],
    told: Vec<Told>,
}

/// Where a client is in its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Before,
    Within(Place),
    After,
}

/// What was called and answered so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Told {
    Called(usize),
    Answered(usize, Answer),
}

impl Told {
    fn client(&self) -> usize {
        match self {
            Self::Called(client) | Self::Answered(client, _) => *client,
        }
    }
}

pub(super) fn power_goes() -> Result<Vec<Row>, String> {
    ON_DISK.into_iter().map(every_pair).collect()
}

fn every_pair(subject: Subject) -> Result<Row, String> {
    let mut programs = programs(subject);
    let mut survey = Survey::new(subject, Flaw::None, Crash::Power);
    let of =
        |&first: &Action| CHANGES.into_iter().filter(move |&second| first <= second).map(move |second| [first, second]);
    for (start, actions) in
        Start::ALL.iter().flat_map(|&start| CHANGES.iter().flat_map(of).map(move |two| (start, two)))
    {
        survey.tally.lives += 1;
        one_pair(&mut programs, &mut survey, Pair { start, actions })?;
    }
    let found = "no acknowledged change is lost, every document is whole";
    Ok(survey.row("every interleaving of two requests", found.to_owned()))
}

fn one_pair(programs: &mut Programs, survey: &mut Survey<Monitor>, pair: Pair) -> Result<(), String> {
    let begin = Life { start: pair.start, actions: Vec::new() }.begin()?;
    let (hint, at) = (TinyHint::new(KEYS.len(), None), [At::Before; 2]);
    let mut new = vec![State { disk: begin.disk, hint, at, told: Vec::new() }];
    let mut known: HashSet<State> = new.iter().cloned().collect();
    while let Some(state) = new.pop() {
        let subject = survey.subject;
        let story = |broken: String| format!("{subject}, {pair}: the power goes: {broken}; told: {:?}", state.told);
        let mut disk = state.disk.clone();
        [0, 1].into_iter().for_each(|owner| disk.kill(owner));
        let possible = possible(&begin.possible, pair, &state.told).map_err(story)?;
        let moment = Moment { after: String::new(), disk, possible };
        survey
            .moment(&moment, &moment.possible, |left| keeps_all(subject, Flaw::None, left, &moment.possible))
            .map_err(story)?;
        for client in [0, 1] {
            if let Some(next) = step(programs, &state, pair, client)
                && known.insert(next.clone())
            {
                new.push(next);
            }
        }
    }
    Ok(())
}

/// A client's next step; `None` where it is done, or waits for a lock.
fn step(programs: &mut Programs, state: &State, pair: Pair, client: usize) -> Option<State> {
    let mut state = state.clone();
    let owner = u16::try_from(client).ok()?;
    let place = match state.at[client] {
        At::Before => {
            state.told.push(Told::Called(client));
            programs.start(Part { action: pair.actions[client], client, number: 0, handed: None })
        }
        At::Within(place) => {
            let Next::Ask(step) = programs.next(place) else { return None };
            let what = match programs.step(step) {
                Step::File(call) => What::File(state.disk.call(owner, call)?),
                Step::Hint(call) => state.hint.call(call, NOW_MS),
            };
            let place = programs.follow(place, Given { what, now_ms: NOW_MS });
            for &file in programs.closed(place) {
                state.disk.call(owner, &Call::Close { file });
            }
            place
        }
        At::After => return None,
    };
    state.at[client] = At::Within(place);
    if let Next::Done(answer) = programs.next(place) {
        state.at[client] = At::After;
        state.told.push(Told::Answered(client, programs.answer(answer).clone()));
    }
    Some(state)
}

/// What may be there, by what was promised.
fn possible(begin: &Monitor, pair: Pair, told: &[Told]) -> Result<Monitor, String> {
    let says_nothing = |told: &Told| matches!(told, Told::Answered(_, Answer::NotFound | Answer::GaveBack(0)));
    let promises = |event: &&Told| !told.iter().any(|told| told.client() == event.client() && says_nothing(told));
    let mut monitor = begin.clone();
    for event in told.iter().filter(promises) {
        match event {
            Told::Called(client) => monitor.called(*client, &pair.actions[*client].operation(*client, 0, None, true)),
            Told::Answered(client, answer) => {
                if !monitor.answered(*client, answer) {
                    return Err(format!("{answer:?} is an answer that nothing explains"));
                }
            }
        }
    }
    [0, 1].into_iter().for_each(|client| monitor.failed(client));
    Ok(monitor)
}

/// The server's code, stepped.
fn programs(subject: Subject) -> Programs {
    let perform = |part: &Part, script: Script| {
        let files = Called(script.clone());
        let server = Hardened::new(files.clone(), script.clone(), script, rules(), Durability::Disk);
        let Part { action, client, number, .. } = *part;
        let performed: std::pin::Pin<Box<dyn Future<Output = Answer>>> =
            Box::pin(async move { action.perform(&server, &files, client, number, None).await });
        performed
    };
    Programs::new(Box::new(perform), subject.can_exchange())
}
