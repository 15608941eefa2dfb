//! Documents come back as they were sent, and the list shows what is there.

mod support;

use proptest::prelude::*;
use serde_json::json;
use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};
use support::{Connection, PROTOCOLS, Server, assert_granted, assert_says, document, fields};

/// Saves a state and asserts that the document comes back with it, byte for byte.
fn assert_kept(connection: &mut Connection, state: &str) {
    connection.send("POST", "/api/save", &document("AAA", state));
    assert_says(&connection.receive(), "");
    connection.send("GET", "/api/restore?sessionKey=AAA", "");
    let restored = connection.receive();
    let before_metadata = format!(r#"{{"sessionKey":"AAA","typeSlug":"word","state":{state},"metadata":{{"#);
    assert!(restored.data_text().starts_with(&before_metadata), "{state} came back as {restored:?}");
}

#[test]
fn what_parsing_and_writing_anew_would_change_is_kept_byte_for_byte() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let mut connection = server.connect();
        for state in [
            "{}",
            "[]",
            r#"{"empty":{},"none":[]}"#,
            "{ \"b\" :\t1.50 ,\r\n \"a\": [ 1 ,2 ] }",
            "1e400",
            "-0.0",
            "123456789012345678901234567890.000",
            r#""\u00e9\/\u0041\ud83d\ude00 é 😀 \\ \"""#,
            r#"{"z":1,"a":2,"z":3}"#,
            "\"\u{7f}\u{2028}\"",
        ] {
            assert_kept(&mut connection, state);
        }
    }
}

#[test]
fn a_long_document_comes_back_whole() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let mut connection = server.connect();
        assert_kept(&mut connection, &format!(r#"{{"notes":"{}"}}"#, "long ".repeat(200_000)));
        // A shorter one leaves nothing of the longer behind.
        assert_kept(&mut connection, "{}");
    }
}

#[test]
fn fields_keep_their_order_and_the_last_of_one_name_counts() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let body = r#" { "zebra":1, "state":0, "typeSlug":"word","metadata":{"b":1,"a":2},"sessionKey":"AAA","state" : 2 ,"ant":{} } "#;
        assert_says(&server.post("save", body), "");
        let restored = server.restore("AAA");
        let start = r#"{"zebra":1,"state":2,"typeSlug":"word","metadata":{"b":1,"a":2,"lastModified":"#;
        let data = restored.data_text();
        assert!(data.starts_with(start) && data.ends_with(r#"},"sessionKey":"AAA","ant":{}}"#), "{data}");
    }
}

/// Any JSON text, with white space wherever it may be.
fn any_json() -> impl Strategy<Value = String> {
    let space = "[ \t\r\n]{0,2}";
    let leaf = prop_oneof![
        "null|true|false|-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        r#""([ !#-\[\]-~é😀]|\\["\\/bfnrt]|\\u00[0-9a-fA-F]{2}){0,12}""#,
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let padded = (space, inner, space).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let field = (space, "\"[a-z0-9]{0,3}\"", space, padded.clone())
            .prop_map(|(before, name, after, value)| format!("{before}{name}{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(padded, 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            proptest::collection::vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

#[test]
fn any_state_is_kept_byte_for_byte() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(state in any_json())| assert_kept(&mut server.connect(), &state));
    }
}

#[test]
fn the_list_is_newest_first_and_shows_what_the_documents_say() {
    // The specification's filemtime counts in seconds, and it takes it for the creation too.
    for (protocol, unit_ms) in [("documented", 1000), ("hardened", 1)] {
        let server = Server::new(protocol, &[]);
        let modified = [("CCC", 1_700_000_001_250), ("AAA", 1_700_000_003_750), ("BBB", 1_700_000_002_500)];
        for (key, ms) in modified {
            let content = format!(
                r#"{{"typeSlug":"docs","metadata":{{"version":"9","created":{},"lastModified":1.50}}}}"#,
                ms - 5
            );
            std::fs::write(server.file(&format!("{key}.json")), content).expect("writes");
            set_modified(&server, key, ms);
        }
        let list = server.get("list");
        let expected = |key: &str, ms: u64| {
            let timestamp = ms / unit_ms * unit_ms;
            let created = if unit_ms == 1 { ms - 5 } else { timestamp };
            json!({
                "sessionKey": key, "timestamp": timestamp, "created": created, "typeSlug": "docs",
                "metadata": { "version": "1.0", "created": created, "lastModified": 1.50 }
            })
        };
        let newest_first = [modified[1], modified[2], modified[0]].map(|(key, ms)| expected(key, ms));
        assert_eq!(assert_granted(&list), json!(newest_first), "{protocol}");
        assert!(list.text().contains(r#""lastModified":1.50"#), "as the document says it: {list:?}");
    }
}

#[test]
fn before_its_first_save_a_document_is_listed_without_a_last_modification() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("instantiate", &document("AAA", "{}")), "Instance created");
        assert_eq!(fields(&assert_granted(&server.get("list"))[0]["metadata"]), ["created", "version"]);
        assert_says(&server.post("save", &document("AAA", "{}")), "");
        assert_eq!(fields(&assert_granted(&server.get("list"))[0]["metadata"]), ["created", "lastModified", "version"]);
    }
}

#[test]
fn documents_of_one_time_are_listed_by_key_and_what_is_no_document_not_at_all() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for key in ["BBB", "AAA", "CCC"] {
            assert_says(&server.post("save", &document(key, "{}")), "");
            set_modified(&server, key, 1_700_000_000_000);
        }
        for (name, content) in [
            ("abc.json", r#"{"typeSlug":"word"}"#),
            ("ABCD.json", r#"{"typeSlug":"word"}"#),
            ("DDD.json.bak", r#"{"typeSlug":"word"}"#),
            ("DDD.json", r#"{"typeSlug":"wo"#),
            ("EEE.json", "[]"),
            ("FFF.json", ""),
            ("README.md", "text"),
        ] {
            std::fs::write(server.file(name), content).expect("writes");
        }
        std::fs::create_dir(server.file("GGG.json")).expect("creates");
        let list = assert_granted(&server.get("list"));
        let keys: Vec<_> = list.as_array().expect("a list").iter().map(|entry| &entry["sessionKey"]).collect();
        assert_eq!(keys, ["AAA", "BBB", "CCC"], "{protocol}");
    }
}

fn set_modified(server: &Server, key: &str, ms: u64) {
    let file = File::options().write(true).open(server.file(&format!("{key}.json"))).expect("it is there");
    file.set_modified(UNIX_EPOCH + Duration::from_millis(ms)).expect("sets the time");
}
