//! What users did with documents, told so that it can be judged.
//!
//! Every write carries a token of its own: in the state, in a filling that is made of it, and (saves) in a metadata
//! field named after it. So a document says by whom it was written, whether it is whole, and which saves it remembers.

use super::Answer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Names one write of all that are made in a folder.
pub(crate) type Token = u64;

/// What a key stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nothing at all.
    #[default]
    Absent,
    /// Handed out, and nobody's document yet. Restore and list show nothing; delete ends it.
    Reserved,
    /// A document.
    Document(Document),
}

/// What tells one document from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Document {
    /// The write that its state is of.
    pub(crate) token: Token,
    /// Whether it began with instantiate, which dates it, or with a save, which does not.
    pub(crate) instantiated: bool,
    /// The saves that left their field in its metadata.
    pub(crate) saves: BTreeSet<Token>,
}

/// Something that was asked for, and what came back. Where no answer came, what it would have told is `None`.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// generate-key: the key handed out.
    Generate(Option<String>),
    /// instantiate: whether it created the document.
    Instantiate { key: String, token: Token, created: Option<bool> },
    /// save
    Save { key: String, token: Token },
    /// delete: whether there was something to delete.
    Delete { key: String, found: Option<bool> },
    /// restore: what it showed.
    Restore { key: String, shown: Option<Document> },
    /// list: the keys that it showed.
    List(BTreeSet<String>),
    /// A look at the folder itself; what is not in it is absent.
    Look(BTreeMap<String, State>),
}

/// A deed and when it was done, in ticks of the [`Clock`].
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) deed: Deed,
    pub(crate) began: u64,
    /// It took effect, if at all, before this.
    pub(crate) ended: u64,
    /// Whether it was answered. What was not may have taken effect or not.
    pub(crate) answered: bool,
}

/// Orders what is done by many: each tick is later than those before it, whoever takes it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ticks: AtomicU64,
    tokens: AtomicU64,
}

impl Clock {
    /// The next moment.
    pub(crate) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, SeqCst)
    }

    /// A token that nobody else has.
    pub(crate) fn token(&self) -> Token {
        self.tokens.fetch_add(1, SeqCst)
    }
}

impl Deed {
    /// The key that it is about; `None` where it is about all of them, or one that nobody knows.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Generate(key) => key.as_deref(),
            Self::Instantiate { key, .. }
            | Self::Save { key, .. }
            | Self::Delete { key, .. }
            | Self::Restore { key, .. } => Some(key),
            Self::List(_) | Self::Look(_) => None,
        }
    }

    /// The keys that it showed, where it is about all of them.
    pub(crate) fn shown_keys(&self) -> Vec<&String> {
        match self {
            Self::List(listed) => listed.iter().collect(),
            Self::Look(seen) => seen.keys().collect(),
            _ => Vec::new(),
        }
    }

    /// It in words, as far as it is about this key.
    pub(crate) fn seen_by(&self, key: &str) -> String {
        match self {
            Self::List(listed) => format!("List showing it: {}", listed.contains(key)),
            Self::Look(seen) => format!("Look at the folder showing {:?}", seen.get(key).unwrap_or(&State::Absent)),
            deed => format!("{deed:?}"),
        }
    }

    /// What a key stands for after this, if it stood for `before`; `None` where the answer could not have been given.
    pub(crate) fn after(&self, key: &str, before: &State) -> Option<State> {
        let is_document = matches!(before, State::Document(_));
        let unless_contradicted = |told: &Option<bool>, truth: bool| told.is_none_or(|told| told == truth);
        match self {
            // Where the answer is missing, it may have been this key.
            Self::Generate(_) => (*before == State::Absent).then_some(State::Reserved),
            Self::Instantiate { token, created, .. } => unless_contradicted(created, !is_document).then(|| {
                let instantiated = Document { token: *token, instantiated: true, saves: BTreeSet::new() };
                if is_document { before.clone() } else { State::Document(instantiated) }
            }),
            Self::Save { token, .. } => {
                let (instantiated, mut saves) = match before {
                    State::Document(document) => (document.instantiated, document.saves.clone()),
                    State::Absent | State::Reserved => (false, BTreeSet::new()),
                };
                saves.insert(*token);
                Some(State::Document(Document { token: *token, instantiated, saves }))
            }
            Self::Delete { found, .. } => unless_contradicted(found, *before != State::Absent).then_some(State::Absent),
            Self::Restore { shown, .. } => {
                let there = if let State::Document(document) = before { Some(document) } else { None };
                (there == shown.as_ref()).then(|| before.clone())
            }
            Self::List(listed) => (listed.contains(key) == is_document).then(|| before.clone()),
            Self::Look(seen) => (seen.get(key).unwrap_or(&State::Absent) == before).then(|| before.clone()),
        }
    }
}

/// What a write of this token has in its state besides the token: as long as the token says, from nothing to several
/// pages, for a kernel can cut a dying process's write short between pages only.
fn filling(token: Token) -> String {
    const LENGTHS: [usize; 8] = [0, 3, 60, 300, 300, 900, 2_000, 5_000];
    let length = usize::try_from(token % 8).map_or(0, |place| LENGTHS[place]);
    format!("{token:x}.").repeat(length)
}

/// The body of an instantiate of this token.
pub(crate) fn instantiate_body(key: &str, token: Token) -> String {
    super::document(key, &format!(r#"{{"token":{token},"filling":"{}"}}"#, filling(token)))
}

/// The body of a save of this token.
pub(crate) fn save_body(key: &str, token: Token) -> String {
    let without_metadata = instantiate_body(key, token);
    without_metadata.replacen(r#""state":"#, &format!(r#""metadata":{{"save-{token}":{token}}},"state":"#), 1)
}

impl Document {
    /// Reads a document of this key.
    ///
    /// # Errors
    /// Where it is not whole: cut short, or made of parts of several.
    pub(crate) fn read(key: &str, json: &str) -> Result<Self, String> {
        let not_whole = |why: &str| format!("{key} holds no whole document ({why}): {}", beginning(json));
        let document: Value = serde_json::from_str(json).map_err(|error| not_whole(&error.to_string()))?;
        let token = document["state"]["token"].as_u64().ok_or_else(|| not_whole("no token"))?;
        if document["sessionKey"] != key || document["typeSlug"] != "word" {
            return Err(not_whole("another's key or type"));
        }
        if document["state"]["filling"] != filling(token) {
            return Err(not_whole("not the filling of its token"));
        }
        let mut read = Self { token, instantiated: false, saves: BTreeSet::new() };
        for (name, value) in document["metadata"].as_object().ok_or_else(|| not_whole("no metadata"))? {
            match name.as_str() {
                "created" => read.instantiated = true,
                "version" | "lastModified" => {}
                _ if value.as_u64().is_some_and(|save| *name == format!("save-{save}")) => {
                    read.saves.extend(value.as_u64());
                }
                _ => return Err(not_whole("metadata that nobody sent")),
            }
        }
        Ok(read)
    }
}

/// What is in a saves folder of the hardened protocol that nobody works on.
#[derive(Debug, Default)]
pub(crate) struct InFolder {
    /// What the keys stand for; those that are absent are left out.
    pub(crate) keys: BTreeMap<String, State>,
    /// The keys of which a `.KEY.next` was left by a writer that died.
    pub(crate) leftovers: Vec<String>,
}

impl InFolder {
    /// Looks at a folder.
    ///
    /// # Errors
    /// Where a document is not whole, or a file is there that should not be.
    pub(crate) fn look(saves: &Path) -> Result<Self, String> {
        let mut seen = Self::default();
        for entry in std::fs::read_dir(saves).expect("the folder can be read") {
            let entry = entry.expect("it can be read");
            let name = entry.file_name().into_string().expect("all names are UTF-8");
            let is_key = |key: &&str| key.len() == 3 && !key.contains('.');
            if let Some(key) = name.strip_suffix(".json").filter(is_key) {
                let state = Self::state(key, &entry.path())?;
                seen.keys.insert(key.to_owned(), state);
            } else if let Some(key) = name.strip_prefix('.').and_then(|n| n.strip_suffix(".next")).filter(is_key) {
                seen.leftovers.push(key.to_owned());
            } else if !name.starts_with(".lock-") {
                return Err(format!("a stray file: {name}"));
            }
        }
        Ok(seen)
    }

    fn state(key: &str, path: &Path) -> Result<State, String> {
        use std::os::unix::fs::PermissionsExt;
        let content = std::fs::read_to_string(path).expect("it can be read");
        if !content.is_empty() {
            return Document::read(key, &content).map(State::Document);
        }
        let mode = path.metadata().expect("it is there").permissions().mode();
        // The sticky bit is the mark of a reservation.
        if mode & 0o1000 != 0 { Ok(State::Reserved) } else { Err(format!("{key} is empty, and no reservation")) }
    }
}

/// An answer in short.
pub(crate) fn in_short(answer: &Answer) -> String {
    format!("{} {}", answer.status, beginning(answer.text()))
}

fn beginning(text: &str) -> String {
    text.chars().take(300).collect()
}
