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

/// A text from elsewhere, as it can be printed: control characters are escaped, so that none reaches a terminal.
pub(crate) fn escaped(text: impl IntoIterator<Item = char>) -> String {
    let mut escaped = String::new();
    for character in text {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Prints a text to standard output.
pub(crate) fn text(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
