//! The servers under test, and how one is started on a machine.

use super::machine::{Files, Machine};
use concurrency_tests::FixedWorld;
use concurrency_tests::model_hint::FewKeys;
use concurrency_tests::scenario::{KEYS, rules};
use server::fs::memory::Called;
use server::fs::ready;
use server::protocol::{
    Documented, DocumentedOptions, Durability, Error, Generated, Hardened, Instantiated, Listed, Protocol,
};
use std::fmt;

/// Which protocol, with which promise, on which file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Documented,
    Hardened { durability: Durability, can_exchange: bool },
}

impl Subject {
    pub(super) fn reserves(self) -> bool {
        matches!(self, Self::Hardened { .. })
    }

    pub(super) fn can_exchange(self) -> bool {
        matches!(self, Self::Hardened { can_exchange: true, .. })
    }

    /// Starts a server, as the command line does.
    pub(super) fn start(self, machine: &Machine) -> Result<Server, String> {
        let files = Called(machine.clone());
        // The documented protocol draws a key character by character: the three keys in their order, over and over.
        let world = FixedWorld::new(vec![0, 0, 0, 0, 0, 1, 0, 0, 2]);
        let Self::Hardened { durability, .. } = self else {
            let options = DocumentedOptions { checks_writes: true };
            return Ok(Server::Documented(Documented::new(files, world, rules(), options)));
        };
        let hint = FewKeys::new(KEYS.len());
        let server = Hardened::new(files, world, hint, rules(), durability);
        let started = ready(server.read_hint()).map_err(|_| "the start waits for ever".to_owned())?;
        started.map_err(|error| format!("the start fails: {error}"))?;
        Ok(Server::Hardened(server))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Hardened { durability, can_exchange } = self else { return f.write_str("documented") };
        let durability = match durability {
            Durability::Process => "process",
            Durability::Disk => "disk",
        };
        write!(f, "hardened, {durability}{}", if *can_exchange { "" } else { ", without exchange" })
    }
}

/// A server of either protocol.
#[derive(Debug)]
pub(super) enum Server {
    Documented(Documented<Files, FixedWorld>),
    Hardened(Hardened<Files, FixedWorld, FewKeys>),
}

macro_rules! on {
    ($server:expr, |$protocol:ident| $call:expr) => {
        match $server {
            Server::Documented($protocol) => $call.await,
            Server::Hardened($protocol) => $call.await,
        }
    };
}

impl Protocol for Server {
    async fn generate_key(&self) -> Result<Generated, Error> {
        on!(self, |protocol| protocol.generate_key())
    }

    async fn instantiate(&self, body: &[u8]) -> Result<Instantiated, Error> {
        on!(self, |protocol| protocol.instantiate(body))
    }

    async fn save(&self, body: &[u8]) -> Result<(), Error> {
        on!(self, |protocol| protocol.save(body))
    }

    async fn restore(&self, key: &str) -> Result<Vec<u8>, Error> {
        on!(self, |protocol| protocol.restore(key))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        on!(self, |protocol| protocol.delete(key))
    }

    async fn list(&self) -> Result<Vec<Listed>, Error> {
        on!(self, |protocol| protocol.list())
    }

    async fn give_back_stale(&self, reserved_before_ms: u64) -> Result<usize, Error> {
        on!(self, |protocol| protocol.give_back_stale(reserved_before_ms))
    }
}
