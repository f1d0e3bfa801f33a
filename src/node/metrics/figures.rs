//! The figures that INFO gives of work and time: the process as the driver has seen it, rates, the
//! memory's peak, and how the time of a turn is shared by the commands that ran in it.
//!
//! The clock is not read for each command. Between two moments that a driver tells (an input, a
//! flush, the end of a turn) some commands run; the time that has passed is divided among them by
//! the work that each has done. Of many small commands that were read together each gets the mean;
//! a long one gets its own time. Summed up over all commands the time is that of the turns.

use alloc::vec::Vec;
use core::time::Duration;

use crate::command::row::Row;
use crate::node::config::Config;
use crate::node::input::Sample;
use crate::node::metrics::slowlog::Piece;
use crate::node::metrics::stats::Stats;
use crate::time::{Mono, Now};

/// The counters from which rates are made.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    at: Mono,
    commands: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// The work of a second.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::node) struct Rates {
    pub(in crate::node) commands: u64,
    pub(in crate::node) bytes_in: u64,
    pub(in crate::node) bytes_out: u64,
}

/// The figures of INFO besides counters.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Figures {
    pub(in crate::node) sample: Sample,
    reading: Reading,
    pub(in crate::node) rates: Rates,
    /// The most memory that the store has taken, in bytes, and what it took while it was empty.
    pub(in crate::node) memory_peak: usize,
    pub(in crate::node) memory_start: usize,
    /// The memory of the process beside that which the node counts, in bytes, as the driver's first
    /// look found it: its code and what surrounds it.
    pub(in crate::node) process_bytes: u64,
    /// The most that was held of one client's requests, and of its replies.
    pub(in crate::node) buffers: Recent,
    /// The commands that ran since `since`.
    ran: Vec<Ran>,
    /// The time that the pieces of a command have taken which is not at its end, of each kind.
    carried: [Duration; 2],
    work: u64,
    since: Mono,
}

/// A command that ran, or a piece of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    row: &'static Row,
    work: u32,
    /// The kind of pieces in which it was run.
    piece: Option<Piece>,
    /// It is at its end.
    is_last: bool,
}

impl Ran {
    /// A command that has done so much.
    pub(super) fn of(row: &'static Row, work: usize) -> Self {
        Self {
            row,
            work: u32::try_from(work).unwrap_or(u32::MAX),
            piece: None,
            is_last: false,
        }
    }

    /// It is at its end, behind pieces of this kind, if it had any.
    pub(super) fn ending(self, piece: Option<Piece>) -> Self {
        Self {
            piece,
            is_last: true,
            ..self
        }
    }

    /// It goes on later.
    pub(super) fn piece_of(self, piece: Piece) -> Self {
        Self {
            piece: Some(piece),
            ..self
        }
    }
}

/// The largest that was seen of two sizes lately.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::node) struct Recent {
    since: Mono,
    now: [usize; 2],
    before: [usize; 2],
}

/// Sizes are remembered for so long at least, and for twice as long at most.
const RECENT: Duration = Duration::from_secs(8);

impl Recent {
    pub(super) fn see(&mut self, at: Mono, sizes: [usize; 2]) {
        *self = self.at(at);
        for (most, size) in self.now.iter_mut().zip(sizes) {
            *most = size.max(*most);
        }
    }

    /// The largest sizes that are remembered at a moment.
    pub(in crate::node) fn most(&self, at: Mono) -> [usize; 2] {
        let Self { now, before, .. } = self.at(at);
        [now[0].max(before[0]), now[1].max(before[1])]
    }

    fn at(self, at: Mono) -> Self {
        let passed = at.since(self.since);
        if passed < RECENT {
            return self;
        }
        let is_over = passed >= 2 * RECENT;
        Self {
            since: at,
            now: [0; 2],
            before: if is_over { [0; 2] } else { self.now },
        }
    }
}

/// The time over which rates are made.
const RATES_OVER: Duration = Duration::from_secs(1);

/// So many commands share one span; those behind count with the last of them.
const SHARED_MAX: usize = 1 << 16;

impl Figures {
    /// Nothing has run yet; the empty store takes so many bytes.
    pub(super) fn new(memory: usize) -> Self {
        Self {
            memory_start: memory,
            ..Self::default()
        }
    }

    /// The driver has looked at the process, while the node counted `used` bytes of memory.
    pub(super) fn sampled(&mut self, now: Mono, sample: Sample, used: u64, stats: &Stats) {
        if self.sample.rss_bytes == 0 {
            self.process_bytes = sample.rss_bytes.saturating_sub(used);
        }
        self.sample = sample;
        if now.since(self.reading.at) < RATES_OVER {
            return;
        }
        let now = Reading {
            at: now,
            commands: stats.commands,
            bytes_in: stats.bytes_in,
            bytes_out: stats.bytes_out,
        };
        let before = core::mem::replace(&mut self.reading, now);
        let passed = now.at.since(before.at).as_millis() as u64;
        let rate = |now: u64, before: u64| {
            // CONFIG RESETSTAT may have taken the counters back.
            let count = now.saturating_sub(before);
            (count * 1000).checked_div(passed).unwrap_or(0)
        };
        self.rates = Rates {
            commands: rate(now.commands, before.commands),
            bytes_in: rate(now.bytes_in, before.bytes_in),
            bytes_out: rate(now.bytes_out, before.bytes_out),
        };
    }

    /// A command, or a piece of one, has run and done so much.
    pub(super) fn runs(&mut self, ran: Ran) {
        self.work += u64::from(ran.work);
        if self.ran.len() < SHARED_MAX {
            self.ran.push(ran);
        }
    }

    /// Returns true if nothing has run since the last moment.
    pub(super) fn is_fresh(&self) -> bool {
        self.ran.is_empty()
    }

    /// The commands that ran since the last moment have taken until now: so long for each piece of
    /// work. `took` is told of each call that is at its end.
    pub(super) fn pass(
        &mut self,
        now: Now,
        config: &Config,
        stats: &mut Stats,
        mut took: impl FnMut(&'static Row, Duration),
    ) -> Duration {
        let passed = now.mono.since(self.since);
        self.since = now.mono;
        let nanoseconds = passed.as_nanos() as u64;
        let each = nanoseconds.checked_div(self.work).unwrap_or(0);
        let watches = config.latency_tracking || config.latency_least_ms > 0;
        for ran in self.ran.drain(..) {
            let own = each.saturating_mul(u64::from(ran.work));
            let calls = stats.calls(ran.row);
            calls.nanoseconds += own;
            if !watches {
                continue;
            }
            let mut own = Duration::from_nanos(own);
            if let Some(piece) = ran.piece {
                own += core::mem::take(&mut self.carried[piece as usize]);
            }
            match ran.piece {
                Some(piece) if !ran.is_last => self.carried[piece as usize] = own,
                _ => {
                    if config.latency_tracking {
                        calls.durations.add(own);
                    }
                    took(ran.row, own);
                }
            }
        }
        self.work = 0;
        Duration::from_nanos(each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_largest_is_remembered_for_a_while_and_then_forgotten() {
        let at = |seconds: u64| Mono::from_millis(seconds * 1000);
        let mut recent = Recent::default();
        recent.see(at(1), [7, 1]);
        recent.see(at(2), [3, 9]);
        for second in [2, 7, 9] {
            assert_eq!(recent.most(at(second)), [7, 9], "{second}");
        }
        recent.see(at(10), [1, 1]);
        assert_eq!(recent.most(at(10)), [7, 9]);
        assert_eq!(recent.most(at(18)), [1, 1]);
        assert_eq!(recent.most(at(40)), [0, 0]);
    }
}
