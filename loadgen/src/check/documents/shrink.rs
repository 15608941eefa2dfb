//! The smallest piece of a history that proves that no order explains it.
//!
//! An access that is taken away is not forgotten: it becomes a ghost, of which nothing is held but that it may have taken
//! effect. So the piece proves its point whatever the others did. It is smallest in that no access of it can be taken
//! away as well; but what wrote a content stays for as long as a restore that shows it does, since when it was written is
//! what convicts the restore.

use super::access::{Access, Content, Kind, NEVER};
use super::frontier::{Part, Start};
use super::proof::{MOST_ACCESSES, convicts};
use std::collections::HashSet;

/// How many accesses before a misfit are looked at first. Most anomalies show within few; where they do not, eight times
/// as many are taken, and so on.
const FIRST_WINDOW: usize = 64;

/// Stands for contents that nobody knows: no user of a run has this number.
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

    /// Whether the accesses that matter prove that by themselves. How often the others may have done something is part of
    /// the search, and of no proof that can be followed: such others matter too. Where there are too many, that is open.
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

    /// The contents that restores among the accesses that matter show, but for those that are to be taken away.
    fn shown_without(&self, taken: &[usize]) -> HashSet<Content> {
        self.core().filter(|(place, _)| !taken.contains(place)).filter_map(|(_, access)| access.kind.shown()).collect()
    }
}

/// The smallest piece of the accesses, which are in the order of their calls, in which the one at `misfit` fits nowhere.
/// `None` where it is none without the others that fit nowhere: `misfits` names all of them.
pub(super) fn smallest(accesses: &[Access], misfit: usize, misfits: &[usize]) -> Option<Piece> {
    let until_us = accesses[misfit].returned_us;
    // It may be only later restores that show that it cannot be.
    let (piece, misfit) =
        window(accesses, misfit, misfits, until_us).or_else(|| window(accesses, misfit, misfits, NEVER))?;
    let proof = shrunk(piece.clone(), misfit, Piece::is_proof);
    // How often others may have done something can be what no order explains.
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

/// The accesses until then, from a moment on that is late enough, and the misfit's place among them.
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

/// All accesses until then. Of those that are still under way, and of the other misfits, nothing is held but that they may
/// have done what they say; of what wrote a content later that is shown by then, that it came later.
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

/// What an access that fits nowhere may have done, by what it says, while it lasted.
pub(super) fn may_have_done(access: &Access, place: usize) -> Vec<Access> {
    let unknown = Content { writer: UNKNOWN_WRITER, number: u32::try_from(place).unwrap_or(u32::MAX) };
    let open = |kind| Access { kind, ..*access };
    match access.kind {
        Kind::ShowsNone | Kind::DeletesNone | Kind::Deleted | Kind::MayDelete => vec![open(Kind::MayDelete)],
        Kind::Handed => vec![open(Kind::MayDelete), *access],
        Kind::Created(content) | Kind::MayCreate(content) | Kind::Saved(content) | Kind::MaySave(content) => {
            vec![open(Kind::MaySave(content))]
        }
        // As far as is known, what is shown was written once: an unknown write stands for its return.
        Kind::Shows(_) | Kind::Existed(_) => vec![open(Kind::MaySave(unknown))],
        Kind::Refused(_) | Kind::Unreadable | Kind::Torn | Kind::Unlisted => Vec::new(),
    }
}

/// The accesses from one of them on, and those before it that wrote what later ones show. Of all others nothing is held
/// but that they may have taken effect; what was over before the first is part of what was there.
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
        // One that only looked is none.
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
