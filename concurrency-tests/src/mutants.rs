//! File systems with a guarantee taken away. A check that passes on a mutant proves nothing; each mutant has a
//! test that the check catches it.

use server::fs::{FileSystem, FolderStat, Open, Stat};
use std::io;

/// A file system whose locks exclude nobody.
#[derive(Clone, Debug)]
pub struct Unlocked<F>(pub F);

impl<F: FileSystem> FileSystem for Unlocked<F> {
    type File = F::File;

    async fn lock(&self, _file: &F::File) -> io::Result<()> {
        Ok(())
    }

    async fn unlock(&self, _file: &F::File) -> io::Result<()> {
        Ok(())
    }

    // From here on as the file system itself does.

    async fn folder(&self) -> io::Result<Option<FolderStat>> {
        self.0.folder().await
    }

    async fn create_folder(&self) -> io::Result<()> {
        self.0.create_folder().await
    }

    async fn names(&self) -> io::Result<Vec<String>> {
        self.0.names().await
    }

    async fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        self.0.stat(name).await
    }

    async fn open(&self, name: &str, how: Open) -> io::Result<F::File> {
        self.0.open(name, how).await
    }

    async fn stat_open(&self, file: &F::File) -> io::Result<Stat> {
        self.0.stat_open(file).await
    }

    async fn read(&self, file: &F::File, into: &mut Vec<u8>, at_most_bytes: usize) -> io::Result<usize> {
        self.0.read(file, into, at_most_bytes).await
    }

    async fn write(&self, file: &F::File, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(file, bytes).await
    }

    async fn truncate(&self, file: &F::File) -> io::Result<()> {
        self.0.truncate(file).await
    }

    async fn rewind(&self, file: &F::File) -> io::Result<()> {
        self.0.rewind(file).await
    }

    async fn sync(&self, file: &F::File) -> io::Result<()> {
        self.0.sync(file).await
    }

    async fn sync_folder(&self) -> io::Result<()> {
        self.0.sync_folder().await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to).await
    }

    async fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.0.exchange(one, other).await
    }

    async fn unlink(&self, name: &str) -> io::Result<()> {
        self.0.unlink(name).await
    }

    fn can_exchange(&self) -> bool {
        self.0.can_exchange()
    }
}
