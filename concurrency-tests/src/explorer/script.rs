//! An operation that is stepped: it runs until it asks for something that nobody has given it yet.
//!
//! The protocols' futures cannot be copied, so an operation's state is what it was given so far: it is run anew from
//! its start and given that again. What it asks for then, or answers, is a function of that alone.

use crate::world::NOW_MS;
use server::fs::memory::{Call, Calls, FileId, Outcome};
use server::keys::Key;
use server::protocol::{Hint, Look, Pick, World};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// What an operation asks for: each is one step, which others can come between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A system call.
    File(Call),
    /// Something of the hint of free keys.
    Hint(HintCall),
}

/// A method of [`Hint`] with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the methods of `Hint` say it")]
pub enum HintCall {
    Pick,
    Taken(Key),
    Freed(Key),
    Looked(Vec<Key>, Look),
}

/// What a step gave, and what the clock said after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Given {
    /// What it gave.
    pub what: What,
    /// Unix milliseconds.
    pub now_ms: u64,
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A system call's outcome.
    File(Outcome),
    /// What the hint says that is asked for a key.
    Picked(Pick),
    /// A key that a look found free.
    Found(Option<Key>),
    /// Nothing but that it was done.
    Done,
}

/// One run of an operation: makes its calls, answers its hint's calls and its clock from what is given.
#[derive(Clone, Debug)]
pub struct Script {
    run: Arc<Mutex<Run>>,
    can_exchange: bool,
}

#[derive(Debug, Default)]
struct Run {
    given: Vec<Given>,
    taken: usize,
    asked: Option<Step>,
    closed: Vec<FileId>,
    draws: usize,
    is_over: bool,
}

/// Where a run came to.
#[derive(Debug)]
pub struct Stopped {
    /// What it asks for, unless it is done.
    pub asked: Option<Step>,
    /// The files that it closed since it took the last thing that it was given.
    pub closed: Vec<FileId>,
}

impl Script {
    /// A run that will be given this.
    #[must_use]
    pub fn new(given: Vec<Given>, can_exchange: bool) -> Self {
        Self { run: Arc::new(Mutex::new(Run { given, ..Run::default() })), can_exchange }
    }

    /// Ends the run, before its future is dropped: what that closes was not closed by the operation.
    #[must_use]
    pub fn stop(&self) -> Stopped {
        let mut run = self.run();
        run.is_over = true;
        Stopped { asked: run.asked.take(), closed: std::mem::take(&mut run.closed) }
    }

    async fn ask(&self, step: Step) -> What {
        let mut step = Some(step);
        poll_fn(|_| {
            let mut run = self.run();
            let Some(given) = run.given.get(run.taken).map(|given| given.what.clone()) else {
                run.asked = step.take();
                return Poll::Pending;
            };
            run.taken += 1;
            run.closed.clear();
            Poll::Ready(given)
        })
        .await
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls for Script {
    async fn call(&self, call: Call) -> Outcome {
        match self.ask(Step::File(call)).await {
            What::File(outcome) => outcome,
            other => unreachable!("a system call was given {other:?}"),
        }
    }

    fn close(&self, file: FileId) {
        let mut run = self.run();
        if !run.is_over {
            run.closed.push(file);
        }
    }

    fn can_exchange(&self) -> bool {
        self.can_exchange
    }
}

impl Hint for Script {
    async fn pick<W: World>(&self, _world: &W) -> Pick {
        match self.ask(Step::Hint(HintCall::Pick)).await {
            What::Picked(picked) => picked,
            other => unreachable!("a pick was given {other:?}"),
        }
    }

    async fn taken(&self, key: Key) {
        self.ask(Step::Hint(HintCall::Taken(key))).await;
    }

    async fn freed(&self, key: Key) {
        self.ask(Step::Hint(HintCall::Freed(key))).await;
    }

    async fn looked<W: World>(&self, _world: &W, used: &[Key], look: Look) -> Option<Key> {
        match self.ask(Step::Hint(HintCall::Looked(used.to_vec(), look))).await {
            What::Found(key) => key,
            other => unreachable!("a look was given {other:?}"),
        }
    }
}

/// Every operation draws the same: the keys AAA, AAB, AAC and so on, a character at a draw.
impl World for Script {
    fn now_ms(&self) -> u64 {
        let run = self.run();
        run.taken.checked_sub(1).map_or(NOW_MS, |last| run.given[last].now_ms)
    }

    fn draw(&self, below: u64) -> u64 {
        let mut run = self.run();
        run.draws += 1;
        let (key, place) = ((run.draws - 1) / 3, (run.draws - 1) % 3);
        if place == 2 { key as u64 % below } else { 0 }
    }
}
