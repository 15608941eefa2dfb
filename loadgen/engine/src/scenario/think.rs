//! How long a user thinks between an answer and its next turn.

use super::random::Draws;
use super::units::{duration_text, parse_duration_us};
use std::fmt;
use std::str::FromStr;

/// How long a user thinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Think {
    /// Not at all. The default: the journey has times of its own, and the other scenarios are to press.
    #[default]
    None,
    /// Always so many microseconds.
    Constant(u64),
    /// Exponentially distributed, with this mean in microseconds.
    Exponential(u64),
}

impl Think {
    pub(super) fn draw_us(self, draws: &mut Draws) -> u64 {
        match self {
            Self::None => 0,
            Self::Constant(think_us) => think_us,
            Self::Exponential(mean_us) => draws.exponential_us(mean_us),
        }
    }
}

impl fmt::Display for Think {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => f.write_str("none"),
            Self::Constant(think_us) => f.write_str(&duration_text(think_us)),
            Self::Exponential(mean_us) => write!(f, "exp:{}", duration_text(mean_us)),
        }
    }
}

impl FromStr for Think {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = match text.strip_prefix("exp:") {
            _ if text == "none" => return Ok(Self::None),
            Some(mean) => parse_duration_us(mean).map(Self::Exponential),
            None => parse_duration_us(text).map(Self::Constant),
        };
        parsed.map_err(|mistake| {
            format!(
                "think time {text:?}: {mistake}; a think time is none, 100ms, or exp:100ms (exponential of that mean)"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn a_think_time_survives_its_text() {
        for text in ["none", "100ms", "1m30s", "exp:2s", "0s"] {
            assert_eq!(text.parse::<Think>().unwrap().to_string(), text);
        }
        assert_eq!("exp:2s".parse(), Ok(Think::Exponential(2_000_000)));
    }

    #[test]
    fn a_wrong_think_time_is_told_with_a_right_one() {
        for (text, mistake) in [("often", "\"often\" is not a duration"), ("exp:", "\"\" is not a duration")] {
            let error = text.parse::<Think>().unwrap_err();
            assert!(error.contains(mistake) && error.contains("exp:100ms"), "{error}");
        }
    }

    #[test]
    fn users_think_as_long_as_is_said() {
        let mut draws = Draws::of(1, Purpose::Turn, 0, 0);
        assert_eq!(Think::None.draw_us(&mut draws), 0);
        assert_eq!(Think::Constant(5).draw_us(&mut draws), 5);
        let drawn = (0..10_000).map(|_| Think::Exponential(1_000).draw_us(&mut draws)).sum::<u64>() / 10_000;
        assert!((950..1_050).contains(&drawn), "{drawn}");
    }
}
