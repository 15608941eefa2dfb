//! Numbers as they are printed.

use serde::Serialize;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// Times of something, such as attempts of a request.
    Times,
    /// A share or a chance, 0 to 1.
    Share,
    /// Microseconds.
    Microseconds,
    /// Events a second.
    PerSecond,
    /// The chance of an event, or the number of them, in a day.
    PerDay,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// A number of this unit.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Count => count(value),
            Self::Times => digits(value),
            Self::Share => share(value),
            Self::Microseconds => time(value),
            Self::PerSecond => format!("{} a second", digits(value)),
            Self::PerDay => format!("{} a day", digits(value)),
            Self::Bytes => bytes(value),
        }
    }
}

/// A whole number with its thousands apart, such as `23,328`; from 10¹⁵ on as a power of ten.
#[must_use]
pub fn count(value: f64) -> String {
    /// Digits beyond say nothing.
    const MOST: f64 = 1e15;
    if value.abs() >= MOST {
        return format!("{value:.2e}");
    }
    let plain = format!("{value:.0}");
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let groups: Vec<&str> =
        plain.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{sign}{}", groups.join(","))
}

/// Three digits that matter, and no more.
#[must_use]
pub fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 1e-3 => format!("{value:.1e}"),
        small if small < 0.1 => format!("{value:.4}"),
        small if small < 10.0 => format!("{value:.2}"),
        small if small < 1_000.0 => format!("{value:.1}"),
        _ => count(value),
    }
}

fn share(value: f64) -> String {
    let percent = value * 100.0;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        small if small < 1e-3 => format!("{value:.1e}"),
        small if small < 1.0 => format!("{percent:.3} %"),
        _ => format!("{percent:.1} %"),
    }
}

/// A time given in microseconds.
#[must_use]
pub fn time(us: f64) -> String {
    if us < 1e3 {
        format!("{us:.0} µs")
    } else if us < 1e6 {
        format!("{} ms", digits(us / 1e3))
    } else {
        format!("{} s", digits(us / 1e6))
    }
}

fn bytes(value: f64) -> String {
    let (size, unit) = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
        .into_iter()
        .find(|(size, _)| value >= *size)
        .unwrap_or((1.0, "bytes"));
    format!("{} {unit}", digits(value / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_for_people() {
        let cases = [
            (Unit::Count, 23_328.0, "23,328"),
            (Unit::Count, -1_000.0, "-1,000"),
            (Unit::Count, 4.7e18, "4.70e18"),
            (Unit::Times, 1.2728, "1.27"),
            (Unit::Share, 0.214, "21.4 %"),
            (Unit::Share, 0.0098, "0.980 %"),
            (Unit::Share, 1e-67, "1.0e-67"),
            (Unit::Share, 0.0, "0 %"),
            (Unit::Microseconds, 215.0, "215 µs"),
            (Unit::Microseconds, 10_000.0, "10.0 ms"),
            (Unit::Microseconds, 2.5e6, "2.50 s"),
            (Unit::PerSecond, 10_446.0, "10,446 a second"),
            (Unit::PerDay, 7e-6, "7.0e-6 a day"),
            (Unit::Bytes, 43_750_000.0, "43.8 MB"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.text(value), text);
        }
    }
}
