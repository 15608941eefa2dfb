//! `comparison.json`: two servers loaded in turns, A B B A, and what each turn gave.
//!
//! A machine that others use is now fast, now slow, so two runs one after the other compare two times of day. Turns are
//! short and next to each other, and each is held to its neighbour alone: what the machine does falls on both.

pub mod failing;
pub mod figure;

use crate::figures::{Named, OperationReport};
use crate::host::Host;
use failing::ServerFailure;
use figure::Figure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
pub use stats::ratio::Side;
use stats::ratio::starts::{self, PAIRS_PER_START};
use stats::ratio::{LOOKS, Pair, Ratio, RatioError, look_confidence, looked_at};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Name and version of the format.
pub const SCHEMA: &str = "claimcheck.comparison/2";

/// Its JSON Schema.
pub const JSON_SCHEMA: &str = include_str!("../../../schemas/comparison.schema.json");

/// The file's name in a run's folder.
pub const NAME: &str = "comparison.json";

/// `comparison.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: String,
    /// What all randomness of the harness came from.
    pub seed: u64,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// Whether it was interrupted.
    pub partial: bool,
    /// Where it ran.
    pub host: Host,
    /// The baseline, as it was given.
    pub a: String,
    /// What is held to it, as it was given.
    pub b: String,
    /// The load, in words.
    pub load: String,
    /// How often both servers were to be started, at most; 1 if they were started once, or by others.
    pub starts: usize,
    /// What was measured, in its order: A B B A A B B A …; an even number, each two of them a pair.
    pub turns: Vec<Turn>,
    /// Servers that died, did not respond or failed too often: nothing is concluded from their times.
    pub failures: Vec<ServerFailure>,
}

/// One load of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Of which.
    pub side: Side,
    /// Of which start of both servers, counted from 1.
    pub start: usize,
    /// How long it was measured, s.
    pub seconds: f64,
    /// Figures by operation.
    pub operations: BTreeMap<String, OperationReport>,
    /// All operations together.
    pub total: OperationReport,
    /// What held the generator up, if anything did.
    pub held_up: Option<String>,
}

impl Turn {
    /// Whether it was answered, without an operation that was not.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.total.answered > 0 && self.total.answered == self.total.sent
    }

    /// A figure of it; `None` where no such operation was answered.
    #[must_use]
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        figure.of(&self.operations, &self.total, self.seconds)
    }
}

/// The side of a turn: A B B A, so that what changes steadily falls on both.
#[must_use]
pub fn side_of(turn: usize) -> Side {
    match turn % 4 {
        0 | 3 => Side::A,
        _ => Side::B,
    }
}

fn pairs(turns: &[Turn], figure: Figure) -> Vec<Pair> {
    let pair = |turns: &[Turn]| {
        let of = |side: Side| turns.iter().find(|turn| turn.side == side)?.figure(figure);
        Some(Pair { a: of(Side::A)?, b: of(Side::B)? })
    };
    turns.chunks_exact(2).filter_map(pair).collect()
}

impl Comparison {
    /// How often two neighbouring turns were measured.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.turns.len() / 2
    }

    /// A figure, pair by pair; pairs in which it did not occur are left out.
    #[must_use]
    pub fn pairs_of(&self, figure: Figure) -> Vec<Pair> {
        pairs(&self.turns, figure)
    }

    /// A figure, pair by pair of each start of which all pairs were measured.
    fn pairs_by_start(&self, figure: Figure) -> Vec<Vec<Pair>> {
        self.whole_starts().map(|turns| pairs(turns, figure)).collect()
    }

    fn whole_starts(&self) -> impl Iterator<Item = &[Turn]> {
        let starts = self.turns.chunk_by(|one, next| one.start == next.start);
        starts.filter(|turns| turns.len() == 2 * PAIRS_PER_START)
    }

    /// Whether it is time to look if what was measured decides.
    #[must_use]
    pub fn is_at_look(&self) -> bool {
        match self.starts {
            1 => LOOKS.contains(&self.pairs()),
            planned => starts::looks(planned).any(|look| look == self.whole_starts().count()),
        }
    }

    /// The ratio of a figure at a confidence, from all that was measured.
    ///
    /// # Errors
    /// Too few pairs or starts, or a confidence that is no share.
    pub fn ratio(&self, figure: Figure, confidence: f64) -> Result<Ratio, RatioError> {
        self.ratio_of_first(usize::MAX, figure, confidence)
    }

    /// The ratio of a figure at the last look, for a gate that checks so many bounds.
    ///
    /// # Errors
    /// Too few pairs or starts.
    pub fn ratio_at_last_look(&self, figure: Figure, bounds: usize) -> Result<Ratio, RatioError> {
        match self.starts {
            1 => self.ratio_of_first(looked_at(self.pairs_of(figure).len()), figure, look_confidence(bounds)),
            planned => {
                let count = starts::looked_at(self.pairs_by_start(figure).len(), planned);
                self.ratio_of_first(count, figure, starts::look_confidence(bounds, planned))
            }
        }
    }

    /// The ratio from the first pairs, or starts.
    fn ratio_of_first(&self, count: usize, figure: Figure, confidence: f64) -> Result<Ratio, RatioError> {
        if self.starts > 1 {
            let mut starts = self.pairs_by_start(figure);
            starts.truncate(count);
            return Ratio::over_starts(&starts, confidence);
        }
        let mut pairs = self.pairs_of(figure);
        pairs.truncate(count);
        Ratio::of(&pairs, confidence, &mut StdRng::seed_from_u64(self.seed))
    }

    /// Wrong answers of a side, by name.
    #[must_use]
    pub fn wrong(&self, side: Side) -> Named {
        self.sum(side, |total| &total.wrong)
    }

    /// Clear failures of a side, by name.
    #[must_use]
    pub fn errors(&self, side: Side) -> Named {
        self.sum(side, |total| &total.errors)
    }

    /// A side with its server as it was given, such as `B (http://127.0.0.1:8081)`.
    #[must_use]
    pub fn name(&self, side: Side) -> String {
        let server = match side {
            Side::A => &self.a,
            Side::B => &self.b,
        };
        format!("{side} ({server})")
    }

    /// Notes which servers failed by the counts of their turns, if that is not known already.
    pub fn note_failures(&mut self) {
        for side in [Side::A, Side::B] {
            if !self.failures.iter().any(|failure| failure.side == side) {
                self.failures.extend(failing::failure(side, &self.turns));
            }
        }
    }

    fn sum(&self, side: Side, named: impl Fn(&OperationReport) -> &Named) -> Named {
        let mut sum = Named::new();
        for turn in self.turns.iter().filter(|turn| turn.side == side) {
            named(&turn.total).iter().for_each(|(name, count)| *sum.entry(name.clone()).or_default() += count);
        }
        sum
    }

    /// Reads the file of a run's folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(NAME);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}; `loadgen compare` writes one", path.display()))?;
        let read: Self =
            serde_json::from_str(&text).map_err(|error| format!("{} is no comparison: {error}", path.display()))?;
        if read.schema != SCHEMA {
            return Err(format!("{} has the format {:?}, this program reads {SCHEMA:?}", path.display(), read.schema));
        }
        Ok(read)
    }

    /// Writes the file into a run's folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(folder.join(NAME), serde_json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{comparison as sample, comparison_with_starts as started_anew};
    use serde_json::Value;

    #[test]
    fn an_answer_of_several_starts_rests_on_whole_starts_of_the_last_look() {
        let save = "save p50".parse().expect("a figure");
        let mut comparison = started_anew(16, 1.25, 0.1);
        let whole = comparison.ratio_at_last_look(save, 1).expect("a ratio");
        assert_eq!((whole.starts, whole.pairs, comparison.is_at_look()), (16, 96, true));
        comparison.turns.truncate(11 * 2 * PAIRS_PER_START + 2);
        let looked = comparison.ratio_at_last_look(save, 1).expect("a ratio");
        assert_eq!((looked.starts, comparison.is_at_look()), (8, false));
        let all = comparison.ratio(save, 0.99).expect("a ratio");
        assert_eq!((all.starts, all.pairs), (11, 66), "a start that is not whole does not count");
        assert!(all.low < 1.25 && all.high > 1.25, "{all:?}");
        comparison.turns.truncate(3 * 2 * PAIRS_PER_START);
        assert!(matches!(comparison.ratio(save, 0.99), Err(RatioError::TooFewStarts { found: 3 })));
    }

    #[test]
    fn turns_are_a_b_b_a_and_each_two_a_pair() {
        let sides: Vec<Side> = (0..8).map(side_of).collect();
        assert_eq!(sides, [Side::A, Side::B, Side::B, Side::A, Side::A, Side::B, Side::B, Side::A]);
        let mut comparison = sample(2, 2.0);
        let save = "save p50".parse().expect("a figure");
        let pairs: Vec<(f64, f64)> = comparison.pairs_of(save).iter().map(|pair| (pair.a, pair.b)).collect();
        assert_eq!(pairs, [(100.0, 204.0), (101.0, 208.0)]);
        comparison.turns[1].operations.clear();
        assert_eq!((comparison.pairs_of(save).len(), comparison.pairs()), (1, 2));
    }

    #[test]
    fn wrong_answers_are_told_of_the_side_that_gave_them() {
        let mut comparison = sample(2, 1.0);
        for turn in [1, 2] {
            comparison.turns[turn].total.wrong.insert("torn read".to_owned(), 2);
        }
        comparison.turns[3].total.errors.insert("503".to_owned(), 1);
        assert_eq!(comparison.wrong(Side::B), Named::from([("torn read".to_owned(), 4)]));
        assert_eq!(comparison.wrong(Side::A), Named::new());
        assert_eq!(comparison.errors(Side::A), Named::from([("503".to_owned(), 1)]));
    }

    #[test]
    fn files_keep_to_their_schema_and_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        sample(1, 1.0).write(folder.path()).expect("writes");
        assert_eq!(Comparison::read(folder.path()), Ok(sample(1, 1.0)));
        let mut json = serde_json::to_value(sample(1, 1.0)).expect("writes");
        let schema: Value = serde_json::from_str(JSON_SCHEMA).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for (start, is_right) in [(2, true), (0, false), (1, true)] {
            json["turns"][0]["start"] = Value::from(start);
            assert_eq!(validator.is_valid(&json), is_right, "{json}");
        }
        let failure = |turn| serde_json::json!({"side": "b", "turns": [turn], "why": "it ended", "details": ["oh"]});
        for (turn, is_right) in [(2, true), (0, false)] {
            json["failures"] = Value::from(vec![failure(turn)]);
            assert_eq!(validator.is_valid(&json), is_right, "{json}");
        }
        json["failures"] = Value::from(Vec::<Value>::new());
        json["turns"][0]["side"] = Value::from("c");
        assert!(!validator.is_valid(&json), "the schema refuses what it should");
        let older = Comparison { schema: "claimcheck.comparison/0".to_owned(), ..sample(1, 1.0) };
        older.write(folder.path()).expect("writes");
        assert!(Comparison::read(folder.path()).is_err_and(|error| error.contains("\"claimcheck.comparison/0\"")));
    }
}
