//! Histories whose verdict is plain.

use super::histories::call;
use super::{enough, explained};
use crate::linearizability::{Call, Verdict, check, check_part, partition};
use crate::models::kv;
use crate::models::kv::{Action, OneKey};
use crate::models::register::Operation::{Read, Write};
use crate::models::register::{Operation, Outcome, Register};

fn is_right(calls: &[Call<Operation>]) -> bool {
    explained(&Register, calls)
}

#[test]
fn a_history_without_calls_is_explained_by_an_empty_order() {
    assert_eq!(check(&Register, &[], &mut enough()), Verdict::Linearizable { order: vec![] });
}

#[test]
fn a_call_at_the_time_of_a_return_is_concurrent_with_it() {
    assert!(is_right(&[call(Write(1), 0, 5), call(Read(None), 5, 9)]));
    assert!(!is_right(&[call(Write(1), 0, 5), call(Read(None), 6, 9)]));
}

#[test]
fn a_call_without_a_return_takes_effect_at_any_time_after_it_or_never() {
    let open = call(Write(2), 3, None);
    assert!(is_right(&[call(Write(1), 0, 1), open.clone(), call(Read(Some(1)), 4, 5), call(Read(Some(2)), 90, 91)]));
    assert!(is_right(&[call(Write(1), 0, 1), open.clone(), call(Read(Some(1)), 4, 5)]));
    assert!(!is_right(&[call(Read(Some(2)), 1, 2), open]));
}

#[test]
fn a_call_without_a_return_takes_effect_once_at_most() {
    let open = call(Write(2), 0, None);
    let reads = [call(Read(Some(2)), 1, 2), call(Write(1), 3, 4), call(Read(Some(2)), 5, 6)];
    assert!(!is_right(&[std::slice::from_ref(&open), &reads[..]].concat()));
    assert!(is_right(&[&[open.clone(), open], &reads[..]].concat()));
}

#[test]
fn an_order_lacks_the_open_calls_that_have_no_effect() {
    let calls =
        [call(Write(7), 0, None), call(Write(1), 1, 2), call(Read(Some(1)), 3, 4), call(Read(Some(9)), 0, None)];
    assert_eq!(check(&Register, &calls, &mut enough()), Verdict::Linearizable { order: vec![1, 2] });
}

#[test]
fn a_write_of_what_is_there_already_is_no_read() {
    let calls = [call(Write(3), 0, 1), call(Write(4), 2, 9), call(Write(3), 2, 9), call(Read(Some(3)), 10, 11)];
    assert!(is_right(&calls));
}

#[test]
fn a_return_before_the_call_counts_as_at_the_call() {
    assert!(is_right(&[call(Write(1), 5, 0), call(Read(Some(1)), 6, 7)]));
    assert!(!is_right(&[call(Write(1), 5, 0), call(Read(Some(1)), 3, 4)]));
}

#[test]
fn a_compare_and_set_is_refused_only_where_another_value_is() {
    let refused = |from| Operation::CompareAndSet { from, to: 5, outcome: Outcome::Refused };
    assert!(is_right(&[call(Write(1), 0, 1), call(refused(2), 2, 3)]));
    assert!(!is_right(&[call(Write(1), 0, 1), call(refused(1), 2, 3)]));
}

#[test]
fn what_is_not_explained_comes_with_the_longest_order_and_what_was_next() {
    let calls = [
        call(Read(Some(8)), 6, 9),
        call(Write(1), 0, 1),
        call(Read(Some(7)), 4, 5),
        call(Write(2), 2, 3),
        call(Read(Some(6)), 4, 8),
        call(Read(Some(2)), 4, 8),
    ];
    let expected = Verdict::NotLinearizable { longest: vec![1, 3, 5], blocked: vec![2, 4] };
    assert_eq!(check(&Register, &calls, &mut enough()), expected);
}

#[test]
fn parts_are_in_order_of_their_first_calls_and_checked_by_the_indices_of_the_whole() {
    let on = |key, action| kv::Operation { key, action };
    let calls = [
        call(on(7, Action::Append("a".into())), 0, 1),
        call(on(4, Action::Get(Some("a".into()))), 2, 3),
        call(on(7, Action::Get(Some("a".into()))), 4, 5),
    ];
    let parts = partition(&calls, |operation| operation.key);
    assert_eq!(parts, [vec![0, 2], vec![1]]);
    let verdicts = parts.iter().map(|part| check_part(&OneKey::default(), &calls, part, &mut enough()));
    let blocked = Verdict::NotLinearizable { longest: vec![], blocked: vec![1] };
    assert_eq!(verdicts.collect::<Vec<_>>(), [Verdict::Linearizable { order: vec![0, 2] }, blocked]);
}

#[test]
fn more_calls_at_once_than_a_word_has_bits_are_told_apart() {
    for open in [false, true] {
        let writes = (0..150_u32).map(|value| call(Write(value.into()), 0, (!open).then_some(1000)));
        let reads = (0..150_u32).map(|at| (at, u64::from(2 * at + 1)));
        let reads = reads.map(|(at, time)| call(Read(Some((149 - at).into())), time, time));
        let calls: Vec<_> = writes.chain(reads).collect();
        assert!(is_right(&calls), "{open}");
    }
}
