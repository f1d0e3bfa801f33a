//! Clients from outside: whoever they are, the world only meets what they ask.

use super::{Segment, World};
use crate::client::{Batch, Client};
use crate::wire::Value;
use crate::workload::{Kind, Piece, Request, Shape, Workload};

impl World {
    /// Somebody comes; the number of the client that stands for them.
    pub(crate) fn welcome(&mut self) -> usize {
        // It never acts by itself, so that any workload does.
        let shape = Shape {
            keys: 1,
            value_bytes: 1,
            members: self.members.len() as u64,
            garbage: false,
            kills: false,
        };
        let number = self.clients.len();
        let workload = Workload::new(Kind::Register, shape, number as u64);
        self.clients.push(Client::new(workload));
        self.guests.insert(number, Vec::new());
        number
    }

    /// A guest connects to a member; false where nobody is there.
    pub(crate) fn dial(&mut self, guest: usize, member: usize) -> bool {
        self.open(guest, member, None).is_some()
    }

    /// Returns true if a guest has a connection.
    pub(crate) fn is_connected(&self, guest: usize) -> bool {
        self.clients[guest].conn.is_some()
    }

    /// A guest asks, over the connection that it has.
    pub(crate) fn ask(&mut self, guest: usize, words: Request) {
        if let Some(conn) = self.clients[guest].conn {
            let batch = Batch::of(Piece::Request(words));
            let whole = batch.bytes.len();
            self.say(guest, conn, batch, whole);
        }
    }

    /// The replies that a guest has received since the last time.
    pub(crate) fn heard(&mut self, guest: usize) -> Vec<Value> {
        self.guests
            .get_mut(&guest)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// A guest goes, for good or to connect elsewhere.
    pub(crate) fn goes(&mut self, guest: usize) {
        if let Some(conn) = self.clients[guest].conn {
            self.send(conn, true, Segment::End);
            self.hang_up(guest, conn);
        }
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.queue.next_at()
    }

    /// Time passes in which nothing happens.
    pub(crate) fn pass(&mut self, until: u64) {
        let next = self.next_at().unwrap_or(u64::MAX);
        self.time = self.time.max(until.min(next));
    }
}
