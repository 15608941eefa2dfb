//! The parts of the page, in the order in which it is read. Each is a pure function of what was tried and measured.

pub(super) mod answer;
pub(super) mod change;
pub(super) mod folders;
pub(super) mod keys;
pub(super) mod latency;
pub(super) mod predictions;
pub(super) mod risk;
pub(super) mod sharing;
pub(super) mod throughput;
pub(super) mod verdicts;
pub(super) mod wrong;

use super::content::Section;
use record::claims::Report;
use record::measurements::Measurements;

/// Why a section of measurements is left out.
const NOT_MEASURED: &str = "no measurements were given; loadgen measure makes them";

/// All of them.
pub(super) fn all(report: Option<&Report>, measurements: Option<&Measurements>) -> Vec<Section> {
    let mut sections = vec![answer::section(report, measurements), verdicts::section(report)];
    sections.extend(measured(measurements));
    sections.push(change::section(report, measurements));
    sections
}

/// Those of measurements.
pub(super) fn measured(measurements: Option<&Measurements>) -> Vec<Section> {
    type Part = (&'static str, &'static str, fn(&Measurements) -> Section);
    let parts: [Part; 7] = [
        (keys::ID, keys::TITLE, keys::section),
        (latency::ID, latency::TITLE, latency::section),
        (throughput::ID, throughput::TITLE, throughput::section),
        (risk::ID, risk::TITLE, risk::section),
        (folders::ID, folders::TITLE, folders::section),
        (wrong::ID, wrong::TITLE, wrong::section),
        (predictions::ID, predictions::TITLE, predictions::section),
    ];
    let made = parts.into_iter().map(|(id, title, section)| match measurements {
        Some(measurements) => section(measurements),
        // Risk follows from assumptions alone.
        None if id == risk::ID => risk::section_of(&[]),
        None => Section::left_out(id, title, NOT_MEASURED),
    });
    made.collect()
}
