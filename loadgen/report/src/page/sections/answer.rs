//! The answer in a few sentences, and what it rests on.

use crate::left_behind;
use crate::page::chances::{attempts, name};
use crate::page::content::{Block, Section};
use crate::page::law::Law;
use crate::page::{advice, number};
use record::claims::Outcome;
use record::claims::Verdict;
use record::claims::{Report, TargetReport};
use record::host::Host;
use record::measurements::{Fill, Measured, Measurements, Users};
use std::fmt::Write as _;

const ID: &str = "answer";
const TITLE: &str = "In short";

/// What a server is called in measurements that the harness did not start itself.
const TARGET: &str = "target";

/// The limits by which a server "keeps its figures": those of claims K3 and P1.
const ATTEMPTS_AT_MOST: f64 = 2.0;
const P99_BELOW_US: u64 = 100_000;

/// So many points of advice are named here.
const NAMED: usize = 4;

pub(in crate::page) fn section(report: Option<&Report>, measurements: Option<&Measurements>) -> Section {
    let mut blocks: Vec<Block> = Vec::new();
    let promises: Vec<String> = report.into_iter().flat_map(|of| &of.targets).map(promises).collect();
    let limits = measurements.into_iter().flat_map(|of| of.targets.iter().map(limits));
    let limits: Vec<String> = limits.collect();
    for (heading, points) in [("Promises", promises), ("Sessions and users", limits)] {
        if !points.is_empty() {
            blocks.extend([Block::Heading(heading.to_owned()), Block::List(points)]);
        }
    }
    blocks.extend(change(report, measurements));
    blocks.push(Block::Heading("What this rests on".to_owned()));
    blocks.push(Block::List(rests_on(report, measurements)));
    Section { id: ID, title: TITLE, blocks }
}

fn promises(target: &TargetReport) -> String {
    let of = |verdict: Verdict| {
        let ids = target.claims.iter().filter(|claim| claim.verdict == verdict).map(|claim| claim.id.clone());
        ids.collect::<Vec<_>>()
    };
    let mut text =
        format!("{}: {} of {} hold", target.name, of(Verdict::Holds).len(), promises_of(target.claims.len()));
    for (verdict, word) in [
        (Verdict::Refuted, "refuted"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Untestable, "untestable here"),
    ] {
        let ids = of(verdict);
        if !ids.is_empty() {
            let _ = write!(text, "; {word}: {}", number::and(&ids));
        }
    }
    let unexpected = target.claims.iter().filter(|claim| claim.outcome == Outcome::Failed);
    let unexpected: Vec<String> = unexpected.map(|claim| claim.id.clone()).collect();
    if !unexpected.is_empty() {
        let _ = write!(text, "; not as known before: {}", number::and(&unexpected));
    }
    text + " (measured)."
}

fn promises_of(count: usize) -> String {
    number::of(count as u64, "promise")
}

fn limits(target: &Measured) -> String {
    let parts: Vec<String> = [sessions(target), users(target), peak(target)].into_iter().flatten().collect();
    let name = name(target);
    if parts.is_empty() {
        format!("{name}: neither fills nor users were measured.")
    } else {
        format!("{name}: {}.", parts.join("; "))
    }
}

/// Up to how many sessions keys cost what is promised.
fn sessions(target: &Measured) -> Option<String> {
    let keeps = |fill: &Fill| fill.refused == 0 && attempts(fill).is_none_or(|(mean, _)| mean <= ATTEMPTS_AT_MOST);
    let kept: Vec<&Fill> = target.fills.iter().take_while(|fill| keeps(fill)).collect();
    let next = target.fills.get(kept.len()).map(|fill| number::count(fill.documents));
    let Some(last) = kept.last() else {
        return next.map(|next| format!("keys already cost more than promised at {next} sessions (measured)"));
    };
    let is_told = kept.iter().all(|fill| attempts(fill).is_some());
    let cost =
        if is_told { "a key takes at most two attempts on average and none is refused" } else { "no key is refused" };
    let next = next.map_or_else(String::new, |next| format!("; no longer at {next}"));
    Some(format!("up to {} sessions {cost}{next} (measured)", number::count(last.documents)))
}

/// Up to how many users every operation is answered right, and fast enough.
fn users(target: &Measured) -> Option<String> {
    let slowest = |of: &Users| of.operations.values().map(|times| times.p99).max();
    let is_fast = |of: &Users| slowest(of).is_some_and(|p99_us| p99_us < P99_BELOW_US);
    let keeps = |of: &&Users| is_fast(of) && of.wrong.is_empty() && of.errors.is_empty();
    let kept = target.users.iter().take_while(keeps).last();
    let next = target.users.iter().find(|of| !keeps(of));
    let why = |of: &Users| match (of.wrong.is_empty(), of.errors.is_empty(), slowest(of)) {
        (false, _, _) => "answers are wrong".to_owned(),
        (_, false, _) => "operations fail".to_owned(),
        (_, _, Some(p99_us)) => format!("the slowest operation's 99 % take {}", number::time(p99_us as f64)),
        _ => "no operation was timed".to_owned(),
    };
    let beyond = next.map(|of| format!("with {} {}", number::of(of.users.into(), "user"), why(of)));
    let up_to = kept.map(|of| {
        let (users, limit) = (number::of(of.users.into(), "user"), number::time(P99_BELOW_US as f64));
        format!("up to {users} no answer is wrong and 99 % of every operation take less than {limit}")
    });
    let parts: Vec<String> = [up_to, beyond].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{} (measured)", parts.join("; ")))
}

fn peak(target: &Measured) -> Option<String> {
    let law = Law::of(target)?;
    let (most, knee) = (number::digits(law.most()), number::of(law.knee_users().into(), "user"));
    let peak = law
        .peak_users()
        .map_or_else(String::new, |users| format!(", its peak is at {}", number::digits(users.round())));
    Some(format!("throughput comes to {most} answers a second, nine tenths of it with {knee}{peak} (fitted)"))
}

/// The weightiest advice, by name.
fn change(report: Option<&Report>, measurements: Option<&Measurements>) -> Vec<Block> {
    let advice = advice::all(report, measurements);
    let mut points: Vec<String> = advice.iter().take(NAMED).map(|of| of.what.clone()).collect();
    if advice.len() > NAMED {
        points.push(format!("And {} more, at the end of the page with the reasons.", advice.len() - NAMED));
    }
    if points.is_empty() {
        Vec::new()
    } else {
        vec![Block::Heading("What to change first".to_owned()), Block::List(points)]
    }
}

fn rests_on(report: Option<&Report>, measurements: Option<&Measurements>) -> Vec<String> {
    let mut points = Vec::new();
    if let Some(report) = report {
        let Report { started, effort, users, seed, host, partial, .. } = report;
        let urls: Vec<String> = report.targets.iter().map(|of| format!("{} at {}", of.name, of.url)).collect();
        points.push(format!(
            "Promises were tried on {}, started {started}, effort {effort}, {users} users, seed {seed}, {}.{} A verdict on \
             chance rests on an exact interval; all of a run share one error of 1 %.",
            number::and(&urls),
            machine(host),
            interrupted(*partial)
        ));
        let leaving = report.targets.iter().filter(|target| !target.left_behind.is_empty());
        points.extend(leaving.map(|target| {
            left_behind::lines(&target.left_behind, target.left_behind_command.as_deref(), &target.name).join(" ")
        }));
    }
    if let Some(of) = measurements {
        let urls: Vec<String> = of.targets.iter().map(|of| format!("{} at {}", name(of), of.url)).collect();
        points.push(format!(
            "Measurements were made of {}, started {}, seed {}, {}.{} {}",
            number::and(&urls),
            of.started,
            of.seed,
            machine(&of.host),
            interrupted(of.partial),
            where_the_server_ran(of)
        ));
    }
    if points.is_empty() {
        points.push("Nothing was tried and nothing was measured.".to_owned());
    }
    points
}

/// The machine that a file of measurements names is the generator's, and an embedded server's with it.
fn where_the_server_ran(of: &Measurements) -> &'static str {
    if of.targets.iter().any(|target| target.name == TARGET) {
        "That is the load generator's machine; which one the server ran on is not known."
    } else {
        "Load generator and server shared the machine, so a server alone would do better."
    }
}

fn machine(host: &Host) -> String {
    let memory = if host.memory_mb == 0 { String::new() } else { format!(" and {} MB", number::count(host.memory_mb)) };
    format!("on {} with {}{memory}", host.os, number::of(host.cpus as u64, "processor"))
}

fn interrupted(is: bool) -> &'static str {
    if is { " The run was interrupted: what is missing was not tried." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::measured;

    #[test]
    fn sessions_are_kept_up_to_the_first_fill_that_costs_more() {
        let mut target = measured("target");
        assert!(sessions(&target).is_some_and(|text| text.starts_with("up to 23,328 sessions a key takes")));
        target.fills[1].refused = 1;
        let text = sessions(&target).expect("a sentence");
        assert!(text.starts_with("up to 0 sessions") && text.contains("no longer at 10,000"), "{text}");
        target.fills[0].refused = 1;
        assert_eq!(sessions(&target).as_deref(), Some("keys already cost more than promised at 0 sessions (measured)"));
        target.fills.clear();
        assert_eq!(sessions(&target), None);
    }

    #[test]
    fn attempts_that_are_not_told_are_not_judged() {
        let mut target = measured("target");
        target.fills.iter_mut().for_each(|fill| fill.attempts.clear());
        assert!(sessions(&target).is_some_and(|text| text.starts_with("up to 35,000 sessions no key is refused")));
    }

    #[test]
    fn users_are_kept_up_to_the_first_that_get_a_wrong_a_late_or_no_answer() {
        let all = |change: fn(&mut Users)| {
            let mut target = measured("target");
            change(&mut target.users[2]);
            users(&target).expect("a sentence")
        };
        assert!(all(|_| ()).contains("up to 256 users") && all(|_| ()).contains("with 1,000 users the slowest"));
        for (text, why) in [
            (all(|of| of.wrong = [("torn read".to_owned(), 1)].into()), "answers are wrong"),
            (all(|of| of.errors = [("503".to_owned(), 1)].into()), "operations fail"),
            (all(|of| of.operations.clear()), "no operation was timed"),
        ] {
            assert!(text.contains("up to 2 users") && text.contains(&format!("with 4 users {why}")), "{text}");
        }
    }
}
