//! The answer in sentences, and what has to be known to judge it.

use super::file::ServerPlan;
use super::judged::Verdict;
use super::limits::{Grows, Headroom, Kind, Limit};
use super::question::Question;
use super::text::{count, digits};
use record::measurements::{Measured, Measurements, Users};

/// The longest key that the reference server can be started with.
const LONGEST_REFERENCE_KEY: u32 = 8;

/// The name of a server that is not the reference server.
const TARGET: &str = "target";

/// Two or three sentences.
pub(super) fn answer(best: &ServerPlan, question: &Question) -> String {
    let on = if best.name == TARGET { "target".to_owned() } else { format!("{} protocol", best.name) };
    let what = format!("Keys of {} characters on the {on}", best.key_length);
    let planned = question.planned(best.key_length);
    let load = format!("{} sessions and {} users", count(planned.sessions), count(planned.users));
    let first = match best.verdict {
        Verdict::Kept => format!("{what} keep every objective at {load}."),
        Verdict::Open => format!("{what} may keep every objective at {load}: the measurements leave it open."),
        Verdict::Broken => format!("No key length keeps every objective at {load}. {what} come nearest."),
    };
    let not_kept = best.objectives.iter().filter(|judged| judged.verdict != Verdict::Kept);
    let mut sentences = vec![first];
    sentences.extend(not_kept.map(|judged| format!("{}.", judged.text())));
    if best.verdict != Verdict::Broken {
        sentences.push(growth(best, Grows::Sessions, &best.sessions_headroom));
        sentences.push(growth(best, Grows::Users, &best.users_headroom));
    }
    sentences.join(" ")
}

/// How far one of them can grow, what ends it, and what comes next.
fn growth(plan: &ServerPlan, grows: Grows, headroom: &Headroom) -> String {
    let mut ahead = plan.limits.iter().filter(|limit| limit.grows == grows && !limit.is_passed);
    let (Some(times), Some(first)) = (headroom.times, ahead.next()) else {
        return format!("Nothing that is looked at ends the growth of {}.", grows.name());
    };
    let name = if grows == Grows::Sessions { "Sessions" } else { "Users" };
    let or_more = if headroom.at_least { " or more" } else { "" };
    let next = ahead.find(|limit| limit.kind != Kind::Unknown).map(|limit| format!("; next, {}", passing(limit)));
    format!("{name} can grow {} times{or_more}: {}{}.", digits(times), passing(first), next.unwrap_or_default())
}

/// Where something is passed, and what happens there.
fn passing(limit: &Limit) -> String {
    match limit.kind {
        Kind::Unknown => limit.happens.clone(),
        Kind::Objective | Kind::Limit => {
            format!("at {} {}, {}", count(limit.at.value), limit.grows.name(), limit.happens)
        }
    }
}

/// What the measurements and the answers leave to be said.
pub(super) fn notes(measurements: &Measurements, question: &Question, plans: &[ServerPlan]) -> Vec<String> {
    let mut notes: Vec<String> = too_few_users(question).into_iter().collect();
    if measurements.partial {
        notes.push("The measurements were interrupted: what is missing from them is not known.".to_owned());
    }
    for plan in plans {
        if plan.key_length > LONGEST_REFERENCE_KEY && plan.name != TARGET {
            notes.push(format!(
                "{}: the reference server takes keys of 3 to {LONGEST_REFERENCE_KEY} characters; {} need another.",
                plan.name, plan.key_length
            ));
        }
        if plan.key_length != 3 {
            notes.push(format!(
                "{}: 3 characters were measured; of {} attempts follow by closed form from the fill, and times by the same \
                 line over attempts.",
                plan.name, plan.key_length
            ));
        }
        let measured = measurements.targets.iter().find(|measured| measured.name == plan.name);
        notes.extend(measured.and_then(held_out));
        if plan.name == TARGET {
            notes.push(
                "target: nothing measured tells whether it reserves keys; the risk of a shared session is from 0 to that \
                 without a reservation."
                    .to_owned(),
            );
        }
    }
    notes
}

/// What a session takes at least: generate-key, instantiate, restore.
const OPERATIONS_OF_A_SESSION: f64 = 3.0;

/// Whether the users cannot even open the sessions that are asked for.
fn too_few_users(question: &Question) -> Option<String> {
    let asked_per_s = f64::from(question.users) / question.think_s;
    let needed_per_s = OPERATIONS_OF_A_SESSION * question.sessions as f64 / question.life_s;
    (needed_per_s > asked_per_s).then(|| {
        format!(
            "{} users with such pauses make {} operations a second (assumed); as many sessions of that life take {}, three each, to be \
             opened alone. Goodput and utilisation are those of the users: give more of them, shorter pauses or a longer life.",
            count(f64::from(question.users)),
            digits(asked_per_s),
            digits(needed_per_s)
        )
    })
}

/// How far the laws were off where they were tried.
fn held_out(measured: &Measured) -> Option<String> {
    let worst = |errors: Vec<f64>| errors.into_iter().map(f64::abs).max_by(f64::total_cmp);
    let of_fills = measured.fills.iter().filter_map(|fill| {
        let predicted = fill.predicted?;
        fill.mean_attempts().map(|mean| mean / predicted.mean_attempts - 1.0)
    });
    let of_users = measured.users.iter().filter_map(Users::goodput_error);
    let of_lists = measured
        .folders
        .iter()
        .filter_map(|folder| folder.predicted_list_p50_us.map(|predicted| folder.list_us.p50 as f64 / predicted - 1.0));
    let told = [
        ("attempts", worst(of_fills.collect())),
        ("goodput", worst(of_users.collect())),
        ("time of a list", worst(of_lists.collect())),
    ];
    let told = told.into_iter().filter_map(|(what, worst)| Some(format!("{what} by up to {:.0} %", worst? * 100.0)));
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| {
        format!("{}: where it was tried on points held out, the model was off in {}.", measured.name, told.join(", "))
    })
}
