//! No file can get any longer: a limit of the process on the length of its files, at nothing, refuses every byte as a
//! full disk does. It needs no right; so these are always tried. What half fits is in `failed_writes.rs`.

use crate::support::{Server, assert_granted, assert_refused, assert_says, document, saves_folder};
use crate::{crowd, stray_files};
use serde_json::json;
use std::path::Path;

const WITHOUT_ROOM: [&str; 3] = ["sh", "-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#];

fn without_room(saves: &Path, protocol: &str, flags: &[&str]) -> Server {
    Server::started_by(&WITHOUT_ROOM, saves, protocol, flags)
}

#[test]
fn the_hardened_protocol_without_room_refuses_writes_keeps_documents_and_goes_on_once_there_is_room() {
    for durability in ["process", "disk"] {
        let saves = saves_folder();
        let flags = ["--durability", durability];
        let with_room = Server::on(saves.path(), "hardened", &flags);
        for key in ["AAA", "BBB"] {
            assert_says(&with_room.post("save", &document(key, "[1]")), "");
        }
        let before = with_room.restore("AAA");

        let server = without_room(saves.path(), "hardened", &flags);
        // A reservation is an empty file, which takes no room.
        let reserved = server.get("generate-key").key();
        for _ in 0..2 {
            for key in ["AAA", "CCC", &reserved] {
                assert_refused(&server.post("save", &document(key, "[2]")), 500, "Failed to write file");
            }
            for key in ["CCC", &reserved] {
                assert_refused(&server.post("instantiate", &document(key, "[2]")), 500, "Failed to write file");
            }
        }
        assert_eq!(stray_files(saves.path()), Vec::<String>::new());
        assert_eq!(server.restore("AAA").data_text(), before.data_text());
        for key in ["CCC", &reserved] {
            assert_refused(&server.restore(key), 404, "No saved data found");
        }
        assert_eq!(assert_granted(&server.get("list")).as_array().map(Vec::len), Some(2));
        assert_says(&server.delete("BBB"), "Instance deleted successfully");
        assert_refused(&server.restore("BBB"), 404, "No saved data found");

        for key in ["AAA", "BBB", &reserved] {
            assert_says(&with_room.post("save", &document(key, "[3]")), "");
            assert_eq!(assert_granted(&server.restore(key))["state"], json!([3]));
        }
    }
}

#[test]
fn what_the_hardened_protocol_refuses_for_want_of_room_changes_nothing_for_anybody() {
    let saves = saves_folder();
    let server = without_room(saves.path(), "hardened", &[]);
    let seen = crowd::work(&server, &["AAA", "BBB"], crowd::Visits::Long).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(seen.done > 0 && seen.refused > 0, "{} right, {} refused", seen.done, seen.refused);
    assert_eq!(stray_files(saves.path()), Vec::<String>::new());
}

#[test]
fn the_documented_protocol_without_room_loses_the_document_that_it_could_not_save() {
    let saves = saves_folder();
    let with_room = Server::on(saves.path(), "documented", &[]);
    for key in ["AAA", "BBB", "DEL"] {
        assert_says(&with_room.post("save", &document(key, "[1]")), "");
    }
    let server = without_room(saves.path(), "documented", &[]);
    // The known fault, claim R1: it truncates before it writes.
    assert_refused(&server.post("save", &document("AAA", "[2]")), 500, "Failed to write file");
    assert_refused(&server.restore("AAA"), 500, "Invalid saved data format");
    // A new document is left behind as an empty file, which is neither there nor not.
    for operation in ["save", "instantiate"] {
        assert_refused(&server.post(operation, &document("CCC", "[2]")), 500, "Failed to write file");
        assert_refused(&server.restore("CCC"), 500, "Invalid saved data format");
    }
    for key in ["AAA", "CCC"] {
        assert_eq!(saves.path().join(format!("{key}.json")).metadata().expect("it is there").len(), 0);
    }
    // Whoever was not saved has lost nothing; and what takes no room works.
    assert_eq!(assert_granted(&server.restore("BBB"))["state"], json!([1]));
    assert_eq!(assert_granted(&server.get("list")).as_array().map(Vec::len), Some(2));
    assert_says(&server.delete("DEL"), "Instance deleted successfully");
    assert_granted(&server.get("generate-key"));

    assert_says(&with_room.post("save", &document("AAA", "[3]")), "");
    assert_says(&with_room.post("instantiate", &document("CCC", "[3]")), "Instance created");
    for key in ["AAA", "CCC"] {
        assert_eq!(assert_granted(&server.restore(key))["state"], json!([3]));
    }
}

#[test]
fn a_protocol_that_loses_what_it_cannot_save_is_found_out() {
    // The check of the crowd on the protocol that is known to do it.
    let saves = saves_folder();
    let server = without_room(saves.path(), "documented", &[]);
    let found = crowd::work(&server, &["AAA", "BBB"], crowd::Visits::Long).expect_err("documents are lost");
    assert!(found.contains("Invalid saved data format"), "{found}");
}
