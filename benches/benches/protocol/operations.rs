//! Each operation on documents by their size, on both protocols.

use crate::settings::{Place, Settings};
use crate::subjects::{body, disk, documented, done, folder_in, hardened, keys};
use benches::limits::measured::Subject;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use server::protocol::Protocol;
use std::path::Path;
use std::time::{Duration, Instant};

/// 1 KB to 1 MB; a real document has 2.7 KB.
const SIZES_BYTES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// A short run's.
const SHORT_SIZES_BYTES: [usize; 2] = [1_000, 100_000];

/// Documents in a list.
const LISTED: u64 = 20;

const KEY: &str = "A4K";

pub(crate) fn bench(criterion: &mut Criterion, settings: &Settings, place: &Place) {
    let sizes_bytes: &[usize] = if settings.is_short { &SHORT_SIZES_BYTES } else { &SIZES_BYTES };
    for &bytes in sizes_bytes {
        of_size(criterion, place, Subject::Documented, bytes, |folder| documented(disk(folder)));
        of_size(criterion, place, Subject::Hardened, bytes, |folder| hardened(disk(folder)));
    }
}

fn of_size<P: Protocol>(
    criterion: &mut Criterion,
    place: &Place,
    subject: Subject,
    bytes: usize,
    start: impl Fn(&Path) -> P,
) {
    let id = || BenchmarkId::new(subject.to_string(), bytes);
    let document = body(KEY, bytes);
    let folder = folder_in(&place.parent);
    let protocol = start(folder.path());

    group(criterion, "instantiate", place, bytes).bench_function(id(), |bencher| {
        bencher.iter_custom(|times| timed(times, || instantiate(&protocol, &document), || delete(&protocol)));
    });
    group(criterion, "delete", place, bytes).bench_function(id(), |bencher| {
        bencher.iter_custom(|times| {
            instantiate(&protocol, &document);
            let took = timed(times, || delete(&protocol), || instantiate(&protocol, &document));
            delete(&protocol);
            took
        });
    });
    group(criterion, "save", place, bytes)
        .bench_function(id(), |bencher| bencher.iter(|| done(protocol.save(&document))));
    done(protocol.save(&document));
    group(criterion, "restore", place, bytes)
        .bench_function(id(), |bencher| bencher.iter(|| done(protocol.restore(KEY))));
    for index in 0..LISTED {
        done(protocol.save(&body(keys().at(index).as_str(), bytes)));
    }
    done(protocol.delete(KEY));
    let many_bytes = bytes * usize::try_from(LISTED).unwrap_or_default();
    group(criterion, &format!("list_of_{LISTED}"), place, many_bytes).bench_function(id(), |bencher| {
        bencher.iter(|| assert_eq!(done(protocol.list()).len() as u64, LISTED));
    });
}

fn group<'a>(
    criterion: &'a mut Criterion,
    operation: &str,
    place: &Place,
    bytes: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(format!("{operation}_{}", place.name));
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::BytesDecimal(bytes as u64));
    group
}

fn instantiate<P: Protocol>(protocol: &P, document: &[u8]) {
    done(protocol.instantiate(document));
}

fn delete<P: Protocol>(protocol: &P) {
    done(protocol.delete(KEY));
}

/// How long an action takes so many times, without what undoes it after each.
fn timed(times: u64, act: impl Fn(), undo: impl Fn()) -> Duration {
    let one = |_| {
        let start = Instant::now();
        act();
        let took = start.elapsed();
        undo();
        took
    };
    (0..times).map(one).sum()
}
