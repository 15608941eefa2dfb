//! The texts of the contract: what `message` says in successes and errors. Clients tell cases apart by them.

/// An error: its status and its message.
pub type Error = (u16, &'static str);

/// Success of instantiate: the document was created.
pub const CREATED: &str = "Instance created";
/// Success of instantiate: there was a document already, and nothing was changed.
pub const EXISTS: &str = "Instance already exists";

/// The body is not JSON, not an object, empty, or without a key.
pub const INVALID_DATA: Error = (400, "Invalid data format");
/// The key is not one.
pub const INVALID_KEY: Error = (400, "Invalid session key");
/// Delete without a key.
pub const KEY_REQUIRED: Error = (400, "Session key is required");
/// There is no type.
pub const MISSING_TYPE: Error = (400, "Missing typeSlug parameter");
/// The type is not one of the service's.
pub const INVALID_TYPE: Error = (400, "Invalid checklist type");
/// Restore finds no document.
pub const NO_DOCUMENT: Error = (404, "No saved data found");
/// Delete finds no document.
pub const NOTHING_TO_DELETE: Error = (404, "Instance not found");
/// The operation does not take this method.
pub const WRONG_METHOD: Error = (405, "Method not allowed");
/// Another process holds the document's lock.
pub const LOCKED: Error = (500, "Failed to acquire file lock");
/// The document's file cannot be removed.
pub const NOT_DELETED: Error = (500, "Failed to delete instance");
/// The document's file cannot be read.
pub const NOT_READ: Error = (500, "Failed to read saved data");
/// The document's file is no whole document.
pub const NO_WHOLE_DOCUMENT: Error = (500, "Invalid saved data format");
/// All keys are in use.
pub const EXHAUSTED: Error = (503, "Unable to generate unique key - all attempts exhausted");
/// A server without a connection to spare, of the reference server. Nothing follows from it.
pub const BUSY: Error = (503, "Server busy");
