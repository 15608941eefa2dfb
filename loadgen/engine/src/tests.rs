//! The engine on a scripted client and a clock that only goes on when everybody waits: latencies are exact, and no
//! test depends on how fast the machine is.

mod answers;
mod outages;

use super::ceiling::{Store, envelope};
use super::certify;
use super::time::Time;
use super::user::Common;
use super::worker::{Assignment, Worker};
use super::{Arrivals as Taken, Gathered, Hold, Measured};
use crate::client::Target;
use crate::client::wire::Client;
use crate::scenario::{Arrivals, Load, Mix, Pacing, Plan, Scenario, Shape, Sizes, Think};
use contract::{Failure, Operation};
use contract::{Head, Reply, Request};
use record::figures::{OperationReport, Percentiles, Tally};
use record::run::Window;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

const MS: u64 = 1_000;
const S: u64 = 1_000_000;

/// The runtime's own clock, stopped: it goes on to the next moment that somebody waits for.
#[derive(Clone)]
struct PausedTime {
    origin: Instant,
    called_off: Rc<(Cell<bool>, Notify)>,
}

impl Time for PausedTime {
    fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).expect("a time")
    }

    async fn until(&self, at_us: u64) {
        let (is_called_off, news) = &*self.called_off;
        let called_off = news.notified();
        if !is_called_off.get() {
            tokio::select! {
                () = sleep_until(self.origin + Duration::from_micros(at_us)) => {}
                () = called_off => {}
            }
        }
    }

    fn call_off(&self) {
        self.called_off.0.set(true);
        self.called_off.1.notify_waiters();
    }
}

/// How a server behaves besides keeping documents.
type Twist = fn(&Request, Reply) -> Result<Reply, Failure>;

/// A server in memory with exact times.
#[derive(Clone)]
struct Script {
    store: Arc<Mutex<Store>>,
    origin: Instant,
    service_us: u64,
    /// What comes in then is answered as if it had come at the end.
    stall_us: Range<u64>,
    /// How long its users wait; those that wait for nothing are refused a connection.
    patience_us: u64,
    twist: Twist,
}

impl Script {
    /// When a request is answered that comes in at a time.
    fn answered_us(&self, call_us: u64) -> u64 {
        (if self.stall_us.contains(&call_us) { self.stall_us.end } else { call_us }) + self.service_us
    }
}

impl Client for Script {
    async fn connect(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn send(&mut self, request: Request) -> Result<Reply, Failure> {
        let now_us = u64::try_from(self.origin.elapsed().as_micros()).expect("a time");
        let wait_us = self.answered_us(now_us) - now_us;
        if wait_us > self.service_us.max(self.patience_us) {
            sleep(Duration::from_micros(self.patience_us)).await;
            return Err(match self.patience_us {
                0 => Failure::CannotConnect("refused".to_owned()),
                _ => Failure::TimedOut(Duration::from_micros(self.patience_us)),
            });
        }
        sleep(Duration::from_micros(wait_us)).await;
        let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
        let mut store = self.store.lock().expect("not poisoned");
        let data = store.answer(&request.method, path, query, &request.body);
        let status = if data.is_some() { 200 } else { 404 };
        (self.twist)(&request, Reply { status, attempts: None, head: Head::default(), body: envelope(data.as_deref()) })
    }
}

fn plan(scenario: Scenario, users: u32, load: Load) -> Plan {
    Plan { seed: 7, scenario, users, load, think: Think::None, sizes: Sizes::default(), mix: only("restore=1") }
}

fn only(mix: &str) -> Mix {
    mix.parse().expect("a mix")
}

fn closed(users: u32, duration_us: u64, pacing: Pacing) -> Load {
    Load::Closed { stages: Shape::constant(f64::from(users), duration_us), pacing }
}

fn open(rate_per_s: f64, duration_us: u64) -> Load {
    Load::Open { stages: Shape::constant(rate_per_s, duration_us), arrivals: Arrivals::Constant }
}

/// When the plan starts on the clock: long after the users are ready.
const START_US: u64 = S;

/// Carries a plan out on one worker. A stall is counted from the plan's start.
fn carry_out(plan: Plan, service_us: u64, stall_us: Range<u64>, twist: Twist) -> Measured {
    carry_out_on(None, plan, (service_us, stall_us, u64::MAX), twist)
}

/// The same on a target with this many keys in use, if known, whose users wait for the last of the times.
fn carry_out_on(
    keys_in_use: Option<usize>,
    plan: Plan,
    (service_us, stall_us, patience_us): (u64, Range<u64>, u64),
    twist: Twist,
) -> Measured {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build_local(<_>::default()).expect("a runtime");
    let (out, intervals) = channel();
    let (_back, emptied) = channel();
    let window = Window { from_us: START_US + plan.warm_up_us(), to_us: START_US + plan.end_us() };
    let end_us = Arc::new(AtomicU64::new(window.to_us));
    let target = Target::new("http://127.0.0.1:9", "/{op}").expect("a target");
    let plan = Arc::new(plan);
    let common = Common::new(Arc::new(target), true, None, plan.seed).with_keys_in_use(keys_in_use);
    let common = Arc::new(common);
    let assigned = (Arc::clone(&plan), Arc::clone(&common));
    runtime.block_on(async move {
        let (plan, common) = assigned;
        let assignment = Assignment { plan, common, shard: 0, shards: 1, history: None, out, emptied, end_us };
        let origin = Instant::now();
        let time = PausedTime { origin, called_off: Rc::default() };
        let stall_us = START_US + stall_us.start..START_US + stall_us.end;
        let script = Script { store: Arc::default(), origin, service_us, stall_us, patience_us, twist };
        let worker = Worker::set_up(assignment, time, |_| script.clone()).await;
        worker.run(START_US, window).await;
    });
    let mut gathered = Gathered::new(std::time::Instant::now(), START_US, window);
    intervals.iter().for_each(|interval| drop(gathered.take(interval, 1, &mut |_| ())));
    let mut measured = gathered.measured(&plan, 1, window.to_us);
    measured.held = common.keys.held();
    measured
}

#[allow(clippy::unnecessary_wraps, reason = "others have no answer")]
fn honest(_: &Request, reply: Reply) -> Result<Reply, Failure> {
    Ok(reply)
}

fn tally(measured: &Measured, operation: Operation) -> &Tally {
    &measured.tallies[operation as usize]
}

fn total(measured: &Measured) -> OperationReport {
    let mut total = Tally::new();
    measured.tallies.iter().for_each(|tally| total.merge(tally));
    total.report()
}

fn why_invalid(measured: &Measured) -> Vec<String> {
    certify::why_invalid(measured, &total(measured), 5, None)
}

/// The value below which that share of the values lies.
fn quantile(values: &[u64], share: f64) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn is_within_two_percent(measured: Percentiles, expected: &[u64]) {
    for (measured, share) in [(measured.p50, 0.5), (measured.p90, 0.9), (measured.p99, 0.99), (measured.p99_9, 0.999)] {
        let expected = quantile(expected, share);
        let differs = (measured as f64 - expected as f64).abs() / expected as f64;
        assert!(differs <= 0.02, "{share}: {measured} µs measured, {expected} µs by arithmetic");
    }
}

const SERVICE_US: u64 = MS;
const STALL_US: Range<u64> = 5 * S..6 * S;

/// Response and service times of a user whose operations are meant to be sent at these times, by arithmetic: each is
/// sent when it is meant to be and the one before is answered, and what is sent in the stall is served after it.
fn by_arithmetic(meant_us: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut free_us = 0;
    meant_us
        .map(|meant_us| {
            let sent_us = meant_us.max(free_us);
            free_us = if STALL_US.contains(&sent_us) { STALL_US.end } else { sent_us } + SERVICE_US;
            (free_us - meant_us, free_us - sent_us)
        })
        .collect()
}

/// A stall of one second in twenty, under 100 arrivals a second, of which five users send every fifth.
#[test]
fn an_open_load_counts_the_wait_of_those_who_could_not_even_ask() {
    let measured = carry_out(plan(Scenario::Mixed, 5, open(100.0, 20 * S)), SERVICE_US, STALL_US, honest);
    let expected: Vec<(u64, u64)> = (0..5)
        .flat_map(|user| by_arithmetic((0..400).map(move |turn| 5 * MS + user * 10 * MS + turn * 50 * MS)))
        .collect();
    let (response, service): (Vec<u64>, Vec<u64>) = expected.into_iter().unzip();
    let report = tally(&measured, Operation::Restore).report();
    assert_eq!((report.sent, report.verified), (2_000, 2_000));
    is_within_two_percent(report.response_us, &response);
    is_within_two_percent(report.service_us, &service);
    // Five requests in two thousand were long by themselves: whoever looks at those sees nothing of the stall.
    assert_eq!(report.service_us.p99, SERVICE_US);
    assert!(report.response_us.p99 > 700 * MS, "{:?}", report.response_us);
    // Nobody waited by the generator's doing.
    assert_eq!(Percentiles::of(&measured.slip_us).max, 0);
    assert_eq!(measured.arrivals, Some(Taken { planned: 2_000, taken: 2_000 }));
    assert_eq!(why_invalid(&measured), Vec::<String>::new());
}

/// The same stall, under five users who each send twenty times a second by their own clock.
#[test]
fn a_closed_load_at_a_pace_counts_it_too() {
    let measured =
        carry_out(plan(Scenario::Mixed, 5, closed(5, 20 * S, Pacing::Pace(50 * MS))), SERVICE_US, STALL_US, honest);
    let expected: Vec<(u64, u64)> =
        (0..5).flat_map(|user| by_arithmetic((0..400).map(move |turn| user * 10 * MS + turn * 50 * MS))).collect();
    let (response, service): (Vec<u64>, Vec<u64>) = expected.into_iter().unzip();
    let report = tally(&measured, Operation::Restore).report();
    assert_eq!(report.sent, 2_000);
    is_within_two_percent(report.response_us, &response);
    assert_eq!((report.service_us.p99, quantile(&service, 0.99)), (SERVICE_US, SERVICE_US));
    assert!(report.response_us.p99 > 700 * MS, "{:?}", report.response_us);
    assert_eq!(why_invalid(&measured), Vec::<String>::new());
}

/// Users who think after each answer ask less while nothing is answered: there each one's wait is all there is to see.
#[test]
fn a_closed_load_with_think_time_waits_once_for_each_user() {
    let load = closed(5, 20 * S, Pacing::Think);
    let plan = Plan { think: "49ms".parse().expect("a think time"), ..plan(Scenario::Mixed, 5, load) };
    let measured = carry_out(plan, SERVICE_US, STALL_US, honest);
    let report = tally(&measured, Operation::Restore).report();
    let (mut at_us, mut expected) = (0, Vec::new());
    while at_us < 20 * S {
        let [(response_us, _)] = by_arithmetic([at_us].into_iter())[..] else { unreachable!("one") };
        expected.extend([response_us; 5]);
        at_us += response_us + 49 * MS;
    }
    assert_eq!(report.sent, expected.len() as u64);
    is_within_two_percent(report.response_us, &expected);
    assert_eq!(report.response_us, report.service_us);
    assert_eq!(report.response_us.max / S, 1);
}

#[test]
fn what_is_in_flight_by_count_is_that_by_times_through_a_stall_and_without_answers() {
    let no_deletes = |request: &Request, reply| {
        let is_delete = request.uri.path().starts_with("/delete");
        if is_delete { Err(Failure::TimedOut(Duration::from_secs(10))) } else { Ok(reply) }
    };
    let measured = carry_out(plan(Scenario::Churn, 5, closed(5, 10 * S, Pacing::Think)), 10 * MS, STALL_US, no_deletes);
    let little = certify::little(&measured);
    assert!(little.in_flight_by_times > 0.5 && little.residual.abs() < 0.001, "{little:?}");
}

#[test]
fn a_rate_that_the_users_cannot_keep_up_is_missed_and_says_so() {
    let measured = carry_out(plan(Scenario::Mixed, 5, open(1_000.0, 5 * S)), 10 * MS, 0..0, honest);
    let arrivals = measured.arrivals.expect("an open load");
    assert_eq!(arrivals.planned, 5_000);
    assert!((2_490..=2_510).contains(&arrivals.taken), "{arrivals:?}");
    let why = why_invalid(&measured);
    assert!(why.len() == 1 && why[0].contains("the planned rate was missed") && why[0].contains("--users"), "{why:?}");
}

#[test]
fn the_warm_up_is_left_out_of_the_figures() {
    let stages = Shape::constant(5.0, 10 * S).after_warm_up(10 * S);
    let load = Load::Closed { stages, pacing: Pacing::Pace(100 * MS) };
    let measured = carry_out(plan(Scenario::Mixed, 5, load), SERVICE_US, STALL_US, honest);
    let report = tally(&measured, Operation::Restore).report();
    assert_eq!((report.sent, report.response_us.max), (500, SERVICE_US), "the stall was in the warm-up");
    assert_eq!(tally(&measured, Operation::Instantiate).report().sent, 0, "sessions were opened before");
}

/// A server that answers every restore with the first state that it ever saw.
#[test]
fn wrong_answers_are_counted_by_name_and_are_no_goodput() {
    static FIRST: Mutex<Option<Reply>> = Mutex::new(None);
    let stale = |request: &Request, reply: Reply| {
        let is_restore = request.uri.path().starts_with("/restore");
        let mut first = FIRST.lock().expect("not poisoned");
        Ok(if is_restore { first.get_or_insert(reply).clone() } else { reply })
    };
    let load = closed(1, S, Pacing::Think);
    let plan = Plan { mix: only("restore=1,save=1"), ..plan(Scenario::Mixed, 1, load) };
    let report = tally(&carry_out(plan, 10 * MS, 0..0, stale), Operation::Restore).report();
    assert_eq!(report.wrong.keys().collect::<Vec<_>>(), ["stale read"]);
    assert!(report.verified < 5 && report.verified + report.wrong_count() == report.sent, "{report:?}");
}

#[test]
fn a_user_without_an_answer_asks_again_a_second_later_and_the_client_three_times() {
    let nobody = |_: &Request, _| Err(Failure::CannotConnect("refused".to_owned()));
    let measured = carry_out(plan(Scenario::Journey, 1, closed(1, 10 * S, Pacing::Think)), MS, 0..0, nobody);
    let report = tally(&measured, Operation::GenerateKey).report();
    assert_eq!((report.answered, report.error_count()), (0, report.sent));
    // Three times at first; again when the user comes back, 4 and 8 s later or so.
    assert!((5..=7).contains(&report.sent), "{report:?}");
    assert!(why_invalid(&measured)[0].contains("no operation was answered"));
}

#[test]
fn what_users_hold_at_the_end_is_known() {
    let measured = carry_out(plan(Scenario::Journey, 3, closed(3, 10 * S, Pacing::Think)), MS, 0..0, honest);
    assert_eq!(measured.held.len(), 3);
    let churned = carry_out(plan(Scenario::Churn, 3, closed(3, S, Pacing::Think)), MS, 0..0, honest);
    assert!(churned.held.len() <= 3 && tally(&churned, Operation::Delete).report().verified > 100);
    assert_eq!(total(&churned).wrong_count(), 0, "{:?}", total(&churned));
}

/// Once its delete is sent, a key may be anybody's: with or without a response, its former user writes there no more.
#[test]
fn nobody_writes_under_a_key_whose_delete_had_no_clear_answer() {
    static ENDED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let unclear = |request: &Request, reply: Reply| {
        let mut ended = ENDED.lock().expect("not poisoned");
        if let Some(key) = request.uri.query().filter(|_| request.uri.path() == "/delete") {
            ended.push(key.trim_start_matches("session=").to_owned());
            let body = br#"{"success":false,"message":"Failed to delete instance","timestamp":1}"#;
            return Ok(Reply { status: 500, body: body[..].into(), ..reply });
        }
        let body = String::from_utf8_lossy(&request.body);
        let is_used_again = ended.iter().any(|key| body.contains(&format!("\"sessionKey\":\"{key}\"")));
        assert!(!is_used_again, "{} {body}", request.uri.path());
        Ok(reply)
    };
    let plan = Plan { mix: only("save=1,churn=1"), ..plan(Scenario::Mixed, 3, closed(3, S, Pacing::Think)) };
    let measured = carry_out(plan, 10 * MS, 0..0, unclear);
    let ended = ENDED.lock().expect("not poisoned").clone();
    assert!(ended.len() > 10 && total(&measured).wrong_count() == 0, "{:?}", total(&measured));
    let held: BTreeMap<String, Hold> = measured.held.into_iter().collect();
    assert!(ended.iter().all(|key| held.get(key) == Some(&Hold::Unsure)), "they are cleaned up: {held:?}");
}

/// A save without a clear response may come late, even after its user has ended the session.
#[test]
fn a_key_under_which_a_save_had_no_clear_answer_stays_unsure() {
    let unclear = |request: &Request, reply: Reply| {
        let is_save = request.uri.path() == "/save";
        Ok(if is_save { Reply { status: 502, body: b"<html>"[..].into(), ..reply } } else { reply })
    };
    let plan = Plan { mix: only("restore=1,save=1"), ..plan(Scenario::Mixed, 3, closed(3, S, Pacing::Think)) };
    let measured = carry_out(plan, 10 * MS, 0..0, unclear);
    assert_eq!(total(&measured).wrong_count(), 0, "{:?}", total(&measured));
    assert!(measured.held.len() == 3 && measured.held.iter().all(|(_, hold)| *hold == Hold::Unsure));
}

#[test]
fn a_server_that_finds_no_key_while_most_must_be_free_is_wrong_and_else_it_fails() {
    fn none_is_free(request: &Request, reply: Reply, message: &str) -> Reply {
        let body = format!(r#"{{"success":false,"message":"{message}","timestamp":1}}"#);
        let is_asked = request.uri.path() == "/generate-key";
        if is_asked { Reply { status: 503, body: body.into(), ..reply } } else { reply }
    }
    let exhausted: Twist =
        |request, reply| Ok(none_is_free(request, reply, "Unable to generate unique key - all attempts exhausted"));
    let busy: Twist = |request, reply| Ok(none_is_free(request, reply, "Server busy"));
    for (keys_in_use, twist, is_wrong) in
        [(Some(5), exhausted, true), (Some(5), busy, false), (Some(23_328), exhausted, false), (None, exhausted, false)]
    {
        let plan = plan(Scenario::Churn, 1, closed(1, S, Pacing::Think));
        let report = total(&carry_out_on(keys_in_use, plan, (100 * MS, 0..0, u64::MAX), twist));
        let wrong: Vec<&str> = report.wrong.keys().map(String::as_str).collect();
        assert_eq!(wrong, if is_wrong { vec!["valid request refused"] } else { vec![] }, "{keys_in_use:?}");
        assert_eq!(report.error_count() == 0, is_wrong, "{keys_in_use:?}");
        assert_eq!(report.exhausted_count(), 0, "too many are free");
    }
    for (twist, is_exhausted) in [(exhausted, true), (busy, false)] {
        let plan = plan(Scenario::Churn, 1, closed(1, S, Pacing::Think));
        let report = total(&carry_out_on(Some(45_000), plan, (100 * MS, 0..0, u64::MAX), twist));
        assert_eq!((report.exhausted_count() > 0, report.error_count() == 0), (is_exhausted, is_exhausted));
    }
}

/// A list that was requested after a session ended and shows it is wrong; the key's next document has a later creation
/// time.
#[test]
fn a_list_that_shows_an_ended_session_is_wrong() {
    /// The same reply, with the documents' own creation time in lists instead of the file's.
    fn listed(request: &Request, reply: Reply) -> Reply {
        let created = format!("\"created\":{}", super::ceiling::CREATED_MS);
        let body = String::from_utf8_lossy(&reply.body).replace("\"created\":1", &created);
        let is_list = request.uri.path() == "/list";
        if is_list { Reply { body: body.into(), ..reply } } else { reply }
    }
    let honest: Twist = |request, reply| Ok(listed(request, reply));
    let stale: Twist = |request, reply| {
        static ENTRIES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let reply = listed(request, reply);
        if request.uri.path() != "/list" {
            return Ok(reply);
        }
        // Each list also shows what earlier lists showed.
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        let (before, entries) = body.split_once('[').expect("a list");
        let mut known = ENTRIES.lock().expect("not poisoned");
        for entry in entries.trim_end_matches("]}").split_inclusive("},").map(|entry| entry.trim_end_matches(',')) {
            if !known.iter().any(|shown| shown == entry) {
                known.push(entry.to_owned());
            }
        }
        Ok(Reply { body: format!("{before}[{}]}}", known.join(",")).into(), ..reply })
    };
    for (twist, is_wrong) in [(honest, false), (stale, true)] {
        let plan = Plan { mix: only("list=3,churn=1"), ..plan(Scenario::Mixed, 3, closed(3, 2 * S, Pacing::Think)) };
        let report = total(&carry_out(plan, 10 * MS, 0..0, twist));
        assert_eq!(report.wrong.contains_key("listed after its delete"), is_wrong, "{report:?}");
        assert!(is_wrong || report.wrong_count() == 0, "{report:?}");
    }
}

#[test]
fn operations_have_the_places_that_their_numbers_say() {
    for (place, operation) in Operation::ALL.into_iter().enumerate() {
        assert_eq!(operation as usize, place);
    }
}
