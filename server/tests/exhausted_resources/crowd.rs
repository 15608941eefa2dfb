//! Many users at once on a server that has run out of something.

use crate::support::Server;
use crate::support::history::{Clock, Operation, in_short};
use crate::support::search::Known;
use crate::support::user::{Ask, Outcome, User};

/// Users at once, each on its own connection.
pub(crate) const USERS: usize = 8;

/// How users come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visits {
    /// On one connection each.
    Long,
    /// On a new connection for each of a few requests. They are few because a server that cannot accept pauses.
    Short,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// Answers that were right.
    pub(crate) done: usize,
    /// Clear errors.
    pub(crate) refused: usize,
}

/// Has users work on a few keys. Every answer must be right or
/// a clear error, and those that are right must be explained by an order in which what was refused changed nothing.
///
/// # Errors
/// What was neither right nor a clear error.
pub(crate) fn work(server: &Server, keys: &[&str], visits: Visits) -> Result<Crowd, String> {
    let clock = Clock::default();
    let asks = if visits == Visits::Long { 40 } else { 5 };
    let work = |number: usize| {
        let mut user = User::new(server.address(), &clock);
        let mut refused = 0;
        for n in 0..asks {
            // Fixed, and different for each user; what meets what is up to the scheduler.
            let key = keys[(number + n / 2) % keys.len()].to_owned();
            let ask = match (number * 7 + n * 3) % 10 {
                0..5 => Ask::Save(key),
                5 | 6 => Ask::Restore(key),
                7 => Ask::Instantiate(key),
                8 => Ask::Delete(key),
                _ => Ask::Generate,
            };
            match user.ask(&ask) {
                Outcome::Done(_) => {}
                Outcome::Refused(answer) => {
                    let is_clear = answer.status == 500 && answer.message().starts_with("Failed to ");
                    if !is_clear || answer.json()["success"] != false {
                        return Err(format!("{ask:?} was answered {}", in_short(&answer)));
                    }
                    refused += 1;
                }
                other => return Err(format!("{ask:?}: {other:?}")),
            }
            if visits == Visits::Short {
                user.hang_up();
            }
        }
        Ok((user.operations, refused))
    };
    let parts: Result<Vec<(Vec<Operation>, usize)>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..USERS).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let parts = parts?;
    let refused = parts.iter().map(|(_, refused)| refused).sum();
    let operations: Vec<Operation> = parts.into_iter().flat_map(|(operations, _)| operations).collect();
    Known::default().take_in(&operations)?;
    Ok(Crowd { done: operations.len(), refused })
}
