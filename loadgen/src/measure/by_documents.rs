//! What documents cost: the time of a list, and space on the disk.

use crate::lab::{Lab, Stuck};
use crate::saves::{Fill, Filler};
use contract::document::REAL_STATE_BYTES;
use engine::saves_folder::SavesFolder;
use record::figures::Percentiles;
use record::hlog::{new_histogram, record};
use record::measurements::Folder;
use report::predict;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// Documents that the line is fitted to, and such as are predicted first.
const FITTED: [usize; 5] = [0, 500, 1_000, 2_000, 5_000];
const HELD_OUT: [usize; 2] = [3_000, 10_000];

/// Lists at each number of documents.
const LISTS: u64 = 9;

/// What `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;

/// Measures the fitted numbers of documents, predicts the others, and measures those.
pub(super) async fn sweep(lab: &Arc<Lab>) -> Result<Vec<Folder>, Stuck> {
    // Of real size, each a file of its own: only so do they take the space that they take.
    let mut filler = Filler::new(lab.folder()?.clone(), lab.seed, Fill::Documents { state_bytes: REAL_STATE_BYTES });
    let mut points = Vec::new();
    for documents in FITTED {
        points.push(at(lab, &mut filler, documents).await?);
    }
    let line = predict::lists(&points);
    for documents in HELD_OUT {
        let point = at(lab, &mut filler, documents).await?;
        let predicted_list_p50_us = line.as_ref().map(|line| line.at(documents as f64));
        points.push(Folder { held_out: true, predicted_list_p50_us, ..point });
    }
    filler.empty()?;
    points.sort_by_key(|point| point.documents);
    Ok(points)
}

async fn at(lab: &Arc<Lab>, filler: &mut Filler, documents: usize) -> Result<Folder, Stuck> {
    tokio::task::block_in_place(|| filler.fill_to(documents))?;
    let (mut user, mut list_us, mut list_bytes) = (lab.user(0), new_histogram(), 0);
    for _ in 0..LISTS {
        let listed = user.list().await;
        let Some(data) = listed.data() else {
            return Err(Stuck(format!("a list of {documents} documents is answered {}", listed.step().got)));
        };
        list_bytes = data.get().len() as u64;
        record(&mut list_us, listed.to_us - listed.from_us);
    }
    Ok(Folder {
        documents: documents as u64,
        list_us: Percentiles::of(&list_us),
        list_bytes,
        disk_bytes: disk_bytes(lab.folder()?)?,
        ..Folder::default()
    })
}

/// What the documents' files occupy, without the folder itself.
fn disk_bytes(folder: &SavesFolder) -> io::Result<u64> {
    let mut bytes = 0;
    for key in folder.keys()? {
        bytes += std::fs::metadata(folder.document_path(&key))?.blocks() * BLOCK_BYTES;
    }
    Ok(bytes)
}
