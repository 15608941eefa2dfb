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
    fn part(&self) -> Part<'_> {
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

/// The last accesses before the misfit's return that are enough, and its place among them.
fn window(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<(Piece, usize)> {
    let until_us = accesses[misfit].returned_us;
    let is_in = |place: &usize| {
        *place == misfit || accesses[*place].called_us <= until_us && misfits.binary_search(place).is_err()
    };
    let places: Vec<usize> = (0..accesses.len()).filter(is_in).collect();
    let mut size = FIRST_WINDOW;
    loop {
        let from = places.len().saturating_sub(size);
        let start = if from == 0 { Start::Absent } else { Start::Anything };
        let kept: Vec<Access> = places[from..].iter().map(|place| accesses[*place]).collect();
        let piece = Piece { ghosts: vec![false; kept.len()], accesses: kept, start };
        if piece.is_wrong() {
            return Some((piece, places[from..].binary_search(&misfit).ok()?));
        }
        if from == 0 {
            return None;
        }
        size = size.saturating_mul(8);
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
