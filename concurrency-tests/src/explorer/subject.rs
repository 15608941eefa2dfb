//! The code under test, as the explorer steps it.

use super::program::{Part, Programs};
use super::script::Script;
use crate::scenario::rules;
use check::Answer;
use server::fs::FileSystem;
use server::fs::memory::Called;
use server::protocol::{Documented, DocumentedOptions, Durability, Hardened, Hint, Protocol};
use std::pin::Pin;

/// The documented protocol.
#[must_use]
pub fn documented() -> Programs {
    let perform = |part: &Part, script: Script| {
        let files = Called(script.clone());
        let server = Documented::new(files.clone(), script, rules(), DocumentedOptions { checks_writes: true });
        perform(part, server, files)
    };
    Programs::new(Box::new(perform), true)
}

/// The hardened protocol.
#[must_use]
pub fn hardened() -> Programs {
    hardened_on(true, |_, files| files)
}

/// The hardened protocol on a file system that cannot exchange two names.
#[must_use]
pub fn hardened_without_exchange() -> Programs {
    hardened_on(false, |_, files| files)
}

/// The hardened protocol on what `wrap` makes of the file system, which may differ from part to part.
#[must_use]
pub fn hardened_on<F: FileSystem + 'static>(
    can_exchange: bool,
    wrap: impl Fn(&Part, Called<Script>) -> F + Send + Sync + 'static,
) -> Programs {
    hardened_with(can_exchange, wrap, |script| script)
}

/// As [`hardened_on`], with what `hint` makes of the hint of free keys.
#[must_use]
pub fn hardened_with<F: FileSystem + 'static, H: Hint + 'static>(
    can_exchange: bool,
    wrap: impl Fn(&Part, Called<Script>) -> F + Send + Sync + 'static,
    hint: impl Fn(Script) -> H + Send + Sync + 'static,
) -> Programs {
    let perform = move |part: &Part, script: Script| {
        let files = Called(script.clone());
        let wrapped = wrap(part, files.clone());
        let server = Hardened::new(wrapped, script.clone(), hint(script), rules(), Durability::Process);
        perform(part, server, files)
    };
    Programs::new(Box::new(perform), can_exchange)
}

/// An outsider's move is made on the files themselves, whatever the server's are wrapped in.
fn perform<P: Protocol>(part: &Part, server: P, files: Called<Script>) -> Pin<Box<dyn Future<Output = Answer>>> {
    let part = part.clone();
    Box::pin(
        async move { part.action.perform(&server, &files, part.client, part.number, part.handed.as_deref()).await },
    )
}
