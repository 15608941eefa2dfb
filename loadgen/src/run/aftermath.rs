//! What comes after a load run: the verdict on its history, and its pictures.

use super::Order;
use super::stage::Stage;
use crate::engine::aftermath;
use crate::record::run::HistoryReport;
use crate::record::{HISTORY_FILE, write_counterexamples};
use crate::report::counterexample::timeline;
use crate::report::timeline::Timeline;

/// Judges the history, with what is in the saves folder, where it can be looked at; `None` where no history was kept.
pub(super) async fn judge(order: &Order, stage: &Stage) -> anyhow::Result<Option<HistoryReport>> {
    if !order.keeps_history {
        return Ok(None);
    }
    let folder = stage.folder()?;
    let verdict = aftermath::judge(&order.out.join(HISTORY_FILE), folder.as_ref(), order.plan.seed).await?;
    let pictures: Vec<Timeline> = verdict.counterexamples.iter().map(timeline).collect();
    let pages = write_counterexamples(&order.out, "counterexample", &pictures)?;
    Ok(Some(HistoryReport::new(&verdict, &pages)))
}
