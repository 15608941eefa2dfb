//! The smallest part of a history that no order explains.
//!
//! A call that is taken away and may have changed something is not forgotten: it stays as one that may have taken effect at
//! any later time, or never. So what is left proves its point whatever the others did.

use super::{Budget, Call, Model, Verdict, check};

/// Times that a search may be asked whether it must stop while it shrinks; one that takes longer decides nothing here.
const MOST_QUESTIONS: u32 = 20;

/// Memory of a search while it shrinks, bytes.
const MEMORY_BYTES: usize = 256 << 20;

/// A part of a history that no order explains, by the indices of its calls in the order in which they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The calls that prove it.
    pub core: Vec<usize>,
    /// Calls of which nothing is held but that they may have taken effect at any time after they were sent.
    pub ghosts: Vec<usize>,
}

/// A smallest part of a history that no order explains: no call of its core can be taken away. Where searches take too
/// long, it is not quite the smallest.
pub fn smallest<M: Model>(model: &M, calls: &[Call<M::Operation>]) -> Piece
where
    M::Operation: Clone,
{
    let mut shrinking = Shrinking { model, calls, kept: vec![true; calls.len()], until: u64::MAX };
    shrinking.end_early();
    let mut chunk = calls.len().next_power_of_two() / 2;
    while chunk > 0 {
        let has_shrunk = shrinking.take_away(chunk);
        // Single calls once more, until none can be taken away any more.
        chunk = if chunk == 1 && has_shrunk { 1 } else { chunk / 2 };
    }
    let seen = (0..calls.len()).filter(|&index| shrinking.is_seen(index));
    let (core, others): (Vec<usize>, Vec<usize>) = seen.partition(|&index| shrinking.kept[index]);
    let changes = |index: &usize| !model.is_read_only(&calls[*index].operation);
    Piece { core, ghosts: others.into_iter().filter(changes).collect() }
}

struct Shrinking<'a, M: Model> {
    model: &'a M,
    calls: &'a [Call<M::Operation>],
    kept: Vec<bool>,
    /// Nothing later is looked at.
    until: u64,
}

impl<M: Model> Shrinking<'_, M>
where
    M::Operation: Clone,
{
    fn is_seen(&self, index: usize) -> bool {
        self.calls[index].called <= self.until
    }

    /// Whether no order explains what is kept, up to a time.
    fn is_wrong(&self) -> bool {
        let part: Vec<Call<M::Operation>> = (0..self.calls.len()).filter_map(|index| self.part(index)).collect();
        let mut questions = 0;
        let mut budget = Budget::new(MEMORY_BYTES, || {
            questions += 1;
            questions > MOST_QUESTIONS
        });
        matches!(check(self.model, &part, &mut budget), Verdict::NotLinearizable { .. })
    }

    /// What is left of a call.
    fn part(&self, index: usize) -> Option<Call<M::Operation>> {
        let call = &self.calls[index];
        let says_nothing = !self.kept[index] && self.model.is_read_only(&call.operation);
        (self.is_seen(index) && !says_nothing).then(|| Call {
            returned: call.returned.filter(|returned| self.kept[index] && *returned <= self.until),
            ..call.clone()
        })
    }

    /// Finds the first return up to which no order explains what happened.
    fn end_early(&mut self) {
        let mut returns: Vec<u64> = self.calls.iter().filter_map(|call| call.returned).collect();
        returns.sort_unstable();
        let (mut right, mut wrong) = (0, returns.len().saturating_sub(1));
        while right < wrong {
            let middle = usize::midpoint(right, wrong);
            self.until = returns[middle];
            if self.is_wrong() { wrong = middle } else { right = middle + 1 }
        }
        self.until = returns.get(wrong).copied().unwrap_or(u64::MAX);
    }

    /// Takes as many chunks of calls away as can be; says whether there was one.
    fn take_away(&mut self, chunk: usize) -> bool {
        let mut has_shrunk = false;
        for from in (0..self.calls.len()).step_by(chunk) {
            let chunk = from..(from + chunk).min(self.calls.len());
            let taken: Vec<usize> = chunk.filter(|&index| self.kept[index] && self.is_seen(index)).collect();
            taken.iter().for_each(|&index| self.kept[index] = false);
            let is_wrong = !taken.is_empty() && self.is_wrong();
            taken.iter().for_each(|&index| self.kept[index] = !is_wrong);
            has_shrunk |= is_wrong;
        }
        has_shrunk
    }
}
