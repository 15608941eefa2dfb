//! Users taking their turns: at their own pace (closed load), or as arrivals come (open load).
//!
//! A step is *meant* to be sent when the plan says, whatever the generator or the server does; how late it is sent by
//! the generator's own doing, and how late because its user still waited for an answer, are told apart by when the user
//! was *free*.

#[cfg(test)]
mod tests;

use super::recorder::Recorder;
use super::time::Time;
use super::user::{Due, Outcome, User};
use crate::client::wire::Client;
use crate::scenario::{Action, Load, Pacing, Plan, Scenario, Step, When};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};

/// "maxAttempts = 3 … 1000 ms": how often the client tries to start, and how long it waits between.
const START_TRIES: u32 = 3;
const RETRY_US: u64 = 1_000_000;

/// What the users of one worker go by.
pub(super) struct Turns<T> {
    pub(super) plan: Arc<Plan>,
    pub(super) time: T,
    /// The plan's start on the worker's clock, µs.
    pub(super) start_us: u64,
    /// When nothing more is to be sent, µs; it is moved ahead when the run is stopped.
    pub(super) end_us: Arc<AtomicU64>,
    pub(super) recorder: Rc<RefCell<Recorder>>,
}

/// Those of a worker's users, by their numbers.
pub(super) type Mailboxes = Vec<(u32, Rc<Mailbox>)>;

/// Turns that have arrived, and that their user has not taken yet.
#[derive(Default)]
pub(super) struct Mailbox {
    arrived: RefCell<VecDeque<(u64, u64)>>,
    news: Notify,
    is_closed: Cell<bool>,
}

/// How far a user has come.
struct Progress {
    /// When its last step was meant to be sent, µs.
    meant_us: u64,
    /// Since when it is free, µs.
    free_us: u64,
    /// When its last step ended, µs: the clock need not be looked at again to know that it is later by now.
    now_us: u64,
    /// Whether a step of this turn got no response, and of the one before.
    is_unanswered: bool,
    was_unanswered: bool,
    steps: Vec<Step>,
}

/// The run is over: nothing more is sent.
struct Over;

impl<T: Time> Turns<T> {
    /// A user of a closed load, turn after turn until the run is over.
    pub(super) async fn live<C: Client>(self: Rc<Self>, number: u32, mut user: User<C, T>) {
        let mut progress = Progress::new(self.start_us + self.plan.start_us(number));
        for turn in 0.. {
            let Some(active_us) = self.plan.active_from(number, progress.free_us - self.start_us) else {
                return self.count_skipped(&progress);
            };
            let active_us = self.start_us + active_us;
            if active_us > progress.free_us {
                progress = Progress { meant_us: active_us, free_us: active_us, ..progress };
            }
            self.plan.turn(number, turn, &mut progress.steps);
            let began_us = progress.free_us;
            let outcome = self.take(&mut user, None, &mut progress).await;
            self.count_turn(began_us, outcome.is_err(), &progress);
            if let Err(Over) = outcome {
                return self.count_skipped(&progress);
            }
        }
    }

    /// Counts a turn of a closed load, and what the user did not get to because of it.
    fn count_turn(&self, began_us: u64, is_over: bool, progress: &Progress) {
        let mut recorder = self.recorder.borrow_mut();
        let end_us = self.end_us.load(Ordering::Relaxed);
        let waits_for_responses = matches!(self.plan.load, Load::Closed { pacing: Pacing::Think, .. });
        if waits_for_responses && progress.is_unanswered {
            recorder.turn_lost(began_us, progress.free_us.min(end_us));
        } else if !is_over {
            recorder.turn_taken(began_us, progress.free_us);
        }
    }

    /// Counts the turns that were due by the user's own clock and not begun before the run was over, if the user got no
    /// response. Until then a user catches up on what it is late for, by whose doing ever.
    fn count_skipped(&self, progress: &Progress) {
        let end_us = self.end_us.load(Ordering::Relaxed);
        if let Load::Closed { pacing: Pacing::Pace(pace_us), .. } = self.plan.load
            && progress.is_unanswered
            && progress.now_us >= end_us
        {
            self.recorder.borrow_mut().turns_skipped(end_us.saturating_sub(progress.meant_us + 1) / pace_us);
        }
    }

    /// The users of an open load, each with the mailbox that its turns come into.
    pub(super) fn take_arrivals<C: Client + 'static>(
        self: Rc<Self>,
        users: Vec<(u32, User<C, T>)>,
    ) -> (Mailboxes, Vec<JoinHandle<()>>) {
        let start = |(number, user)| {
            let mailbox = Rc::new(Mailbox::default());
            let life = spawn_local(Rc::clone(&self).answer(number, user, Rc::clone(&mailbox)));
            ((number, mailbox), life)
        };
        users.into_iter().map(start).unzip()
    }

    /// A user of an open load: turn after turn as they arrive.
    async fn answer<C: Client>(self: Rc<Self>, number: u32, mut user: User<C, T>, mailbox: Rc<Mailbox>) {
        let mut progress = Progress::new(self.start_us);
        while let Some((turn, arrived_us)) = mailbox.next().await {
            self.recorder.borrow_mut().arrival_taken(arrived_us);
            self.plan.turn(number, turn, &mut progress.steps);
            if let Err(Over) = self.take(&mut user, Some(arrived_us), &mut progress).await {
                return;
            }
        }
    }

    /// Puts the worker's arrivals into its users' mailboxes, each at its time.
    pub(super) async fn deliver(self: Rc<Self>, mailboxes: Mailboxes, shard: u32, shards: u32) {
        for arrival in self.plan.arrivals(shard, shards) {
            let at_us = self.start_us + arrival.at_us;
            if let Err(Over) = self.wait(at_us).await {
                break;
            }
            // The users are those whose numbers leave this remainder, in order.
            if let Some((_, mailbox)) = mailboxes.get((arrival.user / shards) as usize) {
                mailbox.put(arrival.turn, at_us);
            }
        }
        mailboxes.iter().for_each(|(_, mailbox)| mailbox.close());
    }

    /// Takes a turn's steps, the first of them when it arrived, if it did.
    async fn take<C: Client>(
        &self,
        user: &mut User<C, T>,
        arrived_us: Option<u64>,
        progress: &mut Progress,
    ) -> Result<(), Over> {
        progress.was_unanswered = std::mem::take(&mut progress.is_unanswered);
        for place in 0..progress.steps.len() {
            let step = progress.steps[place];
            let mut meant_us = match (arrived_us, step.when) {
                (Some(arrived_us), _) if place == 0 => arrived_us,
                (_, When::AfterAnswer(wait_us)) => progress.free_us + wait_us,
                (_, When::AfterMeant(wait_us)) => progress.meant_us + wait_us,
            };
            if meant_us > progress.now_us {
                self.wait(meant_us).await?;
            } else if progress.now_us >= self.end_us.load(Ordering::Relaxed) {
                return Err(Over);
            }
            if user.lacks_session_for(step.action) {
                let opened = self.take_step(user, None, meant_us, progress).await?;
                if !opened.goes_on {
                    self.recover(&opened, progress);
                    return Ok(());
                }
                if step.action == Action::Instantiate {
                    continue;
                }
                meant_us = opened.end_us;
            }
            let outcome = self.take_step(user, Some(&step), meant_us, progress).await?;
            if !outcome.goes_on {
                self.recover(&outcome, progress);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes a step, or opens a session where there is none; the client tries the start of a visit again.
    async fn take_step<C: Client>(
        &self,
        user: &mut User<C, T>,
        step: Option<&Step>,
        mut meant_us: u64,
        progress: &mut Progress,
    ) -> Result<Outcome, Over> {
        let starts = |step: &Step| matches!(step.action, Action::GenerateKey | Action::Instantiate | Action::Restore);
        let tries = if step.is_none_or(starts) && self.plan.scenario == Scenario::Journey { START_TRIES } else { 1 };
        for attempt in 1.. {
            let due = Due { meant_us, free_us: progress.free_us, is_set_up: false };
            let outcome = match step {
                Some(step) => user.take(step, due).await,
                None => user.open_session(due, self.plan.first_state_bytes(user.number())).await,
            };
            progress.note(meant_us, &outcome);
            if outcome.goes_on || attempt == tries || step.is_some_and(|step| user.lacks_session_for(step.action)) {
                self.count_if_failed(user, meant_us, &outcome);
                user.leave_if_lost();
                return Ok(outcome);
            }
            meant_us = outcome.end_us + RETRY_US;
            self.wait(meant_us).await?;
        }
        Err(Over)
    }

    /// Counts an operation that went wrong, once it is not tried again.
    fn count_if_failed<C: Client>(&self, user: &User<C, T>, meant_us: u64, outcome: &Outcome) {
        if !outcome.is_verified {
            self.recorder.borrow_mut().gives_up(user.number(), meant_us);
        }
    }

    /// What is left of the turn is dropped. After two turns in a row without a response, a user of a closed load pauses, as
    /// the client does. A single lost connection is no outage, and costs no turns.
    fn recover(&self, outcome: &Outcome, progress: &mut Progress) {
        if outcome.is_unanswered && progress.was_unanswered && matches!(self.plan.load, Load::Closed { .. }) {
            progress.free_us += RETRY_US;
        }
    }

    /// Waits until something is meant to be sent.
    async fn wait(&self, meant_us: u64) -> Result<(), Over> {
        if meant_us >= self.end_us.load(Ordering::Relaxed) {
            return Err(Over);
        }
        let mut now_us = self.time.now_us();
        if now_us < meant_us {
            self.time.until(meant_us).await;
            now_us = self.time.now_us();
        }
        // The end may have been moved ahead, or a backlog have lasted until then.
        if now_us >= self.end_us.load(Ordering::Relaxed) { Err(Over) } else { Ok(()) }
    }
}

impl Progress {
    fn new(start_us: u64) -> Self {
        Self {
            meant_us: start_us,
            free_us: start_us,
            now_us: 0,
            is_unanswered: false,
            was_unanswered: false,
            steps: Vec::new(),
        }
    }

    fn note(&mut self, meant_us: u64, outcome: &Outcome) {
        self.meant_us = meant_us;
        self.free_us = outcome.end_us;
        self.now_us = outcome.end_us;
        self.is_unanswered |= outcome.is_unanswered;
    }
}

impl Mailbox {
    fn put(&self, turn: u64, at_us: u64) {
        self.arrived.borrow_mut().push_back((turn, at_us));
        self.news.notify_one();
    }

    fn close(&self) {
        self.is_closed.set(true);
        self.news.notify_one();
    }

    /// The next turn, when it has come; `None` when no more will.
    async fn next(&self) -> Option<(u64, u64)> {
        loop {
            if let Some(next) = self.arrived.borrow_mut().pop_front() {
                return Some(next);
            }
            if self.is_closed.get() {
                return None;
            }
            self.news.notified().await;
        }
    }
}
