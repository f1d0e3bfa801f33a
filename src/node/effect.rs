//! The effects that a node asks of the world. Every effect is permitted the moment it is emitted.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

pub use crate::command::scripting::lines::{LineLevel, ScriptLine};
use crate::disk::DiskOp;
use crate::ids::{ConnId, LogIndex, NodeId, Term, Ticket};
pub use crate::raft::Class;
use crate::raft::{Conflict, wire};

use super::config::options::rewrite::Setting;

/// One thing that a driver is to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// `outbox(conn)` has bytes that may leave.
    Send {
        /// The connection.
        conn: ConnId,
    },
    /// Close the connection.
    Close {
        /// The connection.
        conn: ConnId,
        /// Not before its outbox has left. The node says again when that has taken too long.
        linger: bool,
    },
    /// A connection whose appetite was 0 may be read again.
    Resume {
        /// The connection.
        conn: ConnId,
    },
    /// Send a frame to a peer.
    Message {
        /// The peer.
        to: NodeId,
        /// How urgent it is; frames of one class stay in order.
        class: Class,
        /// The frame.
        frame: Box<Vec<u8>>,
    },
    /// Send messages for subscribers to a peer, or drop them where they could not leave soon; those
    /// that leave stay in order, and none goes twice.
    Tell {
        /// The peer.
        to: NodeId,
        /// How many they are.
        messages: u64,
        /// The frame.
        frame: Box<Bytes>,
    },
    /// Perform a disk operation and tell how it ended, under the same ticket.
    Disk {
        /// The name of the operation.
        ticket: Ticket,
        /// The operation.
        op: DiskOp,
    },
    /// See to it that the configuration file says these values, and tell how that went.
    Configuration {
        /// The name of the wish.
        number: u64,
        /// The values in force.
        settings: Box<Vec<Setting>>,
    },
    /// From here on only lines of this weight are worth writing (`loglevel`).
    LogLevel(Box<Vec<u8>>),
    /// Worth a line in a log.
    Note(Box<Note>),
    /// A script wants this line in the log, and `loglevel` does.
    ScriptLine(Box<ScriptLine>),
    /// The node has stopped: nothing more will come of it.
    Stopped {
        /// Why, where it was not asked to.
        failure: Option<Box<String>>,
    },
}

const _: () = assert!(size_of::<Effect>() <= 48);

/// Returns true if a driver may send this frame again while the process stands in the turn behind
/// the one that made it: a heartbeat, or an answer to one. It says nothing new by that, and
/// confirms nothing that it did not when it was made; a network may double any frame.
pub fn may_be_repeated(frame: &[u8]) -> bool {
    wire::is_heartbeat(frame)
}

/// The effects of a turn, in the order in which they are to be done; lent by the driver and used
/// again.
pub type Effects = Vec<Effect>;

/// An event that is worth a line in a log; formatted outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Recovery has come so far.
    Recovering {
        /// Bytes read.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Recovery is over, and what clients ask is answered.
    Recovered {
        /// Keys in the store.
        keys: u64,
        /// The last entry that is applied.
        index: LogIndex,
        /// The last entry that the log holds. A member applies what lies between when a leader
        /// says that it is committed.
        last: LogIndex,
        /// Bytes read.
        bytes: u64,
    },
    /// Something in the log needed care, in words for the operator.
    Damage(String),
    /// The leader has shown that this member lacks what it has acknowledged: its files are older
    /// than that.
    Lost {
        /// The leader.
        leader: NodeId,
        /// The last entry that it acknowledged.
        acknowledged: LogIndex,
        /// The last that it holds.
        last: LogIndex,
    },
    /// Entries are missing that this member may have acknowledged: it takes them from others, and
    /// neither votes nor leads meanwhile.
    Repairing {
        /// The last entry that it held.
        until: LogIndex,
        /// That entry's term.
        term: Term,
    },
    /// It holds all again that it may have acknowledged.
    Repaired {
        /// The last entry that is applied.
        index: LogIndex,
    },
    /// The leader's log contradicts what is committed here: this member takes nothing from it.
    Contradicted(Conflict),
    /// A member says, or shows, that its log contradicts that of this leader.
    Contradicting {
        /// The member.
        member: NodeId,
    },
    /// A client has said SHUTDOWN.
    ShutDown {
        /// Its address.
        address: String,
    },
    /// The node stops in good order, and has no more to do.
    Ended {
        /// The data that outlive it.
        kept: Kept,
    },
    /// The group has removed this member.
    Removed {
        /// Which it was.
        id: NodeId,
    },
    /// This member leads.
    Leading {
        /// Since this term.
        term: Term,
    },
    /// Another member leads.
    Following {
        /// Which one.
        leader: NodeId,
        /// Since this term.
        term: Term,
    },
    /// Nobody leads, as far as this member knows.
    Leaderless {
        /// The last term that it has heard of.
        term: Term,
    },
    /// A rewrite has begun.
    RewriteBegun {
        /// The index whose state it writes.
        index: LogIndex,
    },
    /// A rewrite has ended and the log is short again.
    RewriteDone {
        /// The index whose state it wrote.
        index: LogIndex,
        /// The bytes of the base.
        bytes: u64,
    },
    /// A rewrite could not be finished; the log is as it was.
    RewriteFailed {
        /// In the operating system's words.
        why: &'static str,
    },
    /// A member waits for this one's base, which cannot be read: another one is made.
    BaseUnreadable {
        /// In the operating system's words.
        why: &'static str,
    },
    /// Another member's state has taken the place of the log.
    SnapshotInstalled {
        /// The entry at which it stands.
        index: LogIndex,
    },
    /// The bytes that were received are no state of a group.
    BadSnapshot {
        /// From whom, if that is known.
        peer: Option<NodeId>,
    },
    /// A client was closed that a limit or a rule says to close.
    ClientClosed(Box<Complaint>),
    /// This leader's disk is strained: it transfers leadership to a member whose disk is not.
    Transferring {
        /// Which one.
        target: NodeId,
        /// The log cannot grow; the disk is slow, if it can.
        no_space: bool,
    },
    /// The log cannot grow: a leader refuses writes, where no other member can take them, and a
    /// follower confirms none.
    NoRoom {
        /// In the operating system's words.
        why: &'static str,
        /// True if this member leads, or is alone.
        leads: bool,
    },
    /// It can again.
    RoomAgain,
}

impl Effect {
    /// A line for the operator's log.
    pub(super) fn note(note: Note) -> Self {
        Self::Note(Box::new(note))
    }
}

impl Note {
    /// Returns true if somebody should look at it: something is wrong, or was. The rest is the
    /// ordinary course of things.
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::Damage(_)
                | Self::Lost { .. }
                | Self::Repairing { .. }
                | Self::Contradicted(_)
                | Self::Contradicting { .. }
                | Self::Removed { .. }
                | Self::Leaderless { .. }
                | Self::RewriteFailed { .. }
                | Self::BaseUnreadable { .. }
                | Self::BadSnapshot { .. }
                | Self::ClientClosed(_)
                | Self::Transferring { .. }
                | Self::NoRoom { .. }
                | Self::RoomAgain
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recovering { done, total } => {
                write!(f, "recovering: {done} of {total} bytes")
            }
            Self::Recovered {
                index, last, bytes, ..
            } if index < last => write!(
                f,
                "read {bytes} bytes: the log holds entries up to {}, applied up to {} so far; the \
                 rest is applied when a leader says that it is committed",
                last.0, index.0
            ),
            Self::Recovered {
                keys, index, bytes, ..
            } => {
                write!(
                    f,
                    "recovered {keys} keys up to entry {} from {bytes} bytes",
                    index.0
                )
            }
            Self::Damage(text) => f.write_str(text),
            Self::Lost {
                leader,
                acknowledged,
                last,
            } => write!(
                f,
                "this directory is older than what this member had acknowledged: it told member {} \
                 that it holds entry {}, and its log ends at {}; an older copy was put back, or \
                 the end of the log was cut off",
                leader.0, acknowledged.0, last.0
            ),
            Self::Repairing { until, term } => write!(
                f,
                "under repair: lost entries are fetched from the other members; until entry {} of \
                 term {} is there again, this member neither votes nor leads",
                until.0, term.0
            ),
            Self::Repaired { index } => {
                write!(
                    f,
                    "repaired: all is there again, applied up to entry {}",
                    index.0
                )
            }
            Self::Contradicted(Conflict {
                leader,
                index,
                own,
                leaders,
            }) => write!(
                f,
                "the log of member {0}, which leads, contradicts what is committed here: entry {1} \
                 is another there, of term {2}, than here, of term {3}, so their data differ; an \
                 older copy of a member's directory was put back. This member takes nothing more \
                 from member {0}. To keep that member's data, send it RAFT REMOVE with the number \
                 of this member, then start this one with --join and an empty directory",
                leader.0, index.0, leaders.0, own.0
            ),
            Self::Contradicting { member } => write!(
                f,
                "the log of member {0} contradicts that of this leader, so their data differ; an \
                 older copy of a member's directory was put back. Member {0} takes nothing more \
                 from this one. To keep this leader's data, send it RAFT REMOVE {0}, then start \
                 member {0} with --join and an empty directory",
                member.0
            ),
            Self::Removed { id } => write!(
                f,
                "this member was removed from the group, of which it was member {}: empty its \
                 directory and start it with --join to join again",
                id.0
            ),
            Self::Leading { term } => write!(f, "leading since term {}", term.0),
            Self::Following { leader, term } => {
                write!(f, "member {} leads since term {}", leader.0, term.0)
            }
            Self::Leaderless { term } => {
                write!(f, "no leader is known since term {}", term.0)
            }
            Self::ShutDown { address } => {
                write!(f, "client {address} sent SHUTDOWN: shutting down")
            }
            Self::Ended { kept } => {
                match kept {
                    Kept::Log { last } => {
                        write!(f, "everything up to entry {} is on disk", last.0)?;
                    }
                    Kept::AsItWas => f.write_str("what is on disk is unchanged")?,
                    Kept::Nothing => f.write_str("no data is kept (appendonly no)")?,
                }
                f.write_str(": ready to exit, bye")
            }
            Self::RewriteBegun { index } => {
                write!(f, "rewriting the log: base of entry {}", index.0)
            }
            Self::RewriteDone { index, bytes } => {
                write!(
                    f,
                    "rewrote the log: base of entry {}, {bytes} bytes",
                    index.0
                )
            }
            Self::RewriteFailed { why } => {
                write!(f, "rewrite failed ({why}); the log is as it was")
            }
            Self::BaseUnreadable { why } => {
                write!(
                    f,
                    "the base cannot be read for a member ({why}): another one is made"
                )
            }
            Self::SnapshotInstalled { index } => {
                write!(f, "installed the leader's state of entry {}", index.0)
            }
            Self::BadSnapshot { peer: Some(peer) } => {
                write!(f, "the state that member {} sent is damaged", peer.0)
            }
            Self::BadSnapshot { peer: None } => f.write_str("a received state is damaged"),
            Self::ClientClosed(complaint) => fmt::Display::fmt(complaint, f),
            Self::Transferring { target, no_space } => {
                let why = if *no_space {
                    "is full"
                } else {
                    "keeps it waiting"
                };
                write!(
                    f,
                    "the disk of this leader {why}: transferring leadership to member {}",
                    target.0
                )
            }
            Self::NoRoom { why, leads: true } => {
                write!(f, "the log cannot grow ({why}): writes are refused")
            }
            Self::NoRoom { why, leads: false } => write!(
                f,
                "the log cannot grow ({why}): until it can, this member confirms no more of the \
                 leader's entries"
            ),
            Self::RoomAgain => f.write_str("the log can grow again"),
        }
    }
}

/// The data that outlive a server that has stopped in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its log, synced to the end.
    Log {
        /// The last entry in it.
        last: LogIndex,
    },
    /// Its files, unchanged: it had not read them to the end yet.
    AsItWas,
    /// Nothing: there was no disk.
    Nothing,
}

/// Why a client was closed against its will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// More waited for it than `client-output-buffer-limit` allows, or what is allowed before it
    /// has authenticated.
    Output,
    /// An unfinished request of it was larger than `client-query-buffer-limit` allows.
    Query,
    /// All clients together took more than `maxmemory-clients` allows, and it took most of that.
    Memory,
    /// It did not authenticate in time.
    Unauthenticated,
    /// It speaks HTTP: a browser was talked into sending commands.
    Http,
}

/// A client that was closed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The wrong that it did.
    pub wrong: Wrong,
    /// The client as CLIENT LIST shows it.
    pub client: String,
    /// How many others did the same since the last line of this kind.
    pub others: u64,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = self.client.trim_end();
        match self.wrong {
            Wrong::Output => write!(
                f,
                "client {client} closed for overcoming of output buffer limits"
            ),
            Wrong::Query => write!(f, "client that reached max query buffer length: {client}"),
            Wrong::Memory => write!(f, "Evicting client: {client}"),
            Wrong::Unauthenticated => {
                write!(f, "client closed because it did not authenticate: {client}")
            }
            Wrong::Http => write!(
                f,
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or \
                 Host: commands to Seedis. This is likely due to an attacker attempting to use \
                 Cross Protocol Scripting to compromise your Seedis instance. Connection aborted: \
                 {client}"
            ),
        }?;
        if self.others > 0 {
            write!(f, " ({} more since the last such line)", self.others)?;
        }
        Ok(())
    }
}
