//! What is looked at after a death would find what a death must not do: here the test does it, between the death and
//! the next start.

use crate::Plan;
use crate::folder::{Folder, Sight};
use crate::hardened::one_death;
use crate::support::history::Deed;
use crate::support::user::{Ask, Outcome, User};
use std::path::PathBuf;

/// A key that only the test itself saves, so that it is known for certain what must be there.
const KEY: &str = "XYZ";

/// What the test puts in the folder before the load.
struct Planted {
    document: PathBuf,
    /// The document's file as it was before its last save.
    older_version: Vec<u8>,
    /// The file of a key that was handed out, and never used.
    reservation: PathBuf,
}

/// A death between which and the next start `tamper` changes what was planted; answers what is found.
fn found(test: &'static str, sight: Sight, tamper: fn(&Planted)) -> Result<(), String> {
    let plan = Plan::of(test, 1);
    let mut folder = Folder::new("process");
    folder.sight = sight;
    let planted = plant(&mut folder);
    one_death(&mut folder, &mut plan.random(0), |_| tamper(&planted))
}

fn plant(folder: &mut Folder) -> Planted {
    let server = folder.start();
    let file = |key: &str| folder.path().join(format!("{key}.json"));
    let mut user = User::connected(server.address(), &folder.clock);
    let mut done = |ask: Ask| match user.ask(&ask) {
        Outcome::Done(deed) => deed,
        other => panic!("{ask:?}: {other:?}"),
    };
    done(Ask::Save(KEY.to_owned()));
    let older_version = std::fs::read(file(KEY)).expect("it was saved");
    done(Ask::Save(KEY.to_owned()));
    let Deed::Generate(Some(key)) = done(Ask::Generate) else { panic!("a key") };
    let planted = Planted { document: file(KEY), older_version, reservation: file(&key) };
    let operations = user.operations;
    folder.examine(&server, operations).expect("nothing is wrong yet");
    planted
}

const BOTH: [Sight; 2] = [Sight::Full, Sight::WireOnly];

#[test]
fn where_nothing_is_tampered_with_nothing_is_found() {
    for sight in BOTH {
        found("where_nothing_is_tampered_with_nothing_is_found", sight, |_| {}).expect("nothing to find");
    }
}

#[test]
fn a_lost_document_is_found_out() {
    for sight in BOTH {
        let lose = |planted: &Planted| std::fs::remove_file(&planted.document).expect("it is there");
        let found = found("a_lost_document_is_found_out", sight, lose).expect_err("a document is lost");
        assert!(found.starts_with("XYZ: no order of the operations explains the last answer"), "{sight:?}: {found}");
    }
}

#[test]
fn an_older_version_of_a_document_is_found_out() {
    for sight in BOTH {
        let put_back = |planted: &Planted| std::fs::write(&planted.document, &planted.older_version).expect("writes");
        let found = found("an_older_version_of_a_document_is_found_out", sight, put_back).expect_err("a save is lost");
        assert!(found.starts_with("XYZ: no order of the operations explains the last answer"), "{sight:?}: {found}");
    }
}

#[test]
fn half_a_document_is_found_out() {
    let cut = |planted: &Planted| {
        let whole = std::fs::read(&planted.document).expect("it is there");
        std::fs::write(&planted.document, &whole[..whole.len() / 2]).expect("writes");
    };
    let found_in_file = found("half_a_document_is_found_out", Sight::Full, cut).expect_err("it is torn");
    assert!(found_in_file.starts_with("XYZ holds no whole document"), "{found_in_file}");
    let found_on_wire = found("half_a_document_is_found_out", Sight::WireOnly, cut).expect_err("it is torn");
    assert!(found_on_wire.contains("Invalid saved data format"), "{found_on_wire}");
}

#[test]
fn an_empty_file_in_a_documents_place_is_found_out() {
    for sight in BOTH {
        let empty = |planted: &Planted| std::fs::write(&planted.document, "").expect("writes");
        let found = found("an_empty_file_in_a_documents_place_is_found_out", sight, empty).expect_err("it is lost");
        assert!(found.starts_with("XYZ"), "{sight:?}: {found}");
    }
}

#[test]
fn a_lost_reservation_is_found_out() {
    // Over the wire it shows where few keys are left: see `keys`.
    let lose = |planted: &Planted| std::fs::remove_file(&planted.reservation).expect("it is there");
    let found = found("a_lost_reservation_is_found_out", Sight::Full, lose).expect_err("a reservation is lost");
    assert!(found.contains("no order of the operations explains the last answer"), "{found}");
    assert!(found.contains("Generate") || found.contains("Reserved"), "{found}");
}

#[test]
fn a_stray_file_is_found_out() {
    let stray = |planted: &Planted| std::fs::write(planted.document.with_extension("lock"), "").expect("writes");
    let found = found("a_stray_file_is_found_out", Sight::Full, stray).expect_err("it does not belong there");
    assert_eq!(found, "a stray file: XYZ.lock");
}

#[test]
fn a_file_left_half_way_that_no_save_puts_away_is_found_out() {
    // A folder of this name cannot be unlinked, and so every save of the key fails.
    let block = |planted: &Planted| {
        std::fs::create_dir(planted.document.with_file_name(format!(".{KEY}.next"))).expect("creates");
    };
    let test = "a_file_left_half_way_that_no_save_puts_away_is_found_out";
    let found = found(test, Sight::Full, block).expect_err("its next save fails");
    assert!(found.starts_with(r#"Save("XYZ") was answered 500"#), "{found}");
}
