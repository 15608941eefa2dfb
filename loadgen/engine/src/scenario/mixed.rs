//! `mixed`: kinds of turns by weight, each user on its own session.

use super::Action;
use super::mix::Kind;
use super::turn::Turn;

pub(super) fn write(mut turn: Turn) {
    let mix = turn.plan().mix;
    match mix.draw(&mut turn.draws) {
        Kind::Restore => turn.begin(Action::Restore),
        Kind::Save => turn.begin(Action::Save),
        Kind::List => turn.begin(Action::List),
        Kind::Churn => begin_anew(&mut turn),
    }
}

/// Ends the session and begins another.
fn begin_anew(turn: &mut Turn) {
    turn.begin(Action::Delete);
    turn.then(Action::GenerateKey);
    turn.then(Action::Instantiate);
}
