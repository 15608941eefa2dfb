//! One operation read back. Every field must be there, and they must fit each other: a history that is nearly right is
//! no evidence.

use super::line::{Judgement, Phase};
use crate::figures::Took;
use contract::Operation;
use serde::{Deserialize, Deserializer};

/// One operation with what came of it, as a history has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryRecord {
    /// The user.
    pub process: u64,
    /// What it asked for.
    #[serde(rename = "op", deserialize_with = "operation")]
    pub operation: Operation,
    /// The key that it asked with; `generate-key` and `list` have none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub key: Option<String>,
    /// When it was meant to be sent, µs since the run's start.
    pub meant_us: u64,
    /// When its user was free to send it, where that was later, µs since the run's start.
    #[serde(default)]
    pub free_us: Option<u64>,
    /// When it was sent, µs since the run's start.
    pub call_us: u64,
    /// When the whole answer was there, µs since the run's start; none without one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub return_us: Option<u64>,
    /// When its user gave up waiting for an answer, µs since the run's start; none if the user did not.
    #[serde(default)]
    pub timed_out_us: Option<u64>,
    /// What was sent, as the content's tag.
    #[serde(deserialize_with = "Option::deserialize")]
    pub input: Option<String>,
    /// What the answer said; none without one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub output: Option<RecordedOutput>,
    /// Name of the anomaly, where the answer is wrong.
    #[serde(default)]
    pub wrong: Option<String>,
    /// Name of the failure, where there is one.
    #[serde(default)]
    pub error: Option<String>,
    /// Set where the operation belongs to no measurement.
    #[serde(default)]
    pub phase: Option<Phase>,
}

/// What an answer said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum RecordedOutput {
    /// A success: the key, the content's tag, `saved` and so on.
    Success(String),
    /// A refusal, or a failure of the server.
    Refusal {
        /// The HTTP status.
        status: u16,
        /// The message that came with it.
        message: String,
    },
}

impl HistoryRecord {
    /// What the answer is worth.
    #[must_use]
    pub fn judgement(&self) -> Judgement<'_> {
        match (&self.wrong, &self.error) {
            (Some(name), _) => Judgement::Wrong(name),
            (None, Some(name)) => Judgement::Error(name),
            (None, None) => Judgement::Verified,
        }
    }

    /// How long the answer took, or its user waited for one; none if the connection was lost.
    #[must_use]
    pub fn took(&self) -> Option<Took> {
        self.return_us.or(self.timed_out_us).map(|end_us| Took {
            response_us: end_us.saturating_sub(self.meant_us),
            service_us: end_us.saturating_sub(self.call_us),
            is_timeout: self.return_us.is_none(),
        })
    }

    /// How late it was sent by the generator's own doing, µs: after it was meant to be, and its user was free.
    #[must_use]
    pub fn slip_us(&self) -> u64 {
        self.call_us.saturating_sub(self.meant_us.max(self.free_us.unwrap_or(0)))
    }

    /// What is wrong between the fields, if anything is.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let is_answered = self.return_us.is_some();
        if is_answered != self.output.is_some() {
            Some("return_us and output must both be there or both be null")
        } else if !is_answered && self.error.is_none() {
            Some("an operation without an answer must have an error")
        } else if self.wrong.is_some() && self.error.is_some() {
            Some("an answer is wrong or an error, not both")
        } else if is_answered && self.timed_out_us.is_some() {
            Some("an operation was answered or timed out, not both")
        } else if self.return_us.or(self.timed_out_us).is_some_and(|end_us| end_us < self.call_us) {
            Some("the answer or timeout came before the call")
        } else {
            None
        }
    }
}

fn operation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Operation, D::Error> {
    let name = String::deserialize(deserializer)?;
    Operation::of_name(&name).ok_or_else(|| serde::de::Error::custom(format_args!("there is no operation {name:?}")))
}
