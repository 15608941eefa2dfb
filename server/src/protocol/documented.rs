//! The specification's protocol, to the letter, its flaws included: it is the thing measured.
//!
//! Each operation quotes the line of PHP that a step stands for, in the specification's order, so that it can be
//! ticked off against it. restore, delete and list are its "[KEEP]" files, which it describes but does not
//! print: read-only without a lock, and a bare unlink.
//!
//! Two departures, each with a setting that restores the letter: a write that failed is answered with an error
//! ([`DocumentedOptions::checks_writes`]), and a lock is waited for up to a deadline (the file system's setting).

use super::document::{self, Posted};
use super::{Error, Generated, Instantiated, Listed, Protocol, Rules, World};
use super::{file_name, key_of_file, newest_first, read_at_most, write_all};
use crate::fs::{FileSystem, Open};
use std::io;

/// `$maxAttempts = 100`
const MAX_ATTEMPTS: u32 = 100;

/// Settings of [`Documented`].
#[derive(Clone, Copy, Debug)]
pub struct DocumentedOptions {
    /// Answer 500 `Failed to write file` where a write failed; the specification does not look.
    pub checks_writes: bool,
}

/// The protocol as documented.
#[derive(Debug)]
pub struct Documented<F, W> {
    fs: F,
    world: W,
    rules: Rules,
    options: DocumentedOptions,
}

impl<F: FileSystem, W: World> Documented<F, W> {
    /// The protocol on a file system.
    pub fn new(fs: F, world: W, rules: Rules, options: DocumentedOptions) -> Self {
        Self { fs, world, rules, options }
    }

    /// `file_exists($savesDir)`
    async fn folder_exists(&self) -> bool {
        matches!(self.fs.folder().await, Ok(Some(_)))
    }

    /// `file_exists($filename)`
    async fn exists(&self, name: &str) -> bool {
        matches!(self.fs.stat(name).await, Ok(Some(_)))
    }

    /// `filesize($filename)`, of the name, not of the open file; false counts as 0.
    async fn size_by_name(&self, name: &str) -> u64 {
        self.fs.stat(name).await.ok().flatten().map_or(0, |stat| stat.size_bytes)
    }

    /// `fopen($filename, …)`, then `flock($fp, LOCK_EX)`
    async fn open_locked(&self, name: &str, mode: Open) -> Result<F::File, Error> {
        let file = self.fs.open(name, mode).await.map_err(Error::Open)?;
        self.fs.lock(&file).await.map_err(Error::Lock)?;
        Ok(file)
    }

    /// What came of the writing; an error only where writes are checked.
    fn written(&self, outcome: io::Result<()>) -> Result<(), Error> {
        if self.options.checks_writes { outcome.map_err(Error::Write) } else { Ok(()) }
    }

    /// `file_get_contents($path)`
    async fn contents(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.fs.open(name, Open::Read).await?;
        let size_bytes = self.fs.stat_open(&file).await?.size_bytes;
        // One byte more than is there, so that it reads on to the end of the file, wherever that is by then.
        let mut content = read_at_most(&self.fs, &file, size_bytes + 1).await?;
        while self.fs.read(&file, &mut content, READ_STEP_BYTES).await? > 0 {}
        Ok(content)
    }
}

/// How much `file_get_contents` asks for beyond the size it first saw.
const READ_STEP_BYTES: usize = 8192;

impl<F: FileSystem + 'static, W: World + 'static> Protocol for Documented<F, W> {
    async fn generate_key(&self) -> Result<Generated, Error> {
        // if (!file_exists($savesDir))
        if !self.folder_exists().await {
            return Err(Error::FolderNotFound);
        }
        // for ($i = 0; $i < $maxAttempts; $i++)
        for attempts in 1..=MAX_ATTEMPTS {
            // $key = generateRandomKey();
            let key = self.rules.keys.pick(&mut |below| self.world.draw(below));
            // if (!file_exists($filename)) return $key;
            if !self.exists(&file_name(key)).await {
                return Ok(Generated { key, attempts });
            }
        }
        // send_error('Unable to generate unique key - all attempts exhausted', 503);
        Err(Error::KeysExhausted { attempts: MAX_ATTEMPTS })
    }

    async fn instantiate(&self, body: &[u8]) -> Result<Instantiated, Error> {
        // if (!file_exists($savesDir) && !mkdir($savesDir, 0755, true))
        if !self.folder_exists().await {
            self.fs.create_folder().await.map_err(Error::CreateFolder)?;
        }
        // json_decode, validate_session_key, TypeManager::validateType
        let posted = Posted::parse(body, &self.rules)?;
        // $placeholder = [...]; $json = json_encode($placeholder, JSON_UNESCAPED_SLASHES);
        let content = posted.placeholder(self.world.now_ms())?;
        let name = file_name(posted.key);
        // $fp = fopen($filename, 'c'); flock($fp, LOCK_EX)
        let file = self.open_locked(&name, Open::WriteOrCreate).await?;
        // if (filesize($filename) > 0) { flock($fp, LOCK_UN); fclose($fp); 'Instance already exists' }
        if self.size_by_name(&name).await > 0 {
            let _ = self.fs.unlock(&file).await;
            return Ok(Instantiated::Existed);
        }
        // fwrite($fp, $json);
        let outcome = write_all(&self.fs, &file, &content).await;
        // flock($fp, LOCK_UN); fclose($fp);
        let _ = self.fs.unlock(&file).await;
        drop(file);
        self.written(outcome)?;
        Ok(Instantiated::Created)
    }

    async fn save(&self, body: &[u8]) -> Result<(), Error> {
        // if (!file_exists($savesDir))
        if !self.folder_exists().await {
            return Err(Error::FolderNotFound);
        }
        // json_decode, validate_session_key, TypeManager::validateType, unset($data['type'])
        let posted = Posted::parse(body, &self.rules)?;
        // Metadata of a kind that PHP's array_merge would die of is refused before the file is touched.
        posted.merged(None, 0)?;
        let name = file_name(posted.key);
        // 1. Open file with 'c+' mode: fopen($filename, 'c+')
        // 2. Acquire EXCLUSIVE lock: flock($fp, LOCK_EX)
        let file = self.open_locked(&name, Open::ReadWriteOrCreate).await?;
        // 3. Read existing content: fread($fp, filesize($filename))
        let size_bytes = self.size_by_name(&name).await;
        let existing = read_at_most(&self.fs, &file, size_bytes).await.unwrap_or_default();
        // 4. Modify data: array_merge($existingData['metadata'], $data['metadata']), lastModified
        let content = posted.merged(Some(&existing), self.world.now_ms())?;
        let outcome = async {
            // 5. Truncate file: ftruncate($fp, 0)
            self.fs.truncate(&file).await?;
            // 6. Write new content: rewind($fp); fwrite($fp, $updatedContent)
            self.fs.rewind(&file).await?;
            write_all(&self.fs, &file, &content).await
        }
        .await;
        // 7. Release lock: flock($fp, LOCK_UN)
        let _ = self.fs.unlock(&file).await;
        // 8. Close file: fclose($fp)
        drop(file);
        self.written(outcome)
    }

    async fn restore(&self, key: &str) -> Result<Vec<u8>, Error> {
        let key = self.rules.keys.parse(key).ok_or(Error::InvalidKey)?;
        let name = file_name(key);
        if !self.exists(&name).await {
            return Err(Error::NothingSaved);
        }
        let content = self.contents(&name).await.map_err(Error::Read)?;
        if document::is_whole(&content) { Ok(content) } else { Err(Error::InvalidSavedData) }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        if key.is_empty() {
            return Err(Error::KeyRequired);
        }
        let key = self.rules.keys.parse(key).ok_or(Error::InvalidKey)?;
        let name = file_name(key);
        if !self.exists(&name).await {
            return Err(Error::InstanceNotFound);
        }
        self.fs.unlink(&name).await.map_err(Error::Delete)
    }

    async fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for name in self.fs.names().await.map_err(Error::AccessFolder)? {
            let Some(key) = key_of_file(self.rules.keys, &name) else { continue };
            // @file_get_contents: what cannot be read is left out, without a word.
            let Ok(content) = self.contents(&name).await else { continue };
            let modified_ms = self.fs.stat(&name).await.ok().flatten().map_or(0, |stat| stat.modified_ms);
            // filemtime counts in seconds.
            listed.extend(document::listed(key, &content, modified_ms / 1000 * 1000));
        }
        newest_first(&mut listed);
        Ok(listed)
    }

    async fn give_back_stale(&self, _reserved_before_ms: u64) -> Result<usize, Error> {
        Ok(0)
    }
}
