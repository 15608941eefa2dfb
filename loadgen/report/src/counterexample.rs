//! A counterexample told in words, and as a timeline.

use super::timeline::{Bar, Placed, Timeline, Unit};
use check::documents::access::{Access, NEVER};
use check::documents::counterexample::Counterexample;
use record::story::{story, who};

/// The counterexample as a timeline, with its story.
#[must_use]
pub fn timeline(counterexample: &Counterexample) -> Timeline {
    Timeline {
        title: format!("{} under key {}", capitalized(counterexample.anomaly.name()), counterexample.key),
        summary: story(counterexample),
        unit: Unit::Microseconds,
        operations: counterexample.accesses.iter().map(bar).collect(),
        order: placed(&counterexample.order),
        misfits: counterexample.misfits.clone(),
        initial_state: counterexample.start.clone(),
        hidden: counterexample.hidden,
    }
}

fn placed(order: &[(usize, String)]) -> Vec<Placed> {
    order.iter().map(|(operation, state)| Placed { operation: *operation, state: state.clone() }).collect()
}

fn bar(access: &Access) -> Bar {
    Bar {
        process: who(access),
        name: access.kind.operation().to_owned(),
        input: access.kind.input(),
        output: access.kind.output(),
        called: access.called_us,
        returned: (access.returned_us != NEVER).then_some(access.returned_us),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
