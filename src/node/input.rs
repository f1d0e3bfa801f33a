//! The inputs of a node: all that can happen to it.

use crate::disk::{DiskDone, DiskError};
use crate::ids::{ConnId, Incarnation, NodeId, Ticket};

/// The figures of the process that only the machine knows, for INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The memory that the process takes of the machine's, in bytes.
    pub rss_bytes: u64,
    /// The machine's memory, in bytes.
    pub machine_bytes: u64,
    /// The processor's time that it has spent, in microseconds.
    pub user_us: u64,
    /// The processor's time that the operating system has spent for it, in microseconds.
    pub system_us: u64,
}

/// One thing that has happened, as a driver tells it.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client has connected.
    Opened {
        /// Its connection.
        conn: ConnId,
        /// The address that it comes from, for people (`127.0.0.1:50000`).
        address: &'a str,
        /// The address that it came to (`127.0.0.1:6379`).
        local: &'a str,
        /// The driver's number for its socket, for people; -1: it has none.
        descriptor: i32,
    },
    /// A client's bytes have arrived. Borrowed: the node copies only what it keeps.
    Received {
        /// Its connection.
        conn: ConnId,
        /// At most as many as `appetite` said.
        bytes: &'a [u8],
    },
    /// The first `count` bytes of the outbox have been handed to the network.
    Sent {
        /// The connection.
        conn: ConnId,
        /// How many bytes.
        count: usize,
    },
    /// A client that is not read now has said that nothing comes behind what it has sent.
    Ending {
        /// Its connection.
        conn: ConnId,
    },
    /// A client has said that nothing more comes from it, and may still read.
    Ended {
        /// Its connection.
        conn: ConnId,
    },
    /// A client is gone, or was told to go by `Effect::Close`.
    Closed {
        /// Its connection.
        conn: ConnId,
    },
    /// A peer's bytes have arrived as one frame.
    Message {
        /// The peer that has sent it, as the connection was authenticated.
        from: NodeId,
        /// The frame.
        frame: &'a [u8],
    },
    /// A peer's messages for subscribers have arrived as one frame.
    Told {
        /// The peer that has sent it, as the connection was authenticated.
        from: NodeId,
        /// The frame.
        frame: &'a [u8],
    },
    /// Messages for the subscribers of a peer could not leave, and are dropped.
    NotTold {
        /// How many they are.
        messages: u64,
    },
    /// A peer has said who it is, as every peer does that connects.
    Met {
        /// Its number.
        id: NodeId,
        /// The life of its disk.
        incarnation: Incarnation,
        /// The address at which clients reach it (`10.0.0.1:6379`).
        address: &'a str,
        /// The port at which other members reach it; 0: not known.
        cluster_port: u16,
        /// The versions of entries that it can apply, the oldest and the newest.
        entry_versions: (u8, u8),
    },
    /// Somebody new asks for a number in this group; `Node::admission` has the answer.
    Asks {
        /// The number that it wants; 0: any.
        wanted: NodeId,
        /// The life of its disk.
        incarnation: Incarnation,
        /// The newest version of entries that it can apply.
        newest: u8,
    },
    /// A peer that has said who it is wants to vote in this group, as somebody new does again and
    /// again until it does.
    Wants {
        /// Its number.
        id: NodeId,
        /// The life of its disk: a removed member may still run whose number another has now.
        incarnation: Incarnation,
    },
    /// Somebody who is no member has tried to come in as one.
    RefusedPeer,
    /// A disk operation has ended. Its buffer comes home.
    Disk {
        /// Which.
        ticket: Ticket,
        /// How it ended.
        outcome: Result<DiskDone, DiskError>,
    },
    /// The configuration file was written, or is as it was.
    Configuration {
        /// The wish.
        number: u64,
        /// The error is the reason why it was not written.
        outcome: Result<(), &'a str>,
    },
    /// The deadline has passed, or may have.
    Timer,
    /// The driver has looked at the process, as it does some times a second.
    Sampled(Sample),
    /// The operator wants the server to stop in good order (SIGTERM).
    Stop,
}
