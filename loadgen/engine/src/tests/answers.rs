//! How users judge responses, end to end: what they post is compared with what comes back.

use super::*;

fn is(request: &Request, operation: Operation) -> bool {
    request.uri.path() == format!("/{operation}")
}

fn replaced(reply: &Reply, part: &str, by: &str) -> Reply {
    let body = String::from_utf8_lossy(&reply.body).replace(part, by);
    Reply { body: body.into(), ..reply.clone() }
}

/// Runs a load of every operation on a server with this twist.
fn loaded(twist: Twist) -> Measured {
    let mix = only("restore=3,save=3,list=1,churn=1");
    carry_out(Plan { mix, ..plan(Scenario::Mixed, 3, closed(3, 5 * S, Pacing::Think)) }, 10 * MS, 0..0, twist)
}

/// The names of what was wrong, and the first example.
fn wrong(measured: &Measured) -> (Vec<String>, String) {
    let names = total(measured).wrong.keys().cloned().collect();
    let example = measured.examples.iter().find(|example| example.is_wrong);
    (names, example.map(|example| example.step.got.clone()).unwrap_or_default())
}

#[test]
fn an_honest_server_keeps_all_that_is_posted() {
    let report = total(&loaded(honest));
    assert_eq!((report.wrong_count(), report.error_count()), (0, 0), "{report:?}");
    for scenario in [Scenario::Journey, Scenario::Churn, Scenario::ListHeavy] {
        let measured = carry_out(plan(scenario, 3, closed(3, 20 * S, Pacing::Think)), 10 * MS, 0..0, honest);
        assert_eq!(total(&measured).wrong_count(), 0, "{scenario}: {:?}", total(&measured));
    }
}

#[test]
fn what_changes_in_a_document_is_named_and_shown() {
    for (twist, told) in [
        (
            (|request, reply| {
                Ok(if is(request, Operation::Restore) { replaced(&reply, "\"word\"", "\"demo\"") } else { reply })
            }) as Twist,
            r#"changed document: typeSlug: posted "word", shown "demo""#,
        ),
        (
            |request, reply| Ok(if is(request, Operation::Restore) { replaced(&reply, "null]", "0]") } else { reply }),
            "changed document: view-",
        ),
        (
            |request, reply| {
                Ok(if is(request, Operation::Restore) { replaced(&reply, "\"draft-", "\"was-") } else { reply })
            },
            "changed document: metadata.draft-",
        ),
        (
            |request, reply| {
                Ok(if is(request, Operation::Restore) {
                    replaced(&reply, "\"created\":1001", "\"created\":1")
                } else {
                    reply
                })
            },
            "changed document: metadata.created: 1 is no time in ms, at 1 s",
        ),
    ] {
        let (names, example) = wrong(&loaded(twist));
        assert_eq!(names, ["changed document"]);
        assert!(example.starts_with(told), "{told}: {example}");
    }
}

#[test]
fn a_list_with_a_wrong_entry_is_named_and_shown() {
    let (names, example) = wrong(&loaded(|request, reply| {
        Ok(if is(request, Operation::List) { replaced(&reply, "\"word\"", "\"demo\"") } else { reply })
    }));
    assert_eq!(names, ["wrong list entry"]);
    assert!(example.ends_with(r#": typeSlug: posted "word", listed "demo""#), "{example}");
}

/// Regression: a four-character key was accepted, and the refusal of its instantiate was called wrong.
#[test]
fn a_key_that_is_none_is_shown_and_never_used() {
    let measured = loaded(|request, reply| {
        assert!(!is(request, Operation::Instantiate), "{}", request.uri);
        Ok(if is(request, Operation::GenerateKey) { replaced(&reply, "\"}}", "X\"}}") } else { reply })
    });
    assert_eq!(measured.held, []);
    let (names, example) = wrong(&measured);
    assert_eq!(names, ["invalid key"]);
    assert!(example.starts_with("invalid key: 200 \"") && example.ends_with("X\" is no key"), "{example}");
}

/// Regression: a proxy's pages counted as "malformed answer", which is wrong.
#[test]
fn a_proxys_pages_are_errors_and_other_statuses_are_wrong() {
    for status in [403, 413, 502, 504] {
        static STATUS: Mutex<u16> = Mutex::new(0);
        *STATUS.lock().expect("not poisoned") = status;
        let report = total(&loaded(|request, reply| {
            let status = *STATUS.lock().expect("not poisoned");
            let page =
                Reply { status, attempts: None, head: Head::default(), body: "<html>a proxy's page</html>".into() };
            // Whether it was done or not.
            Ok(if request.body.len() % 3 == 1 { page } else { reply })
        }));
        assert_eq!(report.wrong_count(), 0, "{status}: {report:?}");
        assert!(report.error_count() > 0, "{status}: {report:?}");
    }
    let (names, example) = wrong(&loaded(|request, reply| {
        Ok(if is(request, Operation::Save) { Reply { status: 201, ..reply } } else { reply })
    }));
    assert_eq!(names, ["wrong status"]);
    assert_eq!(example, "wrong status: 201 a status that does not belong to its envelope");
}
