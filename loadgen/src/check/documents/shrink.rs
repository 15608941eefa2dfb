//! The smallest piece of a history that proves that no order explains it.
//!
//! An access that is taken away is not forgotten: it becomes a ghost, of which nothing is held but that it may have taken
//! effect. So the piece proves its point whatever the others did. It is smallest in that no access of it can be taken
//! away as well.

use super::access::Access;
use super::frontier::{Part, Start};

/// How many accesses before a misfit are looked at first. Most anomalies show within few; where they do not, eight times
/// as many are taken, and so on.
const FIRST_WINDOW: usize = 64;

/// A piece of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The accesses, in the order of their calls; those of which little is held among them.
    pub(super) accesses: Vec<Access>,
    /// By place: those that may have taken effect, and of which no more is held.
    pub(super) ghosts: Vec<bool>,
    /// Whether anything may have been there before the first.
    pub(super) start: Start,
}

impl Piece {
    pub(super) fn part(&self) -> Part<'_> {
        Part { accesses: &self.accesses, ghosts: &self.ghosts, start: self.start }
    }

    /// Whether no order explains it.
    fn is_wrong(&self) -> bool {
        !self.part().search(true).misfits.is_empty()
    }

    /// The accesses that matter.
    pub(super) fn core(&self) -> impl Iterator<Item = (usize, &Access)> {
        self.accesses.iter().enumerate().filter(|(place, _)| !self.ghosts[*place])
    }
}

/// The smallest piece of the accesses, which are in the order of their calls, in which the one at `misfit` fits nowhere.
/// `None` where it is none without the others that fit nowhere: `misfits` names all of them.
pub(super) fn smallest(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<Piece> {
    let (mut piece, misfit) = window(accesses, misfit, misfits)?;
    let mut chunk = piece.accesses.len().next_power_of_two() / 2;
    while chunk > 0 {
        let has_shrunk = shrink_by(&mut piece, chunk, misfit);
        // Once more in single steps, until nothing can be taken away any more.
        chunk = if chunk == 1 && has_shrunk { 1 } else { chunk / 2 };
    }
    Some(piece)
}

/// The accesses up to the misfit's return, from a moment on that is late enough, and the misfit's place among them.
fn window(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<(Piece, usize)> {
    let until_us = accesses[misfit].returned_us;
    let is_in = |place: &usize| {
        *place == misfit || accesses[*place].called_us <= until_us && misfits.binary_search(place).is_err()
    };
    let places: Vec<usize> = (0..accesses.len()).filter(is_in).collect();
    let before = places.binary_search(&misfit).ok()?;
    let kept: Vec<Access> = places.iter().map(|place| accesses[*place]).collect();
    let mut size = FIRST_WINDOW;
    loop {
        let from = before.saturating_sub(size);
        let piece = cut(&kept, from);
        if piece.is_wrong() {
            let place = piece.accesses.iter().position(|access| *access == accesses[misfit])?;
            return Some((piece, place));
        }
        if from == 0 {
            return None;
        }
        size = size.saturating_mul(8);
    }
}

/// The accesses from the call of one of them on. Of those that were under way then nothing is held but that they may have
/// taken effect since: before that, they are part of what was there.
pub(super) fn cut(accesses: &[Access], from: usize) -> Piece {
    if from == 0 {
        return Piece { accesses: accesses.to_vec(), ghosts: vec![false; accesses.len()], start: Start::Absent };
    }
    let from_us = accesses[from].called_us;
    let kept: Vec<Access> = accesses.iter().filter(|access| access.returned_us >= from_us).copied().collect();
    Piece {
        ghosts: kept.iter().map(|access| access.called_us < from_us).collect(),
        accesses: kept,
        start: Start::Anything,
    }
}

/// Takes away as many chunks of accesses as can be; says whether there was one.
fn shrink_by(piece: &mut Piece, chunk: usize, misfit: usize) -> bool {
    let mut has_shrunk = false;
    for from in (0..piece.accesses.len()).step_by(chunk) {
        let places = (from..(from + chunk).min(piece.accesses.len())).filter(|&place| place != misfit);
        let taken: Vec<usize> = places.filter(|&place| !piece.ghosts[place]).collect();
        if taken.is_empty() {
            continue;
        }
        taken.iter().for_each(|&place| piece.ghosts[place] = true);
        if piece.is_wrong() {
            has_shrunk = true;
        } else {
            taken.iter().for_each(|&place| piece.ghosts[place] = false);
        }
    }
    has_shrunk
}
