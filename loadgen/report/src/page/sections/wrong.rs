//! Wrong answers by name, and clear failures, by users.

use crate::page::chances::{CONFIDENCE, name};
use crate::page::content::{Basis, Block, Section, Table, chosen, numbers, words};
use crate::page::number;
use record::measurements::{Measured, Measurements, Users};
use stats::statistics::clopper_pearson;

pub(in crate::page) const ID: &str = "wrong";
pub(in crate::page) const TITLE: &str = "Wrong answers";

pub(in crate::page) fn section(measurements: &Measurements) -> Section {
    let loaded: Vec<&Measured> = measurements.targets.iter().filter(|target| !target.users.is_empty()).collect();
    if loaded.is_empty() {
        return Section::left_out(ID, TITLE, "no mixed load was measured");
    }
    let about = "A wrong answer is one that cannot be right, whatever the order of operations: it looks like a success and \
                 is none. A clear failure says that it is one. That none was seen leaves room for some: the interval at \
                 99 % says for how many.";
    let mut blocks = vec![Block::Text(about.to_owned()), Block::List(loaded.iter().map(|of| sentence(of)).collect())];
    blocks.push(Block::Table(table(&loaded)));
    Section { id: ID, title: TITLE, blocks }
}

fn count_wrong(of: &Users) -> u64 {
    of.wrong.values().sum()
}

fn sentence(target: &Measured) -> String {
    let (wrong, sent) =
        (target.users.iter().map(count_wrong).sum::<u64>(), target.users.iter().map(|of| of.sent).sum());
    let (name, operations) = (name(target), number::of(sent, "operation"));
    let most = number::share(clopper_pearson(wrong.min(sent), sent, CONFIDENCE).high);
    if wrong == 0 {
        return format!("{name}: none in {operations}, so at most {most} of them (measured).");
    }
    let mut names: Vec<String> = target.users.iter().flat_map(|of| of.wrong.keys().cloned()).collect();
    names.sort();
    names.dedup();
    let wrong = number::count(wrong);
    format!("{name}: {wrong} in {operations}, at most {most} of them (measured): {}.", number::and(&names))
}

fn table(targets: &[&Measured]) -> Table {
    let columns = vec![
        words("server"),
        chosen("users"),
        numbers("operations", Basis::Measured),
        numbers("wrong", Basis::Measured),
        numbers("share, 99 %", Basis::Measured),
        words("wrong answers by name"),
        words("clear failures by name"),
    ];
    let of_target = |target: &&Measured| {
        let row = |of: &Users| {
            let wrong = count_wrong(of);
            let chance = clopper_pearson(wrong.min(of.sent), of.sent, CONFIDENCE);
            vec![
                name(target),
                number::count(of.users.into()),
                number::count(of.sent),
                number::count(wrong),
                format!("{} to {}", number::share(chance.low), number::share(chance.high)),
                by_name(&of.wrong),
                by_name(&of.errors),
            ]
        };
        target.users.iter().map(row).collect::<Vec<_>>()
    };
    Table::new("Wrong answers and clear failures by users", columns).with_rows(targets.iter().flat_map(of_target))
}

fn by_name(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{} × {name}", number::count(*count))).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}
