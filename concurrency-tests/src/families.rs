//! All scenarios of a kind: what each client does, up to the clients' order.

use crate::scenario::Action;

/// Every two clients with an action each.
#[must_use]
pub fn pairs(actions: &[Action]) -> Vec<Vec<Vec<Action>>> {
    multisets(&single(actions), 2)
}

/// Every three clients with an action each.
#[must_use]
pub fn triples(actions: &[Action]) -> Vec<Vec<Vec<Action>>> {
    multisets(&single(actions), 3)
}

/// Every two clients with two actions each.
#[must_use]
pub fn two_by_two(actions: &[Action]) -> Vec<Vec<Vec<Action>>> {
    let scripts: Vec<Vec<Action>> = actions.iter().flat_map(|&a| actions.iter().map(move |&b| vec![a, b])).collect();
    multisets(&scripts, 2)
}

fn single(actions: &[Action]) -> Vec<Vec<Action>> {
    actions.iter().map(|&action| vec![action]).collect()
}

/// Every choice of so many of the scripts, the same more than once too, whatever their order.
fn multisets(scripts: &[Vec<Action>], clients: usize) -> Vec<Vec<Vec<Action>>> {
    if clients == 0 {
        return vec![Vec::new()];
    }
    let beginning_with = |first: usize| {
        let rest = multisets(&scripts[first..], clients - 1);
        rest.into_iter().map(move |rest| [vec![scripts[first].clone()], rest].concat())
    };
    (0..scripts.len()).flat_map(beginning_with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ACTIONS;

    #[test]
    fn there_are_as_many_as_combinatorics_say() {
        // n + k - 1 over k of them.
        assert_eq!(pairs(&ACTIONS).len(), 36);
        assert_eq!(triples(&ACTIONS).len(), 120);
        assert_eq!(two_by_two(&ACTIONS).len(), 64 * 65 / 2);
        assert!(pairs(&ACTIONS).contains(&vec![vec![Action::Save], vec![Action::Save]]));
    }
}
