//! Which server a command is about: the embedded reference server, or a target.

use super::protocol::ProtocolChoice;
use crate::lab::Subject;
use anyhow::Context;
use clap::Args;
use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::Target;
use engine::client::target::DEFAULT_PAGE;
use engine::saves_folder::SavesFolder;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments that say which.
// No group of its own: its name would be that of the command's arguments, which these are a part of.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct Arguments {
    /// Protocol of the embedded reference server that is tried
    #[arg(long, value_parser = ProtocolChoice::of_embedded_servers(), default_value = "both", conflicts_with = "target")]
    protocol: ProtocolChoice,
    /// Try the server at this URL instead; given several times: processes that serve one folder (only S9 uses the others)
    #[arg(long, value_name = "URL")]
    target: Vec<String>,
    /// The target's paths, {op} standing for the operation
    #[arg(long, value_name = "TEMPLATE", default_value = DEFAULT_PATH_TEMPLATE, requires = "target")]
    path_template: String,
    /// The path of the page with the target's client, which C1 and C2 open in a browser
    #[arg(long, value_name = "PATH", default_value = DEFAULT_PAGE, requires = "target")]
    page: String,
    /// The target's saves folder, for what needs to look at the disk; it is filled, and emptied again, if it was empty
    #[arg(long, value_name = "DIR", requires = "target")]
    saves: Option<PathBuf>,
    /// Go on though the target holds documents
    #[arg(long, requires = "target")]
    yes: bool,
}

impl Arguments {
    /// What they name: a target, with all of its processes, or else the embedded server.
    ///
    /// # Errors
    /// Where an argument does not fit, with its name.
    pub(super) fn subjects(&self) -> anyhow::Result<Vec<Subject>> {
        let process = |url: &String| {
            let target = Target::new(url, &self.path_template);
            target.map_err(anyhow::Error::msg).context("--target")
        };
        let Some((first, others)) = self.target.split_first() else {
            return Ok(self.protocol.protocols().map(Subject::Embedded).collect());
        };
        let others = others.iter().map(|url| process(url).map(Arc::new)).collect::<anyhow::Result<_>>()?;
        let target = process(first)?.with_page(&self.page).map_err(anyhow::Error::msg).context("--page")?;
        let target = Box::new(target.with_processes(others));
        let saves = self.saves.as_deref().map(SavesFolder::open).transpose();
        let saves = saves.map_err(anyhow::Error::msg).context("--saves")?;
        Ok(vec![Subject::Server { target, saves, consent: self.yes }])
    }
}
