//! Several server processes on one folder.

mod support;

use serde_json::{Value, json};
use std::collections::HashSet;
use support::{PROTOCOLS, Server, assert_granted, assert_says, document, fields, with_metadata};

/// Keys that each of four threads takes. Of 600 and 600 drawn from all 46,656, about eight would be the same, and none
/// once in 2,200 times: so a server that did not reserve is found out.
const KEYS_EACH: usize = 300;

#[test]
fn keys_of_two_hardened_processes_are_all_different() {
    let one = Server::new("hardened", &[]);
    let other = Server::on(one.saves(), "hardened", &[]);
    let take = |server: &Server| {
        let mut connection = server.connect();
        let key = |_| {
            connection.send("GET", "/api/generate-key", "");
            connection.receive().key()
        };
        (0..KEYS_EACH).map(key).collect::<Vec<_>>()
    };
    let keys: Vec<String> = std::thread::scope(|scope| {
        let takers: Vec<_> = [&one, &other, &one, &other].map(|server| scope.spawn(|| take(server))).into();
        takers.into_iter().flat_map(|taker| taker.join().expect("no panic")).collect()
    });
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (4 * KEYS_EACH, 4 * KEYS_EACH));
}

#[test]
fn concurrent_saves_through_two_processes_all_leave_their_metadata() {
    const SAVERS: usize = 8;
    const SAVES: usize = 25;
    for protocol in PROTOCOLS {
        let one = Server::new(protocol, &["--lock-wait", "forever"]);
        let other = Server::on(one.saves(), protocol, &["--lock-wait", "forever"]);
        let save = |saver: usize| {
            let mut connection = [&one, &other][saver % 2].connect();
            for n in 0..SAVES {
                connection.send("POST", "/api/save", &with_metadata("AAA", &format!(r#"{{"key-{saver}-{n}":{n}}}"#)));
                assert_says(&connection.receive(), "");
            }
        };
        std::thread::scope(|scope| {
            for saver in 0..SAVERS {
                scope.spawn(move || save(saver));
            }
        });
        let metadata = assert_granted(&one.restore("AAA"))["metadata"].clone();
        let kept = fields(&metadata).iter().filter(|name| name.starts_with("key-")).count();
        assert_eq!(kept, SAVERS * SAVES, "{protocol}: {metadata}");
    }
}

#[test]
fn of_concurrent_instantiates_through_two_processes_exactly_one_creates() {
    for protocol in PROTOCOLS {
        let one = Server::new(protocol, &["--lock-wait", "forever"]);
        let other = Server::on(one.saves(), protocol, &["--lock-wait", "forever"]);
        for key in ["AAA", "BBB", "CCC", "DDD", "EEE"] {
            let instantiate = |n: usize| {
                let answer = [&one, &other][n % 2].post("instantiate", &document(key, &n.to_string()));
                assert_granted(&answer)["message"] == "Instance created"
            };
            let created: Vec<usize> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|n| (n, scope.spawn(move || instantiate(n)))).collect();
                all.into_iter().filter_map(|(n, one)| one.join().expect("no panic").then_some(n)).collect()
            });
            assert_eq!(created.len(), 1, "{protocol} {key}");
            assert_eq!(assert_granted(&one.restore(key))["state"], created[0], "{protocol} {key}");
        }
    }
}

#[test]
fn what_one_protocol_writes_the_other_serves() {
    for (writer, reader) in [("documented", "hardened"), ("hardened", "documented")] {
        let writer = Server::new(writer, &[]);
        let reader = Server::on(writer.saves(), reader, &[]);
        let state = r#"{"b": 1.50,"a":[{}]}"#;
        assert_says(&writer.post("instantiate", &document("AAA", state)), "Instance created");
        assert_says(&reader.post("instantiate", &document("AAA", "{}")), "Instance already exists");
        assert_says(&writer.post("save", &document("BBB", state)), "");
        for key in ["AAA", "BBB"] {
            assert_eq!(reader.restore(key).data_text(), writer.restore(key).data_text());
            assert!(reader.restore(key).text().contains(state));
        }
        let keys = |server: &Server| -> HashSet<Value> {
            let list = assert_granted(&server.get("list"));
            list.as_array().into_iter().flatten().map(|entry| entry["sessionKey"].clone()).collect()
        };
        assert_eq!((keys(&writer), keys(&reader)), (["AAA", "BBB"].map(Value::from).into(), keys(&writer)));

        assert_says(&reader.post("save", &with_metadata("AAA", r#"{"mine":1}"#)), "");
        let metadata = &assert_granted(&writer.restore("AAA"))["metadata"];
        assert_eq!(fields(metadata), ["created", "lastModified", "mine", "version"]);
        assert_says(&reader.delete("AAA"), "Instance deleted successfully");
        assert_eq!((writer.restore("AAA").status, writer.delete("AAA").status), (404, 404));
        assert_eq!(keys(&writer), [json!("BBB")].into());
    }
}
