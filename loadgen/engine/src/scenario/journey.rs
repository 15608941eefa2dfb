//! `journey`: what the browser client does (docs/contract.md, "The client"). A turn is a visit.

use super::turn::Turn;
use super::units::SECOND_US;
use super::{Action, When};

/// The client saves this long after the last of a burst of changes.
pub(super) const SAVE_DELAY_US: u64 = 2 * SECOND_US;

/// A burst of changes takes less than this.
pub(super) const BURST_US: u64 = 600_000;

/// Between a save and the next change, the person reads for less than this.
pub(super) const PAUSE_US: u64 = SECOND_US;

/// Between two visits the person is away for at least this long, and less than that.
pub(super) const AWAY_US: (u64, u64) = (SECOND_US, 5 * SECOND_US);

/// Saves of the first visit, at which the document is begun.
const SAVES_AT_FIRST: u64 = 3;

/// Saves of a later visit, at least, and one more than at most.
const SAVES_LATER: (u64, u64) = (2, 5);

pub(super) fn write(mut turn: Turn) {
    arrive(&mut turn);
    turn.then(Action::Restore);
    type_and_save(&mut turn);
}

/// At first without a key; later by the link, whose key is instantiated again and found there.
fn arrive(turn: &mut Turn) {
    if turn.is_first() {
        turn.begin(Action::GenerateKey);
        turn.then(Action::Instantiate);
    } else {
        let away_us = turn.draws.between(AWAY_US.0, AWAY_US.1) + turn.think_us();
        turn.begin_after(Action::Instantiate, away_us);
    }
}

/// The first burst of changes begins when the document is there; the person types on by their own clock, whether or not
/// the saves are answered.
fn type_and_save(turn: &mut Turn) {
    let saves = if turn.is_first() { SAVES_AT_FIRST } else { turn.draws.between(SAVES_LATER.0, SAVES_LATER.1) };
    let burst_us = turn.draws.below(BURST_US);
    turn.step(Action::Save, When::AfterAnswer(burst_us + SAVE_DELAY_US));
    for _ in 1..saves {
        let changed_us = turn.draws.below(PAUSE_US) + turn.draws.below(BURST_US);
        turn.step(Action::Save, When::AfterMeant(changed_us + SAVE_DELAY_US));
    }
}
