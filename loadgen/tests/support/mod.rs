//! Servers to try the harness on: an independent, honest implementation of the wire contract, that implementation
//! with one lie at a time, and servers that keep no contract at all. All of them run in the test's own process and
//! stop when their [`running::Running`] is dropped.
//!
//! - [`liar`] · `liar::spawn(None, saves)` is honest, `liar::spawn(Some(Lie::NoLock), saves)` lies.
//! - [`hostile`] · `hostile::spawn(Hostile::Garbage)`.
//! - [`unclear`] · `unclear::spawn(Unclear::Cut, &["delete"], 100, saves)`: honest, and not always heard.
//! - [`undone`] · `undone::spawn(Undone::Delete, 20, saves)`: acknowledges, and undoes.
//! - [`harness`] · the binary under test; [`events`] · what those get who watch a run.
//! - [`running`] · a server's life, from its port to its end.
//!
//! # How to add a lie
//! 1. Add a variant to [`liar::Lie`]; its comment says what a client sees. Add it to `Lie::ALL`.
//! 2. Say in `Lie::breaks` which claims it must refute, and in `Lie::may_break` which others it cannot help touching.
//! 3. Make it true in one to three lines where the honest code does the thing: `self.lies(Lie::Name)` in
//!    `liar/store.rs` (documents), `liar/keys.rs` (keys) or `liar/wire.rs` (HTTP). What only lies need to remember
//!    goes to `liar/memory.rs`. A lie about concurrency is a fault of that kind: a lock not held, a test before the
//!    lock, a stale copy; not a wrong answer thrown in by chance.
//! 4. Keep it small. A lie that breaks every claim proves only that the harness notices a broken server.
#![allow(dead_code, reason = "each test binary that includes this uses a part of it")]

pub(crate) mod events;
pub(crate) mod harness;
pub(crate) mod hostile;
pub(crate) mod liar;
pub(crate) mod running;
pub(crate) mod unclear;
pub(crate) mod undone;
