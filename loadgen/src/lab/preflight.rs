//! Before anything is tried: whether the target speaks the contract, whose it is, and how it behaves.

use crate::lab::Lab;
use crate::lab::prepared_target::LeftBehind;
use contract::Body;
use contract::Failure;
use contract::document::{Content, MIN_STATE_BYTES};
use contract::key::is_key;
use engine::client::Patience;
use engine::client::{Exchange, User};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How long the first answer is waited for.
const FIRST_PATIENCE: Patience = Patience { connect: Duration::from_secs(5), answer: Duration::from_secs(10) };

/// Why a target cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Nobody is there.
    #[error("cannot reach {url}: {why}. Is the server running there?")]
    Unreachable {
        /// The target.
        url: String,
        /// The failure.
        why: String,
    },
    /// Its certificate is not trusted.
    #[error(
        "cannot trust {url}: {why}. The certificate must be valid, match the host name and be trusted by this system. For \
         a private authority, set SSL_CERT_FILE to its certificate"
    )]
    Untrusted {
        /// The target.
        url: String,
        /// The failure.
        why: String,
    },
    /// It is somewhere else.
    #[error(
        "{url} redirects to {to} ({status}), and loadgen does not follow redirects. Use the server that responds itself: {advice}"
    )]
    Redirects {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its `Location`.
        to: String,
        /// What to give instead.
        advice: String,
    },
    /// It takes the connection, and does not answer.
    #[error("{url} does not answer as an HTTP server should: {why}")]
    Silent {
        /// The target.
        url: String,
        /// The failure.
        why: String,
    },
    /// It answers something else.
    #[error(
        "{url} does not speak the wire contract: {what}. A list should be answered 200 with {{\"success\":true,…}}; is --path-template right?"
    )]
    Foreign {
        /// What was asked for.
        url: String,
        /// What came back.
        what: String,
    },
    /// It is in use.
    #[error(
        "{url} holds {documents} documents: it is somebody's server. loadgen writes and deletes only under keys of its own, but it loads \
         the server; give --yes to go on"
    )]
    InUse {
        /// The target.
        url: String,
        /// How many.
        documents: usize,
    },
    /// The folder is another's.
    #[error(
        "{folder} is not the saves folder of {url}: a document created there did not appear in it. Give the folder that the server uses, or leave --saves out"
    )]
    WrongFolder {
        /// The folder.
        folder: String,
        /// The target.
        url: String,
    },
}

/// Looks at the target, and enters in the lab what it finds.
///
/// # Errors
/// Where the target cannot be tried, or may not be without consent.
pub async fn look(lab: &mut Lab, consent: bool) -> Result<(), Unfit> {
    let patience = std::mem::replace(&mut lab.patience, FIRST_PATIENCE);
    let mut user = lab.user(0);
    lab.patience = patience;
    let documents = list(lab, &mut user).await?;
    let files = lab.folder.as_ref().and_then(|folder| folder.keys().ok()).map_or(0, |keys| keys.len());
    lab.was_empty = documents == 0 && files == 0;
    if documents > 0 && !consent {
        return Err(Unfit::InUse { url: lab.target.url().to_string(), documents });
    }
    lab.reserves = reserves(lab, &mut user).await;
    confirm_folder(lab, &mut user).await
}

/// The first question: a list, which changes nothing.
async fn list(lab: &Lab, user: &mut User) -> Result<usize, Unfit> {
    let listed = user.list().await;
    let asked = || {
        let path = lab.target.paths().of(contract::Operation::List);
        lab.target.url_of(&path)
    };
    let foreign = |what: String| Unfit::Foreign { url: asked(), what };
    match &listed.outcome {
        Err(failure) => {
            let (url, why) = (lab.target.url().to_string(), failure.to_string());
            Err(match failure {
                Failure::CannotConnect(_) | Failure::NoConnection(_) => Unfit::Unreachable { url, why },
                Failure::Untrusted(_) => Unfit::Untrusted { url, why },
                _ => Unfit::Silent { url, why },
            })
        }
        Ok(answer) => match (answer.status, &answer.body) {
            (200, Body::Success(data)) => match serde_json::from_str::<Value>(data.get()) {
                Ok(Value::Array(entries)) => Ok(entries.len()),
                // PHP leaves an empty list out.
                Ok(Value::Null) => Ok(0),
                _ => Err(foreign("its list is not a list".to_owned())),
            },
            (status, Body::Redirect(to)) => {
                let advice =
                    lab.target.redirected(to).map_or("--target URL".to_owned(), |url| format!("--target {url}"));
                Err(Unfit::Redirects { url: asked(), status, to: to.clone(), advice })
            }
            _ => Err(foreign(format!("it answers {}", listed.step().got))),
        },
    }
}

/// Whether a key that was handed out and not saved is held: it can be deleted, once.
async fn reserves(lab: &Lab, user: &mut User) -> bool {
    let Some(key) = user.generate_key().await.key_handed_out().filter(|key| is_key(key)) else { return false };
    let is_gone = |exchange: &Exchange| exchange.status() == Some(404);
    let reserves =
        is_gone(&user.restore(&key).await) && user.delete(&key).await.is_success() && is_gone(&user.delete(&key).await);
    lab.ledger.disown(&[key]);
    reserves
}

/// Creates a document and looks for its file: nobody else's folder may be filled.
async fn confirm_folder(lab: &Lab, user: &mut User) -> Result<(), Unfit> {
    let Some(folder) = &lab.folder else { return Ok(()) };
    let Ok(key) = lab.new_key(user).await else { return Ok(()) };
    let created =
        user.instantiate(&key, "word", &Content { writer: 0, number: 0, size_bytes: MIN_STATE_BYTES }.state()).await;
    let appeared = folder.document(&key).is_some();
    lab.release(&[key]).await;
    if created.is_success() && !appeared {
        LeftBehind::on(lab).print();
        let folder = folder.path().display().to_string();
        return Err(Unfit::WrongFolder { folder, url: lab.target.url().to_string() });
    }
    Ok(())
}

/// Whether the target answers anything at all, asked on a new connection with little patience.
pub async fn is_alive(lab: &Arc<Lab>) -> bool {
    const PROBE: Patience = Patience { connect: Duration::from_secs(2), answer: Duration::from_secs(4) };
    let mut user = User::new(0, Arc::clone(&lab.target), PROBE, lab.origin, Arc::clone(&lab.ledger));
    user.restore("AAA").await.status().is_some()
}
