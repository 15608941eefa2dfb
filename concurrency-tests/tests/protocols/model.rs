//! The model's lock, which the other tests rely on.

use crate::scenarios::empty_folder;
use concurrency_tests::{ModelFs, explore};
use loom::thread;
use server::fs::{FileSystem, Open, ready};

/// Searched with two preemptions at most: to wait for a lock is none, and three threads have many interleavings.
#[test]
fn whoever_waits_for_a_lock_may_be_the_next_to_hold_it() {
    let explored = explore(Some(2), || {
        let files = ModelFs::new(empty_folder());
        let threads = [b"a", b"b"].map(|name| {
            let files = files.clone();
            thread::spawn(move || ready(append(&files, name)).expect("nothing is ever pending"))
        });
        ready(append(&files, b"c")).expect("nothing is ever pending");
        threads.into_iter().for_each(|thread| thread.join().expect("ends well"));
        files.content("order").expect("was created")
    });
    println!("{explored:?}");
    let orders: Vec<&[u8]> = explored.outcomes.keys().map(Vec::as_slice).collect();
    assert_eq!(orders, [b"abc", b"acb", b"bac", b"bca", b"cab", b"cba"]);
}

/// Reads to the end and writes there: one thread's byte would be written over another's but for the lock.
async fn append(files: &ModelFs, name: &[u8]) {
    let file = files.open("order", Open::ReadWriteOrCreate).await.expect("opens");
    files.lock(&file).await.expect("is there to be locked");
    files.read(&file, &mut Vec::new(), 3).await.expect("is open to read");
    files.write(&file, name).await.expect("is open to write");
}
