//! The checker against brute force, on small histories; and what it says of some that are known.

mod histories;
mod known;
mod limits;
mod models;

use super::brute_force::{is_before, is_linearizable, state_after};
use super::{Budget, Call, Model, Verdict, check};
use crate::models::kv::{AllKeys, OneKey};
use crate::models::register::Register;
use histories::{Random, answer_in_order, kv_operation, register_operation, respoil, spoil_time, times};
use models::{Table, Unaided};

/// A budget that is enough for every test that does not say otherwise.
fn enough() -> Budget<'static> {
    Budget::new(1 << 30, || false)
}

fn explained<M: Model>(model: &M, calls: &[Call<M::Operation>]) -> bool {
    matches!(check(model, calls, &mut enough()), Verdict::Linearizable { .. })
}

/// Compares with brute force, and holds what the verdict says to what it means; says whether there is an order.
fn compare<M: Model>(model: &M, calls: &[Call<M::Operation>]) -> bool {
    let expected = is_linearizable(model, calls);
    let is_returned = |index: &usize| calls[*index].returned.is_some();
    match check(model, calls, &mut enough()) {
        Verdict::Linearizable { order } => {
            assert!(expected, "an order was found where there is none");
            assert!(state_after(model, calls, &order).is_some(), "{order:?} is not right");
            assert!((0..calls.len()).filter(is_returned).all(|index| order.contains(&index)), "{order:?} lacks a call");
        }
        Verdict::NotLinearizable { longest, blocked } => {
            assert!(!expected, "no order was found where there is one");
            let state = state_after(model, calls, &longest).expect("the longest order is right");
            let left: Vec<usize> =
                (0..calls.len()).filter(is_returned).filter(|index| !longest.contains(index)).collect();
            let is_next = |&index: &usize| left.iter().all(|&other| !is_before(&calls[other], &calls[index]));
            assert!(longest.iter().all(is_next), "{longest:?} has a call after one that it lacks");
            assert!(blocked.iter().all(|index| left.contains(index) && is_next(index)), "{blocked:?} were not next");
            assert!(blocked.iter().all(|&index| model.step(&state, &calls[index].operation).is_none()));
            let first = left.iter().min_by_key(|&&index| calls[index].returned).expect("something is left");
            let first = calls[*first].returned;
            assert!(blocked.iter().any(|&index| calls[index].returned == first), "{blocked:?} lacks the first");
        }
        Verdict::Undecided { why } => panic!("{why}"),
    }
    expected
}

/// Makes many histories, checks each with what its model knows of its operations and without, and counts those with
/// an order and without.
fn compare_many<M: Model>(
    seeds: std::ops::Range<u64>,
    mut one: impl FnMut(&mut Random) -> (M, Vec<Call<M::Operation>>),
) {
    let mut counts = [0_u64; 2];
    let all = seeds.end - seeds.start;
    for seed in seeds {
        let (model, calls) = one(&mut Random::new(seed));
        let is_explained = compare(&model, &calls);
        assert_eq!(compare(&Unaided(&model), &calls), is_explained, "seed {seed}");
        counts[usize::from(is_explained)] += 1;
    }
    assert!(counts.iter().all(|&count| count > all / 10), "too few of one kind: {counts:?}");
}

#[test]
fn histories_of_a_register_get_the_verdict_of_brute_force() {
    compare_many(0..12_000, |random| {
        let mut calls = times(random, 7, register_operation);
        answer_in_order(&mut calls, random, &Register, histories::register_answer);
        respoil(random, &mut calls, histories::register_spoil);
        (Register, calls)
    });
}

#[test]
fn histories_of_one_key_get_the_verdict_of_brute_force() {
    compare_many(20_000..26_000, |random| {
        let mut calls = times(random, 7, |random| kv_operation(random, 1));
        answer_in_order(&mut calls, random, &OneKey::default(), histories::one_key_answer);
        respoil(random, &mut calls, histories::kv_spoil);
        (OneKey::of(calls.iter().map(|call| &call.operation)), calls)
    });
}

#[test]
fn histories_of_a_whole_map_get_the_verdict_of_brute_force() {
    compare_many(40_000..46_000, |random| {
        let mut calls = times(random, 7, |random| kv_operation(random, 3));
        answer_in_order(&mut calls, random, &AllKeys::default(), histories::all_keys_answer);
        respoil(random, &mut calls, histories::kv_spoil);
        (AllKeys::of(calls.iter().map(|call| &call.operation)), calls)
    });
}

#[test]
fn histories_of_any_model_get_the_verdict_of_brute_force() {
    compare_many(60_000..75_000, |random| {
        let table = Table::new(random);
        let mut calls = times(random, 6, |random| random.index(Table::OPERATIONS));
        spoil_time(random, &mut calls);
        (table, calls)
    });
}
