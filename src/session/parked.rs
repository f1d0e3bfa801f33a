//! The requests of a client behind a write of its own that is not applied yet.
//!
//! Each item waits for a number of the session's writes to be applied and runs right behind the
//! last of them. The bytes of all items share one buffer, so that a mixed pipeline does not
//! allocate per request.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use crate::command::args::Args;
use crate::resp::reply::Protocol;

/// One item, taken off the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Unparked<'a> {
    /// A request that is to be run now.
    Request {
        /// The database that was selected when it was sent.
        db: u32,
        /// The protocol that was spoken then.
        protocol: Protocol,
        /// True if its reply is not wanted.
        silent: bool,
        /// The bytes in which the ranges point.
        buffer: &'a [u8],
    },
    /// A reply that only had to wait for its turn.
    Reply(&'a [u8]),
}

#[derive(Clone, Debug)]
struct Head {
    after: u64,
    bytes: Range<usize>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Request {
        db: u32,
        protocol: Protocol,
        silent: bool,
        ranges: usize,
    },
    Reply,
}

/// The queue of one session.
#[derive(Clone, Debug, Default)]
pub struct Parked {
    heads: VecDeque<Head>,
    bytes: Vec<u8>,
    ranges: VecDeque<Range<u32>>,
}

impl Parked {
    /// Returns true if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.bytes.len()
            + self.heads.len() * size_of::<Head>()
            + self.ranges.len() * size_of::<Range<u32>>()
    }

    /// Parks a request until `after` writes of its session are applied.
    pub fn park(&mut self, after: u64, db: u32, protocol: Protocol, silent: bool, args: Args<'_>) {
        let start = self.bytes.len();
        for arg in args.iter() {
            let from = (self.bytes.len() - start) as u32;
            self.bytes.extend_from_slice(arg);
            self.ranges.push_back(from..from + arg.len() as u32);
        }
        let what = What::Request {
            db,
            protocol,
            silent,
            ranges: args.len(),
        };
        self.heads.push_back(Head {
            after,
            bytes: start..self.bytes.len(),
            what,
        });
    }

    /// Parks a finished reply until `after` writes of its session are applied.
    pub fn park_reply(&mut self, after: u64, reply: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(reply);
        self.heads.push_back(Head {
            after,
            bytes: start..self.bytes.len(),
            what: What::Reply,
        });
    }

    /// Returns true if `applied` writes are enough for the first item.
    pub fn is_due(&self, applied: u64) -> bool {
        self.heads.front().is_some_and(|head| head.after <= applied)
    }

    /// Takes the first item if `applied` writes are enough for it; the ranges of a request are put
    /// into `ranges`.
    ///
    /// The bytes stay until the queue is empty: a pipeline ends, and then all of them go at once.
    pub fn take(&mut self, applied: u64, ranges: &mut Vec<Range<u32>>) -> Option<Unparked<'_>> {
        let head = self.heads.pop_front_if(|head| head.after <= applied)?;
        let buffer = self.bytes.get(head.bytes)?;
        Some(match head.what {
            What::Reply => Unparked::Reply(buffer),
            What::Request {
                db,
                protocol,
                silent,
                ranges: count,
            } => {
                ranges.clear();
                ranges.extend(self.ranges.drain(..count));
                Unparked::Request {
                    db,
                    protocol,
                    silent,
                    buffer,
                }
            }
        })
    }

    /// Gives back the memory of items that are done, once none is left.
    pub fn tidy(&mut self) {
        if self.heads.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(CAPACITY_MAX);
        }
    }
}

/// The capacity that an idle client may hold for its next pipeline, in bytes.
const CAPACITY_MAX: usize = 64 << 10;
