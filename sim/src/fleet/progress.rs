//! How far a campaign is: a bar on a terminal, elsewhere a line now and then.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Plan;
use super::limit::Limit;
use super::tally::Tally;
use crate::report::{self, Failure};

/// How often a line is printed where there is no terminal.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// How long the bar is, in its own units.
const WHOLE: u64 = 1000;

/// How far it is.
pub(super) struct Progress {
    /// Nothing where nobody looks on.
    bar: Option<ProgressBar>,
    told: Duration,
    runs: u64,
    limit: Option<Limit>,
}

impl Progress {
    pub(super) fn new(plan: &Plan, limit: Option<Limit>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(WHOLE);
            let style = ProgressStyle::with_template("{bar:30} {percent:>3}% {msg}, {eta} left");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            told: Duration::ZERO,
            runs: plan.runs(),
            limit,
        }
    }

    /// Shows how far it is, `now` after the start.
    pub(super) fn show(&mut self, tally: &Tally, now: Duration) {
        let place = match self.limit {
            Some(limit) => limit.part(tally),
            None => tally.done.below as f64 / self.runs as f64,
        };
        match &self.bar {
            Some(bar) => {
                bar.set_position((place * WHOLE as f64) as u64);
                bar.set_message(words(tally));
            }
            None if now >= self.told + TOLD_EVERY => {
                self.told = now;
                report::aside(&format!("{:.0} %: {}", place * 100.0, words(tally)));
            }
            None => {}
        }
    }

    /// Tells a failure when it is found: a fleet may go on for hours, or be broken off.
    pub(super) fn tell(&self, failure: &Failure) {
        let Failure {
            seed, profile, id, ..
        } = failure;
        let words = format!("{id} fails: sim replay {seed} --profile {profile}");
        match &self.bar {
            Some(bar) => bar.println(words),
            None => report::aside(&words),
        }
    }

    /// The bar goes away.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn words(tally: &Tally) -> String {
    let (total, failed) = (tally.total(), tally.failed_runs());
    let wall = tally.wall.as_secs_f64().max(1e-9);
    let (rate, events) = (total.runs as f64 / wall, total.events as f64 / wall);
    let speed = total.simulated as f64 / 1e9 / wall;
    format!(
        "{} runs, {failed} failures, {rate:.1} seeds/s, {events:.0} events/s, \
         {speed:.0} × real time",
        total.runs
    )
}
