//! Which refutations are known, and what a run amounts to beside them. Nothing here reaches a judgement.

use crate::claims;
use record::claims::Outcome;
use record::claims::Verdict;
use std::collections::BTreeSet;
use std::path::Path;

/// What the specification's protocol is known to break: the "refuted" column of claims.md, as far as these claims
/// are tried.
const DOCUMENTED: [&str; 14] = ["K7", "K8", "K9", "K10", "S4", "S5", "S6", "S7", "P5", "R1", "R2", "R3", "O4", "O5"];

/// What no protocol can mend while keys have three characters: they are no secret.
const HARDENED: [&str; 1] = ["O5"];

/// What chance decides on it: the "either" of claims.md. A restore beside saves is torn, and it is all one whether it is
/// seen within the time that the claim is given.
const DOCUMENTED_EITHER: [&str; 1] = ["P4"];

/// What the specification brings with it, whoever keeps it: its command to archive takes no lock, and its three
/// characters are no secret. A server with longer keys, or another way to archive, may do better.
const OF_THE_CONTRACT: [&str; 2] = ["O4", "O5"];

/// The refutations that are known of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    known: BTreeSet<&'static str>,
    /// Claims of which both verdicts are honest.
    either: BTreeSet<&'static str>,
}

impl Expectations {
    /// Those of the documented protocol.
    #[must_use]
    pub fn documented() -> Self {
        Self { known: DOCUMENTED.into(), either: DOCUMENTED_EITHER.into() }
    }

    /// Those of the hardened protocol.
    #[must_use]
    pub fn hardened() -> Self {
        Self { known: HARDENED.into(), either: BTreeSet::new() }
    }

    /// Those of any server that keeps the contract.
    #[must_use]
    pub fn of_the_contract() -> Self {
        Self { known: BTreeSet::new(), either: OF_THE_CONTRACT.into() }
    }

    /// Those of any server that keeps the contract, and such as a file lists: one claim a line; what follows a `#` is a
    /// comment.
    ///
    /// # Errors
    /// A sentence that says which line is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut known = BTreeSet::new();
        for (number, line) in (1..).zip(text.lines()) {
            let id = line.split('#').next().unwrap_or_default().trim();
            if !id.is_empty() {
                let claim = claims::by_id(id)
                    .ok_or_else(|| format!("{}, line {number}: {id:?} is no claim", path.display()))?;
                known.insert(claim.id);
            }
        }
        Ok(Self { known, ..Self::of_the_contract() })
    }

    /// Whether a claim is known to be refuted.
    #[must_use]
    pub fn is_known(&self, id: &str) -> bool {
        self.known.contains(id)
    }

    /// What a verdict amounts to.
    #[must_use]
    pub fn weigh(&self, id: &str, verdict: Verdict) -> Outcome {
        match (verdict, self.is_known(id)) {
            (Verdict::Holds | Verdict::Refuted, _) if self.either.contains(id) => Outcome::AsExpected,
            (Verdict::Untestable, _) | (Verdict::Holds, false) | (Verdict::Refuted, true) => Outcome::AsExpected,
            (Verdict::Refuted, false) | (Verdict::Holds, true) => Outcome::Failed,
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
            assert_eq!(known.weigh(id, verdict), outcome, "{id} {verdict}");
        }
    }

    #[test]
    fn where_both_verdicts_are_honest_neither_fails_and_only_there() {
        let outcomes = |expectations: &Expectations| {
            [Verdict::Holds, Verdict::Refuted, Verdict::Inconclusive].map(|verdict| expectations.weigh("P4", verdict))
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
        std::fs::write(&path, "# ours\nK7  # no reservation\n\ns4\n").expect("writes");
        let known = Expectations::read(&path).expect("reads");
        assert!(known.is_known("K7") && known.is_known("S4") && !known.is_known("S5"));
        std::fs::write(&path, "K7\nX9\n").expect("writes");
        assert!(Expectations::read(&path).is_err_and(|error| error.contains("line 2: \"X9\"")));
    }
}
