//! Where the target is and how its paths are made.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use contract::{Operation, Paths};
use hyper::Uri;
use hyper::header::HeaderValue;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use url::{Position, Url};

/// A server that speaks the wire contract.
#[derive(Clone, Debug)]
pub struct Target {
    /// Without the user name and password that were given with it: whatever is printed or stored is made from this.
    url: Url,
    /// Both, as the Authorization header.
    authorization: Option<HeaderValue>,
    host: String,
    port: u16,
    paths: Paths,
    host_header: HeaderValue,
    /// Where connections are made, if not to host and port: something that passes on what it is sent.
    through: Option<SocketAddr>,
    /// Where the page with the service's client is.
    page: String,
    /// Other processes of the same service, which users are spread over.
    beside: Vec<Arc<Target>>,
}

/// Where the page with the client is, if nothing is said.
pub const DEFAULT_PAGE: &str = "/";

impl Target {
    /// A target at an `http` or `https` URL. Whatever path the URL has is put before the template. A user name and a
    /// password in it are sent with each request, by HTTP Basic authentication.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the URL or the template. It does not have the password.
    pub fn new(url: &str, path_template: &str) -> Result<Self, String> {
        let (url, authorization) = without_authorization(url)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "{url} has a query or a fragment, which would not be sent: leave it out, or put the query into the path template"
            ));
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{url} is not an http or https URL"));
        }
        let host = url.host_str().ok_or_else(|| format!("{url} names no host"))?.to_owned();
        let port = url.port_or_known_default().ok_or_else(|| format!("{url} names no port"))?;
        let paths = Paths::new(url.path().trim_end_matches('/'), path_template)?;
        let host_header = HeaderValue::from_str(&format!("{host}:{port}"))
            .map_err(|_| format!("{url} names a host that cannot be sent in a header"))?;
        Ok(Self {
            url,
            authorization,
            host,
            port,
            paths,
            host_header,
            through: None,
            page: DEFAULT_PAGE.to_owned(),
            beside: Vec::new(),
        })
    }

    /// The same target, reached through something that listens at an address and passes on what it is sent.
    #[must_use]
    pub fn through(&self, address: SocketAddr) -> Self {
        Self { through: Some(address), ..self.clone() }
    }

    /// The same target, with its client's page at a path.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the path.
    pub fn with_page(&self, page: &str) -> Result<Self, String> {
        if !page.starts_with('/') || page.contains('?') || Uri::try_from(page).is_err() {
            return Err(format!("{page:?} is no path of a page: it starts with a slash, and has no query"));
        }
        Ok(Self { page: page.to_owned(), ..self.clone() })
    }

    /// Where the page with its client is: a path without a query.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The same service with more processes, which users are spread over.
    #[must_use]
    pub fn with_processes(&self, beside: Vec<Arc<Self>>) -> Self {
        Self { beside, ..self.clone() }
    }

    /// How many processes are known of the service.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.beside.len() + 1
    }

    /// The service with one process only.
    #[must_use]
    pub fn alone(&self) -> Self {
        self.with_processes(Vec::new())
    }

    /// One of its processes, counted from 0, which is this one.
    ///
    /// # Panics
    /// Where there are not so many.
    #[must_use]
    pub fn process(&self, number: usize) -> &Self {
        number.checked_sub(1).map_or(self, |number| &self.beside[number])
    }

    /// The process that a user talks to.
    #[must_use]
    pub fn process_of(self: &Arc<Self>, user: usize) -> Arc<Self> {
        let number = user % self.processes();
        Arc::clone(number.checked_sub(1).map_or(self, |number| &self.beside[number]))
    }

    /// Where connections are made, where that is not at host and port.
    #[must_use]
    pub fn goes_through(&self) -> Option<SocketAddr> {
        self.through
    }

    /// The URL as given, but for user name and password.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL as a command line needs it: where a user name and a password belong, it says so.
    #[must_use]
    pub fn url_to_give(&self) -> String {
        self.to_give(self.url.to_string())
    }

    /// The URL of a delete, up to the key, as a command line needs it.
    #[must_use]
    pub fn delete_url_to_give(&self) -> String {
        self.to_give(self.url_of(&self.paths.uri(Operation::Delete, "")))
    }

    fn to_give(&self, url: String) -> String {
        match self.authorization {
            Some(_) => url.replacen("://", "://USER:PASSWORD@", 1),
            None => url,
        }
    }

    /// The Authorization header, if a user name or a password was given.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Host name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Host and port, as the Host header.
    #[must_use]
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The URL of a path at the target, without a user's name and password.
    #[must_use]
    pub fn url_of(&self, path: &impl fmt::Display) -> String {
        format!("{}://{}{path}", self.url.scheme(), self.authority())
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The paths of its operations.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The URL of the target that a redirect of a list leads to; `None` if it leads back, or the path template would be
    /// another there.
    #[must_use]
    pub fn redirected(&self, location: &str) -> Option<Url> {
        let list = self.paths.without_base(Operation::List);
        let mut to = self.url.join(self.paths.of(Operation::List)).ok()?.join(location).ok()?;
        let base = to[Position::BeforePath..Position::AfterQuery].strip_suffix(&list)?.to_owned();
        to.set_path(&base);
        to.set_query(None);
        let without_slash = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        (without_slash(&to) != without_slash(&self.url)).then_some(to)
    }
}

/// A URL without user name and password, and the Authorization header with them.
fn without_authorization(text: &str) -> Result<(Url, Option<HeaderValue>), String> {
    let wrong = |error: &dyn fmt::Display| {
        let shown = without_credentials(text);
        format!("{shown:?} is no URL ({error}); give one such as http://127.0.0.1:8036")
    };
    let mut url = Url::parse(text).map_err(|error| wrong(&error))?;
    // Only a URL with a host can have them. Any other will be refused, and may be "user:password@host".
    if !url.has_host() {
        return Err(wrong(&"it names no host"));
    }
    if url.username().is_empty() && url.password().is_none() {
        return Ok((url, None));
    }
    let both = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    let header = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(both)));
    let mut header = header.map_err(|error| wrong(&error))?;
    header.set_sensitive(true);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| wrong(&"it can have no user"))?;
    Ok((url, Some(header)))
}

/// A user name or password with its %-escapes resolved.
fn decoded(text: &str) -> String {
    // In a form, + and & would mean something else.
    let value = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(value.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}

/// A text that may be a URL, or was meant to be one, without user name and password.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    let Some(end) = text.rfind('@') else { return text.to_owned() };
    match (text[..end].find("://"), text[..end].find(':')) {
        (Some(scheme), _) => format!("{}{}", &text[..scheme + 3], &text[end + 1..]),
        (None, Some(_)) => text[end + 1..].to_owned(),
        (None, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::DEFAULT_PATH_TEMPLATE;

    #[test]
    fn the_url_of_a_delete_can_be_printed() {
        let target = Target::new("http://user:secret@127.0.0.1:8080/app", "/it's/{op}").expect("a target");
        assert_eq!(target.delete_url_to_give(), "http://USER:PASSWORD@127.0.0.1:8080/app/it's/delete?session=");
    }

    #[test]
    fn a_user_and_a_password_are_in_the_header_alone() {
        for (url, both) in [
            ("http://user:pa%3Ass@127.0.0.1:8036/app", "user:pa:ss"),
            ("https://user@127.0.0.1:8036/app", "user:"),
            ("http://:p+a&s=s%2F@127.0.0.1:8036/app", ":p+a&s=s/"),
        ] {
            let target = Target::new(url, DEFAULT_PATH_TEMPLATE).expect("valid");
            let header = target.authorization().and_then(|header| header.to_str().ok()).expect("text");
            let sent = header.strip_prefix("Basic ").and_then(|text| BASE64_STANDARD.decode(text).ok());
            assert_eq!(sent.as_deref(), Some(both.as_bytes()), "{url}");
            assert!(target.url().as_str().ends_with("://127.0.0.1:8036/app"), "{}", target.url());
            assert!(target.url_to_give().ends_with("://USER:PASSWORD@127.0.0.1:8036/app"));
            let secret = &both[both.find(':').expect("both")..];
            assert!(secret == ":" || !format!("{target:?}").contains(&secret[1..]));
        }
        let open = Target::new("http://127.0.0.1:8036/", DEFAULT_PATH_TEMPLATE).expect("valid");
        assert!(open.authorization().is_none() && open.url_to_give() == "http://127.0.0.1:8036/");
    }

    #[test]
    fn no_error_has_the_password() {
        for url in [
            "user:s3cret@127.0.0.1",
            "ftp://user:s3cret@127.0.0.1/",
            "http://user:s3cret@",
            "http://user:s3/cret@127.0.0.1:x",
            "http://user:s3cret@127.0.0.1:99999",
            "http://user:s3cret@127.0.0.1/?q=1",
        ] {
            let error = Target::new(url, DEFAULT_PATH_TEMPLATE).expect_err("refused");
            assert!(!error.contains("cret") && !error.contains("user"), "{error}");
        }
    }

    /// Regression: a second question mark was put before the key.
    #[test]
    fn a_query_in_the_template_is_joined_by_an_ampersand() {
        let target = Target::new("http://127.0.0.1:8036", "/index.php?op={op}").expect("valid");
        let uri = |operation| target.paths().uri(operation, "A4K").to_string();
        assert_eq!(uri(Operation::Restore), "/index.php?op=restore&sessionKey=A4K");
        assert_eq!(uri(Operation::Delete), "/index.php?op=delete&session=A4K");
        assert_eq!(uri(Operation::List), "/index.php?op=list");
        let moved = target.redirected("https://b.test/app/index.php?op=list");
        assert_eq!(moved.as_ref().map(Url::as_str), Some("https://b.test/app"));
    }

    #[test]
    fn a_path_is_made_from_the_template() {
        let target = Target::new("http://127.0.0.1:8036/", DEFAULT_PATH_TEMPLATE).expect("valid");
        assert_eq!(target.paths().of(Operation::GenerateKey), "/php/api/generate-key.php");
        let below = Target::new("http://[::1]:8036/app/", "/api/{op}").expect("valid");
        assert_eq!(below.paths().of(Operation::List), "/app/api/list");
        assert_eq!((below.host(), below.authority().as_str()), ("::1", "[::1]:8036"));
        assert_eq!(below.paths().uri(Operation::Restore, "A4K").to_string(), "/app/api/restore?sessionKey=A4K");
        assert_eq!(below.paths().uri(Operation::Delete, "a&b=c d").to_string(), "/app/api/delete?session=a%26b%3Dc+d");
        assert_eq!(below.paths().uri(Operation::Save, "A4K").to_string(), "/app/api/save");
    }

    #[test]
    fn a_redirect_of_the_list_leads_to_another_target_of_the_same_template() {
        let target = Target::new("http://a.test/app/", "/api/{op}").expect("valid");
        for (location, url) in [
            ("https://b.test/api/list", Some("https://b.test/")),
            ("//b.test:81/other/api/list", Some("http://b.test:81/other")),
            ("/api/list", Some("http://a.test/")),
            ("list", None),
            ("https://b.test/login", None),
            ("http://[", None),
        ] {
            assert_eq!(target.redirected(location).as_ref().map(Url::as_str), url, "{location}");
        }
    }

    #[test]
    fn users_are_spread_over_the_processes_of_a_service() {
        let at = |port: u16| Target::new(&format!("http://127.0.0.1:{port}"), DEFAULT_PATH_TEMPLATE).expect("valid");
        let alone = Arc::new(at(1));
        assert!((0..3).all(|user| alone.process_of(user).port() == 1));
        let service = Arc::new(alone.with_processes(vec![Arc::new(at(2)), Arc::new(at(3))]));
        let ports: Vec<u16> = (0..5).map(|user| service.process_of(user).port()).collect();
        assert_eq!(ports, [1, 2, 3, 1, 2]);
    }

    #[test]
    fn what_is_no_target_is_refused_with_a_reason() {
        for (url, template, reason) in [
            ("localhost", "/{op}", "is no URL"),
            ("ftp://x/", "/{op}", "not an http"),
            ("http://x/", "/api/op", "{op}"),
            ("http://x/", "{op}", "slash"),
            ("http://x/", "/a b/{op}", "makes no path"),
            ("http://x/", "/api#{op}", "fragment"),
            ("http://x/?token=1", "/{op}", "query"),
            ("http://x/#top", "/{op}", "query"),
        ] {
            let error = Target::new(url, template).expect_err("refused");
            assert!(error.contains(reason), "{error}");
        }
    }
}
