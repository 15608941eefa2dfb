//! Every error of the wire contract: its status, its message, and what it leaves behind.

mod support;

use support::{OPERATIONS, PROTOCOLS, Server, assert_granted, assert_refused, assert_says, document, with_metadata};

/// Bodies that instantiate and save refuse, in the order of checking: each passes the checks before its own, and
/// fails all that come after.
const REFUSED_BODIES: [(&str, &str); 21] = [
    ("", "Invalid data format"),
    ("no JSON", "Invalid data format"),
    (r#"{"sessionKey":"AAA","typeSlug":"word""#, "Invalid data format"),
    (r#"{"sessionKey":"AAA","typeSlug":"word"},"#, "Invalid data format"),
    ("\u{feff}{\"sessionKey\":\"AAA\",\"typeSlug\":\"word\"}", "Invalid data format"),
    ("null", "Invalid data format"),
    ("[]", "Invalid data format"),
    (r#"["sessionKey"]"#, "Invalid data format"),
    (r#""sessionKey""#, "Invalid data format"),
    ("{}", "Invalid data format"),
    (r#"{"typeSlug":"nope"}"#, "Invalid data format"),
    (r#"{"sessionKey":null,"typeSlug":"word"}"#, "Invalid data format"),
    (r#"{"sessionKey":"aaa"}"#, "Invalid session key"),
    (r#"{"sessionKey":"AAAA","typeSlug":"nope"}"#, "Invalid session key"),
    (r#"{"sessionKey":"../","typeSlug":"word"}"#, "Invalid session key"),
    (r#"{"sessionKey":"AA\n","typeSlug":"word"}"#, "Invalid session key"),
    (r#"{"sessionKey":111,"typeSlug":"word"}"#, "Invalid session key"),
    (r#"{"sessionKey":"AAA"}"#, "Missing typeSlug parameter"),
    (r#"{"sessionKey":"AAA","typeSlug":null}"#, "Missing typeSlug parameter"),
    (r#"{"sessionKey":"AAA","typeSlug":"nope"}"#, "Invalid checklist type"),
    (r#"{"sessionKey":"AAA","typeSlug":["word"]}"#, "Invalid checklist type"),
];

/// Key parameters that are no key, as they stand in a query.
const NO_KEYS: [&str; 9] = ["aaa", "AA", "AAAA", "AA%0A", "AAA%00", "..%2F", "%C3%84%C3%84", "%41%41", "AA%"];

#[test]
fn a_body_is_refused_for_the_first_of_its_faults_and_changes_nothing() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for operation in ["instantiate", "save"] {
            for (body, message) in REFUSED_BODIES {
                assert_refused(&server.post(operation, body), 400, message);
            }
            let mut connection = server.connect();
            let not_utf8 = b"{\"sessionKey\":\"AAA\",\"typeSlug\":\"word\",\"state\":\"\xff\"}";
            let length = not_utf8.len().to_string();
            connection.send_head("POST", &format!("/api/{operation}"), &[("content-length", &length)]);
            connection.send_bytes(not_utf8);
            assert_refused(&connection.receive(), 400, "Invalid data format");
        }
        assert_refused(&server.restore("AAA"), 404, "No saved data found");
        assert_eq!(assert_granted(&server.get("list")), serde_json::json!([]));
    }
}

#[test]
fn metadata_that_is_no_object_is_refused_and_the_document_stays() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("save", &document("AAA", r#"{"kept":1}"#)), "");
        let before = server.restore("AAA");
        for metadata in ["1", "\"text\"", "[1]", "true"] {
            assert_refused(&server.post("save", &with_metadata("AAA", metadata)), 400, "Invalid data format");
        }
        assert_eq!(server.restore("AAA").data_text(), before.data_text());
        assert_says(&server.post("save", &with_metadata("AAA", "[]")), "");
    }
}

#[test]
fn what_is_no_key_is_refused_by_restore_and_delete() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for key in NO_KEYS {
            assert_refused(&server.restore(key), 400, "Invalid session key");
            assert_refused(&server.delete(key), 400, "Invalid session key");
        }
        for query in ["", "?", "?sessionKey", "?sessionKey=", "?session=AAA", "?sessionkey=AAA"] {
            assert_refused(&server.get(&format!("restore{query}")), 400, "Invalid session key");
        }
        for query in ["", "?", "?session", "?session=", "?sessionKey=AAA"] {
            let answer = server.request("DELETE", &format!("/api/delete{query}"), "");
            assert_refused(&answer, 400, "Session key is required");
        }
    }
}

#[test]
fn a_key_without_a_document_is_not_found() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_refused(&server.restore("AAA"), 404, "No saved data found");
        assert_refused(&server.delete("AAA"), 404, "Instance not found");
    }
}

#[test]
fn a_stored_file_that_is_no_document_is_answered_so() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for content in [r#"{"half":"#, "null", "no JSON", "{} {}"] {
            std::fs::write(server.file("AAA.json"), content).expect("writes");
            assert_refused(&server.restore("AAA"), 500, "Invalid saved data format");
        }
        // It is somebody's all the same: a save replaces it, and so ends the trouble.
        assert_says(&server.post("instantiate", &document("AAA", "{}")), "Instance already exists");
        assert_says(&server.post("save", &document("AAA", "{}")), "");
        assert_granted(&server.restore("AAA"));
    }
}

#[test]
fn a_folder_in_a_documents_place_can_be_neither_read_nor_deleted() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        // With something in it, as an empty folder is an empty file to some file systems.
        std::fs::create_dir_all(server.file("AAA.json/inside")).expect("creates");
        assert_refused(&server.restore("AAA"), 500, "Failed to read saved data");
        assert_refused(&server.delete("AAA"), 500, "Failed to delete instance");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_answered_so() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        // What each opens first for this key: the document, or its lock file.
        let opened_first = if protocol == "documented" { "AAA.json" } else { ".lock-00" };
        let opened_first = server.file(opened_first);
        if opened_first.exists() {
            std::fs::remove_file(&opened_first).expect("removes the lock file");
        }
        std::fs::create_dir(opened_first).expect("creates");
        for operation in ["instantiate", "save"] {
            assert_refused(&server.post(operation, &document("AAA", "{}")), 500, "Failed to open file");
        }
    }
}

#[test]
fn without_its_folder_the_server_says_so_and_instantiate_creates_it() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        std::fs::remove_dir_all(server.saves()).expect("removes");
        assert_refused(&server.get("generate-key"), 500, "Saves directory not found");
        assert_refused(&server.post("save", &document("AAA", "{}")), 500, "Saves directory not found");
        assert_refused(&server.post("save", "no JSON"), 500, "Saves directory not found");
        assert_refused(&server.get("list"), 500, "Failed to access saves directory");
        assert_refused(&server.restore("AAA"), 404, "No saved data found");
        assert_refused(&server.delete("AAA"), 404, "Instance not found");
        assert!(!server.saves().exists(), "none of these creates it");

        assert_says(&server.post("instantiate", &document("AAA", "{}")), "Instance created");
        assert_says(&server.post("save", &document("AAA", "{}")), "");
        assert_granted(&server.get("generate-key"));
    }
}

#[test]
fn a_documented_server_starts_without_its_folder() {
    let above = tempfile::tempdir().expect("a folder");
    let server = Server::on(&above.path().join("new/saves"), "documented", &[]);
    assert_refused(&server.get("generate-key"), 500, "Saves directory not found");
    assert_says(&server.post("instantiate", &document("AAA", "{}")), "Instance created");
}

#[test]
fn a_folder_that_cannot_be_created_is_answered_so() {
    let above = tempfile::tempdir().expect("a folder");
    for protocol in PROTOCOLS {
        let saves = above.path().join(protocol);
        let server = Server::on(&saves, protocol, &[]);
        if saves.exists() {
            std::fs::remove_dir_all(&saves).expect("removes");
        }
        std::fs::write(&saves, "a file in its place").expect("writes");
        let answer = server.post("instantiate", &document("AAA", "{}"));
        assert_refused(&answer, 500, "Failed to create saves directory");
    }
}

#[test]
fn a_path_that_names_no_operation_is_not_found() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for path in
            ["/web/", "/php/api/", "/api/list.php", "/api/list/", "/API/LIST", "/saves/AAA.json", "/api/../api/list"]
        {
            for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                assert_refused(&server.request(method, path, ""), 404, "Not found");
            }
        }
    }
}

#[test]
fn a_method_that_is_not_allowed_is_refused_before_the_body_is_read() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let allowed = ["GET, POST", "POST", "POST", "GET, HEAD", "DELETE", "GET, HEAD", "GET, HEAD"];
        for (operation, allowed) in OPERATIONS.into_iter().zip(allowed) {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
                if allowed.split(", ").any(|allowed| allowed == method) {
                    continue;
                }
                let mut connection = server.connect();
                connection.send_head(method, &format!("/php/api/{operation}.php"), &[("content-length", "1000000")]);
                let answer = connection.receive();
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {operation}");
                if method == "HEAD" {
                    // The head of the envelope: it has a length, and no body follows.
                    let length = answer.header("content-length").and_then(|length| length.parse::<u64>().ok());
                    assert!(answer.status == 405 && length.is_some_and(|length| length > 0), "{answer:?}");
                    assert_eq!(connection.until_closed(), b"");
                } else {
                    assert_refused(&answer, 405, "Method not allowed");
                }
            }
        }
        let names = std::fs::read_dir(server.saves()).expect("reads").map(|entry| entry.expect("reads").file_name());
        let documents: Vec<_> = names.filter(|name| !name.to_string_lossy().starts_with('.')).collect();
        assert!(documents.is_empty(), "no key was handed out: {documents:?}");
    }
}
