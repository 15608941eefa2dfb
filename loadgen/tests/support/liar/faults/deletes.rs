//! Deletes that do nothing or too much, and saves that follow a delete.

use super::super::Lie;
use super::super::keys::Key;
use super::super::store::{Liar, locked};
use super::super::wire::{INSTANCE_NOT_FOUND, NOTHING_SAVED, Refusal};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// `DeleteUndone`: how long after the delete.
const UNDONE_AFTER: Duration = Duration::from_millis(300);

impl Liar {
    /// delete's response before it removes an existing document.
    pub(in super::super) fn refuses_delete(&self, key: Key) -> Result<(), Refusal> {
        if self.path(key).exists() && self.tells(Lie::DeleteNotFoundKept) { Err(INSTANCE_NOT_FOUND) } else { Ok(()) }
    }

    /// Called after a document with this content was removed.
    pub(in super::super) fn removed(&self, key: Key, content: &[u8]) -> Result<(), Refusal> {
        if self.tells(Lie::DeleteNotFoundDone) {
            return Err(INSTANCE_NOT_FOUND);
        }
        let other = locked(&self.memory).last().filter(|other| *other != key && self.path(*other).exists());
        if let Some(other) = other.filter(|_| self.tells(Lie::DeletesAnother)) {
            // Another request may be removing it.
            let _ = fs::remove_file(self.path(other));
        }
        if !content.is_empty() && self.lies(Lie::DeleteUndone) && self.is_time() {
            self.undo_later(key, content.to_vec());
        }
        Ok(())
    }

    /// `DeleteUndone`: if the key has a new owner by then, the delete stands.
    fn undo_later(&self, key: Key, content: Vec<u8>) {
        let (path, counted) = (self.path(key), self.counted());
        tokio::spawn(async move {
            sleep(UNDONE_AFTER).await;
            let restored = OpenOptions::new().write(true).create_new(true).open(path);
            if restored.and_then(|mut file| file.write_all(&content)).is_ok() {
                counted.told.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// What happens to a save before it is stored: an error, or `true` if it is dropped.
    pub(in super::super) fn turns_away(&self, key: Key) -> Result<bool, Refusal> {
        if self.tells(Lie::SaveNotFound) {
            return Err(NOTHING_SAVED);
        }
        let is_deleted = self.telling.lie.is_some() && locked(&self.memory).is_deleted(key);
        if is_deleted && self.tells(Lie::SaveNotFoundAfterDelete) {
            return Err(INSTANCE_NOT_FOUND);
        }
        Ok(is_deleted && self.tells(Lie::DropsSaveAfterDelete))
    }
}
