//! Whole journeys, as a browser client has them, and users who go on them.

use check::history::History;
use check::{Answer, Document, Operation};
use concurrency_tests::scenario::rules;
use concurrency_tests::world::STALE_BEFORE_MS;
use serde_json::json;
use server::fs::ready;
use server::protocol::{Error, Instantiated, Listed, Protocol};
use shuttle::sync::mpsc::{Receiver, Sender};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One thing that is done on a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    GenerateKey,
    /// Of the key that was handed out.
    InstantiateOwn,
    /// The key is told to the guest.
    ShareLink,
    /// The key comes from the host.
    OpenLink,
    Instantiate,
    Restore,
    Save,
    Delete,
    List,
    /// By the server itself.
    GiveBack,
}

use Part::{Delete, GenerateKey, GiveBack, Instantiate, InstantiateOwn, List, OpenLink, Restore, Save, ShareLink};

/// What is done, in order.
pub(crate) type Journey = &'static [Part];

/// Has a session, shares it, and ends it, whether or not the guest is done.
pub(crate) const HOST: Journey =
    &[GenerateKey, InstantiateOwn, ShareLink, Restore, Save, Save, Restore, Save, Restore, Delete];
/// Works on the host's session.
pub(crate) const GUEST: Journey = &[OpenLink, Instantiate, Restore, Save, Save, Restore, Save];
/// Has one session after another.
pub(crate) const ALONE: Journey = &[
    GenerateKey,
    InstantiateOwn,
    Restore,
    Save,
    Restore,
    Save,
    Delete,
    GenerateKey,
    InstantiateOwn,
    Restore,
    Save,
    Save,
    Restore,
];
/// Leaves the session as it is.
pub(crate) const STAYING: Journey = &[GenerateKey, InstantiateOwn, Restore, Save, Restore, Save, Save, Restore];
/// The same, and looks at the list meanwhile.
pub(crate) const LISTING: Journey = &[GenerateKey, InstantiateOwn, Restore, Save, List, Save, Restore, List, Save];
/// Comes back with a key that was handed out so long ago that it may be given back meanwhile.
pub(crate) const LATE: Journey = &[Instantiate, Restore, Save, Restore, Save, Delete];
/// The server, every now and then.
pub(crate) const HOUSEKEEPING: Journey = &[GiveBack, GiveBack, GiveBack];

/// What users have in common. None of it is a step: it is touched between two.
#[derive(Debug, Default)]
pub(crate) struct Common {
    history: Mutex<History>,
    /// Keys that somebody has an old link to, who may open it after the key became another's. That is in the nature
    /// of keys of three characters, and nobody's fault: whoever is handed such a key may find it in use.
    old_links: Mutex<BTreeSet<String>>,
}

impl Common {
    /// Some keys are known to others from the start.
    pub(crate) fn new(old_links: BTreeSet<String>) -> Self {
        Self { history: Mutex::default(), old_links: Mutex::new(old_links) }
    }

    /// What was called and answered.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn old_links(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.old_links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody on a journey.
pub(crate) struct User<P> {
    pub(crate) number: usize,
    pub(crate) server: Arc<P>,
    pub(crate) common: Arc<Common>,
    /// The key of the session that the user is in.
    pub(crate) key: Option<String>,
    pub(crate) guest: Option<Sender<String>>,
    pub(crate) host: Option<Receiver<String>>,
    documents: usize,
}

impl<P: Protocol> User<P> {
    pub(crate) fn new(number: usize, server: &Arc<P>, common: &Arc<Common>) -> Self {
        let (server, common) = (Arc::clone(server), Arc::clone(common));
        Self { number, server, common, key: None, guest: None, host: None, documents: 0 }
    }

    /// Goes on a journey to its end, or until there is no key to go on with.
    pub(crate) fn go(mut self, journey: Journey) {
        for part in journey {
            if self.take(*part).is_none() {
                return;
            }
        }
    }

    fn take(&mut self, part: Part) -> Option<()> {
        match part {
            GenerateKey => {
                self.key = None;
                if let Answer::Handed(key) = self.ask(&Operation::GenerateKey { reserves: true }, &[]) {
                    self.key = Some(key);
                }
            }
            OpenLink => self.key = self.host.as_ref()?.recv().ok(),
            ShareLink => {
                let key = self.key.clone()?;
                if let Some(guest) = self.guest.take() {
                    // The guest waits for it.
                    let _ = guest.send(key);
                }
            }
            InstantiateOwn if !self.common.old_links().contains(self.key.as_ref()?) => {
                let (key, document, body) = self.document()?;
                self.ask(&Operation::InstantiateOwn { key, document }, &body);
            }
            InstantiateOwn | Instantiate => {
                let (key, document, body) = self.document()?;
                self.ask(&Operation::Instantiate { key, document }, &body);
            }
            Save => {
                let (key, posted, body) = self.document()?;
                self.ask(&Operation::Save { key, posted }, &body);
            }
            Restore => {
                let key = self.key.clone()?;
                self.ask(&Operation::Restore { key }, &[]);
            }
            Delete => {
                let key = self.key.clone()?;
                self.common.old_links().insert(key.clone());
                self.ask(&Operation::Delete { key }, &[]);
            }
            List => drop(self.ask(&Operation::List, &[])),
            GiveBack => drop(self.ask(&Operation::GiveBack, &[])),
        }
        Some(())
    }

    fn ask(&self, operation: &Operation, body: &[u8]) -> Answer {
        self.common.history().called(self.number, operation.clone());
        let answer = ready(perform(&*self.server, operation, body));
        let answer = answer.unwrap_or_else(|error| Answer::Wrong(error.to_string()));
        self.common.history().answered(self.number, answer.clone());
        answer
    }

    /// The next document that the user posts: under which key, as the model sees it, and as a request's body. Each
    /// has metadata and a state of its own.
    fn document(&mut self) -> Option<(String, Document, Vec<u8>)> {
        let key = self.key.clone()?;
        self.documents += 1;
        let mark = format!("{}.{}", self.number, self.documents);
        let types = rules().types;
        let slug = &types[(self.number + self.documents) % types.len()];
        let body =
            json!({ "sessionKey": key, "typeSlug": slug, "metadata": { &mark: true }, "state": format!("by {mark}") });
        let body = body.to_string().into_bytes();
        let document = Document::parse(&body)?;
        Some((key, document, body))
    }
}

/// Has an operation done by a server.
async fn perform<P: Protocol>(server: &P, operation: &Operation, body: &[u8]) -> Answer {
    let outcome = match operation {
        Operation::GenerateKey { .. } => {
            server.generate_key().await.map(|generated| Answer::Handed(generated.key.to_string()))
        }
        Operation::Instantiate { .. } | Operation::InstantiateOwn { .. } => {
            server.instantiate(body).await.map(|instantiated| match instantiated {
                Instantiated::Created => Answer::Created,
                Instantiated::Existed => Answer::Existed,
            })
        }
        Operation::Save { .. } => server.save(body).await.map(|()| Answer::Saved),
        Operation::Restore { key } => server.restore(key).await.map(|content| match Document::parse(&content) {
            Some(document) => Answer::Restored(document),
            None => Answer::Wrong(format!("200 {}", String::from_utf8_lossy(&content))),
        }),
        Operation::Delete { key } => server.delete(key).await.map(|()| Answer::Deleted),
        Operation::List => server.list().await.map(|listed| Answer::Listed(listed.into_iter().map(entry).collect())),
        Operation::GiveBack => server.give_back_stale(STALE_BEFORE_MS).await.map(Answer::GaveBack),
        Operation::MoveAway { .. } => Ok(Answer::Wrong("nobody does that on a journey".to_owned())),
    };
    outcome.unwrap_or_else(|error| match error {
        Error::NothingSaved | Error::InstanceNotFound => Answer::NotFound,
        Error::KeysExhausted { .. } => Answer::Exhausted,
        error => Answer::Wrong(error.to_string()),
    })
}

fn entry(listed: Listed) -> (String, String) {
    let slug = listed.type_slug.and_then(|slug| serde_json::from_str(slug.get()).ok());
    (listed.session_key, slug.unwrap_or_default())
}
