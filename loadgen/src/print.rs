//! Lines on standard output and standard error. If the reader has gone away (`loadgen … | head -1`), they are dropped: the
//! result of a run is in its files and its exit code, and it still has to clean up its target.
//!
//! What a terminal would obey, or would not show, is made visible here, whatever it was made of.

use contract::visible_lines;
use std::fmt::Display;
use std::io::Write;

/// Prints a line to standard output.
macro_rules! stdout {
    ($($argument:tt)*) => { $crate::print::line(std::io::stdout(), &format_args!($($argument)*)) };
}

/// Prints a line to standard error.
macro_rules! stderr {
    ($($argument:tt)*) => { $crate::print::line(std::io::stderr(), &format_args!($($argument)*)) };
}

pub(crate) use {stderr, stdout};

/// Prints a line.
pub(crate) fn line(mut to: impl Write, line: &dyn Display) {
    let _ = to.write_all((visible_lines(&line.to_string()) + "\n").as_bytes());
}

/// Prints a text to standard output.
pub(crate) fn text(text: &str) {
    let _ = std::io::stdout().write_all(visible_lines(text).as_bytes());
}

/// Prints why the program ends to standard error.
pub fn error(why: &str) {
    stderr!("loadgen: {why}");
}
