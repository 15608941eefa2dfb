//! Each anomaly with its smallest history, and beside it the neighbours that it must not be taken for.

use super::access::{Access, Content, Kind, NEVER, SAVES_FOLDER};
use super::{judge, shrink};
use crate::anomaly::Anomaly;

/// The content that a writer, named by a letter, wrote as its first.
const A: Content = Content { writer: 1, number: 0 };
const B: Content = Content { writer: 2, number: 0 };
const C: Content = Content { writer: 3, number: 0 };

/// One access after another, each from ten times its place on for five.
fn one_by_one(kinds: &[Kind]) -> Vec<Access> {
    let access = |(place, kind): (u64, &Kind)| at(place * 10, place * 10 + 5, *kind);
    (0..).zip(kinds).map(access).collect()
}

fn at(called_us: u64, returned_us: u64, kind: Kind) -> Access {
    let is_open = matches!(kind, Kind::MaySave(_) | Kind::MayCreate(_) | Kind::MayDelete);
    let process = kind.written().map_or(9, |content| content.writer);
    Access { process, called_us, returned_us: if is_open { NEVER } else { returned_us }, kind }
}

/// The names of what is wrong.
fn names(accesses: &[Access]) -> Vec<Anomaly> {
    let judgement = judge(accesses);
    assert_eq!(judgement.undecided, None);
    judgement.wrong.into_iter().map(|(_, anomaly)| anomaly).collect()
}

/// The one thing that is wrong, where taking any access away leaves something that can be explained.
#[track_caller]
fn only(accesses: &[Access]) -> Anomaly {
    let wrong = judge(accesses).wrong;
    let [(misfit, anomaly)] = wrong[..] else { panic!("one thing is wrong: {wrong:?}") };
    let piece = shrink::smallest(accesses, misfit, &[misfit]).expect("it is wrong");
    assert!(piece.core().count() <= accesses.len());
    anomaly
}

#[test]
fn a_stale_read_shows_what_was_replaced_before_it_began() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Saved(B), Kind::Shows(A)])), Anomaly::StaleRead);
    // Others do see the newer one: it was no lost update.
    let seen = [Kind::Created(A), Kind::Saved(B), Kind::Shows(A), Kind::Shows(B)];
    assert_eq!(only(&one_by_one(&seen)), Anomaly::StaleRead);
}

#[test]
fn a_lost_update_was_acknowledged_and_nobody_ever_sees_it() {
    assert_eq!(
        only(&one_by_one(&[Kind::Created(A), Kind::Saved(B), Kind::Shows(A), Kind::Shows(A)])),
        Anomaly::LostUpdate
    );
    // The saves folder is no stale copy: one look is enough.
    let folder = Access { process: SAVES_FOLDER, ..at(20, 20, Kind::Shows(A)) };
    assert_eq!(only(&[at(0, 5, Kind::Created(A)), at(10, 15, Kind::Saved(B)), folder]), Anomaly::LostUpdate);
}

#[test]
fn a_save_that_comes_back_and_stays_was_applied_twice() {
    let seen = [Kind::Created(A), Kind::Saved(B), Kind::Shows(B)];
    let back = |times| one_by_one(&[&seen[..], &vec![Kind::Shows(A); times]].concat());
    assert_eq!(only(&back(10)), Anomaly::AppliedTwice);
    // A few looks may each be stale.
    assert_eq!(only(&back(9)), Anomaly::StaleRead);
    // The newer one is seen again: the older was a stale copy.
    let again = [&seen[..], &[Kind::Shows(A); 10], &[Kind::Shows(B)]].concat();
    assert_eq!(only(&one_by_one(&again)), Anomaly::StaleRead);
    // A later save replaces what was stored again.
    let replaced = [&seen[..], &[Kind::Shows(A); 10], &[Kind::Saved(C), Kind::Shows(C)]].concat();
    assert_eq!(only(&one_by_one(&replaced)), Anomaly::AppliedTwice);
    // The saves folder shows nothing stale.
    let mut in_folder = back(1);
    in_folder[3].process = SAVES_FOLDER;
    assert_eq!(only(&in_folder), Anomaly::AppliedTwice);
    // The newer one was never seen: it is lost.
    let lost = [Kind::Created(A), Kind::Saved(B), Kind::Shows(A), Kind::Shows(A)];
    assert_eq!(only(&one_by_one(&lost)), Anomaly::LostUpdate);
}

/// Regression: three false 404s to deletes became six documents "acknowledged then lost" and a "key that changed
/// owners": everything after them was judged as if nothing had been deleted.
#[test]
fn a_wrong_answer_is_wrong_once_and_leaves_open_what_it_did() {
    let lost = Anomaly::AcknowledgedThenLost;
    for (after, why) in [
        (vec![Kind::Handed, Kind::Created(B), Kind::Shows(B)], "it was deleted after all"),
        (vec![Kind::Shows(A), Kind::Saved(B), Kind::Shows(B)], "it was not deleted"),
        (vec![Kind::ShowsNone, Kind::ShowsNone, Kind::DeletesNone], "nobody sees it again"),
        (vec![Kind::Unlisted, Kind::Created(B)], "nor is it listed"),
    ] {
        for wrong in [Kind::DeletesNone, Kind::ShowsNone] {
            let kinds = [&[Kind::Created(A), wrong], &after[..]].concat();
            assert!(
                matches!(names(&one_by_one(&kinds))[..], [name] if name == lost || name == Anomaly::IntermediateRead),
                "{wrong:?}, {why}"
            );
        }
    }
    // A key that is handed out while its document is there: from then on, either owner's document may be there.
    let handed = [Kind::Created(A), Kind::Handed];
    for after in [[Kind::Created(B), Kind::Shows(B)], [Kind::Existed(Some(B)), Kind::Shows(A)]] {
        assert_eq!(names(&one_by_one(&[&handed[..], &after].concat())), [Anomaly::KeyChangedOwners]);
    }
    // A document that is created over another's, or is back after its delete: it may be there or not.
    let created = [Kind::Created(A), Kind::Created(B)];
    assert_eq!(names(&one_by_one(&[&created[..], &[Kind::Shows(B), Kind::Shows(B)]].concat())), [lost]);
    assert_eq!(names(&one_by_one(&[&created[..], &[Kind::Shows(A), Kind::Shows(A)]].concat())), [lost]);
    let back = [Kind::Created(A), Kind::Deleted, Kind::Shows(A)];
    let resurrected = [Anomaly::ResurrectedDocument];
    assert_eq!(
        names(&one_by_one(&[&back[..], &[Kind::Shows(A), Kind::Deleted, Kind::ShowsNone]].concat())),
        resurrected
    );
    assert_eq!(names(&one_by_one(&[&back[..], &[Kind::ShowsNone, Kind::Handed]].concat())), resurrected);
    // If two are wrong in the same way, only the first is blamed, and a right one after them is not.
    let stale = [Kind::Created(A), Kind::Saved(B), Kind::Shows(A), Kind::Shows(A), Kind::Shows(B)];
    assert_eq!(names(&one_by_one(&stale)), [Anomaly::StaleRead]);
    let missed = [Kind::Created(A), Kind::ShowsNone, Kind::ShowsNone, Kind::Deleted, Kind::ShowsNone];
    assert_eq!(names(&one_by_one(&missed)), [lost]);
    let handed_twice = [Kind::Created(A), Kind::Handed, Kind::Handed, Kind::Shows(A), Kind::Deleted];
    assert_eq!(names(&one_by_one(&handed_twice)), [Anomaly::KeyChangedOwners]);
    // Each of two faults is found.
    let twice = [Kind::Created(A), Kind::ShowsNone, Kind::Saved(B), Kind::ShowsNone];
    assert_eq!(names(&one_by_one(&twice)).len(), 2);
}

#[test]
fn a_non_monotonic_read_goes_back_behind_what_somebody_saw_of_a_save_under_way() {
    let saving = |last| {
        [
            at(0, 5, Kind::Created(A)),
            at(10, 90, Kind::Saved(B)),
            at(20, 30, Kind::Shows(B)),
            at(40, 50, Kind::Shows(last)),
        ]
    };
    assert_eq!(only(&saving(A)), Anomaly::NonMonotonicRead);
    assert_eq!(names(&saving(B)), []);
}

#[test]
fn a_torn_read_is_no_whole_document() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Torn])), Anomaly::TornRead);
}

#[test]
fn a_document_that_is_there_throughout_must_be_readable() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Unreadable])), Anomaly::UnreadableDocument);
    // One that is only just being created need not be.
    assert_eq!(names(&[at(0, 20, Kind::Created(A)), at(10, 15, Kind::Unreadable)]), []);
}

#[test]
fn an_intermediate_read_finds_nothing_where_a_document_was_before_and_after() {
    let gone = [
        at(0, 5, Kind::Created(A)),
        at(10, 50, Kind::Saved(B)),
        at(20, 30, Kind::ShowsNone),
        at(60, 65, Kind::Shows(B)),
    ];
    assert_eq!(only(&gone), Anomaly::IntermediateRead);
    // Nobody looks before it is replaced: it was under way all the same.
    let replaced = [gone[0], gone[1], gone[2], at(60, 65, Kind::Saved(C)), at(70, 75, Kind::Shows(C))];
    assert_eq!(only(&replaced), Anomaly::IntermediateRead);
    let afterwards = [gone[0], gone[1], at(52, 54, Kind::ShowsNone), replaced[3], replaced[4]];
    assert_eq!(only(&afterwards), Anomaly::AcknowledgedThenLost);
    // A former owner looks while another user's save is under way, which is lost like the earlier one.
    let lost = [gone[0], gone[1], at(20, 55, Kind::ShowsNone), at(51, 65, Kind::ShowsNone), at(70, 75, Kind::Deleted)];
    assert_eq!(only(&lost), Anomaly::AcknowledgedThenLost);
    // The next look, during another save, may find nothing for the same reason.
    let during_both = [
        gone[0],
        gone[1],
        gone[2],
        at(55, 90, Kind::Saved(C)),
        at(60, 70, Kind::ShowsNone),
        at(95, 99, Kind::Shows(C)),
    ];
    assert_eq!(only(&during_both), Anomaly::IntermediateRead);
    // But if the document was deleted meanwhile, finding nothing says nothing.
    let ended = [gone[0], gone[1], gone[2], at(60, 65, Kind::Deleted), at(70, 75, Kind::ShowsNone)];
    assert_eq!(only(&ended), Anomaly::IntermediateRead);
    // One's own save comes afterwards, though it be in the same microsecond.
    let own = [gone[0], Access { process: 3, ..at(20, 30, Kind::ShowsNone) }, at(30, 35, Kind::Saved(C))];
    assert_eq!(only(&own), Anomaly::AcknowledgedThenLost);
}

#[test]
fn what_was_acknowledged_and_is_gone_for_good_is_lost() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::ShowsNone, Kind::ShowsNone])), Anomaly::AcknowledgedThenLost);
    // A delete without an answer may have done it.
    assert_eq!(names(&one_by_one(&[Kind::Created(A), Kind::MayDelete, Kind::ShowsNone])), []);
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Created(B)])), Anomaly::AcknowledgedThenLost);
}

#[test]
fn a_write_to_an_unlinked_file_is_acknowledged_after_a_delete_and_not_there() {
    let unlinked = one_by_one(&[Kind::Created(A), Kind::Deleted, Kind::Saved(B), Kind::ShowsNone]);
    assert_eq!(only(&unlinked), Anomaly::WriteToUnlinkedFile);
    // An earlier owner's delete has nothing to do with it.
    let anew = [Kind::Handed, Kind::Created(A), Kind::Deleted, Kind::Handed, Kind::Created(B), Kind::ShowsNone];
    assert_eq!(only(&one_by_one(&anew)), Anomaly::AcknowledgedThenLost);
    // Nor if its response comes only after the key was handed out again.
    let late = [
        at(0, 5, Kind::Created(A)),
        at(10, 30, Kind::Deleted),
        at(12, 20, Kind::Handed),
        at(32, 35, Kind::Created(B)),
        at(40, 45, Kind::ShowsNone),
    ];
    assert_eq!(only(&late), Anomaly::AcknowledgedThenLost);
    // At the same time as the delete it is a save before it.
    let at_once = [
        at(0, 5, Kind::Created(A)),
        at(10, 20, Kind::Deleted),
        at(10, 30, Kind::Saved(B)),
        at(40, 45, Kind::ShowsNone),
    ];
    assert_eq!(names(&at_once), []);
    // But a document that is created anew follows the delete, and is lost as it was though saves come after it.
    let created_anew = [
        at(0, 5, Kind::Created(A)),
        at(10, 30, Kind::Deleted),
        at(20, 40, Kind::Created(B)),
        at(45, 60, Kind::Saved(C)),
        at(50, 55, Kind::ShowsNone),
    ];
    assert_eq!(only(&created_anew), Anomaly::WriteToUnlinkedFile);
    // Another's save that is under way when the document is looked for may have removed it for a moment.
    let being_saved = [created_anew[0], created_anew[3], created_anew[4]];
    assert_eq!(only(&being_saved), Anomaly::IntermediateRead);
}

#[test]
fn a_resurrected_document_is_back_after_its_delete() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Deleted, Kind::Shows(A)])), Anomaly::ResurrectedDocument);
    assert_eq!(
        only(&one_by_one(&[Kind::Created(A), Kind::Deleted, Kind::Existed(None)])),
        Anomaly::ResurrectedDocument
    );
    assert_eq!(
        only(&one_by_one(&[Kind::Created(A), Kind::Deleted, Kind::Handed, Kind::Existed(None)])),
        Anomaly::ResurrectedDocument
    );
    // Had it been replaced since, it is only stale.
    let replaced = [Kind::Created(A), Kind::Deleted, Kind::Created(B), Kind::Shows(A)];
    assert_eq!(only(&one_by_one(&replaced)), Anomaly::StaleRead);
}

#[test]
fn an_aborted_read_shows_what_was_refused() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Refused(B), Kind::Shows(B)])), Anomaly::AbortedRead);
    // The same holds for the content of an instantiate that found a document.
    let found = [Kind::Created(A), Kind::Existed(Some(B)), Kind::Shows(B)];
    assert_eq!(only(&one_by_one(&found)), Anomaly::AbortedRead);
    let next = Content { number: 1, ..A };
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Shows(next)])), Anomaly::NeverWritten);
    assert_eq!(
        only(&[at(0, 5, Kind::Created(A)), at(10, 15, Kind::Shows(B)), at(20, 25, Kind::Saved(B))]),
        Anomaly::NeverWritten
    );
}

#[test]
fn what_was_applied_twice_happened_again_though_it_can_happen_once() {
    let created = [at(0, 20, Kind::Created(A)), at(10, 30, Kind::Created(B))];
    assert_eq!(only(&created), Anomaly::AppliedTwice);
    let deleted = [at(0, 5, Kind::Created(A)), at(10, 20, Kind::Deleted), at(10, 30, Kind::Deleted)];
    assert_eq!(only(&deleted), Anomaly::AppliedTwice);
    // A save without an answer is seen, replaced, and there again: sent once more by somebody on the way.
    let again = [Kind::Created(A), Kind::MaySave(B), Kind::Shows(B), Kind::Saved(C), Kind::Shows(B)];
    assert_eq!(only(&one_by_one(&again)), Anomaly::AppliedTwice);
    // It may come late, once.
    let late = [Kind::Created(A), Kind::MaySave(B), Kind::Shows(A), Kind::Saved(C), Kind::Shows(B)];
    assert_eq!(names(&one_by_one(&late)), []);
}

#[test]
fn a_key_that_changed_owners_was_handed_out_while_its_document_was_there() {
    assert_eq!(only(&one_by_one(&[Kind::Handed, Kind::Created(A), Kind::Handed])), Anomaly::KeyChangedOwners);
    // Or it was handed out, and is not the only one's who was handed it.
    assert_eq!(only(&one_by_one(&[Kind::Handed, Kind::Existed(None)])), Anomaly::KeyChangedOwners);
    assert_eq!(only(&one_by_one(&[Kind::Existed(None)])), Anomaly::NeverWritten);
    // Or it shows what somebody wrote who never used it.
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Shows(B)])), Anomaly::KeyChangedOwners);
    assert_eq!(names(&one_by_one(&[Kind::Handed, Kind::Created(A), Kind::Deleted, Kind::Handed])), []);
}

#[test]
fn a_duplicate_key_was_handed_to_two_who_both_use_it() {
    let handed = |process, us| Access { process, ..at(us, us + 5, Kind::Handed) };
    let two = |between: &[Access]| {
        let mut accesses = vec![handed(1, 0), handed(2, 10)];
        accesses.extend_from_slice(between);
        accesses.extend([at(50, 55, Kind::Created(A)), at(60, 65, Kind::Saved(B))]);
        accesses.sort_by_key(|access| access.called_us);
        names(&accesses)
    };
    assert_eq!(two(&[]), [Anomaly::DuplicateKey]);
    // The first had given it back, or may have.
    assert_eq!(two(&[at(6, 9, Kind::Deleted)]), []);
    assert_eq!(two(&[at(6, 9, Kind::MayDelete)]), []);
    // It was asked for first, and handed out last, when the other had ended its session.
    let late = [
        Access { process: 1, ..at(0, 40, Kind::Handed) },
        handed(2, 10),
        at(20, 25, Kind::Created(B)),
        at(30, 35, Kind::Deleted),
        at(50, 55, Kind::Created(A)),
    ];
    assert_eq!(names(&late), []);
    // Had it been asked for afterwards, or not been ended in time, it would be one.
    let not_ended = [late[0], late[1], late[2], Access { called_us: 45, returned_us: 48, ..late[3] }, late[4]];
    assert_eq!(names(&not_ended), [Anomaly::DuplicateKey]);
    // A user whose first write had no clear response may have given the key up; the write may not have happened at all.
    let unclear = |second| {
        let may_create = Access { process: 1, called_us: 20, returned_us: NEVER, kind: Kind::MayCreate(A) };
        names(&[handed(1, 0), handed(2, 10), may_create, at(60, 65, second)])
    };
    assert_eq!((unclear(Kind::Created(B)), unclear(Kind::MayCreate(B))), (vec![], vec![]));
    // Who does not use it may have left without a word.
    assert_eq!(names(&[handed(1, 0), handed(2, 10), at(60, 65, Kind::Created(B))]), []);
}

#[test]
fn a_reservation_can_be_ended_once() {
    assert_eq!(names(&one_by_one(&[Kind::Handed, Kind::ShowsNone, Kind::Deleted, Kind::Handed, Kind::Deleted])), []);
    assert_eq!(names(&one_by_one(&[Kind::Handed, Kind::DeletesNone, Kind::Handed])), []);
    assert_eq!(only(&one_by_one(&[Kind::Handed, Kind::Deleted, Kind::Deleted])), Anomaly::AppliedTwice);
    assert_eq!(only(&one_by_one(&[Kind::Deleted])), Anomaly::NeverWritten);
}

#[test]
fn a_document_that_is_there_throughout_is_in_every_list() {
    assert_eq!(only(&one_by_one(&[Kind::Created(A), Kind::Unlisted])), Anomaly::MissingFromList);
    assert_eq!(names(&one_by_one(&[Kind::Handed, Kind::Unlisted, Kind::Created(A)])), []);
    assert_eq!(names(&one_by_one(&[Kind::Created(A), Kind::Deleted, Kind::Unlisted])), []);
}

#[test]
fn intervals_that_touch_are_at_the_same_time() {
    let touching =
        |first_us| [at(0, 5, Kind::Created(A)), at(10, 20, Kind::Saved(B)), at(first_us, 30, Kind::Shows(A))];
    assert_eq!(names(&touching(20)), []);
    assert_eq!(names(&touching(21)), [Anomaly::StaleRead]);
}
