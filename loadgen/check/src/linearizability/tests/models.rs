//! Models for tests.

use super::histories::Random;
use crate::linearizability::Model;

/// A model that tells nothing of its operations but what they do.
pub(super) struct Unaided<'a, M>(pub(super) &'a M);

impl<M: Model> Model for Unaided<'_, M> {
    type State = M::State;
    type Operation = M::Operation;

    fn initial(&self) -> M::State {
        self.0.initial()
    }

    fn step(&self, state: &M::State, operation: &M::Operation) -> Option<M::State> {
        self.0.step(state, operation)
    }
}

/// A model without any sense: where each operation leads from each state, was drawn.
pub(super) struct Table([[Option<usize>; Table::STATES]; Table::OPERATIONS]);

impl Table {
    const STATES: usize = 4;
    pub(super) const OPERATIONS: usize = 5;

    pub(super) fn new(random: &mut Random) -> Self {
        let mut table = Self([[None; 4]; 5]);
        for row in &mut table.0 {
            // Some operations only read, for some states right.
            let is_read_only = random.below(3) == 0;
            for (state, next) in row.iter_mut().enumerate() {
                let other = random.index(Self::STATES);
                *next = (random.below(3) > 0).then_some(if is_read_only { state } else { other });
            }
        }
        table
    }

    fn after(&self, state: usize, operations: [usize; 2]) -> Option<usize> {
        operations.iter().try_fold(state, |state, &operation| self.0[operation][state])
    }
}

impl Model for Table {
    type State = usize;
    type Operation = usize;

    fn initial(&self) -> usize {
        0
    }

    fn step(&self, &state: &usize, &operation: &usize) -> Option<usize> {
        self.0[operation][state]
    }

    fn is_read_only(&self, &operation: &usize) -> bool {
        self.0[operation].iter().enumerate().all(|(state, next)| next.is_none_or(|next| next == state))
    }

    fn commute(&self, &one: &usize, &other: &usize) -> bool {
        (0..Self::STATES).all(|state| self.after(state, [one, other]) == self.after(state, [other, one]))
    }
}
