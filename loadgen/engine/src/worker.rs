//! One thread of a load: a runtime of its own, and the users whose numbers fall to it. Workers share nothing that is
//! touched with every request.

use super::ended::Ended;
use super::recorder::{Interval, Recorder};
use super::tick::{TICK_US, Usage};
use super::time::Time;
use super::turns::Turns;
use super::user::{Common, Due, User};
use crate::client::wire::Client;
use crate::scenario::{Load, Plan, SessionUse};
use record::history::HistorySender;
use record::hlog::record;
use record::run::Window;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_local};

/// Users that connect, and open their sessions, at once on one worker, and how far they are apart, µs: a server's queue of
/// new connections is short, and a connection that finds it full is made a second later.
const SET_UP_AT_ONCE: usize = 64;
const SET_UP_APART_US: u64 = 500;

/// What a worker is given.
pub(crate) struct Assignment {
    pub(crate) plan: Arc<Plan>,
    pub(crate) common: Arc<Common>,
    /// Which of how many workers it is.
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    pub(crate) history: Option<HistorySender>,
    pub(crate) out: Sender<Box<Interval>>,
    pub(crate) emptied: Receiver<Box<Interval>>,
    /// When nothing more is to be sent, µs since the origin; it is moved ahead when the run is stopped.
    pub(crate) end_us: Arc<AtomicU64>,
}

/// A worker whose users are connected.
pub(crate) struct Worker<C, T> {
    plan: Arc<Plan>,
    shard: u32,
    shards: u32,
    end_us: Arc<AtomicU64>,
    time: T,
    recorder: Rc<RefCell<Recorder>>,
    users: Vec<(u32, User<C, T>)>,
}

impl<C: Client + 'static, T: Time> Worker<C, T> {
    /// Connects the users, and has them open the sessions that are there before the run.
    pub(crate) async fn set_up(assignment: Assignment, time: T, client: impl Fn(u32) -> C) -> Self {
        let Assignment { plan, common, shard, shards, history, out, emptied, end_us } = assignment;
        let nothing_yet = Window { from_us: 0, to_us: 0 };
        let recorder = Rc::new(RefCell::new(Recorder::new((shard, shards), nothing_yet, history, out, emptied)));
        let ended = Rc::new(RefCell::new(Ended::new()));
        let gate = Rc::new(Semaphore::new(SET_UP_AT_ONCE));
        let opens_session = plan.scenario.session() == SessionUse::Own;
        let starting: Vec<JoinHandle<(u32, User<C, T>)>> = (0..plan.most_users())
            .filter(|number| number % shards == shard)
            .zip(0..)
            .map(|(number, place): (u32, u64)| {
                let at_us = time.now_us() + place * SET_UP_APART_US;
                let books = (Rc::clone(&recorder), Rc::clone(&ended));
                let mut user = User::new(number, client(number), time.clone(), Arc::clone(&common), books);
                let (gate, time) = (Rc::clone(&gate), time.clone());
                let state_bytes = opens_session.then(|| plan.first_state_bytes(number));
                spawn_local(async move {
                    time.until(at_us).await;
                    let _permit = gate.acquire().await;
                    // What fails here fails again, and is counted, when the run comes to need it.
                    let _ = user.client().connect().await;
                    if let Some(state_bytes) = state_bytes {
                        let now_us = time.now_us();
                        let due = Due { meant_us: now_us, free_us: now_us, is_set_up: true };
                        user.open_session(due, state_bytes).await;
                    }
                    (number, user)
                })
            })
            .collect();
        let mut users = Vec::with_capacity(starting.len());
        for user in starting {
            users.extend(user.await);
        }
        Self { plan, shard, shards, end_us, time, recorder, users }
    }

    /// Has the users live from `start_us` on the origin's clock; those operations are measured that are meant to be
    /// sent within `window`. Ready when each of them has its last answer, or gave it up.
    pub(crate) async fn run(self, start_us: u64, window: Window) {
        self.recorder.borrow_mut().measure(window);
        let turns = Rc::new(Turns {
            plan: Arc::clone(&self.plan),
            time: self.time.clone(),
            start_us,
            end_us: Arc::clone(&self.end_us),
            recorder: Rc::clone(&self.recorder),
        });
        let mut living = vec![spawn_local(tick(Rc::clone(&self.recorder), self.time.clone(), self.end_us, window))];
        match self.plan.load {
            Load::Closed { .. } => {
                let live = |(number, user)| spawn_local(Rc::clone(&turns).live(number, user));
                living.extend(self.users.into_iter().map(live));
            }
            Load::Open { .. } => {
                let (mailboxes, live) = Rc::clone(&turns).take_arrivals(self.users);
                living.extend(live);
                living.push(spawn_local(Rc::clone(&turns).deliver(mailboxes, self.shard, self.shards)));
            }
        }
        for life in living {
            // One that panicked has said so, and is missing in the figures.
            let _ = life.await;
        }
        let now_us = self.time.now_us();
        drop(turns);
        let recorder = Rc::try_unwrap(self.recorder).ok().map(RefCell::into_inner);
        if let Some(recorder) = recorder {
            recorder.finish(now_us / 1_000_000, now_us);
        }
    }
}

/// Looks at the clock again and again until the end: how late it comes to that is how late the worker comes to anything.
async fn tick<T: Time>(recorder: Rc<RefCell<Recorder>>, time: T, end_us: Arc<AtomicU64>, window: Window) {
    let mut next_us = time.now_us();
    let mut second = next_us / 1_000_000;
    loop {
        next_us += TICK_US;
        time.until(next_us.min(end_us.load(Ordering::Relaxed))).await;
        let now_us = time.now_us();
        let is_over = now_us >= end_us.load(Ordering::Relaxed);
        let mut recorder = recorder.borrow_mut();
        let interval = recorder.interval();
        if window.contains(next_us) {
            record(&mut interval.lag_us, now_us.saturating_sub(next_us));
            interval.usage[0].get_or_insert_with(|| Usage::of_thread(now_us));
            interval.usage[1] = Some(Usage::of_thread(now_us));
        }
        if now_us / 1_000_000 > second || is_over {
            recorder.hand_over(second, now_us);
            second = now_us / 1_000_000;
        }
        if is_over {
            // Whoever waits for its next turn need not wait any longer.
            time.call_off();
            return;
        }
    }
}
