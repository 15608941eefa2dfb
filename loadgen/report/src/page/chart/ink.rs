//! Colours by name. A picture is drawn in stand-ins, which are replaced by classes: what they look like in the light, in
//! the dark and on paper is the style sheet's.

use plotters::style::RGBColor;

/// How many hues there are; beyond, they come round again.
pub(in crate::page) const HUES: usize = 4;

/// What something is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Ink {
    /// Names and numbers.
    Text,
    /// Lines behind everything.
    Grid,
    /// The axes.
    Axis,
    /// The page itself: the inside of hollow shapes.
    Ground,
    /// Places that have a name.
    Mark,
    /// Lines of a series.
    Line(usize),
    /// Shapes of a series, and their bars.
    Dot(usize),
    /// Single rounds of a series.
    Round(usize),
    /// An area of a series.
    Band(usize),
}

impl Ink {
    /// All of them.
    fn all() -> impl Iterator<Item = Self> {
        let hues = |of: fn(usize) -> Self| (0..HUES).map(of);
        [Self::Text, Self::Grid, Self::Axis, Self::Ground, Self::Mark]
            .into_iter()
            .chain(hues(Self::Line))
            .chain(hues(Self::Dot))
            .chain(hues(Self::Round))
            .chain(hues(Self::Band))
    }

    /// The stand-in.
    pub(super) fn colour(self) -> RGBColor {
        let (kind, hue) = match self {
            Self::Text => (1, 0),
            Self::Grid => (2, 0),
            Self::Axis => (3, 0),
            Self::Ground => (4, 0),
            Self::Mark => (5, 0),
            Self::Line(hue) => (6, hue),
            Self::Dot(hue) => (7, hue),
            Self::Round(hue) => (8, hue),
            Self::Band(hue) => (9, hue),
        };
        RGBColor(7, kind, u8::try_from(hue % HUES).unwrap_or(0))
    }

    /// The class.
    pub(in crate::page) fn class(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Axis => "axis".to_owned(),
            Self::Ground => "ground".to_owned(),
            Self::Mark => "place".to_owned(),
            Self::Line(hue) => format!("line hue{}", hue % HUES),
            Self::Dot(hue) => format!("dot hue{}", hue % HUES),
            Self::Round(hue) => format!("round hue{}", hue % HUES),
            Self::Band(hue) => format!("band hue{}", hue % HUES),
        }
    }
}

/// Replaces all stand-ins by classes, and drops what says nothing.
pub(super) fn restyled(svg: &str) -> String {
    let mut out = svg.to_owned();
    for ink in Ink::all() {
        let RGBColor(red, green, blue) = ink.colour();
        let (stand_in, class) = (format!("#{red:02X}{green:02X}{blue:02X}"), ink.class());
        out = out.replace(&format!("fill=\"{stand_in}\""), &format!("class=\"{class} filled\""));
        out = out.replace(&format!("stroke=\"{stand_in}\""), &format!("class=\"{class} drawn\""));
    }
    for nothing in [" opacity=\"1\"", " fill=\"none\"", " stroke=\"none\"", " font-family=\"system-ui\""] {
        out = out.replace(nothing, "");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_has_a_stand_in_of_its_own() {
        let mut colours: Vec<(u8, u8, u8)> = Ink::all().map(Ink::colour).map(|of| (of.0, of.1, of.2)).collect();
        let count = colours.len();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!((colours.len(), Ink::Line(HUES).class()), (count, Ink::Line(0).class()));
    }

    #[test]
    fn a_picture_keeps_no_colour_of_its_own() {
        let RGBColor(red, green, blue) = Ink::Dot(2).colour();
        let svg = format!("<circle opacity=\"1\" fill=\"none\" stroke=\"#{red:02X}{green:02X}{blue:02X}\"/>");
        assert_eq!(restyled(&svg), "<circle class=\"dot hue2 drawn\"/>");
    }
}
