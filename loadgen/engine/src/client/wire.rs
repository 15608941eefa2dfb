//! What a client does with a request: the edge between the harness and the network.

use contract::{Failure, Reply, Request};
use std::time::Duration;

/// Longest answer that is read. A list of all 46,656 documents has 8 MB.
pub(super) const MAX_ANSWER_MB: usize = 64;

/// A connection idle for longer is not used again: servers close idle connections (5 s is common), and a request
/// that meets the closing would look like a fault of the server.
pub(super) const MAX_IDLE: Duration = Duration::from_secs(4);

/// How long a user waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
}

impl Default for Patience {
    /// 5 s to connect, and 10 s for an answer: R4 gives a server 10 s to report that a lock is held.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(10) }
    }
}

/// How much memory a connection takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffers {
    /// Answers are read in pieces as large as they come: one of many megabytes takes few.
    #[default]
    Growing,
    /// Answers are read in pieces of 4 KB, in which one of real size fits: for connections by the thousand.
    Small,
}

/// One user's way to a server: one request at a time.
pub trait Client {
    /// Makes the connection before it is needed, where there is one to make.
    ///
    /// # Errors
    /// Where it cannot be made.
    fn connect(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// A [`Failure`] where there is none.
    fn send(&mut self, request: Request) -> impl Future<Output = Result<Reply, Failure>> + Send;
}
