//! What simulated users do, and when: a pure function of a [`Plan`].
//!
//! Nothing here reads a clock, opens a socket or keeps state: a run can be planned again, turn by turn, from its seed.
//! Times are microseconds since the run's start.
//!
//! | file | what |
//! |---|---|
//! | `plan.rs`, `text.rs` | a run's plan, what is wrong with it, and its form in `run.json` |
//! | `shape.rs`, `stage.rs` | a level over time, made of stages |
//! | `arrivals.rs` | when an open load's turns arrive |
//! | `turn.rs` | the steps of a turn, and how they are written down |
//! | `journey.rs` … `mixed.rs` | the scenarios, a file each |
//! | `think.rs`, `sizes.rs`, `mix.rs` | what the command line sets about them |
//! | `random.rs`, `units.rs` | seeded draws; durations and rounding |

mod arrivals;
mod churn;
mod journey;
mod keygen_burst;
mod list_heavy;
mod mix;
mod mixed;
mod plan;
mod random;
mod same_session;
mod shape;
mod sizes;
mod stage;
#[cfg(test)]
mod tests;
mod text;
mod think;
mod turn;
mod units;

pub use arrivals::{Arrival, Arrivals};
pub use mix::Mix;
pub use plan::{Load, MOST_RATE_PER_S, MOST_USERS, Pacing, Plan};
pub use shape::Shape;
pub use sizes::Sizes;
pub use stage::Stage;
pub use think::Think;

use std::fmt;
use std::str::FromStr;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Asks for a new key.
    GenerateKey,
    /// Ends a key that was only handed out: nothing to do on a server that does not reserve keys.
    GiveBack,
    /// Opens the session: makes its document, or finds it there.
    Instantiate,
    /// Reads the document.
    Restore,
    /// Writes the document.
    Save,
    /// Ends the session.
    Delete,
    /// Lists all sessions.
    List,
}

impl Action {
    /// Whether a document's state goes along.
    #[must_use]
    pub fn sends_state(self) -> bool {
        matches!(self, Self::Instantiate | Self::Save)
    }
}

/// When a step is meant to be sent. For a user's very first step, both count from [`Plan::start_us`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many microseconds after the answer to the user's step before: thinking, which needs the answer.
    AfterAnswer(u64),
    /// So many microseconds after the user's step before was *meant* to be sent: by the person's own clock, whatever
    /// the server does.
    AfterMeant(u64),
}

/// One thing a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is sent.
    pub action: Action,
    /// When it is meant to be sent.
    pub when: When,
    /// The size of the state that goes along; 0 where none does.
    pub state_bytes: usize,
}

/// Where a scenario's users get the session they work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionUse {
    /// Each user's own, opened before the run's start.
    Own,
    /// One for all, opened before the run's start.
    Shared,
    /// The turns open them.
    InTurns,
}

/// What the simulated users are up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// The browser client's way through a visit.
    Journey,
    /// Everybody on one document.
    SameSession,
    /// Keys asked for and given back.
    KeygenBurst,
    /// Sessions begun and ended.
    Churn,
    /// Half of everything is a list.
    ListHeavy,
    /// Kinds of turns by weight.
    Mixed,
}

impl Scenario {
    /// All scenarios, in the order of `--help`.
    pub const ALL: [Self; 6] =
        [Self::Journey, Self::SameSession, Self::KeygenBurst, Self::Churn, Self::ListHeavy, Self::Mixed];

    /// The name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Journey => "journey",
            Self::SameSession => "same-session",
            Self::KeygenBurst => "keygen-burst",
            Self::Churn => "churn",
            Self::ListHeavy => "list-heavy",
            Self::Mixed => "mixed",
        }
    }

    /// One line for `--help`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Journey => "the browser client's visits: open, restore, save two seconds after each burst of changes",
            Self::SameSession => "all users save and restore one document, by the weights of --mix",
            Self::KeygenBurst => "keys are generated, held for the think time and given back",
            Self::Churn => "sessions live shortly: generate-key, instantiate, save, restore, delete, restore",
            Self::ListHeavy => "half lists, a quarter saves, a quarter restores, each user on its own session",
            Self::Mixed => "restores, saves, lists and session changes by the weights of --mix",
        }
    }

    /// Where its users get their sessions.
    #[must_use]
    pub fn session(self) -> SessionUse {
        match self {
            Self::Journey | Self::KeygenBurst | Self::Churn => SessionUse::InTurns,
            Self::SameSession => SessionUse::Shared,
            Self::ListHeavy | Self::Mixed => SessionUse::Own,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|scenario| scenario.name() == text);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no scenario {text:?}: choose one of {names}")
        })
    }
}
