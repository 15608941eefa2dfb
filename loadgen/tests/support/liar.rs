//! An implementation of the wire contract that shares nothing with the reference server: honest, or with one [`Lie`].
//!
//! How it is honest: a document is the file `KEY.json`, replaced as a whole by a rename; whoever changes one holds
//! that key's lock, and that of its file, for which another process may have it; a key handed out is reserved by an empty file that only one can create. The folder is the
//! authority throughout, so whatever somebody else adds to it or takes away is noticed.
//!
//! - `document`: JSON objects, and what is checked and merged in them. Pure.
//! - `keys`: generate-key.
//! - `store`: the other operations on the folder.
//! - `faults`: the lies that a whole history tells, where they take more than a line.
//! - `memory`: what only lies need to remember.
//! - `wire`: requests and answers.

mod document;
mod faults;
mod keys;
mod memory;
mod store;
mod wire;

pub(crate) use store::Liar;
pub(crate) use wire::answer;

use super::running::{ACCEPT_PAUSE, Answer, Running, converse};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// One small deviation from the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lie {
    /// save reads, lets others run, then merges and writes, all without the lock: updates are lost.
    NoLock,
    /// generate-key makes a character of a random byte by `byte % 36`: A to D come out 8/7 as often as the others.
    BiasedPicker,
    /// save replaces the stored metadata instead of overlaying it.
    LostMerge,
    /// instantiate answers "Instance already exists", and replaces the document nevertheless.
    InstantiateOverwrites,
    /// instantiate decides before the lock whether it creates: several at once can all answer "Instance created".
    InstantiateTwiceCreated,
    /// delete answers success and leaves the document.
    DeleteKeepsFile,
    /// delete looks before the lock: several at once can all answer success.
    DeleteTwice,
    /// restore answers from a copy that every other save renews, and the passing of 50 ms.
    StaleRestore,
    /// restore, shortly after a save, sometimes answers the new document with the earlier one's `state`.
    TornRestore,
    /// save acknowledges, and in one case in twenty does not store.
    LyingSave,
    /// save overlays the stored `state` with the posted one, field by field, instead of replacing it.
    MergingState,
    /// generate-key looks, but does not reserve.
    NoReservation,
    /// generate-key knows only the keys that it handed out itself; what is in the folder it does not look at.
    HandsOutUsed,
    /// generate-key tries 20 random keys, then says that all are exhausted.
    GivesUpEarly,
    /// generate-key answers 500 `Internal error` where all keys are in use.
    WrongExhaustion,
    /// list leaves out one document in thirty.
    LosesInList,
    /// list shows each document with the `typeSlug` of the next.
    MixedUpList,
    /// save takes 30 ms, under its document's lock: some 33 a second.
    SlowSave,
    /// save keeps a `KEY.lock` beside the document while it works, some 2 ms.
    LockFiles,
    /// delete moves the document to `KEY-old.json`, where `ls saves/*.json` counts it.
    KeepsExtraFiles,
    /// `Missing typeSlug parameter` comes with status 500.
    WrongStatus,
    /// save takes any text of three characters or more for a session key. (It keeps those in memory only.)
    Traversal,
    /// restore, one time in fifty, answers the document that was written last, whosever it is.
    CrossTalk,
    /// save and instantiate wait for a document's lock for as long as another process holds it.
    WaitsForEver,
    /// save, where another process holds the document's lock, answers the error, and stores all the same.
    StoresWithoutLock,
    /// save, when the client goes away in the middle of the body, stores what has come of it.
    StoresHalfBodies,
    /// save stores the new document with the earlier one's notes first, and with its own a moment later.
    SavesInTwoSteps,
    /// A save reaches the second of two copies a moment after the first; restore reads them in turn.
    LaggingReplica,
    /// save refuses one document in ten as if its key were malformed, and stores it all the same.
    RefusesAndStores,
    /// save removes the document before it stores the new one, a moment later.
    RemovesFirst,
    /// generate-key hands the key that is on its way to somebody to whoever asks meanwhile.
    SharesKeys,
    /// generate-key, one time in ten, hands out the key of the document that was saved last.
    HandsOutLive,
    /// A document's file stays open when it is deleted, and whoever gets the key next writes into that. Keys of ended
    /// sessions are handed out first.
    KeepsUnlinkedOpen,
    /// save loses one document in ten when it has acknowledged it: its file is gone.
    LosesDocuments,
    /// save, one time in 25, stores, and closes the connection without an answer; what it stored comes once more, after
    /// 20 other saves.
    SavesTwice,
}

impl Lie {
    /// Every lie that claims are tried on.
    pub(crate) const ALL: [Self; 26] = [
        Self::NoLock,
        Self::BiasedPicker,
        Self::LostMerge,
        Self::InstantiateOverwrites,
        Self::InstantiateTwiceCreated,
        Self::DeleteKeepsFile,
        Self::DeleteTwice,
        Self::StaleRestore,
        Self::TornRestore,
        Self::LyingSave,
        Self::MergingState,
        Self::NoReservation,
        Self::HandsOutUsed,
        Self::GivesUpEarly,
        Self::WrongExhaustion,
        Self::LosesInList,
        Self::MixedUpList,
        Self::SlowSave,
        Self::LockFiles,
        Self::KeepsExtraFiles,
        Self::WrongStatus,
        Self::Traversal,
        Self::CrossTalk,
        Self::WaitsForEver,
        Self::StoresWithoutLock,
        Self::StoresHalfBodies,
    ];

    /// The lies that are there to be told by a load's whole history, and by no claim's experiment.
    pub(crate) const OF_HISTORIES: [Self; 9] = [
        Self::SavesInTwoSteps,
        Self::LaggingReplica,
        Self::RefusesAndStores,
        Self::RemovesFirst,
        Self::SharesKeys,
        Self::HandsOutLive,
        Self::KeepsUnlinkedOpen,
        Self::LosesDocuments,
        Self::SavesTwice,
    ];

    /// The claims that it is there to refute.
    pub(crate) const fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::NoLock | Self::LostMerge => &["S1"],
            Self::BiasedPicker => &["K2"],
            Self::InstantiateOverwrites | Self::InstantiateTwiceCreated => &["S3"],
            Self::DeleteKeepsFile | Self::DeleteTwice => &["S5"],
            Self::StaleRestore | Self::TornRestore => &["S4"],
            Self::LyingSave => &["S1", "S2"],
            Self::MergingState => &["S2"],
            Self::NoReservation => &["K7", "K8", "K9", "P5"],
            Self::HandsOutUsed => &["K1"],
            Self::GivesUpEarly => &["K5", "K10"],
            Self::WrongExhaustion => &["K10"],
            Self::LosesInList | Self::MixedUpList => &["S6"],
            Self::SlowSave => &["P3"],
            Self::LockFiles => &["O2"],
            Self::KeepsExtraFiles => &["O1"],
            Self::WrongStatus | Self::Traversal => &["R5"],
            Self::CrossTalk => &["K9", "S4"],
            Self::WaitsForEver | Self::StoresWithoutLock => &["R4"],
            Self::StoresHalfBodies => &["R6"],
            Self::SavesInTwoSteps
            | Self::LaggingReplica
            | Self::RefusesAndStores
            | Self::RemovesFirst
            | Self::SharesKeys
            | Self::HandsOutLive
            | Self::KeepsUnlinkedOpen
            | Self::LosesDocuments
            | Self::SavesTwice => &[],
        }
    }

    /// Other claims that it can refute as well, because they rest on the same operation. S7, a whole history of every
    /// operation, is among them wherever one of S1 to S6 is.
    pub(crate) const fn may_break(self) -> &'static [&'static str] {
        match self {
            Self::NoLock => &["S4", "S5", "S7", "R6"],
            Self::BiasedPicker => &["O3"],
            Self::LostMerge => &["K9", "S2", "S4", "S6", "S7", "R6"],
            Self::InstantiateOverwrites => &["K9", "S7", "R6"],
            Self::InstantiateTwiceCreated | Self::MixedUpList => &["S7"],
            Self::DeleteKeepsFile => &["K7", "K8", "K10", "O1", "P5", "R5", "S1", "S2", "S3", "S7"],
            Self::DeleteTwice => &["S7", "R6"],
            Self::StaleRestore | Self::TornRestore => &["K9", "P1", "P4", "S1", "S2", "S7", "R6"],
            Self::LyingSave => &["K9", "P1", "P4", "P6", "S4", "S5", "S6", "S7", "R6"],
            Self::MergingState => &["K9", "P1", "P4", "P6", "S1", "S4", "S5", "S7", "R6"],
            Self::NoReservation => &["O1"],
            Self::HandsOutUsed => &["K4", "K5", "K9", "K10", "P6"],
            Self::GivesUpEarly => &["K1", "K4", "P6"],
            Self::WrongExhaustion => &["K1", "K4", "K5"],
            Self::LosesInList => &["O1", "S7"],
            Self::SlowSave => &["P1", "P4"],
            Self::LockFiles
            | Self::KeepsExtraFiles
            | Self::WrongStatus
            | Self::Traversal
            | Self::WaitsForEver
            | Self::StoresWithoutLock
            | Self::StoresHalfBodies
            | Self::SavesInTwoSteps
            | Self::LaggingReplica
            | Self::RefusesAndStores
            | Self::RemovesFirst
            | Self::SharesKeys
            | Self::HandsOutLive
            | Self::KeepsUnlinkedOpen
            | Self::LosesDocuments
            | Self::SavesTwice => &[],
            Self::CrossTalk => &["P1", "P4", "P6", "S1", "S2", "S5", "S7", "R6"],
        }
    }
}

/// Starts a server on a saves folder: an honest one, or one with a lie.
pub(crate) fn spawn(lie: Option<Lie>, saves: &Path) -> Running {
    start(Liar::new(lie, saves), saves)
}

/// Starts an honest server that hands out the keys of ended sessions again before any other.
pub(crate) fn spawn_reusing_keys(saves: &Path) -> Running {
    start(Liar::who_reuses_keys(saves), saves)
}

/// Starts a server that draws from the keys that it knows to be free, whatever others freed since it read the folder.
pub(crate) fn spawn_never_looking_again(saves: &Path) -> Running {
    start(Liar::who_never_looks_again(saves), saves)
}

/// Starts an honest server that waits so long before each answer.
pub(crate) fn spawn_slow(saves: &Path, wait: Duration) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        async move {
            sleep(wait).await;
            answer(&liar, request).await
        }
    })
}

/// [`spawn_late`] is late with one request in so many, and by so much.
const LATE_EACH: u64 = 7;
const LATE: Duration = Duration::from_millis(400);

/// Starts an honest server that is late with some requests: it does what they ask for late, or at once and only answers
/// late, in turn. It does so whether or not somebody still waits.
pub(crate) fn spawn_late(saves: &Path) -> Running {
    let liar = Arc::new(Liar::new(None, saves));
    let requests = Arc::new(AtomicU64::new(0));
    serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let request = Request::from_parts(head, Full::new(body));
            let late = move |parity| if number % (2 * LATE_EACH) == parity * LATE_EACH { LATE } else { Duration::ZERO };
            // In a task of its own, as a connection that its client closes takes what waits in it with it.
            let answered = tokio::spawn(async move {
                sleep(late(0)).await;
                let answer = answer(&liar, request).await;
                sleep(late(1)).await;
                answer
            });
            answered.await.map_err(io::Error::other)?
        }
    })
}

fn start(liar: Liar, saves: &Path) -> Running {
    let liar = Arc::new(liar);
    serve(saves, move |request| {
        let liar = Arc::clone(&liar);
        async move { answer(&liar, request).await }
    })
}

/// Serves connections for ever, each request as `respond` has it.
fn serve<R, A>(saves: &Path, respond: R) -> Running
where
    R: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = io::Result<Answer>> + Send + 'static,
{
    Running::start(saves, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, respond.clone()))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    })
}
