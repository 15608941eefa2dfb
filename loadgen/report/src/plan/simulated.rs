//! The answer, simulated beside the closed forms.

use super::calibrate::Checked;
use super::figure::Known;
use super::forecast::Forecast;
use super::objective::{Operation as Timed, Quantile};
use super::question::Question;
use super::server::{ALPHABET, Server};
use super::text::Unit;
use serde::Serialize;
use stats::keys::KeySpace;
use stats::simulation::{Count, Distribution, Initial, Operation, Outcome, Parameters, simulate};

/// Events of one simulation, by estimate: some fifteen seconds of a core. The estimate is of two events an operation, and
/// so never half of what comes: a hundred million are never reached.
const MOST_EVENTS: f64 = 5e7;

/// The part of the simulated time before anything is counted.
const WARM_UP_SHARE: f64 = 0.05;

/// Saves of a visit, at most; a session of more has more visits.
const MOST_SAVES: f64 = 60_000.0;

/// Operations of a session besides its saves: generate-key, instantiate, restore.
const OTHER_OPERATIONS: f64 = 3.0;

/// A simulation of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    /// Of this server.
    pub server: String,
    /// With keys of so many characters.
    pub key_length: u32,
    /// What all draws came from.
    pub seed: u64,
    /// Simulated time that was counted, in seconds.
    pub duration_s: f64,
    /// Events that it took.
    pub events: u64,
    /// Requests that the measured server works on at a time at its peak.
    pub measured_cores: f64,
    /// The simulated server's: whole ones.
    pub cores: u32,
    /// What came of it beside what the closed forms say.
    pub compared: Vec<Compared>,
    /// Throughput of the measured numbers of users, simulated.
    pub checked: Vec<Checked>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// What came of the simulation.
    pub simulated: f64,
    /// What the plan says; none where it is not known.
    pub planned: Option<f64>,
    /// Simulated above planned, as a share of planned; none where that is 0 or not known.
    pub relative: Option<f64>,
}

/// Simulates one key length on a server at the planned point.
///
/// # Errors
/// A sentence that says why it cannot be.
pub fn simulated(server: &Server, question: &Question, key_length: u32) -> Result<Simulated, String> {
    let forecast = Forecast { server, question, at: question.planned(key_length) };
    let parameters = parameters(&forecast)?;
    let outcome = simulate(&parameters, question.seed)?;
    let (measured_cores, cores) = server.parallel()?;
    Ok(Simulated {
        measured_cores,
        cores,
        server: server.name.clone(),
        key_length,
        seed: question.seed,
        duration_s: outcome.duration_s,
        events: outcome.events,
        compared: compared(&forecast, &parameters, &outcome),
        checked: server.check_simulation(question.seed)?,
    })
}

/// Users who open as many sessions as keep the folder at its size, and in each make as many operations as they ask for.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers brought into their range")]
fn parameters(forecast: &Forecast) -> Result<Parameters, String> {
    let (question, at) = (forecast.question, forecast.at);
    let calibration = forecast.server.calibration(question.window_s)?;
    let keys = KeySpace { alphabet: ALPHABET, length: at.key_length };
    let mut parameters = calibration.parameters(keys, forecast.server.protocol(), at.users as u32);
    let goodput_per_s = forecast.goodput_expected().map_err(|why| why.to_string())?.value;
    let session_s = at.users * question.life_s / at.sessions;
    let operations = (session_s * goodput_per_s / at.users - OTHER_OPERATIONS).max(0.0);
    let visits = (operations / MOST_SAVES).ceil().clamp(1.0, MOST_SAVES);
    let users = &mut parameters.users;
    users.saves = Count::Fixed((operations / visits).round().min(MOST_SAVES) as u16);
    users.visits = Count::Fixed(visits as u16);
    users.save_spacing_s = Distribution::Exponential(question.think_s);
    users.away_s = Distribution::Exponential(question.think_s);
    let busy_s = question.window_s + visits * users.saves.mean() * at.users / goodput_per_s;
    users.think_s = Distribution::Exponential((session_s - busy_s).max(0.0));
    users.session_life_s = Distribution::Fixed(question.life_s);
    parameters.initial = Initial { documents: (at.sessions - at.users).max(0.0) as u64, ages: true };
    let openings_per_s = at.sessions / question.life_s;
    let span_s = (MOST_EVENTS / (2.0 * (goodput_per_s + openings_per_s))).min(question.life_s);
    parameters.warm_up_s = span_s * WARM_UP_SHARE;
    parameters.duration_s = span_s - parameters.warm_up_s;
    Ok(parameters)
}

fn compared(forecast: &Forecast, parameters: &Parameters, outcome: &Outcome) -> Vec<Compared> {
    let key_time = outcome.operation(Operation::GenerateKey).and_then(|keys| keys.response);
    let sum: f64 = outcome.operations.iter().map(|operation| operation.throughput_per_s).sum();
    let documents = outcome.fill.last().map_or(parameters.initial.documents, |sample| sample.used_keys);
    let risk = -(-outcome.shared_sessions_expected_per_day).exp_m1();
    let time = |quantile| forecast.time_us(Timed::GenerateKey, quantile);
    let mut rows = vec![
        row("documents at the end", Unit::Count, documents as f64, Some(forecast.at.sessions)),
        row("attempts of a request, mean", Unit::Times, outcome.attempts.mean, value(&forecast.mean_attempts())),
        row("requests for a key answered 503", Unit::Share, outcome.exhausted.share(), value(&forecast.refused())),
        row("a shared session, chance", Unit::PerDay, risk, Some(forecast.shared_risk_a_day().value)),
        row("goodput", Unit::PerSecond, sum, value(&forecast.goodput_expected())),
        row("utilisation", Unit::Share, outcome.utilisation, value(&forecast.utilisation())),
    ];
    if let Some(response) = key_time {
        let times =
            [(Quantile::Mean, response.mean_us), (Quantile::P50, response.p50_us), (Quantile::P99, response.p99_us)];
        rows.extend(times.map(|(quantile, us)| {
            let name = format!("generate-key {}", quantile.name());
            row(&name, Unit::Microseconds, us, value(&time(quantile)))
        }));
    }
    rows
}

fn value(known: &Known) -> Option<f64> {
    known.as_ref().ok().map(|figure| figure.value)
}

/// Below this a share is nothing that a simulation could count.
const NOTHING: f64 = 1e-15;

fn row(name: &str, unit: Unit, simulated: f64, planned: Option<f64>) -> Compared {
    let relative = planned.filter(|planned| *planned > NOTHING).map(|planned| simulated / planned - 1.0);
    Compared { name: name.to_owned(), unit, simulated, planned, relative }
}

#[cfg(test)]
mod tests;
