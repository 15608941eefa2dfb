//! The sequential model of the document store: keys, what is under each, and what operations answer that come one
//! after another.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Metadata that a server sets by its own clock. That it is there is part of the model, what it says is not.
const TIMES: [&str; 2] = ["created", "lastModified"];

/// What stands for the value of one of [`TIMES`].
const SOME_TIME: &str = "a time";

/// A document, as far as the contract speaks of it. Values are kept as JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Document {
    /// Its type.
    pub type_slug: String,
    /// Its state, which a save replaces; empty where it has none.
    pub state: String,
    /// Its metadata, which a save lays over the stored.
    pub metadata: BTreeMap<String, String>,
}

/// What is under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// Nothing.
    #[default]
    Absent,
    /// It was handed out, and nothing written yet.
    Reserved {
        /// Whether it was handed out so long ago that it may be given back.
        stale: bool,
    },
    /// A document.
    Present(Document),
}

/// An operation, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// generate-key.
    GenerateKey {
        /// Whether the key is reserved by it. Where it is not, it is only free when it is handed out.
        reserves: bool,
    },
    /// instantiate, with the document that is stored where there is none.
    Instantiate {
        /// The key.
        key: String,
        /// The document.
        document: Document,
    },
    /// instantiate by somebody to whom the key was handed out, and who relies on that: that a document exists is
    /// no right answer.
    InstantiateOwn {
        /// The key.
        key: String,
        /// The document.
        document: Document,
    },
    /// save, with what was posted.
    Save {
        /// The key.
        key: String,
        /// What was posted.
        posted: Document,
    },
    /// restore.
    Restore {
        /// The key.
        key: String,
    },
    /// delete.
    Delete {
        /// The key.
        key: String,
    },
    /// list. It looks at one key after another: each is shown as it was at some moment of the operation.
    List,
    /// Giving back stale reservations; one key after another, as list.
    GiveBack,
    /// Somebody outside moves a document's file away, as `mv` does, without asking the server. So it can come between
    /// a save's reading the document and its writing it: the save is then laid over what was moved away.
    MoveAway {
        /// The key.
        key: String,
    },
}

impl Operation {
    /// The key that it asks with; generate-key, and what looks at one key after another, have none.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Instantiate { key, .. }
            | Self::InstantiateOwn { key, .. }
            | Self::Save { key, .. }
            | Self::Restore { key }
            | Self::Delete { key }
            | Self::MoveAway { key } => Some(key),
            Self::GenerateKey { .. } | Self::List | Self::GiveBack => None,
        }
    }
}

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// generate-key: this key.
    Handed(String),
    /// generate-key: none is free.
    Exhausted,
    /// instantiate: the document is there now.
    Created,
    /// instantiate: it was there already.
    Existed,
    /// save.
    Saved,
    /// restore: the document.
    Restored(Document),
    /// restore, delete or move: there is none.
    NotFound,
    /// delete.
    Deleted,
    /// list: the type of each document.
    Listed(BTreeMap<String, String>),
    /// How many reservations were given back.
    GaveBack(usize),
    /// What was moved away: the document, or nothing where it was a reservation.
    Moved(Option<Document>),
    /// Anything else, which is never right, in words.
    Wrong(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handed(key) => write!(f, "key {key}"),
            Self::Exhausted => f.write_str("no key is free"),
            Self::Created => f.write_str("created"),
            Self::Existed => f.write_str("exists already"),
            Self::Saved => f.write_str("saved"),
            Self::Restored(document) => write!(f, "the document {document}"),
            Self::NotFound => f.write_str("not found"),
            Self::Deleted => f.write_str("deleted"),
            Self::Listed(types) if types.is_empty() => f.write_str("an empty list"),
            Self::Listed(types) => {
                let listed: Vec<String> = types.iter().map(|(key, slug)| format!("{key} ({slug})")).collect();
                write!(f, "a list of {}", listed.join(", "))
            }
            Self::GaveBack(count) => write!(f, "{count} given back"),
            Self::Moved(Some(document)) => write!(f, "moved the document {document}"),
            Self::Moved(None) => f.write_str("moved a reservation"),
            Self::Wrong(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks: Vec<&str> = self.metadata.keys().map(String::as_str).collect();
        write!(f, "{} with {}", self.state, marks.join(", "))
    }
}

/// How far an operation has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Progress {
    /// It has not taken effect.
    Called,
    /// A save that has read this document, which was moved away since.
    Read(Document),
    /// These keys are still to be looked at, and this is the answer so far.
    Looking(BTreeSet<String>, Answer),
    /// It has taken effect, and will answer this.
    Done(Answer),
}

impl Progress {
    fn looking(left: BTreeSet<String>, so_far: Answer) -> Self {
        if left.is_empty() { Self::Done(so_far) } else { Self::Looking(left, so_far) }
    }
}

/// A document store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Store {
    /// What is under each of its keys; there are no others.
    slots: BTreeMap<String, Slot>,
}

impl Document {
    /// The document that a JSON text is; `None` where it is not a whole object with a type.
    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(json).ok()?;
        let metadata = match document.get("metadata") {
            Some(Value::Object(fields)) => {
                fields.iter().map(|(name, value)| (name.clone(), text_of(name, value))).collect()
            }
            _ => BTreeMap::new(),
        };
        Some(Self {
            type_slug: document.get("typeSlug")?.as_str()?.to_owned(),
            state: document.get("state").map(Value::to_string).unwrap_or_default(),
            metadata,
        })
    }

    /// What instantiate stores for a document that was posted.
    #[must_use]
    pub fn instantiated(posted: &Self) -> Self {
        let metadata = [("version", "\"1.0\""), ("created", SOME_TIME)];
        let state = if posted.state.is_empty() { "{}".to_owned() } else { posted.state.clone() };
        Self {
            type_slug: posted.type_slug.clone(),
            state,
            metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    /// What save stores: what was posted, its metadata laid over the stored document's.
    #[must_use]
    pub fn saved(posted: &Self, over: Option<&Self>) -> Self {
        let mut metadata = over.map(|stored| stored.metadata.clone()).unwrap_or_default();
        metadata.extend(posted.metadata.clone());
        metadata.insert("lastModified".to_owned(), SOME_TIME.to_owned());
        Self { metadata, ..posted.clone() }
    }
}

impl Slot {
    /// What is under a key after an operation that took effect at one moment, and its answer: the whole of the contract,
    /// but for what looks at many keys. generate-key is taken to come to this key; `None` where it cannot, and where
    /// no answer would be right.
    #[must_use]
    pub fn after(&self, key: &str, operation: &Operation) -> Option<(Self, Answer)> {
        let answered = |slot: Self, answer| Some((slot, answer));
        match (operation, self) {
            (Operation::GenerateKey { reserves }, Self::Absent) => {
                let slot = if *reserves { Self::Reserved { stale: false } } else { Self::Absent };
                answered(slot, Answer::Handed(key.to_owned()))
            }
            (Operation::GenerateKey { .. } | Operation::List | Operation::GiveBack, _)
            | (Operation::InstantiateOwn { .. }, Self::Present(_)) => None,
            (Operation::Instantiate { .. }, Self::Present(_)) => answered(self.clone(), Answer::Existed),
            (Operation::Instantiate { document, .. } | Operation::InstantiateOwn { document, .. }, _) => {
                answered(Self::Present(Document::instantiated(document)), Answer::Created)
            }
            (Operation::Save { posted, .. }, _) => {
                answered(Self::Present(Document::saved(posted, self.document())), Answer::Saved)
            }
            (Operation::Restore { .. }, Self::Present(document)) => {
                answered(self.clone(), Answer::Restored(document.clone()))
            }
            (Operation::Restore { .. }, _) | (Operation::Delete { .. } | Operation::MoveAway { .. }, Self::Absent) => {
                answered(self.clone(), Answer::NotFound)
            }
            (Operation::Delete { .. }, _) => answered(Self::Absent, Answer::Deleted),
            (Operation::MoveAway { .. }, _) => answered(Self::Absent, Answer::Moved(self.document().cloned())),
        }
    }

    /// The document, where there is one.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        match self {
            Self::Present(document) => Some(document),
            _ => None,
        }
    }
}

fn text_of(name: &str, value: &Value) -> String {
    if TIMES.contains(&name) && value.is_number() { SOME_TIME.to_owned() } else { value.to_string() }
}

impl Store {
    /// A store with these keys.
    #[must_use]
    pub fn new(slots: impl IntoIterator<Item = (String, Slot)>) -> Self {
        Self { slots: slots.into_iter().collect() }
    }

    /// What is under a key.
    #[must_use]
    pub fn slot(&self, key: &str) -> &Slot {
        self.slots.get(key).unwrap_or(&Slot::Absent)
    }

    /// Where an operation stands when it begins.
    #[must_use]
    pub fn begin(&self, operation: &Operation) -> Progress {
        let so_far = match operation {
            Operation::List => Answer::Listed(BTreeMap::new()),
            Operation::GiveBack => Answer::GaveBack(0),
            _ => return Progress::Called,
        };
        Progress::looking(self.slots.keys().cloned().collect(), so_far)
    }

    /// Every way in which an operation can take its next step, and the store after it. A step is atomic, and most
    /// operations have just one.
    #[must_use]
    pub fn steps(&self, operation: &Operation, progress: &Progress) -> Vec<(Self, Progress)> {
        match progress {
            Progress::Called => self.effects(operation),
            Progress::Read(document) => self.save_over_moved(operation, document),
            Progress::Looking(left, so_far) => left.iter().map(|key| self.look_at(key, left, so_far)).collect(),
            Progress::Done(_) => Vec::new(),
        }
    }

    /// Every way in which an operation of one step takes effect.
    fn effects(&self, operation: &Operation) -> Vec<(Self, Progress)> {
        match operation {
            Operation::GenerateKey { .. } => self.generate_key(operation),
            _ => operation.key().and_then(|key| self.effect_on(key, operation)).into_iter().collect(),
        }
    }

    fn effect_on(&self, key: &str, operation: &Operation) -> Option<(Self, Progress)> {
        let (slot, answer) = self.slot(key).after(key, operation)?;
        Some((self.with(key, slot), Progress::Done(answer)))
    }

    /// A save goes on that had read a document before it was moved away. Whatever else writes would have to wait for it.
    fn save_over_moved(&self, operation: &Operation, read: &Document) -> Vec<(Self, Progress)> {
        match operation {
            Operation::Save { key, posted } if *self.slot(key) == Slot::Absent => {
                let saved = Slot::Present(Document::saved(posted, Some(read)));
                vec![(self.with(key, saved), Progress::Done(Answer::Saved))]
            }
            _ => Vec::new(),
        }
    }

    fn generate_key(&self, operation: &Operation) -> Vec<(Self, Progress)> {
        let handed: Vec<(Self, Progress)> =
            self.slots.keys().filter_map(|key| self.effect_on(key, operation)).collect();
        if handed.is_empty() { vec![(self.clone(), Progress::Done(Answer::Exhausted))] } else { handed }
    }

    /// One key's part of a list or of giving back.
    fn look_at(&self, key: &str, left: &BTreeSet<String>, so_far: &Answer) -> (Self, Progress) {
        let (mut store, mut answer) = (self.clone(), so_far.clone());
        match (&mut answer, self.slot(key)) {
            (Answer::Listed(types), Slot::Present(document)) => {
                types.insert(key.to_owned(), document.type_slug.clone());
            }
            (Answer::GaveBack(count), Slot::Reserved { stale: true }) => {
                *count += 1;
                store = self.with(key, Slot::Absent);
            }
            _ => {}
        }
        let left: BTreeSet<String> = left.iter().filter(|&other| other != key).cloned().collect();
        (store, Progress::looking(left, answer))
    }

    fn with(&self, key: &str, slot: Slot) -> Self {
        let mut slots = self.slots.clone();
        slots.insert(key.to_owned(), slot);
        Self { slots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAA";

    fn posted(type_slug: &str, mark: &str) -> Document {
        let json = format!(r#"{{"typeSlug":"{type_slug}","metadata":{{"{mark}":1}},"state":{{"by":"{mark}"}}}}"#);
        Document::parse(json.as_bytes()).expect("whole")
    }

    fn store(slot: Slot) -> Store {
        Store::new([(KEY.to_owned(), slot)])
    }

    /// The only way in which an operation of one step goes.
    fn after(store: &Store, operation: &Operation) -> (Store, Answer) {
        let ways = store.steps(operation, &store.begin(operation));
        match &ways[..] {
            [(store, Progress::Done(answer))] => (store.clone(), answer.clone()),
            _ => panic!("there is one way, of one step: {ways:?}"),
        }
    }

    #[test]
    fn operations_answer_what_the_contract_says() {
        let key = || KEY.to_owned();
        let instantiate = Operation::Instantiate { key: key(), document: posted("word", "a") };
        let save = Operation::Save { key: key(), posted: posted("demo", "b") };
        let restore = Operation::Restore { key: key() };
        let placeholder = Document::instantiated(&posted("word", "a"));
        let saved = Document::saved(&posted("demo", "b"), None);
        let saved_over = Document::saved(&posted("demo", "b"), Some(&placeholder));
        let present = |document: &Document| Slot::Present(document.clone());
        let reserved = Slot::Reserved { stale: false };
        let table = [
            (Slot::Absent, &instantiate, Answer::Created, present(&placeholder)),
            (reserved.clone(), &instantiate, Answer::Created, present(&placeholder)),
            (present(&saved), &instantiate, Answer::Existed, present(&saved)),
            (Slot::Absent, &save, Answer::Saved, present(&saved)),
            (reserved.clone(), &save, Answer::Saved, present(&saved)),
            (present(&placeholder), &save, Answer::Saved, present(&saved_over)),
            (Slot::Absent, &restore, Answer::NotFound, Slot::Absent),
            (reserved.clone(), &restore, Answer::NotFound, reserved.clone()),
            (present(&saved), &restore, Answer::Restored(saved.clone()), present(&saved)),
            (Slot::Absent, &Operation::Delete { key: key() }, Answer::NotFound, Slot::Absent),
            (reserved.clone(), &Operation::Delete { key: key() }, Answer::Deleted, Slot::Absent),
            (present(&saved), &Operation::Delete { key: key() }, Answer::Deleted, Slot::Absent),
            (reserved.clone(), &Operation::MoveAway { key: key() }, Answer::Moved(None), Slot::Absent),
            (present(&saved), &Operation::MoveAway { key: key() }, Answer::Moved(Some(saved.clone())), Slot::Absent),
            (reserved.clone(), &Operation::GiveBack, Answer::GaveBack(0), reserved.clone()),
            (Slot::Reserved { stale: true }, &Operation::GiveBack, Answer::GaveBack(1), Slot::Absent),
            (present(&saved), &Operation::GiveBack, Answer::GaveBack(0), present(&saved)),
            (Slot::Absent, &Operation::List, Answer::Listed(BTreeMap::new()), Slot::Absent),
            (present(&saved), &Operation::List, Answer::Listed([(key(), "demo".to_owned())].into()), present(&saved)),
            (Slot::Absent, &Operation::GenerateKey { reserves: true }, Answer::Handed(key()), reserved.clone()),
            (Slot::Absent, &Operation::GenerateKey { reserves: false }, Answer::Handed(key()), Slot::Absent),
            (reserved.clone(), &Operation::GenerateKey { reserves: true }, Answer::Exhausted, reserved),
        ];
        for (before, operation, answer, slot) in table {
            assert_eq!(after(&store(before.clone()), operation), (store(slot), answer), "{operation:?} on {before:?}");
        }
    }

    #[test]
    fn one_to_whom_a_key_was_handed_cannot_find_it_in_use() {
        let own = Operation::InstantiateOwn { key: KEY.to_owned(), document: posted("word", "a") };
        assert_eq!(after(&store(Slot::Absent), &own).1, Answer::Created);
        let taken = store(Slot::Present(posted("word", "b")));
        assert_eq!(taken.steps(&own, &taken.begin(&own)), []);
    }

    #[test]
    fn of_several_free_keys_any_may_be_handed_out() {
        let store =
            Store::new(["AAA", "AAB", "AAC"].map(|key| {
                (key.to_owned(), if key == "AAB" { Slot::Present(Document::default()) } else { Slot::Absent })
            }));
        let generate = Operation::GenerateKey { reserves: true };
        let answers: Vec<Progress> =
            store.steps(&generate, &store.begin(&generate)).into_iter().map(|(_, progress)| progress).collect();
        assert_eq!(answers, ["AAA", "AAC"].map(|key| Progress::Done(Answer::Handed(key.to_owned()))));
    }

    #[test]
    fn metadata_is_laid_over_the_stored_and_times_are_there_whatever_they_say() {
        let stored = r#"{"typeSlug":"word","metadata":{"version":"1.0","created":5,"a":1,"b":2},"state":1}"#;
        let stored = Document::parse(stored.as_bytes()).expect("whole");
        let saved = Document::saved(&posted("demo", "b"), Some(&stored));
        let shown = r#"{"state":{"by":"b"},"typeSlug":"demo","metadata":{"lastModified":9,"created":7,"version":"1.0","a":1,"b":1}}"#;
        assert_eq!(Some(&saved), Document::parse(shown.as_bytes()).as_ref());
        assert_ne!(Some(saved), Document::parse(shown.replace("\"lastModified\":9,", "").as_bytes()));
    }

    #[test]
    fn half_a_document_is_none() {
        let whole = br#"{"typeSlug":"word","state":{"by":"b"}}"#;
        assert!(Document::parse(whole).is_some());
        assert!((0..whole.len()).all(|end| Document::parse(&whole[..end]).is_none()));
    }
}
