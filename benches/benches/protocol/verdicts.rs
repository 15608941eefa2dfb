//! The table of documented limits, and whether the bench fails.

use crate::settings::Settings;
use benches::limits::closed_form::contradictions;
use benches::limits::figures::rows;
use benches::limits::measured::Run;
use benches::limits::table::markdown;
use std::process::ExitCode;

/// Prints the table, writes it beside what criterion wrote, and says what must not be.
pub(crate) fn conclude(runs: &[Run], settings: &Settings) -> ExitCode {
    let table = markdown(runs);
    println!("{table}");
    let path = settings.output.join("limits.md");
    std::fs::create_dir_all(&settings.output).expect("criterion's folder can be made");
    std::fs::write(&path, table).expect("the table can be written beside criterion's files");
    println!("This table is in {}.", path.display());
    let faults = faults(runs, settings.is_short);
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn faults(runs: &[Run], is_short: bool) -> Vec<String> {
    let broken = |run: &Run| {
        let rows = rows(run).into_iter().filter(|row| row.fails(is_short));
        let told: Vec<String> =
            rows.map(|row| format!("{}: \"{}\" does not hold: {}", run.place, row.documented, row.measured)).collect();
        told
    };
    let contradictions = contradictions(runs).into_iter();
    let contradictions = contradictions.map(|what| format!("contradicts the closed form: {what}"));
    contradictions.chain(runs.iter().flat_map(broken)).collect()
}
