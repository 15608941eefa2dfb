//! The documented protocol: what its locks do give, and the faults that it is known for.

use crate::scenarios::{
    Seen, documented, empty_folder, folder_with_document, save_beside_restore, two_keys, two_saves, two_sessions,
};
use concurrency_tests::{ModelFs, explore};
use std::sync::Arc;

#[test]
fn two_saves_of_a_document_lose_no_update() {
    for folder in [empty_folder, folder_with_document] {
        let explored = explore(None, move || {
            let files = ModelFs::new(folder());
            let server = documented(files.clone());
            two_saves(&files, [Arc::clone(&server), server])
        });
        println!("{explored:?}");
        assert_eq!(explored.count(&Some(vec!["first", "second"])), explored.iterations, "{explored:?}");
    }
}

#[test]
fn a_restore_beside_a_save_is_sometimes_torn() {
    let explored = explore(None, || {
        let files = ModelFs::new(folder_with_document());
        let server = documented(files.clone());
        save_beside_restore(&files, &server)
    });
    println!("{explored:?}");
    for seen in [Seen::Old, Seen::New, Seen::Torn] {
        assert!(explored.count(&seen) > 0, "{explored:?}");
    }
}

#[test]
fn two_users_before_any_save_always_get_the_key_that_both_draw() {
    let explored = explore(None, || {
        let server = documented(ModelFs::new(empty_folder()));
        two_keys([Arc::clone(&server), server])
    });
    println!("{explored:?}");
    assert_eq!(explored.count(&["AAA", "AAA"].map(str::to_owned)), explored.iterations, "{explored:?}");
}

/// Searched with three preemptions at most, which is enough to find it; all 320,065 interleavings take some 20 s.
#[test]
fn two_users_who_instantiate_at_once_sometimes_share_a_key_within_three_preemptions() {
    let explored = explore(Some(3), || {
        let server = documented(ModelFs::new(empty_folder()));
        two_sessions([Arc::clone(&server), server])
    });
    println!("{explored:?}");
    for keys in [["AAA", "AAA"], ["AAA", "BBB"], ["BBB", "AAA"]] {
        assert!(explored.count(&keys.map(str::to_owned)) > 0, "{explored:?}");
    }
}
