//! Whatever a server answers or a file holds, it is text on the page, and no more of it than is sensible.

use super::super::{markdown, render};
use super::markup::{elements, without_style};
use super::{claim, full, measured, measurements};
use record::claims::Verdict;
use record::measurements::Measured;
use record::step::Step;

const HOSTILE: &str = "</title></style></pre>\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\u{202e}\0";

fn hostile() -> String {
    HOSTILE.to_owned()
}

#[test]
fn hostile_text_in_any_field_is_escaped() {
    let (mut report, mut measurements) = full();
    let target = &mut report.targets[0];
    (target.name, target.url) = (hostile(), hostile());
    let claim = &mut target.claims[0];
    (claim.id, claim.title, claim.quote) = (hostile(), hostile(), hostile());
    (claim.summary, claim.reproduce, claim.schedule) = (hostile(), hostile(), vec![hostile()]);
    claim.measured.insert(hostile(), 1.into());
    claim.counterexample = vec![Step::finding(hostile(), hostile())];
    (report.started, report.effort, report.host.os) = (hostile(), hostile(), hostile());
    (measurements.started, measurements.host.os) = (hostile(), hostile());
    let target = &mut measurements.targets[0];
    (target.name, target.url) = (hostile(), hostile());
    target.users[0].wrong.insert(hostile(), 1);
    target.users[0].errors.insert(hostile(), 1);
    target.users[0].operations.insert(hostile(), record::figures::Percentiles::default());
    let page = render(Some(&report), Some(&measurements));
    let elements = elements(&without_style(&page));
    assert!(!elements.iter().any(|name| name == "script" || name == "img"));
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains('\u{202e}') && !page.contains('\0'));
    let text = markdown::markdown_measurements(&measurements);
    assert!(!text.contains("<script") && !text.contains('\u{202e}'));
}

#[test]
fn a_large_run_stays_below_a_megabyte_and_a_half() {
    let (mut report, _) = full();
    for target in &mut report.targets {
        target.claims = (0..40).map(|id| claim(&format!("X{id}"), Verdict::Refuted)).collect();
        for claim in &mut target.claims {
            (claim.summary, claim.quote, claim.title) = ("s".repeat(9_999), "q".repeat(9_999), "t".repeat(9_999));
            claim.counterexample = vec![Step::finding("d".repeat(9_999), "g".repeat(9_999)); 999];
            claim.schedule = vec!["l".repeat(9_999); 999];
        }
    }
    let page = render(Some(&report), Some(&measurements(vec![measured("documented"), measured("hardened")])));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    let (report, measurements) = full();
    assert!(render(Some(&report), Some(&measurements)).len() < 500_000);
}

#[test]
fn claims_whose_names_share_their_letters_are_told_apart() {
    let (mut report, _) = full();
    report.targets[0].claims = ["K-1", "K1", "", "é"].map(|id| claim(id, Verdict::Refuted)).to_vec();
    let page = render(Some(&report), None);
    let mut names: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|of| of.split('"').next()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn more_servers_than_hues_are_all_on_the_page() {
    let targets: Vec<Measured> = (0..6).map(|number| measured(&format!("server {number}"))).collect();
    let page = render(None, Some(&measurements(targets)));
    assert!((0..6).all(|number| page.contains(&format!("server {number}, measured"))));
    elements(&without_style(&page));
}
