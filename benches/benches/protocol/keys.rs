//! Requests for a key by how many are in use: how long one takes, how many keys it tries, and how many find none.
//!
//! One folder a file system is filled further and further, and serves both protocols, times and attempts. Keys that a
//! protocol reserved are given back at once, so that the fill stays what it is; that is no part of a request, and not
//! timed. Last of all, the hardened protocol is asked for keys until there are none.

use crate::attempts::Attempts;
use crate::settings::{Place, Settings};
use crate::subjects::{documented, hardened, keys};
use benches::limits::figures::{HARD_LIMIT, RECOMMENDED_MAX};
use benches::limits::measured::{AtFill, Counts, Drained, Measured, Run, SLOW_MS, Subject};
use benches::saves::{FilledFolder, Request, drain, give_back, request, requests};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use server::protocol::Protocol;
use stats::keys::THREE_CHARACTER_KEYS;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Used keys: none, the specification's figures, and 25, 50, 75, 90, 99, 99.9 and 100 % of all.
const FILLS: [usize; 11] = [
    0,
    1_000,
    RECOMMENDED_MAX,
    11_664,
    23_328,
    34_992,
    BEFORE_THE_LIMIT,
    HARD_LIMIT,
    46_189,
    46_609,
    THREE_CHARACTER_KEYS,
];

/// A short run's: those that the specification has figures for, and the last at which keys must not have run out yet.
const SHORT_FILLS: [usize; 5] = [0, RECOMMENDED_MAX, BEFORE_THE_LIMIT, HARD_LIMIT, THREE_CHARACTER_KEYS];

const BEFORE_THE_LIMIT: usize = 41_990;

/// How long that is given: the 50 ms, and time for a look at 46,656 names after them.
const SETTLED: Duration = Duration::from_millis(150);

/// Criterion's two measurements, on one file system.
struct Benches<'a> {
    time: &'a mut Criterion,
    attempts: &'a mut Criterion<Attempts>,
    settings: &'a Settings,
    place: &'a Place,
}

pub(crate) fn bench(
    time: &mut Criterion,
    attempts: &mut Criterion<Attempts>,
    settings: &Settings,
    place: &Place,
) -> Run {
    let mut folder = FilledFolder::empty(&place.parent, keys()).expect("BENCH_DIR must be a folder to write to");
    let mut benches = Benches { time, attempts, settings, place };
    let mut run = Run { place: place.name.to_owned(), ..Run::default() };
    let fills: &[usize] = if settings.is_short { &SHORT_FILLS } else { &FILLS };
    let mut used_before = 0;
    for &used_keys in fills {
        if used_keys == THREE_CHARACTER_KEYS {
            let handed_out = drain(&hardened(folder.disk())).expect("no request fails but for want of keys").len();
            run.drained = Some(Drained { used_keys: used_before, handed_out });
        }
        folder.fill_to(used_keys).expect("the file system has room for 46,656 empty files");
        run.fills.push(benches.at_fill(Subject::Documented, used_keys, &documented(folder.disk())));
        run.fills.push(benches.at_fill(Subject::Hardened, used_keys, &hardened(folder.disk())));
        used_before = used_keys;
    }
    run.look_ns = benches.just_full(&folder);
    run
}

impl Benches<'_> {
    fn at_fill<P: Protocol>(&mut self, subject: Subject, used_keys: usize, protocol: &P) -> AtFill {
        if used_keys == THREE_CHARACTER_KEYS {
            settle(protocol);
        }
        let (time_ns, timed) = self.time(subject, used_keys, protocol);
        // A hardened server that knows its folder to be full tries no key at all, and criterion measures no zeros.
        let tries_keys = subject == Subject::Documented || used_keys < THREE_CHARACTER_KEYS;
        let (attempts, tried) =
            if tries_keys { self.attempts(subject, used_keys, protocol) } else { (None, Counts::default()) };
        AtFill { subject, used_keys, attempts, time_ns, counts: timed.and(tried) }
    }

    /// Refusals of the hardened protocol, each after a change to a folder that is full.
    fn just_full(&mut self, folder: &FilledFolder) -> Option<Measured> {
        let (group, function) = (format!("key_time_{}", self.place.name), "hardened_just_full");
        let protocol = hardened(folder.disk());
        let timed = |_| {
            folder.touch().expect("the folder can be written");
            timed_request(&protocol).0
        };
        self.time.benchmark_group(&group).sampling_mode(SamplingMode::Flat).bench_function(
            BenchmarkId::new(function, THREE_CHARACTER_KEYS),
            |bencher| {
                bencher.iter_custom(|count| (0..count).map(timed).sum());
            },
        );
        self.settings.measured(&group, function, &THREE_CHARACTER_KEYS)
    }

    fn time<P: Protocol>(&mut self, subject: Subject, used_keys: usize, protocol: &P) -> (Option<Measured>, Counts) {
        let group = format!("key_time_{}", self.place.name);
        let mut calls = Vec::new();
        let mut timed = |count| {
            let (mut took, mut counts) = (Duration::ZERO, Counts::default());
            for _ in 0..count {
                let (one, answer) = timed_request(protocol);
                took += one;
                counts = counts.and(Counts { timed: 1, slow: u64::from(is_slow(one)), ..counted(&[answer]) });
            }
            calls.push(counts);
            took
        };
        self.time.benchmark_group(&group).sampling_mode(SamplingMode::Flat).bench_function(
            BenchmarkId::new(subject.to_string(), used_keys),
            |bencher| {
                bencher.iter_custom(&mut timed);
            },
        );
        let measured = self.settings.measured(&group, &subject.to_string(), &used_keys);
        (measured, of_samples(&calls, measured))
    }

    fn attempts<P: Protocol>(
        &mut self,
        subject: Subject,
        used_keys: usize,
        protocol: &P,
    ) -> (Option<Measured>, Counts) {
        let group = format!("key_attempts_{}", self.place.name);
        let mut calls = Vec::new();
        let mut tried = |count| {
            let answers = requests(protocol, count).expect("no request fails but for want of keys");
            calls.push(counted(&answers));
            answers.iter().map(|answer| u64::from(answer.attempts)).sum()
        };
        self.attempts.benchmark_group(&group).sampling_mode(SamplingMode::Flat).bench_function(
            BenchmarkId::new(subject.to_string(), used_keys),
            |bencher| {
                bencher.iter_custom(&mut tried);
            },
        );
        let measured = self.settings.measured(&group, &subject.to_string(), &used_keys);
        (measured, of_samples(&calls, measured))
    }
}

/// Asks for keys until the start of the server, which changes the folder for a moment, is long past: a hardened one that
/// finds nothing free trusts its look at a folder only once that has not changed for 50 ms.
fn settle<P: Protocol>(protocol: &P) {
    let start = Instant::now();
    while start.elapsed() < SETTLED {
        timed_request(protocol);
    }
}

/// Giving the key back is no part of a request, so it is not timed.
fn timed_request<P: Protocol>(protocol: &P) -> (Duration, Request) {
    let start = Instant::now();
    let answer = black_box(request(protocol).expect("no request fails but for want of keys"));
    let took = start.elapsed();
    answer.key.map_or(Ok(()), |key| give_back(protocol, key)).expect("what was reserved is given back");
    (took, answer)
}

fn is_slow(took: Duration) -> bool {
    took.as_secs_f64() * 1e3 >= SLOW_MS
}

fn counted(answers: &[Request]) -> Counts {
    let refused = answers.iter().filter(|answer| answer.key.is_none()).count();
    let most_attempts = answers.iter().map(|answer| answer.attempts).max().unwrap_or_default();
    Counts { requests: answers.len() as u64, refused: refused as u64, most_attempts, timed: 0, slow: 0 }
}

/// What was counted in the calls for criterion's samples, which are the last. The warm-up before ends when it has taken
/// long enough, and requests that find no key take longest: its share of them would be another.
fn of_samples(calls: &[Counts], measured: Option<Measured>) -> Counts {
    let Some(measured) = measured else { return Counts::default() };
    let samples = calls.iter().rev().take(measured.samples);
    let counts = samples.fold(Counts::default(), |counts, call| counts.and(*call));
    assert_eq!(counts.requests, measured.iterations, "criterion calls for its samples last, once each");
    counts
}
