//! What a user does after each answer: the way through a session.

use super::Operation;
use super::cores::Request;
use super::queue::Event;
use super::world::World;

/// When a user goes on after an answer.
pub(super) enum Next {
    /// At once.
    Now,
    /// After so many seconds.
    In(f64),
}

impl World<'_> {
    /// What the user does next, and when.
    pub(super) fn go_on(&mut self, user: u32, answered: Request) -> Next {
        let habits = &self.parameters.users;
        let state = &mut self.users[user as usize];
        match (answered.operation, answered.key) {
            (Operation::GenerateKey, None) => return self.try_again(user),
            (Operation::GenerateKey, Some(_)) => {
                state.visits_left = habits.visits.draw(&mut self.draws);
                state.operation = Operation::Instantiate;
                return Next::In(habits.window_s.draw(&mut self.draws));
            }
            (Operation::Instantiate, _) => {
                state.operation = Operation::Restore;
                return Next::Now;
            }
            (Operation::Restore, _) => state.saves_left = habits.saves.draw(&mut self.draws),
            (Operation::Save, _) => state.saves_left -= 1,
            (Operation::Delete, key) => {
                self.measure.deleted += 1;
                return self.end_session(user, key);
            }
        }
        self.work_on(user, answered.key)
    }

    /// Saves as long as there are changes; then the visit is over, and with the last one the session.
    fn work_on(&mut self, user: u32, key: Option<u32>) -> Next {
        let habits = &self.parameters.users;
        let state = &mut self.users[user as usize];
        if state.saves_left > 0 {
            state.operation = Operation::Save;
            return Next::In(habits.save_spacing_s.draw(&mut self.draws));
        }
        state.visits_left -= 1;
        if state.visits_left > 0 {
            state.operation = Operation::Instantiate;
            return Next::In(habits.away_s.draw(&mut self.draws));
        }
        if self.draws.unit() < habits.deleted_share {
            state.operation = Operation::Delete;
            return Next::In(habits.save_spacing_s.draw(&mut self.draws));
        }
        self.measure.abandoned += 1;
        if let Some(key) = key {
            let life_s = habits.session_life_s.draw(&mut self.draws);
            self.folder.release(key);
            self.after(life_s, Event::Archive(key));
        }
        self.end_session(user, key)
    }

    fn end_session(&mut self, user: u32, key: Option<u32>) -> Next {
        if key.is_some() {
            self.measure.active.down(self.now_ns);
        }
        self.begin_anew(user)
    }

    /// After a 503: a pause, or, after the last try, thinking.
    fn try_again(&mut self, user: u32) -> Next {
        let state = &mut self.users[user as usize];
        state.tries_left -= 1;
        if state.tries_left > 0 {
            return Next::In(self.parameters.users.retry_pause_s);
        }
        self.measure.given_up += 1;
        self.begin_anew(user)
    }

    fn begin_anew(&mut self, user: u32) -> Next {
        let habits = &self.parameters.users;
        let state = &mut self.users[user as usize];
        state.operation = Operation::GenerateKey;
        state.key = None;
        state.tries_left = habits.start_tries;
        Next::In(habits.think_s.draw(&mut self.draws))
    }
}
