//! Claims tried in each of several places, which must come to the same verdicts.

use super::super::{Claim, Finding};
use crate::lab::{Lab, Stuck, lock};
use record::claims::{ClaimId, Verdict};
use record::step::Step;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// By how much the time in which races are looked for in each place is divided, at first: there are many, and most faults show
/// within a fraction of a second.
const TIME_DIVISOR: u32 = 4;

/// How often a fault that was seen in one place is looked for again where it was not, with all
/// the time that its claim takes: races are met by chance.
const SECOND_LOOKS: usize = 3;

/// The verdicts on a target in this run, which need not be found again there.
#[derive(Default)]
pub(crate) struct KnownVerdicts(Mutex<BTreeMap<ClaimId, Verdict>>);

impl KnownVerdicts {
    /// Enters what was found of a claim.
    pub(crate) fn note(&self, id: ClaimId, verdict: Verdict) {
        lock(&self.0).insert(id, verdict);
    }

    /// The finding of a claim that was decided before.
    fn finding(&self, id: ClaimId) -> Option<Finding> {
        match lock(&self.0).get(&id)? {
            Verdict::Holds => Some(Finding::holds("found before")),
            Verdict::Refuted => Some(Finding::refuted("found before", Vec::new())),
            Verdict::Inconclusive | Verdict::Untestable => None,
        }
    }
}

/// Where claims are tried.
pub(super) struct Place {
    /// As in "refuted *on xfs*".
    pub(super) name: String,
    pub(super) lab: Arc<Lab>,
}

/// What was found of a claim, place by place; the first place is what the others are held to.
#[derive(Debug)]
pub(super) struct Compared {
    id: ClaimId,
    findings: Vec<(String, Finding)>,
}

/// Tries the claims in every place.
pub(super) async fn compare(claims: &[&'static Claim], places: &[Place]) -> Vec<Compared> {
    let mut compared = Vec::new();
    for claim in claims {
        let mut findings = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let known = place.lab.shared::<KnownVerdicts>();
            findings.push(match known.finding(claim.id).filter(|_| number == 0) {
                Some(finding) => finding,
                None => attempt(claim, &place.lab, TIME_DIVISOR).await,
            });
        }
        look_again(claim, places, &mut findings).await;
        let names = places.iter().map(|place| place.name.clone());
        compared.push(Compared { id: claim.id, findings: names.zip(findings).collect() });
    }
    compared
}

/// Looks again wherever a fault was not seen that was seen elsewhere.
async fn look_again(claim: &Claim, places: &[Place], findings: &mut [Finding]) {
    if findings.iter().all(|finding| finding.verdict != Verdict::Refuted) {
        return;
    }
    for (place, finding) in places.iter().zip(findings) {
        for _ in 0..SECOND_LOOKS {
            if finding.verdict == Verdict::Refuted {
                break;
            }
            *finding = attempt(claim, &place.lab, 1).await;
        }
    }
}

async fn attempt(claim: &Claim, lab: &Arc<Lab>, time_divisor: u32) -> Finding {
    lab.begin_claim();
    lab.divide_time(time_divisor);
    let finding = (claim.attempt)(lab).await.unwrap_or_else(|Stuck(why)| Finding::inconclusive(why));
    lab.divide_time(1);
    lab.release(&lab.ledger.keys()).await;
    finding
}

/// Holds where every claim has one verdict in all places. A refutation is certain, so one that the first place does not
/// have is a difference; that one was not seen elsewhere may be chance, and leaves it open.
pub(super) fn judge(compared: &[Compared]) -> Finding {
    let broken = compared.iter().find_map(Compared::broken_elsewhere);
    let open = compared.iter().find_map(Compared::undecided);
    let finding = if let Some((what, steps)) = broken {
        Finding::refuted(what, steps)
    } else if let Some(what) = open {
        Finding::inconclusive(what)
    } else {
        Finding::holds(summary(compared))
    };
    let verdicts: Map<String, Value> = compared.iter().map(|row| (row.id.to_string(), row.verdicts())).collect();
    finding.measured("verdicts", verdicts)
}

impl Compared {
    fn verdict_here(&self) -> Option<Verdict> {
        self.findings.first().map(|(_, finding)| finding.verdict)
    }

    /// What is refuted elsewhere, and holds in the first place.
    fn broken_elsewhere(&self) -> Option<(String, Vec<Step>)> {
        let (here, _) = self.findings.first().filter(|(_, finding)| finding.verdict == Verdict::Holds)?;
        let (there, finding) = self.findings.iter().find(|(_, finding)| finding.verdict == Verdict::Refuted)?;
        let what = format!("{} holds {here}, and is refuted {there}: {}", self.id, finding.summary);
        Some((what, finding.counterexample.clone()))
    }

    /// What is not known, or not the same for no better reason than that it was not seen.
    fn undecided(&self) -> Option<String> {
        let here = self.verdict_here();
        let (place, finding) = self.findings.iter().find(|(_, finding)| {
            Some(finding.verdict) != here || matches!(finding.verdict, Verdict::Inconclusive | Verdict::Untestable)
        })?;
        Some(match finding.verdict {
            Verdict::Holds => format!("{} is refuted, but was not seen to fail {place}", self.id),
            verdict => format!("{} is {verdict} {place}: {}", self.id, finding.summary),
        })
    }

    fn verdicts(&self) -> Value {
        let verdicts = self.findings.iter().map(|(place, finding)| (place.clone(), finding.verdict.to_string().into()));
        Value::Object(verdicts.collect())
    }
}

/// "S1 to S3 hold, S4 is refuted" would need grammar; this does not.
fn summary(compared: &[Compared]) -> String {
    let of = |verdict| {
        let ids: Vec<String> =
            compared.iter().filter(|row| row.verdict_here() == Some(verdict)).map(|row| row.id.to_string()).collect();
        (!ids.is_empty()).then(|| format!("{}: {verdict}", ids.join(" ")))
    };
    let places: Vec<&str> =
        compared.first().into_iter().flat_map(|row| &row.findings).map(|(place, _)| place.as_str()).collect();
    let verdicts: Vec<String> = [Verdict::Holds, Verdict::Refuted].into_iter().filter_map(of).collect();
    format!("the same verdicts {} ({})", places.join(", "), verdicts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(id: &str, here: Finding, there: Finding) -> Compared {
        Compared { id: ClaimId::of(id), findings: vec![("here".to_owned(), here), ("there".to_owned(), there)] }
    }

    fn holds() -> Finding {
        Finding::holds("fine")
    }

    fn refuted() -> Finding {
        Finding::refuted("torn", vec![Step::finding("restore", "half")])
    }

    #[test]
    fn only_a_verdict_that_decides_need_not_be_found_again() {
        let known = KnownVerdicts::default();
        let verdicts = [Verdict::Holds, Verdict::Refuted, Verdict::Inconclusive, Verdict::Untestable];
        let ids = ["S1", "S2", "S3", "S4", "S5"].map(ClaimId::of);
        ids.into_iter().zip(verdicts).for_each(|(id, verdict)| known.note(id, verdict));
        let found = ids.map(|id| known.finding(id).map(|finding| finding.verdict));
        assert_eq!(found, [Some(Verdict::Holds), Some(Verdict::Refuted), None, None, None]);
    }

    #[test]
    fn the_same_verdicts_hold_whatever_they_are() {
        let finding = judge(&[compared("S1", holds(), holds()), compared("S4", refuted(), refuted())]);
        assert_eq!(finding.verdict, Verdict::Holds);
        assert_eq!(finding.summary, "the same verdicts here, there (S1: holds; S4: refuted)");
    }

    #[test]
    fn what_is_broken_elsewhere_only_refutes_with_its_counterexample() {
        let finding = judge(&[compared("S1", holds(), holds()), compared("S4", holds(), refuted())]);
        assert_eq!((finding.verdict, finding.counterexample.len()), (Verdict::Refuted, 1));
        assert_eq!(finding.summary, "S4 holds here, and is refuted there: torn");
    }

    #[test]
    fn a_fault_that_was_not_met_elsewhere_is_no_difference_and_no_sameness() {
        let finding = judge(&[compared("S4", refuted(), holds())]);
        assert_eq!(finding.verdict, Verdict::Inconclusive);
        assert_eq!(finding.summary, "S4 is refuted, but was not seen to fail there");
        let finding = judge(&[compared("S4", holds(), Finding::inconclusive("too slow"))]);
        assert_eq!(finding.summary, "S4 is inconclusive there: too slow");
        let both = || Finding::inconclusive("too slow");
        assert_eq!(judge(&[compared("S4", both(), both())]).verdict, Verdict::Inconclusive);
    }
}
