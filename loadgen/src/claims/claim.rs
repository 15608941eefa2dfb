//! What a claim is made of.

use super::Finding;
use crate::lab::{Lab, Stuck};
use record::claims::ClaimId;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// What an experiment cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The wire alone.
    Wire,
    /// The saves folder as well.
    Folder,
    /// The saves folder, empty at the start, to be filled.
    Filling,
    /// A server that the harness starts itself, to be killed, or given a disk that fails or another file system; the
    /// target stays as it is.
    OwnServer,
    /// Several processes that serve the target's folder.
    Processes,
    /// A real browser.
    Browser,
}

/// The verdict that a server is expected to get. No experiment or judgement uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The server keeps the promise.
    Holds,
    /// The server is known to break the promise.
    Refuted,
    /// Both verdicts are right.
    Either,
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wire => "nothing else",
            Self::Folder => "`--saves`",
            Self::Filling => "`--saves`, with an empty folder",
            Self::OwnServer => "a server that loadgen starts itself",
            Self::Processes => "several processes that serve one folder",
            Self::Browser => "a browser, and a page with a client (`--page`)",
        })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Refuted => "refuted",
            Self::Either => "either",
        })
    }
}

/// Which verdict is expected on which server.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// On the specification's own protocol.
    pub documented: Expectation,
    /// On the hardened protocol.
    pub hardened: Expectation,
    /// On any other server that keeps the contract.
    pub contract: Expectation,
}

impl Expected {
    /// Every server keeps the promise.
    pub(super) const HOLDS: Self =
        Self { documented: Expectation::Holds, hardened: Expectation::Holds, contract: Expectation::Holds };

    /// The specification's protocol breaks the promise; other protocols keep it.
    pub(super) const REFUTED_ON_DOCUMENTED: Self = Self { documented: Expectation::Refuted, ..Self::HOLDS };
}

/// When a claim is tried: phases follow each other in this order, and claims of one phase the order of the list.
///
/// Claims by rising fill come before those on an empty folder, so that the folder is filled only once. Those that reserve
/// and give back keys by the ten thousand come last: ext4 without a journal is slow to create files for a while after
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Users and browsers that mostly wait.
    Waiting,
    /// Failures of the disk, the process, the power or a lock, and bad input.
    Faults,
    /// The same claims on several file systems.
    FileSystems,
    /// Fills from an empty folder up.
    RisingFill,
    /// The recommended 10,000 sessions.
    RecommendedFill,
    /// The fills around 45,000 at which keys run out, and the full folder.
    Exhaustion,
    /// Every key in use.
    FullFolder,
    /// A few hundred keys free, so that all of them come out.
    NearlyFullFolder,
    /// The creation of documents.
    Creation,
    /// Concurrent access to documents.
    Documents,
    /// Speed and operation of the service.
    Service,
    /// Users' whole sessions.
    Sessions,
    /// Hundreds of keys, over and over.
    Uniqueness,
    /// Tens of thousands of keys.
    Distribution,
}

/// An experiment under way.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Finding, Stuck>> + Send + 'a>>;

/// A promise under test.
pub struct Claim {
    /// Its identity, as in docs/claims.md.
    pub id: ClaimId,
    /// What is promised, in a few words.
    pub title: &'static str,
    /// The specification's words.
    pub quote: &'static str,
    /// How it is tried, for docs/claims.md: Markdown, as [`Self::holds_if`].
    pub tried: &'static str,
    /// The criterion.
    pub holds_if: &'static str,
    /// What its experiment cannot do without.
    pub needs: Needs,
    /// The verdicts that servers are expected to get.
    pub expected: Expected,
    /// How many decisions its judgement makes by an interval or by a number of trials: its share of the error budget that
    /// all claims of a run have together.
    pub decisions_on_chance: u32,
    /// When it is tried.
    pub phase: Phase,
    /// Whether it can be decided within `--quick`.
    pub is_quick: bool,
    /// Whether its experiment mostly waits, so that others may run on other servers beside it.
    pub mostly_waits: bool,
    /// Whether its experiment takes times, so that a verdict against it stands only if nothing else ran at the same time.
    pub takes_times: bool,
    /// The experiment, and the judgement of what it saw.
    pub attempt: for<'a> fn(&'a Arc<Lab>) -> Attempt<'a>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.id, f)
    }
}
