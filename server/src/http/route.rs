//! Which operation a request asks for.

use super::pages;
use hyper::Method;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the wire contract's operations, by their names")]
pub enum Operation {
    GenerateKey,
    Instantiate,
    Save,
    Restore,
    Delete,
    List,
    Health,
    Metrics,
    Page,
}

impl Operation {
    /// The operation's name in paths and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GenerateKey => "generate-key",
            Self::Instantiate => "instantiate",
            Self::Save => "save",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Health => "health",
            Self::Metrics => "metrics",
            Self::Page => "page",
        }
    }

    /// The methods it answers to, as the `Allow` header lists them. Where GET only reads, HEAD goes with it;
    /// generate-key hands out a key, which no HEAD may do.
    #[must_use]
    pub fn allow(self) -> &'static str {
        match self {
            Self::GenerateKey => "GET, POST",
            Self::Instantiate | Self::Save => "POST",
            Self::Restore | Self::List | Self::Health | Self::Metrics | Self::Page => "GET, HEAD",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it answers to a method.
    #[must_use]
    pub fn allows(self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }

    /// The operation that a path names: `/php/api/{op}.php`, `/php/api/{op}` and `/api/{op}` alike, `/metrics`, and
    /// those of the reference client.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        if path == "/metrics" {
            return Some(Self::Metrics);
        }
        if pages::is_there(path) {
            return Some(Self::Page);
        }
        let name = match path.strip_prefix("/php/api/") {
            Some(rest) => rest.strip_suffix(".php").unwrap_or(rest),
            None => path.strip_prefix("/api/")?,
        };
        [Self::GenerateKey, Self::Instantiate, Self::Save, Self::Restore, Self::Delete, Self::List, Self::Health]
            .into_iter()
            .find(|operation| operation.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_answers_at_three_paths_alike() {
        for path in ["/php/api/generate-key.php", "/php/api/generate-key", "/api/generate-key"] {
            assert_eq!(Operation::of_path(path), Some(Operation::GenerateKey), "{path}");
        }
        for path in ["/api/generate-key.php", "/api/", "/php/api/.php", "/api/metrics", "/api/list/", "", "/API/list"] {
            assert_eq!(Operation::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn pages_are_where_something_is() {
        assert_eq!(Operation::of_path("/"), Some(Operation::Page));
        assert_eq!(Operation::of_path("/web/checklist.js"), Some(Operation::Page));
        assert_eq!(Operation::of_path("/web/nothing.js"), None);
    }

    #[test]
    fn head_goes_with_get_except_where_get_hands_out_a_key() {
        assert!(Operation::Page.allows(&Method::HEAD) && !Operation::Page.allows(&Method::POST));
        assert!(Operation::Restore.allows(&Method::HEAD) && Operation::List.allows(&Method::GET));
        assert!(!Operation::GenerateKey.allows(&Method::HEAD) && Operation::GenerateKey.allows(&Method::POST));
        assert!(!Operation::Save.allows(&Method::GET) && !Operation::Delete.allows(&Method::POST));
    }
}
