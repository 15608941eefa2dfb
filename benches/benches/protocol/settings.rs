//! How long is measured, how much, and where.

use benches::limits::measured::{CONFIDENCE, Measured};
use criterion::Criterion;
use rustix::fs::statfs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Memory as a file system, on Linux.
const MEMORY: &str = "/dev/shm";

/// How much a run measures.
pub(crate) struct Settings {
    /// Whether it takes about a minute instead of ten: fewer points, measured for less long.
    pub(crate) is_short: bool,
    /// The file systems.
    pub(crate) places: Vec<Place>,
    /// Where criterion writes.
    pub(crate) output: PathBuf,
    began: SystemTime,
}

/// A file system.
pub(crate) struct Place {
    /// What it is called in results.
    pub(crate) name: &'static str,
    /// Where folders are made.
    pub(crate) parent: PathBuf,
}

impl Settings {
    /// As the environment says: `BENCH_SHORT`, `BENCH_DIR`, and criterion's own.
    pub(crate) fn of_environment() -> Self {
        let is_short = std::env::var_os("BENCH_SHORT").is_some_and(|short| short == "1");
        Self { is_short, places: places(), output: output(), began: SystemTime::now() }
    }

    /// A criterion that takes what the command line says before what these settings do.
    pub(crate) fn criterion(&self) -> Criterion {
        let (samples, resamples, warm_up_ms, measurement_ms) =
            if self.is_short { (10, 10_000, 50, 250) } else { (50, 100_000, 500, 2_000) };
        Criterion::default()
            .confidence_level(CONFIDENCE)
            .sample_size(samples)
            .nresamples(resamples)
            .warm_up_time(Duration::from_millis(warm_up_ms))
            .measurement_time(Duration::from_millis(measurement_ms))
            .output_directory(&self.output)
            .configure_from_args()
    }

    /// Of these, a short run takes the first and the last.
    pub(crate) fn of<T: Copy>(&self, all: &[T]) -> Vec<T> {
        match (self.is_short, all) {
            (true, [first, .., last]) => vec![*first, *last],
            _ => all.to_vec(),
        }
    }

    /// What criterion measured of a benchmark in this run; `None` where it was left out.
    pub(crate) fn measured(&self, group: &str, function: &str, parameter: &impl ToString) -> Option<Measured> {
        let folder = self.output.join(group).join(function).join(parameter.to_string()).join("new");
        let written = std::fs::metadata(folder.join("estimates.json")).and_then(|metadata| metadata.modified()).ok()?;
        // An earlier run's figures are no figures of this one.
        if written < self.began {
            return None;
        }
        let read = |name| std::fs::read_to_string(folder.join(name)).expect("criterion's files can be read");
        let measured = Measured::parse(&read("estimates.json"), &read("sample.json"));
        Some(measured.expect("criterion's files are those of its version 0.8"))
    }
}

/// Memory where there is some, and the disk; one of them where both are of one kind.
fn places() -> Vec<Place> {
    let parent = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let kind = |path: &Path| statfs(path).ok().map(|found| found.f_type);
    let (memory, disk) = (PathBuf::from(MEMORY), Place { name: "disk", parent });
    match kind(&memory) {
        None => vec![disk],
        found if found == kind(&disk.parent) => vec![Place { name: "memory", ..disk }],
        _ => vec![Place { name: "memory", parent: memory }, disk],
    }
}

/// Where criterion writes by itself, and so where its readers look.
fn output() -> PathBuf {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let target = || {
        // target/release/deps/protocol-…
        let this = std::env::current_exe().expect("a path");
        this.ancestors().nth(3).map(Path::to_owned).expect("cargo's folders")
    };
    folder("CRITERION_HOME").unwrap_or_else(|| folder("CARGO_TARGET_DIR").unwrap_or_else(target).join("criterion"))
}
