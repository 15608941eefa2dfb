//! The error that a run may make, shared by all of its verdicts on chance.
//!
//! A verdict on chance is wrong now and then, however careful. So that a run of all claims is not, every test of
//! chance gets an equal share of one budget (Bonferroni's inequality: whatever depends on whatever, the chance that any
//! of them errs is at most the sum).

use super::ALL;

/// The chance that a run of all claims on one target accuses a server that keeps them, or clears one that does not, by
/// bad luck in its numbers.
const OF_A_RUN: f64 = 0.01;

/// The confidence of every interval, and what a number of trials must exclude a chance with: 99.93 %. Another
/// decision on chance raises it for all claims, and with it the numbers of trials and the texts that name them.
pub(super) const CONFIDENCE: f64 = 1.0 - OF_A_RUN / decisions() as f64;

/// The decisions on chance of all claims. A `const fn` has no iterators.
const fn decisions() -> u32 {
    let (mut sum, mut at) = (0, 0);
    while at < ALL.len() {
        sum += ALL[at].decisions_on_chance;
        at += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::keys::{THREE_CHARACTER_KEYS, birthday_collision, trials_to_exclude};

    #[test]
    fn all_decisions_together_err_as_seldom_as_a_run_may() {
        assert_eq!(decisions(), 15);
        assert!((f64::from(decisions()) * (1.0 - CONFIDENCE) - OF_A_RUN).abs() < 1e-12);
    }

    #[test]
    fn a_share_of_the_budget_takes_more_trials_than_the_whole_of_it() {
        let needed = |confidence| trials_to_exclude(birthday_collision(100, THREE_CHARACTER_KEYS), confidence);
        assert_eq!((needed(0.99), needed(CONFIDENCE)), (44, 69));
    }
}
