//! The counts of every operation are those of the committed file, to the digit; and a cost that is added is named.
//!
//!     cargo test --workspace --test counts                  compares
//!     cargo test --workspace --test counts -- --renew       writes the file anew, for a review to see what changed
//!     cargo test --workspace --test counts -- --out DIR     writes `DIR/counts.json`, for `loadgen gate`

mod regressed;

use benches::counts::{Counter, StillWorld, counted_disk, of_operations, runtime};
use benches::saves::rules;
use libtest_mimic::{Arguments, Failed, Trial};
use record::counts::{Counts, NAME, SCHEMA, Tally};
use regressed::{Cost, Regressed};
use server::keys::KeySpace;
use server::outside::SharedHint;
use server::protocol::{Documented, DocumentedOptions, Durability, Hardened, Protocol};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// The committed file.
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/baseline/counts.json");

const RENEWED_BY: &str = "cargo test --workspace --test counts -- --renew";

/// What is counted: protocols and what an acknowledged save survives.
const CONFIGURATIONS: [&str; 3] = ["documented", "hardened", "hardened, on disk"];

/// All chance comes from it.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--renew"] => write(Path::new(BASELINE)),
        ["--out", folder] => write(&Path::new(folder).join(NAME)),
        _ => test(),
    }
}

fn write(path: &Path) -> ExitCode {
    let written = count(None).and_then(|counts| Ok(std::fs::write(path, counts.text()?)?));
    match written {
        Ok(()) => {
            println!("written: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(failed) => {
            eprintln!("cannot write {}: {}", path.display(), failed.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn test() -> ExitCode {
    let trials = vec![
        Trial::test("operations_cost_what_the_committed_file_says", operations_cost_what_the_committed_file_says),
        Trial::test("counts_are_the_same_each_time", counts_are_the_same_each_time),
        Trial::test("one_more_sync_in_a_save_is_named", one_more_sync_in_a_save_is_named),
        Trial::test("one_more_allocation_in_a_restore_is_named", one_more_allocation_in_a_restore_is_named),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn operations_cost_what_the_committed_file_says() -> Result<(), Failed> {
    let differences = Counts::read(Path::new(BASELINE))?.differences(&count(None)?);
    if differences.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Err(format!("what operations cost has changed:\n  {}\nIf that is meant: {RENEWED_BY}", told.join("\n  ")).into())
}

fn counts_are_the_same_each_time() -> Result<(), Failed> {
    let first = count(None)?;
    for _ in 0..5 {
        assert_eq!(first.differences(&count(None)?), []);
    }
    Ok(())
}

/// What is named when operations cost more than they do.
fn named(cost: Cost) -> Result<Vec<String>, Failed> {
    let differences = count(None)?.differences(&count(Some(cost))?);
    Ok(differences.iter().map(ToString::to_string).collect())
}

fn one_more_sync_in_a_save_is_named() -> Result<(), Failed> {
    let named = named(Cost::Sync)?;
    // Waiting for a sync takes allocations, too, where there was none before.
    let of_calls: Vec<&String> = named.iter().filter(|told| !told.contains("allocations")).collect();
    assert_eq!(
        of_calls,
        [
            "documented: save, a further one: fsync of the folder 0 → 1, 1 more",
            "documented: save, the first: fsync of the folder 0 → 1, 1 more",
            "hardened, on disk: save, a further one: fsync of the folder 1 → 2, 1 more",
            "hardened, on disk: save, the first: fsync of the folder 1 → 2, 1 more",
            "hardened: save, a further one: fsync of the folder 0 → 1, 1 more",
            "hardened: save, the first: fsync of the folder 0 → 1, 1 more",
        ]
    );
    Ok(())
}

fn one_more_allocation_in_a_restore_is_named() -> Result<(), Failed> {
    let named = named(Cost::Allocation)?;
    assert_eq!(named.len(), CONFIGURATIONS.len(), "{named:?}");
    for (told, name) in named.iter().zip(["documented", "hardened, on disk", "hardened"]) {
        assert!(told.starts_with(&format!("{name}: restore: allocations ")) && told.ends_with(", 1 more"), "{told}");
    }
    Ok(())
}

/// Counts all operations in every configuration, each on a folder of its own.
fn count(cost: Option<Cost>) -> Result<Counts, Failed> {
    let mut operations = BTreeMap::new();
    for configuration in CONFIGURATIONS {
        for (name, tally) in count_one(configuration, cost)? {
            operations.insert(format!("{configuration}: {name}"), tally);
        }
    }
    Ok(Counts { schema: SCHEMA.to_owned(), renewed_by: RENEWED_BY.to_owned(), operations })
}

fn count_one(configuration: &str, cost: Option<Cost>) -> Result<BTreeMap<&'static str, Tally>, Failed> {
    let folder = tempfile::tempdir()?;
    let counter = Counter::default();
    let disk = || counted_disk(folder.path(), &counter);
    let keys = KeySpace::new(3).ok_or("three is in range")?;
    let world = StillWorld::new(SEED);
    if configuration == "documented" {
        let options = DocumentedOptions { checks_writes: true };
        return run(Documented::new(disk(), world, rules(keys), options), disk(), cost, &counter);
    }
    let durability = if configuration.ends_with("on disk") { Durability::Disk } else { Durability::Process };
    let protocol = Hardened::new(disk(), world, SharedHint::new(keys), rules(keys), durability);
    let runtime = runtime()?;
    runtime.block_on(protocol.create_lock_files())?;
    runtime.block_on(protocol.read_hint())?;
    run(protocol, disk(), cost, &counter)
}

fn run<P: Protocol>(
    protocol: P,
    files: benches::counts::CountedDisk,
    cost: Option<Cost>,
    counter: &Counter,
) -> Result<BTreeMap<&'static str, Tally>, Failed> {
    let allocations = |operation: &mut dyn FnMut()| allocation_counter::measure(operation).count_total;
    Ok(of_operations(&Regressed { protocol, files, cost }, counter, &runtime()?, allocations)?)
}
