//! The search for an order of operations explains what can happen, and nothing else.

use crate::support::history::{Deed, Document, Operation, State, Token};
use crate::support::search::{Known, Possible, explain};
use std::collections::BTreeSet;

const KEY: &str = "AAA";

fn document(token: Token, saves: &[Token]) -> Document {
    Document { token, instantiated: false, saves: saves.iter().copied().collect() }
}

fn save(token: Token) -> Deed {
    Deed::Save { key: KEY.to_owned(), token }
}

fn restore(shown: Option<Document>) -> Deed {
    Deed::Restore { key: KEY.to_owned(), shown }
}

fn delete(found: Option<bool>) -> Deed {
    Deed::Delete { key: KEY.to_owned(), found }
}

fn instantiate(token: Token, created: Option<bool>) -> Deed {
    Deed::Instantiate { key: KEY.to_owned(), token, created }
}

fn generate() -> Deed {
    Deed::Generate(Some(KEY.to_owned()))
}

fn answered(began: u64, ended: u64, deed: Deed) -> Operation {
    Operation { deed, began, ended, answered: true }
}

fn cut_off(began: u64, ended: u64, deed: Deed) -> Operation {
    Operation { answered: false, ..answered(began, ended, deed) }
}

fn outcome(operations: &[Operation]) -> Result<Possible, String> {
    let operations: Vec<&Operation> = operations.iter().collect();
    explain(KEY, &Possible::from([State::Absent]), &operations)
}

fn is_explained(operations: &[Operation]) -> bool {
    outcome(operations).is_ok()
}

#[test]
fn what_one_user_does_after_the_other_is_explained_only_as_it_happened() {
    let history = |shown| [answered(0, 1, save(1)), answered(2, 3, save(2)), answered(4, 5, restore(shown))];
    assert!(is_explained(&history(Some(document(2, &[1, 2])))));
    for (shown, anomaly) in [
        (None, "acknowledged, then lost"),
        (Some(document(1, &[1])), "an older version"),
        (Some(document(2, &[2])), "a lost update"),
        (Some(document(1, &[1, 2])), "the state of one, the metadata of another"),
        (Some(document(3, &[1, 2, 3])), "from nowhere"),
    ] {
        assert!(!is_explained(&history(shown)), "{anomaly}");
    }
}

#[test]
fn saves_at_once_may_come_in_any_order_but_none_may_be_lost() {
    let history = |shown| [answered(0, 9, save(1)), answered(1, 8, save(2)), answered(10, 11, restore(Some(shown)))];
    assert!(is_explained(&history(document(1, &[1, 2]))));
    assert!(is_explained(&history(document(2, &[1, 2]))));
    assert!(!is_explained(&history(document(2, &[2]))));
}

#[test]
fn what_was_seen_once_is_not_unseen() {
    let history = |second| {
        [
            answered(0, 1, save(1)),
            answered(2, 9, save(2)),
            answered(3, 4, restore(Some(document(2, &[1, 2])))),
            answered(5, 6, restore(Some(second))),
        ]
    };
    assert!(is_explained(&history(document(2, &[1, 2]))));
    assert!(!is_explained(&history(document(1, &[1]))));
}

#[test]
fn what_was_cut_off_may_have_come_about_or_not_but_only_once_and_before_its_end() {
    let history = |after| [answered(0, 1, save(1)), cut_off(2, 5, save(2)), answered(6, 7, restore(Some(after)))];
    assert!(is_explained(&history(document(1, &[1]))));
    assert!(is_explained(&history(document(2, &[1, 2]))));
    let too_late = |second| [answered(6, 7, restore(None)), answered(8, 9, restore(second)), cut_off(2, 5, save(2))];
    assert!(is_explained(&too_late(None)));
    assert!(!is_explained(&too_late(Some(document(2, &[2])))), "nobody does it after the death");
    let possible = outcome(&[cut_off(0, 1, delete(None)), cut_off(2, 3, save(2))]);
    let expected = [State::Absent, State::Document(document(2, &[2]))];
    assert_eq!(possible, Ok(Possible::from(expected)));
}

#[test]
fn deletes_end_what_is_there_once() {
    let twice =
        |began| [answered(0, 1, save(1)), answered(2, 5, delete(Some(true))), answered(began, 7, delete(Some(true)))];
    assert!(!is_explained(&twice(6)) && !is_explained(&twice(3)));
    assert!(is_explained(&[
        answered(0, 1, save(1)),
        answered(2, 5, delete(Some(true))),
        answered(3, 4, delete(Some(false)))
    ]));
    assert!(!is_explained(&[answered(0, 1, save(1)), answered(2, 3, delete(Some(false)))]));
    let forgotten = [answered(0, 1, save(1)), answered(2, 3, delete(Some(true))), answered(4, 5, save(2))];
    assert_eq!(outcome(&forgotten), Ok(Possible::from([State::Document(document(2, &[2]))])));
}

#[test]
fn one_of_several_instantiates_creates() {
    let history =
        |first, second| [answered(0, 5, instantiate(1, Some(first))), answered(1, 6, instantiate(2, Some(second)))];
    assert!(is_explained(&history(true, false)) && is_explained(&history(false, true)));
    assert!(!is_explained(&history(true, true)) && !is_explained(&history(false, false)));
}

#[test]
fn a_key_is_handed_out_once_until_it_is_ended() {
    assert!(!is_explained(&[answered(0, 1, generate()), answered(2, 3, generate())]));
    assert!(!is_explained(&[answered(0, 3, generate()), answered(1, 2, generate())]));
    assert!(!is_explained(&[answered(0, 1, save(1)), answered(2, 3, generate())]));
    assert!(is_explained(&[
        answered(0, 1, generate()),
        answered(2, 3, delete(Some(true))),
        answered(4, 5, generate())
    ]));
    assert!(is_explained(&[
        answered(0, 1, generate()),
        answered(2, 3, restore(None)),
        answered(4, 5, instantiate(1, Some(true)))
    ]));
    let cut_off_first = [cut_off(0, 1, Deed::Generate(None)), answered(2, 3, delete(Some(true)))];
    assert!(is_explained(&cut_off_first), "the lost answer may have named it");
}

#[test]
fn lists_and_looks_are_held_to_every_key() {
    let listed = |keys: &[&str]| Deed::List(keys.iter().map(|&key| key.to_owned()).collect());
    let take_in = |operations: &[Operation]| Known::default().take_in(operations);
    assert!(take_in(&[answered(0, 1, save(1)), answered(2, 3, listed(&[KEY]))]).is_ok());
    assert!(take_in(&[answered(0, 1, save(1)), answered(2, 3, listed(&[]))]).is_err(), "left out");
    assert!(take_in(&[answered(0, 1, listed(&["BBB"]))]).is_err(), "from nowhere");
    let looked = |state: State| Deed::Look([(KEY.to_owned(), state)].into());
    assert!(take_in(&[answered(0, 1, generate()), answered(2, 3, looked(State::Reserved))]).is_ok());
    assert!(take_in(&[answered(0, 1, generate()), answered(2, 3, Deed::Look([].into()))]).is_err(), "given away");
    assert!(take_in(&[answered(0, 1, looked(State::Reserved))]).is_err(), "nobody asked for it");
}

#[test]
fn what_is_known_goes_on_from_death_to_death() {
    let mut known = Known::default();
    known.take_in(&[answered(0, 1, save(1)), cut_off(2, 3, save(2))]).expect("explained");
    assert_eq!(known.of(KEY).len(), 2);
    known.take_in(&[answered(4, 5, restore(Some(document(1, &[1]))))]).expect("the second one never happened");
    assert_eq!(known.of(KEY), Possible::from([State::Document(document(1, &[1]))]));
    let late = known.take_in(&[answered(6, 7, restore(Some(document(2, &[1, 2]))))]);
    let story = late.expect_err("it cannot happen now");
    assert!(story.starts_with("AAA: no order") && story.contains("at first") && story.contains("6..7"), "{story}");
    assert_eq!(known.keys().into_iter().collect::<BTreeSet<_>>(), [KEY.to_owned()].into());
}
