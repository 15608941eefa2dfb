//! The server's protocol code, unchanged, on models of files.
//!
//! Layout:
//! - [`scenario`]: what clients do, from where they start, and what of it the sequential model is told.
//! - [`model_fs`]: the folder behind loom's mutex: a [`server::fs::FileSystem`] in which every system call is one
//!   step of the model checker.
//! - [`model_hint`]: hints of the few keys of a scenario, for code that runs from start to end.
//! - [`shuttle_fs`]: the same folder and hint under shuttle, for more users at once than loom can take.
//! - [`plain_fs`]: the same folder without any model checker, for one client at a time.
//! - [`world`]: a clock that stands still, and chance from a list.
//! - [`mod@explore`]: runs a scenario in every interleaving of its steps, and collects how it came out.
//! - [`families`]: all scenarios of a kind.
//! - [`explorer`]: steps a scenario through every state that it can reach.
//! - [`proof`]: what was proved, as rows of a table.
//! - [`mutants`]: file systems with a guarantee taken away, to prove that the checks can fail.
//!
//! The tests: `tests/protocols/` searches the two protocols, `tests/conformance.rs` holds the model to the
//! kernel. Loom is used as an ordinary library, without `--cfg loom`: only the model's own mutex, condition
//! variable and threads are loom's, and what the protocols share besides files (the hint of free keys, behind a
//! mutex of the standard library) is touched between two steps, never across one.

pub mod explore;
pub mod explorer;
pub mod families;
pub mod model_fs;
pub mod model_hint;
pub mod mutants;
pub mod plain_fs;
pub mod proof;
pub mod scenario;
pub mod shuttle_fs;
pub mod world;

pub use explore::{Explored, explore};
pub use model_fs::{ModelFs, Steps};
pub use scenario::{Action, Start};
pub use world::{FixedWorld, ModelWorld};
