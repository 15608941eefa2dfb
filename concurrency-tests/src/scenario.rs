//! What clients do in a scenario, from where they start, and what of it the sequential model is told.
//!
//! All scenarios are about one key, [`KEY`], in a space of three.

use crate::world::{LONG_AGO_MS, NOW_MS, STALE_BEFORE_MS};
use check::{Answer, Document, Operation, Slot, Store};
use server::fs::memory::Kernel;
use server::fs::{FileSystem, Open};
use server::keys::KeySpace;
use server::protocol::{Error, Generated, Instantiated, Protocol, Rules};
use std::io;

/// The key that scenarios are about.
pub const KEY: &str = "AAA";

/// All keys that are handed out in a scenario.
pub const KEYS: [&str; 3] = [KEY, "AAB", "AAC"];

/// The document that is there before a scenario begins. It is shorter than any that is saved over it, so that a
/// reader can have the end of the new one after the whole of the old.
pub const OLD: &str =
    r#"{"sessionKey":"AAA","typeSlug":"word","metadata":{"version":"1.0","created":1},"state":"old"}"#;

/// What a writer that died left under the name of the next document: longer than any document, and not whole.
const SPARE: &str = r#"{"sessionKey":"AAA","typeSlug":"word","metadata":{"version":"1.0","created":1,"lastModified":1,"left":1},"state":"left behind by a writer that died in the middle of a documen"#;
const SPARE_NAME: &str = ".AAA.next";

/// Types of the documents that clients write, each its own: list shows no more of a document.
const TYPES: [&str; 5] = ["demo", "excel", "docs", "slides", "dojo"];

/// What a client can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// save
    Save,
    /// instantiate
    Instantiate,
    /// restore
    Restore,
    /// delete
    Delete,
    /// list
    List,
    /// generate-key
    GenerateKey,
    /// The server gives back stale reservations.
    GiveBack,
    /// Somebody outside moves `KEY.json` away, as `mv` does.
    MoveAway,
    /// instantiate of the key that the client was last handed, which must not be in use.
    InstantiateOwn,
}

/// The actions of which every pair and triple is tried.
pub const ACTIONS: [Action; 8] = [
    Action::Save,
    Action::Instantiate,
    Action::Restore,
    Action::Delete,
    Action::List,
    Action::GenerateKey,
    Action::GiveBack,
    Action::MoveAway,
];

/// What a key may cost. A hint that is wrong, or a look that was stale when it ended, costs an attempt for each key
/// that it is wrong about; a fifth attempt is made only by a server that does not learn from those that failed.
const MOST_ATTEMPTS: u32 = 4;

/// What is in the saves folder when a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Start {
    /// What is under [`KEY`].
    pub under_key: UnderKey,
    /// Whether a writer that died left a file behind.
    pub spare: bool,
}

/// What is under a key at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnderKey {
    /// Nothing.
    Absent,
    /// A reservation, made so long ago that it is stale.
    Reserved,
    /// The document [`OLD`].
    Present,
}

impl Start {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self { under_key: UnderKey::Absent, spare: false },
        Self { under_key: UnderKey::Reserved, spare: false },
        Self { under_key: UnderKey::Present, spare: false },
        Self { under_key: UnderKey::Absent, spare: true },
        Self { under_key: UnderKey::Reserved, spare: true },
        Self { under_key: UnderKey::Present, spare: true },
    ];

    /// The folder.
    #[must_use]
    pub fn folder(self) -> Kernel {
        let mut folder = Kernel::with_folder();
        folder.set_clock(LONG_AGO_MS);
        match self.under_key {
            UnderKey::Absent => {}
            UnderKey::Reserved => folder.place(&file_of(KEY), b"", true),
            UnderKey::Present => folder.place(&file_of(KEY), OLD.as_bytes(), false),
        }
        if self.spare {
            folder.place(SPARE_NAME, SPARE.as_bytes(), false);
        }
        folder.set_clock(NOW_MS);
        folder
    }
}

impl Start {
    /// It as half a sentence.
    #[must_use]
    pub fn in_words(self) -> String {
        let under_key = match self.under_key {
            UnderKey::Absent => format!("there is no {}", file_of(KEY)),
            UnderKey::Reserved => format!("{KEY} is reserved"),
            UnderKey::Present => format!("{} is there", file_of(KEY)),
        };
        if self.spare { format!("{under_key}, and {SPARE_NAME}, left by a writer that died") } else { under_key }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Save => "save",
            Self::Instantiate => "instantiate",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::List => "list",
            Self::GenerateKey => "generate-key",
            Self::GiveBack => "give-back",
            Self::MoveAway => "move-away",
            Self::InstantiateOwn => "instantiate-own",
        })
    }
}

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.under_key {
            UnderKey::Absent => "absent",
            UnderKey::Reserved => "reserved",
            UnderKey::Present => "there",
        })?;
        f.write_str(if self.spare { ", stale spare" } else { "" })
    }
}

/// The name of a key's file.
#[must_use]
pub fn file_of(key: &str) -> String {
    format!("{key}.json")
}

/// The name under which a client keeps what it moved away.
fn moved_name(client: usize) -> String {
    format!("moved-by-{client}")
}

/// What servers accept in scenarios.
#[must_use]
pub fn rules() -> Rules {
    let types = TYPES.iter().chain(&["word"]).map(|&slug| slug.to_owned()).collect();
    Rules { keys: KeySpace::new(3).unwrap_or_else(|| unreachable!("three is in range")), types }
}

/// What a folder is as a document store.
///
/// # Errors
/// In words, where a file is no whole document, or a name is there that nobody should have left.
pub fn store_in(folder: &Kernel) -> Result<Store, String> {
    store_of(folder, &KEYS)
}

/// As [`store_in`], of these keys alone.
///
/// # Errors
/// As [`store_in`].
pub fn store_of(folder: &Kernel, keys: &[&str]) -> Result<Store, String> {
    let slot = |&key: &&str| Ok((key.to_owned(), slot_in(folder, &file_of(key))?));
    keys.iter().map(slot).collect::<Result<Vec<_>, String>>().map(Store::new)
}

fn slot_in(folder: &Kernel, name: &str) -> Result<Slot, String> {
    let (Some(content), Some(stat)) = (folder.content(name), folder.stat(name)) else { return Ok(Slot::Absent) };
    if stat.reservation && content.is_empty() {
        return Ok(Slot::Reserved { stale: stat.modified_ms < STALE_BEFORE_MS });
    }
    let torn = || format!("{name} is not a whole document: {}", String::from_utf8_lossy(content));
    Document::parse(content).map(Slot::Present).ok_or_else(torn)
}

/// Names that are left in a folder and are neither documents, nor locks, nor what somebody moved away.
#[must_use]
pub fn strays(folder: &Kernel) -> Vec<String> {
    let belongs = |name: &&str| {
        KEYS.iter().any(|key| **name == file_of(key)) || name.starts_with(".lock-") || name.starts_with("moved-by-")
    };
    folder.name_list().filter(|name| !belongs(name)).map(str::to_owned).collect()
}

impl Action {
    /// What the sequential model is told that a client calls. `number` tells the documents of one client apart;
    /// `handed` is the key that it was last handed.
    #[must_use]
    pub fn operation(self, client: usize, number: usize, handed: Option<&str>, reserves: bool) -> Operation {
        let key = || KEY.to_owned();
        match self {
            Self::Save => Operation::Save { key: key(), posted: document(KEY, client, number).1 },
            Self::Instantiate => Operation::Instantiate { key: key(), document: document(KEY, client, number).1 },
            Self::InstantiateOwn => {
                let own = handed.unwrap_or(KEY);
                Operation::InstantiateOwn { key: own.to_owned(), document: document(own, client, number).1 }
            }
            Self::Restore => Operation::Restore { key: key() },
            Self::Delete => Operation::Delete { key: key() },
            Self::List => Operation::List,
            Self::GenerateKey => Operation::GenerateKey { reserves },
            Self::GiveBack => Operation::GiveBack,
            Self::MoveAway => Operation::MoveAway { key: key() },
        }
    }

    /// Has it done; `files` are the server's.
    pub async fn perform<P: Protocol, F: FileSystem>(
        self,
        server: &P,
        files: &F,
        client: usize,
        number: usize,
        handed: Option<&str>,
    ) -> Answer {
        let body = |key: &str| document(key, client, number).0;
        let outcome = match self {
            Self::Save => server.save(&body(KEY)).await.map(|()| Answer::Saved),
            Self::Instantiate => server.instantiate(&body(KEY)).await.map(instantiated),
            Self::InstantiateOwn => server.instantiate(&body(handed.unwrap_or(KEY))).await.map(instantiated),
            Self::Restore => server.restore(KEY).await.map(|content| match Document::parse(&content) {
                Some(document) => Answer::Restored(document),
                None => Answer::Wrong(format!("200 {}", String::from_utf8_lossy(&content))),
            }),
            Self::Delete => server.delete(KEY).await.map(|()| Answer::Deleted),
            Self::List => server.list().await.map(|listed| {
                let entry = |document: server::protocol::Listed| {
                    let slug = document.type_slug.and_then(|slug| serde_json::from_str(slug.get()).ok());
                    (document.session_key, slug.unwrap_or_default())
                };
                Answer::Listed(listed.into_iter().map(entry).collect())
            }),
            Self::GenerateKey => server.generate_key().await.map(|Generated { key, attempts }| {
                let costly = || Answer::Wrong(format!("{key} after {attempts} attempts, {MOST_ATTEMPTS} at most"));
                if attempts <= MOST_ATTEMPTS { Answer::Handed(key.to_string()) } else { costly() }
            }),
            Self::GiveBack => server.give_back_stale(STALE_BEFORE_MS).await.map(Answer::GaveBack),
            Self::MoveAway => return move_away(files, client).await.unwrap_or_else(|error| wrong(&error)),
        };
        outcome.unwrap_or_else(|error| refusal(&error))
    }
}

fn instantiated(instantiated: Instantiated) -> Answer {
    match instantiated {
        Instantiated::Created => Answer::Created,
        Instantiated::Existed => Answer::Existed,
    }
}

fn refusal(error: &Error) -> Answer {
    match error {
        Error::NothingSaved | Error::InstanceNotFound => Answer::NotFound,
        Error::KeysExhausted { .. } => Answer::Exhausted,
        _ => wrong(error),
    }
}

fn wrong(error: &dyn std::error::Error) -> Answer {
    Answer::Wrong(error.to_string())
}

/// Moves the file and reads what was moved, which nobody changes any more where a document's file never changes.
async fn move_away<F: FileSystem>(files: &F, client: usize) -> io::Result<Answer> {
    let moved = moved_name(client);
    match files.rename(&file_of(KEY), &moved).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Answer::NotFound),
        outcome => outcome?,
    }
    let file = files.open(&moved, Open::Read).await?;
    let mut content = Vec::new();
    while files.read(&file, &mut content, SPARE.len()).await? > 0 {}
    if content.is_empty() {
        return Ok(Answer::Moved(None));
    }
    Ok(match Document::parse(&content) {
        Some(document) => Answer::Moved(Some(document)),
        None => Answer::Wrong(format!("moved {}", String::from_utf8_lossy(&content))),
    })
}

/// A document that a client posts, as a request's body and as the model sees it.
fn document(key: &str, client: usize, number: usize) -> (Vec<u8>, Document) {
    let mark = format!("{client}.{number}");
    let slug = TYPES[(client + 2 * number) % TYPES.len()];
    let body = serde_json::json!({
        "sessionKey": key, "typeSlug": slug, "metadata": { &mark: true }, "state": format!("written by {mark}"),
    });
    let body = body.to_string().into_bytes();
    let document = Document::parse(&body).unwrap_or_default();
    (body, document)
}
