//! The documented protocol truncates before it writes and locks the file that it is about to delete: it promises less
//! than it says. What holds all the same after a death, and, for those who look, how much was lost.

use crate::Plan;
use crate::load::{self, Rigour, SHARED_KEYS, Trigger};
use crate::support::history::{Clock, Deed, Document, Operation, Token};
use crate::support::user::{Ask, Outcome, User};
use crate::support::{Server, assert_granted, assert_refused, saves_folder};
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const DEATHS_A_FOLDER: usize = 5;
const MOST_ANSWERS: i64 = 600;

/// What was seen of deaths. None of it is asserted: it is a matter of the moment.
#[derive(Debug, Default)]
struct Losses {
    answered: usize,
    refused: usize,
    empty: usize,
    torn: usize,
    acknowledged_then_lost: usize,
}

/// The documents' files, whatever is in them.
fn files(saves: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(saves).expect("the folder can be read");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("it can be read").path();
        let key = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        (key, std::fs::read_to_string(&path).expect("it can be read"))
    };
    entries.map(file).collect()
}

/// Whether a document must be there if nothing is lost: a write of it was acknowledged, and every delete of it had
/// ended before that write began.
fn must_be_there(key: &str, operations: &[Operation]) -> bool {
    let about_it = || operations.iter().filter(|operation| operation.deed.key() == Some(key));
    let is_delete = |operation: &&Operation| matches!(operation.deed, Deed::Delete { .. });
    let is_write = |operation: &&Operation| {
        matches!(operation.deed, Deed::Save { .. } | Deed::Instantiate { .. }) && operation.answered
    };
    let last_delete = about_it().filter(is_delete).map(|delete| delete.ended).max().unwrap_or(0);
    about_it().filter(is_write).any(|write| write.began > last_delete)
}

/// The tokens of all writes that were ever sent, by key.
type Sent = BTreeMap<String, BTreeSet<Token>>;

fn note_sent(sent: &mut Sent, operations: &[Operation]) {
    for operation in operations {
        if let Deed::Save { key, token } | Deed::Instantiate { key, token, .. } = &operation.deed {
            sent.entry(key.clone()).or_default().insert(*token);
        }
    }
}

/// Lets a server die under load and looks at what the next one makes of it.
fn one_death(saves: &Path, clock: &Clock, sent: &mut Sent, random: &mut StdRng, losses: &mut Losses) {
    let mut victim = Server::on(saves, "documented", &["--lock-wait", "forever"]);
    let trigger = Trigger::new(&victim, random, MOST_ANSWERS, 0);
    let load = load::run(&[&victim], &trigger, clock, Rigour::Lenient, random).expect("a server that lives answers");
    victim.wait_until_it_ends();
    note_sent(sent, &load.operations);
    losses.answered += load.operations.len();
    losses.refused += load.refused;

    let files = files(saves);
    let server = Server::on(saves, "documented", &["--lock-wait", "forever"]);
    let mut whole = BTreeSet::new();
    let keys: BTreeSet<&str> = files.keys().map(String::as_str).chain(SHARED_KEYS).collect();
    for &key in &keys {
        let content = files.get(key).map(String::as_str);
        let answer = server.restore(key);
        match content {
            None => assert_refused(&answer, 404, "No saved data found"),
            Some(content) if serde_json::from_str::<serde_json::Value>(content).is_err() => {
                assert_refused(&answer, 500, "Invalid saved data format");
                *if content.is_empty() { &mut losses.empty } else { &mut losses.torn } += 1;
            }
            Some(content) => {
                assert_granted(&answer);
                assert_eq!(answer.data_text(), content);
                let document = Document::read(key, content).expect("what is shown as data is one whole document");
                assert!(sent.get(key).is_some_and(|tokens| tokens.contains(&document.token)), "{key}: from nowhere");
                whole.insert(key.to_owned());
            }
        }
        let is_lost = !whole.contains(key) && must_be_there(key, &load.operations);
        losses.acknowledged_then_lost += usize::from(is_lost);
    }
    goes_on(&server, clock, &keys, &whole, sent);
}

/// Every operation works on what a death has left, and a save puts right what is not whole.
fn goes_on(server: &Server, clock: &Clock, keys: &BTreeSet<&str>, whole: &BTreeSet<String>, sent: &mut Sent) {
    let mut user = User::connected(server.address(), clock);
    let mut done = |ask: Ask| match user.ask(&ask) {
        Outcome::Done(deed) => deed,
        other => panic!("{ask:?}: {other:?}"),
    };
    assert!(matches!(done(Ask::List), Deed::List(listed) if listed == *whole), "list shows what is whole");
    for &key in keys {
        let Deed::Save { token: saved, .. } = done(Ask::Save(key.to_owned())) else { panic!("a save") };
        let Deed::Restore { shown: Some(shown), .. } = done(Ask::Restore(key.to_owned())) else {
            panic!("{key} was just saved")
        };
        assert_eq!(shown.token, saved);
        assert!(shown.saves.contains(&saved));
    }
    assert!(matches!(done(Ask::Delete(SHARED_KEYS[0].to_owned())), Deed::Delete { found: Some(true), .. }));
    let Deed::Generate(Some(key)) = done(Ask::Generate) else { panic!("a key") };
    assert!(matches!(done(Ask::Instantiate(key)), Deed::Instantiate { created: Some(true), .. }));
    note_sent(sent, &user.operations);
}

#[test]
fn after_a_death_of_the_documented_protocol_what_is_torn_is_said_to_be_and_service_goes_on() {
    let plan = Plan::of("after_a_death_of_the_documented_protocol_what_is_torn_is_said_to_be_and_service_goes_on", 10);
    let mut losses = Losses::default();
    for (number, first) in (0..plan.deaths).step_by(DEATHS_A_FOLDER).enumerate() {
        let mut random = plan.random(number);
        let (saves, clock, mut sent) = (saves_folder(), Clock::default(), Sent::new());
        for _ in first..plan.deaths.min(first + DEATHS_A_FOLDER) {
            one_death(saves.path(), &clock, &mut sent, &mut random, &mut losses);
        }
    }
    let Losses { answered, refused, empty, torn, acknowledged_then_lost } = losses;
    plan.report(&format!(
        "{answered} operations written down, {refused} errors; documents found empty: {empty}, torn: {torn}; \
         acknowledged, then lost: {acknowledged_then_lost}"
    ));
}
