//! Requests: where operations are asked for, and the one encoding of their bodies.

use crate::Operation;
use crate::document::Content;
use bytes::Bytes;
use http::{Method, Uri};
use std::io::Write as _;

/// The paths that most servers have; `{op}` is the operation's name.
pub const DEFAULT_PATH_TEMPLATE: &str = "/php/api/{op}.php";

/// Placeholder of a path template for the operation's name.
const PLACEHOLDER: &str = "{op}";

/// Bytes of a body besides the state: key, type, and what a save posts.
const FRAME_BYTES: usize = 600;

/// A request as it goes to the target.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// JSON, or nothing.
    pub body: Bytes,
}

/// The paths of a service's operations.
#[derive(Clone, Debug)]
pub struct Paths {
    template: String,
    /// By operation: each is needed for every request of a load.
    by_operation: [String; Operation::ALL.len()],
}

impl Paths {
    /// Paths from a base path and a template with `{op}` for the operation's name. The template may have a query.
    ///
    /// # Errors
    /// A message that says what is wrong with the template.
    pub fn new(base_path: &str, template: &str) -> Result<Self, String> {
        if !template.contains(PLACEHOLDER) {
            return Err(format!(
                "the path template {template:?} does not contain {{op}}, which stands for the operation"
            ));
        }
        if !template.starts_with('/') {
            return Err(format!("the path template {template:?} does not start with a slash"));
        }
        if template.contains('#') {
            return Err(format!("the path template {template:?} has a fragment (#), which is never sent"));
        }
        let template = template.to_owned();
        let by_operation = Operation::ALL.map(|operation| format!("{base_path}{}", filled(&template, operation)));
        if by_operation.iter().any(|path| Uri::try_from(path).is_err()) {
            return Err(format!("the path template {template:?} makes no path: only visible ASCII can be sent"));
        }
        Ok(Self { template, by_operation })
    }

    /// The template as given.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The path of an operation, without a base path.
    #[must_use]
    pub fn without_base(&self, operation: Operation) -> String {
        filled(&self.template, operation)
    }

    /// The path of an operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> &str {
        &self.by_operation[operation as usize]
    }

    /// The request of an operation on a key, with a body if it has one.
    #[must_use]
    pub fn request(&self, operation: Operation, key: &str, body: Bytes) -> Request {
        Request { method: operation.method(), uri: self.uri(operation, key), body }
    }

    /// Path and query of an operation. Restore and delete have the key in the query; for others it is ignored.
    ///
    /// # Panics
    /// Never: paths are checked when they are made, and the key is encoded.
    #[must_use]
    pub fn uri(&self, operation: Operation, key: &str) -> Uri {
        let path = self.of(operation);
        let mut text = String::with_capacity(path.len() + 24);
        text.push_str(path);
        if let Some(parameter) = operation.key_parameter() {
            text.push(if path.contains('?') { '&' } else { '?' });
            text.push_str(parameter);
            text.push('=');
            text.extend(form_urlencoded::byte_serialize(key.as_bytes()));
        }
        Uri::try_from(text).expect("the paths were checked when they were made, and the key is encoded")
    }
}

fn filled(template: &str, operation: Operation) -> String {
    template.replace(PLACEHOLDER, operation.name())
}

/// The body of instantiate or save. Key and type go into it as they are, so they must be well-formed; `write_fields`
/// writes further fields, each with a comma before it, and `write_state` the state's JSON.
#[must_use]
pub fn body(
    key: &str,
    type_slug: &str,
    state_bytes: usize,
    write_fields: impl FnOnce(&mut Vec<u8>),
    write_state: impl FnOnce(&mut Vec<u8>),
) -> Bytes {
    let mut body = Vec::with_capacity(state_bytes + FRAME_BYTES);
    // Writing to memory does not fail.
    let _ = write!(body, r#"{{"sessionKey":"{key}","typeSlug":"{type_slug}""#);
    write_fields(&mut body);
    body.extend_from_slice(br#","state":"#);
    write_state(&mut body);
    body.push(b'}');
    body.into()
}

/// The body of an instantiate with this content.
#[must_use]
pub fn instantiate_body(key: &str, content: Content) -> Bytes {
    body(key, content.type_slug(), content.size_bytes, |_| {}, |out| content.write_state(out))
}

/// The body of a save with this content, and with the fields that identify it.
#[must_use]
pub fn save_body(key: &str, content: Content) -> Bytes {
    let fields = |out: &mut Vec<u8>| content.write_posted(out);
    body(key, content.type_slug(), content.size_bytes, fields, |out| content.write_state(out))
}
