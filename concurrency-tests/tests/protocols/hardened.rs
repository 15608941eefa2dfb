//! The hardened protocol in the scenarios that the documented one fails.

use crate::scenarios::{Seen, empty_folder, folder_with_document, hardened, save_beside_restore, two_keys, two_saves};
use concurrency_tests::{Explored, ModelFs, explore};
use std::sync::Arc;

#[test]
fn two_saves_of_a_document_lose_no_update() {
    for folder in [empty_folder, folder_with_document] {
        let explored = explore(None, move || {
            let files = ModelFs::new(folder());
            let server = hardened(files.clone());
            two_saves(&files, [Arc::clone(&server), server])
        });
        println!("{explored:?}");
        assert_eq!(explored.count(&Some(vec!["first", "second"])), explored.iterations, "{explored:?}");
    }
}

#[test]
fn a_restore_never_sees_half_a_save() {
    for files in [ModelFs::new, ModelFs::without_exchange] {
        let explored = explore(None, move || {
            let files = files(folder_with_document());
            let server = hardened(files.clone());
            save_beside_restore(&files, &server)
        });
        println!("{explored:?}");
        assert_eq!(explored.count(&Seen::Torn), 0, "{explored:?}");
        assert!(explored.count(&Seen::Old) > 0 && explored.count(&Seen::New) > 0, "{explored:?}");
    }
}

#[test]
fn two_users_of_a_server_never_get_the_same_key() {
    never_the_same_key(&explore(None, || {
        let server = hardened(ModelFs::new(empty_folder()));
        two_keys([Arc::clone(&server), server])
    }));
}

#[test]
fn two_server_processes_never_hand_out_the_same_key() {
    never_the_same_key(&explore(None, || {
        let files = ModelFs::new(empty_folder());
        two_keys([hardened(files.clone()), hardened(files)])
    }));
}

/// Both users draw the same key: one of them has it, and the other, whoever that is, another.
fn never_the_same_key(explored: &Explored<[String; 2]>) {
    println!("{explored:?}");
    assert!(explored.outcomes.keys().all(|[one, other]| one != other), "{explored:?}");
    for keys in [["AAA", "AAB"], ["AAB", "AAA"]] {
        assert!(explored.count(&keys.map(str::to_owned)) > 0, "{explored:?}");
    }
}
