//! Capacity plans: which key length and which protocol keep the objectives, how far they carry, and what comes then.
//!
//! Everything rests on a measurement ([`record::measurements`]), laws fitted to it, closed forms ([`stats`]) and
//! the question; every number says on which. What is not known is refused rather than guessed.
//!
//! - `question.rs`, `objective.rs`: what is asked.
//! - `server.rs`, `key_time.rs`: what is known of a server.
//! - `figure.rs`: a number with what it rests on, or why there is none; `typical.rs`, `text.rs`: medians; printing.
//! - `forecast.rs`: what is so at one point.
//! - `judged.rs`: objectives held to that.
//! - `limits.rs`, `search.rs`: what is passed as sessions or users grow.
//! - `answer.rs`, `advice.rs`, `rows.rs`, `words.rs`: the plan of a server, and the answer.
//! - `simulated.rs`, `calibrate.rs`: the answer simulated, and the simulation held to the measurement.
//! - `file.rs`, `terminal.rs`: for machines and for people.
//!
//! Architecture invariant: pure; no socket, file, clock or randomness but a seed that is passed in.

mod advice;
mod answer;
pub mod calibrate;
pub mod figure;
pub mod file;
pub mod forecast;
pub mod judged;
mod key_time;
pub mod limits;
pub mod objective;
pub mod question;
mod rows;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
mod search;
pub mod server;
pub mod simulated;
pub mod terminal;
pub mod text;
mod typical;
mod words;

pub use answer::KEY_LENGTHS;
pub use file::Plan;
pub use question::Question;

use figure::Unknown;
use file::{Asked, SCHEMA, Source};
use record::measurements::{Measured, Measurements};
use server::Server;

/// Which of the measured servers are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// All that were measured.
    All,
    /// These, by name.
    Named(&'a [&'a str]),
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The question makes no sense.
    #[error("{0}")]
    Question(String),
    /// A server that is not in the measurements.
    #[error("{name} was not measured: the measurements are of {there}; `loadgen measure` makes them")]
    NotMeasured {
        /// Its name.
        name: String,
        /// What is there.
        there: String,
    },
    /// An objective about something that is not known.
    #[error("{server}: {why}")]
    NotKnown {
        /// Of which server.
        server: String,
        /// What is not known.
        why: Unknown,
    },
    /// The answer cannot be simulated.
    #[error("the answer cannot be simulated: {0}")]
    Simulation(String),
}

/// Makes a plan from measurements.
///
/// # Errors
/// Where the question makes no sense, a server was not measured, or an objective is about something that is not known.
pub fn plan(measurements: &Measurements, choice: Choice, question: &Question) -> Result<Plan, Refusal> {
    question.check().map_err(Refusal::Question)?;
    let chosen = chosen(measurements, choice)?;
    let servers: Vec<Server> = chosen.iter().map(|measured| Server::of(measured, question.seed)).collect();
    let plans = servers.iter().map(|server| {
        answer::plan_for(server, question).map_err(|why| Refusal::NotKnown { server: server.name.clone(), why })
    });
    let plans = plans.collect::<Result<Vec<_>, _>>()?;
    let Some(best) = answer::best(&plans) else { return Err(not_measured("any server", measurements)) };
    Ok(Plan {
        schema: SCHEMA.to_owned(),
        question: Asked::of(question),
        measured: Source::of(measurements),
        verdict: best.verdict,
        answer: words::answer(best, question),
        recommended: best.name.clone(),
        notes: words::notes(measurements, question, &plans),
        servers: plans,
        simulated: None,
    })
}

/// Simulates the recommended answer of a plan.
///
/// # Errors
/// Where it cannot be simulated.
pub fn simulate(measurements: &Measurements, question: &Question, plan: &mut Plan) -> Result<(), Refusal> {
    let measured = measurements.targets.iter().find(|measured| measured.name == plan.recommended);
    let (Some(measured), Some(best)) = (measured, plan.recommended()) else {
        return Err(not_measured(&plan.recommended, measurements));
    };
    let server = Server::of(measured, question.seed);
    let simulated = simulated::simulated(&server, question, best.key_length).map_err(Refusal::Simulation)?;
    plan.simulated = Some(simulated);
    Ok(())
}

fn chosen<'a>(measurements: &'a Measurements, choice: Choice) -> Result<Vec<&'a Measured>, Refusal> {
    let Choice::Named(names) = choice else { return Ok(measurements.targets.iter().collect()) };
    let find = |name: &&str| {
        let found = measurements.targets.iter().find(|measured| measured.name == *name);
        found.ok_or_else(|| not_measured(name, measurements))
    };
    names.iter().map(find).collect()
}

fn not_measured(name: &str, measurements: &Measurements) -> Refusal {
    let there: Vec<&str> = measurements.targets.iter().map(|measured| measured.name.as_str()).collect();
    let there = if there.is_empty() { "no server at all".to_owned() } else { there.join(" and ") };
    Refusal::NotMeasured { name: name.to_owned(), there }
}

impl Asked {
    fn of(question: &Question) -> Self {
        Self {
            sessions: question.sessions,
            users: question.users,
            session_life_s: question.life_s,
            objective: question.objective.to_string(),
            window_s: question.window_s,
            think_s: question.think_s,
            growth: question.growth,
            disk_bytes: question.disk_bytes,
            max_extrapolation: question.max_extrapolation,
            seed: question.seed,
        }
    }
}

impl Source {
    fn of(measurements: &Measurements) -> Self {
        Self {
            started: measurements.started.clone(),
            partial: measurements.partial,
            os: measurements.host.os.clone(),
            cpus: measurements.host.cpus,
        }
    }
}

#[cfg(test)]
mod tests;
