//! Whether answers can have come from a store in which every operation happens at one moment, and nothing is lost.
//!
//! The search is Lowe's "just in time" one (Testing for linearizability, 2017), key by key: that is enough, as a
//! history is linearizable if it is so for each object by itself (Herlihy and Wing, 1990). At each end of an operation it keeps
//! every state that the key can be in by then, together with which of the operations still open have happened already.
//! An operation without an answer may have happened or not. So it accuses only where no order explains the answers.

use super::history::{Operation, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The states that a key may be in.
pub(crate) type Possible = BTreeSet<State>;

/// What is known of a folder's keys while nobody works on them. A key that is not in it is absent.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<String, Possible>);

/// A key's state, and which of the open operations have happened.
type Moment = (State, BTreeSet<usize>);

impl Known {
    /// Every key that may be something else than absent.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// What a key may stand for.
    pub(crate) fn of(&self, key: &str) -> Possible {
        self.0.get(key).cloned().unwrap_or_else(|| Possible::from([State::Absent]))
    }

    /// Takes in what was done since.
    ///
    /// # Errors
    /// The story of a key whose answers no order of the operations explains.
    pub(crate) fn take_in(&mut self, operations: &[Operation]) -> Result<(), String> {
        let (about_one, about_all): (Vec<&Operation>, Vec<&Operation>) =
            operations.iter().partition(|operation| operation.deed.key().is_some());
        let mut by_key: BTreeMap<String, Vec<&Operation>> =
            self.0.keys().map(|key| (key.clone(), Vec::new())).collect();
        for operation in about_one {
            by_key.entry(operation.deed.key().unwrap_or_default().to_owned()).or_default().push(operation);
        }
        // A key may be shown that nobody was ever told of: one that a lost answer would have named, or a fault.
        for key in about_all.iter().flat_map(|operation| operation.deed.shown_keys()) {
            by_key.entry(key.clone()).or_default();
        }
        for (key, mut concerned) in by_key {
            concerned.extend(&about_all);
            let possible = explain(&key, &self.of(&key), &concerned)?;
            if possible == Possible::from([State::Absent]) {
                self.0.remove(&key);
            } else {
                self.0.insert(key, possible);
            }
        }
        Ok(())
    }
}

/// The states that a key may be in after these operations.
///
/// # Errors
/// Its story, where nothing explains them.
pub(crate) fn explain(key: &str, before: &Possible, operations: &[&Operation]) -> Result<Possible, String> {
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        events.extend([(operation.began, false, index), (operation.ended, true, index)]);
    }
    events.sort_unstable();
    let mut open = BTreeSet::new();
    let mut moments: BTreeSet<Moment> = before.iter().map(|state| (state.clone(), BTreeSet::new())).collect();
    for (_, is_end, index) in events {
        if !is_end {
            open.insert(index);
            continue;
        }
        let mut after = happened(key, operations, &open, &moments, index);
        if !operations[index].answered {
            after.extend(moments.into_iter().filter(|(_, done)| !done.contains(&index)));
        }
        if after.is_empty() {
            return Err(story(key, before, operations, index));
        }
        moments = after;
        open.remove(&index);
    }
    Ok(moments.into_iter().map(|(state, _)| state).collect())
}

/// The moments in which the operation at `index` has just happened, or had before; it is done with then.
fn happened(
    key: &str,
    operations: &[&Operation],
    open: &BTreeSet<usize>,
    moments: &BTreeSet<Moment>,
    index: usize,
) -> BTreeSet<Moment> {
    let mut reached = BTreeSet::new();
    let mut seen = moments.clone();
    let mut to_do: Vec<Moment> = moments.iter().cloned().collect();
    while let Some((state, mut done)) = to_do.pop() {
        if done.remove(&index) {
            reached.insert((state, done));
            continue;
        }
        for next in open.difference(&done) {
            let Some(state) = operations[*next].deed.after(key, &state) else { continue };
            let mut done = done.clone();
            done.insert(*next);
            let moment = (state, done);
            if seen.insert(moment.clone()) {
                to_do.push(moment);
            }
        }
    }
    reached
}

/// The end of a key's story, for people.
fn story(key: &str, before: &Possible, operations: &[&Operation], unexplained: usize) -> String {
    /// Operations that are told, up to the one that nothing explains.
    const TOLD: usize = 40;
    let mut story = format!("{key}: no order of the operations explains the last answer\n");
    let _ = writeln!(story, "  at first: {before:?}");
    let mut told: Vec<&Operation> =
        operations.iter().filter(|operation| operation.began < operations[unexplained].ended).copied().collect();
    told.sort_by_key(|operation| (operation.ended.min(operations[unexplained].ended), operation.began));
    let left_out = told.len().saturating_sub(TOLD);
    if left_out > 0 {
        let _ = writeln!(story, "  … {left_out} more");
    }
    for Operation { deed, began, ended, answered } in &told[left_out..] {
        let answered = if *answered { "" } else { " (no answer)" };
        let _ = writeln!(story, "  {began}..{ended}: {}{answered}", deed.seen_by(key));
    }
    story
}
