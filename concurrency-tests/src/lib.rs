//! The server's protocol code, unchanged, on models of files.
//!
//! Layout:
//! - [`kernel`]: what the kernel keeps of a saves folder (names, files, open files), as a plain value. Pure.
//! - [`model_fs`]: that value behind loom's mutex: a [`server::fs::FileSystem`] in which every system call is one
//!   step of the model checker.
//! - [`world`]: a clock that stands still, and chance from a list.
//! - [`mod@explore`]: runs a scenario in every interleaving of its steps, and collects how it came out.
//! - [`mutants`]: file systems with a guarantee taken away, to prove that the checks can fail.
//!
//! The tests: `tests/protocols/` searches the two protocols, `tests/conformance.rs` holds the model to the
//! kernel. Loom is used as an ordinary library, without `--cfg loom`: only the model's own mutex, condition
//! variable and threads are loom's, and what the protocols share besides files (the hint of free keys, behind a
//! mutex of the standard library) is touched between two steps, never across one.

pub mod explore;
pub mod kernel;
pub mod model_fs;
pub mod mutants;
pub mod world;

pub use explore::{Explored, explore};
pub use kernel::Kernel;
pub use model_fs::ModelFs;
pub use world::ModelWorld;
