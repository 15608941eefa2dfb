//! Runs that are watched, as a browser or a program does. Nothing here depends on how long anything takes.

mod support;

use record::files::{HISTORY_FILE, read_run};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use support::events::{Event, Watched, ask};
use support::harness::{interrupt, loadgen, saves_folder};
use support::liar::{self, Lie};

/// A run that goes on until it is interrupted.
const LONG: [&str; 6] = ["--scenario", "mixed", "--users", "2", "--duration", "1h"];

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn count_of(list: &Value) -> usize {
    list.as_array().unwrap_or_else(|| panic!("{list} is no list")).len()
}

fn has_answers(event: &Event) -> bool {
    event.data["second"]["total"]["answered"].as_u64().is_some_and(|answered| answered > 0)
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

/// Answers by operation, summed over the seconds.
fn answered_by_operation(events: &[Event]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for second in events.iter().filter_map(|event| event.data["second"]["operations"].as_object()) {
        for (name, row) in second {
            *sums.entry(name.clone()).or_default() += count(&row["answered"]);
        }
    }
    sums
}

#[test]
fn the_seconds_add_up_to_the_report_and_late_readers_get_the_earlier_ones() {
    let watched = Watched::start(&["--scenario", "mixed", "--users", "5", "--duration", "3s", "--warm-up", "1s"]);
    let mut reading = watched.events(None);
    let mut events: Vec<Event> = Vec::new();
    while !events.last().is_some_and(has_answers) {
        events.push(reading.next().expect("a second with answers"));
    }
    let late = watched.events(None);
    let back = watched.events(Some(&events[events.len() - 1].id));
    let [late, back] = [late, back].map(|reading| std::thread::spawn(|| reading.collect::<Vec<Event>>()));
    let seen = events.len();
    events.extend(reading);
    // What came before the load's begin is forgotten; of what came since, the late one has everything.
    let late = late.join().expect("read");
    let begin = events.iter().position(|event| event.id == late[0].id).expect("an event of this run");
    assert_eq!(ids(&late), ids(&events[begin..]));
    assert!(late == events[begin..] && !events[..begin].iter().any(|event| event.data["second"].is_object()));
    assert_eq!(ids(&back.join().expect("read")), ids(&events[seen..]));

    let (code, said, out) = watched.end();
    assert!(matches!(code, Some(0 | 3)), "{code:?}: {said}");
    let report = read_run(out.path()).expect("a report");
    let reported: BTreeMap<String, u64> =
        report.operations.iter().map(|(name, operation)| (name.clone(), operation.answered)).collect();
    assert_eq!(answered_by_operation(&events), reported);

    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names.iter().position(|name| *name == "ended"), Some(names.len() - 1), "{names:?}");
    assert!(events.iter().all(|event| event.data["schema"] == "claimcheck.live/1"));
    let last = &events[events.len() - 1].data;
    for (name, answered) in &reported {
        assert_eq!(count(&last["so_far"][name]["answered"]), *answered, "{name}");
        assert_eq!(count(&last["ending"]["whole"]["operations"][name]["answered"]), *answered, "{name}");
    }
    assert_eq!(last["phase"], "ended");
    assert_eq!(last["ending"]["folder"], out.path().display().to_string());
    assert_eq!(last["ending"]["valid"], report.valid);
    assert!(events.iter().any(|event| event.data["phase"] == "judging"), "{events:?}");
}

#[test]
fn the_page_is_served_to_be_read_and_nothing_else() {
    let mut watched = Watched::start(&LONG);
    for (path, kind, part) in [
        ("/", "text/html", "<script src=\"/page.js\" defer></script>"),
        ("/page.css", "text/css", "prefers-color-scheme: dark"),
        ("/page.js", "text/javascript", "new EventSource(\"/events\")"),
    ] {
        let answered = watched.ask("GET", path, "");
        assert_eq!(answered.status, 200, "{path}");
        for line in [
            &format!("content-type: {kind}; charset=utf-8\r\n"),
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n",
            "x-content-type-options: nosniff\r\n",
            "referrer-policy: no-referrer\r\n",
        ] {
            assert!(answered.head.contains(line), "{path}: {line} is missing from {}", answered.head);
        }
        let text = answered.text();
        assert!(text.contains(part), "{path}: {part} is missing from {text}");
    }
    assert_eq!(watched.ask("GET", "/elsewhere", "").status, 404);
    let post = watched.ask("POST", "/events", "Content-Length: 0\r\n");
    assert!(post.status == 405 && post.head.contains("allow: get, head\r\n"), "{}", post.head);
    let rebound = ask(watched.address, "GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_eq!(rebound.status, 403);
    interrupt(&mut watched.run, Signal::INT, || true);
    watched.end();
}

#[test]
fn readers_are_bounded_and_all_of_them_hear_the_end() {
    let mut watched = Watched::start(&LONG);
    let mut readers: Vec<_> = (0..32).map(|_| watched.events(None)).collect();
    let refused = watched.ask("GET", "/events", "");
    assert_eq!(refused.status, 503);
    let why = refused.text();
    assert!(why.contains("32 readers"), "{why}");
    // The page itself is still to be had.
    assert_eq!(watched.ask("GET", "/", "").status, 200);
    drop(readers.pop());
    while watched.ask("GET", "/events", "").status != 200 {}
    // The others have not read anything until now, and nobody waits for them.
    assert!(readers[0].any(|event| has_answers(&event)));
    interrupt(&mut watched.run, Signal::INT, || true);
    let (code, said, _) = watched.end();
    assert_eq!(code, Some(3), "{said}");
    for reader in readers {
        let last = reader.last().expect("events");
        assert_eq!((last.name.as_str(), &last.data["ending"]["outcome"]), ("ended", &Value::from("invalid")));
    }
}

#[test]
fn a_taken_address_is_told_before_anything_is_loaded() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("an address").to_string();
    let out = tempfile::tempdir().expect("a folder");
    for (given, parts) in [
        (address.as_str(), [address.as_str(), "--live", "in use"]),
        ("8100", ["8100", "--live", "127.0.0.1:8100"]),
        ("localhost", ["localhost", "--live", "127.0.0.1:8100"]),
    ] {
        let mut command = loadgen();
        command.args(["run", "--duration", "1s", "--live", given, "--out"]).arg(out.path());
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part} is missing from {said}");
        }
        assert!(!out.path().join(HISTORY_FILE).exists());
    }
}

#[test]
fn wrong_answers_are_told_by_name() {
    let saves = saves_folder();
    let server = liar::spawn(Some(Lie::StaleRestore), saves.path());
    let watched = Watched::start(&["--target", &server.url, "--scenario", "mixed", "--users", "8", "--duration", "2s"]);
    let events: Vec<Event> = watched.events(None).collect();
    let last = &events[events.len() - 1].data;
    let wrong = &last["so_far"]["restore"]["wrong"];
    assert!(count(&wrong["by_name"]["stale read"]) > 0, "{wrong}");
    assert_eq!(last["ending"]["outcome"], "wrong");
    let in_seconds: u64 =
        events.iter().filter_map(|event| event.data["second"]["operations"]["restore"]["wrong"].as_u64()).sum();
    assert_eq!(count(&wrong["count"]), in_seconds);
    assert_eq!(watched.end().0, Some(1));
}

#[test]
fn the_trials_of_a_search_are_told_one_by_one() {
    let watched = Watched::start(
        &["--scenario", "mixed", "--mix", "restore=1", "--objective", "restore max < 1ns"]
            .into_iter()
            .chain(["--users", "8", "--rate", "4", "--duration", "2s", "--warm-up", "100ms"])
            .collect::<Vec<_>>(),
    );
    let mut reading = watched.events(None);
    let mut events: Vec<Event> = Vec::new();
    while events.last().is_none_or(|event| count_of(&event.data["trials"]) == 0) {
        events.push(reading.next().expect("a second trial"));
    }
    // Whoever comes now hears of this one.
    let late = watched.events(None).next().expect("events");
    assert!(count_of(&late.data["trials"]) > 0, "{late:?}");
    events.extend(reading);
    let rates: Vec<f64> = events.iter().filter_map(|event| event.data["trial"]["rate_per_s"].as_f64()).collect();
    assert!(rates.is_sorted_by(|rate, next| rate >= next), "{rates:?}");
    let begun: BTreeSet<usize> = events.iter().map(|event| count_of(&event.data["trials"])).collect();
    assert!(begun.iter().all(|trials| *trials <= 3) && begun.contains(&3), "{begun:?}");
    // Nothing of an earlier trial is in the counts of the last.
    let last = events.last().expect("events");
    let whole = &last.data["ending"]["whole"]["operations"]["restore"]["answered"];
    assert_eq!(&last.data["so_far"]["restore"]["answered"], whole);
    watched.end();
}
