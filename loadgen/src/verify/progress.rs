//! What is shown while claims are tried: a bar on a terminal, and a line a verdict everywhere. All of it goes to
//! standard error; the result alone goes to standard output.

use super::runner::Tried;
use crate::claims::Claim;
use crate::print::stderr;
use contract::visible;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many verdicts. Where standard error is no terminal, it stays hidden.
    #[must_use]
    pub fn new(verdicts: usize) -> Self {
        let bar = ProgressBar::new(verdicts as u64);
        let style = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} {elapsed}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// A claim is about to be tried.
    pub fn begins(&self, target: &str, claim: &Claim) {
        self.0.set_message(format!("{target}: {} {}", claim.id, claim.title));
    }

    /// A claim has its verdict.
    pub fn ended(&self, target: &str, claim: &Claim, tried: &Tried) {
        let Tried { finding, took } = tried;
        let line = format!(
            "{target:<10} {:<3} {:<12} {:>5.1} s  {}",
            claim.id,
            finding.verdict,
            took.as_secs_f64(),
            visible(&finding.summary)
        );
        if self.0.is_hidden() {
            stderr!("{line}");
        } else {
            self.0.println(line);
        }
        self.0.inc(1);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
