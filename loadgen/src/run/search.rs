//! The highest rate at which a target keeps an objective: doubled until it does not, halved into until the two are
//! close, and confirmed by a longer run. Pure.

use engine::scenario::{Arrivals, Load, Plan, Shape};
use record::run::{Search, Trial, TrialPhase};
use report::objective::Objective;

/// Where the highest kept and the lowest not kept are this close, as a ratio, the search is over.
const CLOSE: f64 = 1.05;

/// How often a rate is lowered that is not kept when it is to be confirmed, and by how much.
const CONFIRMATIONS: usize = 4;
const STEP_BACK: f64 = 0.9;

/// Below this rate, per s, nothing is looked for.
const LEAST_PER_S: f64 = 1.0;

/// A trial is so much shorter than the run that confirms what was found, and no shorter than this, µs.
const TRIAL_SHARE: u64 = 4;
const LEAST_TRIAL_US: u64 = 2_000_000;

/// A search under way.
#[derive(Debug)]
pub struct Seek {
    trials: Vec<Trial>,
    phase: TrialPhase,
    /// What is tried next, per s.
    next_per_s: f64,
    kept_per_s: Option<f64>,
    broken_per_s: Option<f64>,
    confirmations: usize,
    found_per_s: Option<f64>,
    is_over: bool,
}

impl Seek {
    /// A search that begins at a rate, per s.
    #[must_use]
    pub fn new(first_per_s: f64) -> Self {
        Self {
            trials: Vec::new(),
            phase: TrialPhase::Double,
            next_per_s: first_per_s,
            kept_per_s: None,
            broken_per_s: None,
            confirmations: 0,
            found_per_s: None,
            is_over: false,
        }
    }

    /// The rate to be tried, per s, and whether that is to confirm it.
    #[must_use]
    pub fn next(&self) -> (f64, bool) {
        (self.next_per_s, self.phase == TrialPhase::Confirm)
    }

    /// Why that rate.
    #[must_use]
    pub fn phase(&self) -> TrialPhase {
        self.phase
    }

    /// Whether nothing more is to be tried.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Notes what came of the rate that was to be tried.
    pub fn note(&mut self, trial: Trial) {
        let is_kept = trial.kept && trial.valid;
        self.trials.push(trial);
        if self.phase == TrialPhase::Confirm {
            return self.note_confirmation(is_kept);
        }
        let side = if is_kept { &mut self.kept_per_s } else { &mut self.broken_per_s };
        *side = Some(self.next_per_s);
        match (self.kept_per_s, self.broken_per_s) {
            (Some(kept), None) => self.next_per_s = 2.0 * kept,
            (None, Some(broken)) if broken / 2.0 < LEAST_PER_S => self.is_over = true,
            (None, Some(broken)) => self.next_per_s = broken / 2.0,
            (Some(kept), Some(broken)) if broken > CLOSE * kept => {
                self.phase = TrialPhase::Bisect;
                self.next_per_s = f64::midpoint(kept, broken);
            }
            (Some(kept), _) => {
                self.phase = TrialPhase::Confirm;
                self.next_per_s = kept;
            }
            (None, None) => {}
        }
    }

    fn note_confirmation(&mut self, is_kept: bool) {
        self.confirmations += 1;
        if is_kept {
            self.found_per_s = Some(self.next_per_s);
        }
        self.is_over = is_kept || self.confirmations == CONFIRMATIONS;
        self.next_per_s *= STEP_BACK;
    }

    /// The search, told.
    #[must_use]
    pub fn told(self, objective: &Objective) -> Search {
        Search { objective: objective.to_string(), trials: self.trials, found_per_s: self.found_per_s }
    }
}

/// The plan of one trial: as ordered, at that rate; only the one that confirms it is as long as ordered.
#[must_use]
pub fn plan_of_trial(ordered: &Plan, rate_per_s: f64, is_confirming: bool) -> Plan {
    let duration_us = ordered.duration_us();
    let trial_us = (duration_us / TRIAL_SHARE).max(LEAST_TRIAL_US).min(duration_us);
    let stages = Shape::constant(rate_per_s, if is_confirming { duration_us } else { trial_us });
    let arrivals = match ordered.load {
        Load::Open { arrivals, .. } => arrivals,
        Load::Closed { .. } => Arrivals::default(),
    };
    let stages = stages.after_warm_up(ordered.warm_up_us());
    Plan { load: Load::Open { stages, arrivals }, ..ordered.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seek(first_per_s: f64, is_kept: impl Fn(f64, TrialPhase) -> bool) -> Search {
        let mut seek = Seek::new(first_per_s);
        while !seek.is_over() {
            let ((rate_per_s, _), phase) = (seek.next(), seek.phase());
            let kept = is_kept(rate_per_s, phase);
            let (why, worst) = (String::new(), String::new());
            seek.note(Trial { rate_per_s, phase, kept, valid: true, why, goodput_per_s: rate_per_s, worst });
        }
        seek.told(&"wrong = 0".parse().expect("an objective"))
    }

    #[test]
    fn the_limit_is_found_from_below_and_from_above_within_five_percent() {
        for (first, limit) in [(100.0, 3_217.0), (50_000.0, 3_217.0), (3_000.0, 3_217.0)] {
            let search = seek(first, |rate, _| rate <= limit);
            let found = search.found_per_s.expect("found");
            assert!(found <= limit && found > limit / CLOSE, "{found} from {first}");
            assert!(search.trials.len() <= 14, "{} trials", search.trials.len());
            assert_eq!(search.trials.last().map(|trial| trial.phase), Some(TrialPhase::Confirm));
        }
    }

    #[test]
    fn a_rate_that_is_not_confirmed_is_lowered_and_given_up_in_the_end() {
        let search = seek(100.0, |rate, phase| rate <= if phase == TrialPhase::Confirm { 850.0 } else { 1_000.0 });
        let found = search.found_per_s.expect("found");
        assert!((700.0..=850.0).contains(&found), "{found}");
        let never = seek(100.0, |rate, phase| phase != TrialPhase::Confirm && rate <= 1_000.0);
        assert_eq!(never.found_per_s, None);
    }

    #[test]
    fn a_target_that_keeps_it_at_no_rate_ends_the_search() {
        let search = seek(100.0, |_, _| false);
        assert_eq!((search.found_per_s, search.trials.len()), (None, 7));
    }

    #[test]
    fn a_rate_at_which_the_generator_did_not_keep_up_is_none_that_was_kept() {
        let mut seek = Seek::new(100.0);
        let (why, worst) = (String::new(), String::new());
        let phase = seek.phase();
        seek.note(Trial { rate_per_s: 100.0, phase, kept: true, valid: false, why, goodput_per_s: 1.0, worst });
        assert!(seek.next().0 < 100.0);
    }
}
