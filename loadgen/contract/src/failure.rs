//! Why a request has no response.

use std::time::Duration;

/// Why there is no answer. What the operation did at the server is then unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection could be made: nothing happened at the server.
    #[error("cannot connect: {0}")]
    CannotConnect(String),
    /// No connection could be made in time: nothing happened at the server.
    #[error("cannot connect: no connection within {} s", .0.as_secs_f64())]
    NoConnection(Duration),
    /// The server's certificate is not trusted, so that no request was sent.
    #[error("cannot connect: {0}")]
    Untrusted(String),
    /// The answer, or the rest of it, did not come in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The connection ended before the answer did.
    #[error("connection closed without an answer ({0})")]
    Closed(String),
    /// What came is not HTTP.
    #[error("the answer is not HTTP ({0})")]
    NotHttp(String),
    /// The answer has no end in sight.
    #[error("an answer of more than {0} MB")]
    TooLong(usize),
}

impl Failure {
    /// Whether no request was sent, so that nothing happened at the server.
    #[must_use]
    pub fn was_never_sent(&self) -> bool {
        matches!(self, Self::CannotConnect(_) | Self::NoConnection(_) | Self::Untrusted(_))
    }

    /// Whether a user gave up waiting.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::NoConnection(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: after `--patience 500ms` it was "no answer within 0 s".
    #[test]
    fn a_patience_of_less_than_a_second_is_named_in_full() {
        for (patience, text) in [
            (Duration::from_secs(10), "no answer within 10 s"),
            (Duration::from_millis(500), "no answer within 0.5 s"),
            (Duration::from_millis(1_250), "no answer within 1.25 s"),
        ] {
            assert_eq!(Failure::TimedOut(patience).to_string(), text);
        }
    }
}
