//! The style sheet: contrast in the light and in the dark, and what screens and paper need.

const STYLE: &str = include_str!("../style.css");

/// Contrast that text needs, and lines and shapes (WCAG 2.2, level AA).
const TEXT: f64 = 4.5;
const SHAPES: f64 = 3.0;

/// The colours of a scheme, by name.
fn scheme(rules: &str) -> Vec<(&str, &str)> {
    let block = rules.split(":root {").nth(1).and_then(|rest| rest.split('}').next()).expect("a block of colours");
    let pairs = block.split(';').filter_map(|of| of.trim().split_once(": "));
    pairs.filter(|(name, _)| name.starts_with("--")).collect()
}

fn light() -> Vec<(&'static str, &'static str)> {
    scheme(STYLE)
}

fn dark() -> Vec<(&'static str, &'static str)> {
    scheme(STYLE.split("prefers-color-scheme: dark").nth(1).expect("a dark scheme"))
}

/// Relative luminance of "#rrggbb" or "#rgb".
fn luminance(colour: &str) -> f64 {
    let digits = colour.trim_start_matches('#');
    let wide: String =
        if digits.len() == 3 { digits.chars().flat_map(|of| [of, of]).collect() } else { digits.to_owned() };
    let channel = |from: usize| {
        let value = f64::from(u8::from_str_radix(&wide[from..from + 2], 16).expect("a colour")) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(scheme: &[(&str, &str)], name: &str, ground: &str) -> f64 {
    let of = |wanted: &str| luminance(scheme.iter().find(|(name, _)| *name == wanted).expect("a colour").1);
    let (a, b) = (of(name), of(ground));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_sufficient_in_the_light_and_in_the_dark() {
    for scheme in [light(), dark()] {
        for name in ["--text", "--quiet", "--link", "--holds", "--refuted", "--open"] {
            for ground in ["--ground", "--raised"] {
                let contrast = contrast(&scheme, name, ground);
                assert!(contrast >= TEXT, "{name} on {ground}: {contrast:.2}");
            }
        }
        for name in ["--edge", "--mark", "--hue0", "--hue1", "--hue2", "--hue3"] {
            let contrast = contrast(&scheme, name, "--ground");
            assert!(contrast >= SHAPES, "{name}: {contrast:.2}");
        }
    }
}

#[test]
fn contrast_is_that_of_published_examples() {
    let greys = [("--a", "#767676"), ("--b", "#fff"), ("--c", "#000000")];
    assert!(
        (contrast(&greys, "--a", "--b") - 4.54).abs() < 0.01 && (contrast(&greys, "--c", "--b") - 21.0).abs() < 1e-9
    );
}

#[test]
fn both_schemes_have_the_same_colours() {
    let names =
        |scheme: Vec<(&'static str, &'static str)>| scheme.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(light()), names(dark()));
}

#[test]
fn focus_is_seen_and_paper_is_thought_of() {
    for part in
        [":focus-visible { outline:", "@media print", "details::details-content", "break-inside: avoid", ".skip:focus"]
    {
        assert!(STYLE.contains(part), "{part}");
    }
}
