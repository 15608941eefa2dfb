//! The reference client: a page at `/`, and what it is made of under `/web/`. All of it is in the binary.

use super::answer::Answer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// A page of the server's own origin, and nothing from elsewhere; nobody shows it inside a page of theirs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page's own path.
const INDEX: &str = "/";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name under `/web/`, media type, content.
const FILES: [(&str, &str, &str); 7] = [
    ("style.css", "text/css; charset=utf-8", include_str!("../../web/style.css")),
    ("checklist.js", SCRIPT, include_str!("../../web/checklist.js")),
    ("session.js", SCRIPT, include_str!("../../web/session.js")),
    ("api.js", SCRIPT, include_str!("../../web/api.js")),
    ("key.js", SCRIPT, include_str!("../../web/key.js")),
    ("work.js", SCRIPT, include_str!("../../web/work.js")),
    ("items.js", SCRIPT, include_str!("../../web/items.js")),
];

/// The pages of one server.
#[derive(Clone, Debug)]
pub struct Pages {
    index: Bytes,
}

impl Pages {
    /// Pages for documents of these types, under keys of so many characters.
    #[must_use]
    pub fn new(types: &[String], key_length: usize) -> Self {
        let options: Vec<String> = types.iter().map(|slug| format!("<option>{}</option>", escaped(slug))).collect();
        let index = include_str!("../../web/index.html")
            .replace("{{key-length}}", &key_length.to_string())
            .replace("{{types}}", &options.concat());
        Self { index: index.into() }
    }

    /// What is at a path.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Answer> {
        if path == INDEX {
            return Some(page("text/html; charset=utf-8", self.index.clone()));
        }
        let (_, media_type, content) = file_at(path)?;
        Some(page(media_type, Bytes::from_static(content.as_bytes())))
    }
}

/// Whether there is something at a path.
#[must_use]
pub fn is_there(path: &str) -> bool {
    path == INDEX || file_at(path).is_some()
}

fn file_at(path: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let name = path.strip_prefix("/web/")?;
    FILES.into_iter().find(|(file, ..)| *file == name)
}

fn page(media_type: &'static str, content: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(content));
    let headers = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An address holds a key, which is all it takes to change a document.
        (REFERRER_POLICY, "no-referrer"),
        // A server that was renewed must not meet half of its earlier client.
        (CACHE_CONTROL, "no-store"),
    ];
    answer.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::ready;
    use http_body_util::BodyExt;

    fn text(answer: Answer) -> String {
        let bytes = ready(answer.into_body().collect()).expect("ready").expect("infallible").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    fn pages() -> Pages {
        Pages::new(&["word".to_owned(), "<b>&co".to_owned()], 4)
    }

    #[test]
    fn the_page_knows_the_servers_types_and_keys() {
        let page = text(pages().at("/").expect("a page"));
        assert!(page.contains("<option>word</option><option>&lt;b&gt;&amp;co</option>"), "{page}");
        assert!(page.contains(r#"data-key-length="4""#) && !page.contains("{{"), "{page}");
    }

    #[test]
    fn everything_that_the_page_and_its_scripts_name_is_served_from_here() {
        let mut scripts = vec![text(pages().at("/").expect("a page"))];
        scripts.extend(FILES.map(|(name, ..)| text(pages().at(&format!("/web/{name}")).expect("a file"))));
        let mut named = 0;
        for script in scripts {
            let local = script.split('"').filter_map(|word| word.strip_prefix("/web/").or(word.strip_prefix("./")));
            for name in local {
                assert!(pages().at(&format!("/web/{name}")).is_some(), "{name} is named, and not served");
                named += 1;
            }
            assert!(!script.contains("http://") && !script.contains("https://"), "from elsewhere: {script}");
        }
        assert!(named >= FILES.len(), "{named} names");
    }

    #[test]
    fn nothing_may_be_loaded_from_elsewhere_and_no_address_be_told() {
        for path in ["/", "/web/checklist.js", "/web/style.css"] {
            let answer = pages().at(path).expect("a page");
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text");
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.headers()[REFERRER_POLICY], "no-referrer");
        }
    }

    #[test]
    fn nothing_else_is_there() {
        for path in ["", "/web/", "/web", "/index.html", "/web/../Cargo.toml", "/web/index.html", "//"] {
            assert!(pages().at(path).is_none() && !is_there(path), "{path}");
        }
    }
}
