//! The model of files without any model checker: each call takes effect at once, on whichever thread makes it.

use server::fs::memory::{Call, Called, Calls, FileId, Kernel, Outcome};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A saves folder in memory, as a file system.
pub type PlainFs = Called<Plain>;

/// Makes each call at once. Clones share the folder. A lock that is held elsewhere is waited for without end: under
/// [`server::fs::ready`] that is an error, as it should be where one client acts at a time.
#[derive(Clone, Debug)]
pub struct Plain {
    kernel: Arc<Mutex<Kernel>>,
    can_exchange: bool,
}

/// All files belong to one process.
const OWNER: u16 = 0;

impl Plain {
    /// A folder as it is when a scenario begins, on a file system that can exchange two names, or not.
    #[must_use]
    pub fn new(folder: Kernel, can_exchange: bool) -> Self {
        Self { kernel: Arc::new(Mutex::new(folder)), can_exchange }
    }

    /// The folder, to look at.
    pub fn kernel(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls for Plain {
    async fn call(&self, call: Call) -> Outcome {
        let outcome = self.kernel().call(OWNER, &call);
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }

    fn close(&self, file: FileId) {
        self.kernel().call(OWNER, &Call::Close { file });
    }

    fn can_exchange(&self) -> bool {
        self.can_exchange
    }
}
