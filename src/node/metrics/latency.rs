//! LATENCY: the moments at which something took longer than `latency-monitor-threshold`.
//!
//! Of each kind of event the last moments are kept, one for a second, and the longest of all. The
//! times are those that SLOWLOG goes by (`figures`).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::row::Row;
use crate::command::verb::LatencyVerb;
use crate::resp::reply::Reply;

/// How many moments are kept of one kind of event.
const KEPT: usize = 160;
/// How many of them LATENCY GRAPH draws, and how high.
const COLUMNS: usize = 80;
const ROWS: usize = 4;
/// The signs that fill a place of the graph to a third, to two thirds, and whole.
const SIGNS: [u8; 3] = *b"_o#";

/// A moment at which something took long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    at_s: u64,
    took_ms: u64,
}

/// The moments of one kind of event.
#[derive(Clone, Debug, Default)]
struct Series {
    moments: VecDeque<Moment>,
    longest_ms: u64,
}

/// All moments, by kind of event.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Latency {
    events: BTreeMap<&'static str, Series>,
}

/// The kind of event that the call of a command is.
pub(super) fn event_of(row: &Row) -> &'static str {
    if row.has(Flag::Fast) {
        "fast-command"
    } else {
        "command"
    }
}

impl Latency {
    /// Something took so long, if that is as long as is kept.
    pub(super) fn took(&mut self, event: &'static str, at_s: u64, took_ms: u64, least_ms: u64) {
        if least_ms == 0 || took_ms < least_ms {
            return;
        }
        let series = self.events.entry(event).or_default();
        series.longest_ms = series.longest_ms.max(took_ms);
        if let Some(last) = series.moments.back_mut().filter(|last| last.at_s == at_s) {
            last.took_ms = last.took_ms.max(took_ms);
            return;
        }
        if series.moments.len() == KEPT {
            series.moments.pop_front();
        }
        series.moments.push_back(Moment { at_s, took_ms });
    }

    /// LATENCY, but for HISTOGRAM. `least_ms` is the threshold; 0: nothing is kept.
    pub(super) fn verb(
        &mut self,
        verb: LatencyVerb,
        args: Args<'_>,
        (now_s, least_ms): (u64, u64),
        reply: &mut Reply<'_>,
    ) -> Outcome {
        match verb {
            LatencyVerb::History => {
                let series = self.of(args.at(2));
                reply.array(series.map_or(0, |series| series.moments.len()));
                for moment in series.iter().flat_map(|series| &series.moments) {
                    reply.array(2);
                    reply.integer(moment.at_s as i64);
                    reply.integer(moment.took_ms as i64);
                }
            }
            LatencyVerb::Latest => {
                reply.array(self.events.len());
                for (event, series) in &self.events {
                    let last = series.moments.back();
                    reply.array(4);
                    reply.bulk(event.as_bytes());
                    reply.integer(last.map_or(0, |last| last.at_s as i64));
                    reply.integer(last.map_or(0, |last| last.took_ms as i64));
                    reply.integer(series.longest_ms as i64);
                }
            }
            LatencyVerb::Graph => {
                let series = self.of(args.at(2));
                let series = series.ok_or_else(|| no_samples(args.at(2)))?;
                reply.verbatim(*b"txt", &graph(args.at(2), series, now_s));
            }
            LatencyVerb::Reset => {
                let before = self.events.len();
                if args.len() == 2 {
                    self.events.clear();
                }
                for event in args.from(2).iter() {
                    self.events
                        .retain(|kept, _| !event.eq_ignore_ascii_case(kept.as_bytes()));
                }
                reply.integer((before - self.events.len()) as i64);
            }
            LatencyVerb::Doctor => reply.verbatim(*b"txt", &self.report(least_ms)),
            LatencyVerb::Histogram => {}
        }
        Ok(())
    }

    fn of(&self, event: &[u8]) -> Option<&Series> {
        let event = core::str::from_utf8(event).ok()?;
        self.events.get(event)
    }

    /// The words of LATENCY DOCTOR.
    fn report(&self, least_ms: u64) -> String {
        if least_ms == 0 {
            return "Nothing is watched: latency-monitor-threshold is 0. Set it to the least time \
                 in milliseconds that is worth a look.\n"
                .into();
        }
        if self.events.is_empty() {
            return format!("Nothing has taken {least_ms} ms or longer.\n");
        }
        let mut text = format!("These have taken {least_ms} ms or longer:\n\n");
        for (event, series) in &self.events {
            let count = series.moments.len() as u64;
            let sum: u64 = series.moments.iter().map(|moment| moment.took_ms).sum();
            let mean = sum.checked_div(count).unwrap_or(0);
            let longest = series.longest_ms;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{event}: seen in {count} seconds, {mean} ms on average, {longest} ms at most."
            );
        }
        text.push_str(
            "\nSLOWLOG GET names requests that were slow, and INFO commandstats the commands that \
             take most time.\n",
        );
        text
    }
}

fn no_samples(event: &[u8]) -> Error {
    let event = String::from_utf8_lossy(event);
    Error::text(format!("ERR No samples available for event '{event}'"))
}

/// The last moments as columns of signs, with how long ago each was below it.
fn graph(event: &[u8], series: &Series, now_s: u64) -> String {
    let skipped = series.moments.len().saturating_sub(COLUMNS);
    let shown: Vec<Moment> = series.moments.iter().skip(skipped).copied().collect();
    let took = || shown.iter().map(|moment| moment.took_ms);
    let (low, high) = (took().min().unwrap_or(0), took().max().unwrap_or(0));
    let mut text = format!(
        "{} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        String::from_utf8_lossy(event),
        series.longest_ms,
        "-".repeat(COLUMNS)
    );
    let steps = ROWS * SIGNS.len();
    let range = (high - low).max(1);
    let step = |took_ms: u64| ((took_ms - low) as usize * steps / range as usize).min(steps - 1);
    for row in (0..ROWS).rev() {
        for moment in &shown {
            let step = step(moment.took_ms);
            let below = row * SIGNS.len();
            let sign = match step.checked_sub(below) {
                None => b' ',
                Some(within) => *SIGNS.get(within).unwrap_or(&b'|'),
            };
            text.push(char::from(sign));
        }
        text.push('\n');
    }
    let ages: Vec<String> = shown
        .iter()
        .map(|one| age(now_s - one.at_s.min(now_s)))
        .collect();
    let longest = ages.iter().map(String::len).max().unwrap_or(0);
    for place in 0..=longest {
        text.push('\n');
        if place == longest {
            break;
        }
        for age in &ages {
            text.push(
                age.as_bytes()
                    .get(place)
                    .map_or(' ', |sign| char::from(*sign)),
            );
        }
    }
    text
}

/// A time in the largest unit of which it has at least one.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(moments: &[(u64, u64)]) -> Latency {
        let mut latency = Latency::default();
        for (at_s, took_ms) in moments {
            latency.took("command", *at_s, *took_ms, 10);
        }
        latency
    }

    #[test]
    fn one_moment_a_second_is_kept_and_the_last_of_many() {
        let latency = seen(&[(1, 9), (1, 10), (1, 30), (1, 20), (2, 11)]);
        let series = latency.of(b"command").unwrap();
        let kept: Vec<_> = series.moments.iter().map(|m| (m.at_s, m.took_ms)).collect();
        assert_eq!(kept, [(1, 30), (2, 11)]);
        let many: Vec<_> = (0..1000).map(|at| (at, 1000 - at)).collect();
        let latency = seen(&many);
        let series = latency.of(b"command").unwrap();
        assert_eq!((series.moments.len(), series.longest_ms), (KEPT, 1000));
    }

    #[test]
    fn nothing_is_kept_without_a_threshold() {
        let mut latency = Latency::default();
        latency.took("command", 1, 1000, 0);
        assert!(latency.events.is_empty());
    }

    #[test]
    fn a_graph_shows_ages_below_what_grows() {
        let latency = seen(&[(0, 10), (4000, 500), (4060, 100), (4100, 1000)]);
        let text = graph(b"command", latency.of(b"command").unwrap(), 4101);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "command - high 1000 ms, low 10 ms (all time high 1000 ms)"
        );
        assert_eq!(lines[2..6], ["   #", "   |", " # |", "_|o|"]);
        assert_eq!(lines[6..], ["", "1141", "hm1s", "  s "]);
    }
}
