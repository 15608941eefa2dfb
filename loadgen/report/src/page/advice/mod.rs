//! What to change, as rules over what was tried and measured: each says what to do, and which figures say so.
//!
//! - here: rules by refuted claims and by wrong answers
//! - [`capacity`]: rules by what was measured

mod capacity;
#[cfg(test)]
mod tests;

use super::number::{and, count};
use record::claims::{ClaimId, Report, TargetReport, Verdict};
use record::measurements::Measurements;

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    /// What to do, as a sentence.
    pub(super) what: String,
    /// What says so.
    pub(super) why: String,
}

/// A rule: it advises where one of the claims is refuted, or one of the wrong answers was given under load.
struct Rule {
    what: &'static str,
    claims: &'static [ClaimId],
    wrong: &'static [&'static str],
}

/// Said by a rule over verdicts and by one over measurements.
const LONGER_KEYS: &str = "Use longer keys, or ask for more than a key.";

/// In the order in which they matter: what loses work, what shows it to others, what fails, what is hard to run.
const RULES: [Rule; 11] = [
    Rule {
        what: "Write each document to a new file and rename it into place, and check that every step worked.",
        claims: &[ClaimId::of("R1"), ClaimId::of("R2"), ClaimId::of("S2")],
        wrong: &["acknowledged then lost"],
    },
    Rule {
        what: "Sync the file and its folder before a save is acknowledged.",
        claims: &[ClaimId::of("R3")],
        wrong: &[],
    },
    Rule {
        what: "Reserve a key when it is handed out, until its document is made or a time is over.",
        claims: &[ClaimId::of("K7"), ClaimId::of("K8"), ClaimId::of("K9"), ClaimId::of("P5")],
        wrong: &["duplicate key", "key that changed owners"],
    },
    Rule {
        what: "Keep reading, changing and writing a document under one lock.",
        claims: &[ClaimId::of("S1"), ClaimId::of("S3")],
        wrong: &["lost update", "applied twice", "content never written", "aborted read"],
    },
    Rule {
        what: "Let readers take the lock, or show them whole files only: restores and lists must not see half a write.",
        claims: &[ClaimId::of("S4"), ClaimId::of("S6"), ClaimId::of("S7"), ClaimId::of("P4")],
        wrong: &[
            "torn read",
            "stale read",
            "non-monotonic read",
            "intermediate read",
            "unreadable document",
            "missing from list",
        ],
    },
    Rule {
        what: "Delete under the same lock as saves, and treat a file that is gone as an answer, not as an error.",
        claims: &[ClaimId::of("S5")],
        wrong: &["write to an unlinked file", "resurrected document"],
    },
    Rule {
        what: "Archive under the lock, and look at the age once more when it is held.",
        claims: &[ClaimId::of("O4")],
        wrong: &[],
    },
    Rule { what: LONGER_KEYS, claims: &[ClaimId::of("O5")], wrong: &[] },
    Rule {
        what: "Know which keys are free instead of trying a hundred at random.",
        claims: &[ClaimId::of("K10"), ClaimId::of("K3"), ClaimId::of("K4"), ClaimId::of("K6")],
        wrong: &[],
    },
    Rule {
        what: "Set a time after which waiting for a lock is given up with an error.",
        claims: &[ClaimId::of("R4")],
        wrong: &[],
    },
    Rule {
        what: "Check requests before anything is changed, and answer what is wrong in the contract's own form.",
        claims: &[ClaimId::of("R5")],
        wrong: &["malformed answer", "wrong status", "invalid key", "valid request refused"],
    },
];

/// All that is advised, the weightiest first.
pub(super) fn all(report: Option<&Report>, measurements: Option<&Measurements>) -> Vec<Advice> {
    let targets = report.map(|report| report.targets.as_slice()).unwrap_or_default();
    let mut all: Vec<Advice> = RULES.iter().filter_map(|rule| rule.advise(targets, measurements)).collect();
    all.extend(uncovered(targets));
    for advice in measurements.map(capacity::all).unwrap_or_default() {
        match all.iter_mut().find(|known| known.what == advice.what) {
            Some(known) => known.why = format!("{} {}", known.why, advice.why),
            None => all.push(advice),
        }
    }
    all
}

impl Rule {
    fn advise(&self, targets: &[TargetReport], measurements: Option<&Measurements>) -> Option<Advice> {
        let mut reasons: Vec<String> = targets.iter().filter_map(|target| self.refuted_on(target)).collect();
        reasons.extend(measurements.into_iter().flat_map(|of| &of.targets).filter_map(|target| self.wrong_on(target)));
        let kept = targets.iter().filter_map(|target| self.kept_by(target, targets));
        let kept: Vec<String> = kept.collect();
        (!reasons.is_empty()).then(|| Advice { what: self.what.to_owned(), why: [reasons, kept].concat().join(" ") })
    }

    fn is_mine(&self, id: &str) -> bool {
        id.parse().is_ok_and(|id| self.claims.contains(&id))
    }

    fn refuted_on(&self, target: &TargetReport) -> Option<String> {
        let ids = refuted(target, |id| self.is_mine(id));
        let verb = if ids.len() == 1 { "is" } else { "are" };
        (!ids.is_empty()).then(|| format!("{}: {} {verb} refuted (measured).", target.name, and(&ids)))
    }

    fn wrong_on(&self, target: &record::measurements::Measured) -> Option<String> {
        let seen = self.wrong.iter().filter_map(|&name| {
            let times: u64 = target.users.iter().filter_map(|of| of.wrong.get(name)).sum();
            (times > 0).then(|| format!("{} × {name}", count(times)))
        });
        let seen: Vec<String> = seen.collect();
        (!seen.is_empty()).then(|| format!("{} under load: {} (measured).", super::chances::name(target), and(&seen)))
    }

    /// That a server keeps all of what another breaks: it can be done.
    fn kept_by(&self, target: &TargetReport, all: &[TargetReport]) -> Option<String> {
        let broken: Vec<String> = all.iter().flat_map(|of| refuted(of, |id| self.is_mine(id))).collect();
        let holds = |id: &String| target.claims.iter().any(|claim| claim.id == *id && claim.verdict == Verdict::Holds);
        let does = !broken.is_empty() && broken.iter().all(holds);
        does.then(|| format!("{} keeps what is refuted there (measured).", target.name))
    }
}

/// Refuted claims that a rule is about.
fn refuted(target: &TargetReport, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let refuted = target.claims.iter().filter(|claim| claim.verdict == Verdict::Refuted && is_meant(&claim.id));
    refuted.map(|claim| claim.id.clone()).collect()
}

/// Refuted claims that no rule is about: nothing that failed goes without a word.
fn uncovered(targets: &[TargetReport]) -> Option<Advice> {
    let is_covered = |id: &str| RULES.iter().any(|rule| rule.is_mine(id));
    let of_target = |target: &TargetReport| {
        let ids = refuted(target, |id| !is_covered(id));
        (!ids.is_empty()).then(|| format!("{}: {} (measured).", target.name, and(&ids)))
    };
    let reasons: Vec<String> = targets.iter().filter_map(of_target).collect();
    let what = "Look into the counterexamples of what is refuted besides.".to_owned();
    (!reasons.is_empty()).then(|| Advice { what, why: reasons.join(" ") })
}
