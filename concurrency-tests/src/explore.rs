//! Running a scenario in every interleaving of its steps.

use loom::model::Builder;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many steps one interleaving may have before loom gives up, with a panic. A scenario of two operations has
/// some forty; one that gets here runs in circles.
const MAX_STEPS: usize = 10_000;

/// How a scenario came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored<T> {
    /// How many interleavings there are: the search ended because it had tried them all.
    pub iterations: usize,
    /// Each outcome that was met, and in how many interleavings.
    pub outcomes: BTreeMap<T, usize>,
}

impl<T: Ord> Explored<T> {
    /// In how many interleavings this was the outcome.
    #[must_use]
    pub fn count(&self, outcome: &T) -> usize {
        self.outcomes.get(outcome).copied().unwrap_or_default()
    }
}

/// Runs `scenario` once in every interleaving of its threads' steps, and collects its outcomes.
///
/// The scenario makes its [`crate::ModelFs`] anew, starts its threads with [`loom::thread::spawn`] (four at most
/// beside the one that it is run on), joins them and answers how it came out. With `max_preemptions`, only those
/// interleavings are tried in which a thread that could go on is interrupted so many times at most.
///
/// # Panics
/// Where a thread of the scenario panics, where none can go on (a deadlock), or one runs in circles.
pub fn explore<T: Ord + Send + 'static>(
    max_preemptions: Option<usize>,
    scenario: impl Fn() -> T + Send + Sync + 'static,
) -> Explored<T> {
    let mut search = Builder::new();
    search.preemption_bound = max_preemptions;
    // Each of these can come from the environment (LOOM_MAX_PERMUTATIONS and so on), and would end the search
    // early with the look of success.
    search.max_permutations = None;
    search.max_duration = None;
    search.checkpoint_file = None;
    search.max_branches = MAX_STEPS;

    let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
    let collected = Arc::clone(&outcomes);
    search.check(move || {
        let outcome = scenario();
        *collected.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_default() += 1;
    });
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
    Explored { iterations: outcomes.values().sum(), outcomes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom::sync::Mutex as Step;
    use loom::thread;
    use std::process::Command;

    /// The order in which the steps of two threads came.
    fn order(steps_each: usize) -> String {
        let order = Arc::new(Step::new(String::new()));
        let threads = ['a', 'b'].map(|name| {
            let order = Arc::clone(&order);
            thread::spawn(move || (0..steps_each).for_each(|_| order.lock().expect("not poisoned").push(name)))
        });
        threads.into_iter().for_each(|thread| thread.join().expect("ends well"));
        let order = order.lock().expect("not poisoned");
        order.clone()
    }

    #[test]
    fn the_search_tries_every_order_of_steps() {
        // Of 2n steps, n are the first thread's: (2n choose n) orders.
        for (steps_each, orders) in [(1, 2), (2, 6), (3, 20), (4, 70), (5, 252)] {
            let explored = explore(None, move || order(steps_each));
            assert_eq!(explored.outcomes.len(), orders, "{steps_each} steps each");
        }
    }

    #[test]
    fn a_bound_on_preemptions_leaves_orders_out() {
        let bounded = explore(Some(1), || order(3));
        assert!(bounded.outcomes.len() < 20 && bounded.count(&"aaabbb".to_owned()) > 0, "{bounded:?}");
    }

    #[test]
    fn an_outcome_that_needs_one_order_alone_is_found() {
        let explored = explore(None, || order(5) == "babababbaa");
        assert!(explored.count(&true) > 0 && explored.count(&false) > 0, "{explored:?}");
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn a_thread_that_nothing_can_wake_is_found() {
        explore(None, || {
            let never = Arc::new((Step::new(()), loom::sync::Condvar::new()));
            drop(never.1.wait(never.0.lock().expect("not poisoned")));
        });
    }

    #[test]
    fn limits_from_the_environment_do_not_end_the_search() {
        let this_program = std::env::current_exe().expect("a program");
        let limited = Command::new(this_program)
            .args(["--exact", "explore::tests::the_search_tries_every_order_of_steps"])
            .envs([("LOOM_MAX_PERMUTATIONS", "1"), ("LOOM_MAX_DURATION", "0"), ("LOOM_CHECKPOINT_INTERVAL", "1")])
            .envs([("LOOM_MAX_PREEMPTIONS", "0"), ("LOOM_MAX_BRANCHES", "2")])
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&limited.stdout);
        assert!(limited.status.success() && said.contains("1 passed"), "{said}");
    }
}
