//! One run again, at one's own pace: up to an event, or by hand.

mod ask;
mod breaks;
mod compare;
mod prompt;
mod tell;

use std::io::{BufRead as _, IsTerminal as _};

pub(crate) use compare::{events as compare_events, runs as compare_runs};

use crate::report;
use crate::scripts;
use crate::subject::Subject;
use crate::timeline::{Keep, Timeline};
use tell::Teller;
pub(crate) use tell::shown;

/// How a run is gone through.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) subject: Subject,
    /// Stop after this event.
    pub(crate) until: Option<u64>,
    /// Start after this event.
    pub(crate) goto: Option<u64>,
    /// Print what happens.
    pub(crate) trace: bool,
    /// By hand.
    pub(crate) interactive: bool,
}

/// Goes through a run as asked, and gives the exit code.
pub(crate) fn replay(way: &Way) -> u8 {
    let mut timeline = Timeline::new(&way.subject, Keep::Sparse);
    if way.interactive {
        if let Some(event) = way.goto {
            timeline.goto(event);
        }
        let is_typed = std::io::stdin().is_terminal();
        let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
        // A terminal shows what is typed; what comes from elsewhere is shown with its answer.
        let lines = std::iter::from_fn(|| {
            if is_typed {
                report::prompt();
                return lines.next();
            }
            lines
                .next()
                .inspect(|line| report::line(&format!("> {line}")))
        });
        prompt::converse(timeline, lines, &mut report::line);
        return 0;
    }
    let until = way.until.unwrap_or(way.subject.order.events);
    if way.trace {
        timeline.goto(way.goto.unwrap_or(1).min(until));
        let teller = Teller::new(&timeline);
        teller.event(&mut report::line);
        while timeline.event() < until && timeline.next() {
            Teller::new(&timeline).event(&mut report::line);
        }
    } else if way.until.is_some() || way.goto.is_some() {
        timeline.goto(way.goto.unwrap_or(until).min(until));
        Teller::new(&timeline).event(&mut report::line);
    }
    if way.until.is_some() && !timeline.is_at_end() {
        Teller::new(&timeline).standings(&mut report::line);
        return 0;
    }
    // How it ends is told as it is by `run`.
    scripts::play(&way.subject)
}

#[cfg(test)]
mod tests;
