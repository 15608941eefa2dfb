//! The judge by history length: the search for one order that explains every answer. Reading the file is not timed;
//! `judge.rs` beside this times that too, on histories of up to ten million operations, and looks at memory.

use crate::settings::Settings;
use benches::histories::{Order, Workload, write};
use check::documents::whole::Verdict;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use record::history::{Accesses, read_history};

const SEED: u64 = 20_261_124;

/// Operations in a history.
const LENGTHS: [u64; 3] = [1_000, 10_000, 100_000];

/// A short run's.
const SHORT_LENGTHS: [u64; 2] = [1_000, 10_000];

/// Samples, in a long run as in a short one: a search takes up to a second, and the same one always as long.
const SAMPLES: usize = 10;

/// The longest history with deletes and creations at once that is judged here: what comes first must be searched there,
/// and a longer one takes seconds each time.
const LONGEST_SEARCHED: u64 = 10_000;

const WORKLOADS: [(&str, Workload); 3] =
    [("keys", Workload::Keys), ("one_document", Workload::OneDocument), ("deletes", Workload::Deletes)];

pub(crate) fn bench(criterion: &mut Criterion, settings: &Settings) {
    let lengths: &[u64] = if settings.is_short { &SHORT_LENGTHS } else { &LENGTHS };
    let mut group = criterion.benchmark_group("judge");
    for &operations in lengths {
        for (name, workload) in WORKLOADS {
            if workload == Workload::Deletes && operations > LONGEST_SEARCHED {
                continue;
            }
            let accesses = history(Order { workload, operations, seed: SEED, is_spoiled: false });
            group.sampling_mode(SamplingMode::Flat).sample_size(SAMPLES).throughput(Throughput::Elements(operations));
            group.bench_function(BenchmarkId::new(name, operations), |bencher| {
                bencher.iter(|| assert_eq!(Verdict::of(&accesses.by_key).is_linearizable(), Some(true)));
            });
        }
    }
}

/// A history as it is read from a run's file.
fn history(order: Order) -> Accesses {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl.zst");
    write(order.begin(), order.seed, &path).expect("the folder for temporary files has room");
    Accesses::gather(read_history(&path).expect("it opens")).expect("it is a history")
}
