//! A protocol whose operations cost more than they need.

use benches::counts::CountedDisk;
use server::fs::FileSystem;
use server::protocol::{Error, Generated, Instantiated, Listed, Protocol};
use std::hint::black_box;

/// What is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// A sync of the folder to every save.
    Sync,
    /// An allocation to every restore.
    Allocation,
}

/// A protocol, and what is added to it, if anything.
pub(super) struct Regressed<P> {
    pub(super) protocol: P,
    /// The folder of the protocol, counted with it.
    pub(super) files: CountedDisk,
    pub(super) cost: Option<Cost>,
}

impl<P: Protocol> Protocol for Regressed<P> {
    async fn save(&self, body: &[u8]) -> Result<(), Error> {
        if self.cost == Some(Cost::Sync) {
            self.files.sync_folder().await.map_err(Error::Write)?;
        }
        self.protocol.save(body).await
    }

    async fn restore(&self, key: &str) -> Result<Vec<u8>, Error> {
        if self.cost == Some(Cost::Allocation) {
            black_box(Box::new(0_u8));
        }
        self.protocol.restore(key).await
    }

    async fn generate_key(&self) -> Result<Generated, Error> {
        self.protocol.generate_key().await
    }

    async fn instantiate(&self, body: &[u8]) -> Result<Instantiated, Error> {
        self.protocol.instantiate(body).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.protocol.delete(key).await
    }

    async fn list(&self) -> Result<Vec<Listed>, Error> {
        self.protocol.list().await
    }

    async fn give_back_stale(&self, reserved_before_ms: u64) -> Result<usize, Error> {
        self.protocol.give_back_stale(reserved_before_ms).await
    }
}
