//! A plan for people: the answer, then the tables that it rests on.

use super::figure::Figure;
use super::file::{LengthRow, Plan, Row, ServerPlan};
use super::judged::{Judged, Verdict};
use super::limits::{Headroom, Kind, Limit};
use super::simulated::Simulated;
use super::text::{Unit, count, digits};
use comfy_table::{ContentArrangement, Table, presets};
use std::fmt::Write as _;

/// Columns of all of it.
const WIDTH: u16 = 100;

/// The whole plan.
#[must_use]
pub fn render(plan: &Plan) -> String {
    let mut out = format!("{}\n", wrapped(&plan.answer));
    let _ = write!(out, "\n{}\n", servers(plan));
    for server in &plan.servers {
        let _ =
            write!(out, "\nObjectives on {}, {} characters\n{}\n", server.name, server.key_length, objectives(server));
        for advice in &server.advice {
            let _ = writeln!(out, "{}", wrapped(&format!("would help: {advice}")));
        }
    }
    let _ = write!(out, "\nKey lengths\n{}\n", lengths(plan));
    for server in &plan.servers {
        let _ =
            write!(out, "\nWhat is passed on {}, {} characters\n{}\n", server.name, server.key_length, limits(server));
    }
    for server in &plan.servers {
        let _ = write!(out, "\nFigures of {}, {} characters\n{}\n", server.name, server.key_length, figures(server));
    }
    if let Some(simulated) = &plan.simulated {
        out.push_str(&simulation(simulated));
    }
    out.push('\n');
    for note in &plan.notes {
        let _ = writeln!(out, "{}", wrapped(note));
    }
    let source = &plan.measured;
    let _ = writeln!(
        out,
        "Measured {} on {}, {} processors. Seed {}.",
        source.started, source.os, source.cpus, plan.question.seed
    );
    out
}

/// A table with a header.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(header.to_vec());
    table
}

fn servers(plan: &Plan) -> Table {
    let mut table = table(&["server", "key", "objectives", "sessions can grow", "users can grow"]);
    for server in &plan.servers {
        let mark = match (server.name == plan.recommended, plan.verdict) {
            (false, _) => "",
            (true, Verdict::Broken) => " (nearest)",
            (true, _) => " (recommended)",
        };
        table.add_row([
            format!("{}{mark}", server.name),
            format!("{} characters", server.key_length),
            word(server.verdict).to_owned(),
            room(&server.sessions_headroom),
            room(&server.users_headroom),
        ]);
    }
    table
}

fn room(headroom: &Headroom) -> String {
    let basis = Figure::of(0.0, &headroom.basis).basis_text();
    match headroom.times {
        None => "without an end that is looked at".to_owned(),
        Some(0.0) => "an objective is missed already".to_owned(),
        Some(times) if headroom.at_least => format!("{}× or more ({basis})", digits(times)),
        Some(times) => format!("{}× ({basis})", digits(times)),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "all kept",
        Verdict::Open => "open",
        Verdict::Broken => "not kept",
    }
}

fn objectives(server: &ServerPlan) -> Table {
    let mut table = table(&["objective", "verdict", "figure", "from … to", "rests on"]);
    for judged in &server.objectives {
        let verdict = match judged.verdict {
            Verdict::Kept => "kept".to_owned(),
            Verdict::Open => "open".to_owned(),
            Verdict::Broken => format!("missed, {}×", digits(judged.used)),
        };
        let [value, range, basis] = told(judged.unit, &judged.figure);
        table.add_row([judged.clause.clone(), verdict, value, range, basis]);
    }
    table
}

/// Value, interval and basis of a figure.
fn told(unit: Unit, figure: &Figure) -> [String; 3] {
    // The unit of a rate stands beside the value.
    let end = |end: f64| match unit {
        Unit::PerSecond | Unit::PerDay => digits(end),
        _ => unit.text(end),
    };
    let range = figure.range.map(|range| format!("{} … {}", end(range.low), end(range.high)));
    [unit.text(figure.value), range.unwrap_or_default(), figure.basis_text()]
}

fn lengths(plan: &Plan) -> Table {
    let mut header = vec!["characters", "keys (closed form)"];
    header.extend(plan.servers.iter().map(|server| server.name.as_str()));
    let mut table = table(&header);
    let Some(first) = plan.servers.first() else { return table };
    for (index, length) in first.lengths.iter().enumerate() {
        let mut row = vec![length.key_length.to_string(), count(length.keys)];
        row.extend(plan.servers.iter().filter_map(|server| server.lengths.get(index)).map(standing));
        table.add_row(row);
    }
    table
}

/// How a length stands: what it misses first.
fn standing(length: &LengthRow) -> String {
    if !length.has_room {
        return "fewer keys than sessions".to_owned();
    }
    let not_kept: Vec<&Judged> = length.objectives.iter().filter(|judged| judged.verdict == length.verdict).collect();
    match (length.verdict, not_kept.first()) {
        (Verdict::Kept, _) | (_, None) => word(length.verdict).to_owned(),
        (_, Some(judged)) => {
            let [value, _, basis] = told(judged.unit, &judged.figure);
            format!("{}: {}, {value} ({basis})", word(length.verdict), judged.clause)
        }
    }
}

fn limits(server: &ServerPlan) -> Table {
    let mut table = table(&["as these grow", "at", "from … to", "what happens", "rests on"]);
    for limit in &server.limits {
        let [at, range, basis] = told(Unit::Count, &limit.at);
        table.add_row([limit.grows.name().to_owned(), at, range, happens(limit), basis]);
    }
    table
}

fn happens(limit: &Limit) -> String {
    let mark = match (limit.kind, limit.is_passed) {
        (_, true) => "passed already: ",
        (Kind::Objective, _) => "objective: ",
        (Kind::Limit | Kind::Unknown, _) => "",
    };
    format!("{mark}{}", limit.happens)
}

fn figures(server: &ServerPlan) -> Table {
    let mut table = table(&["figure", "value", "from … to", "rests on"]);
    for Row { name, unit, figure, unknown } in &server.figures {
        let [value, range, basis] = match figure {
            Some(figure) => told(*unit, figure),
            None => ["not known".to_owned(), String::new(), unknown.clone().unwrap_or_default()],
        };
        table.add_row([name.clone(), value, range, basis]);
    }
    table
}

fn simulation(simulated: &Simulated) -> String {
    let days = simulated.duration_s / 86_400.0;
    let mut compared = table(&["simulated", "simulation (simulated)", "plan (closed form, fitted)", "differs by"]);
    for row in &simulated.compared {
        let planned = row.planned.map_or_else(|| "not known".to_owned(), |planned| row.unit.text(planned));
        compared.add_row([row.name.clone(), row.unit.text(row.simulated), planned, percent(row.relative)]);
    }
    let mut checked = table(&["users, none pausing", "measured", "simulated", "differs by", "throughput there"]);
    for point in &simulated.checked {
        checked.add_row([
            count(f64::from(point.users)),
            Unit::PerSecond.text(point.measured_per_s),
            Unit::PerSecond.text(point.simulated_per_s),
            percent(Some(point.relative)),
            (if point.is_below_peak { "up to its peak" } else { "falls" }).to_owned(),
        ]);
    }
    format!(
        "\nSimulation of {}, {} characters: {} days, {} events, seed {}\n{compared}\n\n\
         The simulation against the measurement\n{checked}\n{}\n",
        simulated.server,
        simulated.key_length,
        digits(days),
        count(simulated.events as f64),
        simulated.seed,
        wrapped(&doubt(simulated))
    )
}

/// Why the simulation differs from the measurement.
fn doubt(simulated: &Simulated) -> String {
    format!(
        "At its peak the measured server works on {} requests at a time (fitted); the simulated one has whole cores, {}. It knows no cost \
         of many users either, so it does not fall where the measured one does.",
        digits(simulated.measured_cores),
        simulated.cores
    )
}

fn percent(relative: Option<f64>) -> String {
    relative.map_or_else(String::new, |relative| format!("{:+.1} %", relative * 100.0))
}

/// Lines of at most the width, broken between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > usize::from(WIDTH) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { " " };
            let _ = write!(line, "{gap}{word}");
        }
    }
    lines.join("\n")
}
