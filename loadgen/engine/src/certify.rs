//! Whether a run's figures may be believed: they are of the target only as long as the generator kept up. Pure.

use super::Measured;
use super::ceiling::Ceiling;
use record::figures::{OperationReport, Percentiles, Tally};
use record::run::Little;

/// A generator's thread that computes for more of its time than this cannot come to everything when it is to.
const MOST_BUSY: f64 = 0.9;

/// A run that comes nearer to the ceiling than this says how fast the generator is, not the target.
const MOST_OF_CEILING: f64 = 0.9;

/// How late the generator may be itself, at the 99th percentile, µs.
const MOST_LATE_US: u64 = 10_000;

/// The share of the planned arrivals that must have been taken up.
const LEAST_TAKEN: f64 = 0.99;

/// How far the number in flight, counted, may be from that worked out from the times.
const MOST_RESIDUAL: f64 = 0.02;

/// Little's law: the mean number of operations in flight, counted, against the sum of their times over the window.
#[must_use]
pub fn little(measured: &Measured) -> Little {
    let seconds = measured.window.seconds();
    let times = measured.tallies.iter().map(Tally::service_us);
    let in_service_s: f64 = times.map(|times| times.mean() * times.len() as f64 / 1e6).sum();
    Little::of(measured.in_flight_by_count, if seconds > 0.0 { in_service_s / seconds } else { 0.0 })
}

/// How the generator itself was held up, if it was, so that times are not the target's alone.
#[must_use]
pub fn why_held_up(measured: &Measured) -> Option<String> {
    why_busy(measured).or_else(|| why_late(measured))
}

fn why_busy(measured: &Measured) -> Option<String> {
    (measured.busiest_thread_share > MOST_BUSY).then(|| {
        format!(
            "the generator was the bottleneck: one of its {} threads was computing {:.0} % of the time (at most {:.0} %); \
             give it more --threads or a machine of its own, or ask for less",
            measured.threads,
            measured.busiest_thread_share * 100.0,
            MOST_BUSY * 100.0
        )
    })
}

fn why_late(measured: &Measured) -> Option<String> {
    let late = |name: &str, p99_us: u64| {
        format!(
            "the generator was late: {name} {:.1} ms at the 99th percentile (at most {:.0} ms); the machine was busy, or \
             it was asked for too much",
            p99_us as f64 / 1e3,
            MOST_LATE_US as f64 / 1e3
        )
    };
    let (slip_us, lag_us) = (Percentiles::of(&measured.slip_us).p99, Percentiles::of(&measured.lag_us).p99);
    if slip_us > MOST_LATE_US {
        Some(late("it sent operations late by", slip_us))
    } else {
        (lag_us > MOST_LATE_US).then(|| late("it came to answers late by", lag_us))
    }
}

/// What speaks against a run's figures, a sentence each; nothing where they may be believed.
#[must_use]
pub fn why_invalid(measured: &Measured, total: &OperationReport, users: u32, ceiling: Option<Ceiling>) -> Vec<String> {
    let mut why = Vec::new();
    if total.answered == 0 {
        why.push("no operation was answered within what was measured: there are no figures".to_owned());
    }
    why.extend(why_busy(measured));
    let answered_per_s = total.answered as f64 / measured.window.seconds().max(f64::MIN_POSITIVE);
    if let Some(ceiling) = ceiling
        && answered_per_s > MOST_OF_CEILING * ceiling.per_s
    {
        why.push(format!(
            "the generator was the bottleneck: {answered_per_s:.0} operations a second are more than {:.0} % of the {:.0} \
             that it can do at all",
            MOST_OF_CEILING * 100.0,
            ceiling.per_s
        ));
    }
    why.extend(why_late(measured));
    if let Some(arrivals) = measured.arrivals
        && (arrivals.taken as f64) < LEAST_TAKEN * arrivals.planned as f64
    {
        why.push(format!(
            "the planned rate was missed: {} of {} arrivals were taken up, as all {users} users were still waiting for \
             answers; give more --users, or a lower --rate",
            arrivals.taken, arrivals.planned
        ));
    }
    let little = little(measured);
    if little.residual.abs() > MOST_RESIDUAL {
        why.push(format!(
            "counts and times disagree: {:.2} operations in flight by count, {:.2} by their times: a fault of the generator",
            little.in_flight_by_count, little.in_flight_by_times
        ));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::super::Arrivals;
    use super::*;
    use record::figures::Took;
    use record::history::Judgement;
    use record::hlog::{new_histogram, record};
    use record::run::Window;

    /// Ten seconds of a hundred operations a second, each of 10 ms, on a generator at ease.
    fn good() -> Measured {
        let mut tallies = std::array::from_fn(|_| Tally::new());
        let took = Some(Took { response_us: 10_000, service_us: 10_000, is_timeout: false });
        (0..1_000).for_each(|_| tallies[0].count(took, Judgement::Verified));
        let of = |value_us| {
            let mut histogram = new_histogram();
            record(&mut histogram, value_us);
            histogram
        };
        Measured {
            window: Window { from_us: 0, to_us: 10_000_000 },
            is_partial: false,
            tallies,
            // As near to the limit as the three digits of a histogram tell apart.
            slip_us: of(9_990),
            lag_us: of(9_990),
            in_flight_by_count: 1.0,
            verified_by_user: [].into(),
            failed_by_user: [].into(),
            examples: Vec::new(),
            turns: None,
            arrivals: Some(Arrivals { planned: 1_000, taken: 990 }),
            threads: 2,
            cpu_s: 1.0,
            threads_cpu_s: 1.0,
            busiest_thread_share: 0.9,
            peak_rss_bytes: 0,
            rss_bytes_per_user: 0,
            history_bytes: 0,
            held: Vec::new(),
            keys_in_use: None,
        }
    }

    fn why(measured: &Measured, per_s: f64) -> Vec<String> {
        let ceiling = Some(Ceiling { per_s, cpu_us_per_operation: 10.0 });
        why_invalid(measured, &measured.tallies[0].report(), 7, ceiling)
    }

    /// What makes a good run worse, beside which ceiling, and what is said of it.
    type Beyond = (fn(&mut Measured), f64, &'static str);

    #[test]
    fn a_run_at_every_limit_is_valid_and_one_beyond_any_of_them_is_not() {
        assert_eq!(why(&good(), 112.0), Vec::<String>::new());
        let beyond: [Beyond; 8] = [
            (|run| run.busiest_thread_share = 0.91, 112.0, "one of its 2 threads was computing 91 %"),
            (|_| (), 110.0, "100 operations a second are more than 90 % of the 110"),
            (|run| record(&mut run.slip_us, 10_100), 112.0, "it sent operations late by 10.1 ms"),
            (|run| record(&mut run.lag_us, 10_100), 112.0, "it came to answers late by 10.1 ms"),
            (
                |run| run.arrivals = Some(Arrivals { planned: 1_000, taken: 989 }),
                112.0,
                "989 of 1000 arrivals were taken up, as all 7 users",
            ),
            (|run| run.in_flight_by_count = 1.03, 112.0, "counts and times disagree: 1.03"),
            (|run| run.in_flight_by_count = 0.97, 112.0, "counts and times disagree: 0.97"),
            (
                |run| {
                    run.tallies[0].clear();
                    run.in_flight_by_count = 0.0;
                },
                112.0,
                "no operation was answered",
            ),
        ];
        for (worsen, per_s, reason) in beyond {
            let mut run = good();
            worsen(&mut run);
            let why = why(&run, per_s);
            assert!(why.len() == 1 && why[0].contains(reason), "{reason}: {why:?}");
        }
    }

    #[test]
    fn only_the_generators_own_troubles_are_said_to_have_held_it_up() {
        assert_eq!(why_held_up(&Measured { arrivals: None, in_flight_by_count: 2.0, ..good() }), None);
        assert!(why_held_up(&Measured { busiest_thread_share: 1.0, ..good() }).is_some());
    }
}
