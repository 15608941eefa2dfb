//! What a client may ask for, and what becomes of those who ask for more, or for nonsense.

mod support;

use support::{PROTOCOLS, Server, assert_granted, assert_refused, assert_says, document, eventually};

/// A valid body of exactly this many bytes.
fn body_of(bytes: usize) -> String {
    let filling = bytes - document("AAA", "\"\"").len();
    document("AAA", &format!("\"{}\"", "x".repeat(filling)))
}

#[test]
fn a_body_of_the_limit_is_taken_and_one_byte_more_refused() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--max-body-bytes", "1000"]);
        assert_says(&server.post("save", &body_of(1000)), "");
        let before = server.restore("AAA");
        for operation in ["save", "instantiate"] {
            assert_refused(&server.post(operation, &body_of(1001)), 413, "Request body too large");
        }
        assert_eq!(server.restore("AAA").data_text(), before.data_text());
    }
}

#[test]
fn a_body_that_says_it_is_too_long_is_refused_before_it_comes() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--max-body-bytes", "1000"]);
        let mut connection = server.connect();
        let headers = [("content-length", "1001"), ("expect", "100-continue")];
        connection.send_head("POST", "/api/save", &headers);
        let answer = connection.receive();
        assert_refused(&answer, 413, "Request body too large");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(connection.until_closed(), b"");
    }
}

#[test]
fn a_client_that_sends_the_whole_of_a_body_too_long_still_reads_why_it_was_refused() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--max-body-bytes", "1000"]);
        let mut connection = server.connect();
        connection.send("POST", "/api/save", &body_of(300_000));
        assert_refused(&connection.receive(), 413, "Request body too large");
        // A connection closed with so much unread would be reset, and a reset can overtake the answer.
        assert_eq!(connection.until_closed(), b"");
    }
}

#[test]
fn a_body_in_chunks_is_taken_up_to_the_limit() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--max-body-bytes", "1000"]);
        for (bytes, fits) in [(1000, true), (1001, false)] {
            let mut connection = server.connect();
            connection.send_head("POST", "/api/save", &[("transfer-encoding", "chunked")]);
            for chunk in body_of(bytes).as_bytes().chunks(300) {
                connection.send_bytes(format!("{:x}\r\n", chunk.len()).as_bytes());
                connection.send_bytes(chunk);
                connection.send_bytes(b"\r\n");
            }
            connection.send_bytes(b"0\r\n\r\n");
            if fits {
                assert_says(&connection.receive(), "");
            } else {
                assert_refused(&connection.receive(), 413, "Request body too large");
            }
        }
    }
}

#[test]
fn a_long_uri_is_refused() {
    let server = Server::new("hardened", &[]);
    let of = |bytes: usize| format!("/api/health?{}", "x".repeat(bytes - "/api/health?".len()));
    assert_granted(&server.request("GET", &of(8192), ""));
    for bytes in [8193, 50_000] {
        assert_refused(&server.request("GET", &of(bytes), ""), 414, "URI too long");
    }
}

#[test]
fn too_many_headers_or_too_large_ones_are_refused() {
    let server = Server::new("hardened", &[]);
    let ask = |count: usize, value: &str| {
        let names: Vec<String> = (0..count).map(|n| format!("x-{n}")).collect();
        let headers: Vec<_> = names.iter().map(|name| (name.as_str(), value)).collect();
        let mut connection = server.connect();
        connection.send_head("GET", "/api/health", &headers);
        connection.receive()
    };
    // One more is the host.
    assert_granted(&ask(99, "v"));
    for (count, value) in [(100, "v"), (300, "v"), (1, "v".repeat(17_000).as_str()), (3, "v".repeat(15_000).as_str())] {
        assert_refused(&ask(count, value), 431, "Request header fields too large");
    }
}

#[test]
fn a_head_too_large_to_be_read_at_all_gets_the_bare_status() {
    // Beyond 64 KiB or 400 fields the HTTP library answers by itself, which has no envelope.
    let server = Server::new("hardened", &[]);
    let fields = "x: v\r\n".repeat(500);
    let long = "x".repeat(100_000);
    for (line, fields, status) in
        [(format!("/api/health?{long}"), String::new(), 414), ("/api/health".to_owned(), fields, 431)]
    {
        let mut connection = server.connect();
        connection.send_bytes(format!("GET {line} HTTP/1.1\r\n{fields}\r\n").as_bytes());
        assert_eq!(connection.receive().status, status);
        assert_granted(&server.get("health"));
    }
}

#[test]
fn a_connection_too_many_is_told_so_and_the_admitted_go_on() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &["--max-connections", "2"]);
        let mut admitted = [server.connect(), server.connect()];
        let ask = |admitted: &mut [support::Connection]| {
            for connection in admitted {
                connection.send("GET", "/api/health", "");
                assert_granted(&connection.receive());
            }
        };
        ask(&mut admitted);
        for _ in 0..3 {
            let mut turned_away = server.connect();
            let answer = turned_away.receive();
            assert_refused(&answer, 503, "Server busy");
            assert_eq!((answer.header("retry-after"), answer.header("x-key-attempts")), (Some("1"), None));
            assert_eq!(turned_away.until_closed(), b"");
            ask(&mut admitted);
        }
        drop(admitted);
        eventually("there is room again", || (server.get("health").status == 200).then_some(()));
    }
}

#[test]
fn what_is_not_http_is_answered_400_and_the_server_goes_on() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for garbage in
            [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"save AAA please\r\n\r\n", b"GET / HTTP/1.1\r\nhost test\r\n\r\n"]
        {
            let mut connection = server.connect();
            connection.send_bytes(garbage);
            connection.finish_sending();
            assert_eq!(connection.receive().status, 400, "{garbage:?}");
            assert_granted(&server.get("health"));
        }
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_changes_nothing() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        assert_says(&server.post("save", &document("AAA", "[1]")), "");
        let body = document("AAA", "[2]");
        let (one_more, chunk) = ((body.len() + 1).to_string(), format!("{:x}\r\n{body}\r\n", body.len()));
        for (header, part) in
            [(("content-length", one_more.as_str()), &body), (("transfer-encoding", "chunked"), &chunk)]
        {
            let mut connection = server.connect();
            connection.send_head("POST", "/api/save", &[header]);
            connection.send_bytes(part.as_bytes());
        }
        let counter = r#"claimcheck_requests_total{operation="save",status="400"}"#;
        eventually("both are noticed", || (server.counted(counter) == 2).then_some(()));
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], serde_json::json!([1]));
    }
}

#[test]
fn clients_that_leave_without_their_answer_do_no_harm() {
    for protocol in PROTOCOLS {
        let server = Server::new(protocol, &[]);
        for n in 0..50 {
            let mut connection = server.connect();
            connection.send("POST", "/api/save", &document("AAA", &n.to_string()));
        }
        eventually("all connections have ended", || (server.counted("claimcheck_connections") == 1).then_some(()));
        assert_says(&server.post("save", &document("AAA", "\"last\"")), "");
        assert_eq!(assert_granted(&server.restore("AAA"))["state"], "last");
    }
}
