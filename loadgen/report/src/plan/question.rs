//! What is planned for.

use super::objective::Objective;
use stats::collisions::Window;

/// A question to the planner.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Documents in the folder, today.
    pub sessions: u64,
    /// Users at work, today.
    pub users: u32,
    /// How long a document stays until it is deleted or archived, in seconds.
    pub life_s: f64,
    /// What is to be kept.
    pub objective: Objective,
    /// From a key's being handed out to its document's being made, in seconds: the mean of an exponential time.
    pub window_s: f64,
    /// How long a user pauses between two operations, in seconds.
    pub think_s: f64,
    /// How many times as many sessions and users as today the objectives are to hold for.
    pub growth: f64,
    /// Space for the saves folder, in bytes, where it is known.
    pub disk_bytes: Option<f64>,
    /// How many times the largest measured number of users or documents is still answered for, marked.
    pub max_extrapolation: f64,
    /// What the bootstrap and the simulation draw from.
    pub seed: u64,
}

/// One point of the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation {
    /// Documents in the folder.
    pub sessions: f64,
    /// Users at work.
    pub users: f64,
    /// Characters of a key.
    pub key_length: u32,
}

impl Question {
    /// What the objectives are to hold for.
    #[must_use]
    pub fn planned(&self, key_length: u32) -> Situation {
        let (sessions, users) = (self.sessions as f64 * self.growth, f64::from(self.users) * self.growth);
        Situation { sessions: sessions.ceil(), users: users.ceil(), key_length }
    }

    /// The window between hand-out and document. Exponential, so that some windows are much longer than the mean: with
    /// a fixed one a reservation would seem to rule out every shared session.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::Exponential(self.window_s)
    }

    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// A sentence that says what to give instead.
    pub fn check(&self) -> Result<(), String> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let refuse = |what: &str| Err(what.to_owned());
        if self.sessions == 0 || self.users == 0 {
            return refuse("a plan needs 1 session and 1 user at least: give --sessions and --users");
        }
        if !positive(self.life_s) {
            return refuse("a session without a life is never there: give --session-life a time such as 30d");
        }
        if !(self.window_s.is_finite() && self.window_s >= 0.0 && self.think_s.is_finite() && self.think_s >= 0.0) {
            return refuse("--window and --think are times, 0s or more");
        }
        if !(self.growth.is_finite() && self.growth >= 1.0) {
            return refuse("--growth is 1x or more: give what it will be as many times of today");
        }
        if !(self.max_extrapolation.is_finite() && self.max_extrapolation >= 1.0) {
            return refuse("--max-extrapolation is 1 or more: 1 answers within the measurements only");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::question;
    use super::*;

    #[test]
    fn growth_multiplies_sessions_and_users() {
        let grown = Question { growth: 2.5, ..question("503 < 1%") }.planned(3);
        assert_eq!((grown.sessions, grown.users), (25_000.0, 250.0));
    }

    #[test]
    fn what_no_plan_can_be_made_of_is_refused_with_what_to_give_instead() {
        let good = question("503 < 1%");
        assert_eq!(good.check(), Ok(()));
        for (question, option) in [
            (Question { sessions: 0, ..good.clone() }, "--sessions"),
            (Question { users: 0, ..good.clone() }, "--users"),
            (Question { life_s: 0.0, ..good.clone() }, "--session-life"),
            (Question { think_s: f64::NAN, ..good.clone() }, "--think"),
            (Question { growth: 0.5, ..good.clone() }, "--growth"),
            (Question { max_extrapolation: 0.9, ..good.clone() }, "--max-extrapolation"),
        ] {
            assert!(question.check().is_err_and(|error| error.contains(option)), "{option}");
        }
    }
}
