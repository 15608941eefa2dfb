//! How long the judge takes for whole histories, and how much memory: the reading of the compressed file, and the search
//! for an order, each in a process of its own so that peaks are apart. The histories are made from a seed, and right, but
//! for those with one answer spoiled; the benchmark fails where the judge says anything else.
//!
//! `cargo bench -p benches --bench judge` takes some minutes. The largest history has ten million operations, or
//! `BENCH_LARGEST`; `BENCH_SVG` says where the plot is written, if anywhere, and `BENCH_DIR` in which folder the histories
//! are made: the default is the system's folder for temporary files.

use benches::histories::{Order, Workload, write};
use benches::plot::{Series, log_log, n_log_n};
use check::documents::whole::Verdict;
use record::history::{Accesses, read_history};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// As in loadgen.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 20_261_124;

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// The longest history with deletes and creations at once that is judged: what comes first must be searched there, and
/// ten million of those take minutes each time.
const LARGEST_SEARCHED: u64 = 1_000_000;

/// Of this size one answer is spoiled, too.
const SPOILED: u64 = 1_000_000;

/// What a measuring process is told by.
const MEASURE: &str = "--measure";

/// What was measured on a file.
struct Measured {
    read_s: f64,
    judge_s: f64,
    peak_mb: f64,
    verdict: String,
}

fn main() {
    let mut arguments = std::env::args_os().skip_while(|argument| argument != MEASURE);
    match arguments.nth(1) {
        Some(path) => measure(Path::new(&path)),
        None => compare(),
    }
}

/// Reads and judges a history, and prints what that took.
fn measure(path: &Path) {
    let began = Instant::now();
    let accesses = Accesses::gather(read_history(path).expect("it opens")).expect("it is a history");
    let read_us = began.elapsed().as_micros();
    let began = Instant::now();
    let verdict = Verdict::of(&accesses.by_key);
    let judge_us = began.elapsed().as_micros();
    println!("{read_us}\t{judge_us}\t{}\t{}", peak_kb(), in_words(&verdict));
}

/// The most memory that this process ever had, kB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn in_words(verdict: &Verdict) -> String {
    match (verdict.is_linearizable(), verdict.counterexamples.first()) {
        (Some(true), _) => "linearizable".to_owned(),
        (Some(false), Some(proof)) => format!("{} in {} operations", proof.anomaly, proof.accesses.len()),
        _ => "undecided".to_owned(),
    }
}

fn compare() {
    let parent = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::Builder::new().prefix("claimcheck-judge-").tempdir_in(parent).expect("a folder");
    let largest = std::env::var("BENCH_LARGEST").map_or(u64::MAX, |largest| largest.parse().expect("a number"));
    println!("Seed {SEED}.\n");
    println!("<!-- table: cargo bench -p benches --bench judge -->");
    println!(
        "| history | operations | file, MB | reading, s | judging, s | µs an operation | × n log n | peak, MB | verdict |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let plotted = [Workload::Keys, Workload::OneDocument, Workload::Deletes].map(|workload| {
        let longest = if workload == Workload::Deletes { LARGEST_SEARCHED } else { u64::MAX };
        let sizes: Vec<u64> = SIZES.into_iter().filter(|n| *n <= largest.min(longest)).collect();
        Series { name: name(workload).to_owned(), points: rows(workload, &sizes, folder.path()) }
    });
    println!("<!-- /table -->");
    if let Some(path) = std::env::var_os("BENCH_SVG") {
        std::fs::write(path, log_log("Time of the judge by the length of the history", &plotted)).expect("BENCH_SVG");
    }
}

fn name(workload: Workload) -> &'static str {
    match workload {
        Workload::Keys => "keys",
        Workload::OneDocument => "one document",
        Workload::Deletes => "one document with deletes",
    }
}

/// Prints the rows of a workload; answers how many seconds so many operations took.
fn rows(workload: Workload, sizes: &[u64], folder: &Path) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for &operations in sizes {
        let order = Order { workload, operations, seed: SEED, is_spoiled: false };
        let measured = row(order, points.first().copied(), folder);
        assert_eq!(measured.verdict, "linearizable", "the history of {operations} operations is");
        points.push((operations as f64, measured.read_s + measured.judge_s));
        if operations == SPOILED && workload != Workload::Deletes {
            let measured = row(Order { is_spoiled: true, ..order }, points.first().copied(), folder);
            assert!(measured.verdict.starts_with("stale read"), "one answer is spoiled");
        }
    }
    points
}

/// Makes a history, measures the judge on it and prints that; the first of its workload is what n log n begins at.
fn row(order: Order, first: Option<(f64, f64)>, folder: &Path) -> Measured {
    let path = folder.join("history.jsonl.zst");
    let bytes = write(order.begin(), order.seed, &path).expect("BENCH_DIR has room");
    let runs = if order.operations > SPOILED { 3 } else { 5 };
    let mut measured: Vec<Measured> = (0..runs).map(|_| measured_apart(&path)).collect();
    measured.sort_by(|one, other| one.took_s().total_cmp(&other.took_s()));
    let median = measured.swap_remove(runs / 2);
    let n = order.operations as f64;
    let growth = median.took_s() / n_log_n(first.unwrap_or((n, median.took_s())), n);
    let spoiled = if order.is_spoiled { ", one answer spoiled" } else { "" };
    println!(
        "| {}{spoiled} | {} | {:.1} | {:.3} | {:.3} | {:.2} | {growth:.2} | {:.0} | {} |",
        name(order.workload),
        in_thousands(order.operations),
        bytes as f64 / 1e6,
        median.read_s,
        median.judge_s,
        median.took_s() * 1e6 / n,
        median.peak_mb,
        median.verdict,
    );
    median
}

impl Measured {
    fn took_s(&self) -> f64 {
        self.read_s + self.judge_s
    }
}

/// Measures in a process of its own.
fn measured_apart(path: &Path) -> Measured {
    let this = std::env::current_exe().expect("a path");
    let output = Command::new(this).arg(MEASURE).arg(path).output().expect("it starts");
    let line = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<&str> = line.trim().split('\t').collect();
    let [read_us, judge_us, peak_kb, verdict] = fields[..] else {
        panic!("it printed {line:?}: {}", String::from_utf8_lossy(&output.stderr))
    };
    let number = |field: &str| field.parse::<f64>().expect("a number");
    Measured {
        read_s: number(read_us) / 1e6,
        judge_s: number(judge_us) / 1e6,
        peak_mb: number(peak_kb) * 1024.0 / 1e6,
        verdict: verdict.to_owned(),
    }
}

/// Such as 1,000,000.
fn in_thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
