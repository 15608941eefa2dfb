//! The figures that a plan tells, whatever its objectives.

use super::figure::Basis::{Assumed, ClosedForm};
use super::figure::{Figure, Known};
use super::file::Row;
use super::forecast::Forecast;
use super::objective::{Operation, Quantile};
use super::text::Unit;

/// All figures of a point, in the order in which they are read.
pub(super) fn rows(forecast: &Forecast) -> Vec<Row> {
    let keys = Figure::of(forecast.space().size(), &[ClosedForm]);
    let mut rows = assumptions(forecast);
    rows.extend([
        row("keys that there are", Unit::Count, Ok(keys)),
        row("share of them in use", Unit::Share, Ok(Figure::of(forecast.fill(), &[ClosedForm]))),
        row("attempts of a request, mean", Unit::Times, forecast.mean_attempts()),
        row("attempts of a request, p99", Unit::Times, forecast.p99_attempts()),
        row("requests for a key answered 503", Unit::Share, forecast.refused()),
        row("a shared session, chance", Unit::PerDay, Ok(forecast.shared_risk_a_day())),
        row("a shared session if all users start at once", Unit::Share, Ok(forecast.shared_at_once())),
        row("guesses until a session is hit", Unit::Count, Ok(forecast.guesses())),
    ]);
    rows.extend(times(forecast));
    rows.extend(load(forecast));
    rows.extend([
        row("list p50", Unit::Microseconds, forecast.list_us()),
        row("space on the disk", Unit::Bytes, forecast.disk_bytes()),
    ]);
    rows
}

fn assumptions(forecast: &Forecast) -> Vec<Row> {
    let question = forecast.question;
    let assumed = |name: &str, unit: Unit, value: f64| row(name, unit, Ok(Figure::of(value, &[Assumed])));
    vec![
        assumed("sessions", Unit::Count, forecast.at.sessions),
        assumed("users", Unit::Count, forecast.at.users),
        assumed("life of a session, days", Unit::Times, question.life_s / 86_400.0),
        assumed("from key to document, mean", Unit::Microseconds, question.window_s * 1e6),
        assumed("pause between a user's operations", Unit::Microseconds, question.think_s * 1e6),
    ]
}

fn times(forecast: &Forecast) -> Vec<Row> {
    let all = [Quantile::P50, Quantile::P99].map(|quantile| (Operation::GenerateKey, quantile));
    let others = Operation::ALL.into_iter().skip(1).map(|operation| (operation, Quantile::P99));
    let time = |(operation, quantile): (Operation, Quantile)| {
        let name = format!("{} {}", operation.name(), quantile.name());
        row(&name, Unit::Microseconds, forecast.time_us(operation, quantile))
    };
    all.into_iter().chain(others).map(time).collect()
}

fn load(forecast: &Forecast) -> Vec<Row> {
    let mut rows = vec![
        row("goodput needed", Unit::PerSecond, forecast.goodput_expected()),
        row("utilisation: share of the peak's", Unit::Share, forecast.utilisation()),
        row("goodput if no user pauses", Unit::PerSecond, forecast.goodput_at_once()),
    ];
    if let Some((users, measured)) = forecast.goodput_measured() {
        rows.push(row(&format!("the same, measured at {users} users"), Unit::PerSecond, Ok(measured)));
    }
    rows
}

fn row(name: &str, unit: Unit, known: Known) -> Row {
    let (figure, unknown) = match known {
        Ok(figure) => (Some(figure), None),
        Err(why) => (None, Some(why.to_string())),
    };
    Row { name: name.to_owned(), unit, figure, unknown }
}
