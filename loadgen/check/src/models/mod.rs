//! Sequential models of objects whose histories can be checked.

pub mod kv;
pub mod register;
