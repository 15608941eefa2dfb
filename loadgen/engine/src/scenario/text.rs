//! A plan as it stands in `run.json`, in the words of the command line.

use super::arrivals::Arrivals;
use super::plan::{Load, Pacing, Plan};
use super::shape::Shape;
use super::stage::Stage;
use super::units::{LONGEST_US, SECOND_US, seconds, whole};
use serde::{Deserialize, Serialize};

const CLOSED: &str = "closed";
const OPEN: &str = "open";

/// What a [`Plan`] is written as and read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlanText {
    scenario: String,
    users: u32,
    load: String,
    /// Closed load only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pacing: Option<String>,
    /// Open load only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrivals: Option<String>,
    /// For readers: the highest level, of an open load; the stages tell it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peak_rate_per_s: Option<f64>,
    /// Likewise of a closed load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peak_users: Option<f64>,
    stages: Vec<String>,
    think: String,
    sizes: String,
    mix: String,
    seed: u64,
    warm_up_s: f64,
    /// For readers: all stages together.
    duration_s: f64,
}

impl From<Plan> for PlanText {
    fn from(plan: Plan) -> Self {
        let peak = plan.stages().peak();
        let (pacing, arrivals) = match &plan.load {
            Load::Closed { pacing, .. } => (Some(pacing.to_string()), None),
            Load::Open { arrivals, .. } => (None, Some(arrivals.to_string())),
        };
        let is_open = arrivals.is_some();
        Self {
            scenario: plan.scenario.to_string(),
            users: plan.users,
            load: if is_open { OPEN } else { CLOSED }.into(),
            pacing,
            arrivals,
            peak_rate_per_s: is_open.then_some(peak),
            peak_users: (!is_open).then_some(peak),
            stages: plan.stages().stages().iter().map(Stage::to_string).collect(),
            think: plan.think.to_string(),
            sizes: plan.sizes.to_string(),
            mix: plan.mix.to_string(),
            seed: plan.seed,
            warm_up_s: seconds(plan.warm_up_us()),
            duration_s: seconds(plan.duration_us()),
        }
    }
}

impl TryFrom<PlanText> for Plan {
    type Error = String;

    fn try_from(text: PlanText) -> Result<Self, String> {
        let plan = Self {
            seed: text.seed,
            scenario: text.scenario.parse()?,
            users: text.users,
            load: text.load()?,
            think: text.think.parse()?,
            sizes: text.sizes.parse()?,
            mix: text.mix.parse()?,
        };
        if plan.duration_us() != microseconds(text.duration_s) {
            return Err(format!(
                "the plan says duration_s is {}, but its stages take {} s together: one of them was changed",
                text.duration_s,
                seconds(plan.duration_us())
            ));
        }
        plan.check()?;
        Ok(plan)
    }
}

impl PlanText {
    fn load(&self) -> Result<Load, String> {
        let stages: Vec<Stage> = self.stages.iter().map(|stage| stage.parse()).collect::<Result<_, _>>()?;
        let stages = Shape::of_stages(&stages)?.after_warm_up(microseconds(self.warm_up_s).min(LONGEST_US));
        match (self.load.as_str(), &self.pacing, &self.arrivals) {
            (CLOSED, Some(pacing), None) => Ok(Load::Closed { stages, pacing: pacing.parse::<Pacing>()? }),
            (OPEN, None, Some(arrivals)) => Ok(Load::Open { stages, arrivals: arrivals.parse::<Arrivals>()? }),
            (CLOSED | OPEN, _, _) => Err("the plan's load needs pacing if it is closed, arrivals if it is open".into()),
            (load, _, _) => Err(format!("there is no load {load:?}: it is closed or open")),
        }
    }
}

fn microseconds(time_s: f64) -> u64 {
    whole(time_s * SECOND_US as f64)
}
