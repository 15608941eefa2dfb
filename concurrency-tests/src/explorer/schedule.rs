//! A scenario and what happens in it as one line of text, to be written down and seen again.
//!
//! `there; save | restore; 1 1 1 2 1` reads: the document is there, one client saves and another restores; client 1
//! takes three steps, client 2 one, client 1 one. `x2` is the death of the second process, `t` a tick of the clock.

use super::search::{Move, Scenario};
use crate::scenario::{ACTIONS, Action, KEYS, Start};
use server::hint::Freshness;
use std::fmt;
use std::str::FromStr;

/// A scenario, and who takes a step in it after whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The scenario.
    pub scenario: Scenario,
    /// The moves.
    pub moves: Vec<Move>,
}

/// Words for what differs from [`Scenario::new`].
const ONE_PROCESS: &str = "one process";
const ONE_KEY: &str = "one key";
const NOT_RESERVED: &str = "keys are not reserved";
const NOTHING_AFTERWARDS: &str = "nothing afterwards";
const FINDS_FREED: &str = "a freed key is found afterwards";
/// What the limits of a hint begin with.
const LOOKS: &str = "looks after ";

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.scenario)?;
        let text = |one: &Move| match one {
            Move::Step(client) => (client + 1).to_string(),
            Move::Death(process) => format!("x{}", process + 1),
            Move::Tick => "t".to_owned(),
        };
        f.write_str(&self.moves.iter().map(text).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |actions: &Vec<Action>| actions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let clients: Vec<String> = self.clients.iter().map(names).collect();
        write!(f, "{}; {}", self.start, clients.join(" | "))?;
        let words = [
            (self.one_process, ONE_PROCESS),
            (self.keys == 1, ONE_KEY),
            (!self.reserves, NOT_RESERVED),
            (self.afterwards.is_empty(), NOTHING_AFTERWARDS),
            (self.finds_freed, FINDS_FREED),
        ];
        words.iter().filter(|(is_so, _)| *is_so).try_for_each(|(_, words)| write!(f, "; {words}"))?;
        if let Some(Freshness { picks, age_ms }) = self.looks {
            write!(f, "; looks after {picks} keys and {age_ms} ms")?;
        }
        if self.ticks > 0 { write!(f, "; ticks of {} ms", self.tick_ms) } else { Ok(()) }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(';').map(str::trim);
        let start = words.next().unwrap_or_default();
        let start = Start::ALL.into_iter().find(|one| one.to_string() == start);
        let start = start.ok_or("it begins with what is there at the start: absent, reserved or there")?;
        let clients = words.next().ok_or("it says after that what the clients do: save | restore")?;
        let clients =
            clients.split('|').map(|actions| actions.split(',').map(action).collect()).collect::<Result<_, _>>()?;
        let mut scenario = Scenario { deaths: u8::MAX, ..Scenario::new(start, clients) };
        let mut moves = Vec::new();
        for words in words {
            match words {
                ONE_PROCESS => scenario.one_process = true,
                ONE_KEY => scenario.keys = 1,
                NOT_RESERVED => scenario.reserves = false,
                NOTHING_AFTERWARDS => scenario.afterwards.clear(),
                FINDS_FREED => scenario = scenario.finding_what_was_freed(),
                _ if words.starts_with(LOOKS) => scenario.looks = Some(limits(words)?),
                _ => match words.strip_prefix("ticks of ").and_then(|rest| rest.strip_suffix(" ms")) {
                    Some(tick_ms) => {
                        scenario.tick_ms = tick_ms.parse().map_err(|_| format!("`{tick_ms}` is no time"))?;
                        scenario.ticks = u8::MAX;
                    }
                    None => moves = words.split_whitespace().map(one_move).collect::<Result<_, _>>()?,
                },
            }
        }
        Ok(Self { scenario, moves })
    }
}

/// Reads `looks after 2 keys and 4 ms`.
fn limits(words: &str) -> Result<Freshness, String> {
    let numbers = words.strip_prefix(LOOKS).and_then(|rest| rest.strip_suffix(" ms")?.split_once(" keys and "));
    let limits =
        numbers.and_then(|(picks, age)| Some(Freshness { picks: picks.parse().ok()?, age_ms: age.parse().ok()? }));
    limits.ok_or_else(|| format!("`{words}` are no limits: {LOOKS}2 keys and 4 ms"))
}

fn action(name: &str) -> Result<Action, String> {
    let all = ACTIONS.into_iter().chain([Action::InstantiateOwn]);
    all.into_iter()
        .find(|action| action.to_string() == name.trim())
        .ok_or_else(|| format!("`{}` is no action", name.trim()))
}

fn one_move(word: &str) -> Result<Move, String> {
    let place = |digits: &str| digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let one = match word.strip_prefix('x') {
        _ if word == "t" => Some(Move::Tick),
        Some(process) => place(process).map(Move::Death),
        None => place(word).map(Move::Step),
    };
    one.ok_or_else(|| format!("`{word}` is no move: a client's number, x and a process's, or t"))
}

/// There is a word for every number of keys that scenarios have.
const _: () = assert!(KEYS.len() == 3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_was_written() {
        for text in [
            "there; save | restore; 1 1 2 1",
            "absent, stale spare; save, delete | restore, list; 1 x1 2 2 3",
            "reserved; generate-key | move-away | give-back; one process; one key; 1 2 3",
            "there; generate-key | move-away; one process; a freed key is found afterwards; looks after 0 keys and 4 ms; 1 2",
            "absent; generate-key, instantiate-own | save; keys are not reserved; nothing afterwards; ticks of 4 ms; 1 t 2",
        ] {
            let schedule: Schedule = text.parse().expect("a schedule");
            assert_eq!(schedule.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_word_that_is_wrong() {
        let refusal = |text: &str| text.parse::<Schedule>().expect_err("no schedule");
        assert!(refusal("here; save; 1").contains("absent"));
        assert!(refusal("there").contains("clients"));
        assert!(refusal("there; sing; 1").contains("`sing`"));
        assert!(refusal("there; save; 1 0").contains("`0`"));
        assert!(refusal("there; save; one; 1").contains("`one`"));
    }
}
