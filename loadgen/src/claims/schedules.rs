//! How a fault comes about, system call by system call: the shortest schedules by which the specification's protocol
//! breaks a promise to users at once. The proofs find them, and keep the files as they are.

use crate::claims::Finding;
use check::anomaly::Anomaly;
use contract::message::NOT_DELETED;
use record::claims::ClaimId;

const K9: ClaimId = ClaimId::of("K9");
const S4: ClaimId = ClaimId::of("S4");
const S5: ClaimId = ClaimId::of("S5");
const S6: ClaimId = ClaimId::of("S6");

/// What a delete says where another came in between; that has no name of its own.
fn lost_race() -> String {
    format!("{} {}", NOT_DELETED.0, NOT_DELETED.1)
}

/// The schedule that ends in what was found of a claim, where there is one.
#[must_use]
pub(crate) fn of_finding(id: ClaimId, finding: &Finding) -> Option<&'static str> {
    let is_lost_race = || finding.counterexample.iter().any(|step| step.got == lost_race());
    match (id, finding.anomaly) {
        (K9, Some(Anomaly::DuplicateKey)) => Some(include_str!("../../schedules/K9.txt")),
        (S4, Some(Anomaly::UnreadableDocument)) => Some(include_str!("../../schedules/S4.txt")),
        (S5, None) if is_lost_race() => Some(include_str!("../../schedules/S5.txt")),
        (S6, Some(Anomaly::MissingFromList)) => Some(include_str!("../../schedules/S6.txt")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::step::Step;

    /// "The shortest way there" was once printed under every refutation of these claims: under a duplicate key, a stale read
    /// or a changed document, which it does not lead to.
    #[test]
    fn a_schedule_is_shown_only_of_what_it_ends_in() {
        let found = |id, got: &str, anomaly: Option<Anomaly>| {
            let mut finding = Finding::refuted("", vec![Step::finding("delete A4K", got)]);
            finding.anomaly = anomaly;
            of_finding(id, &finding).is_some()
        };
        assert!(found(S4, "", Some(Anomaly::UnreadableDocument)));
        assert!(found(S5, &lost_race(), None) && !found(S5, "500 Failed to open file", None));
        assert!(found(S6, "", Some(Anomaly::MissingFromList)) && found(K9, "", Some(Anomaly::DuplicateKey)));
        for anomaly in [Anomaly::StaleRead, Anomaly::ChangedDocument, Anomaly::KeyChangedOwners, Anomaly::TornRead] {
            assert!([K9, S4, S5, S6].iter().all(|id| !found(*id, &lost_race(), Some(anomaly))), "{anomaly}");
        }
        for (id, ending) in [(S4, "Invalid saved data format"), (S5, "Failed to delete instance")] {
            let anomaly = (id == S4).then_some(Anomaly::UnreadableDocument);
            let mut finding = Finding::refuted("", vec![Step::finding("", lost_race())]);
            finding.anomaly = anomaly;
            assert!(of_finding(id, &finding).is_some_and(|schedule| schedule.contains(ending)), "{id}");
        }
    }
}
