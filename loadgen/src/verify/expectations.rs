//! Which verdicts are expected of a target, and what a run amounts to beside them. Nothing here reaches a judgement.

use crate::claims::{self, Expectation, Expected};
use record::claims::{ClaimId, Outcome, Verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// The verdicts that are expected of a target: of a claim that is not listed, that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations(BTreeMap<ClaimId, Expectation>);

impl Expectations {
    /// Those of the documented protocol.
    #[must_use]
    pub fn documented() -> Self {
        Self::of_all_claims(|expected| expected.documented)
    }

    /// Those of the hardened protocol.
    #[must_use]
    pub fn hardened() -> Self {
        Self::of_all_claims(|expected| expected.hardened)
    }

    /// Those of any server that keeps the contract.
    #[must_use]
    pub fn of_the_contract() -> Self {
        Self::of_all_claims(|expected| expected.contract)
    }

    fn of_all_claims(of: fn(&Expected) -> Expectation) -> Self {
        Self(claims::ALL.iter().map(|claim| (claim.id, of(&claim.expected))).collect())
    }

    /// Those of any server that keeps the contract, with the refutations that a file lists: one claim per line; what
    /// follows a `#` is a comment. A claim that may get either verdict still may.
    ///
    /// # Errors
    /// A sentence that says which line is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut expected = Self::of_the_contract();
        for (number, line) in (1..).zip(text.lines()) {
            let id = line.split('#').next().unwrap_or_default().trim();
            if !id.is_empty() {
                let claim = claims::named(id)
                    .ok_or_else(|| format!("{}, line {number}: {id:?} is no claim", path.display()))?;
                if expected.of(claim.id) == Expectation::Holds {
                    expected.0.insert(claim.id, Expectation::Refuted);
                }
            }
        }
        Ok(expected)
    }

    /// The verdict that is expected on a claim.
    #[must_use]
    pub fn of(&self, id: ClaimId) -> Expectation {
        self.0.get(&id).copied().unwrap_or(Expectation::Holds)
    }

    /// What a verdict amounts to.
    #[must_use]
    pub fn weigh(&self, id: ClaimId, verdict: Verdict) -> Outcome {
        match (verdict, self.of(id)) {
            (Verdict::Untestable, _)
            | (Verdict::Holds, Expectation::Holds | Expectation::Either)
            | (Verdict::Refuted, Expectation::Refuted | Expectation::Either) => Outcome::AsExpected,
            (Verdict::Holds, Expectation::Refuted) | (Verdict::Refuted, Expectation::Holds) => Outcome::Failed,
            (Verdict::Inconclusive, _) => Outcome::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_refutation_that_is_not_found_fails_as_a_new_one_does() {
        let known = Expectations::documented();
        let table = [
            ("S4", Verdict::Refuted, Outcome::AsExpected),
            ("S4", Verdict::Holds, Outcome::Failed),
            ("S4", Verdict::Inconclusive, Outcome::Undecided),
            ("S1", Verdict::Refuted, Outcome::Failed),
            ("S1", Verdict::Holds, Outcome::AsExpected),
            ("S1", Verdict::Untestable, Outcome::AsExpected),
        ];
        for (id, verdict, outcome) in table {
            assert_eq!(known.weigh(ClaimId::of(id), verdict), outcome, "{id} {verdict}");
        }
    }

    #[test]
    fn where_both_verdicts_are_honest_neither_fails_and_only_there() {
        let outcomes = |expectations: &Expectations| {
            [Verdict::Holds, Verdict::Refuted, Verdict::Inconclusive]
                .map(|verdict| expectations.weigh(ClaimId::of("P4"), verdict))
        };
        let both = [Outcome::AsExpected, Outcome::AsExpected, Outcome::Undecided];
        assert_eq!(outcomes(&Expectations::documented()), both);
        let hardened = [Outcome::AsExpected, Outcome::Failed, Outcome::Undecided];
        assert_eq!(outcomes(&Expectations::hardened()), hardened);
    }

    #[test]
    fn a_file_lists_a_claim_a_line() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("known.txt");
        std::fs::write(&path, "# ours\nK7  # no reservation\n\ns4\nO5\n").expect("writes");
        let known = Expectations::read(&path).expect("reads");
        let expected = ["K7", "S4", "S5", "O5"].map(|id| known.of(ClaimId::of(id)));
        assert_eq!(
            expected,
            [Expectation::Refuted, Expectation::Refuted, Expectation::Holds, Expectation::Either],
            "the contract allows both verdicts on O5"
        );
        std::fs::write(&path, "K7\nX9\n").expect("writes");
        assert!(Expectations::read(&path).is_err_and(|error| error.contains("line 2: \"X9\"")));
    }
}
