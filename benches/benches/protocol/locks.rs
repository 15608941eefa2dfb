//! The lock that saves take: alone, and wanted by many threads or processes, who between them must lose no count; and
//! saves of one document by many at once.

use crate::holders::{Holder, counted, hold};
use crate::settings::{Place, Settings};
use crate::subjects::{REAL_DOCUMENT_BYTES, body, disk, documented, folder_in, hardened};
use benches::limits::measured::{Holds, Run, Saves, Subject};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use server::fs::{FileSystem, Open, ready};
use server::protocol::Protocol;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// How many want the lock.
const CROWDS: [usize; 4] = [2, 4, 8, 16];

/// How many save one document.
const SAVERS: usize = 16;

pub(crate) fn bench(criterion: &mut Criterion, settings: &Settings, place: &Place, run: &mut Run) {
    let group = format!("lock_{}", place.name);
    flock(criterion, &group, &place.parent);
    run.flock_ns = settings.measured(&group, "flock", &"alone");
    for crowd in settings.of(&CROWDS) {
        for (kind, bench) in [("threads", threads as Crowd), ("processes", processes as Crowd)] {
            let folder = folder_in(&place.parent);
            let held = bench(criterion, &group, crowd, folder.path());
            let hold_ns = settings.measured(&group, kind, &crowd);
            let by = format!("{crowd} {kind}");
            // What a filter left out is not judged.
            if held > 0 {
                run.holds.push(Holds { by, held, counted: counted(folder.path()), hold_ns });
            }
        }
    }
    saves(criterion, settings, place, run);
}

/// Benches so many who want the lock of the counter in a folder; answers how often it was held.
type Crowd = fn(&mut Criterion, &str, usize, &Path) -> u64;

/// `flock` and its release, on a file that is open.
fn flock(criterion: &mut Criterion, group: &str, parent: &Path) {
    let folder = folder_in(parent);
    let disk = disk(folder.path());
    let file = ready(disk.open("document", Open::ReadWriteOrCreate)).and_then(|file| file).expect("it is created");
    let lock_and_unlock = || {
        ready(disk.lock(&file)).and_then(|locked| locked).expect("nobody else holds it");
        ready(disk.unlock(&file)).and_then(|unlocked| unlocked).expect("it is held");
    };
    criterion
        .benchmark_group(group)
        .sampling_mode(SamplingMode::Flat)
        .bench_function(BenchmarkId::new("flock", "alone"), |bencher| bencher.iter(lock_and_unlock));
}

/// Threads of one server, so they queue for one another.
fn threads(criterion: &mut Criterion, group: &str, crowd: usize, folder: &Path) -> u64 {
    let runtime = runtime(crowd);
    let disk = Arc::new(disk(folder));
    let mut held = 0;
    let together = |times| {
        held += times;
        timed_together(&runtime, crowd, times, || {
            let disk = Arc::clone(&disk);
            move || {
                let disk = Arc::clone(&disk);
                async move { hold(&disk).await.expect("the counter can be written") }
            }
        })
    };
    bench_crowd(criterion, group, BenchmarkId::new("threads", crowd), together);
    held
}

/// Processes that know nothing of one another: the kernel alone has them wait.
fn processes(criterion: &mut Criterion, group: &str, crowd: usize, folder: &Path) -> u64 {
    let mut holders: Vec<Holder> = (0..crowd).map(|_| Holder::start(folder)).collect();
    let mut held = 0;
    let together = |times| {
        held += times;
        let start = Instant::now();
        holders.iter_mut().zip(shares(times, crowd)).for_each(|(holder, share)| holder.order(share));
        holders.iter_mut().for_each(Holder::wait);
        start.elapsed()
    };
    bench_crowd(criterion, group, BenchmarkId::new("processes", crowd), together);
    held
}

/// Saves of one document of a real size by many, on both protocols.
fn saves(criterion: &mut Criterion, settings: &Settings, place: &Place, run: &mut Run) {
    let group = format!("contended_save_{}", place.name);
    let folder = folder_in(&place.parent);
    save_together(criterion, &group, Subject::Documented, documented(disk(folder.path())));
    save_together(criterion, &group, Subject::Hardened, hardened(disk(folder.path())));
    for subject in Subject::ALL {
        let save_ns = settings.measured(&group, &subject.to_string(), &SAVERS);
        run.saves.push(Saves { subject, savers: SAVERS, save_ns });
    }
}

fn save_together<P: Protocol>(criterion: &mut Criterion, group: &str, subject: Subject, protocol: P) {
    let runtime = runtime(SAVERS);
    let (protocol, document) = (Arc::new(protocol), Arc::new(body("A4K", REAL_DOCUMENT_BYTES)));
    let together = |times| {
        timed_together(&runtime, SAVERS, times, || {
            let (protocol, document) = (Arc::clone(&protocol), Arc::clone(&document));
            move || {
                let (protocol, document) = (Arc::clone(&protocol), Arc::clone(&document));
                async move { protocol.save(&document).await.expect("is saved") }
            }
        })
    };
    bench_crowd(criterion, group, BenchmarkId::new(subject.to_string(), SAVERS), together);
}

fn bench_crowd(criterion: &mut Criterion, group: &str, id: BenchmarkId, mut together: impl FnMut(u64) -> Duration) {
    criterion
        .benchmark_group(group)
        .sampling_mode(SamplingMode::Flat)
        .bench_function(id, |bencher| bencher.iter_custom(&mut together));
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

/// How long so many take who between them act `times` times, each one after the other.
fn timed_together<A, F>(runtime: &Runtime, crowd: usize, times: u64, actor: impl Fn() -> A) -> Duration
where
    A: Fn() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let act = |share: u64| {
        let act = actor();
        runtime.spawn(async move {
            for _ in 0..share {
                act().await;
            }
        })
    };
    let all: Vec<_> = shares(times, crowd).map(act).collect();
    runtime.block_on(async {
        for one in all {
            one.await.expect("none fails");
        }
    });
    start.elapsed()
}

/// `times` dealt out to a crowd as evenly as can be.
fn shares(times: u64, crowd: usize) -> impl Iterator<Item = u64> {
    let crowd = crowd as u64;
    (0..crowd).map(move |one| times / crowd + u64::from(one < times % crowd))
}
