use super::restored::{Part, Rest};
use super::*;
use crate::Head;
use crate::document::posted::{NAMES, VIEWS};
use crate::document::{Content, stored};

const CONTENT: Content = Content { writer: 17, number: 3, size_bytes: 2_700 };

fn reading(operation: Operation, status: u16, body: &str) -> Reading {
    read(operation, Ok(Reply { status, attempts: None, head: Head::default(), body: body.as_bytes().to_vec().into() }))
}

fn said(operation: Operation, status: u16, body: &str) -> Said {
    reading(operation, status, body).said
}

fn success(data: &str) -> String {
    format!(r#"{{"success":true,"timestamp":1795494589,"data":{data}}}"#)
}

/// A document as a save leaves it.
fn saved(metadata: &str) -> String {
    let mut posted = Vec::new();
    CONTENT.write_posted(&mut posted);
    let posted = String::from_utf8(posted).expect("text");
    let posted = posted.replacen(r#""metadata":{"#, &format!(r#""metadata":{{{metadata}"#), 1);
    format!(r#"{{"sessionKey":"A4K","typeSlug":"word"{posted},"state":{}}}"#, CONTENT.state().get())
}

fn restored(document: &str) -> Restored {
    let Said::Restored(restored) = said(Operation::Restore, 200, &success(document)) else { panic!("{document}") };
    restored
}

#[test]
fn the_answers_of_the_contract_are_read() {
    let key = reading(Operation::GenerateKey, 200, &success(r#"{"sessionKey":"A4K"}"#));
    assert_eq!(key, Reading { said: Said::Key("A4K".to_owned()), timestamp_s: Some(1_795_494_589.0) });
    let message = |text: &str| success(&format!(r#"{{"message":"{text}"}}"#));
    assert_eq!(said(Operation::Instantiate, 200, &message("Instance created")), Said::Created);
    assert_eq!(said(Operation::Instantiate, 200, &message("Instance already exists")), Said::Existed);
    assert_eq!(said(Operation::Save, 200, &message("")), Said::Saved);
    assert_eq!(said(Operation::Delete, 200, &message("Instance deleted successfully")), Said::Deleted);
    let Said::Listed(listed) = said(Operation::List, 200, &success(r#"[{"sessionKey":"A4K"}]"#)) else {
        panic!("listed")
    };
    assert_eq!((listed.len(), listed[0].key()), (1, "A4K"));
    assert_eq!(said(Operation::List, 200, r#"{"success":true,"timestamp":1}"#), Said::Listed(vec![]));
    let refusal = r#"{"success":false,"message":"No saved data found","timestamp":1}"#;
    let refused = Said::Refused { status: 404, message: "No saved data found".to_owned() };
    assert_eq!(reading(Operation::Restore, 404, refusal), Reading { said: refused, timestamp_s: Some(1.0) });
    for timestamp in ["null", "\"1\"", "[1]"] {
        let saved =
            reading(Operation::Save, 200, &format!(r#"{{"success":true,"timestamp":{timestamp},"data":{{}}}}"#));
        assert_eq!(saved, Reading { said: Said::Saved, timestamp_s: None });
    }
}

#[test]
fn what_the_contract_does_not_know_is_malformed() {
    for (operation, status, body) in [
        (Operation::Save, 200, ""),
        (Operation::Save, 200, "<html>"),
        (Operation::Save, 302, "<html>"),
        (Operation::Save, 200, r#"{"success":false}"#),
        (Operation::GenerateKey, 200, r#"{"success":true}"#),
        (Operation::GenerateKey, 200, r#"{"success":true,"data":{"sessionKey":17}}"#),
        (Operation::Instantiate, 200, r#"{"success":true,"data":{"message":"fine"}}"#),
        (Operation::List, 200, r#"{"success":true,"data":["A4K"]}"#),
        (Operation::Restore, 200, r#"{"success":true,"data":[1]}"#),
    ] {
        assert_eq!(said(operation, status, body), Said::Malformed { status }, "{operation} {status} {body}");
    }
}

/// Regression: a proxy's error page counted as the server's "malformed answer". What the server did is unknown, and
/// nobody may be accused.
#[test]
fn a_proxys_page_says_nothing() {
    for status in [400, 403, 404, 408, 413, 429, 500, 502, 503, 504] {
        for body in ["", "<html><h1>502 Bad Gateway</h1></html>", r#"{"message":"no upstream"}"#] {
            for operation in Operation::ALL {
                let unclear = said(operation, status, body);
                assert_eq!(unclear, Said::Unclear { status }, "{operation} {body}");
                assert!(unclear.leaves_open());
                assert_eq!(unclear.error_name(), format!("{status}, not in the contract's envelope"));
            }
        }
    }
}

/// Regression: a 201 around the contract's envelope was "malformed" too, which hid what was wrong with it.
#[test]
fn an_envelope_with_anothers_status_is_a_wrong_status() {
    for (status, body) in [
        (201, r#"{"success":true,"timestamp":1,"data":{"message":"Instance created"}}"#),
        (302, r#"{"success":true,"timestamp":1,"data":{"sessionKey":"A4K"}}"#),
        (404, r#"{"success":true,"timestamp":1}"#),
        (500, r#"{"success":true,"message":"no"}"#),
        (200, r#"{"success":false,"message":"no"}"#),
        (302, r#"{"success":false,"message":"no"}"#),
    ] {
        for operation in Operation::ALL {
            let wrong = said(operation, status, body);
            assert_eq!(wrong, Said::WrongStatus { status }, "{operation} {body}");
            assert!(wrong.leaves_open());
            assert_eq!(wrong.refusal().map(|(status, _)| status), Some(status));
        }
    }
}

/// Regression: a key of four characters was accepted, and instantiate was blamed for refusing it.
#[test]
fn a_key_that_is_none_is_kept_apart_and_shown() {
    for (key, shown) in [
        ("A4KX", r#""A4KX" is no key"#),
        ("a4k", r#""a4k" is no key"#),
        ("A4", r#""A4" is no key"#),
        ("", r#""" is no key"#),
        ("../x", r#""../x" is no key"#),
        ("Ä4", r#""Ä4" is no key"#),
        ("A\\n4", r#""A\n4" is no key"#),
    ] {
        let none = said(Operation::GenerateKey, 200, &success(&format!(r#"{{"sessionKey":"{key}"}}"#)));
        assert!(matches!(none, Said::NoKey(_)), "{none:?}");
        assert_eq!(none.refusal(), Some((200, shown.into())));
    }
}

#[test]
fn a_document_is_read_the_fast_way_and_the_slow_way_alike() {
    let instantiated = stored("A4K", CONTENT, 5);
    let saved = saved(r#""version":"1.0","created":5,"lastModified":7,"draft-b":"w1.n4","#);
    let mut rest = Rest { type_slug: Part::Is(()), version: Part::Is(()), created: Part::Is(5.0), ..Rest::default() };
    let expected = Restored { session_key: Some("A4K".into()), content: Some(CONTENT), rest: rest.clone() };
    assert_eq!(restored(&instantiated), expected);
    rest.last_modified = Part::Is(7.0);
    rest.names = [Part::Is(CONTENT.mark()), Part::Is(Content { writer: 1, number: 4, ..CONTENT }.mark()), Part::Absent];
    rest.views = [Part::Absent, Part::Is(())];
    let expected = Restored { rest, ..expected };
    assert_eq!(restored(&saved), expected);
    for document in [&instantiated, &saved] {
        let body = success(document);
        let spaced = body.replace(r#","metadata""#, r#", "metadata""#);
        let [fast, parsed, spaced] = [
            restored::as_written(body.as_bytes()),
            restored::any(body.as_bytes()),
            restored::as_written(spaced.as_bytes()),
        ];
        assert!(fast.is_some() && fast == parsed && fast == spaced, "{document}");
    }
    let through_php = saved.replace("{}", "[]").replace('ö', "\\u00f6").replace(":7,", ":7.0,");
    assert_eq!(restored::as_written(success(&through_php).as_bytes()), None);
    assert_eq!(restored(&through_php), expected);
}

/// Whichever part of a document is spoiled, the fast and the slow path read the same and report the spoiled part.
#[test]
fn every_part_is_read_alike_both_ways_when_it_is_spoiled() {
    let whole = saved(r#""version":"1.0","created":5,"lastModified":7,"draft-b":"w1.n4","#);
    let view = format!(r#""{}":{},"#, VIEWS[1], CONTENT.view());
    let metadata = &whole[whole.find(r#""metadata""#).expect("it")..whole.find(r#""view-b""#).expect("it")];
    for (part, spoiled, shown) in [
        (r#""sessionKey":"A4K","#, "", None),
        (r#""A4K""#, r#""B4K""#, None),
        (r#""word""#, r#""demo""#, Some(("typeSlug", r#""demo""#))),
        (r#""word""#, "[1]", Some(("typeSlug", "[1]"))),
        (r#""created":5"#, r#""created":5,"created":6"#, None),
        (r#""draft-b""#, r#""draft-a""#, None),
        (r#""draft-b""#, r#""mine""#, None),
        (r#""typeSlug":"word","#, "", None),
        (r#""typeSlug""#, r#""more":1,"typeSlug""#, None),
        (r#""1.0""#, "1.0", Some(("metadata.version", "1.0"))),
        (r#""created":5"#, r#""created":"today""#, Some(("metadata.created", r#""today""#))),
        (r#""created":5,"#, "", None),
        (r#""lastModified":7"#, r#""lastModified":{"a":1}"#, Some(("metadata.lastModified", r#"{"a":1}"#))),
        (r#""w1.n4""#, r#""w1""#, Some(("metadata.draft-b", r#""w1""#))),
        (r#""w17.n3""#, "3", Some(("metadata.draft-a", "3"))),
        (metadata, r#""metadata":[],"#, None),
        (metadata, r#""metadata":"lost","#, None),
        (metadata, "", None),
        (&view, "", None),
        ("[3,1.5,false,null]", "[3,1.5,false]", Some(("view-b", ""))),
        (r#""view-b""#, r#""view-a""#, None),
        ("textarea-0", "textarea-x", Some(("view-b", ""))),
    ] {
        assert!(whole.contains(part), "{part}");
        let document = whole.replacen(part, spoiled, 1);
        let body = success(&document);
        let slow = restored::any(body.as_bytes()).expect("a document");
        let fast = restored::as_written(body.as_bytes());
        assert_eq!(fast.as_ref().unwrap_or(&slow), &slow, "{part} {spoiled}");
        assert_eq!(fast.is_some(), part != "textarea-0", "{part} {spoiled}");
        // Without a content, the right type is unknown.
        let is_judged = |name: &&str| slow.0.content.is_some() || *name != restored::TYPE_SLUG_PART;
        let others: Vec<&str> = slow.0.rest.others.iter().map(|(name, _)| *name).filter(is_judged).collect();
        assert_eq!(others, Vec::from_iter(shown.map(|(name, _)| name)), "{part} {spoiled}");
        if let Some((_, text)) = shown.filter(|(_, text)| !text.is_empty()) {
            assert_eq!(slow.0.rest.others[0].1, text);
        }
        let added = spoiled.starts_with(r#""more""#).then_some("more");
        assert_eq!(slow.0.rest.added.as_deref(), added, "{part} {spoiled}");
        assert_ne!(slow.0, restored(&whole), "{part} {spoiled}");
    }
}

#[test]
fn the_parts_bear_the_names_that_are_posted() {
    for (part, name) in restored::NAME_PARTS.into_iter().zip(NAMES) {
        assert_eq!(part, format!("metadata.{name}"));
    }
    for (field, name) in restored::VIEW_FIELDS.into_iter().zip(VIEWS) {
        assert_eq!(field, format!(",\"{name}\":").as_bytes());
    }
}

#[test]
fn a_state_in_the_wrong_place_or_in_a_broken_frame_is_not_taken_for_the_documents() {
    let state = CONTENT.state();
    let state = state.get();
    for frame in [
        format!(r#"{{"sessionKey":"A4K","metadata":{{"state":{state}}}}}"#),
        format!(r#"{{"sessionKey":"A4K","metadata":{{"state":{state}}},"state":{{}}}}"#),
        format!(r#"{{"sessionKey":"A4K","state":{state},"state":{{}}}}"#),
    ] {
        let Said::Restored(restored) = said(Operation::Restore, 200, &success(&frame)) else { continue };
        assert_eq!(restored.content, None, "{frame}");
    }
    let cut_short = success(&stored("A4K", CONTENT, 5));
    let cut_short = &cut_short[..cut_short.len() - 1];
    assert_eq!(said(Operation::Restore, 200, cut_short), Said::Malformed { status: 200 });
}
