//! The verdict on a whole history: of all documents together.

use super::access::Access;
use super::counterexample::Counterexample;
use super::{Judgement, judge};
use crate::check::anomaly::Anomaly;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many documents that are not decided are named.
const NAMED: usize = 10;

/// What is to be said of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Documents that were looked at.
    pub documents: u64,
    /// Operations on them.
    pub accesses: u64,
    /// How many accesses fit nowhere, by what that is called.
    pub anomalies: BTreeMap<Anomaly, u64>,
    /// The first of each anomaly, the earliest first.
    pub counterexamples: Vec<Counterexample>,
    /// Documents on which nothing could be decided, and why: some of them.
    pub undecided: Vec<(String, &'static str)>,
}

/// The earliest access of an anomaly.
struct First<'a> {
    anomaly: Anomaly,
    key: &'a str,
    accesses: &'a [Access],
    place: usize,
    misfits: Rc<[usize]>,
}

impl First<'_> {
    fn when_us(&self) -> u64 {
        self.accesses[self.place].returned_us
    }
}

impl Verdict {
    /// Judges each document's accesses, which are in the order of their calls. Documents share nothing, so that a
    /// history is right where each of them is (locality; Herlihy and Wing, 1990).
    #[must_use]
    pub fn of(by_key: &[(String, Vec<Access>)]) -> Self {
        let mut verdict = Self { documents: by_key.len() as u64, ..Self::default() };
        let mut firsts: BTreeMap<Anomaly, First<'_>> = BTreeMap::new();
        for (key, accesses) in by_key {
            verdict.accesses += accesses.len() as u64;
            let Judgement { wrong, undecided } = judge(accesses);
            if let Some(why) = undecided
                && verdict.undecided.len() < NAMED
            {
                verdict.undecided.push((key.clone(), why));
            }
            let misfits: Rc<[usize]> = wrong.iter().map(|(place, _)| *place).collect();
            for (place, anomaly) in wrong {
                *verdict.anomalies.entry(anomaly).or_default() += 1;
                let first = First { anomaly, key, accesses, place, misfits: Rc::clone(&misfits) };
                if firsts.get(&anomaly).is_none_or(|known| first.when_us() < known.when_us()) {
                    firsts.insert(anomaly, first);
                }
            }
        }
        let mut firsts: Vec<First<'_>> = firsts.into_values().collect();
        firsts.sort_by_key(First::when_us);
        let counterexample = |first: First<'_>| {
            Counterexample::new(first.key, first.anomaly, first.accesses, first.place, &first.misfits)
        };
        verdict.counterexamples = firsts.into_iter().map(counterexample).collect();
        verdict
    }

    /// Whether one order explains the whole history; `None` where that is not decided.
    #[must_use]
    pub fn is_linearizable(&self) -> Option<bool> {
        match (self.anomalies.is_empty(), self.undecided.is_empty()) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        }
    }
}
