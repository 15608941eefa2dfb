//! The search through a scenario's states.

use super::hint::TinyHint;
use super::program::{Id, Interned, Next, Part, Place, Programs};
use super::script::{Given, Step, What};
use super::trace::Trace;
use crate::scenario::{Action, KEYS, Start, file_of, store_of, strays};
use check::{Answer, Monitor};
use indexmap::IndexMap;
use server::fs::memory::{Call, Kernel};
use server::hint::Freshness;
use std::collections::HashMap;

/// What is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The folder at the start.
    pub start: Start,
    /// What each client does, one action after another.
    pub clients: Vec<Vec<Action>>,
    /// Whether all are clients of one server process, and share its hint; otherwise each has a process of its own.
    pub one_process: bool,
    /// What one client more, of a new process, does when all others are done: to see that the service goes on.
    pub afterwards: Vec<Action>,
    /// How many keys there are.
    pub keys: usize,
    /// Whether a key that is handed out is taken for reserved by that.
    pub reserves: bool,
    /// How many times a process may die at any moment.
    pub deaths: u8,
    /// How many times the clock may go on at any moment, and by how much.
    pub ticks: u8,
    /// How far the clock goes on at a tick.
    pub tick_ms: u64,
    /// When a server reads the folder again though it knows of free keys; never, if there are no limits.
    pub looks: Option<Freshness>,
    /// Whether the client that comes afterwards is of the first process, comes when a look is due, and must be handed
    /// [`KEYS`]' first key if that is free.
    pub finds_freed: bool,
}

impl Scenario {
    /// Clients on one folder, each with a process of its own, none of which dies, while the clock stands still.
    #[must_use]
    pub fn new(start: Start, clients: Vec<Vec<Action>>) -> Self {
        Self {
            start,
            clients,
            one_process: false,
            afterwards: vec![Action::Restore, Action::Save, Action::Restore],
            keys: KEYS.len(),
            reserves: true,
            deaths: 0,
            ticks: 0,
            tick_ms: 0,
            looks: None,
            finds_freed: false,
        }
    }

    /// The same, where whoever comes afterwards asks for a key.
    #[must_use]
    pub fn finding_what_was_freed(self) -> Self {
        Self { finds_freed: true, afterwards: vec![Action::GenerateKey], ..self }
    }

    /// The actions of a client; the one after the last is who comes afterwards.
    fn actions(&self, client: usize) -> &[Action] {
        self.clients.get(client).unwrap_or(&self.afterwards)
    }

    /// The process of a client.
    fn process(&self, client: usize) -> usize {
        match client {
            _ if client == self.clients.len() && !self.finds_freed => self.clients.len(),
            _ if self.one_process || client == self.clients.len() => 0,
            _ => client,
        }
    }

    /// Whether somebody else can tell when a client's hint is told something.
    fn hint_is_shared(&self) -> bool {
        let picks = |actions: &Vec<Action>| actions.contains(&Action::GenerateKey);
        self.one_process && self.clients.len() > 1 && self.clients.iter().any(picks)
    }
}

/// What a search came to.
#[derive(Debug)]
pub struct Searched {
    /// How many states there are, up to the violation if there is one.
    pub states: usize,
    /// How many steps lead from one to another.
    pub steps: usize,
    /// The shortest way to a broken promise.
    pub violation: Option<Violation>,
}

/// A broken promise, and how it comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise, in words.
    pub broken: String,
    /// From the start, who did a step.
    pub moves: Vec<Move>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// A client takes a step.
    Step(usize),
    /// A process dies.
    Death(usize),
    /// The clock goes on.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    /// It has done so many actions, and none is under way.
    Idle(u8),
    /// It has done so many, and is here in the next.
    In(u8, Place),
    Dead,
}

/// A state, all values by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    kernel: Id,
    monitor: Id,
    /// The hint of each process.
    hints: Id,
    clients: Vec<Client>,
    /// The key that each client was last handed, by its place in [`KEYS`].
    handed: Vec<Option<u8>>,
    deaths: u8,
    ticks: u8,
}

/// Searches all states of a scenario, up to the first violation.
#[must_use]
pub fn search(programs: &mut Programs, scenario: &Scenario) -> Searched {
    Search::new(programs, scenario).run()
}

/// Tells what happens when these moves are made.
///
/// # Errors
/// In words, where a move cannot be made.
pub fn replay(programs: &mut Programs, scenario: &Scenario, moves: &[Move]) -> Result<Trace, String> {
    let mut search = Search::new(programs, scenario);
    search.trace = Some(Trace::new(scenario));
    let mut state = search.start();
    for (place, &one) in moves.iter().enumerate() {
        match search.make(&state, one) {
            None => return Err(format!("move {} cannot be made: {one:?}", place + 1)),
            Some(Err(broken)) => return Ok(search.traced(Some(broken))),
            Some(Ok(next)) => state = next,
        }
    }
    let broken = search.is_finished(&state).then(|| search.broken_in_the_end(&state)).flatten();
    Ok(search.traced(broken))
}

struct Search<'a> {
    programs: &'a mut Programs,
    scenario: &'a Scenario,
    kernels: Interned<Kernel>,
    monitors: Interned<Monitor>,
    hints: Interned<Vec<TinyHint>>,
    /// What a system call at a place makes of a kernel; none where it has to wait.
    kernel_ways: HashMap<(Id, Place), Option<(Id, Place)>>,
    monitor_ways: HashMap<(Id, usize, Event), Option<Id>>,
    trace: Option<Trace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    Called(Id),
    Answered(Id),
}

impl<'a> Search<'a> {
    fn new(programs: &'a mut Programs, scenario: &'a Scenario) -> Self {
        Self {
            programs,
            scenario,
            kernels: Interned::default(),
            monitors: Interned::default(),
            hints: Interned::default(),
            kernel_ways: HashMap::new(),
            monitor_ways: HashMap::new(),
            trace: None,
        }
    }

    fn run(mut self) -> Searched {
        // In the order that they were found, each with where it was found from: the queue, and the way back.
        let mut found: IndexMap<State, Option<(usize, Move)>> = IndexMap::from([(self.start(), None)]);
        let (mut at, mut steps) = (0, 0);
        while at < found.len() {
            let state = found[at..].keys().next().cloned().unwrap_or_else(|| unreachable!("it is not the end"));
            let mut stuck = true;
            for one in self.moves(&state) {
                match self.make(&state, one) {
                    None => {}
                    Some(Ok(next)) => {
                        stuck &= !matches!(one, Move::Step(_));
                        steps += 1;
                        found.entry(next).or_insert(Some((at, one)));
                    }
                    Some(Err(broken)) => {
                        let violation = Some(Violation { broken, moves: way_to(&found, at, Some(one)) });
                        return Searched { states: found.len(), steps, violation };
                    }
                }
            }
            let broken = match (stuck, self.is_finished(&state)) {
                (_, true) => self.broken_in_the_end(&state),
                (true, false) => Some("nobody can go on: each waits for a lock that another holds".to_owned()),
                (false, false) => None,
            };
            if let Some(broken) = broken {
                let violation = Some(Violation { broken, moves: way_to(&found, at, None) });
                return Searched { states: found.len(), steps, violation };
            }
            at += 1;
        }
        Searched { states: found.len(), steps, violation: None }
    }

    fn start(&mut self) -> State {
        let kernel = self.scenario.start.folder();
        let store = store_of(&kernel, &KEYS[..self.scenario.keys])
            .unwrap_or_else(|error| unreachable!("scenarios start well: {error}"));
        let clients = self.scenario.clients.len() + 1;
        let hint = TinyHint::new(self.scenario.keys, self.scenario.looks);
        State {
            kernel: self.kernels.id(kernel),
            monitor: self.monitors.id(Monitor::new(store)),
            hints: self.hints.id(vec![hint; clients]),
            clients: vec![Client::Idle(0); clients],
            handed: vec![None; clients],
            deaths: 0,
            ticks: 0,
        }
    }

    fn moves(&self, state: &State) -> Vec<Move> {
        let others_are_done = (0..self.scenario.clients.len()).all(|client| self.is_done(state, client));
        if others_are_done {
            return vec![Move::Step(self.scenario.clients.len())];
        }
        let mut moves: Vec<Move> = (0..self.scenario.clients.len()).map(Move::Step).collect();
        if state.deaths < self.scenario.deaths {
            moves.extend((0..self.scenario.clients.len()).map(Move::Death));
        }
        if state.ticks < self.scenario.ticks {
            moves.push(Move::Tick);
        }
        moves
    }

    fn is_done(&self, state: &State, client: usize) -> bool {
        match state.clients[client] {
            Client::Idle(done) => usize::from(done) == self.scenario.actions(client).len(),
            Client::In(..) => false,
            Client::Dead => true,
        }
    }

    fn is_finished(&self, state: &State) -> bool {
        (0..state.clients.len()).all(|client| self.is_done(state, client))
    }

    /// What a move makes of a state: `None` where it cannot be made, an error where it breaks a promise.
    fn make(&mut self, state: &State, one: Move) -> Option<Result<State, String>> {
        match one {
            Move::Step(client) => self.step(state, client),
            Move::Death(process) => self.death(state, process).map(Ok),
            Move::Tick => {
                let mut next = state.clone();
                next.ticks += 1;
                let mut kernel = self.kernels.get(state.kernel).clone();
                kernel.set_clock(kernel.now_ms() + self.scenario.tick_ms);
                next.kernel = self.kernels.id(kernel);
                self.tell(Trace::tick);
                Some(Ok(next))
            }
        }
    }

    /// A process dies in the middle of something: its files are closed, and what it was doing has no answer.
    fn death(&mut self, state: &State, process: usize) -> Option<State> {
        let dying: Vec<usize> =
            (0..state.clients.len()).filter(|&client| self.scenario.process(client) == process).collect();
        if !dying.iter().any(|&client| matches!(state.clients[client], Client::In(..))) {
            return None;
        }
        let mut next = state.clone();
        let mut kernel = self.kernels.get(state.kernel).clone();
        for &client in &dying {
            next.clients[client] = Client::Dead;
            kernel.kill(owner(client));
        }
        kernel.renumber();
        next.kernel = self.kernels.id(kernel);
        next.deaths += 1;
        self.tell(|trace| trace.death(&dying));
        Some(next)
    }

    fn step(&mut self, state: &State, client: usize) -> Option<Result<State, String>> {
        let mut next = state.clone();
        let (done, mut place) = match state.clients[client] {
            Client::Dead => return None,
            Client::In(done, place) => (done, place),
            Client::Idle(done) => {
                let &action = self.scenario.actions(client).get(usize::from(done))?;
                if self.scenario.finds_freed && client == self.scenario.clients.len() && done == 0 {
                    next.kernel = self.when_a_look_is_due(state.kernel);
                }
                let handed = state.handed[client].map(|place| KEYS[usize::from(place)].to_owned());
                let place = self.programs.start(Part { action, client, number: usize::from(done), handed });
                next.monitor = self.told(next.monitor, client, Event::Called(place.part))?;
                self.tell(|trace| trace.called(client, action));
                (done, place)
            }
        };
        let mut may_take_a_step = true;
        loop {
            match self.programs.next(place) {
                Next::Done(answer) => {
                    let text = self.programs.answer(answer).clone();
                    self.tell(|trace| trace.answered(client, &text));
                    if let Answer::Handed(key) = &text {
                        let place = KEYS.iter().position(|other| other == key);
                        next.handed[client] = place.and_then(|place| u8::try_from(place).ok());
                    }
                    next.clients[client] = Client::Idle(done + 1);
                    return Some(match self.told(next.monitor, client, Event::Answered(answer)) {
                        Some(monitor) => Ok(State { monitor, ..next }),
                        None => Err(broken_by(client, &text)),
                    });
                }
                Next::Ask(step) => {
                    let is_seen = match self.programs.step(step) {
                        Step::File(_) => true,
                        Step::Hint(_) => self.scenario.hint_is_shared(),
                    };
                    if is_seen && !may_take_a_step {
                        next.clients[client] = Client::In(done, place);
                        return Some(Ok(next));
                    }
                    may_take_a_step &= !is_seen;
                    place = self.take(&mut next, client, place, step)?;
                }
            }
        }
    }

    /// A kernel so much later that every look at its folder is old.
    fn when_a_look_is_due(&mut self, kernel: Id) -> Id {
        let mut kernel = self.kernels.get(kernel).clone();
        kernel.set_clock(kernel.now_ms() + self.scenario.looks.map_or(0, |limits| limits.age_ms));
        self.kernels.id(kernel)
    }

    /// Takes one step; `None` where it has to wait.
    fn take(&mut self, state: &mut State, client: usize, place: Place, step: Id) -> Option<Place> {
        if let Step::Hint(call) = self.programs.step(step) {
            let call = call.clone();
            let mut hints = self.hints.get(state.hints).clone();
            let now_ms = self.kernels.get(state.kernel).now_ms();
            let what = hints[self.scenario.process(client)].call(&call, now_ms);
            state.hints = self.hints.id(hints);
            self.tell(|trace| trace.hint(client, &call, &what));
            let next = self.programs.follow(place, Given { what, now_ms });
            if !self.programs.closed(next).is_empty() {
                let kernel = self.kernels.get(state.kernel).clone();
                state.kernel = self.close(kernel, client, next);
            }
            return Some(next);
        }
        if self.trace.is_none()
            && let Some(&known) = self.kernel_ways.get(&(state.kernel, place))
        {
            let (kernel, place) = known?;
            state.kernel = kernel;
            return Some(place);
        }
        let way = self.call(state.kernel, client, place, step);
        self.kernel_ways.insert((state.kernel, place), way);
        let (kernel, place) = way?;
        state.kernel = kernel;
        Some(place)
    }

    fn call(&mut self, kernel: Id, client: usize, place: Place, step: Id) -> Option<(Id, Place)> {
        let Step::File(call) = self.programs.step(step).clone() else { unreachable!("hints are answered elsewhere") };
        let mut kernel = self.kernels.get(kernel).clone();
        let outcome = kernel.call(owner(client), &call)?;
        let now_ms = kernel.now_ms();
        self.tell(|trace| trace.call(client, &call, &outcome));
        let next = self.programs.follow(place, Given { what: What::File(outcome), now_ms });
        Some((self.close(kernel, client, next), next))
    }

    /// A kernel once the files are closed that a client closed on its way to a place.
    fn close(&mut self, mut kernel: Kernel, client: usize, place: Place) -> Id {
        for &file in self.programs.closed(place) {
            let call = Call::Close { file };
            let outcome = kernel.call(owner(client), &call);
            if let (Some(trace), Some(outcome)) = (&mut self.trace, outcome) {
                trace.call(client, &call, &outcome);
            }
        }
        kernel.renumber();
        self.kernels.id(kernel)
    }

    /// The monitor after an event; `None` where nothing can explain it.
    fn told(&mut self, monitor: Id, client: usize, event: Event) -> Option<Id> {
        if let Some(&known) = self.monitor_ways.get(&(monitor, client, event)) {
            return known;
        }
        let mut after = self.monitors.get(monitor).clone();
        let explicable = match event {
            Event::Called(part) => {
                let part = self.programs.part(part);
                let Part { action, client, number, handed } = part;
                after.called(*client, &action.operation(*client, *number, handed.as_deref(), self.scenario.reserves));
                true
            }
            Event::Answered(answer) => after.answered(client, self.programs.answer(answer)),
        };
        let way = explicable.then(|| self.monitors.id(after));
        self.monitor_ways.insert((monitor, client, event), way);
        way
    }

    /// What is wrong when everybody is done.
    fn broken_in_the_end(&self, state: &State) -> Option<String> {
        let kernel = self.kernels.get(state.kernel);
        let store = match store_of(kernel, &KEYS[..self.scenario.keys]) {
            Ok(store) => store,
            Err(torn) => return Some(torn),
        };
        if !self.monitors.get(state.monitor).can_be(&store) {
            return Some(format!("what is left is not what the answers lead to: {store:?}"));
        }
        if self.scenario.finds_freed && kernel.stat(&file_of(KEYS[0])).is_none() {
            return Some(format!("{} is free, a look at the folder was due, and another key was handed out", KEYS[0]));
        }
        let strays = strays(kernel);
        if !strays.is_empty() {
            return Some(format!("left behind: {}", strays.join(", ")));
        }
        (kernel.open_file_count() > 0).then(|| "a file was left open".to_owned())
    }

    fn tell(&mut self, tell: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &mut self.trace {
            tell(trace);
        }
    }

    fn traced(self, broken: Option<String>) -> Trace {
        let mut trace = self.trace.unwrap_or_else(|| unreachable!("it was set"));
        trace.broken = broken;
        trace
    }
}

/// The owner of a client's files in the kernel.
fn owner(client: usize) -> u16 {
    u16::try_from(client).unwrap_or(u16::MAX)
}

fn broken_by(client: usize, answer: &Answer) -> String {
    let why =
        if matches!(answer, Answer::Wrong(_)) { "nothing calls for" } else { "no order of the operations explains" };
    format!("client {} is answered `{answer}`, which {why}", client + 1)
}

fn way_to(found: &IndexMap<State, Option<(usize, Move)>>, at: usize, last: Option<Move>) -> Vec<Move> {
    let mut moves: Vec<Move> = last.into_iter().collect();
    let mut at = at;
    while let Some(&(before, one)) = found[at].as_ref() {
        moves.push(one);
        at = before;
    }
    moves.reverse();
    moves
}
