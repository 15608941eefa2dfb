//! The steps of a turn, written down one after the other.

use super::plan::{Load, Pacing, Plan};
use super::random::{Draws, Purpose};
use super::{Action, Scenario, Step, When};
use super::{churn, journey, keygen_burst, list_heavy, mixed, same_session};

/// A turn being written down.
pub(super) struct Turn<'a> {
    plan: &'a Plan,
    number: u64,
    pub(super) draws: Draws,
    steps: &'a mut Vec<Step>,
}

impl Plan {
    /// The steps of a user's turn number `turn` (0, 1, 2 …), in place of what is in `steps`.
    ///
    /// Every turn has its own draws, so none depends on an earlier one. With an open load the first step is sent at the
    /// turn's arrival, whatever its `when`. Once `steps` has grown to the longest turn, nothing is allocated.
    pub fn turn(&self, user: u32, turn: u64, steps: &mut Vec<Step>) {
        steps.clear();
        let draws = Draws::of(self.seed, Purpose::Turn, user, turn);
        let turn = Turn { plan: self, number: turn, draws, steps };
        match self.scenario {
            Scenario::Journey => journey::write(turn),
            Scenario::SameSession => same_session::write(turn),
            Scenario::KeygenBurst => keygen_burst::write(turn),
            Scenario::Churn => churn::write(turn),
            Scenario::ListHeavy => list_heavy::write(turn),
            Scenario::Mixed => mixed::write(turn),
        }
    }
}

impl Plan {
    /// The size of the state that a user's session is opened with, where that is not a step of a turn.
    #[must_use]
    pub fn first_state_bytes(&self, user: u32) -> usize {
        self.sizes.draw_bytes(&mut Draws::of(self.seed, Purpose::Opening, user, 0))
    }
}

impl Turn<'_> {
    pub(super) fn plan(&self) -> &Plan {
        self.plan
    }

    /// Whether it is the user's first.
    pub(super) fn is_first(&self) -> bool {
        self.number == 0
    }

    /// The turn's first step: after the think time, or at the pace.
    pub(super) fn begin(&mut self, action: Action) {
        let think_us = self.think_us();
        self.begin_after(action, think_us);
    }

    /// The turn's first step, so long after the turn before; a pace, if there is one, overrides that.
    pub(super) fn begin_after(&mut self, action: Action, away_us: u64) {
        let when = match &self.plan.load {
            _ if self.is_first() => When::AfterAnswer(0),
            Load::Closed { pacing: Pacing::Pace(pace_us), .. } => When::AfterMeant(*pace_us),
            Load::Closed { pacing: Pacing::Think, .. } | Load::Open { .. } => When::AfterAnswer(away_us),
        };
        self.step(action, when);
    }

    /// A step sent as soon as the one before is answered.
    pub(super) fn then(&mut self, action: Action) {
        self.step(action, When::AfterAnswer(0));
    }

    pub(super) fn step(&mut self, action: Action, when: When) {
        let state_bytes = if action.sends_state() { self.plan.sizes.draw_bytes(&mut self.draws) } else { 0 };
        self.steps.push(Step { action, when, state_bytes });
    }

    pub(super) fn think_us(&mut self) -> u64 {
        self.plan.think.draw_us(&mut self.draws)
    }
}
