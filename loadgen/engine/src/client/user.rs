//! One user: a number, a connection, and the operations of the contract.

use super::connection::Connection;
use super::exchange::Exchange;
use super::ledger::{Ledger, Ownership};
use super::target::Target;
use super::wire::{Buffers, Client, Patience};
use bytes::Bytes;
use contract::Answer;
use contract::Operation;
use contract::request::body;
use contract::{Reply, Request};
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
    patience: Patience,
    /// None where an exchange was dropped by who waited for it: that one has it.
    connection: Option<Connection>,
    origin: Instant,
    ledger: Arc<Ledger>,
}

impl User {
    /// A user whose times are counted from `origin`, and who enters what comes of its exchanges in `ledger`.
    #[must_use]
    pub fn new(number: usize, target: Arc<Target>, patience: Patience, origin: Instant, ledger: Arc<Ledger>) -> Self {
        Self { number, target, patience, connection: None, origin, ledger }
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
        self.ask(Operation::GenerateKey, "", Bytes::new()).await
    }

    /// Creates a document under a key.
    pub async fn instantiate(&mut self, key: &str, type_slug: &str, state: &RawValue) -> Exchange {
        let body = body(key, type_slug, state.get().len(), |_| {}, |out| out.extend_from_slice(state.get().as_bytes()));
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
        let metadata = format!(r#","metadata":{}"#, serde_json::json!(metadata));
        let fields = |out: &mut Vec<u8>| out.extend_from_slice(metadata.as_bytes());
        let body = body(key, type_slug, state.get().len(), fields, |out| out.extend_from_slice(state.get().as_bytes()));
        self.ask(Operation::Save, key, body).await
    }

    /// Posts a given body about a key.
    pub async fn post(&mut self, operation: Operation, key: &str, body: String) -> Exchange {
        self.ask(operation, key, body.into()).await
    }

    /// Reads the document of a key.
    pub async fn restore(&mut self, key: &str) -> Exchange {
        self.ask(Operation::Restore, key, Bytes::new()).await
    }

    /// Deletes the document of a key.
    pub async fn delete(&mut self, key: &str) -> Exchange {
        self.ask(Operation::Delete, key, Bytes::new()).await
    }

    /// Lists all documents.
    pub async fn list(&mut self) -> Exchange {
        self.ask(Operation::List, "", Bytes::new()).await
    }

    /// Sends a request that the contract does not foresee: `query` goes behind the operation's path as it is.
    ///
    /// # Panics
    /// Where the query cannot stand in a URL.
    pub async fn ask_anything(&mut self, operation: Operation, method: Method, query: &str, body: Bytes) -> Exchange {
        self.ask_in_full(operation, "", method, query, body).await.0
    }

    /// Like [`User::ask_anything`], but also returns the reply as it came. `key` is the key that the request may write
    /// under, if there is one.
    ///
    /// # Panics
    /// If the query is not valid in a URL.
    pub async fn ask_in_full(
        &mut self,
        operation: Operation,
        key: &str,
        method: Method,
        query: &str,
        body: Bytes,
    ) -> (Exchange, Option<Reply>) {
        let path = self.target.paths().of(operation);
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let uri =
            Uri::try_from(path).expect("the target's path was checked, and the query is one of the harness's own");
        self.exchange(operation, key, Request { method, uri, body }).await
    }

    async fn ask(&mut self, operation: Operation, key: &str, body: Bytes) -> Exchange {
        let request = self.target.paths().request(operation, key, body);
        self.exchange(operation, key, request).await.0
    }

    /// Sends a request, and waits for the answer. It comes to its end, and the ledger hears of that, also where who waits is
    /// called off: a key that is handed out then, or a document that is written, is to be given back.
    async fn exchange(&mut self, operation: Operation, key: &str, request: Request) -> (Exchange, Option<Reply>) {
        let writes = matches!(operation, Operation::Instantiate | Operation::Save) && !key.is_empty();
        if writes {
            self.ledger.own(key, Ownership::Written);
        }
        let changes = writes || (operation == Operation::Delete && !key.is_empty());
        let mut connection = self
            .connection
            .take()
            .unwrap_or_else(|| Connection::new(self.target.process_of(self.number), self.patience, Buffers::default()));
        let (ledger, origin, user, key) = (Arc::clone(&self.ledger), self.origin, self.number, key.to_owned());
        let sent = self.ledger.under_way().spawn(async move {
            let from_us = us_since(origin);
            let reply = connection.send(request).await;
            let full = reply.as_ref().ok().cloned();
            let outcome = reply.map(Answer::from);
            let to_us = us_since(origin);
            ledger.note_outcome(outcome.as_ref().err());
            if writes && outcome.is_err() {
                ledger.note_open_write(&key);
            }
            let exchange = Exchange { user, operation, key, note: String::new(), from_us, to_us, outcome };
            if exchange.is_unclear() {
                if exchange.outcome.is_ok() {
                    ledger.note_unclear();
                }
                if changes {
                    ledger.note_unsettled(&exchange.key);
                }
            }
            if let (Operation::GenerateKey, Some(key)) = (operation, exchange.key_handed_out()) {
                ledger.own(&key, Ownership::Handed);
            }
            (connection, exchange, full)
        });
        match sent.await {
            Ok((connection, exchange, full)) => {
                self.connection = Some(connection);
                (exchange, full)
            }
            Err(lost) => match lost.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and this with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// µs since `origin`.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        us_since(self.origin)
    }
}

fn us_since(origin: Instant) -> u64 {
    u64::try_from(origin.elapsed().as_micros()).unwrap_or(u64::MAX)
}
