//! What users do until the server dies: on keys that they share, and on keys of their own.

use crate::split;
use crate::support::Server;
use crate::support::history::{Clock, Deed, Operation, in_short};
use crate::support::user::{Ask, Outcome, User};
use rand::RngExt;
use rand::rngs::StdRng;
use rustix::process::Signal;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

/// The keys that users share. AAA and AB2 take the same lock file, and so do no two others.
pub(crate) const SHARED_KEYS: [&str; 6] = ["AAA", "AB2", "BBB", "Q7Z", "999", "MID"];

/// Users on the shared keys; one more for each server goes through journeys of its own.
const USERS: usize = 8;

/// A shot right at an answer would always find the server between two requests. So many turns take about as long as
/// a few requests.
const MOST_TURNS: u32 = 5_000;

/// Whether answers are held to the contract of a store, or only counted: the documented protocol has known races.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rigour {
    Strict,
    Lenient,
}

/// Kills a server at one of its answers.
pub(crate) struct Trigger<'a> {
    victim: &'a Server,
    /// Answers until the shot.
    answers_left: AtomicI64,
    /// Turns of an empty loop between that answer and the shot.
    turns: u32,
    pulled: AtomicBool,
    /// Answers of others until all stop, from the shot on.
    answers_after: AtomicI64,
}

impl<'a> Trigger<'a> {
    /// Kills `victim` at one of its first `most_answers` answers; those who use another server stop when that has given
    /// `answers_after` more.
    pub(crate) fn new(victim: &'a Server, random: &mut StdRng, most_answers: i64, answers_after: i64) -> Self {
        let answers_left = AtomicI64::new(random.random_range(1..=most_answers));
        let (turns, answers_after) = (random.random_range(0..MOST_TURNS), AtomicI64::new(answers_after));
        Self { victim, answers_left, turns, pulled: AtomicBool::new(false), answers_after }
    }

    fn answered(&self) {
        if self.answers_left.fetch_sub(1, SeqCst) == 1 {
            // Said first, so that whoever loses its connection knows why.
            self.pulled.store(true, SeqCst);
            (0..self.turns).for_each(|_| std::hint::spin_loop());
            self.victim.signal(Signal::KILL);
        } else if self.pulled.load(SeqCst) {
            self.answers_after.fetch_sub(1, SeqCst);
        }
    }

    fn is_over(&self) -> bool {
        self.answers_after.load(SeqCst) <= 0
    }
}

/// What users saw.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) operations: Vec<Operation>,
    /// Answers that are none of the contract's for an operation that went well; lenient only.
    pub(crate) refused: usize,
}

/// Has users work on these servers, in turn, until the victim is dead and the others have gone on for a while.
///
/// # Errors
/// What a user saw that must not be, where users are strict: an error, a document that is not whole, or no answer from a
/// server that nobody had killed.
pub(crate) fn run(
    servers: &[&Server],
    trigger: &Trigger<'_>,
    clock: &Clock,
    rigour: Rigour,
    random: &mut StdRng,
) -> Result<Load, String> {
    let mut workers: Vec<Worker<'_>> = Vec::new();
    for number in 0..USERS + servers.len() {
        let server = servers[number % servers.len()];
        workers.push(Worker {
            user: User::connected(server.address(), clock),
            is_mortal: server.id() == trigger.victim.id(),
            trigger,
            rigour,
            refused: 0,
        });
    }
    let journeys = workers.split_off(USERS);
    let parts: Vec<Result<Load, String>> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for worker in workers {
            let random = split(random);
            threads.push(scope.spawn(|| worker.share_keys(random)));
        }
        for worker in journeys {
            let random = split(random);
            threads.push(scope.spawn(|| worker.journey(random)));
        }
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut load = Load::default();
    for part in parts {
        let part = part?;
        load.operations.extend(part.operations);
        load.refused += part.refused;
    }
    Ok(load)
}

/// A user at work.
struct Worker<'a> {
    user: User<'a>,
    /// Whether its server is the one that is killed.
    is_mortal: bool,
    trigger: &'a Trigger<'a>,
    rigour: Rigour,
    refused: usize,
}

impl Worker<'_> {
    fn share_keys(mut self, mut random: StdRng) -> Result<Load, String> {
        while self.ask(&on_a_shared_key(&mut random))?.is_some() {}
        Ok(self.done())
    }

    /// New keys, of which some stay reserved, some become documents, and some of those are deleted.
    fn journey(mut self, mut random: StdRng) -> Result<Load, String> {
        while let Some(generated) = self.ask(&Ask::Generate)? {
            let Answered::Deed(Deed::Generate(Some(key))) = generated else { continue };
            let steps =
                [Ask::Instantiate(key.clone()), Ask::Save(key.clone()), Ask::Restore(key.clone()), Ask::Delete(key)];
            let steps = &steps[..random.random_range(0..=steps.len())];
            for step in steps {
                if self.ask(step)?.is_none() {
                    return Ok(self.done());
                }
            }
        }
        Ok(self.done())
    }

    /// `None` when it is over.
    fn ask(&mut self, ask: &Ask) -> Result<Option<Answered>, String> {
        if !self.is_mortal && self.trigger.is_over() {
            return Ok(None);
        }
        let strictly = |what: String| match self.rigour {
            Rigour::Strict => Err(format!("{ask:?} was answered {what}")),
            Rigour::Lenient => Ok(()),
        };
        let answered = match self.user.ask(ask) {
            Outcome::Done(deed) => Answered::Deed(deed),
            Outcome::Refused(answer) => {
                strictly(in_short(&answer))?;
                self.refused += 1;
                Answered::Refusal
            }
            Outcome::Torn(torn) => {
                strictly(torn)?;
                self.refused += 1;
                Answered::Refusal
            }
            Outcome::NoAnswer(_) if self.is_mortal && self.trigger.pulled.load(SeqCst) => {
                self.user.outlived_the_server();
                return Ok(None);
            }
            Outcome::NoAnswer(error) => return Err(format!("{ask:?} got no answer from a server that lives: {error}")),
        };
        self.trigger.answered();
        Ok(Some(answered))
    }

    fn done(self) -> Load {
        Load { operations: self.user.operations, refused: self.refused }
    }
}

enum Answered {
    Deed(Deed),
    Refusal,
}

fn on_a_shared_key(random: &mut StdRng) -> Ask {
    let key = SHARED_KEYS[random.random_range(0..SHARED_KEYS.len())].to_owned();
    match random.random_range(0..100) {
        0..48 => Ask::Save(key),
        48..72 => Ask::Restore(key),
        72..84 => Ask::Instantiate(key),
        84..94 => Ask::Delete(key),
        94..97 => Ask::List,
        _ => Ask::Generate,
    }
}
