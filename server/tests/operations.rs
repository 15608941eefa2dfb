//! What every operation answers when all is well.

mod support;

use serde_json::{Value, json};
use support::{
    OPERATIONS, PROTOCOLS, Server, assert_granted, assert_says, document, eventually, fields, with_metadata,
};

/// The paths of an operation.
fn paths(operation: &str) -> [String; 3] {
    [format!("/php/api/{operation}.php"), format!("/php/api/{operation}"), format!("/api/{operation}")]
}

fn names_in(server: &Server) -> Vec<String> {
    let names = std::fs::read_dir(server.saves()).expect("the saves folder").flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[test]
fn every_operation_answers_at_each_of_its_three_paths() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for (n, (method, query, body)) in [
            ("GET", "", ""),
            ("POST", "", r#"{"sessionKey":"AAA","typeSlug":"word"}"#),
            ("POST", "", r#"{"sessionKey":"AAA","typeSlug":"word"}"#),
            ("GET", "?sessionKey=AAA", ""),
            ("DELETE", "?session=AAA", ""),
            ("GET", "", ""),
            ("GET", "", ""),
        ]
        .into_iter()
        .enumerate()
        {
            for path in paths(OPERATIONS[n]) {
                // Deleted by the path before.
                assert_says(&server.post("save", &document("AAA", "{}")), "");
                assert_granted(&server.request(method, &format!("{path}{query}"), body));
            }
        }
    }
}

#[test]
fn a_session_goes_from_its_key_to_its_end() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let generated = server.get("generate-key");
        assert_eq!(fields(&assert_granted(&generated)), ["sessionKey"]);
        assert_eq!(generated.header("x-key-attempts"), Some("1"), "the folder is empty");
        let key = generated.key();
        assert!(key.len() == 3 && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{key}");

        assert_says(&server.post("instantiate", &document(&key, r#"{"notes":{}}"#)), "Instance created");
        assert_says(&server.post("instantiate", &document(&key, r#"{"notes":{"1":"x"}}"#)), "Instance already exists");
        let placeholder = assert_granted(&server.restore(&key));
        let created = placeholder["metadata"]["created"].as_u64().expect("Unix milliseconds");
        assert!((1_577_836_800_000..100_000_000_000_000).contains(&created), "{created}");
        let expected = json!({
            "sessionKey": key, "typeSlug": "word", "metadata": { "version": "1.0", "created": created },
            "state": { "notes": {} }
        });
        assert_eq!(placeholder, expected, "of the second instantiate nothing is left");

        assert_says(&server.post("save", &document(&key, r#"{"notes":{"1":"x"}}"#)), "");
        let saved = assert_granted(&server.restore(&key));
        assert_eq!(saved["state"], json!({ "notes": { "1": "x" } }));
        assert_eq!(saved["metadata"]["created"], created);
        assert!(saved["metadata"]["lastModified"].as_u64().is_some_and(|ms| ms >= created), "{saved}");

        let list = assert_granted(&server.get("list"));
        assert_eq!((list.as_array().map(Vec::len), &list[0]["sessionKey"]), (Some(1), &Value::from(key.as_str())));
        assert_says(&server.delete(&key), "Instance deleted successfully");
        assert_eq!((server.restore(&key).status, server.delete(&key).status), (404, 404));
        assert_eq!(assert_granted(&server.get("list")), json!([]), "an empty list, and not an absent one");
    }
}

#[test]
fn generate_key_takes_post_and_its_body_does_not_matter() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for body in ["", "no JSON", r#"{"sessionKey":"AAA"}"#] {
            assert_granted(&server.post("generate-key", body));
        }
    }
}

#[test]
fn instantiate_gives_an_empty_state_where_none_is_posted() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for (key, body) in [
            ("AAA", r#"{"sessionKey":"AAA","typeSlug":"demo"}"#),
            ("BBB", r#"{"sessionKey":"BBB","typeSlug":"demo","state":null,"metadata":{"mine":1},"extra":2}"#),
        ] {
            assert_says(&server.post("instantiate", body), "Instance created");
            let stored = assert_granted(&server.restore(key));
            assert_eq!((&stored["state"], fields(&stored["metadata"])), (&json!({}), vec!["created", "version"]));
            assert_eq!(fields(&stored), ["metadata", "sessionKey", "state", "typeSlug"]);
        }
    }
}

#[test]
fn an_empty_file_counts_as_not_there_yet() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        std::fs::write(server.file("AAA.json"), "").expect("writes");
        assert_says(&server.post("instantiate", &document("AAA", "{}")), "Instance created");
        std::fs::write(server.file("BBB.json"), "").expect("writes");
        assert_says(&server.post("save", &document("BBB", "[1]")), "");
        assert_eq!(assert_granted(&server.restore("BBB"))["state"], json!([1]));
    }
}

#[test]
fn every_type_of_the_specification_is_accepted() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for slug in ["demo", "word", "powerpoint", "excel", "docs", "slides", "camtasia", "dojo"] {
            let body = format!(r#"{{"sessionKey":"AAA","typeSlug":"{slug}"}}"#);
            assert_says(&server.post("save", &body), "");
            assert_eq!(assert_granted(&server.restore("AAA"))["typeSlug"], slug);
        }
    }
}

#[test]
fn posted_metadata_is_laid_over_the_stored_and_all_else_is_replaced() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("instantiate", &document("AAA", r#"{"old":1}"#)), "Instance created");
        let created = assert_granted(&server.restore("AAA"))["metadata"]["created"].clone();
        let body =
            r#"{"sessionKey":"AAA","typeSlug":"word","type":"legacy","extra":1,"metadata":{"mine":1,"version":"2.0"}}"#;
        assert_says(&server.post("save", body), "");
        assert_says(&server.post("save", &with_metadata("AAA", r#"{"yours":[],"lastModified":"never"}"#)), "");

        let stored = assert_granted(&server.restore("AAA"));
        assert_eq!(fields(&stored), ["metadata", "sessionKey", "state", "typeSlug"]);
        assert_eq!(stored["state"], json!({}));
        let mut metadata = stored["metadata"].clone();
        assert!(metadata["lastModified"].take().is_u64(), "the server's own time, not the client's: {stored}");
        let expected = json!({ "version": "2.0", "created": created, "mine": 1, "yours": [], "lastModified": null });
        assert_eq!(metadata, expected);
    }
}

#[test]
fn a_save_creates_the_document_where_there_is_none() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("save", &document("AAA", "{}")), "");
        assert_eq!(fields(&assert_granted(&server.restore("AAA"))["metadata"]), ["lastModified"]);
    }
}

#[test]
fn a_document_is_the_file_of_its_key_and_nothing_else_looks_like_one() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for key in ["AAA", "0Z9"] {
            assert_says(&server.post("instantiate", &document(key, "{}")), "Instance created");
            assert_says(&server.post("save", &document(key, "{}")), "");
        }
        let (mut shown, hidden): (Vec<_>, Vec<_>) =
            names_in(&server).into_iter().partition(|name| !name.starts_with('.'));
        shown.sort_unstable();
        assert_eq!(shown, ["0Z9.json", "AAA.json"]);
        // The hardened protocol's lock files stay; of the saves themselves nothing is left beside the documents.
        let is_lock_file =
            |name: &str| name.strip_prefix(".lock-").is_some_and(|n| n.parse().is_ok_and(|n: u8| n < 64));
        assert!(hidden.iter().all(|name| protocol == "hardened" && is_lock_file(name)), "{hidden:?}");
        let stored = std::fs::read_to_string(server.file("AAA.json")).expect("reads");
        assert_eq!(stored, server.restore("AAA").data_text());
    }
}

#[test]
fn a_head_is_answered_as_the_get_would_be_without_its_body() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("save", &document("AAA", r#"{"notes":"text"}"#)), "");
        for target in ["/api/restore?sessionKey=AAA", "/api/restore?sessionKey=ZZZ", "/api/list", "/api/health"] {
            let whole = server.request("GET", target, "");
            let mut connection = server.connect();
            connection.send("HEAD", target, "");
            let head = connection.receive();
            assert_eq!(head.status, whole.status, "{target}");
            for name in ["content-type", "content-length"] {
                assert_eq!(head.header(name), whole.header(name), "{target}");
            }
            assert_eq!(head.header("content-length"), Some(whole.text().len().to_string().as_str()), "{target}");
            // A body after the head would be taken for the next answer.
            connection.send("GET", "/api/health", "");
            assert_eq!(connection.receive().status, 200, "{target}");
        }
    }
}

#[test]
fn requests_of_one_connection_are_answered_in_their_order() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let mut connection = server.connect();
        connection.send("POST", "/api/save", &document("AAA", "[1]"));
        connection.send("GET", "/api/restore?sessionKey=AAA", "");
        connection.send("DELETE", "/api/delete?session=AAA", "");
        assert_says(&connection.receive(), "");
        assert_eq!(assert_granted(&connection.receive())["state"], json!([1]));
        assert_says(&connection.receive(), "Instance deleted successfully");
    }
}

#[test]
fn a_parameter_is_decoded_and_its_last_value_counts() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("save", &document("A4K", "{}")), "");
        for query in ["sessionKey=%414%4B", "sessionKey=ZZZ&other=1&sessionKey=A4K", "a=b&sessionKey=A4K"] {
            assert_granted(&server.get(&format!("restore?{query}")));
        }
    }
}

#[test]
fn health_is_ok_and_metrics_count_requests_by_operation_and_status() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_eq!(assert_granted(&server.get("health")), json!({ "status": "ok" }));
        server.post("save", &document("AAA", "{}"));
        server.post("save", &document("AAA", "{}"));
        server.post("save", "no JSON");
        server.request("GET", "/nowhere", "");
        for (labels, count) in [
            (r#"operation="health",status="200""#, 1),
            (r#"operation="save",status="200""#, 2),
            (r#"operation="save",status="400""#, 1),
            (r#"operation="none",status="404""#, 1),
        ] {
            assert_eq!(server.counted(&format!("claimcheck_requests_total{{{labels}}}")), count, "{labels}");
        }
        let metrics = server.request("GET", "/metrics", "");
        assert!(metrics.header("content-type").is_some_and(|t| t.starts_with("application/openmetrics-text")));
        eventually("the one connection open is the one that asks", || {
            (server.counted("claimcheck_connections") == 1).then_some(())
        });
    }
}
