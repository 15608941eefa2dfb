//! The checks can fail: with a guarantee of the file system gone, they find what it was for.

use crate::scenarios::{documented, folder_with_document, two_saves};
use concurrency_tests::mutants::Unlocked;
use concurrency_tests::{ModelFs, explore};
use std::sync::Arc;

/// Searched with three preemptions at most, which is enough to find it; all 122,528 interleavings take some 10 s.
#[test]
fn without_locks_two_documented_saves_lose_an_update_within_three_preemptions() {
    let explored = explore(Some(3), || {
        let files = ModelFs::new(folder_with_document());
        let server = documented(Unlocked(files.clone()));
        two_saves(&files, [Arc::clone(&server), server])
    });
    println!("{explored:?}");
    for lost in [Some(vec!["first"]), Some(vec!["second"])] {
        assert!(explored.count(&lost) > 0, "{explored:?}");
    }
}
