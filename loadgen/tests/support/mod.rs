//! Servers to try the harness on: an independent, honest implementation of the wire contract, that implementation
//! with one lie at a time, servers that keep no contract at all, and honest ones that mishaps befall. All of them run in the test's own process and
//! stop when their [`running::Running`] is dropped.
//!
//! - [`liar`] · `liar::spawn(None, saves)` is honest, `liar::spawn(Some(Lie::NoLock), saves)` lies.
//! - [`hostile`] · `hostile::spawn(Hostile::Garbage)`.
//! - [`unclear`] · `unclear::spawn(Unclear::Cut, &["delete"], 100, saves)`: honest, and not always heard.
//! - [`undone`] · `undone::spawn(Undone::Delete, 20, saves)`: acknowledges, and undoes.
//! - [`mishap`] · `mishap::spawn(mishap, &server.url, saves)` stands before an honest server.
//! - [`harness`] · the binary under test; [`load`] · a load run by it; [`events`] · what those get who watch a run.
//! - [`running`] · a server's life, from its port to its end.
//!
//! # How to add a lie
//! 1. Add it to [`liar::Lie`], under its kind; its comment says what a client sees, and its number that it is told one
//!    time in so many.
//! 2. Make it true in one to three lines where the honest code does the thing: `self.tells(Lie::Name)` in `liar/store.rs`
//!    (documents), `liar/keys.rs` (keys) or `liar/wire.rs` (HTTP), asked last, as it counts what was told. What takes more
//!    goes to `liar/faults/`, and what only lies need to remember to `liar/memory.rs`. A lie about concurrency is a fault
//!    of that kind: a lock not held, a test before the lock, a stale copy; not a wrong answer thrown in by chance.
//! 3. Say in `tests/lies/table.rs` which claims must refute it and which loads must convict it, and by which name.
//! 4. Keep it small. A lie that breaks every claim proves only that the harness notices a broken server.
#![allow(dead_code, reason = "each test binary that includes this uses a part of it")]

pub(crate) mod events;
pub(crate) mod harness;
pub(crate) mod hostile;
pub(crate) mod liar;
pub(crate) mod load;
pub(crate) mod mishap;
pub(crate) mod running;
pub(crate) mod unclear;
pub(crate) mod undone;
