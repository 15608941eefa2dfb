//! A model's states under numbers, and its steps, each worked out once.

use super::Model;
use super::index::{FastHasher, Index, mix};
use std::hash::{Hash, Hasher};

/// The state before the first operation.
pub(super) const INITIAL: u32 = 0;

/// Every state that was reached, and where each step led that was tried.
pub(super) struct States<M: Model> {
    reached: Vec<M::State>,
    heap_bytes: usize,
    numbers: Index,
    steps: Vec<Step>,
    known: Index,
}

struct Step {
    state: u32,
    operation: u32,
    /// `None`: the answer is not right.
    next: Option<u32>,
}

impl<M: Model> States<M> {
    pub(super) fn new(model: &M) -> Self {
        let mut states = Self {
            reached: Vec::new(),
            heap_bytes: 0,
            numbers: Index::default(),
            steps: Vec::new(),
            known: Index::default(),
        };
        states.number_of(model, model.initial());
        states
    }

    /// A state by its number.
    pub(super) fn state(&self, number: u32) -> &M::State {
        &self.reached[number as usize]
    }

    /// Where an operation leads that has this number.
    pub(super) fn step(&mut self, model: &M, state: u32, number: u32, operation: &M::Operation) -> Option<u32> {
        let hash = mix(u64::from(state) << 32 | u64::from(number));
        let is_it = |step: u32| {
            let step = &self.steps[step as usize];
            step.state == state && step.operation == number
        };
        if let Some(step) = self.known.find(hash, is_it) {
            return self.steps[step as usize].next;
        }
        let next = model.step(self.state(state), operation).map(|next| self.number_of(model, next));
        self.known.insert(hash, super::number(self.steps.len()));
        self.steps.push(Step { state, operation: number, next });
        next
    }

    /// Bytes held. A growing vector holds up to three times its content.
    pub(super) fn held_bytes(&self) -> usize {
        let content = self.reached.len() * size_of::<M::State>() + self.steps.len() * size_of::<Step>();
        3 * content + self.heap_bytes + self.numbers.held_bytes() + self.known.held_bytes()
    }

    fn number_of(&mut self, model: &M, state: M::State) -> u32 {
        let mut hasher = FastHasher::default();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(number) = self.numbers.find(hash, |number| self.reached[number as usize] == state) {
            return number;
        }
        let number = super::number(self.reached.len());
        self.numbers.insert(hash, number);
        self.heap_bytes += model.heap_bytes(&state);
        self.reached.push(state);
        number
    }
}
