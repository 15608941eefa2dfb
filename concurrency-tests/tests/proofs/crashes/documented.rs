//! What the documented protocol loses: it truncates, then writes, and syncs nothing.

use super::lives_of;
use super::machine::Flaw;
use super::recovery::{Left, is_sound, left_under};
use super::subject::Subject;
use super::survey::{Crash, Survey};
use check::{Document, Monitor, Slot, Store};
use concurrency_tests::proof::{Row, with_commas};
use concurrency_tests::scenario::{KEYS, Start, UnderKey};
use server::fs::memory::Kernel;
use std::collections::BTreeSet;

/// It makes no reservations, and leaves the hardened protocol's files alone.
const STARTS: [Start; 2] =
    [Start { under_key: UnderKey::Absent, spare: false }, Start { under_key: UnderKey::Present, spare: false }];

/// In how many of the states there is what instead of what was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lost {
    gone: usize,
    empty: usize,
    torn: usize,
    /// An earlier document.
    older: usize,
    /// A document that nobody ever saved, answered as one that somebody did.
    mixtures: usize,
}

impl Lost {
    fn count(&mut self, left: &Kernel, possible: &Monitor, documents: &BTreeSet<(String, Document)>) {
        let possible = possible.stores();
        for key in KEYS {
            let was_acknowledged = possible.iter().all(|store| matches!(store.slot(key), Slot::Present(_)));
            let under_key = left_under(key, left);
            let is_kept = |store: &Store| under_key == Left::Slot(store.slot(key).clone());
            if !was_acknowledged || possible.iter().any(is_kept) {
                continue;
            }
            *match under_key {
                Left::Slot(Slot::Present(document)) if !documents.contains(&(key.to_owned(), document.clone())) => {
                    &mut self.mixtures
                }
                Left::Slot(Slot::Present(_)) => &mut self.older,
                Left::Slot(_) => &mut self.gone,
                Left::Empty => &mut self.empty,
                Left::Torn => &mut self.torn,
            } += 1;
        }
    }
}

/// Counts what is lost; whatever it is, a new server goes on from there.
fn lost(crash: Crash, actions_at_most: usize) -> Result<(Survey<Monitor>, Lost), String> {
    let (subject, flaw) = (Subject::Documented, Flaw::None);
    let mut survey = Survey::new(subject, flaw, crash);
    let mut lost = Lost::default();
    survey.lives(
        &lives_of(&STARTS, actions_at_most),
        |moment| moment.possible.clone(),
        |left, moment, moments| {
            lost.count(left, &moment.possible, &moments.documents);
            let documents = (crash == Crash::Process).then_some(&moments.documents);
            is_sound(subject, flaw, left, documents)
        },
    )?;
    Ok((survey, lost))
}

pub(super) fn process_dies() -> Result<Vec<Row>, String> {
    let (survey, lost) = lost(Crash::Process, 3)?;
    let Lost { empty, torn, .. } = lost;
    if lost != (Lost { empty, torn, ..Lost::default() }) || empty == 0 || torn == 0 {
        return Err(format!("a document is lost by being emptied or torn, and in no other way: {lost:?}"));
    }
    let found = format!(
        "an acknowledged document is lost in {} states: emptied in {}, torn in {}; answered as an error, and the next save mends it",
        with_commas(empty + torn),
        with_commas(empty),
        with_commas(torn)
    );
    Ok(vec![survey.row("up to three actions", found)])
}

pub(super) fn power_goes() -> Result<Vec<Row>, String> {
    let (survey, lost) = lost(Crash::Power, 2)?;
    let Lost { gone, empty, torn, older, mixtures } = lost;
    let all = [gone, empty, torn, older, mixtures];
    if all.contains(&0) {
        return Err(format!("an acknowledged document can be lost in every way: {lost:?}"));
    }
    let states = with_commas(all.iter().sum());
    let [gone, empty, torn, older, mixtures] = all.map(with_commas);
    let found = format!(
        "an acknowledged document is lost in {states} states: gone in {gone}, empty in {empty}, torn in {torn}, an older one in {older}, \
         a mixture of two shown as a document in {mixtures}; the next save mends it"
    );
    Ok(vec![survey.row("up to two actions", found)])
}
