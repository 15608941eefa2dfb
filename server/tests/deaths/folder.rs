//! A saves folder that lives through the deaths of its servers, and what must be found in it after each.

use crate::load::{Load, SHARED_KEYS};
use crate::support::history::{Clock, Deed, InFolder, Operation, State, in_short};
use crate::support::search::Known;
use crate::support::user::{Ask, Outcome, User};
use crate::support::{Server, saves_folder};
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use tempfile::TempDir;

/// Keys that are asked for after each death.
const NEW_KEYS: usize = 3;

/// How the folder's servers are started. No reservation goes stale, and a lock that is not let go shows as a hang.
const FLAGS: [&str; 6] = ["--reservation-ttl", "1d", "--lock-wait", "forever", "--durability", "process"];

/// How a death is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Over the wire, and into the files.
    Full,
    /// Over the wire alone.
    WireOnly,
}

/// What was seen of deaths.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: usize,
    pub(crate) unanswered: usize,
    /// Of the unanswered, saves and instantiates that are seen to have come about.
    pub(crate) came_about: usize,
    pub(crate) leftovers: usize,
    pub(crate) documents: usize,
    pub(crate) reservations: usize,
}

/// A folder of the hardened protocol, and all that is known of its keys.
pub(crate) struct Folder {
    saves: TempDir,
    durability: &'static str,
    pub(crate) sight: Sight,
    pub(crate) clock: Clock,
    known: Known,
    pub(crate) tally: Tally,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new(durability: &'static str) -> Self {
        Self {
            saves: saves_folder(),
            durability,
            sight: Sight::Full,
            clock: Clock::default(),
            known: Known::default(),
            tally: Tally::default(),
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.saves.path()
    }

    /// One more server on it.
    pub(crate) fn start(&self) -> Server {
        let flags = FLAGS.map(|flag| if flag == "process" { self.durability } else { flag });
        Server::on(self.path(), "hardened", &flags)
    }

    /// Counts what was done until the death of a server, which must have come about by the signal.
    pub(crate) fn bury(&mut self, mut victim: Server, load: &Load) {
        assert_eq!(victim.wait_until_it_ends().signal(), Some(9), "it died of the signal, and of nothing else");
        let answered = load.operations.iter().filter(|operation| operation.answered).count();
        self.tally.answered += answered;
        self.tally.unanswered += load.operations.len() - answered;
    }

    /// Looks through the folder while nobody works on it.
    ///
    /// # Errors
    /// Where a document is not whole, or a file is there that should not be.
    pub(crate) fn look(&mut self, operations: &mut Vec<Operation>) -> Result<InFolder, String> {
        if self.sight == Sight::WireOnly {
            return Ok(InFolder::default());
        }
        let began = self.clock.tick();
        let seen = InFolder::look(self.path())?;
        let deed = Deed::Look(seen.keys.clone());
        operations.push(Operation { deed, began, ended: self.clock.tick(), answered: true });
        Ok(seen)
    }

    /// Tries that every operation works on a server, and takes in what they show together with what was done before.
    ///
    /// # Errors
    /// What does not work, or cannot be explained.
    pub(crate) fn examine(&mut self, server: &Server, mut operations: Vec<Operation>) -> Result<(), String> {
        let seen = self.look(&mut operations)?;
        self.tally.leftovers += seen.leftovers.len();
        self.tally.came_about += come_about(&operations, &seen);
        let mut user = User::connected(server.address(), &self.clock);
        let mut keys: BTreeSet<String> = self.known.keys().into_iter().chain(seen.keys.into_keys()).collect();
        keys.extend(operations.iter().filter_map(|operation| operation.deed.key().map(str::to_owned)));
        for key in &keys {
            done(&mut user, &Ask::Restore(key.clone()))?;
        }
        done(&mut user, &Ask::List)?;
        // A save puts away what an interrupted one left, under whatever key.
        for key in SHARED_KEYS.iter().copied().chain(seen.leftovers.iter().map(String::as_str)) {
            done(&mut user, &Ask::Save(key.to_owned()))?;
            done(&mut user, &Ask::Restore(key.to_owned()))?;
        }
        for n in 0..NEW_KEYS {
            let Deed::Generate(Some(key)) = done(&mut user, &Ask::Generate)? else { continue };
            let steps =
                [Ask::Instantiate(key.clone()), Ask::Save(key.clone()), Ask::Delete(key.clone()), Ask::Restore(key)];
            for step in steps.into_iter().skip(n) {
                done(&mut user, &step)?;
            }
        }
        done(&mut user, &Ask::Delete(SHARED_KEYS[0].to_owned()))?;
        done(&mut user, &Ask::List)?;
        operations.append(&mut user.operations);
        let left = self.look(&mut operations)?.leftovers;
        if !left.is_empty() {
            return Err(format!("the next save has not put away what was left of these: {left:?}"));
        }
        self.known.take_in(&operations)?;
        for key in self.known.keys() {
            let possible = self.known.of(&key);
            self.tally.documents += usize::from(possible.iter().all(|state| matches!(state, State::Document(_))));
            self.tally.reservations += usize::from(possible.iter().all(|state| *state == State::Reserved));
        }
        Ok(())
    }
}

impl Tally {
    /// Adds what was seen elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.came_about += other.came_about;
        self.leftovers += other.leftovers;
        self.documents += other.documents;
        self.reservations += other.reservations;
    }

    /// In words.
    pub(crate) fn figures(&self) -> String {
        let Self { answered, unanswered, came_about, leftovers, documents, reservations } = self;
        format!(
            "{answered} operations answered, {unanswered} writes cut off ({came_about} of them seen to have come about), \
             {leftovers} files left half way, documents found {documents} times and reservations {reservations} times"
        )
    }
}

/// How many of the unanswered saves and instantiates show in the folder.
fn come_about(operations: &[Operation], seen: &InFolder) -> usize {
    let written = |operation: &&Operation| match &operation.deed {
        _ if operation.answered => false,
        Deed::Save { key, token } | Deed::Instantiate { key, token, .. } => match seen.keys.get(key) {
            Some(State::Document(document)) => document.token == *token || document.saves.contains(token),
            _ => false,
        },
        _ => false,
    };
    operations.iter().filter(written).count()
}

/// Does what cannot fail where nobody else is at work.
fn done(user: &mut User<'_>, ask: &Ask) -> Result<Deed, String> {
    match user.ask(ask) {
        Outcome::Done(deed) => Ok(deed),
        Outcome::Refused(answer) => Err(format!("{ask:?} was answered {}", in_short(&answer))),
        Outcome::Torn(torn) => Err(torn),
        Outcome::NoAnswer(error) => Err(format!("{ask:?} got no answer: {error}")),
    }
}
