//! What a signal interrupted is done again.

use super::around::{Between, CallKind};
use std::io::{self, ErrorKind};

/// Makes every call again that a signal interrupted (`EINTR`), so that no client sees it. An interrupted call has
/// done nothing: a read or write that had moved some bytes answers how many instead.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retrying;

impl Between for Retrying {
    fn again(&self, _call: CallKind, error: &io::Error) -> bool {
        error.kind() == ErrorKind::Interrupted
    }
}
