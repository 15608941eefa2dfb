//! What a crash left, what a new server makes of it, and whether that is right.

use super::life::{AFTER, Client};
use super::machine::{Flaw, Machine};
use super::subject::Subject;
use check::{Answer, Document, Monitor, Slot, Store};
use concurrency_tests::scenario::{Action, KEY, KEYS, file_of, strays};
use concurrency_tests::world::STALE_BEFORE_MS;
use server::fs::forgetting::WriteBack;
use server::fs::memory::Kernel;
use server::fs::ready;
use server::protocol::Protocol;
use std::collections::BTreeSet;

/// What clients ask the new server for; each list begins on what the crash left.
const REQUESTS: [&[Action]; 3] = {
    use Action::{Delete, GenerateKey, GiveBack, Instantiate, InstantiateOwn, List, Restore, Save};
    [
        &[Restore, List, GenerateKey, GiveBack, Save, Restore, List, GenerateKey, Delete, Restore, GenerateKey, List],
        &[Instantiate, Restore, GiveBack, Save, Restore, Delete, Restore, Save],
        &[Delete, Restore, GenerateKey, InstantiateOwn, List, Save, Restore],
    ]
};

/// What restore answers where something is there that is no document.
const UNREADABLE: &str = "Invalid saved data format";

/// What is under a key after a crash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// What the model knows.
    Slot(Slot),
    /// An empty file without the mark of a reservation.
    Empty,
    /// Content that is no whole document.
    Torn,
}

/// What is under a key, by its file.
pub(super) fn left_under(key: &str, folder: &Kernel) -> Left {
    let name = file_of(key);
    let (Some(content), Some(stat)) = (folder.content(&name), folder.stat(&name)) else {
        return Left::Slot(Slot::Absent);
    };
    match (content.is_empty(), stat.reservation) {
        (true, true) => Left::Slot(Slot::Reserved { stale: stat.modified_ms < STALE_BEFORE_MS }),
        (true, false) => Left::Empty,
        _ => Document::parse(content).map_or(Left::Torn, |document| Left::Slot(Slot::Present(document))),
    }
}

/// The store that a folder is, where every file in it is one that the model knows.
pub(super) fn store_of(folder: &Kernel) -> Result<Store, String> {
    let slot = |key: &str| match left_under(key, folder) {
        Left::Slot(slot) => Ok((key.to_owned(), slot)),
        other => Err(format!("what is left of {key} is {other:?}")),
    };
    KEYS.into_iter().map(slot).collect::<Result<Vec<_>, _>>().map(Store::new)
}

/// A folder in words.
pub(super) fn shown(folder: &Kernel) -> String {
    let file = |name: &str| {
        let content = String::from_utf8_lossy(folder.content(name).unwrap_or_default()).replace('\0', "\\0");
        format!("\n    {name}: {content:?}")
    };
    folder.name_list().map(file).collect()
}

/// Holds what is left to all that was acknowledged: only the operation under way may have taken effect or not.
pub(super) fn keeps_all(subject: Subject, flaw: Flaw, folder: &Kernel, possible: &Monitor) -> Result<(), String> {
    let store = store_of(folder)?;
    if !possible.can_be(&store) {
        return Err("what is there is not what was acknowledged".to_owned());
    }
    serves(subject, flaw, folder, possible, None)
}

/// Holds a new server to what is left, whatever was lost: no document is there that never was, and what is none is
/// answered as an error, or as nothing, and can be saved over or deleted. Where `documents` are not given, mixtures of
/// documents that were are let pass.
pub(super) fn is_sound(
    subject: Subject,
    flaw: Flaw,
    folder: &Kernel,
    documents: Option<&BTreeSet<(String, Document)>>,
) -> Result<(), String> {
    let mut slots = Vec::new();
    let mut unreadable = None;
    for key in KEYS {
        let left = left_under(key, folder);
        if key == KEY && (left == Left::Torn || left == Left::Empty && subject == Subject::Documented) {
            unreadable = Some(left.clone());
        }
        if let Left::Slot(Slot::Present(document)) = &left
            && documents.is_some_and(|documents| !documents.contains(&(key.to_owned(), document.clone())))
        {
            return Err(format!("{key} is a document that never was"));
        }
        // What is no document is to every other operation a key in use with nothing under it, which is never stale.
        let slot = match left {
            Left::Slot(slot) => slot,
            Left::Empty | Left::Torn => Slot::Reserved { stale: false },
        };
        slots.push((key.to_owned(), slot));
    }
    serves(subject, flaw, folder, &Monitor::new(Store::new(slots)), unreadable.as_ref())
}

/// Starts servers on what is left, and makes requests. Where there is no document under [`KEY`] and restore has to say
/// so, `unreadable` says what there is.
fn serves(
    subject: Subject,
    flaw: Flaw,
    folder: &Kernel,
    possible: &Monitor,
    unreadable: Option<&Left>,
) -> Result<(), String> {
    let started = || {
        let machine = Machine::new(WriteBack::new(folder.clone()), subject.can_exchange(), flaw);
        Client::new(AFTER, subject, machine, possible.clone())
    };
    for actions in REQUESTS {
        let mut client = started()?;
        requests(&mut client, actions, unreadable)?;
        saves_everything(&client)?;
    }
    hands_out_no_key_in_use(&started()?)
}

fn requests(client: &mut Client, actions: &[Action], mut unreadable: Option<&Left>) -> Result<(), String> {
    for &action in actions {
        let expected = match (action, unreadable) {
            (Action::Restore, Some(_)) => Answer::Wrong(UNREADABLE.to_owned()),
            (Action::Instantiate, Some(Left::Torn)) => Answer::Existed,
            _ => {
                client.request(action)?;
                let replaces = matches!(action, Action::Save | Action::Instantiate | Action::Delete);
                unreadable = unreadable.filter(|_| !replaces);
                continue;
            }
        };
        let (_, answer) = client.ask(action)?;
        if answer != expected {
            return Err(format!("{action} where there is no document is answered {answer:?}"));
        }
    }
    Ok(())
}

/// Every key can be saved under, and nothing of the crash is left once it is.
fn saves_everything(client: &Client) -> Result<(), String> {
    for key in KEYS {
        let body = format!(r#"{{"sessionKey":"{key}","typeSlug":"word","state":"saved last"}}"#);
        let saved =
            ready(client.server.save(body.as_bytes())).map_err(|_| format!("a save of {key} waits for ever"))?;
        saved.map_err(|error| format!("a save of {key} is answered {error}"))?;
        let restored = ready(client.server.restore(key)).ok().and_then(Result::ok).unwrap_or_default();
        if Document::parse(&restored).is_none_or(|document| document.state != "\"saved last\"") {
            return Err(format!("{key} was saved, and restore answers {:?}", String::from_utf8_lossy(&restored)));
        }
    }
    let strays = strays(&client.machine.kernel());
    if strays.is_empty() { Ok(()) } else { Err(format!("{strays:?} are left after a save of every key")) }
}

/// However late: reservations are given back and nothing else, and no key is handed out whose file is there.
fn hands_out_no_key_in_use(client: &Client) -> Result<(), String> {
    let before = client.machine.kernel();
    let is_reserved = |key: &&str| matches!(left_under(key, &before), Left::Slot(Slot::Reserved { .. }));
    let reserved: Vec<&str> = KEYS.into_iter().filter(|key| client.reserves && is_reserved(key)).collect();
    let given_back = ready(client.server.give_back_stale(u64::MAX)).ok().and_then(Result::ok);
    if given_back != Some(reserved.len()) {
        return Err(format!("{given_back:?} keys are given back where {reserved:?} are reserved"));
    }
    for _ in KEYS {
        let before = client.machine.kernel();
        let Some(Ok(generated)) = ready(client.server.generate_key()).ok() else { break };
        if before.stat(&file_of(generated.key.as_str())).is_some() {
            return Err(format!("{} is handed out, and its file is there", generated.key));
        }
    }
    Ok(())
}
