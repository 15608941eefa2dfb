//! The target of a load run, and the keys that it gave to users.

use super::Order;
use crate::lab::{Effort, Lab, PreparedTarget, Settings};
use engine::Measured;
use engine::saves_folder::SavesFolder;
use engine::scenario::{Plan, SessionUse};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A target that may be loaded.
pub(super) struct LoadedTarget {
    pub(super) prepared: PreparedTarget,
    /// Most keys that can be in use; [`usize::MAX`] where others may use some, or half of all may be.
    keys_in_use: AtomicUsize,
}

impl LoadedTarget {
    /// Makes the order's target ready.
    pub(super) async fn open(order: &Order) -> anyhow::Result<Self> {
        let (users, seed) = (order.plan.users as usize, order.plan.seed);
        let settings = Settings { users, seed, effort: Effort::Default, uses_folder: false };
        let prepared = PreparedTarget::open(&order.subject, &order.out, settings).await?;
        // A server that held documents may get more of them at any time. Each user may have asked for a key without having it.
        let keys_in_use = AtomicUsize::new(if prepared.lab.was_empty { users } else { usize::MAX });
        Ok(Self { prepared, keys_in_use })
    }

    pub(super) fn lab(&self) -> &Lab {
        &self.prepared.lab
    }

    /// Most keys that can be in use before a run; none where that is not known.
    pub(super) fn keys_in_use(&self) -> Option<usize> {
        Some(self.keys_in_use.load(Ordering::Relaxed)).filter(|most| *most < usize::MAX)
    }

    /// Notes how many can be in use after it: what is given back need not be free at once.
    pub(super) fn note_keys_in_use(&self, most: Option<usize>) {
        self.keys_in_use.store(most.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// The saves folder of an embedded server.
    pub(super) fn folder(&self) -> anyhow::Result<Option<SavesFolder>> {
        let folder = self.prepared.server.as_ref().map(|server| SavesFolder::open(server.saves()));
        folder.transpose().map_err(anyhow::Error::msg)
    }

    /// A session for all users, where the scenario has one.
    pub(super) async fn shared_key(&self, plan: &Plan) -> anyhow::Result<Option<String>> {
        if plan.scenario.session() != SessionUse::Shared {
            return Ok(None);
        }
        Ok(Some(self.lab().open_session().await?))
    }

    /// Gives back what the users still held when a run was over, and another is to follow.
    pub(super) async fn release(&self, measured: &Measured) {
        if self.prepared.server.is_some() && measured.held.len() < KEYS_TO_SPARE {
            // Its folder goes with it, and there is room for more.
            return;
        }
        self.lab().release(&self.lab().ledger.keys()).await;
        // What is left now is tried again at the end.
        let _ = self.lab().release_late_writes().await;
    }
}

/// An embedded server's documents are left alone between trials up to so many.
const KEYS_TO_SPARE: usize = 2_000;
