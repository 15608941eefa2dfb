//! `churn`: a session's whole life in one turn. The last restore must find nothing of ours.

use super::Action;
use super::turn::Turn;

pub(super) fn write(mut turn: Turn) {
    turn.begin(Action::GenerateKey);
    turn.then(Action::Instantiate);
    turn.then(Action::Save);
    turn.then(Action::Restore);
    turn.then(Action::Delete);
    turn.then(Action::Restore);
}
