//! Lists, as weaker reads: a list is no picture of one moment, but a document that is there from before its call until
//! after its answer must be in it. What else it shows may be anybody's.

use super::access::{Access, Kind};
use std::collections::BTreeMap;

/// A key as a list is kept in memory.
pub type ListedKey = [u8; 3];

/// A list that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Who asked.
    pub process: u32,
    /// When it was sent, µs since the run's start.
    pub called_us: u64,
    /// When the whole answer was there, µs since the run's start.
    pub returned_us: u64,
    /// The keys in it, sorted.
    pub keys: Vec<ListedKey>,
}

impl Listing {
    /// The list as an access to a document that is not in it.
    fn without(&self) -> Access {
        let Self { process, called_us, returned_us, .. } = *self;
        Access { process, called_us, returned_us, kind: Kind::Unlisted }
    }
}

/// When a document is certainly there: from `from_us` on, and not from `to_us` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Presence {
    key: ListedKey,
    from_us: u64,
    to_us: u64,
}

/// Enters each list that lacks a document which was there throughout among the accesses to that document: to the first of
/// them, for one answer is wrong once. Lists are sorted by their calls.
pub fn enter_unlisted(by_key: &mut [(String, Vec<Access>)], lists: &mut [Listing]) {
    if lists.is_empty() {
        return;
    }
    let places: BTreeMap<ListedKey, usize> =
        (0..).zip(&*by_key).filter_map(|(at, (key, _))| Some((bytes(key)?, at))).collect();
    let mut coming: Vec<Presence> = places.iter().flat_map(|(key, at)| presences(*key, &by_key[*at].1)).collect();
    coming.sort_unstable_by_key(|presence| std::cmp::Reverse(presence.from_us));
    lists.sort_unstable_by_key(|list| list.called_us);
    let mut present: Vec<Presence> = Vec::new();
    for list in lists {
        while let Some(next) = coming.pop_if(|next| next.from_us < list.called_us) {
            present.push(next);
        }
        present.retain(|presence| presence.to_us > list.called_us);
        let is_missing =
            |presence: &&Presence| presence.to_us > list.returned_us && list.keys.binary_search(&presence.key).is_err();
        if let Some(missing) = present.iter().filter(is_missing).map(|presence| presence.key).min() {
            by_key[places[&missing]].1.push(list.without());
        }
    }
}

/// A key as lists have it; none where it is no key.
fn bytes(key: &str) -> Option<ListedKey> {
    key.as_bytes().try_into().ok()
}

/// When a document is certainly there: from a response that shows it until it may be gone.
fn presences(key: ListedKey, accesses: &[Access]) -> Vec<Presence> {
    let mut removals: Vec<(u64, u64)> = accesses
        .iter()
        .filter(|access| may_remove(access.kind))
        .map(|access| (access.called_us, access.returned_us))
        .collect();
    removals.sort_unstable();
    // The latest answer to any removal so far.
    let mut latest_us = 0;
    removals.iter_mut().for_each(|(_, returned_us)| {
        latest_us = latest_us.max(*returned_us);
        *returned_us = latest_us;
    });
    let mut first_seen_us: BTreeMap<u64, u64> = BTreeMap::new();
    for access in accesses.iter().filter(|access| is_seen(access.kind)) {
        let next = removals.partition_point(|(called_us, _)| *called_us <= access.returned_us);
        let may_be_gone = next.checked_sub(1).is_some_and(|last| removals[last].1 >= access.called_us);
        if !may_be_gone {
            let to_us = removals.get(next).map_or(u64::MAX, |(called_us, _)| *called_us);
            let from_us = first_seen_us.entry(to_us).or_insert(access.returned_us);
            *from_us = access.returned_us.min(*from_us);
        }
    }
    first_seen_us.into_iter().map(|(to_us, from_us)| Presence { key, from_us, to_us }).collect()
}

/// Whether an answer says that the document is there at some moment between its call and itself.
fn is_seen(kind: Kind) -> bool {
    matches!(kind, Kind::Created(_) | Kind::Saved(_) | Kind::Existed(_) | Kind::Shows(_))
}

/// Whether the document may be gone from then on. A response that finds no document may be wrong, and is judged by
/// itself; lists that omit the document afterwards may be as right as that response.
fn may_remove(kind: Kind) -> bool {
    matches!(kind, Kind::Deleted | Kind::MayDelete | Kind::DeletesNone | Kind::ShowsNone | Kind::Handed)
}

#[cfg(test)]
mod tests {
    use super::super::access::{Content, NEVER};
    use super::*;

    const A: Content = Content { writer: 1, number: 0 };

    fn at(called_us: u64, returned_us: u64, kind: Kind) -> Access {
        Access { process: 1, called_us, returned_us, kind }
    }

    /// Whether a list from 100 to 200 µs that shows nothing is held against a document with these accesses.
    fn is_missed(accesses: &[Access]) -> bool {
        is_missed_by(accesses, &[])
    }

    fn is_missed_by(accesses: &[Access], keys: &[ListedKey]) -> bool {
        let mut by_key = [("A4K".to_owned(), accesses.to_vec())];
        let list = Listing { process: 2, called_us: 100, returned_us: 200, keys: keys.to_vec() };
        enter_unlisted(&mut by_key, &mut [list]);
        let entered = &by_key[0].1[accesses.len()..];
        assert!(entered.iter().all(|access| *access == Access { process: 2, ..at(100, 200, Kind::Unlisted) }));
        !entered.is_empty()
    }

    #[test]
    fn what_is_there_from_before_the_call_until_after_the_answer_must_be_listed() {
        for kind in [Kind::Created(A), Kind::Saved(A), Kind::Existed(None), Kind::Shows(A)] {
            assert!(is_missed(&[at(0, 99, kind)]), "{kind:?}");
            assert!(!is_missed_by(&[at(0, 99, kind)], &[*b"A4K", *b"B4K"]), "{kind:?}");
            assert!(is_missed_by(&[at(0, 99, kind)], &[*b"9ZZ", *b"B4K"]), "{kind:?}");
        }
        for kind in [Kind::Handed, Kind::MayCreate(A), Kind::MaySave(A), Kind::Refused(A), Kind::ShowsNone, Kind::Torn]
        {
            assert!(!is_missed(&[at(0, 99, kind)]), "{kind:?}");
        }
        // That it is seen again later takes nothing away.
        assert!(is_missed(&[at(0, 20, Kind::Created(A)), at(60, 120, Kind::Shows(A))]));
        // It may have been there only afterwards.
        assert!(!is_missed(&[at(50, 100, Kind::Created(A))]));
        assert!(!is_missed(&[at(150, 160, Kind::Created(A))]));
    }

    #[test]
    fn what_may_have_been_deleted_need_not_be_listed() {
        let created = at(0, 20, Kind::Created(A));
        for (delete, is_there) in [
            (at(30, 40, Kind::Deleted), false),
            (at(200, 300, Kind::Deleted), false),
            (at(30, NEVER, Kind::MayDelete), false),
            // At the same time as the document was created.
            (at(20, 40, Kind::Deleted), false),
            (at(0, NEVER, Kind::MayDelete), false),
            (at(201, 300, Kind::Deleted), true),
            (at(201, NEVER, Kind::MayDelete), true),
            // The delete found nothing: either that is wrong, or there was nothing.
            (at(30, 40, Kind::DeletesNone), false),
            (at(30, 40, Kind::ShowsNone), false),
            (at(30, 40, Kind::Handed), false),
        ] {
            assert_eq!(is_missed(&[created, delete]), is_there, "{delete:?}");
            // Seen once more in time, it is there all the same, unless the delete may come after that.
            let seen = at(60, 70, Kind::Shows(A));
            let may_come_later = delete.returned_us >= 60 && delete.called_us <= 200;
            assert_eq!(is_missed(&[created, delete, seen]), !may_come_later, "{delete:?}");
        }
        // Intervals that touch are at the same time.
        assert!(!is_missed(&[at(30, 60, Kind::Deleted), at(60, 70, Kind::Shows(A))]));
        assert!(is_missed(&[at(30, 59, Kind::Deleted), at(60, 70, Kind::Shows(A))]));
        // One delete is over, the other is not.
        let other = at(25, 65, Kind::Deleted);
        assert!(!is_missed(&[created, other, at(30, 40, Kind::Deleted), at(60, 70, Kind::Shows(A))]));
    }

    #[test]
    fn a_list_is_wrong_once() {
        let created = || vec![at(0, 20, Kind::Created(A))];
        let mut by_key = [("B4K".to_owned(), created()), ("A4K".to_owned(), created()), ("C4K".to_owned(), created())];
        let list = |called_us, keys: &[ListedKey]| Listing {
            process: 2,
            called_us,
            returned_us: called_us + 9,
            keys: keys.to_vec(),
        };
        let mut lists =
            [list(50, &[*b"A4K", *b"C4K"]), list(30, &[]), list(10, &[]), list(70, &[*b"A4K", *b"B4K", *b"C4K"])];
        enter_unlisted(&mut by_key, &mut lists);
        assert_eq!(
            by_key.map(|(_, accesses)| accesses[1..].to_vec()),
            [
                vec![Access { process: 2, ..at(50, 59, Kind::Unlisted) }],
                vec![Access { process: 2, ..at(30, 39, Kind::Unlisted) }],
                vec![],
            ]
        );
    }
}
