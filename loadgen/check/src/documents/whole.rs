//! The verdict on a whole history: of all documents together.

use super::access::Access;
use super::counterexample::Counterexample;
use super::judge;
use crate::anomaly::Anomaly;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many misfits of each anomaly are tried for a proof: the first misfit of a document can always be proven.
const TRIED: usize = 16;

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

/// An access that fits nowhere.
struct Misfit<'a> {
    anomaly: Anomaly,
    key: &'a str,
    accesses: &'a [Access],
    place: usize,
    misfits: Rc<[usize]>,
}

impl Misfit<'_> {
    fn when_us(&self) -> u64 {
        self.accesses[self.place].returned_us
    }

    /// A piece of the history that shows it, and whether the piece is known to be no proof by itself.
    fn counterexample(&self) -> Option<(Counterexample, bool)> {
        let counterexample = Counterexample::new(self.key, self.anomaly, self.accesses, self.place, &self.misfits)?;
        let is_no_proof = counterexample.is_proof(self.accesses, &self.misfits) == Some(false);
        Some((counterexample, is_no_proof))
    }
}

impl Verdict {
    /// Judges each document's accesses, which are in the order of their calls. Documents share nothing, so that a
    /// history is right where each of them is (locality; Herlihy and Wing, 1990).
    #[must_use]
    pub fn of(by_key: &[(String, Vec<Access>)]) -> Self {
        let mut verdict = Self { documents: by_key.len() as u64, ..Self::default() };
        let mut earliest: BTreeMap<Anomaly, Vec<Misfit<'_>>> = BTreeMap::new();
        for (key, accesses) in by_key {
            verdict.accesses += accesses.len() as u64;
            let judgement = judge(accesses);
            if let Some(why) = judgement.undecided
                && verdict.undecided.len() < NAMED
            {
                verdict.undecided.push((key.clone(), why));
            }
            let misfits: Rc<[usize]> = judgement.misfits().into();
            for (place, anomaly) in judgement.wrong {
                *verdict.anomalies.entry(anomaly).or_default() += 1;
                let misfit = Misfit { anomaly, key, accesses, place, misfits: Rc::clone(&misfits) };
                keep_earliest(earliest.entry(anomaly).or_default(), misfit);
            }
        }
        let proofs = earliest.into_values().filter_map(|misfits| {
            let first_us = misfits.first()?.when_us();
            let mut pieces = misfits.iter().filter_map(Misfit::counterexample);
            let first = pieces.next()?;
            let proof = if first.1 { pieces.find(|(_, is_no_proof)| !is_no_proof) } else { None };
            Some((first_us, proof.unwrap_or(first).0))
        });
        let mut proofs: Vec<(u64, Counterexample)> = proofs.collect();
        proofs.sort_by_key(|(first_us, _)| *first_us);
        verdict.counterexamples = proofs.into_iter().map(|(_, counterexample)| counterexample).collect();
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

/// Inserts a misfit among the earliest of its anomaly, and drops the latest beyond [`TRIED`].
fn keep_earliest<'a>(earliest: &mut Vec<Misfit<'a>>, misfit: Misfit<'a>) {
    let at = earliest.partition_point(|known| known.when_us() <= misfit.when_us());
    earliest.insert(at, misfit);
    earliest.truncate(TRIED);
}
