//! The page is well-formed, and loads and runs nothing.

use super::super::render;
use super::full;

/// Names of the elements, in the order in which they are opened. Panics where tags are not balanced.
pub(super) fn elements(page: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "a stray > after {tag}: {text}");
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in the order of opening");
        } else if !tag.starts_with('!') {
            all.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    all
}

/// The page without its style sheet, which is no markup.
pub(super) fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").expect("a style sheet");
    let (_, after) = rest.split_once("</style>").expect("its end");
    format!("{before}{after}")
}

fn page() -> String {
    let (report, measurements) = full();
    render(Some(&report), Some(&measurements))
}

#[test]
fn every_tag_is_closed_in_order() {
    let elements = elements(&without_style(&page()));
    let count = |name: &str| elements.iter().filter(|of| *of == name).count();
    assert_eq!((count("h1"), count("main"), count("nav"), count("header"), count("footer")), (1, 1, 1, 1, 1));
    assert_eq!((count("h2"), count("section")), (10, 10));
}

#[test]
fn every_picture_has_a_title_and_a_description_and_its_figures_as_a_table() {
    let page = page();
    let pictures: Vec<&str> = page.split("<svg").skip(1).collect();
    assert_eq!(pictures.len(), 12, "two of fills, two of latency, four of users, two of risk, two of folders");
    for picture in pictures {
        let (tag, rest) = picture.split_once('>').expect("a tag");
        assert!(tag.contains("role=\"img\"") && tag.contains("viewBox=") && !tag.contains("height="), "{tag}");
        let title = rest.split_once("<title id=\"").expect("a title").1;
        let (id, title) = title.split_once("\">").expect("a name");
        assert!(tag.contains(&format!("aria-labelledby=\"{id}\"")) && !title.starts_with('<'));
        let desc = rest.split_once("<desc id=\"").expect("a description").1;
        let (id, desc) = desc.split_once("\">").expect("a name");
        assert!(tag.contains(&format!("aria-describedby=\"{id}\"")) && desc.contains("ed"), "{desc}");
        let after = rest.split_once("</figure>").expect("a figure").1;
        assert!(
            after.trim_start().starts_with("<details><summary>The figures as a table</summary>"),
            "{}",
            &after[..90]
        );
    }
}

#[test]
fn every_name_is_given_once_and_every_link_has_its_end() {
    let page = page();
    let mut names: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|of| of.split('"').next()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for link in page.split("href=\"#").skip(1).filter_map(|of| of.split('"').next()) {
        assert!(names.contains(&link), "{link}");
    }
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let page = page();
    for forbidden in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "<object",
        " src=",
        "href=\"http",
        "url(",
        "@import",
        "@font-face",
        "xmlns",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let is_handler = |word: &str| word.starts_with("on") && word.contains('=');
    let tags = page.split('<').filter_map(|piece| piece.split('>').next());
    assert!(!tags.into_iter().any(|tag| tag.split(' ').any(is_handler)));
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn pictures_keep_no_colour_of_their_own() {
    let page = without_style(&page());
    assert!(!page.contains("=\"#07") && !page.contains("fill=") && !page.contains("stroke=\""));
}

#[test]
fn headings_skip_no_level() {
    let level = |name: &str| name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok());
    let levels: Vec<u8> = elements(&without_style(&page())).iter().filter_map(|name| level(name)).collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(levels[0], 1);
}
