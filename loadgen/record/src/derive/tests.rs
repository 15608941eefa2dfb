use super::super::history::{Phase, RecordedOutput};
use super::super::hlog::service_tag;
use super::*;
use crate::samples::run as sample;
use contract::Operation;

const MEASURED: Window = Window { from_us: 1_000_000, to_us: 3_000_000 };

/// A save that was sent 10 µs late and answered `service_us` later.
fn save(meant_us: u64, service_us: u64) -> HistoryRecord {
    let call_us = meant_us + 10;
    HistoryRecord {
        process: 1,
        operation: Operation::Save,
        key: Some("A4K".to_owned()),
        meant_us,
        free_us: None,
        call_us,
        return_us: Some(call_us + service_us),
        input: Some("w1.n1.b10".to_owned()),
        timed_out_us: None,
        output: Some(RecordedOutput::Success("saved".to_owned())),
        wrong: None,
        error: None,
        phase: None,
    }
}

/// A warm-up, a set-up, one too late, and within the window: 1,000 right, one wrong, one without an answer.
fn history() -> Vec<HistoryRecord> {
    let mut records = vec![save(999_999, 5), save(3_000_000, 5)];
    records.push(HistoryRecord { phase: Some(Phase::SetUp), ..save(2_000_000, 5) });
    records.extend((0..1_000).map(|at| save(1_000_000 + at, 100 + at)));
    let restore = HistoryRecord { operation: Operation::Restore, ..save(2_999_999, 80) };
    records.push(HistoryRecord { wrong: Some("stale read".to_owned()), ..restore });
    let lost =
        HistoryRecord { return_us: None, output: None, error: Some("no answer".to_owned()), ..save(2_000_000, 0) };
    records.push(lost);
    records
}

/// The log that belongs to it.
fn histograms() -> BTreeMap<String, Histogram<u64>> {
    let of = |values: &mut dyn Iterator<Item = u64>| {
        let mut histogram = new_histogram();
        values.for_each(|us| record(&mut histogram, us));
        histogram
    };
    BTreeMap::from([
        ("save".to_owned(), of(&mut (110..1_110))),
        (service_tag(Operation::Save), of(&mut (100..1_100))),
        ("restore".to_owned(), of(&mut [90].into_iter())),
        (service_tag(Operation::Restore), of(&mut [80].into_iter())),
        (SLIP_TAG.to_owned(), of(&mut std::iter::repeat_n(10, 1_002))),
    ])
}

fn derived(histograms: &BTreeMap<String, Histogram<u64>>, history: Vec<HistoryRecord>) -> Derived {
    derive(histograms, history.into_iter().map(Ok), MEASURED).expect("whole")
}

/// A `run.json` that says what is derived.
fn agreeing(derived: &Derived) -> RunReport {
    RunReport {
        operations: derived.operations.clone(),
        total: derived.total.clone(),
        slip_us: derived.slip_us,
        rate: Rate { planned_per_s: Some(500.0), ..derived.rate },
        measured: MEASURED,
        ..sample()
    }
}

#[test]
fn only_measured_operations_make_the_figures() {
    let derived = derived(&histograms(), history());
    let save = &derived.operations["save"];
    assert_eq!((save.sent, save.answered, save.verified), (1_001, 1_000, 1_000));
    assert_eq!(save.errors["no answer"], 1);
    assert_eq!((save.response_us.p50, save.service_us.p50), (609, 599));
    let restore = &derived.operations["restore"];
    assert_eq!((restore.sent, restore.verified, restore.wrong["stale read"]), (1, 0, 1));
    assert_eq!((derived.total.sent, derived.total.response_us.max), (1_002, 1_109));
    assert_eq!((derived.slip_us.p50, derived.slip_by_times_us.max), (10, 10));
    assert!((derived.rate.goodput_per_s - 500.0).abs() < 1e-9, "{:?}", derived.rate);
    assert_eq!(derived.operations, derived.by_times);
}

#[test]
fn a_timeout_has_a_time_in_all_three_files() {
    let mut histograms = histograms();
    for (tag, us) in [("save".to_owned(), 3_000_010), (service_tag(Operation::Save), 3_000_000), (SLIP_TAG.into(), 10)]
    {
        record(histograms.get_mut(&tag).expect("there"), us);
    }
    let waited = save(2_000_000, 3_000_000);
    let error = Some("no answer within 3 s".to_owned());
    let timed_out = HistoryRecord { return_us: None, timed_out_us: waited.return_us, output: None, error, ..waited };
    let derived = derived(&histograms, [history(), vec![timed_out]].concat());
    let save = &derived.operations["save"];
    assert_eq!((save.answered, save.timed_out, save.response_us.lower_bounds_from), (1_000, 1, Some(3_000_010)));
    let mut stored = agreeing(&derived);
    assert_eq!(differences(&stored, &derived), Vec::<String>::new());
    stored.total.response_us.lower_bounds_from = None;
    assert_eq!(
        differences(&stored, &derived),
        ["total: response: run.json has lower bounds from none µs on, the history from 3000010 µs on"]
    );
}

#[test]
fn files_that_agree_have_no_differences_also_after_run_json_was_read_back() {
    let derived = derived(&histograms(), history());
    assert_eq!(differences(&agreeing(&derived), &derived), Vec::<String>::new());
    let text = serde_json::to_string(&agreeing(&derived)).expect("writes");
    assert_eq!(differences(&serde_json::from_str(&text).expect("reads"), &derived), Vec::<String>::new());
}

#[test]
fn each_count_that_differs_is_named() {
    let derived = derived(&histograms(), history());
    let mut stored = agreeing(&derived);
    let save = stored.operations.get_mut("save").expect("there");
    save.verified = 1_001;
    save.errors.insert("503 full".to_owned(), 2);
    stored.operations.get_mut("restore").expect("there").wrong.clear();
    stored.rate.goodput_per_s = 501.0;
    assert_eq!(
        differences(&stored, &derived),
        [
            "restore: run.json says 0 wrong (stale read), the history has 1",
            "save: run.json says 1001 verified, the history has 1000",
            "save: run.json says 2 errors (503 full), the history has 0",
            "rate: run.json says goodput 501 per s, the history makes it 500",
        ]
    );
}

#[test]
fn each_percentile_that_differs_is_named() {
    let derived = derived(&histograms(), history());
    let mut stored = agreeing(&derived);
    stored.total.response_us.p99 += 1;
    stored.slip_us.mean *= 1.01;
    let found = differences(&stored, &derived);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(found[0], "total: response p99: run.json says 1100 µs, the histograms say 1099 µs");
    assert!(found[1].starts_with("slip mean: run.json says 10.1") && found[1].contains("the histograms"), "{found:?}");
    assert!(found[2].contains("the history's times"), "{found:?}");
}

#[test]
fn a_line_lost_from_the_history_or_a_time_from_the_histograms_is_found() {
    let stored = agreeing(&derived(&histograms(), history()));
    let mut shorter = history();
    shorter.remove(500);
    let found = differences(&stored, &derived(&histograms(), shorter));
    for expected in [
        "save: run.json says 1000 verified, the history has 999",
        "save: the histograms hold 1000 times, the history has 999",
        "slip: the histograms hold 1002 times, the history has 1001",
    ] {
        assert!(found.iter().any(|difference| difference == expected), "{found:#?}");
    }
    let mut fewer = histograms();
    fewer.remove("restore");
    let found = differences(&stored, &derived(&fewer, history()));
    assert!(found.contains(&"restore: the histograms hold 0 times, the history has 1".to_owned()), "{found:#?}");
}

#[test]
fn an_operation_that_only_one_file_knows_is_found() {
    let derived = derived(&histograms(), history());
    let mut stored = agreeing(&derived);
    let restore = stored.operations.remove("restore").expect("there");
    stored.operations.insert("list".to_owned(), restore);
    let found = differences(&stored, &derived);
    assert!(found.contains(&"restore: run.json says 0 sent, the history has 1".to_owned()), "{found:#?}");
    assert!(found.contains(&"list: run.json says 1 sent, the history has 0".to_owned()), "{found:#?}");
}

#[test]
fn other_times_in_the_history_than_in_the_histograms_are_found_though_all_counts_agree() {
    let stored = agreeing(&derived(&histograms(), history()));
    let slower =
        history().into_iter().map(|record| HistoryRecord { return_us: record.return_us.map(|us| us + 100), ..record });
    let found = differences(&stored, &derived(&histograms(), slower.collect()));
    assert!(
        found.contains(&"save: response p50: run.json says 609 µs, the history's times make it 709 µs".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn a_damaged_history_has_no_figures() {
    let damaged = HistoryError::Line { line: 3, reason: "its end is missing".to_owned() };
    let history = history().into_iter().map(Ok).chain([Err(damaged)]);
    assert!(derive(&histograms(), history, MEASURED).is_err());
}
