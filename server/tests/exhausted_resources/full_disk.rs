//! Small file systems in memory, mounted for one server alone: in a mount namespace of its own, which ends with it, so
//! that a test that is killed leaves nothing mounted. Where there is no right to, a user namespace may give it.

use crate::support::{Answer, Server, assert_granted, assert_refused, assert_says, document, saves_folder};
use crate::{crowd, document_of, stray_files};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Ways to a mount namespace: as root, and as anybody where the kernel lets one.
const NAMESPACES: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--map-root-user", "--mount"]];

/// Mounts, with the options given first on the folder given second, and becomes the program given then.
const MOUNT: &str = r#"mount -t tmpfs -o "$0" none "$1" && shift && exec "$@""#;

/// Room on the full disks: 32 pages.
const ROOM: &str = "size=128k";

/// Inodes on the disks that have too few: one is the folder's own, and 64 the hardened protocol's lock files.
const FEW_INODES: &str = "size=1m,nr_inodes=88";

/// A server whose saves folder is a file system of its own.
struct OnDisk {
    server: Server,
    _mount_point: TempDir,
    /// The folder as the server sees it; this test's own folder of the name stays empty.
    saves: PathBuf,
}

/// `None`, said on standard error, where nothing can be mounted.
fn on_disk(options: &str, protocol: &str) -> Option<OnDisk> {
    let mount_point = saves_folder();
    let folder = mount_point.path().to_str().expect("its name is text");
    let mount = ["sh", "-c", MOUNT, options, folder];
    let works = |namespace: &&&[&str]| {
        let probe = Command::new(namespace[0]).args(&namespace[1..]).args(mount).arg("true").output();
        probe.is_ok_and(|probe| probe.status.success())
    };
    let Some(namespace) = NAMESPACES.iter().find(works) else {
        // Not with eprintln, which is kept back where a test passes.
        let _ = writeln!(std::io::stderr(), "NOT TRIED on a full disk: no file system may be mounted here");
        return None;
    };
    let starter: Vec<&str> = namespace.iter().copied().chain(mount).collect();
    let server = Server::started_by(&starter, mount_point.path(), protocol, &[]);
    let mut saves = PathBuf::from(format!("/proc/{}/root", server.id()));
    saves.extend(mount_point.path().components().skip(1));
    Some(OnDisk { server, _mount_point: mount_point, saves })
}

/// Keys of documents that are only there to take room.
fn filler_keys() -> impl Iterator<Item = String> {
    (0..100).map(|n| format!("F{n:02}"))
}

/// Saves documents until not even the smallest fits; answers their keys, and the refusal.
fn fill(server: &Server) -> (Vec<String>, Answer) {
    let mut filled = Vec::new();
    let mut keys = filler_keys();
    let mut save_until_refused = |bytes: usize| loop {
        let key = keys.next().expect("the disk is full long before");
        let answer = server.post("save", &document_of(&key, bytes));
        if answer.status != 200 {
            return answer;
        }
        filled.push(key);
    };
    save_until_refused(9_000);
    let refusal = save_until_refused(1);
    (filled, refusal)
}

#[test]
fn on_a_full_disk_the_hardened_protocol_refuses_saves_keeps_documents_and_deletes_make_room() {
    let Some(disk) = on_disk(ROOM, "hardened") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    let long = document_of("AAA", 6_000);
    assert_says(&server.post("save", &long), "");
    let reserved = server.get("generate-key").key();
    let (mut filled, refusal) = fill(server);
    assert_refused(&refusal, 500, "Failed to write file");
    let before: Vec<(String, String)> =
        filled.iter().map(|key| (key.clone(), server.restore(key).data_text().to_owned())).collect();
    let before_long = server.restore("AAA");

    // Neither something new, nor something longer, nor something as long as what is there.
    for (operation, body) in [
        ("save", document("NEW", "{}")),
        ("save", document_of("AAA", 30_000)),
        ("save", long.clone()),
        ("save", document("AAA", "[]")),
        ("save", document(&reserved, "{}")),
        ("instantiate", document("NEW", "{}")),
        ("instantiate", document(&reserved, "{}")),
    ] {
        assert_refused(&server.post(operation, &body), 500, "Failed to write file");
        assert_eq!(stray_files(saves), Vec::<String>::new());
    }
    for key in ["NEW", &reserved] {
        assert_refused(&server.restore(key), 404, "No saved data found");
    }
    for (key, document) in &before {
        assert_eq!(server.restore(key).data_text(), document);
    }
    assert_eq!(server.restore("AAA").data_text(), before_long.data_text());
    assert_eq!(assert_granted(&server.get("list")).as_array().map(Vec::len), Some(filled.len() + 1));

    // As much room as a delete makes is there for the next save.
    for n in 0..3 {
        assert_says(&server.delete(&filled.remove(0)), "Instance deleted successfully");
        assert_says(&server.post("save", &document("AAA", &format!("[{n}]"))), "");
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([n]));
    }
    assert_says(&server.post("instantiate", &document(&reserved, "{}")), "Instance created");
}

#[test]
fn what_the_hardened_protocol_refuses_on_a_full_disk_changes_nothing_for_anybody() {
    let Some(disk) = on_disk(ROOM, "hardened") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    let (filled, _) = fill(server);
    // Room enough for some saves, and not for all: a document has up to six pages.
    assert_says(&server.delete(&filled[0]), "Instance deleted successfully");
    let seen = crowd::work(server, &["AAA", "BBB", "CCC", "DDD"], crowd::Visits::Long)
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert!(seen.done > 0 && seen.refused > 0, "{} right, {} refused", seen.done, seen.refused);
    assert_eq!(stray_files(saves), Vec::<String>::new());
}

#[test]
fn a_server_starts_on_a_full_disk_and_serves_what_is_there() {
    let Some(disk) = on_disk(ROOM, "hardened") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    let (filled, _) = fill(server);
    let before = server.restore(&filled[0]);
    for protocol in ["hardened", "documented"] {
        let late = Server::on(saves, protocol, &[]);
        assert_eq!(late.restore(&filled[0]).data_text(), before.data_text());
        assert_eq!(assert_granted(&late.get("list")).as_array().map(Vec::len), Some(filled.len()));
    }
    assert_eq!(stray_files(saves), Vec::<String>::new());
}

#[test]
fn on_a_full_disk_the_documented_protocol_loses_what_it_cannot_save_and_nothing_else() {
    let Some(disk) = on_disk(ROOM, "documented") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    assert_says(&server.post("save", &document("AAA", "[1]")), "");
    let (filled, refusal) = fill(server);
    assert_refused(&refusal, 500, "Failed to write file");
    let last = filled.last().expect("some did fit");

    // Nothing of a new document is written, but its file is there.
    assert_refused(&server.post("instantiate", &document("NEW", "{}")), 500, "Failed to write file");
    assert_eq!(saves.join("NEW.json").metadata().expect("it is there").len(), 0);
    assert_refused(&server.restore("NEW"), 500, "Invalid saved data format");
    // What is no longer than what it replaces has the room of that.
    assert_says(&server.post("save", &document(last, "[2]")), "");
    assert_eq!(assert_granted(&server.restore(last))["state"], json!([2]));
    // The known fault, claim R1: truncated before written, and then there is no room for what is longer.
    assert_refused(&server.post("save", &document_of("AAA", 30_000)), 500, "Failed to write file");
    assert_refused(&server.restore("AAA"), 500, "Invalid saved data format");
    for key in &filled {
        assert_granted(&server.restore(key));
    }

    assert_says(&server.delete(&filled[0]), "Instance deleted successfully");
    assert_says(&server.post("save", &document("AAA", "[3]")), "");
    assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([3]));
    assert_says(&server.post("instantiate", &document("NEW", "{}")), "Instance created");
}

/// Takes whatever inodes are left.
fn take_inodes_from_outside(saves: &Path) {
    let taken = (0..100).take_while(|n| std::fs::write(saves.join(format!("taken-{n}")), "").is_ok()).count();
    assert!(taken < 100, "the inodes are used up long before");
}

/// Takes keys until there is no inode for one more; answers them.
fn take_all_inodes(server: &Server, saves: &Path) -> Vec<String> {
    let mut keys = Vec::new();
    loop {
        let answer = server.get("generate-key");
        if answer.status != 200 {
            assert_refused(&answer, 500, "Failed to open file");
            break;
        }
        keys.push(answer.key());
        assert!(keys.len() < 100, "the inodes are used up long before");
    }
    // There may have been one inode left, for the lock file and not for the key as well.
    take_inodes_from_outside(saves);
    keys
}

#[test]
fn without_inodes_the_hardened_protocol_hands_out_no_key_keeps_what_is_there_and_deletes_make_room() {
    let Some(disk) = on_disk(FEW_INODES, "hardened") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    assert_says(&server.post("save", &document("AAA", "[1]")), "");
    let before = server.restore("AAA");
    let keys = take_all_inodes(server, saves);
    assert_refused(&server.get("generate-key"), 500, "Failed to open file");
    for key in &keys {
        // There is nothing to write the document in.
        assert_refused(&server.post("instantiate", &document(key, "{}")), 500, "Failed to write file");
        assert_refused(&server.post("save", &document(key, "{}")), 500, "Failed to write file");
        assert_refused(&server.restore(key), 404, "No saved data found");
    }
    assert_refused(&server.post("save", &document("AAA", "[2]")), 500, "Failed to write file");
    assert_eq!(server.restore("AAA").data_text(), before.data_text());
    assert!(stray_files(saves).iter().all(|name| name.starts_with("taken-")), "{:?}", stray_files(saves));
    assert_eq!(assert_granted(&server.get("list")).as_array().map(Vec::len), Some(1));

    let (given_up, kept) = keys.split_first().expect("some keys were handed out");
    assert_says(&server.delete(given_up), "Instance deleted successfully");
    for key in kept {
        assert_says(&server.post("instantiate", &document(key, "{}")), "Instance created");
    }
    assert_says(&server.post("save", &document("AAA", "[3]")), "");
    assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([3]));
}

#[test]
fn without_inodes_a_document_that_came_from_elsewhere_can_still_be_deleted() {
    // The delete that would have made room was once answered 500 `Failed to open file`: the key's lock file could not
    // be created any more. They are all created when the server starts.
    let Some(disk) = on_disk(FEW_INODES, "hardened") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    // As filled from elsewhere, or by the other protocol: nobody has taken its lock yet.
    std::fs::write(saves.join("AAA.json"), document("AAA", "{}")).expect("writes");
    take_inodes_from_outside(saves);
    assert_says(&server.delete("AAA"), "Instance deleted successfully");
}

#[test]
fn without_inodes_the_documented_protocol_refuses_new_documents_and_saves_the_old() {
    let Some(disk) = on_disk(FEW_INODES, "documented") else { return };
    let (server, saves) = (&disk.server, &disk.saves);
    assert_says(&server.post("save", &document("AAA", "[1]")), "");
    take_inodes_from_outside(saves);
    // It hands out keys that nobody can use: it does not reserve them.
    let key = server.get("generate-key").key();
    for operation in ["instantiate", "save"] {
        assert_refused(&server.post(operation, &document(&key, "{}")), 500, "Failed to open file");
    }
    assert_refused(&server.restore(&key), 404, "No saved data found");
    assert_says(&server.post("save", &document("AAA", "[2]")), "");
    assert_eq!(assert_granted(&server.restore("AAA"))["state"], json!([2]));
    assert_says(&server.delete("AAA"), "Instance deleted successfully");
    assert_says(&server.post("instantiate", &document(&key, "{}")), "Instance created");
}
