//! `counts.json`: what operations cost in things that can be counted, and what differs between two such files.
//!
//! Counts do not flicker as times do, so nothing is tolerated: one call more or fewer is a difference. A better count is
//! one, too, for the baseline is to be renewed then, lest the gain be lost again unseen.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// Name and version of the format.
pub const SCHEMA: &str = "claimcheck.counts/1";

/// Its JSON Schema.
pub const JSON_SCHEMA: &str = include_str!("../../schemas/counts.schema.json");

/// The file's name in a run's folder.
pub const NAME: &str = "counts.json";

/// How often each thing happened, by its name: a system call's, `allocations`, `bytes written`.
pub type Tally = BTreeMap<String, u64>;

/// `counts.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// [`SCHEMA`].
    pub schema: String,
    /// The command that makes the file anew, for whoever finds that it differs.
    pub renewed_by: String,
    /// What each operation cost, by its name, such as `hardened: save`.
    pub operations: BTreeMap<String, Tally>,
}

/// Something that happened more often, or less, than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The operation.
    pub operation: String,
    /// What was counted; `None` where the whole operation is new, or gone.
    pub what: Option<String>,
    /// How often in the baseline.
    pub before: u64,
    /// How often now.
    pub now: u64,
}

impl Counts {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let read: Self =
            serde_json::from_str(&text).map_err(|error| format!("{} is no file of counts: {error}", path.display()))?;
        if read.schema != SCHEMA {
            return Err(format!("{} has the format {:?}, this program reads {SCHEMA:?}", path.display(), read.schema));
        }
        Ok(read)
    }

    /// The file's text: one count a line, so that a review shows which ones changed.
    ///
    /// # Errors
    /// None that a file of counts gives rise to.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// What differs in `now`, in the order of the names.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let operations: BTreeSet<&String> = self.operations.keys().chain(now.operations.keys()).collect();
        operations
            .into_iter()
            .flat_map(|operation| match (self.operations.get(operation), now.operations.get(operation)) {
                (Some(before), Some(now)) => within(operation, before, now),
                (before, _) => {
                    let (before, now) = if before.is_some() { (1, 0) } else { (0, 1) };
                    vec![Difference { operation: operation.clone(), what: None, before, now }]
                }
            })
            .collect()
    }
}

fn within(operation: &str, before: &Tally, now: &Tally) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let of = |tally: &Tally, name: &String| tally.get(name).copied().unwrap_or_default();
    names
        .into_iter()
        .map(|what| Difference {
            operation: operation.to_owned(),
            what: Some(what.clone()),
            before: of(before, what),
            now: of(now, what),
        })
        .filter(|difference| difference.before != difference.now)
        .collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, what, before, now } = self;
        match what {
            None if *now == 0 => write!(f, "{operation}: was counted in the baseline, and is not any more"),
            None => write!(f, "{operation}: is counted, and is not in the baseline"),
            Some(what) if now > before => write!(f, "{operation}: {what} {before} → {now}, {} more", now - before),
            Some(what) => write!(f, "{operation}: {what} {before} → {now}, {} fewer", before - now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn counts(operations: &[(&str, &[(&str, u64)])]) -> Counts {
        let tally = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let operations = operations.iter().map(|(name, counts)| ((*name).to_owned(), tally(counts))).collect();
        Counts { schema: SCHEMA.to_owned(), renewed_by: "make counts".to_owned(), operations }
    }

    fn told(before: &Counts, now: &Counts) -> Vec<String> {
        before.differences(now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_call_more_or_fewer_is_named_with_its_operation() {
        let before = counts(&[("save", &[("open", 1), ("write", 1)]), ("restore", &[("open", 1), ("read", 2)])]);
        assert_eq!(told(&before, &before), [""; 0]);
        let now =
            counts(&[("save", &[("open", 1), ("write", 1), ("fsync", 1)]), ("restore", &[("open", 1), ("read", 1)])]);
        assert_eq!(told(&before, &now), ["restore: read 2 → 1, 1 fewer", "save: fsync 0 → 1, 1 more"]);
        assert_eq!(told(&now, &before), ["restore: read 1 → 2, 1 more", "save: fsync 1 → 0, 1 fewer"]);
    }

    #[test]
    fn an_operation_that_is_new_or_gone_is_a_difference() {
        let (before, now) = (counts(&[("save", &[])]), counts(&[("list", &[("open", 1)])]));
        let gone = "save: was counted in the baseline, and is not any more";
        assert_eq!(told(&before, &now), ["list: is counted, and is not in the baseline", gone]);
    }

    #[test]
    fn files_keep_to_their_schema_and_are_read_again() {
        let counts = counts(&[("save", &[("open", 1)])]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        std::fs::write(&path, counts.text().expect("text")).expect("writes");
        assert_eq!(Counts::read(&path).as_ref(), Ok(&counts));
        let validator = jsonschema::validator_for(&serde_json::from_str::<Value>(JSON_SCHEMA).expect("a schema"));
        let validator = validator.expect("a schema");
        let mut json = serde_json::to_value(&counts).expect("writes");
        assert!(validator.is_valid(&json));
        json["operations"]["save"]["open"] = Value::from(-1);
        assert!(!validator.is_valid(&json), "the schema refuses what it should");
        std::fs::write(&path, counts.text().expect("text").replace("counts/1", "counts/0")).expect("writes");
        assert!(Counts::read(&path).is_err_and(|error| error.contains("\"claimcheck.counts/0\"")));
        std::fs::write(&path, "{").expect("writes");
        assert!(Counts::read(&path).is_err_and(|error| error.contains("is no file of counts")));
    }
}
