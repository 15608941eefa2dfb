//! `claimcheck.plan/1`: a plan for machines.

use super::figure::Figure;
use super::judged::{Judged, Verdict};
use super::limits::{Headroom, Limit};
use super::simulated::Simulated;
use super::text::Unit;
use serde::Serialize;

/// Name and version of the format.
pub const SCHEMA: &str = "claimcheck.plan/1";

/// Its JSON Schema.
pub const JSON_SCHEMA: &str = include_str!("../../../schemas/plan.schema.json");

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was asked.
    pub question: Asked,
    /// What it rests on.
    pub measured: Source,
    /// Whether all objectives are kept.
    pub verdict: Verdict,
    /// On which server, with what key, in two or three sentences.
    pub answer: String,
    /// The name of the recommended server, one of `servers`.
    pub recommended: String,
    /// Each server that was looked at.
    pub servers: Vec<ServerPlan>,
    /// What else has to be known to judge the answer.
    pub notes: Vec<String>,
    /// What a simulation says of the recommended answer, where it was asked for.
    pub simulated: Option<Simulated>,
}

/// The question, as it was asked. All of it is assumed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// Documents in the folder today.
    pub sessions: u64,
    /// Users at work today.
    pub users: u32,
    /// How long a document stays, in seconds.
    pub session_life_s: f64,
    /// The objectives.
    pub objective: String,
    /// Mean time from a key's being handed out to its document's being made, in seconds.
    pub window_s: f64,
    /// Pause between two operations of a user, in seconds.
    pub think_s: f64,
    /// The objectives are to hold for so many times today's sessions and users.
    pub growth: f64,
    /// Space for the folder, in bytes.
    pub disk_bytes: Option<f64>,
    /// How far beyond the measurements was answered for.
    pub max_extrapolation: f64,
    /// What chance came from.
    pub seed: u64,
}

/// The measurements.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// When they began, RFC 3339, UTC.
    pub started: String,
    /// Whether they were interrupted.
    pub partial: bool,
    /// Operating system of the machine.
    pub os: String,
    /// Its processors.
    pub cpus: usize,
}

/// The plan for one server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerPlan {
    /// The protocol of an embedded server, or `target`.
    pub name: String,
    /// Whether all objectives are kept with that length.
    pub verdict: Verdict,
    /// The shortest length that keeps them all; where none does, that which misses least.
    pub key_length: u32,
    /// Each objective with that length.
    pub objectives: Vec<Judged>,
    /// How many times today's sessions, users staying as planned.
    pub sessions_headroom: Headroom,
    /// How many times today's users, sessions staying as planned.
    pub users_headroom: Headroom,
    /// What is passed as sessions or users grow; each in the order in which it is met.
    pub limits: Vec<Limit>,
    /// All figures at the planned point.
    pub figures: Vec<Row>,
    /// What would help where an objective is not kept.
    pub advice: Vec<String>,
    /// Each length that was tried.
    pub lengths: Vec<LengthRow>,
}

/// One length of key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LengthRow {
    /// Characters.
    pub key_length: u32,
    /// Keys that there are.
    pub keys: f64,
    /// Whether the sessions have a key each.
    pub has_room: bool,
    /// Whether all objectives are kept.
    pub verdict: Verdict,
    /// Each of them.
    pub objectives: Vec<Judged>,
}

/// A figure by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// The figure; none where it is not known.
    pub figure: Option<Figure>,
    /// Why it is not known.
    pub unknown: Option<String>,
}

impl Plan {
    /// 0 where all objectives are kept, 1 where none of the answers keeps them, 3 where intervals leave it open.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Kept => 0,
            Verdict::Broken => 1,
            Verdict::Open => 3,
        }
    }

    /// The plan of the recommended server.
    #[must_use]
    pub fn recommended(&self) -> Option<&ServerPlan> {
        self.servers.iter().find(|server| server.name == self.recommended)
    }
}
