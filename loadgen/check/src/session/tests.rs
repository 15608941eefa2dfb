use super::*;
use contract::Failure;
use contract::response::ListedMetadata;
use contract::response::restored::{Part, Rest};
use std::time::Duration;

const WRITER: u64 = 17;

fn content(number: u64) -> Content {
    Content { writer: WRITER, number, size_bytes: 2_700 }
}

/// A restore that shows `content` after an instantiate and saves of these numbers, in this order.
fn showing_after(key: &str, content: Content, saves: &[u64]) -> Said {
    let mut rest = Rest { type_slug: Part::Is(()), version: Part::Is(()), created: Part::Is(5.0), ..Rest::default() };
    for &number in saves {
        let mark = Content { number, ..content }.mark();
        rest.names[mark.place()] = Part::Is(mark);
        rest.last_modified = Part::Is(7.0);
    }
    if saves.last() == Some(&content.number) {
        rest.views[content.view_place()] = Part::Is(());
    }
    Said::Restored(Restored { session_key: Some(key.into()), content: Some(content), rest })
}

/// A restore after an instantiate and, unless `content` is the first, a save of it.
fn showing(key: &str, content: Option<Content>) -> Said {
    match content {
        Some(content) if content.number == 0 => showing_after(key, content, &[]),
        Some(content) => showing_after(key, content, &[content.number]),
        None => Said::Restored(Restored { session_key: Some(key.into()), content: None, rest: Rest::default() }),
    }
}

fn refused(status: u16, message: &str) -> Said {
    Said::Refused { status, message: message.to_owned() }
}

const TIMED_OUT: Said = Said::NoAnswer(Failure::TimedOut(Duration::from_secs(10)));

/// A session of key A4K with this history.
fn session(before: &[(Asked, Said)]) -> Session {
    let mut session = Session::handed("A4K".to_owned(), WRITER);
    for (asked, said) in before {
        session.grade(*asked, said);
    }
    session
}

/// The grade of a restore after this history.
fn restored(before: &[(Asked, Said)], said: &Said) -> Grade {
    session(before).grade(Asked::Restore, said)
}

fn created() -> (Asked, Said) {
    (Asked::Instantiate(content(0)), Said::Created)
}

fn saved(number: u64) -> (Asked, Said) {
    (Asked::Save(content(number)), Said::Saved)
}

#[test]
fn a_restore_shows_the_newest_acknowledged_write_or_one_whose_outcome_is_not_known() {
    let before = [created(), saved(1), (Asked::Save(content(2)), TIMED_OUT)];
    let grade = |saves: &[u64]| {
        let number = saves.last().copied().unwrap_or_default();
        restored(&before, &showing_after("A4K", content(number), saves))
    };
    assert_eq!(grade(&[]), Grade::Wrong(Anomaly::StaleRead));
    assert_eq!(grade(&[1]), Grade::Verified);
    assert_eq!(grade(&[1, 2]), Grade::Verified);
    assert_eq!(grade(&[1, 2, 3]), Grade::Wrong(Anomaly::NeverWritten));
    let later = [&before[..], &[saved(3)]].concat();
    let grade = |saves: &[u64]| {
        let number = saves.last().copied().unwrap_or_default();
        restored(&later, &showing_after("A4K", content(number), saves))
    };
    assert_eq!(grade(&[1]), Grade::Wrong(Anomaly::StaleRead));
    let late = "what was never answered may take effect at any later time";
    assert_eq!(grade(&[1, 3, 2]), Grade::Verified, "{late}");
    assert_eq!(grade(&[1, 2, 3]), Grade::Verified, "{late}");
    assert_eq!(grade(&[1, 3]), Grade::Verified);
}

#[test]
fn each_way_of_reading_wrong_has_its_name() {
    let there = [created(), saved(1)];
    let refused_write = [created(), (Asked::Save(content(1)), refused(400, "Invalid checklist type"))];
    let deleted = [created(), (Asked::Delete, Said::Deleted)];
    let elsewhere = Content { writer: 4, ..content(1) };
    for (before, said, wrong) in [
        (&there, showing("A4K", None), Anomaly::TornRead),
        (&there, showing("B4K", Some(content(1))), Anomaly::KeyChangedOwners),
        (&there, showing("A4K", Some(elsewhere)), Anomaly::KeyChangedOwners),
        (&refused_write, showing("A4K", Some(content(1))), Anomaly::AbortedRead),
        (&there, refused(404, "No saved data found"), Anomaly::AcknowledgedThenLost),
        (&there, refused(500, "Invalid saved data format"), Anomaly::UnreadableDocument),
        (&there, refused(400, "Invalid session key"), Anomaly::ValidRequestRefused),
        (&there, Said::Malformed { status: 200 }, Anomaly::MalformedAnswer),
        (&there, Said::Saved, Anomaly::MalformedAnswer),
        (&there, Said::WrongStatus { status: 201 }, Anomaly::WrongStatus),
        (&deleted, showing("A4K", Some(content(0))), Anomaly::ResurrectedDocument),
    ] {
        assert_eq!(restored(before, &said), Grade::Wrong(wrong), "{said:?}");
    }
}

#[test]
fn after_a_delete_the_key_can_be_anybodys() {
    let deleted = [created(), (Asked::Delete, Said::Deleted)];
    let elsewhere = Content { writer: 4, ..content(1) };
    for said in [refused(404, "No saved data found"), showing("A4K", Some(elsewhere)), showing("A4K", None)] {
        assert_eq!(restored(&deleted, &said), Grade::Verified, "{said:?}");
    }
}

#[test]
fn what_had_no_clear_answer_accuses_nobody() {
    let nothing = refused(404, "No saved data found");
    for open in [
        vec![(Asked::Instantiate(content(0)), TIMED_OUT)],
        vec![(Asked::Instantiate(content(0)), refused(500, "Failed to open file"))],
        vec![created(), (Asked::Delete, TIMED_OUT)],
        vec![created(), (Asked::Delete, TIMED_OUT), saved(1)],
        vec![created(), (Asked::Delete, refused(500, "Failed to delete instance"))],
        vec![created(), (Asked::Delete, refused(408, "Request timeout"))],
        vec![created(), (Asked::Delete, refused(429, "slow"))],
        vec![created(), (Asked::Delete, Said::Unclear { status: 404 })],
        vec![created(), (Asked::Delete, Said::Unclear { status: 502 })],
        vec![created(), (Asked::Delete, Said::WrongStatus { status: 202 })],
    ] {
        assert_eq!(restored(&open, &nothing), Grade::Verified, "{open:?}");
        assert_eq!(session(&open).grade(Asked::Delete, &nothing), Grade::Verified, "{open:?}");
        let unreadable = refused(500, "Failed to read saved data");
        assert_eq!(restored(&open, &unreadable), Grade::Error, "{open:?}");
    }
    let never_sent = [created(), (Asked::Delete, Said::NoAnswer(Failure::CannotConnect(String::new())))];
    assert_eq!(restored(&never_sent, &nothing), Grade::Wrong(Anomaly::AcknowledgedThenLost));
}

#[test]
fn clear_failures_are_errors_and_not_wrong() {
    let unclear = [400, 404, 413, 503].map(|status| Said::Unclear { status });
    for said in
        [refused(500, "Failed to acquire file lock"), refused(503, "Server busy"), refused(429, "slow"), TIMED_OUT]
            .into_iter()
            .chain(unclear)
    {
        for asked in [Asked::Save(content(1)), Asked::Restore, Asked::Delete, Asked::List] {
            assert_eq!(session(&[created()]).grade(asked, &said), Grade::Error, "{asked:?} {said:?}");
        }
    }
}

#[test]
fn an_instantiate_finds_what_is_known_to_be_there() {
    let exists = Said::Existed;
    let again = Asked::Instantiate(content(5));
    assert_eq!(session(&[]).grade(again, &exists), Grade::Wrong(Anomaly::DuplicateKey));
    assert!(!session(&[(again, exists.clone())]).may_have_document(), "it is another's");
    assert_eq!(session(&[created()]).grade(again, &exists), Grade::Verified);
    assert_eq!(session(&[created()]).grade(again, &Said::Created), Grade::Wrong(Anomaly::AcknowledgedThenLost));
    let mut unsure = session(&[(Asked::Instantiate(content(0)), TIMED_OUT)]);
    assert_eq!(unsure.grade(again, &exists), Grade::Verified);
    assert_eq!(unsure.grade(Asked::Restore, &showing("A4K", Some(content(5)))), Grade::Wrong(Anomaly::NeverWritten));
}

/// A list entry with this `timestamp`, for a document created at 5 with a content of an even number.
fn entry(key: &str, timestamp: f64) -> Listed {
    let metadata = ListedMetadata { version: Some("1.0".into()), created: Some(5.0), last_modified: Some(7.0) };
    Listed {
        session_key: Some(key.into()),
        type_slug: Some(content(0).type_slug().into()),
        timestamp: Some(timestamp),
        created: Some(5.0),
        metadata,
    }
}

/// The grade of a list after this history, and what is wrong with it in words.
fn listed(before: &[(Asked, Said)], entries: Vec<Listed>) -> (Grade, String) {
    let mut session = session(before);
    let grade = session.grade(Asked::List, &Said::Listed(entries));
    (grade, session.take_detail().unwrap_or_default())
}

#[test]
fn a_list_shows_ones_own_document_once() {
    let (own, other) = (entry("A4K", 8.0), entry("B4K", 9.0));
    let fine = (Grade::Verified, String::new());
    assert_eq!(listed(&[created()], vec![other.clone(), own.clone()]), fine);
    assert_eq!(listed(&[], vec![other.clone()]), fine);
    assert_eq!(listed(&[created(), (Asked::Delete, TIMED_OUT)], vec![other.clone()]), fine);
    assert_eq!(listed(&[created()], vec![other]), (Grade::Wrong(Anomaly::MissingFromList), String::new()));
    let twice = (Grade::Wrong(Anomaly::WrongListEntry), "A4K is listed twice, as entries 1 and 2".to_owned());
    assert_eq!(listed(&[created()], vec![own.clone(), own.clone()]), twice);
    assert_eq!(grade_alone(&Said::Listed(vec![own.clone(), own])), (twice.0, Some(twice.1)));
}

/// Regression: lists were judged only for missing entries; another type, other times and a wrong order all passed.
#[test]
fn ones_own_entry_is_whole() {
    let restored = (Asked::Restore, showing_after("A4K", content(2), &[2]));
    let known = [created(), saved(2), restored];
    let spoiled = |spoil: &dyn Fn(&mut Listed)| {
        let mut own = entry("A4K", 8.0);
        spoil(&mut own);
        own
    };
    let by_file = spoiled(&|own| {
        (own.timestamp, own.created, own.metadata.created) = (Some(9_000.0), Some(9_000.0), Some(9_000.0));
    });
    assert_eq!(listed(&known, vec![by_file]).0, Grade::Verified, "a server may list the file's time for both");
    for (own, told) in [
        (spoiled(&|own| own.type_slug = Some("word".into())), r#"A4K: typeSlug: posted "demo", listed "word""#),
        (spoiled(&|own| own.type_slug = None), r#"A4K: typeSlug: posted "demo", listed nothing"#),
        (spoiled(&|own| own.metadata.version = None), r#"A4K: metadata.version: "1.0" is to be there, listed nothing"#),
        (
            spoiled(&|own| own.timestamp = None),
            "A4K: timestamp and created: times are to be there, listed nothing and 5",
        ),
        (spoiled(&|own| own.metadata.created = Some(6.0)), "A4K: created: listed 5, and 6 as metadata.created"),
        (
            spoiled(&|own| (own.created, own.metadata.created) = (Some(900.0), Some(900.0))),
            "A4K: created: restored 5, listed 900",
        ),
        (
            spoiled(&|own| own.metadata.last_modified = Some(4_000.0)),
            "A4K: metadata.lastModified: restored 7, listed 4000",
        ),
    ] {
        let wrong = (Grade::Wrong(Anomaly::WrongListEntry), told.to_owned());
        assert_eq!(listed(&known, vec![own.clone()]), wrong);
        let of_another = vec![Listed { session_key: Some("B4K".into()), ..own }, entry("A4K", 8.0)];
        let grade = listed(&known, of_another).0;
        assert_eq!(grade, Grade::Verified, "what others made may lack anything, and have other times: {told}");
    }
    let saved_since = [&known[..], &[saved(4)]].concat();
    let later = spoiled(&|own| own.metadata.last_modified = Some(4_000.0));
    assert_eq!(listed(&saved_since, vec![later]).0, Grade::Verified);
    // Which of two writes the entry shows is unknown, so either type is right.
    let open = [&known[..], &[(Asked::Save(content(3)), TIMED_OUT)]].concat();
    let of_type = |slug: &str| listed(&open, vec![spoiled(&|own| own.type_slug = Some(slug.into()))]);
    assert_eq!((of_type("word").0, of_type("demo").0), (Grade::Verified, Grade::Verified));
    let told = r#"A4K: typeSlug: posted "word" or "demo", listed "docs""#.to_owned();
    assert_eq!(of_type("docs"), (Grade::Wrong(Anomaly::WrongListEntry), told));
}

#[test]
fn when_a_session_was_created_is_known_from_restores_and_from_lists() {
    let known = |before: &[(Asked, Said)]| session(before).created_ms();
    let list = (Asked::List, Said::Listed(vec![entry("A4K", 8.0)]));
    let by_file = (Asked::List, Said::Listed(vec![entry("A4K", 5.0)]));
    assert_eq!(known(&[created()]), None);
    assert_eq!(known(&[created(), (Asked::Restore, showing("A4K", Some(content(0))))]), Some(5.0));
    assert_eq!(known(&[created(), list.clone()]), Some(5.0));
    assert_eq!(known(&[created(), by_file]), None);
    assert_eq!(known(&[created(), list, (Asked::Delete, TIMED_OUT)]), None);
}

#[test]
fn a_shared_document_may_be_anybodys_but_not_older_than_ones_own_save() {
    let mut shared = Session::shared("A4K".to_owned(), WRITER);
    let elsewhere = Content { writer: 4, ..content(9) };
    let opening = Content { writer: OPENING_WRITER, ..content(0) };
    assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(opening))), Grade::Verified);
    assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(elsewhere))), Grade::Verified);
    shared.grade(Asked::Save(content(0)), &Said::Saved);
    shared.grade(Asked::Save(content(1)), &Said::Saved);
    let after_both = showing_after("A4K", elsewhere, &[3, 4, 9]);
    assert_eq!(shared.grade(Asked::Restore, &after_both), Grade::Verified);
    let lacks_own = showing_after("A4K", elsewhere, &[3, 9]);
    assert_eq!(shared.grade(Asked::Restore, &lacks_own), Grade::Wrong(Anomaly::ChangedDocument));
    assert_eq!(shared.take_detail().as_deref(), Some(r#"metadata.draft-b: posted "w17.n1", shown nothing"#));
    let Said::Restored(mut lacks_fields) = after_both else { panic!("a document") };
    lacks_fields.rest.views = Default::default();
    assert_eq!(shared.grade(Asked::Restore, &Said::Restored(lacks_fields)), Grade::Wrong(Anomaly::ChangedDocument));
    // Another's save may have taken its timestamp before it waited for the lock.
    for last_modified in [9_000.0, 7.0] {
        let Said::Restored(mut late) = showing_after("A4K", elsewhere, &[3, 4, 9]) else { panic!("a document") };
        late.rest.last_modified = Part::Is(last_modified);
        assert_eq!(shared.grade(Asked::Restore, &Said::Restored(late)), Grade::Verified, "{last_modified}");
    }
    // Nobody deletes it, so its creation time stays.
    let Said::Restored(mut anew) = showing_after("A4K", elsewhere, &[3, 4, 9]) else { panic!("a document") };
    anew.rest.created = Part::Is(6_000.0);
    assert_eq!(shared.grade(Asked::Restore, &Said::Restored(anew)), Grade::Wrong(Anomaly::ChangedDocument));
    assert_eq!(shared.take_detail().as_deref(), Some("metadata.created: shown 5 before, now 6000"));
    // Its entry may show any save.
    for slug in ["word", "demo"] {
        let entry = Listed { type_slug: Some(slug.into()), ..entry("A4K", 8.0) };
        assert_eq!(shared.grade(Asked::List, &Said::Listed(vec![entry])), Grade::Verified, "{slug}");
    }
    assert_eq!(shared.grade(Asked::Restore, &showing("A4K", Some(content(0)))), Grade::Wrong(Anomaly::StaleRead));
    assert_eq!(shared.grade(Asked::Restore, &showing("A4K", None)), Grade::Wrong(Anomaly::TornRead));
}

#[test]
fn wrong_answers_have_names_of_their_own() {
    let names: std::collections::BTreeSet<&str> = Anomaly::ALL.map(Anomaly::name).into();
    assert_eq!(names.len(), Anomaly::ALL.len());
}

/// Spoils a document on its way back.
type Spoil<'a> = &'a dyn Fn(&mut Rest);

/// Regression: a document that came back with parts missing or changed passed, as only its state was checked.
#[test]
fn a_document_comes_back_whole() {
    let before: Vec<(Asked, Said)> = [created()].into_iter().chain((1..=4).map(saved)).collect();
    let Said::Restored(whole) = showing_after("A4K", content(4), &[1, 2, 3, 4]) else { panic!("a document") };
    let told = |before: &[(Asked, Said)], spoil: &dyn Fn(&mut Rest)| {
        let mut session = session(before);
        session.hear(1.0);
        let mut spoiled = whole.clone();
        (spoiled.rest.created, spoiled.rest.last_modified) = (Part::Is(1_000.0), Part::Is(1_500.0));
        spoil(&mut spoiled.rest);
        let grade = session.grade(Asked::Restore, &Said::Restored(spoiled));
        let detail = session.take_detail().unwrap_or_default();
        assert_eq!(grade == Grade::Wrong(Anomaly::ChangedDocument), !detail.is_empty(), "{grade:?} {detail}");
        detail
    };
    let mark = |number| Part::Is(content(number).mark());
    let strangers = Part::Is(Content { writer: 4, ..content(2) }.mark());
    let view = content(4).view();
    let view = contract::excerpt(view.as_bytes());
    assert_eq!(told(&before, &|_| {}), "");
    // Faults that show even if others may write and delete the document.
    let by_content: [(Spoil<'_>, &str); 10] = [
        (&|rest| rest.type_slug = Part::Absent, r#"typeSlug: posted "demo", shown nothing"#),
        (
            &|rest| (rest.type_slug, rest.others) = (Part::Other, vec![("typeSlug", "\"word\"".to_owned())]),
            r#"typeSlug: posted "demo", shown "word""#,
        ),
        (&|rest| rest.added = Some("served".to_owned()), "served: nobody posted it, but it is there"),
        (&|rest| rest.views[0] = Part::Absent, &format!("view-a: posted {view}, shown nothing")),
        (
            &|rest| (rest.views[0], rest.others) = (Part::Other, vec![("view-a", "[]".to_owned())]),
            &format!("view-a: posted {view}, shown []"),
        ),
        (&|rest| rest.views[1] = Part::Other, "view-b: not posted with what is shown, but there"),
        (&|rest| rest.names[1] = mark(1), r#"metadata.draft-b: posted "w17.n4", shown "w17.n1""#),
        (&|rest| rest.names[1] = Part::Absent, r#"metadata.draft-b: posted "w17.n4", shown nothing"#),
        (
            &|rest| rest.last_modified = Part::Absent,
            "metadata.lastModified: a time in ms is to be there, shown nothing",
        ),
        (&|rest| rest.last_modified = Part::Is(1.5), "metadata.lastModified: 1.5 is no time in ms, at 1 s"),
    ];
    let doubtful = [&before[..], &[(Asked::Delete, TIMED_OUT), saved(4)]].concat();
    for (spoil, expected) in by_content {
        assert_eq!(told(&before, spoil), expected);
        assert_eq!(told(&doubtful, spoil), expected);
    }
    let by_what_came_before: [(Spoil<'_>, &str); 8] = [
        (&|rest| rest.names[2] = Part::Absent, r#"metadata.draft-c: posted "w17.n2", shown nothing"#),
        (&|rest| rest.names[2] = mark(5), r#"metadata.draft-c: posted "w17.n2", shown "w17.n5""#),
        (&|rest| rest.names[2] = strangers, r#"metadata.draft-c: posted "w17.n2", shown "w4.n2""#),
        (&|rest| rest.names[0] = mark(0), r#"metadata.draft-a: posted "w17.n3", shown "w17.n0""#),
        (&|rest| rest.version = Part::Absent, r#"metadata.version: instantiate writes "1.0", shown nothing"#),
        (&|rest| rest.created = Part::Absent, "metadata.created: a time in ms is to be there, shown nothing"),
        (&|rest| rest.created = Part::Other, "metadata.created: a time in ms is to be there, shown nothing"),
        (&|rest| rest.created = Part::Is(1.0), "metadata.created: 1 is no time in ms, at 1 s"),
    ];
    for (spoil, expected) in by_what_came_before {
        assert_eq!(told(&before, spoil), expected);
        assert_eq!(told(&doubtful, spoil), "", "after a delete without a clear answer: {expected}");
    }
}

#[test]
fn what_instantiate_wrote_comes_back_as_it_was() {
    let Said::Restored(whole) = showing("A4K", Some(content(0))) else { panic!("a document") };
    let spoiled = |spoil: &dyn Fn(&mut Rest)| {
        let mut spoiled = whole.clone();
        spoil(&mut spoiled.rest);
        restored(&[created()], &Said::Restored(spoiled))
    };
    assert_eq!(spoiled(&|_| {}), Grade::Verified);
    let changed = Grade::Wrong(Anomaly::ChangedDocument);
    assert_eq!(spoiled(&|rest| rest.type_slug = Part::Absent), changed);
    assert_eq!(spoiled(&|rest| rest.created = Part::Absent), changed);
    assert_eq!(spoiled(&|rest| rest.names[0] = Part::Is(content(0).mark())), changed);
    assert_eq!(spoiled(&|rest| rest.views[0] = Part::Is(())), changed);
}

#[test]
fn a_name_may_hold_a_save_without_a_clear_answer_but_none_that_was_refused() {
    let refused_save = (Asked::Save(content(5)), refused(400, "Invalid checklist type"));
    let open = (Asked::Save(content(5)), Said::Unclear { status: 502 });
    let before = [created(), saved(2), saved(4)];
    let shows = |save: &(Asked, Said), saves: &[u64]| {
        let before = [&before[..], &[save.clone(), saved(6)]].concat();
        restored(&before, &showing_after("A4K", content(6), saves))
    };
    assert_eq!(shows(&open, &[2, 4, 5, 6]), Grade::Verified);
    assert_eq!(shows(&open, &[2, 4, 6]), Grade::Verified);
    assert_eq!(shows(&refused_save, &[2, 4, 6]), Grade::Verified);
    assert_eq!(shows(&refused_save, &[2, 4, 5, 6]), Grade::Wrong(Anomaly::ChangedDocument));
}

/// Regression: these were refusals of a valid request, though claims never took them for that.
#[test]
fn a_limit_of_the_server_is_an_error_and_wrong_of_nothing() {
    for status in [408, 413, 414, 421, 425, 429, 431] {
        let save = Asked::Save(content(1));
        assert_eq!(session(&[created()]).grade(save, &refused(status, "too much")), Grade::Error, "{status}");
        assert_eq!(grade_alone(&refused(status, "too much")).0, Grade::Error, "{status}");
    }
    let grade = session(&[created()]).grade(Asked::Save(content(1)), &refused(400, "no"));
    assert_eq!(grade, Grade::Wrong(Anomaly::ValidRequestRefused));
}

/// If there is no document, a save creates one without a version and a creation time. Which of two writes without a
/// clear response came first is unknown, but what was shown once stays.
#[test]
fn the_time_of_creation_is_held_once_it_is_known() {
    let open = [(Asked::Instantiate(content(0)), TIMED_OUT), saved(1)];
    let created_at = |created: Part<f64>| {
        let Said::Restored(mut shown) = showing_after("A4K", content(1), &[1]) else { panic!("a document") };
        shown.rest.created = created;
        shown.rest.version = if created == Part::Absent { Part::Absent } else { Part::Is(()) };
        Said::Restored(shown)
    };
    assert_eq!(restored(&open, &created_at(Part::Absent)), Grade::Verified);
    let known = [&open[..], &[(Asked::Restore, created_at(Part::Is(5.0)))]].concat();
    assert_eq!(restored(&known, &created_at(Part::Is(5.0))), Grade::Verified);
    let mut session = session(&known);
    let changed = Grade::Wrong(Anomaly::ChangedDocument);
    assert_eq!(session.grade(Asked::Restore, &created_at(Part::Is(9.0))), changed);
    assert_eq!(session.take_detail().as_deref(), Some("metadata.created: shown 5 before, now 9"));
    assert_eq!(session.grade(Asked::Restore, &created_at(Part::Is(9.0))), Grade::Verified, "a change is reported once");
    assert_eq!(restored(&known, &created_at(Part::Absent)), changed);
}

#[test]
fn the_time_of_the_last_save_goes_back_only_with_the_clock() {
    let modified = |number: u64, ms: f64| {
        let saves: Vec<u64> = (1..=number).collect();
        let Said::Restored(mut shown) = showing_after("A4K", content(number), &saves) else { panic!("a document") };
        (shown.rest.created, shown.rest.last_modified) = (Part::Is(90_000.0), Part::Is(ms));
        Said::Restored(shown)
    };
    let shown_after = |save: (Asked, Said), times_s: &[f64], ms: f64| {
        let mut session = session(&[created(), saved(1)]);
        [97.0, 100.0].into_iter().for_each(|time_s| session.hear(time_s));
        assert_eq!(session.grade(Asked::Restore, &modified(1, 100_000.0)), Grade::Verified);
        session.grade(save.0, &save.1);
        times_s.iter().for_each(|time_s| session.hear(*time_s));
        let grade = session.grade(Asked::Restore, &modified(2, ms));
        (grade, session.take_detail().unwrap_or_default())
    };
    let fine = (Grade::Verified, String::new());
    assert_eq!(shown_after(saved(2), &[100.0], 100_001.0), fine);
    assert_eq!(shown_after(saved(2), &[100.0], 99_001.0), fine, "clocks of several processes differ");
    let told = "metadata.lastModified: shown 100000 before, now 98000".to_owned();
    assert_eq!(shown_after(saved(2), &[100.0, 101.0], 98_000.0), (Grade::Wrong(Anomaly::ChangedDocument), told));
    assert_eq!(shown_after(saved(2), &[98.0, 101.0], 98_000.0), fine, "the clock was set back, and forth again");
    let late = (Asked::Save(content(2)), TIMED_OUT);
    assert_eq!(shown_after(late, &[100.0], 98_000.0), fine, "it took its time before it took effect");
    // A session that is restored once has no earlier time to compare with.
    let shown_once = |times_s: &[f64], ms: f64| {
        let mut session = session(&[created()]);
        times_s.iter().for_each(|time_s| session.hear(*time_s));
        session.grade(Asked::Save(content(1)), &Said::Saved);
        let grade = session.grade(Asked::Restore, &modified(1, ms));
        (grade, session.take_detail().unwrap_or_default())
    };
    assert_eq!(shown_once(&[100.0], 99_000.0), fine, "clocks of several processes differ");
    let told = "metadata.lastModified: 98000, before the session began at 100000".to_owned();
    assert_eq!(shown_once(&[100.0], 98_000.0), (Grade::Wrong(Anomaly::ChangedDocument), told));
    assert_eq!(shown_once(&[100.0, 98.0, 101.0], 98_000.0), fine, "the clock was set back, and forth again");
}

#[test]
fn what_may_be_gone_or_anothers_is_not_held_to_what_came_before() {
    let bare = |numbers: &[u64]| {
        let number = numbers.last().copied().unwrap_or_default();
        let Said::Restored(mut shown) = showing_after("A4K", content(number), numbers) else { panic!("a document") };
        (shown.rest.version, shown.rest.created) = (Part::Absent, Part::Absent);
        Said::Restored(shown)
    };
    // The next save creates a new document, and nothing is left of the old one.
    let lost = [created(), saved(1), (Asked::Restore, refused(404, "No saved data found")), saved(2)];
    assert_eq!(restored(&lost, &bare(&[2])), Grade::Verified);
    let mut doubtful = session(&[created(), saved(1), saved(2)]);
    doubtful.doubt();
    assert_eq!(doubtful.grade(Asked::Restore, &bare(&[2])), Grade::Verified);
    let open_delete = [created(), saved(1), (Asked::Delete, TIMED_OUT), saved(2), saved(3)];
    assert_eq!(restored(&open_delete, &bare(&[3])), Grade::Verified);
}

#[test]
fn whoever_has_no_session_knows_what_is_right_of_an_answer_alone() {
    assert_eq!(grade_alone(&Said::NoKey("A4KX".to_owned())).0, Grade::Wrong(Anomaly::InvalidKey));
    assert_eq!(grade_alone(&Said::WrongStatus { status: 201 }).0, Grade::Wrong(Anomaly::WrongStatus));
    assert_eq!(grade_alone(&Said::Malformed { status: 200 }).0, Grade::Wrong(Anomaly::MalformedAnswer));
    assert_eq!(grade_alone(&refused(405, "no")).0, Grade::Wrong(Anomaly::ValidRequestRefused));
    for error in [refused(429, "slow"), refused(503, "full"), Said::Unclear { status: 403 }, TIMED_OUT] {
        assert_eq!(grade_alone(&error).0, Grade::Error, "{error:?}");
    }
}

/// A delete without a response ends the next owner's session; a late save shows up in it.
#[test]
fn what_is_left_of_an_earlier_session_accuses_nobody() {
    let unsettled = |before: &[(Asked, Said)]| {
        let mut session = Session::unsettled("A4K".to_owned(), WRITER);
        assert!(before.iter().all(|(asked, said)| session.grade(*asked, said) == Grade::Verified));
        session
    };
    let before = [(Asked::Instantiate(content(6)), Said::Created), saved(7)];
    let elsewhere = Content { writer: 4, ..content(9) };
    let shown = [Some(elsewhere), Some(content(2)), Some(content(7)), None];
    let nothing = refused(404, "No saved data found");
    for said in shown.map(|shown| showing("A4K", shown)).iter().chain([&nothing]) {
        assert_eq!(unsettled(&before).grade(Asked::Restore, said), Grade::Verified, "{said:?}");
    }
    assert_eq!(unsettled(&before).grade(Asked::Delete, &nothing), Grade::Verified);
    assert_eq!(unsettled(&before).grade(Asked::List, &Said::Listed(vec![])), Grade::Verified);
    let mut taken = unsettled(&[(Asked::Instantiate(content(6)), Said::Existed)]);
    assert!(!taken.may_have_document());
    assert_eq!(taken.grade(Asked::Restore, &showing("A4K", Some(content(2)))), Grade::Verified);
    let wrong = [
        (showing("A4K", Some(content(8))), Anomaly::NeverWritten),
        (showing("B4K", Some(elsewhere)), Anomaly::KeyChangedOwners),
    ];
    for (said, anomaly) in wrong {
        assert_eq!(unsettled(&before).grade(Asked::Restore, &said), Grade::Wrong(anomaly), "{said:?}");
    }
}

/// Regression: one document that was reported gone counted again with each restore, delete and list that followed.
#[test]
fn a_document_that_is_said_to_be_gone_is_missed_once() {
    let nothing = refused(404, "No saved data found");
    let mut session = session(&[created(), saved(1)]);
    assert_eq!(session.grade(Asked::Restore, &nothing), Grade::Wrong(Anomaly::AcknowledgedThenLost));
    for (asked, said) in [(Asked::Restore, &nothing), (Asked::List, &Said::Listed(vec![]))] {
        assert_eq!(session.grade(asked, said), Grade::Verified, "{asked:?}");
    }
    // What is written from then on is expected to be there again.
    assert_eq!(session.grade(Asked::Save(content(2)), &Said::Saved), Grade::Verified);
    assert_eq!(session.grade(Asked::Restore, &nothing), Grade::Wrong(Anomaly::AcknowledgedThenLost));
}
