//! Histories of a store that keeps its promises, made without one: users whose operations overlap, each taking effect at
//! one moment between its call and its return. Always the same from the same seed.

use check::documents::access::Content;
use contract::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

pub use file::write;

mod file;
#[cfg(test)]
mod tests;

/// Keys of three characters.
pub const ALL_KEYS: u64 = 46_656;

/// No operation takes longer, µs.
pub const LONGEST_US: u64 = 2_000;

const SHORTEST_US: u64 = 100;

/// What users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// 100 users open sessions under keys of their own, save and restore, look at each other's documents, and delete
    /// them; keys are handed out again.
    Keys,
    /// 100 users save and restore one document without a break.
    OneDocument,
    /// 16 users save, restore, delete and create one document without a break.
    Deletes,
}

/// A history to be made.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What users do.
    pub workload: Workload,
    /// How many operations there are.
    pub operations: u64,
    /// What all randomness comes from.
    pub seed: u64,
    /// Whether one restore half way shows a content that was overwritten before.
    pub is_spoiled: bool,
}

/// An operation that has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The user.
    pub process: usize,
    /// What it asked for.
    pub operation: Operation,
    /// The position of the key that it asked with, or was handed.
    pub key: usize,
    /// When it was sent, µs.
    pub called_us: u64,
    /// When it took effect, µs.
    pub effect_us: u64,
    /// Its place in the order of all effects.
    pub effect: u64,
    /// When the whole answer was there, µs.
    pub returned_us: u64,
    /// What was sent with it.
    pub input: Option<Content>,
    /// What was answered.
    pub said: Said,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// generate-key: the key.
    Handed,
    /// instantiate: created.
    Created,
    /// instantiate: it exists already.
    Existed,
    /// save.
    Saved,
    /// restore: this content.
    Shows(Content),
    /// restore or delete: there is none.
    NotFound,
    /// delete.
    Deleted,
}

/// The operations of a history, in the order of their returns.
#[derive(Debug)]
pub struct History {
    order: Order,
    random: StdRng,
    users: Vec<User>,
    /// When something happens next to which user, the earliest first.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    store: Store,
    begun: u64,
}

#[derive(Debug, Default)]
struct User {
    step: Step,
    under_way: Option<Made>,
    session: Option<Session>,
    contents: u32,
}

/// What happens next to a user.
#[derive(Clone, Copy, Debug, Default)]
enum Step {
    #[default]
    Call,
    Effect,
    Return,
}

/// What a user still does under its key.
#[derive(Clone, Copy, Debug)]
struct Session {
    key: usize,
    is_open: bool,
    uses_left: u32,
}

#[derive(Debug, Default)]
struct Store {
    documents: Vec<Option<Document>>,
    /// Keys that can be handed out, the one that was free for longest first.
    free: VecDeque<usize>,
    effects: u64,
}

#[derive(Clone, Copy, Debug)]
struct Document {
    content: Content,
    /// A content that was overwritten some time ago, and when.
    earlier: Option<(Content, u64)>,
}

impl Order {
    /// How many keys there are: each is handed out about twice where there are few operations.
    #[must_use]
    pub fn keys(&self) -> u64 {
        match self.workload {
            Workload::Keys => (self.operations / 20).clamp(200, ALL_KEYS),
            Workload::OneDocument | Workload::Deletes => 1,
        }
    }

    /// How many users there are.
    #[must_use]
    pub fn users(&self) -> usize {
        match self.workload {
            Workload::Keys | Workload::OneDocument => 100,
            Workload::Deletes => 16,
        }
    }

    /// Starts it.
    #[must_use]
    pub fn begin(self) -> History {
        let mut random = StdRng::seed_from_u64(self.seed);
        let keys = usize::try_from(self.keys()).unwrap_or(usize::MAX);
        // The first user is there alone at first, to make the one document.
        let starts = (0..self.users()).map(|user| match user {
            0 => Reverse((0, 0)),
            _ => Reverse((LONGEST_US + random.random_range(0..LONGEST_US), user)),
        });
        History {
            next: starts.collect(),
            users: (0..self.users()).map(|_| User::default()).collect(),
            store: Store { documents: vec![None; keys], free: (0..keys).collect(), effects: 0 },
            order: self,
            random,
            begun: 0,
        }
    }
}

impl Iterator for History {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        loop {
            let Reverse((now_us, user)) = self.next.pop()?;
            match (self.users[user].step, self.users[user].under_way.take()) {
                (Step::Effect, Some(made)) => self.take_effect(user, made),
                (Step::Return, Some(made)) => {
                    self.come_back(user, &made);
                    return Some(made);
                }
                _ if self.begun < self.order.operations => self.call(user, now_us),
                _ => {}
            }
        }
    }
}

impl History {
    fn call(&mut self, user: usize, now_us: u64) {
        self.begun += 1;
        let (operation, key) = match self.order.workload {
            Workload::Keys => self.of_session(user),
            Workload::OneDocument | Workload::Deletes => (self.of_one_document(), 0),
        };
        let returned_us = now_us + self.random.random_range(SHORTEST_US..=LONGEST_US);
        let effect_us = self.random.random_range(now_us..=returned_us);
        let writes = matches!(operation, Operation::Instantiate | Operation::Save);
        let input = writes.then(|| self.new_content(user));
        let said = Said::NotFound;
        let made =
            Made { process: user, operation, key, called_us: now_us, effect_us, effect: 0, returned_us, input, said };
        self.go_on(user, Step::Effect, effect_us, Some(made));
    }

    fn new_content(&mut self, user: usize) -> Content {
        let number = self.users[user].contents;
        self.users[user].contents += 1;
        Content { writer: u32::try_from(user).unwrap_or(u32::MAX), number }
    }

    fn go_on(&mut self, user: usize, step: Step, at_us: u64, under_way: Option<Made>) {
        self.users[user].step = step;
        self.users[user].under_way = under_way;
        self.next.push(Reverse((at_us, user)));
    }

    fn of_one_document(&mut self) -> Operation {
        let percent = self.random.random_range(0..100);
        match percent {
            _ if self.begun == 1 => Operation::Instantiate,
            0..10 if self.order.workload == Workload::Deletes => Operation::Delete,
            10..20 if self.order.workload == Workload::Deletes => Operation::Instantiate,
            0..60 => Operation::Save,
            _ => Operation::Restore,
        }
    }

    fn of_session(&mut self, user: usize) -> (Operation, usize) {
        let Some(session) = &mut self.users[user].session else { return (Operation::GenerateKey, 0) };
        let key = session.key;
        if !session.is_open {
            session.is_open = true;
            return (Operation::Instantiate, key);
        }
        if session.uses_left == 0 {
            self.users[user].session = None;
            return (Operation::Delete, key);
        }
        session.uses_left -= 1;
        match self.random.random_range(0..100) {
            0..10 => (Operation::Restore, self.key_of_anyone().unwrap_or(key)),
            10..55 => (Operation::Save, key),
            _ => (Operation::Restore, key),
        }
    }

    fn key_of_anyone(&mut self) -> Option<usize> {
        let user = self.random.random_range(0..self.users.len());
        self.users[user].session.map(|session| session.key)
    }

    fn take_effect(&mut self, user: usize, made: Made) {
        let mut made = self.store.after(made);
        if made.operation == Operation::Restore
            && self.order.is_spoiled
            && 2 * self.store.effects > self.order.operations
        {
            let earlier = self.store.documents[made.key].and_then(|document| document.earlier);
            // Whoever wrote over it then has its answer by now.
            let earlier = earlier.filter(|(_, overwritten_us)| overwritten_us + LONGEST_US < made.called_us);
            if let Some((content, _)) = earlier {
                made.said = Said::Shows(content);
                self.order.is_spoiled = false;
            }
        }
        self.go_on(user, Step::Return, made.returned_us, Some(made));
    }

    fn come_back(&mut self, user: usize, made: &Made) {
        if made.said == Said::Handed {
            let uses_left = self.random.random_range(1..15);
            self.users[user].session = Some(Session { key: made.key, is_open: false, uses_left });
        }
        let most_us = if self.order.workload == Workload::Keys { 2_000 } else { 50 };
        let think_us = self.random.random_range(0..=most_us);
        self.go_on(user, Step::Call, made.returned_us + think_us, None);
    }
}

impl Store {
    /// Lets an operation take effect: it is answered.
    fn after(&mut self, mut made: Made) -> Made {
        made.effect = self.effects;
        self.effects += 1;
        if made.operation == Operation::GenerateKey {
            // There are more keys than users, so that one is free.
            made.key = self.free.pop_front().unwrap_or_default();
        }
        let document = &mut self.documents[made.key];
        made.said = match (made.operation, made.input, document.map(|document| document.content)) {
            (Operation::GenerateKey, ..) => Said::Handed,
            (Operation::Instantiate, _, Some(_)) => Said::Existed,
            (Operation::Instantiate, Some(content), None) => {
                *document = Some(Document { content, earlier: None });
                Said::Created
            }
            (Operation::Save, Some(content), _) => {
                let earlier = document.and_then(|document| document.overwritten(made.effect_us));
                *document = Some(Document { content, earlier });
                Said::Saved
            }
            (Operation::Delete, _, Some(_)) => {
                *document = None;
                self.free.push_back(made.key);
                Said::Deleted
            }
            (Operation::Restore, _, Some(content)) => Said::Shows(content),
            _ => Said::NotFound,
        };
        made
    }
}

impl Document {
    fn overwritten(self, now_us: u64) -> Option<(Content, u64)> {
        let is_recent = |(_, overwritten_us): &(Content, u64)| overwritten_us + 10 * LONGEST_US >= now_us;
        self.earlier.filter(is_recent).or(Some((self.content, now_us)))
    }
}
