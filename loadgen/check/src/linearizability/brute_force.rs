//! What linearizability is, as plainly as can be: every order is tried. For comparison in tests.

use super::{Call, Model};

/// Whether an order explains the calls.
pub(super) fn is_linearizable<M: Model>(model: &M, calls: &[Call<M::Operation>]) -> bool {
    can_go_on(model, calls, &mut Vec::new(), &model.initial())
}

/// The state after an order, if every answer is right and no call is placed after one that began after its return.
pub(super) fn state_after<M: Model>(model: &M, calls: &[Call<M::Operation>], order: &[usize]) -> Option<M::State> {
    let mut state = model.initial();
    for (at, &index) in order.iter().enumerate() {
        let is_double = order[..at].contains(&index);
        let is_late = order[..at].iter().any(|&earlier| is_before(&calls[index], &calls[earlier]));
        if is_double || is_late {
            return None;
        }
        state = model.step(&state, &calls[index].operation)?;
    }
    Some(state)
}

/// Whether one had returned when the other was called.
pub(super) fn is_before<O>(one: &Call<O>, other: &Call<O>) -> bool {
    one.returned.is_some_and(|returned| returned < other.called)
}

fn can_go_on<M: Model>(model: &M, calls: &[Call<M::Operation>], order: &mut Vec<usize>, state: &M::State) -> bool {
    let rest: Vec<usize> = (0..calls.len()).filter(|index| !order.contains(index)).collect();
    if rest.iter().all(|&index| calls[index].returned.is_none()) {
        return true;
    }
    rest.iter().any(|&next| {
        let is_first = rest.iter().all(|&other| !is_before(&calls[other], &calls[next]));
        let Some(state) = model.step(state, &calls[next].operation).filter(|_| is_first) else { return false };
        order.push(next);
        let can = can_go_on(model, calls, order, &state);
        order.pop();
        can
    })
}
