//! The counters that INFO shows.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::error::Error;
use crate::command::row::Row;
use crate::command::table;
use crate::store::Lookups;

use super::durations::Durations;

/// How often a command was asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Calls {
    /// It was run.
    pub(in crate::node) count: u64,
    /// It was refused before it ran.
    pub(in crate::node) rejected: u64,
    /// It ran and ended in an error.
    pub(in crate::node) failed: u64,
    /// Its share of the time of turns.
    pub(in crate::node) nanoseconds: u64,
    /// How long its calls took.
    pub(in crate::node) durations: Durations,
}

/// Counters since the start, or since CONFIG RESETSTAT.
#[derive(Clone, Debug)]
pub(in crate::node) struct Stats {
    /// Commands that were run, those of transactions among them.
    pub(in crate::node) commands: u64,
    pub(in crate::node) connections: u64,
    pub(in crate::node) rejected_connections: u64,
    pub(in crate::node) error_replies: u64,
    pub(in crate::node) protocol_errors: u64,
    pub(in crate::node) refused_peers: u64,
    /// Clients that had too much waiting for them.
    pub(in crate::node) limit_disconnections: u64,
    /// Clients with too large a request.
    pub(in crate::node) query_disconnections: u64,
    /// Clients that went because all together took too much memory.
    pub(in crate::node) evicted_clients: u64,
    /// Messages for subscribers: those that other members were told of, those that they have told
    /// of, and those that were dropped between members.
    pub(in crate::node) told: u64,
    pub(in crate::node) was_told: u64,
    pub(in crate::node) not_told: u64,
    pub(in crate::node) bytes_in: u64,
    pub(in crate::node) bytes_out: u64,
    /// Dead keys that were freed.
    pub(in crate::node) expired_keys: u64,
    /// Keys that went because memory was short.
    pub(in crate::node) evicted_keys: u64,
    /// How often keys that were read were there, and were not.
    pub(in crate::node) lookups: Lookups,
    /// By the place of the command's row in the table.
    pub(in crate::node) calls: Vec<Calls>,
    /// Error replies by their first word.
    pub(in crate::node) errors: BTreeMap<String, u64>,
}

/// How many kinds of errors are told apart; a client can make as many as it likes.
const ERROR_KINDS_MAX: usize = 128;

impl Default for Stats {
    fn default() -> Self {
        Self {
            commands: 0,
            connections: 0,
            rejected_connections: 0,
            error_replies: 0,
            protocol_errors: 0,
            refused_peers: 0,
            limit_disconnections: 0,
            query_disconnections: 0,
            evicted_clients: 0,
            told: 0,
            was_told: 0,
            not_told: 0,
            bytes_in: 0,
            bytes_out: 0,
            expired_keys: 0,
            evicted_keys: 0,
            lookups: Lookups::default(),
            calls: alloc::vec![Calls::default(); table::all().count()],
            errors: BTreeMap::new(),
        }
    }
}

impl Stats {
    /// Takes note of an error reply.
    pub(super) fn error(&mut self, error: &Error) {
        self.errors(error, 1);
    }

    /// Takes note of so many replies of the same error.
    pub(super) fn errors(&mut self, error: &Error, count: u64) {
        self.error_replies += count;
        let code = match error {
            Error::Reply(text) => {
                let code = text.split(|byte| *byte == b' ').next();
                str::from_utf8(code.unwrap_or_default()).unwrap_or_default()
            }
            Error::Due => "TRYAGAIN",
            Error::Unfinished | Error::Nothing => return,
        };
        if let Some(counted) = self.errors.get_mut(code) {
            *counted += count;
        } else if self.errors.len() < ERROR_KINDS_MAX {
            self.errors.insert(code.into(), count);
        }
    }

    /// A command is run.
    pub(super) fn called(&mut self, row: &'static Row) {
        self.commands += 1;
        self.calls(row).count += 1;
    }

    /// A command that was run has ended in an error, which is its reply.
    pub(super) fn failed(&mut self, row: Option<&'static Row>, error: &Error) {
        self.error(error);
        if let Some(row) = row {
            self.calls(row).failed += 1;
        }
    }

    /// A request was refused before it ran; one that no row is found for counts as an error alone.
    pub(super) fn rejected(&mut self, row: Option<&'static Row>, error: &Error) {
        self.error(error);
        if let Some(row) = row {
            self.calls(row).rejected += 1;
        }
    }

    /// Keys were looked for by a command that reads.
    pub(super) fn looked_up(&mut self, lookups: Lookups) {
        self.lookups.hits += lookups.hits;
        self.lookups.misses += lookups.misses;
    }

    /// The counters of a command.
    pub(super) fn calls(&mut self, row: &'static Row) -> &mut Calls {
        &mut self.calls[table::place(row)]
    }
}
