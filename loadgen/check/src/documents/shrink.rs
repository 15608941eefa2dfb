//! Finds the smallest piece of a history that proves that no order explains it.
//!
//! An access that is taken away is not forgotten: it becomes a ghost, which may have taken effect and proves nothing
//! else. So the piece is a proof whatever the other accesses did. It is smallest in that no further access can be taken
//! away. The write of a content stays for as long as a restore that shows it, since the time of the write is what
//! convicts the restore.

use super::access::{Access, Content, Kind, NEVER};
use super::frontier::{Part, Start};
use super::proof::{MOST_ACCESSES, convicts};
use std::collections::HashSet;

/// How many accesses before a misfit are looked at first. Most anomalies show within few; where they do not, eight times
/// as many are taken, and so on.
const FIRST_WINDOW: usize = 64;

/// Writer of contents whose origin is unknown: no user of a run has this number.
const UNKNOWN_WRITER: u32 = u32::MAX - 2;

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

    /// Whether the accesses that matter are a proof by themselves. The search counts how often ghosts take effect, but
    /// a proof that can be followed must not depend on it: such ghosts have to stay in the piece. If there are too many
    /// orders to try, the piece counts as a proof.
    fn is_proof(&self) -> bool {
        let is_ghost = |(place, access): (usize, &Access)| self.ghosts[place].then_some(*access);
        let ghosts: Vec<Access> = self.accesses.iter().enumerate().filter_map(is_ghost).collect();
        let core: Vec<Access> = self.core().map(|(_, access)| *access).collect();
        convicts(&core, &ghosts, self.start) != Some(false)
    }

    /// The accesses that matter.
    pub(super) fn core(&self) -> impl Iterator<Item = (usize, &Access)> {
        self.accesses.iter().enumerate().filter(|(place, _)| !self.ghosts[*place])
    }

    /// The contents shown by restores among the accesses that matter, except those at the places `taken`.
    fn shown_without(&self, taken: &[usize]) -> HashSet<Content> {
        self.core().filter(|(place, _)| !taken.contains(place)).filter_map(|(_, access)| access.kind.shown()).collect()
    }
}

/// The smallest piece of the accesses, which are in the order of their calls, in which the one at `misfit` fits nowhere.
/// `None` where it is none without the others that fit nowhere: `misfits` names all of them.
pub(super) fn smallest(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<Piece> {
    let until_us = accesses[misfit].returned_us;
    // Sometimes only later restores show that it is wrong.
    let (piece, misfit) =
        window(accesses, misfit, misfits, until_us).or_else(|| window(accesses, misfit, misfits, NEVER))?;
    let proof = shrunk(piece.clone(), misfit, Piece::is_proof);
    // A longer proof cannot be tried. The smaller piece may rest on how often ghosts take effect.
    Some(if proof.core().count() <= MOST_ACCESSES { proof } else { shrunk(piece, misfit, |_| true) })
}

fn shrunk(mut piece: Piece, misfit: usize, is_fine: fn(&Piece) -> bool) -> Piece {
    let mut chunk = piece.accesses.len().next_power_of_two() / 2;
    while chunk > 0 {
        let has_shrunk = shrink_by(&mut piece, chunk, misfit, is_fine);
        // Once more in single steps, until nothing can be taken away any more.
        chunk = if chunk == 1 && has_shrunk { 1 } else { chunk / 2 };
    }
    piece
}

/// The accesses up to `until_us`, from as late a start as still shows that something is wrong, and the misfit's place
/// among them.
fn window(accesses: &[Access], misfit: usize, misfits: &[usize], until_us: u64) -> Option<(Piece, usize)> {
    let whole = until(accesses, misfit, misfits, until_us);
    let at = whole.accesses.iter().position(|access| *access == accesses[misfit])?;
    let mut size = FIRST_WINDOW;
    loop {
        let from = at.saturating_sub(size);
        let piece = cut(&whole, from);
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

/// All accesses up to `until_us`. Those still under way, and the other misfits, become ghosts that may have done what
/// their responses say. Later writes of contents that are shown by then are kept in full, as evidence that they came
/// later.
fn until(accesses: &[Access], misfit: usize, misfits: &[usize], until_us: u64) -> Piece {
    let is_over = |access: &Access| access.returned_us <= until_us || access.returned_us == NEVER;
    let over = accesses.iter().filter(|access| is_over(access) && access.called_us <= until_us);
    let shown: HashSet<Content> = over.filter_map(|access| access.kind.shown()).collect();
    let writes_shown = |access: &Access| access.kind.written().is_some_and(|content| shown.contains(&content));
    let mut kept: Vec<(Access, bool)> = Vec::new();
    for (place, access) in accesses.iter().enumerate() {
        let has_begun = access.called_us <= until_us;
        if has_begun && place != misfit && misfits.binary_search(&place).is_ok() {
            kept.extend(may_have_done(access, place).into_iter().map(|access| (access, true)));
        } else if is_over(access) && has_begun || writes_shown(access) {
            kept.push((*access, false));
        } else if has_begun {
            kept.push((Access { kind: access.kind.opened(), ..*access }, true));
        }
    }
    let (accesses, ghosts) = kept.into_iter().unzip();
    Piece { accesses, ghosts, start: Start::Absent }
}

/// What an access that fits nowhere may have done while it lasted, according to its response.
pub(super) fn may_have_done(access: &Access, place: usize) -> Vec<Access> {
    let unknown = Content { writer: UNKNOWN_WRITER, number: u32::try_from(place).unwrap_or(u32::MAX) };
    let open = |kind| Access { kind, ..*access };
    match access.kind {
        Kind::ShowsNone | Kind::DeletesNone | Kind::Deleted | Kind::MayDelete => vec![open(Kind::MayDelete)],
        Kind::Handed => vec![open(Kind::MayDelete), *access],
        Kind::Created(content) | Kind::MayCreate(content) | Kind::Saved(content) | Kind::MaySave(content) => {
            vec![open(Kind::MaySave(content))]
        }
        // A shown content has one known write: a write of an unknown content stands for its reappearance.
        Kind::Shows(_) | Kind::Existed(_) => vec![open(Kind::MaySave(unknown))],
        Kind::Refused(_) | Kind::Unreadable | Kind::Torn | Kind::Unlisted => Vec::new(),
    }
}

/// Keeps the accesses from a place on, and the earlier writes of what those show. All others become ghosts; those that
/// were over before the first kept access are part of the initial state.
pub(super) fn cut(whole: &Piece, from: usize) -> Piece {
    let later = whole.core().filter(|(place, _)| *place >= from);
    let shown: HashSet<Content> = later.filter_map(|(_, access)| access.kind.shown()).collect();
    let writes_shown = |access: &Access| access.kind.written().is_some_and(|content| shown.contains(&content));
    let matters = |(place, access): &(usize, &Access)| *place >= from || writes_shown(access);
    let first_us = whole.core().find(matters).map_or(0, |(_, access)| access.called_us);
    let mut piece = Piece { accesses: Vec::new(), ghosts: Vec::new(), start: Start::Absent };
    for (place, access) in whole.accesses.iter().enumerate() {
        if access.returned_us < first_us {
            piece.start = Start::Anything;
            continue;
        }
        let is_ghost = whole.ghosts[place] || !matters(&(place, access)) || access.called_us < first_us;
        // A ghost that only looked had no effect.
        if !is_ghost || access.kind.role().has_effect() {
            piece.accesses.push(*access);
            piece.ghosts.push(is_ghost);
        }
    }
    piece
}

/// Takes away as many chunks of accesses as can be; says whether there was one.
fn shrink_by(piece: &mut Piece, chunk: usize, misfit: usize, is_fine: fn(&Piece) -> bool) -> bool {
    let mut has_shrunk = false;
    for from in (0..piece.accesses.len()).step_by(chunk) {
        let places = (from..(from + chunk).min(piece.accesses.len())).filter(|&place| place != misfit);
        let mut taken: Vec<usize> = places.filter(|&place| !piece.ghosts[place]).collect();
        let shown = piece.shown_without(&taken);
        taken.retain(|&place| piece.accesses[place].kind.written().is_none_or(|content| !shown.contains(&content)));
        if taken.is_empty() {
            continue;
        }
        taken.iter().for_each(|&place| piece.ghosts[place] = true);
        if piece.is_wrong() && is_fine(piece) {
            has_shrunk = true;
        } else {
            taken.iter().for_each(|&place| piece.ghosts[place] = false);
        }
    }
    has_shrunk
}
