//! `list-heavy`: lists of all sessions while these change.

use super::Action;
use super::turn::Turn;

pub(super) fn write(mut turn: Turn) {
    let action = match turn.draws.below(4) {
        0 => Action::Save,
        1 => Action::Restore,
        _ => Action::List,
    };
    turn.begin(action);
}
