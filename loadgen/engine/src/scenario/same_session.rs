//! `same-session`: everybody writes and reads one document, so its lock is fought over.

use super::Action;
use super::mix::Kind;
use super::turn::Turn;

pub(super) fn write(mut turn: Turn) {
    let mix = turn.plan().mix.of_one_document();
    let action = if mix.draw(&mut turn.draws) == Kind::Save { Action::Save } else { Action::Restore };
    turn.begin(action);
}
