//! Connections: bytes on their way, cut and joined at random, and what has arrived.

use std::collections::VecDeque;

use seedis::time::Mono;

use super::{End, Ends, Event, Link, Segment, World};
use crate::draws::Stream;
use crate::goals::Fault;

/// A connection of a client to a member.
#[expect(clippy::struct_excessive_bools, reason = "each is about another thing")]
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) client: usize,
    pub(crate) member: usize,
    /// The member's life in which it was opened.
    pub(crate) life: u64,
    /// The bytes that have come to the member and were not read.
    pub(crate) inbox: Vec<u8>,
    /// The client will send no more.
    pub(crate) ended: bool,
    /// And wants to hear no more either.
    pub(crate) reset: bool,
    /// The node was told that nothing comes behind what it has not read.
    pub(crate) told_ending: bool,
    /// The node was told that the client will send no more.
    pub(crate) told_end: bool,
    /// The node knows it.
    pub(crate) known: bool,
    /// The node wants it closed when its outbox is empty.
    pub(crate) closing: bool,
    /// Since when.
    pub(crate) lingers_since: Option<u64>,
    /// It had long enough to take what it was owed, and was closed before it had.
    pub(crate) dropped: bool,
    /// The bytes that the client has sent so far, and how many of them the node was told.
    pub(crate) said: u64,
    pub(crate) told: u64,
    /// The ends, in that, of requests of which the node was not told all, and how many there were
    /// before.
    pub(crate) ends: VecDeque<u64>,
    pub(crate) arrived: usize,
    /// How many there were in all.
    pub(crate) asked: usize,
    /// When the node last heard of the client, by its monotonic clock.
    pub(crate) heard: Mono,
    /// Since when more waits for it than the soft limit allows.
    pub(crate) crowded_since: Option<Mono>,
    /// Bytes that the member has sent and the client has not taken.
    pub(crate) untaken: usize,
    /// How many those may be.
    pub(crate) window: usize,
    /// The node has more to send than the window takes.
    pub(crate) blocked: bool,
    /// The mean time that the client takes over a piece, in nanoseconds; 0: none.
    pub(crate) slowness: u64,
    /// When the last piece arrives, each way: pieces of a stream do not overtake each other.
    pub(crate) last_up: u64,
    pub(crate) last_down: u64,
    pub(crate) last_take: u64,
}

impl World {
    /// When the next piece on a connection arrives.
    fn arrival(&mut self, ends: Ends, not_before: u64) -> (u64, u64) {
        let seed = self.scenario.seed;
        let mean = self.scenario.latency;
        let code = |end| match end {
            End::Client(number) => number as u64,
            End::Member(number) => 1 << 20 | number as u64,
        };
        let key = code(ends.from) << 32 | code(ends.to);
        let link = self.links.entry(ends).or_insert_with(|| {
            let mut dice = crate::draws::Dice::new(seed, Stream::PIPE, key, 0);
            // One pair in eight is slow for the whole run.
            let slow = if dice.permille(125) { 20 } else { 1 };
            Link {
                mean: mean * slow,
                segments: 0,
            }
        });
        link.segments += 1;
        let mut dice = crate::draws::Dice::new(seed, Stream::PIPE, key, link.segments);
        let drawn = link.mean / 4 + dice.exponential(link.mean);
        let takes = if self.decisions.are_steady() {
            mean
        } else {
            drawn
        };
        let at = self.time + takes;
        (at.max(not_before + 1), dice.draw())
    }

    fn ends_of(connection: &Connection, up: bool) -> Ends {
        let (client, member) = (
            End::Client(connection.client),
            End::Member(connection.member),
        );
        if up {
            Ends {
                from: client,
                to: member,
            }
        } else {
            Ends {
                from: member,
                to: client,
            }
        }
    }

    /// Sends something over a connection, one way.
    pub(super) fn send(&mut self, conn: u64, up: bool, segment: Segment) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        let ends = Self::ends_of(connection, up);
        let last = if up {
            connection.last_up
        } else {
            connection.last_down
        };
        let (at, _) = self.arrival(ends, last);
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if up {
            connection.last_up = at;
        } else {
            connection.last_down = at;
        }
        let event = if up {
            Event::Up { conn, segment }
        } else {
            Event::Down { conn, segment }
        };
        self.push(at - self.time, event);
    }

    /// Sends bytes over a connection in pieces of any length.
    pub(super) fn send_bytes(&mut self, conn: u64, up: bool, bytes: &[u8]) {
        // However small the pieces, a batch is cut into so many at most: the run must get on.
        const PIECES_MAX: u64 = 12;
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        let most = self
            .scenario
            .segment_max
            .max(bytes.len() as u64 / PIECES_MAX);
        let mut dice = self.dice(
            Stream::PIPE,
            1 << 62 | conn,
            connection.last_up ^ connection.last_down << 1,
        );
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = (dice.within(1, most.max(1)) as usize).min(rest.len());
            let (piece, behind) = rest.split_at(len);
            rest = behind;
            if up && !rest.is_empty() {
                self.fired(Fault::Split);
            }
            self.send(conn, up, Segment::Bytes(piece.to_vec()));
        }
    }

    /// Something has come to a member.
    pub(super) fn up(&mut self, conn: u64, segment: Segment) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let member = connection.member;
        let current = self.members[member].life == connection.life;
        if !current || !self.members[member].is_up() {
            // Nobody is there any more.
            self.send(conn, false, Segment::Reset);
            return;
        }
        match segment {
            Segment::Opened => self.members[member].arrivals.push(conn),
            Segment::Bytes(bytes) => connection.inbox.extend_from_slice(&bytes),
            Segment::End => connection.ended = true,
            Segment::Reset => {
                connection.ended = true;
                connection.reset = true;
                connection.inbox.clear();
            }
        }
        self.members[member].stirred.insert(conn);
        self.wake(member);
    }

    /// A slow client has taken something: there is room for more.
    pub(super) fn take(&mut self, conn: u64, count: usize) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        connection.untaken = connection.untaken.saturating_sub(count);
        if connection.blocked {
            connection.blocked = false;
            let member = connection.member;
            self.members[member].writable.insert(conn);
            self.wake(member);
        }
    }
}
