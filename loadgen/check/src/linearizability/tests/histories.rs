//! Small histories, drawn from a seed.

use crate::linearizability::{Call, Model};
use crate::models::kv;
use crate::models::kv::{Action, AllKeys, OneKey};
use crate::models::register;
use crate::models::register::{Outcome, Register};

/// A generator of numbers (`SplitMix64`).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than a bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    /// An index in something of this length.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64).try_into().expect("it is less than the length")
    }

    /// One of few values, so that some are equal.
    fn small(&mut self) -> i64 {
        self.below(3).cast_signed()
    }
}

/// Up to so many calls in a few moments, so that they overlap, touch or follow each other; some without a return.
pub(super) fn times<O>(random: &mut Random, most: u64, mut operation: impl FnMut(&mut Random) -> O) -> Vec<Call<O>> {
    let count = 1 + random.below(most);
    let moments = 2 + random.below(12);
    (0..count)
        .map(|process| {
            let called = random.below(moments);
            let returned = (random.below(6) > 0).then(|| called + random.below(moments / 2 + 1));
            Call { process, operation: operation(random), called, returned }
        })
        .collect()
}

/// Gives every call the answer that is right if they take effect in some order that can be: by a moment drawn from
/// between call and return. Of those without a return some have no effect.
pub(super) fn answer_in_order<M: Model>(
    calls: &mut [Call<M::Operation>],
    random: &mut Random,
    model: &M,
    answer: impl Fn(&M::State, &mut M::Operation),
) {
    let mut moments: Vec<(u64, u64, usize)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let last = call.returned.unwrap_or(call.called + 9);
        let moment = call.called + random.below(last - call.called + 1);
        if call.returned.is_some() || random.below(2) == 0 {
            moments.push((moment, random.below(1 << 20), index));
        }
    }
    moments.sort_unstable();
    let mut state = model.initial();
    for (.., index) in moments {
        let operation = &mut calls[index].operation;
        if calls[index].returned.is_some() {
            answer(&state, operation);
        }
        state = model.step(&state, operation).expect("the answer is right");
    }
}

/// Leaves some histories as they are, changes an answer of some, and the time of a call of others.
pub(super) fn respoil<O>(random: &mut Random, calls: &mut [Call<O>], spoil: impl Fn(&mut Random, &mut O)) {
    match random.below(4) {
        0 => {}
        1 => spoil_time(random, calls),
        _ => {
            let index = random.index(calls.len());
            spoil(random, &mut calls[index].operation);
        }
    }
}

/// Moves a call in time.
pub(super) fn spoil_time<O>(random: &mut Random, calls: &mut [Call<O>]) {
    let index = random.index(calls.len());
    let call = &mut calls[index];
    let called = random.below(14);
    call.returned = call.returned.map(|returned| called + (returned - call.called));
    call.called = called;
}

pub(super) fn register_operation(random: &mut Random) -> register::Operation {
    let [from, to] = [0; 2].map(|_: i32| random.small());
    match random.below(3) {
        0 => register::Operation::ReadOfUnknown,
        1 => register::Operation::Write(to),
        _ => register::Operation::CompareAndSet { from, to, outcome: Outcome::Unknown },
    }
}

pub(super) fn register_answer(state: &<Register as Model>::State, operation: &mut register::Operation) {
    match operation {
        register::Operation::ReadOfUnknown => *operation = register::Operation::Read(*state),
        register::Operation::CompareAndSet { from, outcome, .. } => {
            *outcome = if *state == Some(*from) { Outcome::Written } else { Outcome::Refused };
        }
        _ => {}
    }
}

pub(super) fn register_spoil(random: &mut Random, operation: &mut register::Operation) {
    match operation {
        register::Operation::Read(value) => *value = Some(random.small()).filter(|_| random.below(4) > 0),
        register::Operation::Write(value) => *value = random.small(),
        register::Operation::CompareAndSet { outcome, .. } => {
            *outcome = if *outcome == Outcome::Written { Outcome::Refused } else { Outcome::Written };
        }
        register::Operation::ReadOfUnknown => {}
    }
}

pub(super) fn kv_operation(random: &mut Random, keys: u32) -> kv::Operation {
    let piece = ["a", "b", "ab", ""][random.index(4)];
    let action = match random.below(5) {
        0 | 1 => Action::Get(None),
        2 => Action::Put(piece.into()),
        _ => Action::Append(piece.into()),
    };
    kv::Operation { key: random.below(keys.into()).try_into().expect("it is less than the keys"), action }
}

pub(super) fn one_key_answer(text: &<OneKey as Model>::State, operation: &mut kv::Operation) {
    if let Action::Get(answer) = &mut operation.action {
        *answer = text.as_str().map(Into::into);
    }
}

pub(super) fn all_keys_answer(texts: &<AllKeys as Model>::State, operation: &mut kv::Operation) {
    if let Action::Get(answer) = &mut operation.action {
        *answer =
            Some(texts.get(operation.key).map_or(Some(""), |text| text.as_str()).expect("nothing is lost").into());
    }
}

pub(super) fn kv_spoil(random: &mut Random, operation: &mut kv::Operation) {
    let (Action::Get(Some(text)) | Action::Put(text) | Action::Append(text)) = &mut operation.action else { return };
    *text = [text, ["a", "b"][random.index(2)]].concat().into();
}

/// A call of process 0.
pub(super) fn call<O>(operation: O, called: u64, returned: impl Into<Option<u64>>) -> Call<O> {
    Call { process: 0, operation, called, returned: returned.into() }
}
