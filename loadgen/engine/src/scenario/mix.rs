//! How often each kind of turn comes, in the scenario `mixed`.

use super::random::Draws;
use std::fmt;
use std::str::FromStr;

/// A kind of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Restore,
    Save,
    List,
    /// The own session ended and a new one begun.
    Churn,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Restore, "restore"), (Kind::Save, "save"), (Kind::List, "list"), (Kind::Churn, "churn")];

/// The weights of the kinds of turns: of restores, saves, lists and churn, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; 4],
}

/// A session is read and written by its user, seldom listed, and ends sometimes.
impl Default for Mix {
    fn default() -> Self {
        Self { weights: [60, 35, 1, 4] }
    }
}

impl Mix {
    pub(super) fn draw(self, draws: &mut Draws) -> Kind {
        let mut drawn = draws.below(self.total());
        for ((kind, _), weight) in KINDS.into_iter().zip(self.weights.map(u64::from)) {
            if drawn < weight {
                return kind;
            }
            drawn -= weight;
        }
        // Of a total of 0, which no text gives.
        Kind::Restore
    }

    /// These weights for restores and saves alone: on a document of all there is nothing else to do.
    pub(super) fn of_one_document(self) -> Self {
        let [restore, save, ..] = self.weights;
        Self { weights: [restore, save, 0, 0] }
    }

    fn total(self) -> u64 {
        self.weights.into_iter().map(u64::from).sum()
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            KINDS.iter().zip(self.weights).map(|((_, name), weight)| format!("{name}={weight}")).collect();
        f.write_str(&parts.join(","))
    }
}

/// What is not named has weight 0.
impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map_err(|mistake| format!("mix {text:?}: {mistake}; a mix is written as {}", Self::default()))
    }
}

fn parse(text: &str) -> Result<Mix, String> {
    let mut given = [None; 4];
    for part in text.split(',') {
        let (name, weight) = part.split_once('=').ok_or_else(|| format!("{part:?} has no weight"))?;
        let index = KINDS
            .iter()
            .position(|(_, known)| *known == name)
            .ok_or_else(|| format!("there is no kind {name:?}, only restore, save, list and churn"))?;
        let weight: u32 = weight.parse().map_err(|_| format!("the weight {weight:?} is not a whole number"))?;
        if given[index].replace(weight).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    let mix = Mix { weights: given.map(Option::unwrap_or_default) };
    if mix.total() == 0 { Err("the weights sum up to zero, so there is nothing to do".into()) } else { Ok(mix) }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn a_mix_survives_its_text() {
        for text in ["restore=60,save=35,list=1,churn=4", "restore=0,save=4294967295,list=4294967295,churn=0"] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), text);
        }
        assert_eq!("churn=4,list=1,save=35,restore=60".parse(), Ok(Mix::default()));
        assert_eq!("save=2".parse(), Ok(Mix { weights: [0, 2, 0, 0] }));
    }

    #[test]
    fn every_mistake_is_named() {
        for (text, mistake) in [
            ("", "\"\" has no weight"),
            ("save", "\"save\" has no weight"),
            ("saves=1", "there is no kind \"saves\""),
            ("save=1,list=-1", "the weight \"-1\" is not a whole number"),
            ("save=1,save=2", "save is given twice"),
            ("save=0,list=0", "sum up to zero"),
        ] {
            let error = text.parse::<Mix>().unwrap_err();
            assert!(error.contains(mistake) && error.contains("restore=60"), "{text}: {error}");
        }
    }

    #[test]
    fn kinds_come_as_often_as_they_weigh() {
        let mix: Mix = "restore=1,save=2,churn=1".parse().unwrap();
        let mut draws = Draws::of(1, Purpose::Turn, 0, 0);
        let drawn: Vec<Kind> = (0..8_000).map(|_| mix.draw(&mut draws)).collect();
        for (kind, share) in [(Kind::Restore, 2_000), (Kind::Save, 4_000), (Kind::List, 0), (Kind::Churn, 2_000)] {
            let count = drawn.iter().filter(|&&other| other == kind).count();
            assert!(count.abs_diff(share) <= share / 20, "{kind:?}: {count}");
        }
    }
}
