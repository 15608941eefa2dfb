//! Locks of both kinds. No method of a file system takes a shared one; a mutant of the proofs does.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use server::fs::Open;
use server::fs::memory::{Call, FileId, Kernel, LockKind, Outcome, Reply};
use std::fs::File;

/// How many calls a sequence has: every one is tried, on three open files of one real file.
const CALLS: usize = 5;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ask {
    Lock(LockKind),
    Unlock,
}

const ASKS: [Ask; 3] = [Ask::Lock(LockKind::Shared), Ask::Lock(LockKind::Exclusive), Ask::Unlock];

#[test]
fn the_kernel_in_memory_grants_and_refuses_the_locks_that_flock_does() {
    let real = tempfile::NamedTempFile::new().expect("a file");
    let files = [(); 3].map(|()| File::open(real.path()).expect("is there"));
    let mut kernel = Kernel::with_folder();
    kernel.place("x", b"", false);
    let ids = [(); 3].map(|()| opened(&mut kernel));
    let every_call: Vec<(usize, Ask)> = (0..3).flat_map(|file| ASKS.map(|ask| (file, ask))).collect();
    let mut tried = 0;
    for number in 0..every_call.len().pow(u32::try_from(CALLS).expect("a few")) {
        let mut held = [Ask::Unlock; 3];
        let mut rest = number;
        let mut so_far = Vec::new();
        for _ in 0..CALLS {
            let (file, ask) = every_call[rest % every_call.len()];
            rest /= every_call.len();
            // To change the kind of a lock that is held is left out: the kernel gives the old one up first, and so can
            // lose both. Nobody does that here.
            if ask != Ask::Unlock && held[file] != Ask::Unlock && held[file] != ask {
                continue;
            }
            so_far.push((file, ask));
            let (on_real, in_memory) = (ask_real(&files[file], ask), ask_kernel(&mut kernel, ids[file], ask));
            assert_eq!(on_real, in_memory, "the last of {so_far:?}");
            if on_real {
                held[file] = ask;
            }
            tried += 1;
        }
        for (file, id) in files.iter().zip(ids) {
            assert!(ask_real(file, Ask::Unlock) && ask_kernel(&mut kernel, id, Ask::Unlock));
        }
    }
    println!("locks: {tried} calls");
}

fn opened(kernel: &mut Kernel) -> FileId {
    match call(kernel, &Call::Open { name: "x".to_owned(), how: Open::Read }) {
        Some(Ok(Reply::Opened(file))) => file,
        other => panic!("opening was answered {other:?}"),
    }
}

/// Whether it was granted.
fn ask_real(file: &File, ask: Ask) -> bool {
    let operation = match ask {
        Ask::Lock(LockKind::Shared) => FlockOperation::NonBlockingLockShared,
        Ask::Lock(LockKind::Exclusive) => FlockOperation::NonBlockingLockExclusive,
        Ask::Unlock => FlockOperation::NonBlockingUnlock,
    };
    match flock(file, operation) {
        Ok(()) => true,
        Err(Errno::WOULDBLOCK) => false,
        Err(error) => panic!("{operation:?}: {error}"),
    }
}

fn ask_kernel(kernel: &mut Kernel, file: FileId, ask: Ask) -> bool {
    let asked = match ask {
        Ask::Lock(kind) => Call::Lock { file, kind },
        Ask::Unlock => Call::Unlock { file },
    };
    match call(kernel, &asked) {
        Some(Ok(Reply::Done)) => true,
        None => false,
        Some(other) => panic!("{asked} was answered {other:?}"),
    }
}

fn call(kernel: &mut Kernel, call: &Call) -> Option<Outcome> {
    kernel.call(0, call)
}
