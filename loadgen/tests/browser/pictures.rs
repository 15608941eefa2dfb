//! Pictures of pages, in the run's folder.

use anyhow::Context;
use fantoccini::Client;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::SystemTime;

/// Where they go: a folder that is given, or one of this run.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let given = std::env::var_os("BROWSER_OUT").map(PathBuf::from);
    given.unwrap_or_else(|| {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace(':', "-");
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports")).join(format!("{now}-browser"))
    })
});

/// Takes a picture of a page, as far as the window shows it.
pub(crate) async fn take(page: &Client, name: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(&*FOLDER).with_context(|| format!("cannot create {}", FOLDER.display()))?;
    let path = FOLDER.join(format!("{name}.png"));
    std::fs::write(&path, page.screenshot().await?).with_context(|| format!("cannot write {}", path.display()))
}
