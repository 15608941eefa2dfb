//! A history as the judge takes it: for each key what was done to its document, in the order of the calls.

use super::{HistoryError, HistoryRecord, RecordedOutput};
use check::documents::access::{Access, Content, Kind, NEVER};
use check::documents::lists;
use check::documents::lists::{ListedKey, Listing};
use contract::Operation;
use contract::response::{NO_ENVELOPE, WRONG_STATUS, is_unreadable};
use std::collections::{HashMap, HashSet};

/// Writers with higher numbers are none of the run's users: see how contents are named.
const MOST_USERS: u64 = 1 << 24;

/// All that was done to documents.
#[derive(Clone, Debug, Default)]
pub struct Accesses {
    /// By key.
    pub by_key: Vec<(String, Vec<Access>)>,
    /// Operations of the history, those included that say nothing of any document.
    pub operations: u64,
    lists: Vec<Listing>,
    places: HashMap<String, usize>,
    /// Writers that are none of the run's users, by the numbers that stand for them.
    others: HashMap<u64, u32>,
}

impl Accesses {
    /// Gathers a whole history.
    ///
    /// # Errors
    /// Where it is damaged, or names what no run writes.
    pub fn gather(history: impl Iterator<Item = Result<HistoryRecord, HistoryError>>) -> Result<Self, String> {
        let mut accesses = Self::default();
        accesses.add_all(history)?;
        accesses.finish();
        Ok(accesses)
    }

    /// Adds what a history holds; more may be added before the whole is [finished](Self::finish).
    ///
    /// # Errors
    /// Where it is damaged, or names what no run writes.
    pub fn add_all(
        &mut self,
        history: impl Iterator<Item = Result<HistoryRecord, HistoryError>>,
    ) -> Result<(), String> {
        for record in history {
            self.add(&record.map_err(|error| error.to_string())?)?;
        }
        Ok(())
    }

    /// Leaves out what strangers did, enters what lists lack, and puts all in order, when nothing more is added.
    pub fn finish(&mut self) {
        self.by_key.iter_mut().for_each(|(_, of_key)| leave_out_strangers(of_key));
        // A stranger may end what a stranger made: no list need show that.
        lists::enter_unlisted(&mut self.by_key, &mut std::mem::take(&mut self.lists));
        for (_, of_key) in &mut self.by_key {
            of_key.sort_by_key(|access| (access.called_us, access.returned_us));
        }
    }

    /// Adds an operation.
    ///
    /// # Errors
    /// Where it names what no run writes.
    pub fn add(&mut self, record: &HistoryRecord) -> Result<(), String> {
        self.operations += 1;
        if record.operation == Operation::List {
            self.lists.extend(listing(record)?);
            return Ok(());
        }
        let Some(kind) = self.kind(record)? else { return Ok(()) };
        let ((Some(key), _) | (None, Some(RecordedOutput::Success(key)))) = (&record.key, &record.output) else {
            return Ok(());
        };
        let is_open = matches!(kind, Kind::MayCreate(_) | Kind::MaySave(_) | Kind::MayDelete);
        let access = Access {
            process: process(record)?,
            called_us: record.call_us,
            returned_us: record.return_us.filter(|_| !is_open).unwrap_or(NEVER),
            kind,
        };
        let place = self.places.get(key).copied().unwrap_or(self.by_key.len());
        if place == self.by_key.len() {
            self.places.insert(key.clone(), place);
            self.by_key.push((key.clone(), Vec::new()));
        }
        self.by_key[place].1.push(access);
        Ok(())
    }

    /// When the last thing happened, µs.
    #[must_use]
    pub fn last_us(&self) -> u64 {
        let moments = |access: &Access| [access.called_us, access.returned_us];
        let all = self.by_key.iter().flat_map(|(_, accesses)| accesses.iter().flat_map(moments));
        let lists = self.lists.iter().map(|list| list.returned_us);
        all.chain(lists).filter(|us| *us != NEVER).max().unwrap_or(0)
    }

    /// What was done to a document; `None` where nothing was, or nothing is known.
    fn kind(&mut self, record: &HistoryRecord) -> Result<Option<Kind>, String> {
        let written = match &record.input {
            Some(tag) => Some(self.content(tag)?),
            None => None,
        };
        let may_have = || match (record.operation, written) {
            (Operation::Instantiate, Some(content)) => Some(Kind::MayCreate(content)),
            (Operation::Save, Some(content)) => Some(Kind::MaySave(content)),
            (Operation::Delete, _) => Some(Kind::MayDelete),
            _ => None,
        };
        let success = match &record.output {
            // A request that could not be sent had no effect.
            None if record.error.as_deref().is_some_and(|error| error.starts_with("cannot connect")) => {
                return Ok(None);
            }
            None => return Ok(may_have()),
            Some(RecordedOutput::Refusal { status, message }) => {
                return Ok(refused(record, written, *status, message, may_have()));
            }
            Some(RecordedOutput::Success(success)) => success.as_str(),
        };
        Ok(match (record.operation, written, success) {
            (Operation::GenerateKey, _, _) => Some(Kind::Handed),
            (Operation::Instantiate, Some(content), "created") => Some(Kind::Created(content)),
            (Operation::Instantiate, written, "exists") => Some(Kind::Existed(written)),
            (Operation::Save, Some(content), "saved") => Some(Kind::Saved(content)),
            (Operation::Delete, _, "deleted") => Some(Kind::Deleted),
            (Operation::Restore, _, "no whole document") => Some(Kind::Torn),
            (Operation::Restore, _, tag) => Some(Kind::Shows(self.content(tag)?)),
            (operation, _, other) => return Err(format!("{operation} cannot have answered {other:?}")),
        })
    }

    fn content(&mut self, tag: &str) -> Result<Content, String> {
        let parse = || {
            let (writer, number) = tag.strip_prefix('w')?.split_once(".n")?;
            Some((writer.parse::<u64>().ok()?, number.parse::<u32>().ok()?))
        };
        let (writer, number) = parse().ok_or_else(|| format!("{tag:?} names no content, such as w17.n3"))?;
        let of_others = |others: &mut HashMap<u64, u32>| {
            let next = u32::MAX - u32::try_from(others.len()).unwrap_or(u32::MAX);
            *others.entry(writer).or_insert(next)
        };
        let writer = match u32::try_from(writer) {
            Ok(user) if writer < MOST_USERS => user,
            _ => of_others(&mut self.others),
        };
        Ok(Content { writer, number })
    }
}

fn process(record: &HistoryRecord) -> Result<u32, String> {
    u32::try_from(record.process).map_err(|_| format!("there is no user {}", record.process))
}

/// A list, where one was answered.
fn listing(record: &HistoryRecord) -> Result<Option<Listing>, String> {
    let (Some(returned_us), Some(RecordedOutput::Success(listed))) = (record.return_us, &record.output) else {
        return Ok(None);
    };
    let key =
        |text: &str| text.as_bytes().try_into().map_err(|_| format!("{text:?} is no key, which list cannot show"));
    let mut keys = listed.split_ascii_whitespace().map(key).collect::<Result<Vec<ListedKey>, String>>()?;
    keys.sort_unstable();
    Ok(Some(Listing { process: process(record)?, called_us: record.call_us, returned_us, keys }))
}

/// What a refusal says. A server's failure leaves open whether a write or delete took effect.
fn refused(
    record: &HistoryRecord,
    written: Option<Content>,
    status: u16,
    message: &str,
    may_have: Option<Kind>,
) -> Option<Kind> {
    if matches!(message, NO_ENVELOPE | WRONG_STATUS) {
        return may_have;
    }
    match (record.operation, status) {
        (Operation::Restore, 404) => Some(Kind::ShowsNone),
        (Operation::Restore, _) => is_unreadable(message).then_some(Kind::Unreadable),
        (Operation::Delete, 404) => Some(Kind::DeletesNone),
        (_, 408 | 429) => may_have,
        (_, 400..500) => written.map(Kind::Refused),
        _ => may_have,
    }
}

/// Once a session was ended, its key can be handed to somebody outside the run, whose document is no fault of the server's.
fn leave_out_strangers(accesses: &mut Vec<Access>) {
    let is_delete = |access: &&Access| matches!(access.kind, Kind::Deleted | Kind::DeletesNone | Kind::MayDelete);
    let Some(ended_us) = accesses.iter().filter(is_delete).map(|access| access.called_us).min() else { return };
    let ours: HashSet<u32> =
        accesses.iter().filter_map(|access| access.kind.written()).map(|content| content.writer).collect();
    accesses.retain(|access| match access.kind {
        Kind::Shows(content) => {
            access.returned_us < ended_us || u64::from(content.writer) < MOST_USERS || ours.contains(&content.writer)
        }
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// An operation on A4K of user 3 from 10 to 20 µs, as the history has it; `None` where there was no answer.
    fn record(operation: &str, input: Option<&str>, output: Option<Value>) -> HistoryRecord {
        let returned = output.as_ref().map(|_| 20);
        let error = output.is_none().then_some("no answer within 10 s");
        let mut line = json!({
            "process": 3, "op": operation, "key": "A4K", "meant_us": 10, "call_us": 10, "return_us": returned,
            "input": input, "output": Value::from(output)
        });
        if let Some(error) = error {
            line["error"] = error.into();
        }
        serde_json::from_value(line).expect("a line of a history")
    }

    fn refusal(status: u16, message: &str) -> Value {
        json!({"status": status, "message": message})
    }

    fn gathered(records: Vec<HistoryRecord>) -> Vec<Access> {
        let accesses = Accesses::gather(records.into_iter().map(Ok)).expect("a history");
        accesses.by_key.into_iter().flat_map(|(_, accesses)| accesses).collect()
    }

    fn kind_of(record: HistoryRecord) -> Option<Kind> {
        gathered(vec![record]).first().map(|access| access.kind)
    }

    #[test]
    fn every_answer_is_what_it_says_of_the_document() {
        let content = Content { writer: 3, number: 7 };
        let tag = Some("w3.n7");
        for (operation, input, output, kind) in [
            ("instantiate", tag, Some(json!("created")), Some(Kind::Created(content))),
            ("instantiate", tag, Some(json!("exists")), Some(Kind::Existed(Some(content)))),
            ("instantiate", tag, Some(refusal(400, "Invalid data format")), Some(Kind::Refused(content))),
            ("instantiate", tag, Some(refusal(500, "Failed to open file")), Some(Kind::MayCreate(content))),
            ("instantiate", tag, None, Some(Kind::MayCreate(content))),
            ("save", tag, Some(json!("saved")), Some(Kind::Saved(content))),
            ("save", tag, Some(refusal(429, "slow down")), Some(Kind::MaySave(content))),
            ("save", tag, Some(refusal(200, "not in the contract's envelope")), Some(Kind::MaySave(content))),
            ("save", tag, Some(refusal(413, NO_ENVELOPE)), Some(Kind::MaySave(content))),
            ("save", tag, Some(refusal(404, WRONG_STATUS)), Some(Kind::MaySave(content))),
            ("restore", None, Some(refusal(404, NO_ENVELOPE)), None),
            ("delete", None, Some(refusal(404, NO_ENVELOPE)), Some(Kind::MayDelete)),
            ("delete", None, Some(refusal(404, WRONG_STATUS)), Some(Kind::MayDelete)),
            ("restore", None, Some(json!("w3.n7")), Some(Kind::Shows(content))),
            ("restore", None, Some(json!("no whole document")), Some(Kind::Torn)),
            ("restore", None, Some(refusal(404, "No saved data found")), Some(Kind::ShowsNone)),
            ("restore", None, Some(refusal(500, "Invalid saved data format")), Some(Kind::Unreadable)),
            ("restore", None, Some(refusal(503, "Server busy")), None),
            ("restore", None, None, None),
            ("delete", None, Some(json!("deleted")), Some(Kind::Deleted)),
            ("delete", None, Some(refusal(404, "Instance not found")), Some(Kind::DeletesNone)),
            ("delete", None, Some(refusal(400, "Invalid session key")), None),
            ("delete", None, None, Some(Kind::MayDelete)),
        ] {
            let told = format!("{operation} {output:?}");
            assert_eq!(kind_of(record(operation, input, output)), kind, "{told}");
        }
    }

    #[test]
    fn what_may_still_happen_returns_never_and_what_was_not_sent_did_not_happen() {
        let [saved] = gathered(vec![record("save", Some("w3.n7"), Some(refusal(500, "no")))])[..] else {
            panic!("one access")
        };
        assert_eq!((saved.called_us, saved.returned_us), (10, NEVER));
        let unsent =
            HistoryRecord { error: Some("cannot connect: refused".to_owned()), ..record("save", Some("w3.n7"), None) };
        assert_eq!(kind_of(unsent), None);
    }

    #[test]
    fn a_key_that_was_handed_out_is_told_by_the_answer() {
        let handed = HistoryRecord { key: None, ..record("generate-key", None, Some(json!("B4K"))) };
        let listed = HistoryRecord { key: None, ..record("list", None, Some(json!("A4K B4K"))) };
        let accesses = Accesses::gather([handed, listed].into_iter().map(Ok)).expect("a history");
        let [(key, of_key)] = &accesses.by_key[..] else { panic!("one key: {accesses:?}") };
        assert_eq!((key.as_str(), of_key[0].kind, accesses.operations), ("B4K", Kind::Handed, 2));
    }

    #[test]
    fn a_list_is_held_against_what_it_lacks() {
        let listed = |keys: &str| HistoryRecord {
            key: None,
            call_us: 30,
            return_us: Some(40),
            ..record("list", None, Some(json!(keys)))
        };
        let kinds = |keys: &str| {
            let saved = record("save", Some("w3.n7"), Some(json!("saved")));
            gathered(vec![listed(keys), saved]).iter().map(|access| access.kind).collect::<Vec<Kind>>()
        };
        let saved = Kind::Saved(Content { writer: 3, number: 7 });
        assert_eq!(kinds("B4K A4K"), [saved]);
        assert_eq!(kinds("B4K"), [saved, Kind::Unlisted]);
        assert_eq!(kinds(""), [saved, Kind::Unlisted]);
        let refused = HistoryRecord { key: None, ..record("list", None, Some(refusal(500, "no"))) };
        assert_eq!(gathered(vec![refused, listed("")]), []);
    }

    #[test]
    fn a_strangers_document_is_left_out_only_once_the_session_was_ended() {
        let stranger = || record("restore", None, Some(json!("w123456789012.n0")));
        let deleted = || record("delete", None, Some(json!("deleted")));
        assert_eq!(gathered(vec![stranger()]).len(), 1);
        assert_eq!(gathered(vec![deleted(), stranger()]).len(), 1, "only the delete is left");
        let ours = record("restore", None, Some(json!("w4.n0")));
        assert_eq!(gathered(vec![deleted(), ours]).len(), 2);
        // Nor need a list show it, which only a stranger can have ended since.
        let at = |call_us, record| HistoryRecord { call_us, return_us: Some(call_us + 5), ..record };
        let listed = HistoryRecord { key: None, ..record("list", None, Some(json!(""))) };
        assert_eq!(gathered(vec![deleted(), at(30, stranger()), at(50, listed)]).len(), 1);
    }

    #[test]
    fn what_no_run_writes_is_an_error_that_names_it() {
        for (record, named) in [
            (record("save", Some("third draft"), Some(json!("saved"))), "third draft"),
            (record("save", Some("w1.n99999999999"), Some(json!("saved"))), "w1.n99999999999"),
            (record("save", Some("w1.n1"), Some(json!("stored"))), "stored"),
            (record("list", None, Some(json!("3 documents"))), "\"3\" is no key"),
            (HistoryRecord { process: 1 << 40, ..record("delete", None, Some(json!("deleted"))) }, "1099511627776"),
        ] {
            let error = Accesses::gather([Ok(record)].into_iter()).expect_err("it is none");
            assert!(error.contains(named), "{error}");
        }
    }
}
