//! The requests that took long, for SLOWLOG: what was run since the driver last told the time, and
//! of that what was slow.
//!
//! Whether a request was slow is known when the time is told again, behind it; so its words, cut
//! short, are kept until then, in memory that is used again. Most are not even kept: the time of a
//! moment is divided by work (`figures`), so that a request of little work among others cannot have
//! been slow.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::row::{Kind, Row};
use crate::command::verb::SlowlogVerb;
use crate::ids::ConnId;
use crate::limits::{BYTES_PER_WORK, SLOWLOG_BYTES_MAX};
use crate::node::requests::secrets;
use crate::node::{Node, Phase};
use crate::resp::reply::Reply;

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
    /// What its earlier pieces took.
    before: Duration,
    /// Where its words begin among those of all.
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

/// What the pieces of a command have taken.
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
}

impl Node {
    /// A command was run, and has done so much beside taking its arguments.
    pub(in crate::node) fn has_run(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        client: Option<(u32, ConnId)>,
        work: usize,
    ) {
        let is_first = self.figures.is_fresh();
        let work = 1 + work;
        self.figures.runs(row, work);
        let slow_us = self.config.slowlog_slower_than_us;
        if slow_us < 0 {
            return;
        }
        let piece = match row.kind {
            Kind::Write(_) => Some(Piece::Applied),
            Kind::Read(_) => Some(Piece::Read),
            Kind::Session(_) | Kind::Server(_) | Kind::Container => None,
        };
        // Inside an entry reads come in pieces of that entry.
        let piece = if self.hold.is_mid_command {
            Some(Piece::Applied)
        } else {
            piece
        };
        let mut carried = Carried::default();
        if let Some(piece) = piece {
            carried = core::mem::take(&mut self.slowlog.carried[piece as usize]);
        }
        let work = work + carried.work;
        let may_be_slow = slow_us < SHORT_US || is_first || work >= WORK_MIN;
        if (may_be_slow || !carried.took.is_zero()) && self.phase == Phase::Serving {
            let heard = Heard {
                client,
                work,
                before: carried.took,
                from: 0,
            };
            self.slowlog.hear(args, heard);
        }
    }

    /// A piece of a command was run that is not its last.
    pub(in crate::node) fn has_run_piece(&mut self, row: &'static Row, piece: Piece, work: usize) {
        self.figures.runs(row, 1 + work);
        self.slowlog.carried[piece as usize].work += 1 + work;
    }

    /// The time is told: what ran since it last was has taken until now.
    pub(in crate::node) fn pass_time(&mut self) {
        let each = self.figures.pass(self.now, &mut self.stats);
        for carried in &mut self.slowlog.carried {
            let work = core::mem::take(&mut carried.work);
            carried.took += times(each, work);
        }
        if self.slowlog.heard.is_empty() {
            return;
        }
        let least = Duration::from_micros(self.config.slowlog_slower_than_us.max(0) as u64);
        let is_on = self.config.slowlog_slower_than_us >= 0;
        for at in 0..self.slowlog.heard.len() {
            let heard = self.slowlog.heard[at];
            let took = heard.before + times(each, heard.work);
            if is_on && took >= least {
                let next = self.slowlog.heard.get(at + 1);
                let end = next.map_or(self.slowlog.words.len(), |next| next.from);
                let words = self.slowlog.words[heard.from..end].into();
                self.was_slow(heard.client, took, words);
            }
        }
        self.slowlog.heard.clear();
        self.slowlog.words.clear();
    }

    /// DEBUG SLEEP of this length has ended.
    pub(in crate::node) fn has_slept(&mut self, slot: u32, length: Duration, took: Duration) {
        let least = self.config.slowlog_slower_than_us;
        if least < 0 || (took.as_micros() as i64) < least {
            return;
        }
        let seconds = alloc::format!("{}", length.as_micros() as f64 / 1e6);
        let buffer = ["DEBUG", "SLEEP", &seconds].concat();
        let ranges = [0..5, 5..10, 10..buffer.len() as u32];
        let mut words = Vec::new();
        put_words(&mut words, Args::new(buffer.as_bytes(), &ranges));
        let client = self.sessions.get(slot).map(|session| (slot, session.conn));
        self.was_slow(client, took, words.into());
    }

    fn was_slow(&mut self, client: Option<(u32, ConnId)>, took: Duration, words: Box<[u8]>) {
        let session = client.and_then(|(slot, conn)| self.sessions.get_same(slot, conn));
        let (address, name) = session.map_or_else(Default::default, |session| {
            (session.address.clone(), session.name.clone())
        });
        let entry = Entry {
            id: self.slowlog.next_id,
            at_s: self.now.wall_us / 1_000_000,
            took,
            words,
            address,
            name,
        };
        self.slowlog.push(entry, self.config.slowlog_entries_max);
    }

    /// SLOWLOG.
    pub(in crate::node) fn slowlog(
        &mut self,
        verb: SlowlogVerb,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let log = &mut self.slowlog;
        match verb {
            SlowlogVerb::Len => {
                reply.integer(log.entries.len() as i64);
                return Ok(());
            }
            SlowlogVerb::Reset => {
                log.entries.clear();
                log.bytes = 0;
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
        reply.array(count.min(log.entries.len()));
        for entry in log.entries.iter().rev().take(count) {
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
    let number = |words: &mut &[u8]| {
        let (number, rest) = words.split_first_chunk().unwrap_or((&[0; 4], &[]));
        *words = rest;
        u32::from_le_bytes(*number) as usize
    };
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
