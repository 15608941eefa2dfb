//! Keys of the harness's own: had from the server, and released.

use crate::lab::users::at_once;
use crate::lab::{Lab, Stuck, lock};
use crate::saves::Filler;
use contract::document::posted::OPENING_WRITER;
use contract::document::{Content, Document, REAL_STATE_BYTES};
use contract::key::{is_key, is_session_key, key_at};
use engine::client::ledger::Ownership;
use engine::client::{Exchange, User};
use rand::RngExt;
use stats::keys::THREE_CHARACTER_KEYS;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Users that release keys at once: enough to keep a server busy.
const RELEASE_WORKERS: usize = 48;

/// How often a server is asked for a key, or a key tried, before it is given up.
const KEY_TRIES: usize = 50;

/// What a session for all users holds at first.
pub const OPENING: Content = Content { writer: OPENING_WRITER, number: 0, size_bytes: REAL_STATE_BYTES };

impl Lab {
    /// Keys of our own, not yet instantiated: handed out by the server, or, where it hands out none that we do not
    /// have, found free.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn new_keys(&self, count: usize) -> Result<Vec<String>, Stuck> {
        let mut user = self.user(0);
        let mut keys = Vec::new();
        while keys.len() < count {
            keys.push(self.new_key(&mut user).await?);
        }
        Ok(keys)
    }

    /// One key of our own.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn new_key(&self, user: &mut User) -> Result<String, Stuck> {
        let mut answer = "only keys that are in use".to_owned();
        for _ in 0..KEY_TRIES {
            let known = self.ledger.keys();
            let asked = user.generate_key().await;
            let Some(key) = asked.key_handed_out().filter(|key| is_key(key)) else {
                answer = asked.step().got;
                break;
            };
            // A server that hands out used keys must not have us write to a stranger's document, where there are any.
            if known.binary_search(&key).is_err() {
                // A key of another length is used where the server knows it: one that refuses it then blames nobody else.
                if self.was_empty && is_session_key(&key) || self.is_free(user, &key).await {
                    return Ok(key);
                }
                answer = format!("{key}, which cannot be used");
                self.ledger.disown(&[key]);
            }
        }
        let mut random = self.random(self.ledger.keys().len() as u64);
        for _ in 0..KEY_TRIES {
            let key = key_at(random.random_range(0..THREE_CHARACTER_KEYS));
            if self.ledger.ownership(&key).is_none() && self.is_free(user, &key).await {
                self.ledger.own(&key, Ownership::Handed);
                return Ok(key);
            }
        }
        Err(Stuck(format!("no key to work with: generate-key answers {answer}, and no key tried at random is free")))
    }

    /// A session with a document, for all users of a load: its writer is none of theirs.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn open_session(&self) -> Result<String, Stuck> {
        let mut user = self.user(0);
        let key = self.new_key(&mut user).await?;
        let created = user.instantiate(&key, OPENING.type_slug(), &OPENING.state()).await;
        if created.is_success() {
            return Ok(key);
        }
        Err(Stuck(format!("the session for all users could not be opened: {}", created.step())))
    }

    /// Whether restore says that nothing is saved under a key.
    async fn is_free(&self, user: &mut User, key: &str) -> bool {
        user.restore(key).await.refusal().is_some_and(|(status, _)| status == 404)
    }

    /// Releases keys: deletes what we wrote under them, and, where the server reserves keys, those that were only
    /// handed out; elsewhere such a key is nobody's, and could be a stranger's by now. A key whose delete is refused or has
    /// no clear response is noted: a document may be left.
    pub async fn release(&self, keys: &[String]) {
        let to_delete: Arc<[String]> = keys.iter().filter(|key| self.may_delete(key)).cloned().collect();
        let (was_empty, workers) = (self.was_empty, RELEASE_WORKERS.min(to_delete.len()));
        let shared = Arc::clone(&to_delete);
        let ledger = Arc::clone(&self.ledger);
        let done = at_once(self.take_users(workers), move |mut user, number| {
            let (keys, ledger) = (Arc::clone(&shared), Arc::clone(&ledger));
            async move {
                for key in keys.iter().skip(number).step_by(workers) {
                    // Where others have documents, a key handed out may be one of theirs, if the server is faulty.
                    let is_ours = was_empty || user.wrote(key) || user.restore(key).await.status() == Some(404);
                    if is_ours && !is_deleted(&user.delete(key).await) {
                        ledger.note_open_write(key);
                    }
                    ledger.disown(std::slice::from_ref(key));
                }
                user
            }
        });
        self.return_users(done.await);
        if self.was_empty
            && let Some(folder) = &self.folder
        {
            // A server that keeps what it says it deleted must not fill up the folder under the next experiment.
            for key in to_delete.iter() {
                // Nothing is there, as a rule.
                let _ = std::fs::remove_file(folder.document_path(key));
            }
        }
        self.ledger.disown(keys);
    }

    /// Deletes what may be left under keys that were released. Such a key may have another owner by now, so only a
    /// document of our own making goes, and none that the folder is filled with.
    pub async fn release_late_writes(&self) -> Late {
        let mut user = self.user(0);
        let mut late = Late::default();
        for key in self.ledger.open_writes() {
            let is_fill = |filler: &Filler| filler.keys().contains(&key);
            if lock(&self.filler).as_ref().is_some_and(is_fill) {
                continue;
            }
            let restored = user.restore(&key).await;
            if is_missing(&restored) {
                continue;
            }
            let document = restored.data().and_then(|data| Document::parse(data.get()));
            match document.map(|document| document.content().is_some()) {
                Some(true) if is_deleted(&user.delete(&key).await) => {}
                Some(false) => late.theirs.push(key),
                _ => late.left.push(key),
            }
        }
        late
    }

    /// The keys under which a document of ours may be: what a clean-up has to remove.
    #[must_use]
    pub fn may_be_left(&self) -> Vec<String> {
        let held = self.ledger.keys().into_iter().filter(|key| self.may_delete(key));
        let all: BTreeSet<String> = held.chain(self.ledger.open_writes()).collect();
        all.into_iter().collect()
    }

    fn may_delete(&self, key: &str) -> bool {
        is_key(key) && (self.reserves || self.ledger.ownership(key) == Some(Ownership::Written))
    }

    /// Asks for so many keys with so many users at once, or fewer when the time runs out; answers every exchange.
    pub async fn ask_for_keys(&self, users: usize, keys: usize) -> Vec<Exchange> {
        let deadline = *lock(&self.deadline);
        let share = keys.div_ceil(users);
        let asked = at_once(self.take_users(users), |mut user, number| async move {
            let mut asked = Vec::with_capacity(share);
            while asked.len() < share.min(keys.saturating_sub(number * share)) && Instant::now() < deadline {
                asked.push(user.generate_key().await);
            }
            (user, asked)
        });
        let (users, asked): (Vec<User>, Vec<Vec<Exchange>>) = asked.await.into_iter().unzip();
        self.return_users(users);
        let asked: Vec<Exchange> = asked.into_iter().flatten().collect();
        if let Some(freed) = lock(&self.freed).as_mut() {
            freed.keys_since += asked.iter().filter(|exchange| exchange.key_handed_out().is_some()).count();
        }
        asked
    }

    /// As [`Lab::ask_for_keys`]; the keys are released, so that the folder is as it was.
    pub async fn borrow_keys(&self, users: usize, keys: usize) -> Vec<Exchange> {
        let asked = self.ask_for_keys(users, keys).await;
        let handed: Vec<String> = asked.iter().filter_map(Exchange::key_handed_out).collect();
        self.release(&handed).await;
        asked
    }
}

/// Documents that may be left under keys that were released.
#[derive(Debug, Default)]
pub struct Late {
    /// Keys under which one of ours is, or may be.
    pub left: Vec<String>,
    /// Keys under which another owner has a document by now.
    pub theirs: Vec<String>,
}

/// Whether nothing is under a key any more, by the response to its delete.
fn is_deleted(deleted: &Exchange) -> bool {
    deleted.is_success() || is_missing(deleted)
}

/// Whether the response says that nothing is saved under a key, or that it can be none.
fn is_missing(exchange: &Exchange) -> bool {
    exchange.refusal().is_some_and(|(status, _)| matches!(status, 400 | 404))
}
