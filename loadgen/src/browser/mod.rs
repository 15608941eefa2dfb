//! Real browsers, for what only a browser shows: which calls a page makes, and what a person reads on it.
//!
//! - [`driver`]: headless Chromium, by way of ChromeDriver.
//! - [`gateway`]: what stands between a browser and a server: it notes each call of the contract, and does to it what it
//!   is told.

pub mod driver;
pub mod gateway;

pub use driver::{Browser, Driver};
pub use gateway::{Call, Gateway, Treatment};
