//! The requests that took long, for SLOWLOG: what was run since the driver last told the time, and
//! of that what was slow.
//!
//! A request is known to have been slow or not when the time is told again, behind it; so its
//! words, cut short, are kept until then, in memory that is used again. Most are not even kept: the
//! time of a moment is divided by work (`figures`), so that a request of little work among others
//! cannot have been slow.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::verb::SlowlogVerb;
use crate::ids::ConnId;
use crate::limits::{BYTES_PER_WORK, SLOWLOG_BYTES_MAX};
use crate::node::config::Config;
use crate::node::requests::secrets;
use crate::resp::reply::Reply;
use crate::session::Session;
use crate::take;
use crate::time::Now;

/// So many words of a request are kept.
const WORDS_MAX: usize = 32;
/// So many bytes of each.
const WORD_BYTES_MAX: usize = 128;
/// So many bytes of words wait for the time to be told.
const HEARD_BYTES_MAX: usize = 256 << 10;
/// Below this even a request of little work may count as slow.
const SHORT_US: i64 = 1000;
/// The work from which on a request may have been slow that is not the first of its moment.
const WORK_MIN: usize = 16;
/// How many entries SLOWLOG GET answers where it is not told.
const SHOWN: usize = 10;

/// A request that was run since the time was told.
#[derive(Clone, Copy, Debug)]
struct Heard {
    client: Option<(u32, ConnId)>,
    work: usize,
    /// The time that its earlier pieces took.
    before: Duration,
    /// The place of its words among those of all.
    from: usize,
}

/// A request that was slow.
#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    at_s: u64,
    took: Duration,
    words: Box<[u8]>,
    address: String,
    name: Vec<u8>,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.words.len() + self.address.len() + self.name.len()
    }
}

/// A command that is run in pieces: there is at most one of each kind at a time.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) enum Piece {
    /// Of an entry.
    Applied,
    /// A client's read.
    Read,
}

/// How a command was run.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Run {
    pub(in crate::node) client: Option<(u32, ConnId)>,
    /// The work that it was beside taking its arguments.
    pub(in crate::node) work: usize,
    /// The kind of pieces in which it may have been run before.
    pub(in crate::node) piece: Option<Piece>,
    /// The node serves clients: while it recovers, nothing is slow.
    pub(in crate::node) is_serving: bool,
}

/// The time that the pieces of a command have taken.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    took: Duration,
    /// Since the time was told.
    work: usize,
}

/// SLOWLOG's entries, and what may become one.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Slowlog {
    heard: Vec<Heard>,
    words: Vec<u8>,
    carried: [Carried; 2],
    /// The latest is the last.
    entries: VecDeque<Entry>,
    bytes: usize,
    next_id: u64,
}

impl Slowlog {
    /// Keeps a request until the time is told.
    fn hear(&mut self, args: Args<'_>, heard: Heard) {
        if self.words.len() >= HEARD_BYTES_MAX {
            return;
        }
        let from = self.words.len();
        put_words(&mut self.words, args);
        self.heard.push(Heard { from, ..heard });
    }

    fn push(&mut self, entry: Entry, most: usize) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.next_id += 1;
        while self.entries.len() > most || self.bytes > SLOWLOG_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
    }

    /// A command was run, and has done so much beside taking its arguments. It was the first to
    /// run since the time was told where it `is_first`.
    pub(super) fn ran(&mut self, args: Args<'_>, run: Run, is_first: bool, config: &Config) {
        let slow_us = config.slowlog_slower_than_us;
        if slow_us < 0 {
            return;
        }
        let mut carried = Carried::default();
        if let Some(piece) = run.piece {
            carried = core::mem::take(&mut self.carried[piece as usize]);
        }
        let work = run.work + carried.work;
        let may_be_slow = slow_us < SHORT_US || is_first || work >= WORK_MIN;
        if (may_be_slow || !carried.took.is_zero()) && run.is_serving {
            let heard = Heard {
                client: run.client,
                work,
                before: carried.took,
                from: 0,
            };
            self.hear(args, heard);
        }
    }

    /// A piece of a command was run that is not its last.
    pub(super) fn ran_piece(&mut self, piece: Piece, work: usize) {
        self.carried[piece as usize].work += 1 + work;
    }

    /// Each piece of work since the time was told has taken `each`.
    pub(super) fn pass<'a>(
        &mut self,
        each: Duration,
        now: Now,
        config: &Config,
        clients: impl Fn(u32, ConnId) -> Option<&'a Session>,
    ) {
        for carried in &mut self.carried {
            let work = core::mem::take(&mut carried.work);
            carried.took += times(each, work);
        }
        if self.heard.is_empty() {
            return;
        }
        let least = Duration::from_micros(config.slowlog_slower_than_us.max(0) as u64);
        let is_on = config.slowlog_slower_than_us >= 0;
        for at in 0..self.heard.len() {
            let heard = self.heard[at];
            let took = heard.before + times(each, heard.work);
            if is_on && took >= least {
                let next = self.heard.get(at + 1);
                let end = next.map_or(self.words.len(), |next| next.from);
                let words = self.words[heard.from..end].into();
                let session = heard.client.and_then(|(slot, conn)| clients(slot, conn));
                self.was_slow(now, config, session, took, words);
            }
        }
        self.heard.clear();
        self.words.clear();
    }

    /// DEBUG SLEEP of this length has ended, and has taken so long.
    pub(super) fn slept(
        &mut self,
        now: Now,
        config: &Config,
        session: Option<&Session>,
        (length, took): (Duration, Duration),
    ) {
        let least = config.slowlog_slower_than_us;
        if least < 0 || (took.as_micros() as i64) < least {
            return;
        }
        let seconds = alloc::format!("{}", length.as_micros() as f64 / 1e6);
        let buffer = ["DEBUG", "SLEEP", &seconds].concat();
        let ranges = [0..5, 5..10, 10..buffer.len() as u32];
        let mut words = Vec::new();
        put_words(&mut words, Args::new(buffer.as_bytes(), &ranges));
        self.was_slow(now, config, session, took, words.into());
    }

    fn was_slow(
        &mut self,
        now: Now,
        config: &Config,
        session: Option<&Session>,
        took: Duration,
        words: Box<[u8]>,
    ) {
        let (address, name) = session.map_or_else(Default::default, |session| {
            (session.address.clone(), session.name.clone())
        });
        let entry = Entry {
            id: self.next_id,
            at_s: now.wall_us / 1_000_000,
            took,
            words,
            address,
            name,
        };
        self.push(entry, config.slowlog_entries_max);
    }

    /// SLOWLOG.
    pub(super) fn verb(
        &mut self,
        verb: SlowlogVerb,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        match verb {
            SlowlogVerb::Len => {
                reply.integer(self.entries.len() as i64);
                return Ok(());
            }
            SlowlogVerb::Reset => {
                self.entries.clear();
                self.bytes = 0;
                reply.ok();
                return Ok(());
            }
            SlowlogVerb::Get => {}
        }
        let count = match args.len() {
            2 => SHOWN,
            3 => match args.integer(2) {
                Ok(-1) => usize::MAX,
                Ok(count @ 0..) => usize::try_from(count).unwrap_or(usize::MAX),
                _ => return Err(Error::SLOWLOG_COUNT),
            },
            _ => return Err(Error::subcommand_syntax("SLOWLOG", args.at(1))),
        };
        reply.array(count.min(self.entries.len()));
        for entry in self.entries.iter().rev().take(count) {
            reply.array(6);
            reply.integer(entry.id as i64);
            reply.integer(entry.at_s as i64);
            reply.integer(entry.took.as_micros() as i64);
            write_words(&entry.words, reply);
            reply.bulk(entry.address.as_bytes());
            reply.bulk(&entry.name);
        }
        Ok(())
    }
}

fn times(each: Duration, work: usize) -> Duration {
    each.saturating_mul(u32::try_from(work).unwrap_or(u32::MAX))
}

/// The work that a request is for its arguments alone.
pub(in crate::node) fn work_of(args: Args<'_>) -> usize {
    args.iter().map(<[u8]>::len).sum::<usize>() / BYTES_PER_WORK
}

/// Writes words as they are kept: how many there were, then of those that are kept the length and
/// the beginning.
fn put_words(out: &mut Vec<u8>, args: Args<'_>) {
    out.extend_from_slice(&(args.len() as u32).to_le_bytes());
    for (place, word) in args.iter().take(WORDS_MAX).enumerate() {
        let word = if secrets::is_secret(args, place) {
            secrets::REDACTED
        } else {
            word
        };
        out.extend_from_slice(&(word.len() as u32).to_le_bytes());
        out.extend_from_slice(&word[..word.len().min(WORD_BYTES_MAX)]);
    }
}

/// Answers words as Redis shows them: of too many the last tells how many are left out.
fn write_words(mut words: &[u8], reply: &mut Reply<'_>) {
    let number = |words: &mut &[u8]| take::u32(words).unwrap_or_default() as usize;
    let count = number(&mut words);
    let shown = count.min(WORDS_MAX);
    reply.array(shown);
    for place in 0..shown {
        let len = number(&mut words);
        let (word, rest) = words.split_at(len.min(WORD_BYTES_MAX).min(words.len()));
        words = rest;
        if place + 1 == WORDS_MAX && count > WORDS_MAX {
            let left = count - WORDS_MAX + 1;
            reply.bulk_fmt(format_args!("... ({left} more arguments)"));
        } else if len > WORD_BYTES_MAX {
            let left = len - WORD_BYTES_MAX;
            let more = alloc::format!("... ({left} more bytes)");
            reply.bulk(&[word, more.as_bytes()].concat());
        } else {
            reply.bulk(word);
        }
    }
}
