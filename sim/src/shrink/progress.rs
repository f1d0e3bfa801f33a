//! The display of the search while it runs.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::decisions::script::Script;

/// A bar on a terminal, and nothing elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar that is full when the time is over.
    pub(super) fn new(time: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(time.as_millis() as u64);
            let style = ProgressStyle::with_template("{bar:30} {elapsed} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar }
    }

    /// Shows what is left.
    pub(super) fn show(&self, script: &Script, trials: u64) {
        if let Some(bar) = &self.bar {
            let (faults, requests) = (script.decisions.len(), script.operations());
            bar.set_position(bar.elapsed().as_millis() as u64);
            bar.set_message(format!(
                "{faults} faults, {requests} requests, {trials} runs"
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
