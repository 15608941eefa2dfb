//! The table in the README says what the proofs say.

use std::path::Path;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// Between these lines the README holds the table.
const BEGIN: &str = "<!-- proofs: begin -->\n";
const END: &str = "\n<!-- proofs: end -->";

/// Settings with which other counts come out than the README's.
const SETTINGS: [&str; 3] = ["SCHEDULES", "SHUTTLE_SEED", "SCHEDULE"];

/// Holds the README to the table, where all proofs ran as they do by default; writes it where `UPDATE_TABLE` is set.
pub(crate) fn holds(table: &str, all_ran: bool) -> Result<(), String> {
    if !all_ran || SETTINGS.iter().any(|name| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let readme = std::fs::read_to_string(README).map_err(|error| format!("{README}: {error}"))?;
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(|| format!("{README} has no line {BEGIN}"))?;
    let (kept, after) = rest.split_once(END).ok_or_else(|| format!("{README} has no line {END}"))?;
    if std::env::var_os("UPDATE_TABLE").is_some() {
        let updated = format!("{before}{BEGIN}{table}{END}{after}");
        return std::fs::write(Path::new(README), updated).map_err(|error| format!("{README}: {error}"));
    }
    if kept == table {
        return Ok(());
    }
    let differs = |line: &&str| !kept.lines().any(|other| other == *line);
    let lines: Vec<&str> = table.lines().filter(differs).collect();
    let how = "UPDATE_TABLE=1 cargo test -p concurrency-tests --test proofs writes it anew";
    Err(format!("The table in {README} is not what the proofs say ({how}). It lacks:\n{}", lines.join("\n")))
}
