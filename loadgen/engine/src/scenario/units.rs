//! Durations as text, and rounding.

use std::time::Duration;

/// A second, in microseconds.
pub(super) const SECOND_US: u64 = 1_000_000;

/// No duration is longer: a week, which a run's clock in microseconds and its sums in `f64` hold with room to spare.
pub(super) const LONGEST_US: u64 = 7 * 24 * 3_600 * SECOND_US;

/// Reads `30s`, `1m30s`, `250ms`; the mistake is told without the text around it.
pub(super) fn parse_duration_us(text: &str) -> Result<u64, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{text:?} is not a duration ({error}): write one as 250ms, 30s or 1m30s"))?;
    let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if duration_us > LONGEST_US {
        return Err(format!("{text} is too long: a week (7days) is the most"));
    }
    Ok(duration_us)
}

/// As [`parse_duration_us`], for durations in which something has to happen.
pub(super) fn parse_span_us(text: &str) -> Result<u64, String> {
    match parse_duration_us(text)? {
        0 => Err(format!("{text:?} is no time at all: write a duration of a microsecond or more, such as 30s")),
        duration_us => Ok(duration_us),
    }
}

/// The text [`parse_duration_us`] reads, without spaces.
pub(super) fn duration_text(duration_us: u64) -> String {
    humantime::format_duration(Duration::from_micros(duration_us)).to_string().replace(' ', "")
}

/// Microseconds as seconds.
pub(super) fn seconds(duration_us: u64) -> f64 {
    duration_us as f64 / SECOND_US as f64
}

/// The nearest whole number; below zero and what is no number count as 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is meant")]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_survives_its_text() {
        for duration_us in [0, 1, 999, 250_000, 90 * SECOND_US, 3_600 * SECOND_US + 1, LONGEST_US] {
            assert_eq!(parse_duration_us(&duration_text(duration_us)), Ok(duration_us));
        }
        assert_eq!(duration_text(90 * SECOND_US), "1m30s");
    }

    #[test]
    fn a_wrong_duration_is_told() {
        assert!(parse_duration_us("30").unwrap_err().contains("\"30\" is not a duration"));
        assert!(parse_duration_us("8days").unwrap_err().contains("too long"));
        assert!(parse_span_us("500ns").unwrap_err().contains("no time at all"));
    }
}
