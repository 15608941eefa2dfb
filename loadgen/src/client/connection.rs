//! One user's connection to the target: plain or secure, as its URL says.

use super::exchange::Failure;
use super::plain::Plain;
use super::secure::Secure;
use super::target::Target;
use super::wire::{Client, Patience, Reply, Request};
use std::sync::Arc;

/// A connection, made when it is first needed and again when the server has closed it.
#[derive(Debug)]
pub struct Connection {
    patience: Patience,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Plain(Plain),
    Secure(Secure),
}

impl Connection {
    /// A connection that is not made yet.
    ///
    /// # Panics
    /// Where TLS cannot be set up at all: the platform's certificates cannot be used.
    #[must_use]
    pub fn new(target: Arc<Target>, patience: Patience) -> Self {
        let wire = if target.is_secure() {
            Wire::Secure(Secure::new(target, patience))
        } else {
            Wire::Plain(Plain::new(target, patience))
        };
        Self { patience, wire }
    }
}

impl Client for Connection {
    async fn connect(&mut self) -> Result<(), Failure> {
        match &mut self.wire {
            Wire::Plain(plain) => plain.connect().await,
            // reqwest connects with the first request.
            Wire::Secure(_) => Ok(()),
        }
    }

    async fn send(&mut self, request: Request) -> Result<Reply, Failure> {
        let patience = self.patience;
        let exchange = async {
            match &mut self.wire {
                Wire::Plain(plain) => plain.send(&request).await,
                Wire::Secure(secure) => secure.send(&request).await,
            }
        };
        let outcome = tokio::time::timeout(patience.answer, exchange).await;
        outcome.unwrap_or(Err(Failure::TimedOut(patience.answer.as_secs())))
    }
}
