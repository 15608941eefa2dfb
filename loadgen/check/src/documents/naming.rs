//! What an access that fits nowhere is called: told by what else was done to the document, before and after.

use super::access::{Access, Content, Kind, NEVER, SAVES_FOLDER};
use crate::anomaly::Anomaly;
use std::collections::{HashMap, HashSet};

/// Restores in a row that show an earlier content before it counts as stored again. A server that shows it in one of
/// four restores shows it ten times in a row once in a million.
const IN_A_ROW: usize = 10;

/// All accesses to a document, by what they did.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    accesses: &'a [Access],
    /// Places of the accesses that wrote a content, or may have.
    writes: HashMap<Content, usize>,
    /// Places of the restores that showed it.
    readers: HashMap<Content, Vec<usize>>,
    /// The same places, in the order of their calls, which is ascending.
    writes_by_call: Vec<usize>,
    /// By place: the earliest call of a write whose content a restore from there on shows, µs.
    shown_later_us: Vec<u64>,
    /// By place: the latest response of an acknowledged save that was called before it, µs.
    saving_until_us: Vec<u64>,
    /// By place: whether the next restore from there on finds nothing although no save is under way, before anything is
    /// shown or deleted.
    is_gone: Vec<bool>,
    refused: HashSet<Content>,
    /// All who asked for anything under this key.
    users: HashSet<u32>,
    /// Acknowledged writes, in the order of their responses.
    acknowledged: Vec<usize>,
    /// Deletes that found a document, in the order of their responses.
    deleted: Vec<usize>,
    /// Hand-outs of the key, in the order of their responses.
    handed: Vec<usize>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(accesses: &'a [Access]) -> Self {
        let mut scene = Self {
            accesses,
            writes: HashMap::new(),
            readers: HashMap::new(),
            writes_by_call: Vec::new(),
            shown_later_us: vec![NEVER; accesses.len() + 1],
            saving_until_us: vec![0; accesses.len() + 1],
            is_gone: vec![false; accesses.len() + 1],
            refused: HashSet::new(),
            users: accesses.iter().map(|access| access.process).collect(),
            acknowledged: Vec::new(),
            deleted: Vec::new(),
            handed: Vec::new(),
        };
        for (place, access) in accesses.iter().enumerate() {
            match access.kind {
                Kind::Shows(content) => scene.readers.entry(content).or_default().push(place),
                Kind::Refused(content) | Kind::Existed(Some(content)) => drop(scene.refused.insert(content)),
                Kind::Deleted => scene.deleted.push(place),
                Kind::Handed => scene.handed.push(place),
                Kind::Created(_) | Kind::Saved(_) => scene.acknowledged.push(place),
                _ => {}
            }
            let is_saved = matches!(access.kind, Kind::Saved(_));
            let until_us = if is_saved { access.returned_us } else { 0 };
            scene.saving_until_us[place + 1] = until_us.max(scene.saving_until_us[place]);
            if let Some(content) = access.kind.written() {
                scene.writes.insert(content, place);
                scene.writes_by_call.push(place);
            }
        }
        let returned_us = |place: &usize| accesses[*place].returned_us;
        scene.acknowledged.sort_by_key(returned_us);
        scene.deleted.sort_by_key(returned_us);
        scene.handed.sort_by_key(returned_us);
        for (place, access) in accesses.iter().enumerate().rev() {
            let write = access.kind.shown().and_then(|content| scene.writes.get(&content));
            let sent_us = write.map_or(NEVER, |write| accesses[*write].called_us);
            scene.shown_later_us[place] = sent_us.min(scene.shown_later_us[place + 1]);
            scene.is_gone[place] = match access.kind {
                Kind::ShowsNone if scene.saved_until_us(access).is_none() => true,
                Kind::Shows(_) | Kind::Deleted | Kind::MayDelete => false,
                _ => scene.is_gone[place + 1],
            };
        }
        scene
    }

    /// The name of what went wrong with the access at a place.
    pub(super) fn name(&self, misfit: usize) -> Anomaly {
        let access = &self.accesses[misfit];
        match access.kind {
            Kind::Torn => Anomaly::TornRead,
            Kind::Unreadable => Anomaly::UnreadableDocument,
            Kind::Unlisted => Anomaly::MissingFromList,
            Kind::Handed => Anomaly::KeyChangedOwners,
            Kind::Shows(content) => self.misread(access, content),
            Kind::ShowsNone | Kind::DeletesNone => self.gone(access),
            Kind::Existed(_) => self.exists(access),
            Kind::Created(_) => self.created_again(access),
            Kind::Deleted if self.deleted.len() > 1 => Anomaly::AppliedTwice,
            Kind::Deleted => Anomaly::NeverWritten,
            _ => Anomaly::NotLinearizable,
        }
    }

    /// A restore shows a content that cannot be there.
    fn misread(&self, restore: &Access, content: Content) -> Anomaly {
        let Some(&place) = self.writes.get(&content) else {
            return self.unwritten(content);
        };
        let write = &self.accesses[place];
        if restore.is_before(write) {
            return Anomaly::NeverWritten;
        }
        let since_us = self.there_since_us(write, content);
        let replaced = self.last_before(&self.acknowledged, restore).filter(|other| other.called_us > since_us);
        let deleted = self.last_before(&self.deleted, restore).filter(|delete| delete.called_us > since_us);
        match (deleted, replaced) {
            (Some(delete), None) if delete.returned_us < NEVER => Anomaly::ResurrectedDocument,
            (Some(delete), Some(save)) if save.returned_us < delete.called_us => Anomaly::ResurrectedDocument,
            (_, Some(_)) if write.returned_us == NEVER => Anomaly::AppliedTwice,
            (_, Some(save)) if self.is_lost(save, since_us) => Anomaly::LostUpdate,
            (_, Some(save)) if self.is_back(restore, content, save) => Anomaly::AppliedTwice,
            (_, Some(_)) => Anomaly::StaleRead,
            _ => Anomaly::NonMonotonicRead,
        }
    }

    /// What is shown was not written here: it was refused, or is of somebody who never used this key.
    fn unwritten(&self, content: Content) -> Anomaly {
        if self.refused.contains(&content) {
            Anomaly::AbortedRead
        } else if self.users.contains(&content.writer) {
            Anomaly::NeverWritten
        } else {
            Anomaly::KeyChangedOwners
        }
    }

    /// Since when a content is known to have been there, µs: since its write's answer, or since somebody saw it.
    fn there_since_us(&self, write: &Access, content: Content) -> u64 {
        let seen = self.readers.get(&content).into_iter().flatten().map(|&place| self.accesses[place].returned_us);
        seen.min().map_or(write.returned_us, |seen_us| seen_us.min(write.returned_us))
    }

    /// Whether a content is back for good after a save that replaced it and was seen: restores in a row show it, which
    /// stale reads would hardly do, and then nothing older than this one.
    fn is_back(&self, restore: &Access, content: Content, save: &Access) -> bool {
        let replacing = save.kind.written();
        let saw = |place: &usize| self.accesses[*place].is_before(restore);
        let was_seen =
            replacing.and_then(|replacing| self.readers.get(&replacing)).is_some_and(|of| of.iter().any(saw));
        let is_it = |look: &&Access| look.kind == Kind::Shows(content);
        let looks = || self.looks(restore.called_us, NEVER);
        let is_older = |next: &Access| {
            let write = next.kind.shown().and_then(|shown| self.writes.get(&shown));
            write.is_some_and(|&write| self.accesses[write].called_us < restore.called_us)
        };
        was_seen
            && weight(looks().take_while(is_it)) >= IN_A_ROW
            && !looks().find(|look| !is_it(look)).is_some_and(is_older)
    }

    /// Whether a save was acknowledged but never seen, although others look before the next write: they see the
    /// previous content.
    fn is_lost(&self, save: &Access, since_us: u64) -> bool {
        let is_seen = save.kind.written().is_some_and(|content| self.readers.contains_key(&content));
        let next_write = self.writes_called_after(since_us).find(|access| *access != save);
        let until_us = next_write.map_or(NEVER, |write| write.called_us);
        !is_seen && weight(self.looks(save.returned_us.saturating_add(1), until_us)) > 1
    }

    /// Accesses that write, or may, and were called after a time, in the order of their calls.
    fn writes_called_after(&self, after_us: u64) -> impl Iterator<Item = &'a Access> {
        let from = self.writes_by_call.partition_point(|place| self.accesses[*place].called_us <= after_us);
        self.writes_by_call[from..].iter().map(|place| &self.accesses[*place])
    }

    /// Restores that showed a content, called at `from_us` or later and over before `until_us`.
    fn looks(&self, from_us: u64, until_us: u64) -> impl Iterator<Item = &'a Access> {
        let from = self.accesses.partition_point(|access| access.called_us < from_us);
        let begun = self.accesses[from..].iter().take_while(move |access| access.called_us < until_us);
        begun.filter(move |access| access.returned_us < until_us && access.kind.shown().is_some())
    }

    /// There is no document, and there must be one.
    fn gone(&self, access: &Access) -> Anomaly {
        let Some(write) = self.last_before(&self.acknowledged, access) else { return Anomaly::NotLinearizable };
        let later = self.accesses.partition_point(|other| other.called_us <= access.returned_us);
        let comes_back = self.shown_later_us[later] < access.returned_us;
        let is_seen = write.kind.written().is_some_and(|content| self.readers.contains_key(&content));
        // A delete that overlaps the write took effect before it: the other way round, nothing would be there, and
        // nothing wrong. An earlier owner's delete is irrelevant.
        let handed_us = self.last_before(&self.handed, write).map_or(0, |handed| handed.returned_us);
        let since = self.deleted.partition_point(|&place| self.accesses[place].returned_us < handed_us);
        let mut deletes = self.deleted[since..].iter().map(|&place| &self.accesses[place]);
        let follows_a_delete = deletes.any(|delete| delete.called_us >= handed_us && !write.is_before(delete));
        match (comes_back, is_seen, follows_a_delete) {
            (true, _, _) => Anomaly::IntermediateRead,
            (false, false, true) => Anomaly::WriteToUnlinkedFile,
            // The save under way puts a document there, unless that is lost as well.
            _ if self.saved_until_us(access).is_some_and(|until_us| !self.is_gone_from(until_us)) => {
                Anomaly::IntermediateRead
            }
            _ => Anomaly::AcknowledgedThenLost,
        }
    }

    /// The latest response of the acknowledged saves that overlap this access. They are other users': a user's own
    /// operations come one after another.
    fn saved_until_us(&self, access: &Access) -> Option<u64> {
        let begun = self.accesses.partition_point(|other| other.called_us < access.returned_us);
        Some(self.saving_until_us[begun]).filter(|until_us| *until_us > access.called_us)
    }

    /// Whether the next restore from a time on finds nothing.
    fn is_gone_from(&self, us: u64) -> bool {
        self.is_gone[self.accesses.partition_point(|access| access.called_us < us)]
    }

    /// instantiate says that there is a document, and there can be none.
    fn exists(&self, access: &Access) -> Anomaly {
        let written = self.last_before(&self.acknowledged, access);
        let deleted = self.last_before(&self.deleted, access);
        let is_handed = |other: &&Access| other.kind == Kind::Handed && other.process == access.process;
        let was_handed = self.accesses.iter().filter(is_handed).any(|handed| handed.is_before(access));
        match (deleted, written) {
            (Some(_), None) => Anomaly::ResurrectedDocument,
            (Some(delete), Some(write)) if write.is_before(delete) => Anomaly::ResurrectedDocument,
            _ if was_handed => Anomaly::KeyChangedOwners,
            _ => Anomaly::NeverWritten,
        }
    }

    /// instantiate says that it created what was there.
    fn created_again(&self, access: &Access) -> Anomaly {
        let is_other_creation = |other: &&usize| {
            let other = &self.accesses[**other];
            matches!(other.kind, Kind::Created(_)) && other != access && !other.is_before(access)
        };
        let is_at_once = self.acknowledged.iter().any(|place| is_other_creation(&place));
        if is_at_once { Anomaly::AppliedTwice } else { Anomaly::AcknowledgedThenLost }
    }

    /// The last of those, in the order of their answers, that had its answer before an access was sent.
    fn last_before(&self, places: &[usize], access: &Access) -> Option<&'a Access> {
        let count = places.partition_point(|&place| self.accesses[place].returned_us < access.called_us);
        count.checked_sub(1).map(|last| &self.accesses[places[last]])
    }
}

/// How much evidence restores are: one by one, any of them may be stale, but a look into the saves folder is not.
fn weight<'a>(looks: impl Iterator<Item = &'a Access>) -> usize {
    looks.take(IN_A_ROW).map(|look| if look.process == SAVES_FOLDER { IN_A_ROW } else { 1 }).sum()
}
