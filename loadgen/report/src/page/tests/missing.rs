//! What there is not is said in a sentence, and nothing is ever "NaN" or "inf".

use super::super::{markdown, render};
use super::markup::{elements, without_style};
use super::{full, host, measured, measurements, report};
use record::claims::Report;
use record::measurements::{Fill, Folder, Measured, Measurements, PredictedFill, Users};

fn checked(report: Option<&Report>, measurements: Option<&Measurements>) -> String {
    let page = render(report, measurements);
    elements(&without_style(&page));
    let markdown = measurements.map(markdown::markdown_measurements).unwrap_or_default();
    for text in [&page, &markdown] {
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        let wrong: Vec<&str> =
            words.filter(|word| ["nan", "inf", "infinity"].contains(&word.to_lowercase().as_str())).collect();
        assert!(wrong.is_empty(), "{wrong:?} in {text}");
    }
    page
}

#[test]
fn parts_without_data_say_so_in_a_sentence() {
    let page = checked(None, None);
    assert_eq!(page.matches("Left out: ").count(), 8, "all but the answer and the risk, which is assumed");
    assert!(page.contains("Nothing was tried and nothing was measured."));
    let (report, measurements) = full();
    assert!(checked(Some(&report), None).contains("Left out: no measurements were given"));
    assert!(checked(None, Some(&measurements)).contains("Left out: no verdicts were given"));
    assert!(!checked(Some(&report), Some(&measurements)).contains("Left out"));
}

#[test]
fn a_run_without_targets_or_of_empty_ones_is_a_page_too() {
    let empty = measurements(vec![]);
    assert!(checked(Some(&report(&[])), Some(&empty)).matches("Left out: ").count() >= 6);
    let page = checked(Some(&report(&[("documented", &[])])), Some(&measurements(vec![Measured::default()])));
    assert!(page.contains("the server: neither fills nor users were measured."));
}

#[test]
fn a_target_that_was_not_filled_keeps_its_users_alone() {
    let target = Measured { fills: vec![], folders: vec![], ..measured("target") };
    let page = checked(None, Some(&measurements(vec![target])));
    assert!(page.contains("Left out: no fill was measured") && page.contains("Left out: no folder of documents"));
    assert!(page.contains("target: verified answers a second"));
}

#[test]
fn degenerate_measurements_make_no_number_that_is_none() {
    let nothing = Measured {
        fills: vec![Fill::default()],
        users: vec![Users::default()],
        folders: vec![Folder::default()],
        ..Measured::default()
    };
    checked(None, Some(&measurements(vec![nothing.clone(), nothing])));
    let predicted = Some(PredictedFill { mean_attempts: 0.0, refused_share: f64::NAN, mean_us: Some(f64::INFINITY) });
    let odd = Measured {
        keys: 10,
        fills: vec![Fill {
            requests: 1,
            refused: 9,
            timed: 1,
            attempts: [(0, 1)].into(),
            predicted,
            held_out: true,
            ..Fill::default()
        }],
        users: vec![Users {
            users: 1,
            goodput_per_s: vec![0.0, f64::NAN, f64::INFINITY],
            mean_response_us: vec![f64::NAN],
            sent: 1,
            response_us: vec![(1.0, 5), (f64::NAN, 7)],
            predicted_goodput_per_s: vec![f64::NAN, 0.0],
            ..Users::default()
        }],
        folders: vec![Folder { predicted_list_p50_us: Some(0.0), ..Folder::default() }; 3],
        ..Measured::default()
    };
    checked(None, Some(&measurements(vec![odd])));
}

#[test]
fn one_point_alone_is_drawn() {
    let mut target = measured("target");
    target.users.truncate(1);
    target.fills.truncate(1);
    target.folders.truncate(1);
    let page = checked(None, Some(&measurements(vec![target])));
    assert!(page.contains("No law could be fitted"));
    assert_eq!(page.matches("<svg").count(), 8);
}

#[test]
fn what_a_run_left_behind_is_named() {
    let (mut report, measurements) = full();
    assert!(!checked(Some(&report), Some(&measurements)).contains("may be left on"));
    report.targets[0].left_behind = vec!["A4K".to_owned(), "B5L".to_owned()];
    let page = checked(Some(&report), Some(&measurements));
    assert!(page.contains("Documents of this run may be left on documented: A4K B5L."));
}

#[test]
fn an_interrupted_run_says_so() {
    let (mut report, mut measurements) = full();
    assert!(!checked(Some(&report), Some(&measurements)).contains("was interrupted"));
    (report.partial, measurements.partial) = (true, true);
    measurements.host.memory_mb = 0;
    let page = checked(Some(&report), Some(&measurements));
    assert_eq!(page.matches("The run was interrupted").count(), 2);
    assert!(page.contains("on Linux 6 with 2 processors.") && host().memory_mb > 0);
}
