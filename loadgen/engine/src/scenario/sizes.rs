//! How large the documents' states are.

use super::random::Draws;
use super::units::whole;
use std::fmt;
use std::str::FromStr;

/// The smallest state, in bytes: below, there is no room for what a reader has to recognise it by.
const LEAST_BYTES: u32 = 300;

/// The largest state, in bytes: with what surrounds it, far below the 8 MiB that PHP takes by default.
const MOST_BYTES: u32 = 1_000_000;

/// A checklist half filled in, in bytes.
const REAL_BYTES: u32 = 2_700;

/// How large the states are: one size, or log-uniform between two, so that each order of magnitude is as likely as the
/// next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    least_bytes: u32,
    most_bytes: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { least_bytes: REAL_BYTES, most_bytes: REAL_BYTES }
    }
}

impl Sizes {
    pub(super) fn draw_bytes(self, draws: &mut Draws) -> usize {
        let bytes = if self.least_bytes == self.most_bytes {
            self.least_bytes
        } else {
            let (least, most) = (f64::from(self.least_bytes), f64::from(self.most_bytes));
            let drawn = whole(least * (draws.unit() * (most / least).ln()).exp());
            u32::try_from(drawn).unwrap_or(self.most_bytes).clamp(self.least_bytes, self.most_bytes)
        };
        bytes as usize
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.least_bytes)?;
        if self.most_bytes == self.least_bytes { Ok(()) } else { write!(f, "..{}", self.most_bytes) }
    }
}

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let sizes = Self { least_bytes: parse_bytes(least)?, most_bytes: parse_bytes(most)? };
        if sizes.least_bytes > sizes.most_bytes {
            return Err(format!("sizes {text:?}: the smaller comes first, as in {most}..{least}"));
        }
        Ok(sizes)
    }
}

fn parse_bytes(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|_| {
        format!("{text:?} is not a size in bytes: write one size as 2700, or two as 1000..100000 (log-uniform)")
    })?;
    if !(LEAST_BYTES..=MOST_BYTES).contains(&bytes) {
        return Err(format!("a state of {bytes} bytes is out of range: choose from {LEAST_BYTES} to {MOST_BYTES}"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn sizes_survive_their_text() {
        for text in ["2700", "300..1000000"] {
            assert_eq!(text.parse::<Sizes>().unwrap().to_string(), text);
        }
        assert_eq!("2700".parse(), Ok(Sizes::default()));
    }

    #[test]
    fn every_wrong_size_is_told() {
        for (text, mistake) in [
            ("big", "\"big\" is not a size in bytes"),
            ("1000..", "\"\" is not a size in bytes"),
            ("299", "299 bytes is out of range: choose from 300 to 1000000"),
            ("300..1000001", "1000001 bytes is out of range"),
            ("5000..400", "the smaller comes first, as in 400..5000"),
        ] {
            let error = text.parse::<Sizes>().unwrap_err();
            assert!(error.contains(mistake), "{text}: {error}");
        }
    }

    #[test]
    fn each_order_of_magnitude_is_as_likely_as_the_next() {
        let sizes: Sizes = "1000..100000".parse().unwrap();
        let mut draws = Draws::of(1, Purpose::Turn, 0, 0);
        let drawn: Vec<usize> = (0..10_000).map(|_| sizes.draw_bytes(&mut draws)).collect();
        assert!(drawn.iter().all(|bytes| (1_000..=100_000).contains(bytes)));
        let small = drawn.iter().filter(|&&bytes| bytes < 10_000).count();
        assert!((4_800..5_200).contains(&small), "{small}");
    }
}
