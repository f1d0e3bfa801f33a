//! The figures that INFO and SLOWLOG show: counters, rates, memory, and the requests that were
//! slow.
//!
//! Nothing here decides anything: a node would serve its clients in the same way without it.

pub(super) mod durations;
pub(super) mod figures;
pub(super) mod latency;
pub(super) mod slowlog;
pub(super) mod stats;

use core::time::Duration;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::row::Row;
use crate::command::verb::{LatencyVerb, SlowlogVerb};
use crate::ids::ConnId;
use crate::resp::reply::Reply;
use crate::session::Session;
use crate::store::Lookups;
use crate::time::{Mono, Now};

use super::config::Config;
use super::effect::Wrong;
use super::input::Sample;
use figures::{Figures, Ran};
use latency::Latency;
use slowlog::{Piece, Run, Slowlog};
use stats::Stats;

/// All that a node counts and remembers for those who watch it.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    stats: Stats,
    figures: Figures,
    slowlog: Slowlog,
    latency: Latency,
    /// When the node was made, in seconds since the Unix epoch.
    started_s: u64,
}

impl Metrics {
    /// Nothing has happened yet; the empty store takes so many bytes.
    pub(super) fn new(now: Now, memory: usize) -> Self {
        Self {
            figures: Figures::new(memory),
            started_s: now.wall_us / 1_000_000,
            ..Self::default()
        }
    }

    /// When the node was made, in seconds since the Unix epoch.
    pub(super) fn started_s(&self) -> u64 {
        self.started_s
    }

    /// The counters since the start, or since CONFIG RESETSTAT.
    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Rates, peaks, and the last sample of the process.
    pub(super) fn figures(&self) -> &Figures {
        &self.figures
    }

    /// CONFIG RESETSTAT.
    pub(super) fn reset(&mut self) {
        self.stats = Stats::default();
    }

    /// A client has connected; there were too many already where it `is_rejected`.
    pub(super) fn connected(&mut self, is_rejected: bool) {
        self.stats.connections += 1;
        self.stats.rejected_connections += u64::from(is_rejected);
    }

    /// Bytes of a client were read.
    pub(super) fn received(&mut self, bytes: usize) {
        self.stats.bytes_in += bytes as u64;
    }

    /// Bytes of replies have left.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.stats.bytes_out += bytes as u64;
    }

    /// A connection of a process that may not join the group was refused.
    pub(super) fn refused_peer(&mut self) {
        self.stats.refused_peers += 1;
    }

    /// A client was closed because of what it did.
    pub(super) fn sent_away(&mut self, wrong: Wrong) {
        self.stats.limit_disconnections += u64::from(wrong == Wrong::Output);
        self.stats.query_disconnections += u64::from(wrong == Wrong::Query);
        self.stats.evicted_clients += u64::from(wrong == Wrong::Memory);
    }

    /// A client's bytes were not RESP.
    pub(super) fn protocol_error(&mut self) {
        self.stats.protocol_errors += 1;
        self.stats.error(&Error::text("ERR Protocol error".into()));
    }

    /// Keys have gone because memory was short.
    pub(super) fn evicted(&mut self, keys: u64) {
        self.stats.evicted_keys += keys;
    }

    /// Dead keys were freed.
    pub(super) fn expired(&mut self, keys: u64) {
        self.stats.expired_keys += keys;
    }

    /// A command is run.
    pub(super) fn called(&mut self, row: &'static Row) {
        self.stats.called(row);
    }

    /// An error was replied to what is no command's call.
    pub(super) fn error(&mut self, error: &Error) {
        self.stats.errors(error, 1);
    }

    /// The same error was replied `count` times.
    pub(super) fn errors(&mut self, error: &Error, count: u64) {
        self.stats.errors(error, count);
    }

    /// A command that was run has ended in an error, which is its reply.
    pub(super) fn failed(&mut self, row: Option<&'static Row>, error: &Error) {
        self.stats.failed(row, error);
    }

    /// A request was refused before it ran.
    pub(super) fn rejected(&mut self, row: Option<&'static Row>, error: &Error) {
        self.stats.rejected(row, error);
    }

    /// Keys were looked for by a command that reads.
    pub(super) fn looked_up(&mut self, lookups: Lookups) {
        self.stats.looked_up(lookups);
    }

    /// The sizes of one client's unread requests and of its unsent replies, in bytes.
    pub(super) fn see_buffers(&mut self, at: Mono, sizes: [usize; 2]) {
        self.figures.buffers.see(at, sizes);
    }

    /// The store and the clients take so many bytes together.
    pub(super) fn weigh(&mut self, memory: usize) {
        self.figures.memory_peak = self.figures.memory_peak.max(memory);
    }

    /// The driver has looked at the process, while the node counted `used` bytes of memory.
    pub(super) fn sampled(&mut self, now: Mono, sample: Sample, used: u64) {
        self.figures.sampled(now, sample, used, &self.stats);
    }

    /// A command was run.
    pub(super) fn ran(&mut self, row: &'static Row, args: Args<'_>, run: Run, config: &Config) {
        let is_first = self.figures.is_fresh();
        let run = Run {
            work: 1 + run.work,
            ..run
        };
        let ran = Ran::of(row, run.work).ending(run.piece);
        self.figures.runs(ran);
        self.slowlog.ran(args, run, is_first, config);
    }

    /// A member was told of so many messages.
    pub(super) fn told(&mut self, messages: u64) {
        self.stats.told += messages;
    }

    /// A member has told of so many messages.
    pub(super) fn was_told(&mut self, messages: u64) {
        self.stats.was_told += messages;
    }

    /// So many messages between members were dropped.
    pub(super) fn not_told(&mut self, messages: u64) {
        self.stats.not_told += messages;
    }

    /// A command has begun a wait: its reply comes later.
    pub(super) fn waits(&mut self, row: &'static Row) {
        self.figures.runs(Ran::of(row, 1).ending(None));
    }

    /// A piece of a command was run that is not its last.
    pub(super) fn ran_piece(&mut self, row: &'static Row, piece: Piece, work: usize) {
        self.figures.runs(Ran::of(row, 1 + work).piece_of(piece));
        self.slowlog.ran_piece(piece, work);
    }

    /// The time is told: the commands that were run since it last was have taken until now.
    /// `clients` finds the client in a slot as long as it is the one of that connection.
    pub(super) fn pass_time<'a>(
        &mut self,
        now: Now,
        config: &Config,
        clients: impl Fn(u32, ConnId) -> Option<&'a Session>,
    ) {
        let least_ms = config.latency_least_ms;
        let at_s = now.wall_us / 1_000_000;
        let latency = &mut self.latency;
        let each = self
            .figures
            .pass(now, config, &mut self.stats, |row, took| {
                let took_ms = took.as_millis() as u64;
                if least_ms > 0 && took_ms >= least_ms {
                    latency.took(latency::event_of(row), at_s, took_ms, least_ms);
                }
            });
        self.slowlog.pass(each, now, config, clients);
    }

    /// DEBUG SLEEP of this length has ended for a client, and has taken so long.
    pub(super) fn slept(
        &mut self,
        now: Now,
        config: &Config,
        session: Option<&Session>,
        (length, took): (Duration, Duration),
    ) {
        let (at_s, took_ms) = (now.wall_us / 1_000_000, took.as_millis() as u64);
        self.latency
            .took("command", at_s, took_ms, config.latency_least_ms);
        self.slowlog.slept(now, config, session, (length, took));
    }

    /// LATENCY, but for HISTOGRAM.
    pub(super) fn latency(
        &mut self,
        verb: LatencyVerb,
        args: Args<'_>,
        (now, config): (Now, &Config),
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let moment = (now.wall_us / 1_000_000, config.latency_least_ms);
        self.latency.verb(verb, args, moment, reply)
    }

    /// SLOWLOG.
    pub(super) fn slowlog(
        &mut self,
        verb: SlowlogVerb,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        self.slowlog.verb(verb, args, reply)
    }
}
