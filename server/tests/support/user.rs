//! A user who writes down what was asked and what came back, so that it can be judged afterwards.

use super::history::{Clock, Deed, Document, Operation, instantiate_body, save_body};
use super::{Answer, Connection, assert_granted};
use std::io;
use std::net::SocketAddr;

/// One operation, on a key where it takes one.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Generate,
    Instantiate(String),
    Save(String),
    Restore(String),
    Delete(String),
    List,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was answered as the contract says.
    Done(Deed),
    /// Something else was answered: an error, say. It is not written down, as what is refused has no effect.
    Refused(Answer),
    /// A document was shown that is not whole.
    Torn(String),
    /// The connection ended first.
    NoAnswer(io::Error),
}

/// A user of a server, on one connection as long as it holds.
pub(crate) struct User<'a> {
    address: SocketAddr,
    clock: &'a Clock,
    connection: Option<Connection>,
    /// What was done, so far as it can matter.
    pub(crate) operations: Vec<Operation>,
}

impl<'a> User<'a> {
    /// A user who has not connected yet.
    pub(crate) fn new(address: SocketAddr, clock: &'a Clock) -> Self {
        Self { address, clock, connection: None, operations: Vec::new() }
    }

    /// A user who has connected. One who only connects in time can meet another server, which took the port over from
    /// one that died.
    pub(crate) fn connected(address: SocketAddr, clock: &'a Clock) -> Self {
        let connection = Connection::open(address).expect("the server accepts");
        Self { connection: Some(connection), ..Self::new(address, clock) }
    }

    /// Ends the connection; the next operation takes another.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Says that the server has died. Its connections end when all its threads have let go of its files: so what it left
    /// unanswered has happened by now, or never will.
    pub(crate) fn outlived_the_server(&mut self) {
        let now = self.clock.tick();
        for operation in self.operations.iter_mut().filter(|operation| !operation.answered) {
            operation.ended = operation.ended.min(now);
        }
    }

    /// Does one operation and writes it down.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Outcome {
        // A write that gets no answer may have come about all the same; a read without one says nothing.
        let unanswered = match ask {
            Ask::Generate => Some(Deed::Generate(None)),
            Ask::Instantiate(key) => {
                Some(Deed::Instantiate { key: key.clone(), token: self.clock.token(), created: None })
            }
            Ask::Save(key) => Some(Deed::Save { key: key.clone(), token: self.clock.token() }),
            Ask::Delete(key) => Some(Deed::Delete { key: key.clone(), found: None }),
            Ask::Restore(_) | Ask::List => None,
        };
        let began = self.clock.tick();
        let answer = match self.exchange(ask, unanswered.as_ref()) {
            Ok(answer) => answer,
            Err(error) => {
                self.connection = None;
                let lost = |deed| Operation { deed, began, ended: u64::MAX, answered: false };
                self.operations.extend(unanswered.map(lost));
                return Outcome::NoAnswer(error);
            }
        };
        let ended = self.clock.tick();
        let deed = match told(ask, unanswered, &answer) {
            Ok(Some(deed)) => deed,
            Ok(None) => return Outcome::Refused(answer),
            Err(torn) => return Outcome::Torn(torn),
        };
        self.operations.push(Operation { deed: deed.clone(), began, ended, answered: true });
        Outcome::Done(deed)
    }

    fn exchange(&mut self, ask: &Ask, deed: Option<&Deed>) -> io::Result<Answer> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Connection::open(self.address)?),
        };
        match (ask, deed) {
            (_, Some(Deed::Instantiate { key, token, .. })) => {
                connection.send("POST", "/api/instantiate", &instantiate_body(key, *token));
            }
            (_, Some(Deed::Save { key, token })) => connection.send("POST", "/api/save", &save_body(key, *token)),
            (Ask::Delete(key), _) => connection.send("DELETE", &format!("/api/delete?session={key}"), ""),
            (Ask::Restore(key), _) => connection.send("GET", &format!("/api/restore?sessionKey={key}"), ""),
            (Ask::List, _) => connection.send("GET", "/api/list", ""),
            _ => connection.send("GET", "/api/generate-key", ""),
        }
        connection.try_receive()
    }
}

/// What an answer tells; `None` where it is none that the contract has for an operation that went well.
fn told(ask: &Ask, deed: Option<Deed>, answer: &Answer) -> Result<Option<Deed>, String> {
    let not_there = match ask {
        Ask::Restore(_) => answer.status == 404 && answer.message() == "No saved data found",
        Ask::Delete(_) => answer.status == 404 && answer.message() == "Instance not found",
        _ => false,
    };
    if answer.status != 200 && !not_there {
        return Ok(None);
    }
    if !not_there {
        assert_granted(answer);
    }
    Ok(Some(match (ask, deed) {
        (_, Some(Deed::Generate(_))) => Deed::Generate(Some(answer.key())),
        (_, Some(Deed::Instantiate { key, token, .. })) => {
            let created = answer.json()["data"]["message"] == "Instance created";
            Deed::Instantiate { key, token, created: Some(created) }
        }
        (_, Some(Deed::Delete { key, .. })) => Deed::Delete { key, found: Some(!not_there) },
        (_, Some(deed)) => deed,
        (Ask::Restore(key), _) if not_there => Deed::Restore { key: key.clone(), shown: None },
        (Ask::Restore(key), _) => {
            Deed::Restore { key: key.clone(), shown: Some(Document::read(key, answer.data_text())?) }
        }
        _ => {
            let entries = answer.json()["data"].as_array().cloned().unwrap_or_default();
            let key = |entry: &serde_json::Value| entry["sessionKey"].as_str().map(str::to_owned);
            Deed::List(entries.iter().filter_map(key).collect())
        }
    }))
}
