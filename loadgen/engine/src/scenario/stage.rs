//! A stretch of a load's shape, as it is written on the command line.

use super::units::{duration_text, parse_span_us};
use std::fmt;
use std::str::FromStr;

/// A right example of each, for error messages.
const EXAMPLES: &str = "ramp:30s:1000, hold:60s, hold:60s:200, spike:5s:5000 or soak:10m";

/// A stretch of a load's shape. Levels are users (closed load) or arrivals a second (open load).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// `ramp:30s:1000`: linearly from the level before (0 at first) to this one.
    Ramp {
        /// How long it takes.
        duration_us: u64,
        /// The level at its end.
        level: f64,
    },
    /// `hold:60s` keeps the level before, `hold:60s:200` jumps to 200 and keeps that.
    Hold {
        /// How long it is kept.
        duration_us: u64,
        /// The level to jump to.
        level: Option<f64>,
    },
    /// `spike:5s:5000`: jumps to this level, and back to the level before.
    Spike {
        /// How long it lasts.
        duration_us: u64,
        /// The level meanwhile.
        level: f64,
    },
    /// `soak:10m`, `soak:10m:200`: a hold by the name it has when it is long.
    Soak {
        /// How long it is kept.
        duration_us: u64,
        /// The level to jump to.
        level: Option<f64>,
    },
}

impl Stage {
    /// How long the stage takes.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        match *self {
            Self::Ramp { duration_us, .. }
            | Self::Hold { duration_us, .. }
            | Self::Spike { duration_us, .. }
            | Self::Soak { duration_us, .. } => duration_us,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ramp { .. } => "ramp",
            Self::Hold { .. } => "hold",
            Self::Spike { .. } => "spike",
            Self::Soak { .. } => "soak",
        }
    }

    fn level(&self) -> Option<f64> {
        match *self {
            Self::Ramp { level, .. } | Self::Spike { level, .. } => Some(level),
            Self::Hold { level, .. } | Self::Soak { level, .. } => level,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name(), duration_text(self.duration_us()))?;
        self.level().map_or(Ok(()), |level| write!(f, ":{level}"))
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map_err(|mistake| format!("stage {text:?}: {mistake}"))
    }
}

fn parse(text: &str) -> Result<Stage, String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    if !["ramp", "hold", "spike", "soak"].contains(&name) {
        return Err(format!("there is no stage {name:?}; a stage is written as {EXAMPLES}"));
    }
    let duration = parts.next().ok_or_else(|| format!("how long? A stage is written as {EXAMPLES}"))?;
    let duration_us = parse_span_us(duration)?;
    let level = parts.next().map(parse_level).transpose()?;
    if let Some(more) = parts.next() {
        return Err(format!("{more:?} is one part too many; a stage is written as {EXAMPLES}"));
    }
    let needed = || level.ok_or_else(|| format!("to which level? Write {name}:{duration}:1000"));
    Ok(match name {
        "ramp" => Stage::Ramp { duration_us, level: needed()? },
        "spike" => Stage::Spike { duration_us, level: needed()? },
        "soak" => Stage::Soak { duration_us, level },
        _ => Stage::Hold { duration_us, level },
    })
}

fn parse_level(text: &str) -> Result<f64, String> {
    let level: f64 = text.parse().map_err(|_| format!("the level {text:?} is not a number; write one as 200"))?;
    // Written so that NaN fails, too.
    if level >= 0.0 && level.is_finite() {
        Ok(level)
    } else {
        Err(format!("the level {text} has to be a number of 0 or more, such as 200"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_survives_its_text() {
        for text in ["ramp:30s:1000", "hold:1m", "hold:1m30s:200", "spike:5s:5000", "soak:10m", "soak:10m:0.25"] {
            assert_eq!(text.parse::<Stage>().unwrap().to_string(), text);
        }
        assert_eq!("ramp:30s:7".parse(), Ok(Stage::Ramp { duration_us: 30_000_000, level: 7.0 }));
        assert_eq!("hold:60s".parse(), Ok(Stage::Hold { duration_us: 60_000_000, level: None }));
    }

    #[test]
    fn every_mistake_is_named_beside_a_right_example() {
        for (text, mistake, example) in [
            ("rampe:30s:5", "no stage \"rampe\"", "ramp:30s:1000"),
            ("", "no stage \"\"", "ramp:30s:1000"),
            ("ramp", "how long?", "ramp:30s:1000"),
            ("ramp:30:5", "\"30\" is not a duration", "30s"),
            ("hold:0s", "no time at all", "30s"),
            ("ramp:30s", "to which level?", "ramp:30s:1000"),
            ("spike:5s", "to which level?", "spike:5s:1000"),
            ("hold:5s:many", "the level \"many\" is not a number", "200"),
            ("hold:5s:-1", "the level -1 has to be a number of 0 or more", "200"),
            ("hold:5s:inf", "the level inf has to be a number of 0 or more", "200"),
            ("hold:5s:NaN", "the level NaN has to be a number of 0 or more", "200"),
            ("hold:5s:1:2", "\"2\" is one part too many", "hold:60s:200"),
        ] {
            let error = text.parse::<Stage>().unwrap_err();
            assert!(error.starts_with(&format!("stage {text:?}: ")), "{error}");
            assert!(error.contains(mistake) && error.contains(example), "{text}: {error}");
        }
    }
}
