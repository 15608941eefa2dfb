//! A register with compare-and-set.

use crate::linearizability::Model;

/// One register. At first it holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register;

/// What was asked of a register, and what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A read that returned this; `None` is nothing.
    Read(Option<i64>),
    /// A read of which it is not known what it returned.
    ReadOfUnknown,
    /// A write.
    Write(i64),
    /// A write, if the register holds `from`.
    CompareAndSet {
        /// What it must hold.
        from: i64,
        /// What is written.
        to: i64,
        /// What came of it.
        outcome: Outcome,
    },
}

/// What came of a compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was written.
    Written,
    /// The register held something else, so nothing was written.
    Refused,
    /// One or the other.
    Unknown,
}

impl Model for Register {
    type State = Option<i64>;
    type Operation = Operation;

    fn initial(&self) -> Option<i64> {
        None
    }

    fn step(&self, &state: &Option<i64>, operation: &Operation) -> Option<Option<i64>> {
        match *operation {
            Operation::Read(value) => (value == state).then_some(state),
            Operation::ReadOfUnknown => Some(state),
            Operation::Write(value) => Some(Some(value)),
            Operation::CompareAndSet { from, to, outcome } => match (state == Some(from), outcome) {
                (true, Outcome::Written | Outcome::Unknown) => Some(Some(to)),
                (false, Outcome::Refused | Outcome::Unknown) => Some(state),
                (true, Outcome::Refused) | (false, Outcome::Written) => None,
            },
        }
    }

    fn is_read_only(&self, operation: &Operation) -> bool {
        match *operation {
            Operation::Read(_) | Operation::ReadOfUnknown => true,
            Operation::Write(_) => false,
            Operation::CompareAndSet { from, to, outcome } => outcome == Outcome::Refused || from == to,
        }
    }

    fn commute(&self, one: &Operation, other: &Operation) -> bool {
        one == other || self.is_read_only(one) && self.is_read_only(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare_and_set(from: i64, to: i64, outcome: Outcome) -> Operation {
        Operation::CompareAndSet { from, to, outcome }
    }

    fn operations() -> Vec<Operation> {
        let mut all = vec![Operation::ReadOfUnknown, Operation::Read(None)];
        for from in 0..3 {
            all.extend([Operation::Read(Some(from)), Operation::Write(from)]);
            for to in 0..3 {
                let outcomes = [Outcome::Written, Outcome::Refused, Outcome::Unknown];
                all.extend(outcomes.map(|outcome| compare_and_set(from, to, outcome)));
            }
        }
        all
    }

    #[test]
    fn a_compare_and_set_writes_only_over_what_it_compares_with() {
        let step = |state, outcome| Register.step(&state, &compare_and_set(1, 2, outcome));
        assert_eq!(step(Some(1), Outcome::Written), Some(Some(2)));
        assert_eq!(step(Some(1), Outcome::Refused), None);
        assert_eq!(step(Some(1), Outcome::Unknown), Some(Some(2)));
        for other in [None, Some(2)] {
            assert_eq!(step(other, Outcome::Written), None);
            assert_eq!(step(other, Outcome::Refused), Some(other));
            assert_eq!(step(other, Outcome::Unknown), Some(other));
        }
    }

    #[test]
    fn what_is_said_to_read_only_or_to_commute_does() {
        let operations = operations();
        let after = |state, one, other| Register.step(&state, one).and_then(|state| Register.step(&state, other));
        for state in [None, Some(0), Some(1), Some(2)] {
            for one in &operations {
                let is_kept = Register.step(&state, one).is_none_or(|next| next == state);
                assert!(is_kept || !Register.is_read_only(one), "{one:?}");
                for other in &operations {
                    let is_same = after(state, one, other) == after(state, other, one);
                    assert!(is_same || !Register.commute(one, other), "{one:?} {other:?}");
                }
            }
        }
    }
}
