//! The messages between members.
//!
//! Every message is wrapped in an envelope that names the group, the sender and the addressee with
//! their incarnations, and the sender's term. All that a message says beyond that is here.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::{ClusterId, LogIndex, NodeId, Term};
use crate::time::Stamp;

use super::entry::Entry;
use super::membership::{Member, Membership};

/// The sender and the addressee of a message, and the sender's term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The group that both belong to.
    pub cluster: ClusterId,
    /// The sender.
    pub from: Member,
    /// The addressee; a wiped disk under the same number is another one.
    pub to: Member,
    /// The sender's term.
    pub term: Term,
}

/// A place in the log with the term of the entry that stands there: two logs that agree in one
/// agree in all before it (thesis 3.5).
pub type EntryId = (LogIndex, Term);

/// A message from one member to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Would you vote for me? (thesis 9.6)
    PreVote {
        /// The term that the sender would campaign in; its own is one less.
        prospective: Term,
        /// The last entry of its log.
        last: EntryId,
    },
    /// The answer to `PreVote`.
    PreVoteReply {
        /// The term that was asked about.
        prospective: Term,
        /// True if a vote would be given.
        granted: bool,
    },
    /// Vote for me in the envelope's term (thesis 3.4).
    Vote {
        /// The last entry of the candidate's log.
        last: EntryId,
        /// The leader itself wishes it: whoever hears that leader may vote all the same.
        transfer: bool,
    },
    /// The answer to `Vote`, in the envelope's term.
    VoteReply {
        /// True if the candidate got the vote.
        granted: bool,
    },
    /// Entries behind a place (thesis 3.5).
    Append(Append),
    /// A piece of an entry that is too long for one append.
    Part(Part),
    /// The answer to `Part`: so much of that entry is here.
    PartReply {
        /// The entry.
        place: EntryId,
        /// How many bytes of its payload, from the first.
        bytes: u64,
    },
    /// The answer to `Append`: all up to here is as the leader has it, and durable.
    Accepted {
        /// The last such entry.
        index: LogIndex,
    },
    /// The answer to `Append`: the place before the entries is not in this log.
    Rejected {
        /// The place's index.
        at: LogIndex,
        /// The last entry of the receiver's log that may still agree.
        hint: EntryId,
    },
    /// I lead (thesis 3.4, 6.4).
    Heartbeat {
        /// Up to where the addressee's log is known to be both the leader's and committed.
        commit: LogIndex,
        /// The leader's latest round of questions whether it still leads.
        round: u64,
        /// The token of the addressee's latest answer that has come: this was said after that.
        echo: u64,
        /// How long before this was said the leader certainly led, in nanoseconds: a quorum has
        /// answered a round that began then. Nothing, where it does not know, or does not know yet
        /// what its predecessors have committed.
        led_before: Option<u64>,
    },
    /// You still lead, as far as I know: to `Heartbeat`, and to an `Append` that opens a round.
    HeartbeatReply {
        /// The latest round that was heard of; 0 from whoever knows of a later term.
        round: u64,
        /// Up to here the leader's log was received, durable or not: no promise, only a sign that
        /// nothing was lost on the way.
        received: LogIndex,
        /// Up to here it is durable: an `Accepted` that was lost need not be said again.
        durable: LogIndex,
        /// A number that nobody else gives, and this member at no other time, to be said back; 0 is
        /// none.
        token: u64,
        /// Its disk has no room, or keeps it waiting: it had better not lead.
        is_strained: bool,
        /// Your log contradicts what is committed in mine: I take nothing of it.
        contradicts: bool,
    },
    /// You have said in this term that you hold this entry, durably. To whoever has not shown it
    /// since: one that does not hold it has lost what others rely on.
    Reminder {
        /// The entry; term 0 where that is not known any more.
        held: EntryId,
        /// The last entry of the leader's log, behind everything that was ever acknowledged to it.
        last: EntryId,
    },
    /// Campaign at once (thesis 3.10).
    TimeoutNow,
    /// The entries you lack are gone; this state stands in for them (thesis 5).
    SnapshotOffer {
        /// Which state.
        id: SnapshotId,
        /// The membership at its last entry.
        membership: Membership,
    },
    /// A piece of a state that was offered.
    SnapshotChunk(Chunk),
    /// How far the receiver has come with a state.
    ChunkReply {
        /// Which state.
        id: SnapshotId,
        /// The byte wanted next: all before it has been taken.
        offset: u64,
    },
}

/// Entries behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The place before the first entry.
    pub prev: EntryId,
    /// The leader's commit index.
    pub commit: LogIndex,
    /// The leader's latest round of questions whether it still leads.
    pub round: u64,
    /// The entries; they follow on `prev` without a gap.
    pub entries: Vec<Entry>,
}

/// A piece of the entry behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The place before the entry.
    pub prev: EntryId,
    /// The leader's commit index.
    pub commit: LogIndex,
    /// The leader's latest round of questions whether it still leads.
    pub round: u64,
    /// The entry's term; its kind is `Normal`.
    pub term: Term,
    /// The entry's stamp.
    pub stamp: Stamp,
    /// The length of its payload in bytes.
    pub length: u64,
    /// The offset of the piece in the payload, in bytes.
    pub offset: u64,
    /// The piece.
    pub data: Bytes,
}

/// Which state: two that agree in all of this are the same, byte by byte, whoever sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotId {
    /// The last entry that the state includes.
    pub base: EntryId,
    /// Its length in bytes, never 0.
    pub bytes: u64,
    /// A checksum of its bytes, of the owner's choosing.
    pub sum: u64,
}

/// A piece of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which state.
    pub id: SnapshotId,
    /// The offset of the piece in the state, in bytes.
    pub offset: u64,
    /// The piece.
    pub data: Bytes,
}

/// How urgent a frame is; frames of one class and one pair of members stay in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Small and decisive: votes, heartbeats, answers.
    Control,
    /// Entries.
    Append,
    /// Pieces of a state, which wait for everything else.
    Bulk,
}

impl Message {
    /// How urgent it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Append(_) | Self::Part(_) => Class::Append,
            Self::SnapshotOffer { .. } | Self::SnapshotChunk(_) => Class::Bulk,
            _ => Class::Control,
        }
    }
}

/// A frame that may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom.
    pub to: NodeId,
    /// How urgently.
    pub class: Class,
    /// The bytes, for `Raft::step` of the addressee.
    pub frame: Vec<u8>,
}
