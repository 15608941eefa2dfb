//! `keygen-burst`: keys asked for and given back. The think time is how long a key is held, which decides how many are
//! taken at once, and so how many attempts a new one needs.

use super::turn::Turn;
use super::{Action, When};

pub(super) fn write(mut turn: Turn) {
    turn.begin_after(Action::GenerateKey, 0);
    let held_us = turn.think_us();
    turn.step(Action::GiveBack, When::AfterAnswer(held_us));
}
