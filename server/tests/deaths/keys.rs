//! Keys that are handed out across deaths, where so few are left that one handed out twice is seen at once.

use crate::support::history::{Clock, Deed, in_short};
use crate::support::user::{Ask, Outcome, User};
use crate::support::{Server, saves_folder};
use crate::{Plan, judge};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Keys that are free at first, and the deaths until they are used up.
const FREE_KEYS: usize = 200;
const DEATHS: usize = 10;
const USERS: usize = 6;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Fills a folder but for some keys, which it answers.
fn fill(saves: &Path, random: &mut StdRng) -> BTreeSet<String> {
    let letters = || ALPHABET.iter().map(|&letter| char::from(letter));
    let pairs = letters().flat_map(|a| letters().map(move |b| (a, b)));
    let mut keys: Vec<String> = pairs.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}"))).collect();
    keys.shuffle(random);
    let used = keys.split_off(FREE_KEYS);
    let first = saves.join(format!("{}.json", used[0]));
    std::fs::write(&first, "{}").expect("writes");
    for key in &used[1..] {
        let path = saves.join(format!("{key}.json"));
        // One file under many names is made faster than many files, where the file system has so many.
        std::fs::hard_link(&first, &path).or_else(|_| std::fs::write(&path, "{}")).expect("links or writes");
    }
    keys.into_iter().collect()
}

/// What users were handed.
#[derive(Debug, Default)]
struct Handed {
    keys: Vec<String>,
    /// Requests without an answer, each of which may have reserved one key.
    unanswered: usize,
}

impl Handed {
    /// Has users ask for keys until the server is killed, at the answer of this number, or has no more.
    fn take(&mut self, server: &Server, answers: usize) -> Result<(), String> {
        let (clock, answered) = (Clock::default(), AtomicUsize::new(0));
        let users: Vec<User<'_>> = (0..USERS).map(|_| User::connected(server.address(), &clock)).collect();
        let take = |mut user: User<'_>| {
            let mut handed = Self::default();
            loop {
                match user.ask(&Ask::Generate) {
                    Outcome::Done(Deed::Generate(Some(key))) => handed.keys.push(key),
                    Outcome::Refused(answer) if answer.status == 503 => return Ok(handed),
                    Outcome::NoAnswer(_) if answered.load(SeqCst) >= answers => {
                        handed.unanswered += 1;
                        return Ok(handed);
                    }
                    Outcome::Refused(answer) => return Err(format!("generate-key was answered {}", in_short(&answer))),
                    other => return Err(format!("generate-key: {other:?}")),
                }
                if answered.fetch_add(1, SeqCst) + 1 == answers {
                    server.signal(Signal::KILL);
                }
            }
        };
        let parts: Vec<Result<Self, String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = users.into_iter().map(|user| scope.spawn(|| take(user))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for part in parts {
            let part = part?;
            self.keys.extend(part.keys);
            self.unanswered += part.unanswered;
        }
        Ok(())
    }

    /// Every free key was handed out, once, but for those that an unanswered request may have reserved.
    fn judge(&self, free: &BTreeSet<String>) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let twice: Vec<&String> = self.keys.iter().filter(|key| !seen.insert(*key)).collect();
        let not_free: Vec<&String> = self.keys.iter().filter(|key| !free.contains(*key)).collect();
        if !twice.is_empty() || !not_free.is_empty() {
            return Err(format!("handed out twice: {twice:?}; handed out though in use: {not_free:?}"));
        }
        let missing = free.len() - seen.len();
        if missing > self.unanswered {
            return Err(format!("{missing} keys were never handed out, after {} lost answers", self.unanswered));
        }
        Ok(())
    }
}

/// Uses a folder's last keys up, over some deaths; `tamper` is given the keys handed out before the first one.
fn use_up(random: &mut StdRng, tamper: impl FnOnce(&Path, &[String])) -> Result<Handed, String> {
    let saves = saves_folder();
    let free = fill(saves.path(), random);
    let mut handed = Handed::default();
    let mut tamper = Some(tamper);
    for _ in 0..DEATHS {
        let mut server = Server::on(saves.path(), "hardened", &["--reservation-ttl", "1d"]);
        handed.take(&server, random.random_range(1..FREE_KEYS / DEATHS))?;
        // It may have run out of keys before it was to die.
        server.signal(Signal::KILL);
        server.wait_until_it_ends();
        if let Some(tamper) = tamper.take() {
            tamper(saves.path(), &handed.keys);
        }
    }
    let server = Server::on(saves.path(), "hardened", &["--reservation-ttl", "1d"]);
    handed.take(&server, usize::MAX)?;
    handed.judge(&free).map(|()| handed)
}

#[test]
fn the_last_keys_of_a_full_folder_go_to_one_user_each_across_deaths() {
    let mut plan = Plan::of("the_last_keys_of_a_full_folder_go_to_one_user_each_across_deaths", DEATHS);
    let (mut handed_out, mut unanswered) = (0, 0);
    let folders = plan.deaths.div_ceil(DEATHS);
    plan.deaths = folders * DEATHS;
    for folder in 0..folders {
        let handed = judge(&format!("folder {folder}"), use_up(&mut plan.random(folder), |_, _| {}));
        handed_out += handed.keys.len();
        unanswered += handed.unanswered;
    }
    plan.report(&format!("{handed_out} keys handed out, {unanswered} requests cut off"));
}

#[test]
fn a_reservation_that_a_death_loses_is_found_out() {
    let plan = Plan::of("a_reservation_that_a_death_loses_is_found_out", 1);
    let lose = |saves: &Path, keys: &[String]| {
        std::fs::remove_file(saves.join(format!("{}.json", keys[0]))).expect("it is reserved");
    };
    let found = use_up(&mut plan.random(0), lose).expect_err("a key is handed out twice");
    assert!(found.starts_with("handed out twice: [\""), "{found}");
}

#[test]
fn a_key_that_a_death_takes_away_is_found_out() {
    let plan = Plan::of("a_key_that_a_death_takes_away_is_found_out", 1);
    // More than requests can have been cut off.
    let take_away = |saves: &Path, _: &[String]| {
        let free = |key: &String| !saves.join(format!("{key}.json")).exists();
        let letters = || ALPHABET.iter().map(|&letter| char::from(letter));
        let pairs = letters().flat_map(|a| letters().map(move |b| (a, b)));
        let keys = pairs.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}")));
        for key in keys.filter(free).take(USERS * DEATHS + 1) {
            std::fs::write(saves.join(format!("{key}.json")), "{}").expect("writes");
        }
    };
    let found = use_up(&mut plan.random(0), take_away).expect_err("some keys never come");
    assert!(found.contains("were never handed out"), "{found}");
}
