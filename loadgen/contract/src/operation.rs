//! The operations of the contract.

use http::Method;
use std::fmt;

/// The operations of the wire contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the contract's operations, by their names")]
pub enum Operation {
    GenerateKey,
    Instantiate,
    Save,
    Restore,
    Delete,
    List,
}

impl Operation {
    /// All of them; each has the place of its number, so that what is kept for each can be found by that.
    pub const ALL: [Self; 6] =
        [Self::GenerateKey, Self::Instantiate, Self::Save, Self::Restore, Self::Delete, Self::List];

    /// The operation of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// Its name in paths and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GenerateKey => "generate-key",
            Self::Instantiate => "instantiate",
            Self::Save => "save",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }

    /// The method that a client uses.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::GenerateKey | Self::Restore | Self::List => Method::GET,
            Self::Instantiate | Self::Save => Method::POST,
            Self::Delete => Method::DELETE,
        }
    }

    /// The query parameter that holds the key, if the operation has one.
    pub(crate) fn key_parameter(self) -> Option<&'static str> {
        match self {
            Self::Restore => Some("sessionKey"),
            Self::Delete => Some("session"),
            Self::GenerateKey | Self::Instantiate | Self::Save | Self::List => None,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
