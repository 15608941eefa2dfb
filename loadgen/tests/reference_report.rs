//! The committed reference report: of this program's form, and the source of what the README shows.
//!
//! Where a test here fails, make it anew: `cargo run --release -- verify --measure --out reports/reference` and
//! `cargo run --release -- report reports/reference --splice README.md`.

use loadgen::claims;
use record::claims::Report;
use record::measurements::Measurements;
use report::splice::splice;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn reference() -> Report {
    Report::read(&root().join("reports/reference")).expect("a report of this program's form")
}

#[test]
fn the_reference_report_has_every_claim_with_a_verdict_on_both_protocols() {
    let report = reference();
    let ids: Vec<String> = claims::ALL.iter().map(|claim| claim.id.to_string()).collect();
    let names: Vec<&str> = report.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["documented", "hardened"]);
    for target in &report.targets {
        let tried: Vec<&str> = target.claims.iter().map(|claim| claim.id.as_str()).collect();
        assert_eq!(tried, ids, "on {}", target.name);
    }
    assert_eq!(report.outcome().exit_code(), 0, "a report to refer to has no open question");
}

#[test]
fn the_reference_report_has_measurements_of_both_protocols() {
    let measurements = Measurements::read(&root().join("reports/reference")).expect("a file of this program's form");
    assert!(!measurements.partial && measurements.targets.len() == 2);
    for target in &measurements.targets {
        let has_both = |held_out: &mut dyn Iterator<Item = bool>| {
            let held_out: Vec<bool> = held_out.collect();
            held_out.contains(&true) && held_out.contains(&false)
        };
        assert!(has_both(&mut target.fills.iter().map(|fill| fill.held_out)), "{}", target.name);
        assert!(has_both(&mut target.users.iter().map(|users| users.held_out)), "{}", target.name);
        assert!(has_both(&mut target.folders.iter().map(|folder| folder.held_out)), "{}", target.name);
    }
}

#[test]
fn the_page_loads_nothing_and_the_readme_shows_what_the_report_says() {
    let page = std::fs::read_to_string(root().join("reports/reference/report.html")).expect("reads");
    assert!(page.len() < 1_500_000 && !page.contains("<script") && !page.contains("src=\"http"));
    let readme = std::fs::read_to_string(root().join("README.md")).expect("reads");
    assert_eq!(splice(&readme, &reference()).as_ref(), Ok(&readme));
}
