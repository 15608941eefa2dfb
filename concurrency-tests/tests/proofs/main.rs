//! The proofs: each tells what it searched and within which bounds. The table of them all is printed at the end and
//! stands in `concurrency-tests/README.md`, which is held to it.
//!
//! `cargo test -p concurrency-tests --test proofs` runs them; a part of a name chooses some.

mod crashes;
mod faults;
mod interleavings;
mod journeys;
mod mutants;
mod readme;
mod schedules;
mod states;

use concurrency_tests::proof::{Proof, Row, table};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

fn proofs() -> Vec<Proof> {
    [
        // Those that take longest first, so that no core is idle in the end.
        interleavings::proofs(),
        journeys::proofs(),
        states::proofs(),
        schedules::proofs(),
        faults::proofs(),
        crashes::proofs(),
        mutants::proofs(),
    ]
    .concat()
}

/// The place of a proof, and its rows.
type Proved = (usize, Vec<Row>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // shuttle's panic hook first: loom ends threads that it leaves behind by panics, which its own hook, set over this
    // one, passes over in silence.
    shuttle::check_random(|| {}, 1);
    let rows: Arc<Mutex<Vec<Proved>>> = Arc::default();
    let trial = |(place, proof): (usize, Proof)| {
        let rows = Arc::clone(&rows);
        Trial::test(proof.name, move || {
            let proved = (proof.prove)().map_err(Failed::from)?;
            rows.lock().unwrap_or_else(PoisonError::into_inner).push((place, proved));
            Ok(())
        })
    };
    let trials = proofs().into_iter().enumerate().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut rows = std::mem::take(&mut *rows.lock().unwrap_or_else(PoisonError::into_inner));
    rows.sort();
    let rows: Vec<Row> = rows.into_iter().flat_map(|(_, rows)| rows).collect();
    let table = table(&rows);
    println!("{table}");
    if conclusion.has_failed() {
        return conclusion.exit_code();
    }
    match readme::holds(&table, conclusion.num_filtered_out == 0 && !arguments.list) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
