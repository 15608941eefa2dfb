//! One user: a number, a connection, and the operations of the contract.

use super::connection::Connection;
use super::exchange::{Answer, Exchange};
use super::ledger::{Ledger, Ownership};
use super::target::{Operation, Target};
use super::wire::{Buffers, Client, Patience, Request};
use bytes::Bytes;
use hyper::{Method, Uri};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A simulated user with a connection of its own. Keys and type slugs are put into bodies as they are: they
/// must be well-formed, which whoever takes them from a server has checked.
#[derive(Debug)]
pub struct User {
    number: usize,
    target: Arc<Target>,
    connection: Connection,
    origin: Instant,
    ledger: Arc<Ledger>,
}

impl User {
    /// A user whose times are counted from `origin`, and who enters what comes of its exchanges in `ledger`.
    #[must_use]
    pub fn new(number: usize, target: Arc<Target>, patience: Patience, origin: Instant, ledger: Arc<Ledger>) -> Self {
        let connection = Connection::new(target.process_of(number), patience, Buffers::default());
        Self { number, target, connection, origin, ledger }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Whether some user of the run wrote under a key.
    #[must_use]
    pub fn wrote(&self, key: &str) -> bool {
        self.ledger.ownership(key) == Some(Ownership::Written)
    }

    /// Asks for a key.
    pub async fn generate_key(&mut self) -> Exchange {
        let asked = self.ask(Operation::GenerateKey, "", String::new()).await;
        if let Some(key) = asked.key_handed_out() {
            self.ledger.own(&key, Ownership::Handed);
        }
        asked
    }

    /// Creates a document under a key.
    pub async fn instantiate(&mut self, key: &str, type_slug: &str, state: &RawValue) -> Exchange {
        let state = state.get();
        let body = format!(r#"{{"sessionKey":"{key}","typeSlug":"{type_slug}","state":{state}}}"#);
        self.ask(Operation::Instantiate, key, body).await
    }

    /// Saves a state under a key, with metadata fields of its own.
    pub async fn save(
        &mut self,
        key: &str,
        type_slug: &str,
        metadata: &BTreeMap<String, u64>,
        state: &RawValue,
    ) -> Exchange {
        let metadata = serde_json::json!(metadata);
        // Put together as text: a large state is not worth reading again.
        let body = format!(
            r#"{{"sessionKey":"{key}","typeSlug":"{type_slug}","metadata":{metadata},"state":{}}}"#,
            state.get()
        );
        self.ask(Operation::Save, key, body).await
    }

    /// Reads the document of a key.
    pub async fn restore(&mut self, key: &str) -> Exchange {
        self.ask(Operation::Restore, key, String::new()).await
    }

    /// Deletes the document of a key.
    pub async fn delete(&mut self, key: &str) -> Exchange {
        self.ask(Operation::Delete, key, String::new()).await
    }

    /// Lists all documents.
    pub async fn list(&mut self) -> Exchange {
        self.ask(Operation::List, "", String::new()).await
    }

    /// Sends a request that the contract does not foresee: `query` goes behind the operation's path as it is.
    ///
    /// # Panics
    /// Where the query cannot stand in a URL.
    pub async fn ask_anything(&mut self, operation: Operation, method: Method, query: &str, body: Bytes) -> Exchange {
        let path = self.target.path(operation);
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let uri =
            Uri::try_from(path).expect("the target's path was checked, and the query is one of the harness's own");
        self.exchange(operation, "", Request { method, uri, body }).await
    }

    async fn ask(&mut self, operation: Operation, key: &str, body: String) -> Exchange {
        let uri = self.target.uri(operation, key);
        let request = Request { method: operation.method(), uri, body: Bytes::from(body) };
        self.exchange(operation, key, request).await
    }

    async fn exchange(&mut self, operation: Operation, key: &str, request: Request) -> Exchange {
        let writes = matches!(operation, Operation::Instantiate | Operation::Save) && !key.is_empty();
        if writes {
            self.ledger.own(key, Ownership::Written);
        }
        let from_us = self.now_us();
        let outcome = self.connection.send(request).await.map(Answer::from);
        let to_us = self.now_us();
        self.ledger.note_outcome(outcome.as_ref().err());
        if writes && outcome.is_err() {
            self.ledger.note_open_write(key);
        }
        Exchange { user: self.number, operation, key: key.to_owned(), note: String::new(), from_us, to_us, outcome }
    }

    /// µs since `origin`.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
