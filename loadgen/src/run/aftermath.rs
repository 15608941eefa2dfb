//! What comes after a load run: the verdict on its history, and its pictures.

use super::loaded_target::LoadedTarget;
use super::{HistoryUse, Order};
use engine::aftermath;
use engine::aftermath::View;
use record::files::HISTORY_FILE;
use record::run::HistoryReport;
use report::counterexample::timeline;
use report::timeline::Timeline;
use report::timeline::write_pages;
use tokio_util::sync::CancellationToken;

/// Judges the history, with what the target shows, unless it was stopped, and what is in the saves folder, where that can be
/// looked at; `None` where it is not to be judged.
pub(super) async fn judge(
    order: &Order,
    target: &LoadedTarget,
    stop: &CancellationToken,
) -> anyhow::Result<Option<HistoryReport>> {
    if order.history != HistoryUse::Judged {
        return Ok(None);
    }
    let folder = target.folder()?;
    let view =
        View { target: Some((&target.lab().target, order.patience)), folder: folder.as_ref(), stop: stop.clone() };
    let judged = aftermath::judge(&order.out.join(HISTORY_FILE), &view, order.plan.seed).await?;
    // What came back is no less ours.
    judged.came_back.iter().for_each(|key| target.lab().ledger.note_open_write(key));
    let verdict = judged.verdict;
    let pictures: Vec<Timeline> = verdict.counterexamples.iter().map(timeline).collect();
    let pages = write_pages(&order.out, "counterexample", &pictures)?;
    Ok(Some(HistoryReport::new(&verdict, &pages)))
}
