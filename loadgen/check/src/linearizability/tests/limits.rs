//! Histories that are large, or made to be hard.

use super::histories::call;
use super::{Random, enough, explained};
use crate::linearizability::{Budget, Call, Limit, Verdict, check, check_part, partition};
use crate::models::kv;
use crate::models::kv::{Action, OneKey};
use crate::models::register::Operation::{Read, Write};
use crate::models::register::{Operation, Register};
use std::cell::Cell;

/// Appends at once, and a get that they cannot lead to: every order of every part of them is another state.
fn hostile(open: bool) -> Vec<Call<kv::Operation>> {
    let on = |action| kv::Operation { key: 0, action };
    let appends = (0..40).map(|n| call(on(Action::Append(format!("{n},").into())), 0, (!open).then_some(9)));
    appends.chain([call(on(Action::Get(Some("no".into()))), 1, 2)]).collect()
}

#[test]
fn a_search_that_is_told_to_stop_is_undecided() {
    for open in [false, true] {
        let asked = Cell::new(0);
        let mut budget = Budget::new(1 << 30, || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        });
        let stopped = Verdict::Undecided { why: Limit::Stopped };
        assert_eq!(check(&OneKey::default(), &hostile(open), &mut budget), stopped);
        drop(budget);
        assert_eq!(asked.get(), 3);
    }
}

#[test]
fn a_search_that_needs_too_much_memory_is_undecided() {
    for open in [false, true] {
        let verdict = check(&OneKey::default(), &hostile(open), &mut Budget::new(1 << 22, || false));
        assert_eq!(verdict, Verdict::Undecided { why: Limit::Memory });
    }
}

#[test]
fn a_state_that_holds_much_is_counted() {
    let long: std::sync::Arc<str> = "x".repeat(1 << 16).into();
    let append = kv::Operation { key: 0, action: Action::Append(long) };
    let calls: Vec<_> = (0..40).map(|at| call(append.clone(), at, at)).collect();
    let verdict = check(&OneKey::default(), &calls, &mut Budget::new(1 << 24, || false));
    assert_eq!(verdict, Verdict::Undecided { why: Limit::Memory });
    assert!(explained(&OneKey::default(), &calls));
}

#[test]
fn a_budget_that_is_too_small_never_gives_another_verdict() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut calls = super::times(&mut random, 7, super::register_operation);
        super::respoil(&mut random, &mut calls, super::histories::register_spoil);
        let right = check(&Register, &calls, &mut enough());
        for bytes in (0..12_000).step_by(500) {
            let verdict = check(&Register, &calls, &mut Budget::new(bytes, || false));
            assert!(verdict == right || verdict == Verdict::Undecided { why: Limit::Memory });
        }
    }
}

#[test]
fn many_open_writes_are_no_matter_where_each_answer_needs_one() {
    let mut calls: Vec<Call<Operation>> = (0..2_000).map(|value| call(Write(value), 0, None)).collect();
    calls.extend(
        (0..60_u32).map(|at| call(Read(Some(i64::from(at) * 7)), u64::from(2 * at) + 1, u64::from(2 * at) + 1)),
    );
    assert!(explained(&Register, &calls));
}

#[test]
fn open_writes_that_explain_nothing_are_undecided_before_they_take_all_memory() {
    let mut calls: Vec<Call<Operation>> = (0..2_000).map(|value| call(Write(value), 0, None)).collect();
    calls.push(call(Read(Some(-1)), 1, 2));
    let verdict = check(&Register, &calls, &mut Budget::new(1 << 24, || false));
    assert_eq!(verdict, Verdict::Undecided { why: Limit::Memory });
}

#[test]
fn a_long_history_takes_no_more_stack_and_memory_than_its_length() {
    let length = 50_000_u64;
    let mut calls: Vec<Call<Operation>> = Vec::new();
    for at in 0..length {
        calls.push(call(Write(at.cast_signed()), 2 * at, 2 * at + 2));
        calls.push(call(Read(Some(at.cast_signed())), 2 * at + 1, 2 * at + 3));
    }
    let verdict = check(&Register, &calls, &mut Budget::new(1 << 26, || false));
    assert!(matches!(verdict, Verdict::Linearizable { .. }), "{verdict:?}");
    calls.push(call(Read(Some(-1)), 2 * length + 9, 2 * length + 9));
    let verdict = check(&Register, &calls, &mut Budget::new(1 << 26, || false));
    let Verdict::NotLinearizable { longest, blocked } = verdict else { panic!("{verdict:?}") };
    assert_eq!((longest.len(), blocked), (calls.len() - 1, vec![calls.len() - 1]));
}

/// Clients that each call, take effect and return at moments of their own.
fn many_clients(seed: u64, clients: u64, steps: u64) -> Vec<Call<kv::Operation>> {
    let mut random = Random::new(seed);
    let mut store = vec![String::new(); 10];
    let mut calls: Vec<Call<kv::Operation>> = Vec::new();
    let mut under_way: Vec<Option<(usize, bool)>> = (0..clients).map(|_| None).collect();
    for time in 0..steps {
        let process = random.below(clients);
        let client = &mut under_way[usize::try_from(process).unwrap()];
        match *client {
            None => {
                let piece = format!("{process} {time},");
                let action = match random.below(20) {
                    0..10 => Action::Get(None),
                    10 => Action::Put(piece.into()),
                    _ => Action::Append(piece.into()),
                };
                let operation = kv::Operation { key: u32::try_from(random.below(10)).unwrap(), action };
                *client = Some((calls.len(), false));
                calls.push(Call { process, operation, called: time, returned: None });
            }
            Some((call, false)) => {
                let kv::Operation { key, action } = &mut calls[call].operation;
                let text = &mut store[*key as usize];
                match action {
                    Action::Get(answer) => *answer = Some(text.as_str().into()),
                    Action::Put(new) => *text = new.to_string(),
                    Action::Append(piece) => text.push_str(piece),
                }
                *client = Some((call, true));
            }
            Some((call, true)) => {
                calls[call].returned = Some(time);
                *client = None;
            }
        }
    }
    calls
}

fn explained_by_key(calls: &[Call<kv::Operation>]) -> bool {
    // Far less than wrong orders would take, one by one.
    let mut budget = Budget::new(1 << 25, || false);
    let mut is_explained = true;
    for part in partition(calls, |operation| operation.key) {
        let model = OneKey::of(part.iter().map(|&index| &calls[index].operation));
        let verdict = check_part(&model, calls, &part, &mut budget);
        assert!(!matches!(verdict, Verdict::Undecided { .. }));
        is_explained &= matches!(verdict, Verdict::Linearizable { .. });
    }
    is_explained
}

#[test]
fn fifty_clients_of_ten_keys_are_explained_but_not_if_an_answer_lacks_its_first_append() {
    for seed in 0..8 {
        let mut calls = many_clients(seed, 50, 5_000);
        assert!(explained_by_key(&calls), "seed {seed}");
        let is_long = |call: &&mut Call<kv::Operation>| matches!(&call.operation.action, Action::Get(Some(text)) if text.matches(',').count() > 9);
        let late = calls.iter_mut().rev().filter(is_long).find(|call| call.returned.is_some()).unwrap();
        if let Action::Get(Some(text)) = &mut late.operation.action {
            // It lacks one that had been there for long.
            *text = text.splitn(3, ',').collect::<Vec<_>>()[1..].join(",").into();
        }
        assert!(!explained_by_key(&calls), "seed {seed}");
    }
}
