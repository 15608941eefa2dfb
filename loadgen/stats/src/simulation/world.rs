//! The simulation itself: users, the server and the folder, from event to event.

use super::Operation;
use super::cores::{Cores, Request};
use super::folder::Folder;
use super::journey::Next;
use super::measure::Measure;
use super::outcome::Outcome;
use super::parameters::{Parameters, nanoseconds};
use super::queue::{Event, EventQueue};
use super::random::Draws;

/// Microseconds of a second.
const US_PER_S: f64 = 1e6;

/// A user. A million of them are read in no order, so they are small.
#[derive(Clone, Copy)]
pub(super) struct User {
    /// When the request that is not answered was sent.
    pub(super) sent_ns: u64,
    /// The session's key.
    pub(super) key: Option<u32>,
    pub(super) saves_left: u16,
    pub(super) visits_left: u16,
    pub(super) tries_left: u8,
    /// What is sent next, or was sent and is not answered.
    pub(super) operation: Operation,
    pub(super) is_waiting: bool,
}

const _: () = assert!(size_of::<User>() == 24, "a cache line holds two users and more");

/// All of it, at one moment.
pub(super) struct World<'a> {
    pub(super) parameters: &'a Parameters,
    seed: u64,
    pub(super) draws: Draws,
    pub(super) now_ns: u64,
    warm_up_ns: u64,
    end_ns: u64,
    queue: EventQueue,
    pub(super) folder: Folder,
    cores: Cores,
    pub(super) users: Vec<User>,
    initial_archived: u32,
    samples_taken: u32,
    /// When the next sample is due; the first is at the end of the warm-up.
    next_sample_ns: u64,
    pub(super) measure: Measure,
}

impl<'a> World<'a> {
    /// Before the first event: every user has yet to think for a while.
    pub(super) fn new(parameters: &'a Parameters, seed: u64) -> Result<Self, String> {
        let warm_up_ns = nanoseconds(parameters.warm_up_s);
        let end_ns = warm_up_ns + nanoseconds(parameters.duration_s).max(1);
        let count = parameters.users.count;
        let user = User {
            sent_ns: 0,
            key: None,
            saves_left: 0,
            visits_left: 0,
            tries_left: parameters.users.start_tries,
            operation: Operation::GenerateKey,
            is_waiting: false,
        };
        let mut world = Self {
            parameters,
            seed,
            draws: Draws::of(seed),
            now_ns: 0,
            warm_up_ns,
            end_ns,
            queue: EventQueue::new(end_ns, parameters.events()),
            folder: Folder::new(parameters),
            cores: Cores::new(parameters.server.cores, parameters.server.lock_shares),
            users: vec![user; count as usize],
            initial_archived: 0,
            samples_taken: 0,
            next_sample_ns: warm_up_ns,
            measure: Measure::new(parameters)?,
        };
        for user in 0..count {
            let rest_s = parameters.users.think_s.draw_rest(&mut world.draws);
            world.after(rest_s, Event::Send(user));
        }
        world.await_initial_archive();
        Ok(world)
    }

    /// From the first event to the last before the end.
    pub(super) fn run(mut self) -> Outcome {
        while let Some((now_ns, event)) = self.next_event() {
            self.sample_until(now_ns);
            self.now_ns = now_ns;
            self.measure.events += 1;
            self.happen(event);
        }
        self.sample_until(self.end_ns);
        let Self { parameters, seed, end_ns, measure, cores, users, .. } = self;
        let waiting = |operation| users.iter().filter(|user| user.is_waiting && user.operation == operation).count();
        debug_assert_eq!(Operation::ALL.map(waiting).iter().sum::<usize>(), cores.present(), "nobody is lost");
        measure.outcome(parameters, seed, end_ns, |operation| waiting(operation) as u64)
    }

    /// The next event. Users whose events come near are looked at all at once, so that the processor waits for their
    /// memory once and not for each: a third of the time.
    fn next_event(&mut self) -> Option<(u64, Event)> {
        let users = &self.users;
        let mut looked_at = 0;
        let next = self.queue.pop(|event| {
            if let Event::Send(user) = event {
                looked_at ^= users[user as usize].sent_ns;
            }
        });
        std::hint::black_box(looked_at);
        next
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Send(user) => {
                self.send(user);
                self.serve();
            }
            Event::Served(user) => {
                self.answer(user);
                self.serve();
            }
            Event::Archive(key) => self.folder.archive(key),
            Event::ArchiveInitial => {
                self.folder.archive(self.initial_archived);
                self.initial_archived += 1;
                self.await_initial_archive();
            }
            Event::ReservationsEnd => {
                self.measure.reservations_ended += self.folder.end_reservations(self.now_ns);
                self.await_reservations_end();
            }
        }
    }

    fn send(&mut self, user: u32) {
        let sender = &mut self.users[user as usize];
        sender.sent_ns = self.now_ns;
        sender.is_waiting = true;
        let request = Request { user, operation: sender.operation, key: sender.key };
        self.measure.sent(request.operation);
        self.measure.present.up(self.now_ns);
        self.cores.arrive(request);
    }

    /// Begins the service of what can be served now. What an operation does to the folder it does at that moment: that
    /// is when a file is opened or looked for, and in this order a later request sees it.
    fn serve(&mut self) {
        while let Some(request) = self.cores.begin() {
            let attempts = self.take_effect(request);
            let service_us = self.service_us(request.operation, attempts);
            self.measure.busy.up(self.now_ns);
            self.after(service_us / US_PER_S, Event::Served(request.user));
        }
    }

    /// Answers how many keys were tried.
    fn take_effect(&mut self, request: Request) -> u32 {
        match (request.operation, request.key) {
            (Operation::GenerateKey, _) => return self.hand_out(request.user),
            (Operation::Instantiate, Some(key)) => self.folder.instantiate(key),
            (Operation::Save, Some(key)) => self.folder.save(key),
            (Operation::Delete, Some(key)) => self.folder.delete(key),
            (Operation::Restore, _) | (_, None) => {}
        }
        0
    }

    fn hand_out(&mut self, user: u32) -> u32 {
        let waits_already = self.folder.next_reservation_end_ns().is_some();
        let handed = self.folder.hand_out(self.now_ns, &mut self.draws);
        self.users[user as usize].key = handed.key;
        self.measure.handed(handed);
        if handed.key.is_some() {
            self.measure.active.up(self.now_ns);
        }
        if !waits_already {
            self.await_reservations_end();
        }
        handed.attempts
    }

    fn service_us(&mut self, operation: Operation, attempts: u32) -> f64 {
        let server = &self.parameters.server;
        let time = match operation {
            Operation::GenerateKey => &server.generate_key_us,
            Operation::Instantiate => &server.instantiate_us,
            Operation::Restore => &server.restore_us,
            Operation::Save => &server.save_us,
            Operation::Delete => &server.delete_us,
        };
        time.draw(&mut self.draws) + server.attempt_us * f64::from(attempts)
    }

    fn answer(&mut self, user: u32) {
        let sender = &mut self.users[user as usize];
        sender.is_waiting = false;
        let request = Request { user, operation: sender.operation, key: sender.key };
        self.measure.answered(request.operation, self.now_ns - sender.sent_ns);
        self.measure.busy.down(self.now_ns);
        self.measure.present.down(self.now_ns);
        self.cores.end(request);
        match self.go_on(user, request) {
            Next::Now => self.send(user),
            Next::In(seconds) => self.after(seconds, Event::Send(user)),
        }
    }

    fn await_initial_archive(&mut self) {
        let initial = self.parameters.initial;
        let archived = u64::from(self.initial_archived);
        if initial.ages && archived < initial.documents {
            let life_s = self.parameters.users.session_life_s.mean();
            let at_s = life_s * (archived + 1) as f64 / initial.documents as f64;
            self.queue.push(nanoseconds(at_s), Event::ArchiveInitial);
        }
    }

    fn await_reservations_end(&mut self) {
        if let Some(ends_ns) = self.folder.next_reservation_end_ns() {
            self.queue.push(ends_ns, Event::ReservationsEnd);
        }
    }

    /// What happens so long from now.
    pub(super) fn after(&mut self, seconds: f64, event: Event) {
        self.queue.push(self.now_ns.saturating_add(nanoseconds(seconds)), event);
    }

    /// Takes the samples that are due by then; with the first, counting begins.
    fn sample_until(&mut self, now_ns: u64) {
        while self.next_sample_ns <= now_ns {
            let due_ns = self.next_sample_ns;
            if self.samples_taken == 0 {
                self.measure.begin(due_ns);
            }
            let samples = self.parameters.samples;
            if samples > 0 {
                self.measure.sample(due_ns, self.folder.used(), self.parameters.keys.count().unwrap_or(1));
            }
            self.samples_taken += 1;
            self.next_sample_ns = self.sample_at(self.samples_taken);
        }
    }

    /// When sample number `number` is due; never, after the last.
    fn sample_at(&self, number: u32) -> u64 {
        let samples = self.parameters.samples;
        if number > samples || samples == 0 {
            return u64::MAX;
        }
        let counted_ns = u128::from(self.end_ns - self.warm_up_ns);
        let passed_ns = counted_ns * u128::from(number) / u128::from(samples);
        self.warm_up_ns + u64::try_from(passed_ns).unwrap_or(u64::MAX)
    }
}
