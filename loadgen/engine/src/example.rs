//! Some of what went wrong, to be shown where a figure alone would not convince.

use super::recorder::Done;
use record::history::{Judgement, Output};
use record::step::{Step, ms};

/// Wrong answers, and errors, of which a worker keeps examples: the first ones. More would only be more of the same.
pub(super) const MOST_EXAMPLES: usize = 5;

/// A wrong answer or an error, to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Whether it cannot be right, rather than said to have failed.
    pub is_wrong: bool,
    /// Who did what, when (ms since the run's origin), and what came back.
    pub step: Step,
}

impl Example {
    /// What is shown of an operation that went wrong; none of one that did not.
    pub(super) fn of(done: &Done<'_>) -> Option<Self> {
        let said = || match done.answer.map(|answer| answer.output) {
            Some(Output::Success(said)) => said.to_owned(),
            Some(Output::Refusal { status, message }) => format!("{status} {message}"),
            None => "no answer".to_owned(),
        };
        let (is_wrong, got) = match done.judgement {
            Judgement::Verified => return None,
            Judgement::Wrong(name) => (true, format!("{name}: {}", done.detail.map_or_else(said, str::to_owned))),
            Judgement::Error(name) => (false, name.to_owned()),
        };
        let key = done.key.map(|key| format!(" {key}")).unwrap_or_default();
        let input = done.input.map(|input| format!(" with {input}")).unwrap_or_default();
        let step = Step {
            user: usize::try_from(done.user).ok(),
            from_ms: Some(ms(done.call_us)),
            to_ms: Some(ms(done.end_us)),
            did: format!("{}{key}{input}", done.operation.name()),
            got,
        };
        Some(Self { is_wrong, step })
    }
}
