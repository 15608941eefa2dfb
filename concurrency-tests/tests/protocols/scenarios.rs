//! What two users do at once, and how that can come out.

use concurrency_tests::{Kernel, ModelFs, ModelWorld};
use loom::thread;
use server::fs::{FileSystem, ready};
use server::keys::KeySpace;
use server::outside::SharedHint;
use server::protocol::{Documented, DocumentedOptions, Durability, Error, Hardened, Protocol, Rules};
use std::future::Future;
use std::sync::Arc;

/// The key whose document all scenarios are about, the first that [`world`] draws.
const KEY: &str = "AAA";
const FILE: &str = "AAA.json";

/// The document that is there before a scenario begins. It is shorter than any that is saved over it, so that a
/// reader can have the end of the new one after the whole of the old.
const OLD: &str = r#"{"sessionKey":"AAA","typeSlug":"word","metadata":{"created":1},"state":"old"}"#;

/// What a reader can have seen of a document that was there throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// The whole of it as it was before the save.
    Old,
    /// The whole of it as it was after the save.
    New,
    /// Something that never was the document; it is answered as an error.
    Torn,
}

/// A saves folder with nothing in it.
pub(crate) fn empty_folder() -> Kernel {
    let mut folder = Kernel::default();
    folder.create_folder();
    folder
}

/// A saves folder with one document in it.
pub(crate) fn folder_with_document() -> Kernel {
    let mut folder = empty_folder();
    folder.place(FILE, OLD.as_bytes());
    folder
}

pub(crate) fn documented<F: FileSystem>(fs: F) -> Arc<Documented<F, ModelWorld>> {
    Arc::new(Documented::new(fs, world(), rules(), DocumentedOptions { checks_writes: true }))
}

/// A hardened server process, with a hint of its own.
pub(crate) fn hardened<F: FileSystem>(fs: F) -> Arc<Hardened<F, ModelWorld, SharedHint>> {
    let rules = rules();
    let hint = SharedHint::new(rules.keys);
    Arc::new(Hardened::new(fs, world(), hint, rules, Durability::Process))
}

/// Two users save one document, each with a metadata key of its own. Answers which of these keys are in the
/// document in the end, or `None` where it is not even whole.
pub(crate) fn two_saves<P: Protocol>(files: &ModelFs, [one, other]: [Arc<P>; 2]) -> Option<Vec<&'static str>> {
    let (one, other) = at_once(move || run(one.save(&body("first"))), || run(other.save(&body("second"))));
    one.and(other).expect("both saves are acknowledged");
    let content = files.content(FILE).expect("the document is there");
    let document: serde_json::Value = serde_json::from_slice(&content).ok()?;
    Some(["first", "second"].into_iter().filter(|&name| document["metadata"][name] == true).collect())
}

/// One user saves a document that is there, another restores it.
pub(crate) fn save_beside_restore<P: Protocol>(files: &ModelFs, server: &Arc<P>) -> Seen {
    let saver = Arc::clone(server);
    let (saved, restored) = at_once(move || run(saver.save(&body("first"))), || run(server.restore(KEY)));
    saved.expect("the save is acknowledged");
    let new = files.content(FILE).expect("the document is there");
    match restored {
        Ok(content) if content == OLD.as_bytes() => Seen::Old,
        Ok(content) if content == new => Seen::New,
        Err(Error::InvalidSavedData) => Seen::Torn,
        other => panic!("a restore answered {other:?}"),
    }
}

/// Two users get a key each; answers the keys.
pub(crate) fn two_keys<P: Protocol>([one, other]: [Arc<P>; 2]) -> [String; 2] {
    at_once(move || generate(&*one), || generate(&*other)).into()
}

/// Two users get a key each and instantiate its document; answers the keys.
pub(crate) fn two_sessions<P: Protocol>([one, other]: [Arc<P>; 2]) -> [String; 2] {
    at_once(move || begin(&*one), || begin(&*other)).into()
}

fn begin<P: Protocol>(server: &P) -> String {
    let key = generate(server);
    let body = format!(r#"{{"sessionKey":"{key}","typeSlug":"word"}}"#);
    run(server.instantiate(body.as_bytes())).expect("the instantiation is acknowledged");
    key
}

/// Runs two things at once, the second on the thread that is there already: one more that only waits would
/// treble the interleavings.
fn at_once<A: 'static, B>(one: impl FnOnce() -> A + 'static, other: impl FnOnce() -> B) -> (A, B) {
    let one = thread::spawn(one);
    let other = other();
    (one.join().expect("ends well"), other)
}

fn generate<P: Protocol>(server: &P) -> String {
    run(server.generate_key()).expect("most keys are free").key.to_string()
}

/// A save that leaves its name in the metadata.
fn body(name: &str) -> Vec<u8> {
    let document = serde_json::json!({
        "sessionKey": KEY, "typeSlug": "word", "metadata": { name: true }, "state": format!("saved by the {name}"),
    });
    document.to_string().into_bytes()
}

fn run<T>(operation: impl Future<Output = T>) -> T {
    ready(operation).expect("nothing in the model is ever pending")
}

fn rules() -> Rules {
    Rules { keys: KeySpace::new(3).expect("in range"), types: vec!["word".to_owned()] }
}

/// Draws for the keys AAA, then BBB, with one draw a character as the documented protocol makes them. The
/// hardened one draws a key at once: AAA, and AAB after it.
fn world() -> ModelWorld {
    ModelWorld::new(vec![0, 0, 0, 1, 1, 1])
}
