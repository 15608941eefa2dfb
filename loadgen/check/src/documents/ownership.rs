//! Keys that two users were handed: that shows in who writes, not in what is there.

use super::access::{Access, Kind};

/// How long a key is held on trust for somebody who was handed it and writes nothing, µs: servers may give it back.
const TRUSTED_US: u64 = 60_000_000;

/// A key that two users were handed and use, with nothing between that could have ended the first one's session: the
/// places of both hand-outs, the second one first, and of the first use by each.
pub(super) type Duplicate = [usize; 4];

/// All such, in the order of the second hand-outs.
pub(super) fn duplicates(accesses: &[Access]) -> Vec<Duplicate> {
    let handed: Vec<usize> = places(accesses, |kind| kind == Kind::Handed);
    let ends = places(accesses, |kind| matches!(kind, Kind::Deleted | Kind::DeletesNone | Kind::MayDelete));
    // A write without a clear response may be no use of the key: its user gave the key up.
    let writes = places(accesses, |kind| matches!(kind, Kind::Created(_) | Kind::Saved(_) | Kind::Existed(_)));
    let use_of = |handed: &Access| {
        let is_use =
            |place: &&usize| accesses[**place].process == handed.process && handed.is_before(&accesses[**place]);
        writes.iter().find(is_use).copied()
    };
    let duplicate = |pair: &[usize]| {
        let [first, second] = [pair[0], pair[1]].map(|place| &accesses[place]);
        let (used, used_too) = (use_of(first)?, use_of(second)?);
        // One cannot have come after the other: the other's user still had the key.
        let is_held = |earlier: &Access, used: usize, later: &Access| {
            let may_end = |place: &usize| !accesses[*place].is_before(earlier) && !later.is_before(&accesses[*place]);
            let is_trusted = accesses[used].called_us < earlier.returned_us.saturating_add(TRUSTED_US);
            is_trusted && !ends.iter().any(may_end)
        };
        // Of those at the same time, the one that was called later may have come first.
        let is_duplicate = first.process != second.process
            && is_held(first, used, second)
            && (first.is_before(second) || is_held(second, used_too, first));
        is_duplicate.then_some([pair[1], pair[0], used, used_too])
    };
    handed.windows(2).filter_map(duplicate).collect()
}

fn places(accesses: &[Access], is_meant: impl Fn(Kind) -> bool) -> Vec<usize> {
    accesses.iter().enumerate().filter(|(_, access)| is_meant(access.kind)).map(|(place, _)| place).collect()
}
