//! Lines on standard output and standard error. If the reader has gone away (`loadgen … | head -1`), they are dropped: the
//! result of a run is in its files and its exit code, and it still has to clean up its target.

use std::io::Write as _;

/// Prints a line to standard output.
macro_rules! stdout {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

/// Prints a line to standard error.
macro_rules! stderr {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

pub(crate) use {stderr, stdout};

/// Prints a text to standard output.
pub(crate) fn text(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
