//! What comes after a load run: the verdict on its history, and its pictures.

use super::stage::Stage;
use super::{HistoryUse, Order};
use crate::engine::aftermath;
use crate::record::run::HistoryReport;
use crate::record::{HISTORY_FILE, write_counterexamples};
use crate::report::counterexample::timeline;
use crate::report::timeline::Timeline;

/// Judges the history, with what is in the saves folder, where it can be looked at; `None` where it is not to be judged.
pub(super) async fn judge(order: &Order, stage: &Stage) -> anyhow::Result<Option<HistoryReport>> {
    if order.history != HistoryUse::Judged {
        return Ok(None);
    }
    let folder = stage.folder()?;
    let verdict = aftermath::judge(&order.out.join(HISTORY_FILE), folder.as_ref(), order.plan.seed).await?;
    let pictures: Vec<Timeline> = verdict.counterexamples.iter().map(timeline).collect();
    let pages = write_counterexamples(&order.out, "counterexample", &pictures)?;
    Ok(Some(HistoryReport::new(&verdict, &pages)))
}
