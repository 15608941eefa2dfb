//! Numbers as they are printed: rounded to what they tell, with their unit, and never as "NaN" or "inf".

use crate::timeline::text::grouped;

/// What stands for a number that there is not.
pub(super) const NONE: &str = "–";

/// Digits of exponents.
const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/// From here on a number is printed as a power of ten; and from its reciprocal down.
const POWERS_FROM: f64 = 1e9;
const POWERS_BELOW: f64 = 1e-4;

/// A whole number, its thousands set apart.
pub(super) fn count(number: u64) -> String {
    grouped(number)
}

/// To three digits: "0.0123", "1.23", "12,300".
pub(super) fn digits(number: f64) -> String {
    if !number.is_finite() {
        return NONE.to_owned();
    }
    let size = number.abs();
    if size > 0.0 && !(POWERS_BELOW..POWERS_FROM).contains(&size) {
        return power(number);
    }
    let magnitude = if size > 0.0 { size.log10().floor() } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 6")]
    let decimals = (2.0 - magnitude).clamp(0.0, 6.0) as usize;
    let text = format!("{size:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let rest = rest.map(|rest| rest.trim_end_matches('0')).filter(|rest| !rest.is_empty());
    let sign = if number < 0.0 { "−" } else { "" };
    rest.map_or_else(|| format!("{sign}{}", grouped(whole)), |rest| format!("{sign}{}.{rest}", grouped(whole)))
}

/// "6.5 × 10⁻²³".
fn power(number: f64) -> String {
    let text = format!("{number:.1e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{} × {}", mantissa.trim_end_matches(".0").replace('-', "−"), ten_to(exponent))
}

/// "10⁻²³".
pub(super) fn ten_to(exponent: &str) -> String {
    let raised = exponent.chars().map(|letter| match letter.to_digit(10) {
        Some(digit) => SUPERSCRIPTS.get(digit as usize).copied().unwrap_or(letter),
        None => '⁻',
    });
    format!("10{}", raised.collect::<String>())
}

/// A share as per cent; tiny ones as a power of ten, which is no share of a hundred any more.
pub(super) fn share(share: f64) -> String {
    match share {
        share if !share.is_finite() => NONE.to_owned(),
        share if share.abs() >= 1e-6 => format!("{} %", digits(share * 100.0)),
        share if share.abs() > 0.0 => digits(share),
        _ => "0 %".to_owned(),
    }
}

/// A difference in per cent, with its sign.
pub(super) fn difference(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{:.1} %", share.abs() * 100.0);
    let sign = if share < 0.0 { "−" } else { "+" };
    format!("{sign}{text}")
}

/// A time given in µs: "87 µs", "1.23 ms", "2.5 s".
pub(super) fn time(us: f64) -> String {
    match us {
        us if us.abs() >= 1e6 => format!("{} s", digits(us / 1e6)),
        us if us.abs() >= 1e3 => format!("{} ms", digits(us / 1e3)),
        us if us.is_finite() => format!("{} µs", digits(us)),
        _ => NONE.to_owned(),
    }
}

/// A time given in seconds, in the unit that people use for it: "10 min", "101 years".
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.1 => format!("{} ms", digits(seconds * 1e3)),
        seconds if seconds < 120.0 => format!("{} s", digits(seconds)),
        seconds if seconds < 7_200.0 => format!("{} min", digits(seconds / 60.0)),
        seconds if seconds < 172_800.0 => format!("{} h", digits(seconds / 3_600.0)),
        seconds if seconds < 63_072_000.0 => format!("{} days", digits(seconds / 86_400.0)),
        seconds if seconds.is_finite() => format!("{} years", digits(seconds / 31_557_600.0)),
        _ => NONE.to_owned(),
    }
}

/// A size given in bytes: "71 kB", "41 MB".
pub(super) fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e9 => format!("{} GB", digits(bytes / 1e9)),
        bytes if bytes >= 1e6 => format!("{} MB", digits(bytes / 1e6)),
        bytes if bytes >= 1e3 => format!("{} kB", digits(bytes / 1e3)),
        bytes if bytes.is_finite() => format!("{} B", digits(bytes)),
        _ => NONE.to_owned(),
    }
}

/// Percentile of a quantile: "99.9 %".
pub(super) fn percentile(quantile: f64) -> String {
    let text = format!("{:.4}", quantile * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// "1 user", "3 users".
pub(super) fn of(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// "A", "A and B", "A, B and C".
pub(super) fn and(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_three_digits_and_grouped() {
        let table = [
            (0.0, "0"),
            (0.012_345, "0.0123"),
            (1.2, "1.2"),
            (999.96, "1,000"),
            (12_345.6, "12,346"),
            (-2.5, "−2.5"),
            (1e-100, "1 × 10⁻¹⁰⁰"),
            (2.2e12, "2.2 × 10¹²"),
            (-1e-9, "−1 × 10⁻⁹"),
        ];
        for (number, text) in table {
            assert_eq!(digits(number), text);
        }
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!([digits(number), share(number), difference(number)], [NONE; 3]);
        }
        assert_eq!((time(f64::NAN), bytes(f64::NAN)), (NONE.to_owned(), NONE.to_owned()));
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!([87.0, 1_234.0, 2.5e6].map(time), ["87 µs", "1.23 ms", "2.5 s"]);
        assert_eq!([2.0, 71_001.0, 4.096e7, 3e9].map(bytes), ["2 B", "71 kB", "41 MB", "3 GB"]);
        assert_eq!([0.027, 1e-7, 0.0].map(share), ["2.7 %", "1 × 10⁻⁷", "0 %"]);
        assert_eq!([0.5, 0.999, 0.9999].map(percentile), ["50 %", "99.9 %", "99.99 %"]);
        assert_eq!([0.034, -0.2].map(difference), ["+3.4 %", "−20.0 %"]);
    }

    #[test]
    fn lists_of_names_read_as_a_sentence() {
        let names = ["A", "B", "C"].map(str::to_owned);
        assert_eq!([and(&[]), and(&names[..1]), and(&names[..2]), and(&names)], ["none", "A", "A and B", "A, B and C"]);
    }

    #[test]
    fn spans_are_told_in_their_unit() {
        let spans = [0.005, 4.7, 600.0, 7_200.0, 864_000.0, 3.2e9].map(span);
        assert_eq!(spans, ["5 ms", "4.7 s", "10 min", "2 h", "10 days", "101 years"]);
    }
}
