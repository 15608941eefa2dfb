//! `same-session`: everybody writes and reads one document, so its lock is fought over.

use super::Action;
use super::turn::Turn;

pub(super) fn write(mut turn: Turn) {
    let action = if turn.draws.below(2) == 0 { Action::Save } else { Action::Restore };
    turn.begin(action);
}
