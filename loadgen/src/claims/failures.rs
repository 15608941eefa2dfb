//! R1: each file operation made to fail in turn.

mod judgement;

use super::environment::{Environment, stuck};
use super::seen::Seen;
use super::{Claim, Expected, Needs, Phase};
use crate::lab::{Lab, Stuck};
use crate::reference::{Disk, Process};
use contract::document::{Content, REAL_STATE_BYTES};
use engine::client::{Exchange, User};
use record::claims::ClaimId;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How the disk fails, as the server is told: a device that errs once, one that is full for good, no more locks; then
/// the other way round, and no more open files. Each hits only calls that can fail so.
const FAULTS: [&str; 6] = ["EIO", "ENOSPC for-good", "ENOLCK", "EIO for-good", "ENOSPC", "EMFILE for-good"];
const QUICK_FAULTS: usize = 3;

/// More calls than any request makes: one that goes on for longer is not enumerated to its end.
const MOST_CALLS: usize = 60;

/// R1
pub(super) static R1: Claim = Claim {
    id: ClaimId::of("R1"),
    title: "a disk that fails is told, and loses no document",
    quote: "100% reliable - works every time or fails clearly",
    tried: "On a reference server, every file system call of seven kinds of request fails in turn: first and later \
            save, instantiate, delete, restore, generate-key and list. Calls fail with EIO, ENOSPC, ENOLCK or EMFILE, \
            once or for good, if they can fail that way: about 85 calls of the documented protocol and 160 of the \
            hardened one (`--quick` tries three of the six ways to fail).",
    holds_if: "Each request either succeeds and has its effect, or returns a 5xx in the contract's envelope and leaves \
            the document as it was, or complete as requested; and a save succeeds once the disk works again.",
    needs: Needs::OwnServer,
    expected: Expected::REFUTED_ON_DOCUMENTED,
    decisions_on_chance: 0,
    phase: Phase::Faults,
    is_quick: true,
    mostly_waits: false,
    takes_times: false,
    attempt: |lab| Box::pin(async move { Ok(judgement::judge(&experiment(lab).await?)) }),
};

/// What is asked for while the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    GenerateKey,
    /// Under a key that was handed out.
    Instantiate,
    /// Under a key that was not.
    SaveFirst,
    /// Of a document that is there, as those below are.
    Save,
    Restore,
    Delete,
    List,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GenerateKey => "generate-key",
            Self::Instantiate => "instantiate",
            Self::SaveFirst => "first save",
            Self::Save => "save",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::List => "list",
        })
    }
}

const REQUESTS: [Request; 7] = [
    Request::Save,
    Request::SaveFirst,
    Request::Instantiate,
    Request::Delete,
    Request::Restore,
    Request::GenerateKey,
    Request::List,
];

/// The contents of a trial: what is there before, what the request is to put in its place, and what is saved when the
/// disk works again.
const BEFORE: Content = Content { writer: 0, number: 1, size_bytes: REAL_STATE_BYTES };
const ASKED: Content = Content { number: 2, ..BEFORE };
const AGAIN: Content = Content { number: 3, ..BEFORE };

impl Request {
    /// What is there before it, if anything is.
    fn before(self) -> Option<Content> {
        match self {
            Self::GenerateKey | Self::Instantiate | Self::SaveFirst => None,
            Self::Save | Self::Restore | Self::Delete | Self::List => Some(BEFORE),
        }
    }

    /// What is there after it, if it works.
    fn after(self) -> Option<Content> {
        match self {
            Self::Instantiate | Self::SaveFirst | Self::Save => Some(ASKED),
            Self::GenerateKey | Self::Delete => None,
            Self::Restore | Self::List => Some(BEFORE),
        }
    }

    async fn send(self, user: &mut User, key: &str) -> Exchange {
        match self {
            Self::GenerateKey => user.generate_key().await,
            Self::Instantiate => {
                let mut created = user.instantiate(key, "word", &ASKED.state()).await;
                created.note = format!("with {ASKED}");
                created
            }
            Self::SaveFirst | Self::Save => save(user, key, ASKED).await,
            Self::Restore => user.restore(key).await,
            Self::Delete => user.delete(key).await,
            Self::List => user.list().await,
        }
    }
}

async fn save(user: &mut User, key: &str, content: Content) -> Exchange {
    let mut saved = user.save(key, "word", &BTreeMap::new(), &content.state()).await;
    saved.note = format!("with {content}");
    saved
}

/// Every call of every request made to fail, as far as there was time.
struct Enumeration {
    trials: Vec<Trial>,
    is_complete: bool,
}

/// A request of which one call, or one and all later ones, failed.
struct Trial {
    request: Request,
    key: String,
    /// Which call, and how.
    fault: String,
    exchange: Exchange,
    /// With a disk that works again: a restore, what it shows, and what the file holds.
    restored: Exchange,
    views: [Seen; 2],
    /// Then, a save of the same key.
    again: Exchange,
}

async fn experiment(lab: &Arc<Lab>) -> Result<Enumeration, Stuck> {
    let mut environment = Environment::new(lab)?;
    let mut server = environment.start(Disk::Failing).await?;
    let mut user = environment.users(&server, 1)?.remove(0);
    let mut trials = Vec::new();
    for how in &FAULTS[..lab.effort.pick(QUICK_FAULTS, FAULTS.len(), FAULTS.len())] {
        for request in REQUESTS {
            for call in 1..=MOST_CALLS {
                if !environment.has_time() {
                    return Ok(Enumeration { trials, is_complete: false });
                }
                match trial(&mut environment, &mut server, &mut user, request, call, how).await? {
                    Tried::Hit(trial) => trials.push(*trial),
                    Tried::CannotFailSo => {}
                    Tried::HasFewerCalls => break,
                }
            }
        }
    }
    Ok(Enumeration { trials, is_complete: true })
}

/// What came of a request of which a call was to fail.
enum Tried {
    Hit(Box<Trial>),
    /// That call cannot fail that way.
    CannotFailSo,
    /// It was answered before it came to that call.
    HasFewerCalls,
}

async fn trial(
    environment: &mut Environment,
    server: &mut Process,
    user: &mut User,
    request: Request,
    call: usize,
    how: &str,
) -> Result<Tried, Stuck> {
    let key = prepared_key(environment, user, request).await?;
    tell(server, &format!("fail {call} {how}"), "armed").await?;
    let exchange = request.send(user, &key).await;
    let made = tell(server, "disarm", "made").await?;
    let restored = user.restore(&key).await;
    let Some(by_restore) = Seen::by_restore(&restored) else {
        return Err(Stuck(format!("the server does not answer after {}: {}", exchange.step(), restored.step())));
    };
    let views = [by_restore, Seen::in_file(environment.folder(), &key)];
    let again = save(user, &key, AGAIN).await;
    for key in [Some(key.clone()), exchange.key_handed_out()].into_iter().flatten() {
        // What cannot be removed is in nobody's way.
        user.delete(&key).await;
    }
    // `made Folder Stat! Write`: those marked were made to fail.
    let Some(name) = made.split_whitespace().nth(call) else { return Ok(Tried::HasFewerCalls) };
    let Some(name) = name.strip_suffix('!') else { return Ok(Tried::CannotFailSo) };
    let how = how.replace(" for-good", ", as does every later one that can");
    let fault = format!("call {call}, {name}, fails with {how}");
    Ok(Tried::Hit(Box::new(Trial { request, key, fault, exchange, restored, views, again })))
}

/// A key with what is to be there before the request.
async fn prepared_key(environment: &mut Environment, user: &mut User, request: Request) -> Result<String, Stuck> {
    if request == Request::Instantiate {
        let asked = user.generate_key().await;
        return asked.key_handed_out().ok_or_else(|| Stuck(format!("no key to instantiate: {}", asked.step())));
    }
    let key = environment.keys(1).remove(0);
    if request.before().is_some() {
        let saved = save(user, &key, BEFORE).await;
        if !saved.is_success() {
            return Err(Stuck(format!("no document to protect: {}", saved.step())));
        }
    }
    Ok(key)
}

async fn tell(server: &mut Process, line: &str, answer: &str) -> Result<String, Stuck> {
    let said = server.tell(line).await.map_err(|error| stuck(&error))?;
    if said.starts_with(answer) {
        Ok(said)
    } else {
        Err(Stuck(format!("the server was told {line:?}, and said {said:?}")))
    }
}
