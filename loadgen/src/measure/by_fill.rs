//! What a key costs, by fill.

use crate::lab::{Lab, Stuck};
use engine::client::Exchange;
use record::figures::Percentiles;
use record::hlog::{new_histogram, record};
use record::measurements::{Fill, PredictedFill};
use report::predict;
use stats::keys::THREE_CHARACTER_KEYS;
use std::sync::Arc;
use std::time::Duration;

/// Fills that the model is fitted to: the specification's figures, quarters, and the end.
const FITTED: [usize; 11] = [0, 1_000, 10_000, 11_664, 23_328, 34_992, 41_990, 45_000, 46_189, 46_609, 46_656];

/// Fills that are predicted first: 10, 60, 85, 95 and 98 %.
const HELD_OUT: [usize; 5] = [4_666, 27_994, 39_658, 44_323, 45_723];

/// Requests at each fill that one user makes one after the other, and that are timed.
const TIMED: usize = 1_500;

/// Requests whose attempts are counted. The standard deviation of attempts is at most their mean, so the mean of so many
/// is within 2.1 % of the true one at 99.7 % (three standard errors); 3 % is what predictions are held to.
const COUNTED: usize = 20_000;

/// Where keys are reserved each has to be given back, and attempts hardly vary.
const COUNTED_WHERE_RESERVED: usize = 4_000;

/// Keys asked for before they are given back, so that the fill stays what it is; at most a tenth of what is free.
const BATCH: usize = 200;

/// How long a fill may take: a target that is slower is measured with fewer requests, and the file says how many.
const LONGEST: Duration = Duration::from_secs(30);

/// Measures the fitted fills, predicts the others, and measures those.
pub(super) async fn sweep(lab: &Arc<Lab>) -> Result<Vec<Fill>, Stuck> {
    let mut fills = Vec::new();
    for documents in FITTED {
        fills.push(at(lab, documents, None).await?);
    }
    let model = predict::Keys::fit(&fills, THREE_CHARACTER_KEYS as u64);
    for documents in HELD_OUT {
        let predicted = model.as_ref().map(|model| model.at(documents as u64));
        fills.push(at(lab, documents, predicted).await?);
    }
    lab.empty_fill().await?;
    fills.sort_by_key(|fill| fill.documents);
    Ok(fills)
}

async fn at(lab: &Arc<Lab>, documents: usize, predicted: Option<PredictedFill>) -> Result<Fill, Stuck> {
    lab.fill_to(documents).await?;
    lab.allow(LONGEST);
    let mut fill =
        Fill { documents: documents as u64, held_out: HELD_OUT.contains(&documents), predicted, ..Fill::default() };
    let mut time_us = new_histogram();
    let mut user = lab.user(0);
    let timed = lab.effort.pick(TIMED / 5, TIMED, TIMED);
    while fill.timed < timed as u64 && lab.has_time() {
        let asked = user.generate_key().await;
        record(&mut time_us, asked.to_us - asked.from_us);
        fill.timed += 1;
        count(&mut fill, &asked);
        if let Some(key) = asked.key_handed_out() {
            lab.release(&[key]).await;
        }
    }
    fill.time_us = Percentiles::of(&time_us);
    let counted = if lab.reserves { COUNTED_WHERE_RESERVED } else { COUNTED };
    let counted = lab.effort.pick(counted / 5, counted, counted) as u64;
    let free = THREE_CHARACTER_KEYS - documents;
    let batch = if lab.reserves && free > 0 { BATCH.min((free / 10).max(1)) } else { BATCH };
    while fill.requests < counted && lab.has_time() {
        for asked in lab.borrow_keys(lab.users.min(batch), batch).await {
            count(&mut fill, &asked);
        }
    }
    Ok(fill)
}

fn count(fill: &mut Fill, asked: &Exchange) {
    let Ok(answer) = &asked.outcome else { return };
    fill.requests += 1;
    fill.handed_out += u64::from(asked.key_handed_out().is_some());
    fill.refused += u64::from(answer.status == 503);
    if let Some(attempts) = answer.attempts {
        *fill.attempts.entry(attempts).or_default() += 1;
    }
}
