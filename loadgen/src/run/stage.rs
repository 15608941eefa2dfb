//! The target of a load run: looked at before, and left as it was after.

use super::{Order, Subject};
use crate::lab::clean_up::clean_up;
use crate::lab::preflight;
use crate::lab::{Effort, Lab};
use crate::reference::{Embedded, Launcher};
use anyhow::Context;
use engine::Measured;
use engine::client::Target;
use engine::saves_folder::SavesFolder;
use engine::scenario::{Plan, SessionUse};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// A target that may be loaded.
pub(super) struct Stage {
    pub(super) lab: Arc<Lab>,
    embedded: Option<Embedded>,
    /// Most keys that can be in use; [`usize::MAX`] where others may use some, or half of all may be.
    keys_in_use: AtomicUsize,
}

impl Stage {
    /// Starts the server, where it is ours, and looks whether it speaks the contract and may be loaded.
    pub(super) async fn set(order: &Order) -> anyhow::Result<Self> {
        let (target, embedded, consent) = match &order.subject {
            Subject::Server { target, consent } => (Target::clone(target), None, *consent),
            Subject::Embedded(protocol) => {
                let log = order.out.join(format!("server-{}.log", protocol.name()));
                let embedded = Embedded::start(&Launcher::new(*protocol, log)).await?;
                (embedded.target().map_err(anyhow::Error::msg)?, Some(embedded), true)
            }
        };
        let users = order.plan.users as usize;
        let mut lab = Lab::new(target, None, users, order.plan.seed, Effort::Default);
        preflight::look(&mut lab, consent).await?;
        // A server that held documents may get more of them at any time. Each user may have asked for a key without having it.
        let keys_in_use = AtomicUsize::new(if lab.was_empty { users } else { usize::MAX });
        Ok(Self { lab: Arc::new(lab), embedded, keys_in_use })
    }

    /// Most keys that can be in use before a run; none where that is not known.
    pub(super) fn keys_in_use(&self) -> Option<usize> {
        Some(self.keys_in_use.load(Ordering::Relaxed)).filter(|most| *most < usize::MAX)
    }

    /// Notes how many can be in use after it: what is given back need not be free at once.
    pub(super) fn note_keys_in_use(&self, most: Option<usize>) {
        self.keys_in_use.store(most.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    pub(super) fn target(&self) -> Arc<Target> {
        Arc::clone(&self.lab.target)
    }

    /// The saves folder of a server that is ours.
    pub(super) fn folder(&self) -> anyhow::Result<Option<SavesFolder>> {
        let open = |embedded: &Embedded| SavesFolder::open(embedded.saves()).map_err(anyhow::Error::msg);
        self.embedded.as_ref().map(open).transpose()
    }

    /// The keys under which documents may be left until the clean-up; none on a server that is ours.
    pub(super) fn may_be_left(&self) -> Vec<String> {
        if self.embedded.is_some() { Vec::new() } else { self.lab.may_be_left() }
    }

    /// A session for all users, where the scenario has one.
    pub(super) async fn shared_key(&self, plan: &Plan) -> anyhow::Result<Option<String>> {
        if plan.scenario.session() != SessionUse::Shared {
            return Ok(None);
        }
        Ok(Some(self.lab.open_session().await?))
    }

    /// Gives back what the users still held when a run was over, and another is to follow.
    pub(super) async fn give_back(&self, measured: &Measured) {
        if self.embedded.is_some() && measured.held.len() < KEYS_TO_SPARE {
            // Its folder goes with it, and there is room for more.
            return;
        }
        self.lab.give_back(&self.lab.ledger.keys()).await;
        // What is left now is tried again at the end.
        let _ = self.lab.give_back_late_writes().await;
    }

    /// Cleans up, and ends a server that is ours; returns the keys under which a document may be left.
    pub(super) async fn strike(self, stop: &CancellationToken) -> anyhow::Result<Vec<String>> {
        match self.embedded {
            Some(embedded) => {
                embedded.stop().await.context("the embedded server could not be cleaned up")?;
                Ok(Vec::new())
            }
            None => Ok(clean_up(&self.lab, stop).await),
        }
    }
}

/// An embedded server's documents are left alone between trials up to so many.
const KEYS_TO_SPARE: usize = 2_000;
