//! The judge against every order of small histories.

use super::access::{Access, Content, Kind, NEVER};
use super::counterexample::Counterexample;
use super::frontier::{Part, Start, Stopped};
use super::model::{OneDocument, step};
use super::proof::convicts;
use super::shrink::{Piece, cut, may_have_done, smallest};
use super::{Judgement, judge};
use crate::anomaly::Anomaly;
use crate::linearizability::{Budget, Call, Verdict, check};
use crate::store::Slot;

/// Numbers that look drawn (a 64-bit linear congruence, its high bits).
pub(super) fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Whether any order of all accesses, or of those that must have taken effect and some others, is right and in time.
fn any_order_explains(accesses: &[Access]) -> bool {
    let mut left: Vec<usize> = (0..accesses.len()).collect();
    explains(accesses, &mut left, &Slot::Absent)
}

fn explains(accesses: &[Access], left: &mut Vec<usize>, slot: &Slot) -> bool {
    if left.iter().all(|&place| accesses[place].is_optional()) {
        return true;
    }
    for at in 0..left.len() {
        let place = left[at];
        let comes_first = left.iter().all(|&other| !accesses[other].is_before(&accesses[place]));
        let Some(after) = step(slot, &accesses[place]).filter(|_| comes_first) else { continue };
        left.remove(at);
        let is_explained = explains(accesses, left, &after);
        left.insert(at, place);
        if is_explained {
            return true;
        }
    }
    false
}

/// A history of one document that some order explains, by its making: each access takes effect within its interval.
fn history(draw: &mut impl FnMut(u64) -> u64, accesses: usize) -> Vec<Access> {
    let processes = 2 + draw(4);
    let mut free_us = vec![0; usize::try_from(processes).expect("small")];
    let mut slot = Slot::Absent;
    let mut at_us = 0;
    let mut made = Vec::new();
    for number in 0..accesses {
        at_us += 1 + draw(3);
        let process = usize::try_from(draw(processes)).expect("small");
        let called_us = at_us.saturating_sub(draw(12)).max(free_us[process]).min(at_us);
        let returned_us = at_us + draw(12);
        free_us[process] = returned_us + 1;
        let content =
            Content { writer: u32::try_from(process).expect("small"), number: u32::try_from(number).expect("small") };
        let shown = slot.document().map(|document| document.state.clone());
        let is_lost = draw(9) == 0;
        let takes_effect = !is_lost || draw(2) == 0;
        let kind = match draw(10) {
            0 if shown.is_none() && !is_lost => Kind::Handed,
            0..=1 if is_lost => Kind::MayCreate(content),
            0..=1 if shown.is_none() => Kind::Created(content),
            0..=1 => Kind::Existed(Some(content)),
            2..=4 if is_lost => Kind::MaySave(content),
            2..=4 if draw(12) == 0 => Kind::Refused(content),
            2..=4 => Kind::Saved(content),
            5 if is_lost => Kind::MayDelete,
            5 => match slot {
                Slot::Absent => Kind::DeletesNone,
                Slot::Reserved { .. } if draw(3) == 0 => Kind::DeletesNone,
                _ => Kind::Deleted,
            },
            _ => match shown {
                Some(text) => Kind::Shows(content_of(&text)),
                None if draw(3) == 0 => Kind::Unreadable,
                None if draw(4) == 0 => Kind::Unlisted,
                None => Kind::ShowsNone,
            },
        };
        let optional = matches!(kind, Kind::MayCreate(_) | Kind::MaySave(_) | Kind::MayDelete);
        let access = Access {
            process: u32::try_from(process).expect("small"),
            called_us,
            returned_us: if optional { NEVER } else { returned_us },
            kind,
        };
        if !optional || takes_effect {
            slot = step(&slot, &access).expect("right by its making");
        }
        made.push(access);
    }
    made
}

fn content_of(text: &str) -> Content {
    let (writer, number) = text.strip_prefix('w').and_then(|rest| rest.split_once(".n")).expect("a content");
    Content { writer: writer.parse().expect("a number"), number: number.parse().expect("a number") }
}

/// Makes one answer another's, or moves one access in time, or makes one wait for ever.
fn spoil(draw: &mut impl FnMut(u64) -> u64, accesses: &mut [Access]) {
    let mut any = |below: usize| usize::try_from(draw(below as u64)).expect("small");
    let (one, other) = (any(accesses.len()), any(accesses.len()));
    match any(4) {
        0 => {
            let by = any(10) as u64;
            let length = accesses[one].returned_us.saturating_sub(accesses[one].called_us);
            accesses[one].called_us += by;
            accesses[one].returned_us = accesses[one].called_us.saturating_add(length);
        }
        1 => accesses[one].kind = Kind::ShowsNone,
        2 if accesses[one].kind.written().is_none() => accesses[one].kind = Kind::Deleted,
        _ => {
            if let (Some(content), None) = (accesses[other].kind.written(), accesses[one].kind.written()) {
                accesses[one].kind = Kind::Shows(content);
            }
        }
    }
    for access in accesses {
        if access.returned_us == NEVER && !access.is_optional() {
            access.returned_us = access.called_us + 3;
        }
    }
}

fn part(accesses: &[Access]) -> Part<'_> {
    Part { accesses, ghosts: &[], start: Start::Absent }
}

fn verdict(accesses: &[Access]) -> bool {
    let findings = part(accesses).search(true);
    assert!(!matches!(findings.stopped, Some(Stopped::TooMany | Stopped::NotUnique)), "{findings:?}");
    findings.misfits.is_empty()
}

/// The verdict of the search that knows nothing of documents but the model.
fn general_verdict(accesses: &[Access]) -> bool {
    let calls: Vec<Call<Access>> = accesses.iter().map(Access::call).collect();
    let document = OneDocument { start: Slot::Absent };
    match check(&document, &calls, &mut Budget::new(1 << 28, || false)) {
        Verdict::Linearizable { .. } => true,
        Verdict::NotLinearizable { .. } => false,
        Verdict::Undecided { why } => panic!("{why}"),
    }
}

/// A small history, now and then spoiled, and whether it is as it was made.
fn any_history(seed: u64) -> (Vec<Access>, bool) {
    let mut draw = numbers(seed);
    let size = 3 + usize::try_from(draw(6)).expect("small");
    let mut accesses = history(&mut draw, size);
    let spoils = draw(3);
    (0..spoils).for_each(|_| spoil(&mut draw, &mut accesses));
    (accesses, spoils == 0)
}

#[test]
fn small_histories_get_the_verdict_of_all_their_orders_three_times() {
    let mut explained = [0_u32; 2];
    for seed in 0..100_000 {
        let (accesses, is_legal) = any_history(seed);
        let expected = any_order_explains(&accesses);
        assert!(expected || !is_legal, "seed {seed}");
        assert_eq!(verdict(&accesses), expected, "seed {seed}: {accesses:#?}");
        assert_eq!(general_verdict(&accesses), expected, "seed {seed}: {accesses:#?}");
        explained[usize::from(expected)] += 1;
    }
    // Both kinds are among them.
    assert!(explained.iter().all(|count| *count > 10_000), "{explained:?}");
}

#[test]
fn what_is_explained_without_its_misfits_is_so_by_some_order() {
    let mut seen = 0;
    for seed in 0..20_000 {
        let (accesses, _) = any_history(seed);
        let findings = part(&accesses).search(false);
        if findings.misfits.is_empty() || findings.stopped.is_some() {
            continue;
        }
        let misfits = [&findings.misfits[..], &findings.forgiven].concat();
        let relaxed = |(place, access): (usize, &Access)| {
            if misfits.contains(&place) { may_have_done(access, place) } else { vec![*access] }
        };
        // In this test, a content that is shown again is known.
        let shown = |mut access: Access, place: usize| {
            if let (Kind::MaySave(_), Kind::Shows(content)) = (access.kind, accesses[place].kind) {
                access.kind = Kind::MaySave(content);
            }
            // An access that may be left out must not be waited for.
            Access { returned_us: if access.is_optional() { NEVER } else { access.returned_us }, ..access }
        };
        let left: Vec<Access> = accesses
            .iter()
            .enumerate()
            .flat_map(|(place, access)| relaxed((place, access)).into_iter().map(move |access| shown(access, place)))
            .collect();
        assert!(any_order_explains(&left), "seed {seed}: {findings:?} {accesses:#?}");
        seen += 1;
    }
    assert!(seen > 1_000, "{seen}");
}

#[test]
fn a_smallest_piece_is_wrong_and_none_of_it_can_be_taken_away() {
    let mut seen = 0;
    for seed in 0..20_000 {
        let (mut accesses, _) = any_history(seed);
        accesses.sort_by_key(|access| access.called_us);
        let findings = part(&accesses).search(false);
        let Some(&misfit) = findings.misfits.first() else { continue };
        let mut misfits = [&findings.misfits[..], &findings.forgiven].concat();
        misfits.sort_unstable();
        let Some(piece) = smallest(&accesses, misfit, &misfits) else { continue };
        let search = |ghosts: &[bool]| {
            let part = Part { accesses: &piece.accesses, ghosts, start: piece.start };
            !part.search(true).misfits.is_empty()
        };
        assert!(search(&piece.ghosts), "seed {seed}");
        let shown: Vec<Content> = piece.core().filter_map(|(_, access)| access.kind.shown()).collect();
        let writes_shown = |access: &Access| access.kind.written().is_some_and(|content| shown.contains(&content));
        for (place, access) in piece.core().filter(|(_, access)| !writes_shown(access)) {
            let mut fewer = piece.ghosts.clone();
            fewer[place] = true;
            let core = piece.core().filter(|(other, _)| *other != place).map(|(_, access)| *access);
            let others =
                piece.accesses.iter().zip(&fewer).filter(|(_, is_ghost)| **is_ghost).map(|(access, _)| *access);
            let is_needed = !search(&fewer)
                || convicts(&core.collect::<Vec<_>>(), &others.collect::<Vec<_>>(), piece.start) == Some(false);
            assert!(*access == accesses[misfit] || is_needed, "seed {seed}: {access:?} of {accesses:#?}");
        }
        // Nothing was forgotten: whatever the ghosts did, no order of all of it is right.
        let optional = |(place, access): (usize, &Access)| {
            let kind = match access.kind {
                kind if !piece.ghosts[place] => Some(kind),
                Kind::Created(content) | Kind::MayCreate(content) => Some(Kind::MayCreate(content)),
                Kind::Saved(content) | Kind::MaySave(content) => Some(Kind::MaySave(content)),
                Kind::Deleted | Kind::MayDelete => Some(Kind::MayDelete),
                _ => None,
            };
            kind.map(|kind| Access { kind, ..*access })
        };
        let whole: Vec<Access> = piece.accesses.iter().enumerate().filter_map(optional).collect();
        assert!(!any_order_explains(&whole), "seed {seed}: {whole:#?}");
        seen += 1;
    }
    assert!(seen > 2_000, "{seen}");
}

#[test]
fn a_content_that_was_written_twice_is_judged_by_the_general_search() {
    let content = Content { writer: 1, number: 0 };
    let at = |us, kind| Access { process: 1, called_us: us, returned_us: us + 5, kind };
    let saved = |last| [at(0, Kind::Saved(content)), at(10, Kind::Saved(content)), at(20, last)];
    assert_eq!(judge(&saved(Kind::Shows(content))), Judgement::default());
    // Only a content that somebody sees makes them be told apart.
    let gone = [
        at(0, Kind::Saved(content)),
        at(10, Kind::Saved(content)),
        at(20, Kind::Shows(content)),
        at(30, Kind::ShowsNone),
    ];
    assert_eq!(judge(&gone).wrong, [(3, Anomaly::NotLinearizable)]);
}

/// A long history of many at one document, which an order explains by its making.
fn long_history(seed: u64) -> Vec<Access> {
    let mut draw = numbers(seed);
    let mut accesses = history(&mut draw, 160);
    accesses.sort_by_key(|access| access.called_us);
    accesses
}

#[test]
fn from_whatever_moment_on_a_right_history_is_right() {
    for seed in 0..25 {
        let accesses = long_history(seed);
        for from in (0..accesses.len()).step_by(7) {
            let whole = Piece { ghosts: vec![false; accesses.len()], accesses: accesses.clone(), start: Start::Absent };
            let findings = cut(&whole, from).part().search(true);
            assert!(findings.misfits.is_empty(), "seed {seed} from {from}: {findings:?}");
        }
    }
}

#[test]
fn in_a_long_history_the_smallest_piece_holds_what_is_wrong_and_more() {
    let mut proofs = 0;
    for seed in 0..100 {
        let mut accesses = long_history(seed);
        let shown = |access: &Access| access.kind.shown();
        let late = accesses.iter().rposition(|access| shown(access).is_some()).expect("somebody reads");
        let early = accesses[..late / 3].iter().find_map(|access| access.kind.written()).expect("somebody writes");
        accesses[late].kind = Kind::Shows(early);
        let wrong = judge(&accesses).wrong;
        let misfits: Vec<usize> = wrong.iter().map(|(place, _)| *place).collect();
        if misfits != [late] {
            continue;
        }
        let piece = smallest(&accesses, late, &misfits).expect("it is wrong");
        let core: Vec<&Access> = piece.core().map(|(_, access)| access).collect();
        assert!(core.contains(&&accesses[late]) && core.len() > 1 && core.len() < 9, "seed {seed}: {core:#?}");
        proofs += 1;
    }
    assert!(proofs > 30, "{proofs}");
}

/// Regression: two concurrent restores, each of which may be right by itself, were printed as the proof that a third
/// operation went wrong. What convicts them is when the contents that they show were saved.
#[test]
fn every_counterexample_is_a_proof_by_all_orders_of_its_accesses() {
    let (mut proven, mut unproven) = ([0_usize; 2], 0);
    for seed in 0..500 {
        let mut draw = numbers(seed);
        let size = 20 + usize::try_from(draw(100)).expect("small");
        let mut accesses = history(&mut draw, size);
        (0..=draw(3)).for_each(|_| spoil(&mut draw, &mut accesses));
        accesses.sort_by_key(|access| access.called_us);
        let judgement = judge(&accesses);
        let misfits = judgement.misfits();
        for (place, anomaly) in judgement.wrong.into_iter().filter(|(_, anomaly)| *anomaly != Anomaly::DuplicateKey) {
            let Some(counterexample) = Counterexample::new("A4K", anomaly, &accesses, place, &misfits) else {
                assert_ne!(place, misfits[0], "seed {seed}: the first can be proven");
                unproven += 1;
                continue;
            };
            let shown = counterexample.accesses.iter().filter_map(|access| access.kind.shown());
            let written: Vec<Content> =
                counterexample.accesses.iter().filter_map(|access| access.kind.written()).collect();
            let is_known = |content: &Content| accesses.iter().any(|access| access.kind.written() == Some(*content));
            assert!(
                shown.filter(is_known).all(|content| written.contains(&content)),
                "seed {seed}: {counterexample:#?}"
            );
            let is_proven = counterexample.is_proof(&accesses, &misfits) == Some(true);
            assert!(is_proven || place != misfits[0], "seed {seed}: {counterexample:#?}");
            proven[usize::from(is_proven)] += 1;
        }
    }
    assert!(proven[1] > 150 && (proven[0] + unproven) * 50 < proven[1], "{proven:?} and {unproven}");
}

/// A proof may be long: each of a hundred operations has a fixed place, as one follows the other.
#[test]
fn a_long_chain_is_followed_from_its_first_operation_to_its_last() {
    let of = |number| Content { writer: 1, number };
    let at = |us: u32, kind| Access { process: 1, called_us: us.into(), returned_us: (us + 15).into(), kind };
    let chain = |last| {
        let saved = (0..50).flat_map(|number| {
            let us = number * 20;
            [at(us, Kind::Saved(of(number))), at(us + 10, Kind::Shows(of(number)))]
        });
        saved.chain([at(2_000, last)]).collect::<Vec<_>>()
    };
    assert_eq!(convicts(&chain(Kind::Shows(of(49))), &[], Start::Absent), Some(false));
    assert_eq!(convicts(&chain(Kind::Shows(of(48))), &[], Start::Absent), Some(true));
    assert_eq!(convicts(&chain(Kind::ShowsNone), &[], Start::Absent), Some(true));
    let deleted = [at(500, Kind::MayDelete)];
    assert_eq!(convicts(&chain(Kind::ShowsNone), &deleted, Start::Absent), Some(true));
    let open = [Access { returned_us: NEVER, ..deleted[0] }];
    assert_eq!(convicts(&chain(Kind::ShowsNone), &open, Start::Absent), Some(false));
}

#[test]
fn what_an_order_explains_is_no_proof() {
    for seed in 0..2_000 {
        let mut draw = numbers(seed);
        let accesses = history(&mut draw, 9);
        assert_eq!(convicts(&accesses, &[], Start::Absent), Some(false), "seed {seed}: {accesses:#?}");
        // Nor is any piece of it a proof.
        let (some, others): (Vec<Access>, Vec<Access>) = accesses.iter().partition(|_| draw(2) == 0);
        let shown: Vec<Content> = some.iter().filter_map(|access| access.kind.shown()).collect();
        let is_shown = |access: &&Access| access.kind.written().is_some_and(|content| shown.contains(&content));
        let some = [&some[..], &others.iter().filter(is_shown).copied().collect::<Vec<_>>()].concat();
        assert_eq!(convicts(&some, &others, Start::Absent), Some(false), "seed {seed}: {some:#?} among {others:#?}");
    }
}
