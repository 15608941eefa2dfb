//! One user's connection to the target: plain or secure, as its URL says.

use super::plain::Plain;
use super::secure::Secure;
use super::target::Target;
use super::wire::{Buffers, Client, Patience};
use contract::Failure;
use contract::{Reply, Request};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use tokio::time::{Instant, Sleep, sleep_until};

/// A connection, made when it is first needed and again when the server has closed it.
#[derive(Debug)]
pub struct Connection {
    patience: Patience,
    wire: Wire,
    /// Goes off no later than an answer is given up; see [`Connection::send`].
    alarm: Option<Pin<Box<Sleep>>>,
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
    pub fn new(target: Arc<Target>, patience: Patience, buffers: Buffers) -> Self {
        let wire = if target.is_secure() {
            Wire::Secure(Secure::new(target, patience))
        } else {
            Wire::Plain(Plain::new(target, patience, buffers))
        };
        Self { patience, wire, alarm: None }
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

    /// The alarm is set anew only when it goes off, not for each request: where answers come as they should, that is
    /// once in as long as one is waited for.
    async fn send(&mut self, request: Request) -> Result<Reply, Failure> {
        let patience = self.patience.answer;
        let now = Instant::now();
        let deadline = now + patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        let wire = &mut self.wire;
        let mut exchange = pin!(async {
            match wire {
                Wire::Plain(plain) => plain.send(&request, now.into_std()).await,
                Wire::Secure(secure) => secure.send(&request).await,
            }
        });
        poll_fn(|context| {
            if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                return Poll::Ready(outcome.and_then(whole));
            }
            while alarm.as_mut().poll(context).is_ready() {
                if Instant::now() >= deadline {
                    return Poll::Ready(Err(Failure::TimedOut(patience)));
                }
                alarm.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await
    }
}

/// A complete reply; a failure if the connection was lost in the middle of the body.
fn whole(reply: Reply) -> Result<Reply, Failure> {
    if reply.is_cut_off() {
        Err(Failure::Closed("in the middle of a body of unknown length".to_owned()))
    } else {
        Ok(reply)
    }
}
