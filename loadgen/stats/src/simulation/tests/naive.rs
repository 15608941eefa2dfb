//! The same service written a second time, as plainly as can be: every list is scanned for what is next.

use super::*;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const USERS: usize = 12;
const KEYS: usize = 36;
const MAX_ATTEMPTS: u32 = 3;
const TRIES: u32 = 2;
const PAUSE_S: f64 = 0.2;
const THINK_S: f64 = 3.0;
const WINDOW_S: f64 = 0.5;
const SAVES: u32 = 2;
const SPACING_S: f64 = 0.4;
const DELETED: f64 = 0.5;
const LIFE_S: f64 = 20.0;
const SERVICE_S: f64 = 0.02;
const ATTEMPT_S: f64 = 0.005;
const TTL_S: f64 = 0.6;
const DURATION_S: f64 = 2_000.0;

#[derive(Clone, Copy, PartialEq)]
enum Doing {
    Generate,
    Instantiate,
    Restore,
    Save(u32),
    Delete,
}

#[derive(Clone, Copy)]
struct Person {
    doing: Doing,
    sends_at: f64,
    sent_at: f64,
    served_at: f64,
    key: Option<usize>,
    tries: u32,
}

/// What is compared: 503 a request, shared sessions an opening, mean response, mean active sessions, mean keys in use.
type Figures = [f64; 5];

struct Naive {
    random: SplitMix64,
    hardened: bool,
    now: f64,
    people: Vec<Person>,
    line: Vec<usize>,
    serving: Option<usize>,
    in_folder: [bool; KEYS],
    /// When a key that is only reserved is given back.
    reserved_until: [f64; KEYS],
    archive: Vec<(f64, usize)>,
    counts: [f64; 5],
    area: [f64; 2],
}

fn naive(hardened: bool, seed: u64) -> Figures {
    let mut random = SplitMix64::seed_from_u64(seed);
    let person = |random: &mut SplitMix64| Person {
        doing: Doing::Generate,
        sends_at: exponential(random, THINK_S),
        sent_at: 0.0,
        served_at: f64::INFINITY,
        key: None,
        tries: 0,
    };
    let people = (0..USERS).map(|_| person(&mut random)).collect();
    let mut naive = Naive {
        random,
        hardened,
        now: 0.0,
        people,
        line: Vec::new(),
        serving: None,
        in_folder: [false; KEYS],
        reserved_until: [f64::INFINITY; KEYS],
        archive: Vec::new(),
        counts: [0.0; 5],
        area: [0.0; 2],
    };
    while naive.step() {}
    let [openings, failed, shared, responses, response_s] = naive.counts;
    let over_time = naive.area.map(|area| area / DURATION_S);
    [failed / (openings + failed), shared / openings, response_s / responses, over_time[0], over_time[1]]
}

fn exponential(random: &mut SplitMix64, mean: f64) -> f64 {
    -mean * (1.0 - (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).ln()
}

impl Naive {
    fn step(&mut self) -> bool {
        let times = self.people.iter().flat_map(|person| [person.sends_at, person.served_at]);
        let times = times.chain(self.archive.iter().map(|document| document.0)).chain(self.reserved_until);
        let next = times.fold(f64::INFINITY, f64::min).min(DURATION_S);
        let passed = next - self.now;
        self.area[0] += passed * self.people.iter().filter(|person| person.key.is_some()).count() as f64;
        self.area[1] += passed * self.in_folder.iter().filter(|&&used| used).count() as f64;
        self.now = next;
        for key in (0..KEYS).filter(|&key| self.reserved_until[key] <= next).collect::<Vec<_>>() {
            self.in_folder[key] = false;
            self.reserved_until[key] = f64::INFINITY;
        }
        for (_, key) in self.archive.extract_if(.., |document| document.0 <= next).collect::<Vec<_>>() {
            if !self.is_worked_on(key) {
                self.put(key, false);
            }
        }
        for user in 0..USERS {
            if self.people[user].served_at <= next {
                self.answer(user);
            }
            if self.people[user].sends_at <= next {
                self.people[user].sends_at = f64::INFINITY;
                self.people[user].sent_at = next;
                self.line.push(user);
            }
        }
        if self.serving.is_none() && !self.line.is_empty() {
            let user = self.line.remove(0);
            self.serve(user);
        }
        next < DURATION_S
    }

    /// Who has deleted it works on it no longer, if not yet answered.
    fn is_worked_on(&self, key: usize) -> bool {
        let has_deleted = |person: &Person| person.doing == Doing::Delete && person.served_at < f64::INFINITY;
        self.people.iter().any(|person| person.key == Some(key) && !has_deleted(person))
    }

    fn put(&mut self, key: usize, there: bool) {
        self.in_folder[key] = there;
        self.reserved_until[key] = f64::INFINITY;
    }

    fn serve(&mut self, user: usize) {
        self.serving = Some(user);
        let mut service_s = exponential(&mut self.random, SERVICE_S);
        match (self.people[user].doing, self.people[user].key) {
            (Doing::Generate, _) => {
                let (key, attempts) = self.generate();
                service_s += ATTEMPT_S * f64::from(attempts);
                let taken = key.is_some_and(|key| self.is_worked_on(key));
                self.counts[0] += f64::from(u8::from(key.is_some()));
                self.counts[1] += f64::from(u8::from(key.is_none()));
                self.counts[2] += f64::from(u8::from(taken));
                self.people[user].key = key;
            }
            (Doing::Instantiate | Doing::Save(_), Some(key)) => self.put(key, true),
            (Doing::Delete, Some(key)) => self.put(key, false),
            _ => {}
        }
        self.people[user].served_at = self.now + service_s;
    }

    fn generate(&mut self) -> (Option<usize>, u32) {
        if self.hardened {
            let free: Vec<usize> = (0..KEYS).filter(|&key| !self.in_folder[key]).collect();
            if free.is_empty() {
                return (None, 0);
            }
            let key = free[usize::try_from(self.random.next_u64() % free.len() as u64).unwrap()];
            self.in_folder[key] = true;
            self.reserved_until[key] = self.now + TTL_S;
            return (Some(key), 1);
        }
        for attempt in 1..=MAX_ATTEMPTS {
            let key = usize::try_from(self.random.next_u64() % KEYS as u64).unwrap();
            if !self.in_folder[key] {
                return (Some(key), attempt);
            }
        }
        (None, MAX_ATTEMPTS)
    }

    fn answer(&mut self, user: usize) {
        self.serving = None;
        let mut person = self.people[user];
        self.counts[3] += 1.0;
        self.counts[4] += self.now - person.sent_at;
        person.served_at = f64::INFINITY;
        let (mut doing, mut pause_s) = match (person.doing, person.key) {
            (Doing::Generate, None) if person.tries + 1 < TRIES => (Some(Doing::Generate), PAUSE_S),
            (Doing::Generate, None) | (Doing::Delete, _) => (None, 0.0),
            (Doing::Generate, _) => (Some(Doing::Instantiate), exponential(&mut self.random, WINDOW_S)),
            (Doing::Instantiate, _) => (Some(Doing::Restore), 0.0),
            (Doing::Restore, _) => (Some(Doing::Save(1)), exponential(&mut self.random, SPACING_S)),
            (Doing::Save(n), _) if n < SAVES => (Some(Doing::Save(n + 1)), exponential(&mut self.random, SPACING_S)),
            (Doing::Save(_), Some(key)) if exponential(&mut self.random, 1.0) > -DELETED.ln() => {
                self.archive.push((self.now + exponential(&mut self.random, LIFE_S), key));
                (None, 0.0)
            }
            (Doing::Save(_), _) => (Some(Doing::Delete), exponential(&mut self.random, SPACING_S)),
        };
        person.tries += 1;
        if doing.is_none() {
            (doing, pause_s) = (Some(Doing::Generate), exponential(&mut self.random, THINK_S));
            (person.key, person.tries) = (None, 0);
        }
        person.doing = doing.unwrap();
        person.sends_at = self.now + pause_s;
        self.people[user] = person;
    }
}

fn ours(hardened: bool, seed: u64) -> Figures {
    let mut parameters = quick_sessions(u32::try_from(USERS).unwrap(), THINK_S, 1.0);
    let service = Distribution::Exponential(SERVICE_S * 1e6);
    parameters.keys = KeySpace { alphabet: 36, length: 1 };
    parameters.protocol = if hardened {
        Protocol::Hardened { reservation_ttl_s: TTL_S }
    } else {
        Protocol::Documented { max_attempts: MAX_ATTEMPTS }
    };
    parameters.users.window_s = Distribution::Exponential(WINDOW_S);
    parameters.users.saves = Count::Fixed(u16::try_from(SAVES).unwrap());
    parameters.users.save_spacing_s = Distribution::Exponential(SPACING_S);
    parameters.users.deleted_share = DELETED;
    parameters.users.session_life_s = Distribution::Exponential(LIFE_S);
    (parameters.users.start_tries, parameters.users.retry_pause_s) = (u8::try_from(TRIES).unwrap(), PAUSE_S);
    parameters.server = Server {
        cores: 1,
        generate_key_us: service.clone(),
        attempt_us: ATTEMPT_S * 1e6,
        instantiate_us: service.clone(),
        restore_us: service.clone(),
        save_us: service.clone(),
        delete_us: service,
        lock_shares: 0,
    };
    (parameters.warm_up_s, parameters.duration_s, parameters.samples) = (0.0, DURATION_S, 2_000);
    let outcome = simulate(&parameters, seed).unwrap();
    let answered: f64 = outcome.operations.iter().map(|of| of.answered as f64).sum();
    let response_us: f64 =
        outcome.operations.iter().filter_map(|of| of.response).map(|r| r.mean_us * r.count as f64).sum();
    let used: f64 = outcome.fill.iter().map(|sample| sample.used_keys as f64).sum();
    [
        outcome.exhausted.share(),
        outcome.shared_sessions.share(),
        response_us / answered / 1e6,
        outcome.active_sessions,
        used / outcome.fill.len() as f64,
    ]
}

#[test]
fn a_naive_simulation_of_a_small_service_finds_the_same() {
    const RUNS: u64 = 8;
    for hardened in [false, true] {
        let plain: Vec<Figures> = (0..RUNS).map(|run| naive(hardened, 100 + run)).collect();
        let fast: Vec<Figures> = (0..RUNS).map(|run| ours(hardened, 200 + run)).collect();
        for figure in 0..5 {
            let (plain_mean, plain_variance) = mean_and_variance_of_it(&plain, figure);
            let (fast_mean, fast_variance) = mean_and_variance_of_it(&fast, figure);
            let off = (plain_mean - fast_mean).abs() / (plain_variance + fast_variance).sqrt().max(1e-12);
            println!("hardened {hardened}, figure {figure}: {plain_mean} and {fast_mean}, {off:.1} deviations");
            assert!(plain_mean > 0.0 && off < SIGMAS, "{hardened} {figure}: {plain_mean} {fast_mean} {off}");
        }
    }
}

/// The mean of a figure over all runs, and the variance of that mean.
fn mean_and_variance_of_it(runs: &[Figures], figure: usize) -> (f64, f64) {
    let count = runs.len() as f64;
    let mean = runs.iter().map(|run| run[figure]).sum::<f64>() / count;
    let squares = runs.iter().map(|run| (run[figure] - mean).powi(2)).sum::<f64>();
    (mean, squares / (count - 1.0) / count)
}
