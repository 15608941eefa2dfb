//! Targets that do not respond for a time, and what is counted of it.

use super::*;
use record::run::Turns;

/// Five users who each take a turn of 1 ms, for 20 s, of which the target does not respond for some.
fn with_outage(pacing: Pacing, outage_us: Range<u64>, patience_us: u64) -> Measured {
    let plan =
        Plan { think: "9ms".parse().expect("a think time"), ..plan(Scenario::Mixed, 5, closed(5, 20 * S, pacing)) };
    carry_out_on(None, plan, (SERVICE_US, outage_us, patience_us), honest)
}

fn turns(measured: &Measured) -> Turns {
    measured.turns.expect("a closed load")
}

#[test]
fn without_an_outage_no_turn_is_missed() {
    let measured = with_outage(Pacing::Think, 0..0, S);
    assert_eq!(turns(&measured), Turns { taken: total(&measured).sent, missed: 0 });
    let stalled = with_outage(Pacing::Think, STALL_US, u64::MAX);
    assert_eq!(turns(&stalled).missed, 0, "every request got a response, late as it was");
}

/// Regression: users pause for 1 s after a request without a response, so a target that was down for 1 s of 4 showed as
/// 12 errors of 4,360, and one that was dead for 3 s of 5 as 80 of 59,789.
#[test]
fn turns_that_users_do_not_get_to_are_missed() {
    let measured = with_outage(Pacing::Think, 10 * S..15 * S, 0);
    // Each is refused at once, once more after 9 ms, and then every 1,009 ms. A turn takes 10 ms.
    let report = total(&measured);
    assert_eq!((report.error_count(), report.timed_out), (30, 0));
    let Turns { taken, missed } = turns(&measured);
    assert_eq!(taken, report.sent);
    assert!(
        (2_495..=2_500).contains(&missed),
        "5 users × 5 × 1,009 ms in turns of 10 ms, less 30 that were taken: {missed}"
    );
    // Until the end of the run, and no further.
    let dead = turns(&with_outage(Pacing::Think, 15 * S..60 * S, 0));
    assert!((2_470..=2_500).contains(&dead.missed), "5 users × 5 s in turns of 10 ms, less 30: {dead:?}");
}

/// Regression: with a single user, one lost connection in 24,366 requests made 11.7 % of the turns count as missed: they
/// were those of the user's own pause.
#[test]
fn a_single_lost_connection_misses_no_turn() {
    let plan = Plan {
        think: "9ms".parse().expect("a think time"),
        ..plan(Scenario::Mixed, 1, closed(1, 20 * S, Pacing::Think))
    };
    let measured = carry_out_on(None, plan, (SERVICE_US, 10 * S..10 * S + 5 * MS, 0), honest);
    assert_eq!((total(&measured).error_count(), turns(&measured).missed), (1, 0));
}

#[test]
fn a_user_who_waits_beyond_the_end_misses_turns_until_the_end() {
    let Turns { missed, .. } = turns(&with_outage(Pacing::Think, 15 * S..60 * S, 10 * S));
    assert!((2_490..=2_510).contains(&missed), "5 users × 5 s in turns of 10 ms: {missed}");
}

/// Regression: users who waited for a connection until they gave up were in no percentile.
#[test]
fn a_connection_that_is_not_made_in_time_is_a_timeout() {
    let nobody = |_: &Request, _| Err(Failure::NoConnection(Duration::from_millis(1)));
    let plan = plan(Scenario::Mixed, 1, closed(1, 5 * S, Pacing::Think));
    let report = total(&carry_out_on(None, plan, (SERVICE_US, 0..0, u64::MAX), nobody));
    assert!(report.sent > 0 && report.timed_out == report.sent, "{report:?}");
    assert_eq!(report.service_us.lower_bounds_from, Some(SERVICE_US));
}

#[test]
fn waiting_in_vain_misses_turns_as_well() {
    let measured = with_outage(Pacing::Think, 10 * S..13 * S, 2 * S);
    let report = total(&measured);
    assert_eq!((report.timed_out, report.error_count()), (5, 5));
    assert_eq!(report.service_us.lower_bounds_from, Some(2 * S));
    let Turns { missed, .. } = turns(&measured);
    // Turns that waited for the end of the stall make the mean a little longer.
    assert!((900..=1_005).contains(&missed), "5 users waited 2 s, and paused for no time: {missed}");
}

#[test]
fn by_their_own_clock_users_catch_up_unless_the_run_is_over() {
    let pace = Pacing::Pace(10 * MS);
    let caught_up = with_outage(pace, 10 * S..11 * S, u64::MAX);
    assert_eq!(turns(&caught_up), Turns { taken: total(&caught_up).sent, missed: 0 });
    assert_eq!(
        turns(&with_outage(pace, 15 * S..60 * S, u64::MAX)).missed,
        0,
        "they got their responses, late as they were"
    );
    let dead = with_outage(pace, 15 * S..60 * S, 10 * S);
    let Turns { taken, missed } = turns(&dead);
    assert!((9_990..=10_000).contains(&(taken + missed)) && missed > 2_400, "{taken} {missed}");
}

#[test]
fn what_timed_out_is_in_flight_until_then() {
    let measured = with_outage(Pacing::Think, 10 * S..13 * S, 2 * S);
    let little = certify::little(&measured);
    assert!(little.residual.abs() < 0.01, "{little:?}");
    assert_eq!(why_invalid(&measured), Vec::<String>::new());
}
