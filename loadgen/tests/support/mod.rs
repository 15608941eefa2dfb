//! Servers to try the harness on: an independent, honest implementation of the wire contract, that implementation
//! with one lie at a time, servers that violate the contract, and honest ones with mishaps. All of them run in the
//! test's own process and stop when their [`running::Running`] is dropped.
//!
//! - [`liar`] · `liar::spawn(None, saves)` is honest, `liar::spawn(Some(Lie::NoLock), saves)` lies.
//! - [`hostile`] · `hostile::spawn(Hostile::Garbage)`.
//! - [`unclear`] · `unclear::spawn(Unclear::Cut, &["delete"], 100, saves)`: honest, but some responses get lost.
//! - [`undone`] · `undone::spawn(Undone::Delete, 20, saves)`: undoes what it has acknowledged.
//! - [`mishap`] · `mishap::spawn(mishap, &server.url, saves)`: a proxy in front of an honest server.
//! - [`harness`] · the binary under test; [`load`] · a load run by it; [`events`] · what the watchers of a run receive.
//! - [`running`] · a running server, from its port to its end.
//!
//! # How to add a lie
//! 1. Add it to [`liar::Lie`], under its kind. Its comment says what a client sees; its number n means that it is told
//!    once in n opportunities.
//! 2. Implement it in one to three lines where the honest code does the same thing: `self.tells(Lie::Name)` in
//!    `liar/store.rs` (documents), `liar/keys.rs` (keys) or `liar/wire.rs` (HTTP), checked last, as it counts the lie
//!    as told. What takes more goes to `liar/faults/`, and what only lies need to remember to `liar/memory.rs`. A lie
//!    about concurrency is a concurrency fault, such as a missing lock, a check before the lock or a stale copy, not a
//!    random wrong response.
//! 3. State in `tests/lies/table.rs` which claims must refute it and which loads must convict it, and under which name.
//! 4. Keep it small. A lie that breaks every claim proves only that the harness notices a broken server.
#![allow(dead_code, reason = "each test binary that includes this uses a part of it")]

pub(crate) mod events;
pub(crate) mod harness;
pub(crate) mod hostile;
pub(crate) mod liar;
pub(crate) mod load;
pub(crate) mod mishap;
pub(crate) mod refusing;
pub(crate) mod running;
pub(crate) mod unclear;
pub(crate) mod undone;
