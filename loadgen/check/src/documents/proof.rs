//! Checks by the simplest means that a counterexample is a proof: it tries every order of its accesses. Between any two
//! of them, the other accesses may have done anything that they could do at that time: those with a clear response any
//! number of times, the rest once each. It shares nothing with the search that found the counterexample but the form of
//! accesses.

use super::access::{Access, Content, Kind, NEVER};
use super::frontier::Start;
use std::collections::HashMap;

/// Most accesses whose orders are tried: one bit each in [`Moment`]. A long chain has few orders, as most of its
/// accesses follow each other; more than about 16 concurrent ones soon have too many.
pub(super) const MOST_ACCESSES: usize = 128;

/// Most moments that are visited, some 100 bytes each.
const MOST_MOMENTS: usize = 20_000;

/// What is stored under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum There {
    Nothing,
    Reservation,
    /// A document that none of these accesses wrote.
    Others,
    Content(Content),
}

/// Whether no order of these accesses is right, whatever the others did meanwhile. Orders start from nothing or, if
/// earlier accesses are left out, from anything that none of these wrote. `None` if there are too many ways to try.
#[must_use]
pub(super) fn convicts(accesses: &[Access], others: &[Access], start: Start) -> Option<bool> {
    let begins_us = accesses.iter().map(|access| access.called_us).min().unwrap_or(0);
    let is_once =
        |access: &&Access| access.is_optional() && access.returned_us != NEVER && access.returned_us >= begins_us;
    let (once, others): (Vec<&Access>, Vec<&Access>) = others.iter().partition(is_once);
    let accesses: Vec<Access> = accesses.iter().chain(once).copied().collect();
    if accesses.len() > MOST_ACCESSES {
        return None;
    }
    let mut orders = Orders { accesses: &accesses, others: Others::new(&others), earliest_us: HashMap::new() };
    let starts: &[There] = match start {
        Start::Absent => &[There::Nothing],
        Start::Anything => &[There::Nothing, There::Reservation, There::Others],
    };
    let is_explained = starts.iter().any(|there| orders.is_explained(Moment::new(*there), 0));
    if orders.earliest_us.len() > MOST_MOMENTS { None } else { Some(!is_explained) }
}

impl Moment {
    fn new(there: There) -> Self {
        Self { done: 0, there, used: [0; KINDS] }
    }
}

/// Kinds of effects that others may have: write, create, remove, hand the key out.
const KINDS: usize = 4;

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Moment {
    /// The accesses that have taken effect, one bit each.
    done: u128,
    there: There,
    /// By kind: how many of the others without a response have taken effect.
    used: [usize; KINDS],
}

/// By kind: when the others may take effect.
struct Others([Times; KINDS]);

impl Others {
    fn new(others: &[&Access]) -> Self {
        let times =
            |is_meant: fn(Kind) -> bool| Times::new(others.iter().copied().filter(|access| is_meant(access.kind)));
        Self([
            times(|kind| matches!(kind, Kind::Saved(_) | Kind::MaySave(_))),
            times(|kind| matches!(kind, Kind::Created(_) | Kind::MayCreate(_))),
            times(|kind| matches!(kind, Kind::Deleted | Kind::MayDelete)),
            times(|kind| kind == Kind::Handed),
        ])
    }

    /// What they may turn this moment into from a time on, and when at the earliest.
    fn ways(&self, moment: Moment, from_us: u64) -> impl Iterator<Item = (Moment, u64)> {
        let then = [There::Others, There::Others, There::Nothing, There::Reservation];
        let needs_absence = [false, true, false, true];
        let is_document = matches!(moment.there, There::Others | There::Content(_));
        (0..KINDS).filter(move |kind| then[*kind] != moment.there && !(needs_absence[*kind] && is_document)).filter_map(
            move |kind| {
                let (at_us, is_open) = self.0[kind].next_us(from_us, moment.used[kind])?;
                let mut next = Moment { there: then[kind], ..moment };
                next.used[kind] += usize::from(is_open);
                Some((next, at_us))
            },
        )
    }
}

struct Times {
    /// Intervals, sorted by start, each with the latest end of those up to it.
    closed: Vec<(u64, u64)>,
    /// Call times of those without a response.
    open: Vec<u64>,
}

impl Times {
    fn new<'a>(accesses: impl Iterator<Item = &'a Access>) -> Self {
        let mut times: Vec<(u64, u64)> = accesses.map(|access| (access.called_us, access.returned_us)).collect();
        times.sort_unstable();
        let (open, mut closed): (Vec<_>, Vec<_>) = times.into_iter().partition(|(_, end_us)| *end_us == NEVER);
        let mut latest_us = 0;
        for (_, end_us) in &mut closed {
            latest_us = latest_us.max(*end_us);
            *end_us = latest_us;
        }
        Self { closed, open: open.into_iter().map(|(called_us, _)| called_us).collect() }
    }

    /// The first time from `from_us` on at which one of them may take effect, if `used` of the open ones already have;
    /// and whether it is an open one.
    fn next_us(&self, from_us: u64, used: usize) -> Option<(u64, bool)> {
        let begun = self.closed.partition_point(|(called_us, _)| *called_us <= from_us);
        let is_under_way = begun > 0 && self.closed[begun - 1].1 >= from_us;
        let closed = if is_under_way { Some(from_us) } else { self.closed.get(begun).map(|(called_us, _)| *called_us) };
        let open = self.open.get(used).map(|called_us| (from_us.max(*called_us), true));
        closed.map(|us| (us, false)).into_iter().chain(open).min()
    }
}

struct Orders<'a> {
    accesses: &'a [Access],
    others: Others,
    /// The earliest time at which each moment was reached: from a later time, nothing more can follow.
    earliest_us: HashMap<Moment, u64>,
}

impl Orders<'_> {
    /// Whether the remaining accesses can follow.
    fn is_explained(&mut self, moment: Moment, now_us: u64) -> bool {
        let known_us = self.earliest_us.get(&moment).copied().unwrap_or(NEVER);
        if known_us <= now_us || self.earliest_us.len() > MOST_MOMENTS {
            return false;
        }
        self.earliest_us.insert(moment, now_us);
        let left: Vec<usize> = (0..self.accesses.len()).filter(|place| moment.done >> place & 1 == 0).collect();
        let required = left.iter().map(|place| &self.accesses[*place]).filter(|access| !access.is_optional());
        let Some(latest_us) = required.map(|access| access.returned_us).min() else { return true };
        for place in left {
            let access = &self.accesses[place];
            let at_us = now_us.max(access.called_us);
            if let Some(there) = after(access.kind, moment.there)
                && at_us <= latest_us.min(access.returned_us)
                && self.is_explained(Moment { done: moment.done | 1 << place, there, ..moment }, at_us)
            {
                return true;
            }
        }
        let ways: Vec<(Moment, u64)> = self.others.ways(moment, now_us).collect();
        ways.into_iter().any(|(next, at_us)| at_us <= latest_us && self.is_explained(next, at_us))
    }
}

/// What is stored after an access; `None` if the access cannot be right.
fn after(kind: Kind, there: There) -> Option<There> {
    let is_document = matches!(there, There::Others | There::Content(_));
    match kind {
        Kind::Handed => (!is_document).then_some(There::Reservation),
        Kind::Created(content) | Kind::MayCreate(content) => (!is_document).then_some(There::Content(content)),
        Kind::Saved(content) | Kind::MaySave(content) => Some(There::Content(content)),
        Kind::Existed(_) => is_document.then_some(there),
        Kind::Shows(content) => (there == There::Content(content)).then_some(there),
        Kind::ShowsNone | Kind::Unreadable | Kind::Unlisted | Kind::DeletesNone => (!is_document).then_some(there),
        Kind::Deleted => (there != There::Nothing).then_some(There::Nothing),
        Kind::MayDelete => Some(There::Nothing),
        Kind::Refused(_) => Some(there),
        Kind::Torn => None,
    }
}
