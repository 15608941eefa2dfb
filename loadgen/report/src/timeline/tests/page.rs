//! The page, read back.

use super::super::Timeline;
use super::super::layout::Layout;
use super::super::shown::{Limits, Shown};
use super::super::svg;
use super::super::units::Clock;
use super::markup::{Tag, read};
use super::{bar, chain, hostile, placed, random, stale_read};
use std::collections::BTreeSet;

fn tags(timeline: &Timeline) -> Vec<Tag> {
    read(&timeline.page()).unwrap_or_else(|problem| panic!("{problem}"))
}

fn with_class<'a>(tags: &'a [Tag], class: &str) -> Vec<&'a Tag> {
    tags.iter().filter(|tag| tag.has_class(class)).collect()
}

#[test]
fn every_page_is_well_formed_and_its_links_lead_somewhere_within_it() {
    let extremes = [stale_read(), hostile(), chain(700), Timeline::default()];
    for timeline in random::timelines().take(100).chain(extremes) {
        let tags = tags(&timeline);
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id names one thing");
        for link in tags.iter().filter_map(|tag| tag.attribute("href")) {
            assert!(link.strip_prefix('#').is_some_and(|id| ids.contains(&id)), "{link}");
        }
    }
}

#[test]
fn nothing_is_loaded_and_nothing_is_run() {
    let page = stale_read().page();
    for part in ["http:", "https:", "//", "url(", "@import", " src=", "<script", "<link", "javascript", "data:"] {
        assert!(!page.contains(part), "{part} is in the page");
    }
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src \
                  &#39;unsafe-inline&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;\"/>";
    let place = page.find(policy).expect("a policy");
    assert!(place < page.find("<style>").expect("a style"), "it holds for all that comes after it");
}

#[test]
fn hostile_text_adds_no_tag_and_no_attribute() {
    let shape = |timeline: &Timeline| {
        let tags = tags(timeline);
        tags.into_iter()
            .map(|tag| (tag.name, tag.attributes.into_iter().map(|(name, _)| name).collect()))
            .collect::<BTreeSet<_>>()
    };
    let known: BTreeSet<(String, Vec<String>)> = shape(&stale_read());
    assert_eq!(shape(&hostile()).difference(&known).collect::<Vec<_>>(), Vec::<&(String, Vec<String>)>::new());
    assert!(hostile().page().contains("&lt;script&gt;alert(1)"), "it is there to be read");
}

#[test]
fn long_text_is_shortened_and_said_to_be() {
    let page = hostile().page();
    assert!(page.len() < 100_000, "{}", page.len());
    assert!(page.contains("… (shortened: 100,000 characters in all)</td>"));
}

#[test]
fn the_same_timeline_makes_the_same_page() {
    for timeline in random::timelines().take(20) {
        assert_eq!(timeline.page(), timeline.clone().page());
        assert_eq!(timeline.to_string(), timeline.clone().to_string());
    }
    let (a, mut b) = (random::timeline(5), random::timeline(5));
    assert_eq!(a.page(), b.page());
    b.hidden += 1;
    assert_ne!(a.page(), b.page());
}

#[test]
fn the_drawn_dots_are_within_the_drawn_bars() {
    for timeline in random::timelines() {
        let tags = tags(&timeline);
        let mut x = 0.0;
        // The legend has a line and a dot, too.
        let dots: Vec<&Tag> =
            with_class(&tags, "dot").into_iter().skip(usize::from(!timeline.order.is_empty())).collect();
        assert_eq!(dots.len(), timeline.order.len());
        for (dot, placed) in dots.iter().zip(&timeline.order) {
            let handle = tags.iter().position(|tag| tag.attribute("id") == Some(&format!("o{}", placed.operation)));
            let rect = &tags[handle.expect("a handle") + 2];
            let [from_x, from_y] = ["x", "y"].map(|name| rect.number(name));
            assert!(dot.number("cx") > from_x && dot.number("cx") < from_x + rect.number("width"), "{dot:?} {rect:?}");
            assert!(dot.number("cy") > from_y && dot.number("cy") < from_y + rect.number("height"), "{dot:?} {rect:?}");
            assert!(dot.number("cx") >= x, "{dot:?}");
            x = dot.number("cx");
        }
    }
}

#[test]
fn the_line_leads_through_all_dots_and_is_dashed_where_some_are_missing() {
    let lines = |tags: &[Tag]| -> Vec<(bool, usize)> {
        let points = |line: &Tag| line.attribute("points").map_or(0, |points| points.split(' ').count());
        let lines = tags.iter().filter(|tag| tag.name == "polyline");
        lines.map(|line| (line.has_class("skip"), points(line))).collect()
    };
    assert_eq!(lines(&tags(&stale_read())), [(false, 3)]);

    // Near to what fits nowhere at both ends are the first two and the last two of the order.
    let mut timeline = chain(10);
    timeline.misfits = vec![0, 9];
    timeline.order.remove(0);
    let shown = Shown::new(&timeline, Limits { operations: 6, processes: 1 });
    let picture = svg::draw(&shown, &Layout::new(&shown, Clock::Lines), Clock::Lines);
    let tags = read(&format!("<!DOCTYPE html>\n{picture}")).expect("well-formed");
    assert_eq!(lines(&tags), [(false, 2), (false, 2), (true, 2)]);
}

#[test]
fn what_fits_nowhere_is_marked_with_more_than_a_colour() {
    let tags = tags(&stale_read());
    let counts = ["misfit", "hatch", "band", "flag"].map(|class| with_class(&tags, class).len());
    assert_eq!(counts, [2, 2, 1, 1], "with the bar and the hatching of the legend");
    assert_eq!(with_class(&tags, "flag")[0].text, "✗ fits nowhere: user 3: restore → A");
    assert!(with_class(&tags, "label").iter().any(|label| label.text == "✗ restore → A"));
    let row = tags.iter().position(|tag| tag.attribute("id") == Some("r3")).expect("a row");
    assert_eq!((tags[row].attribute("class"), tags[row + 2].text.as_str()), (Some("wrong"), "✗ fits nowhere"));
}

#[test]
fn every_operation_is_in_the_picture_in_the_table_and_in_a_panel() {
    let timeline = chain(30);
    let (tags, page) = (tags(&timeline), timeline.page());
    for index in 0..30 {
        for id in [format!("o{index}"), format!("r{index}"), format!("d{index}")] {
            assert_eq!(tags.iter().filter(|tag| tag.attribute("id") == Some(&id)).count(), 1, "{id}");
        }
        assert!(page.contains(&format!(".picture:has(#o{index}:hover) #d{index},")));
    }
    let title = "<title>number 2 of the order. user 1: save v → saved; 0.010 ms to 0.015 ms (5 µs); state before: v0; state \
                 after: v1</title>";
    assert!(page.contains(title));
    assert!(
        page.contains(
            "<title>✗ fits nowhere. user 1: save v → saved; 0.290 ms to 0.295 ms (5 µs); state after the whole"
        )
    );
}

#[test]
fn the_table_is_in_the_order_of_the_dots_then_what_fits_nowhere_then_the_rest() {
    let mut timeline = stale_read();
    timeline.order = vec![placed(1, "B")];
    timeline.misfits = vec![2];
    let tags = tags(&timeline);
    let ids = tags.iter().filter(|tag| tag.name == "tr").filter_map(|tag| tag.attribute("id"));
    assert_eq!(ids.collect::<Vec<_>>(), ["r1", "r2", "r0", "r3"]);
}

#[test]
fn what_has_no_answer_fades_out() {
    let mut timeline = stale_read();
    assert_eq!(with_class(&tags(&timeline), "open").len(), 0);
    timeline.operations[1].returned = None;
    timeline.operations[1].output.clear();
    let tags = tags(&timeline);
    let opacities = with_class(&tags, "open").into_iter().filter(|tag| tag.attribute("opacity").is_some());
    let opacities: Vec<f64> = opacities.map(|tag| tag.number("opacity")).skip(2).collect();
    assert!(opacities.len() > 5 && opacities.windows(2).all(|pair| pair[1] < pair[0]), "{opacities:?}");
    assert!(timeline.page().contains("<i>no answer</i>"));
}

#[test]
fn the_legend_has_what_the_picture_has() {
    let entries = |timeline: &Timeline| with_class(&tags(timeline), "entry").len();
    assert_eq!(entries(&Timeline::default()), 1);
    assert_eq!(entries(&stale_read()), 3);
    let mut timeline = stale_read();
    timeline.order.pop();
    timeline.operations.push(bar("user 4", "list", "", "", 20_000_000, None));
    timeline.operations.push(bar("user 4", "list", "", "", 20_000_010, 20_000_020));
    assert_eq!(entries(&timeline), 6, "{}", timeline.page());
}

#[test]
fn of_too_many_operations_a_part_is_shown_and_the_page_says_so() {
    let page = chain(2_000).page();
    assert!(page.contains("Only a part is shown: 600 of 2,000 operations, nearest to what fits nowhere."));
    assert_eq!(page.matches("class=\"handle\"").count(), 600);
    assert!(page.contains("id=\"o1999\""), "what fits nowhere is there");
    assert!(page.contains("The longest legal one places 1,999 of 2,000 operations"));
}

#[test]
fn the_state_that_something_does_not_fit_is_said_where_that_is() {
    let tags = tags(&stale_read());
    assert_eq!(with_class(&tags, "again").iter().map(|tag| tag.text.as_str()).collect::<Vec<_>>(), ["B"]);
}

#[test]
fn a_long_bar_says_again_what_it_is() {
    let mut timeline = chain(200);
    timeline.operations.push(bar("user 2", "list", "", "", 0, 2_000));
    let page = timeline.page();
    let (labels, again) = (page.matches(">list</text>").count(), page.matches(">… list</text>").count());
    assert!(labels == 1 && again > 2, "{again}");
}

#[test]
fn the_page_opens_where_something_fits_nowhere() {
    let tags = tags(&chain(200));
    let start = with_class(&tags, "start")[0].attribute("style").expect("a place");
    let start: f64 = start.trim_start_matches("left:").trim_end_matches("px").parse().expect("a number");
    let band = with_class(&tags, "band")[0].number("x");
    assert!(start < band && start > band - 500.0, "{start} of {band}");
}
