//! Agreement: terms, votes, the log's tail and its commit; knows bytes and indexes, not Redis.
//!
//! A member is told the time, what its peers say and how far its disk is; it hands over what is to
//! be made durable, what is to be said, and what is committed, in order. References are to sections
//! of Ongaro's thesis.
//!
//! * The data: `entry`, `log`, `membership`, `history` (which membership is in force).
//! * Majorities: `quorum`, asked of a membership and of nothing else.
//! * Communication: `message`, `wire`; `outbox` holds back what is not durable yet.
//! * The actions of a member: `receive`, `election`, `follow`, and as a leader `replication`,
//!   `progress`, `read`, `change`, `transfer`, `supply`; `install` takes the state that another
//!   supplies, and `parts` a large entry piece by piece.
//!
//! A commit is made in one place, `Raft::advance_commit`, of entries of the own term.

mod change;
mod conflict;
mod contradict;
mod corrupt;
mod election;
pub mod entry;
mod follow;
mod hearing;
mod history;
mod install;
pub mod log;
mod loss;
mod member;
mod membership;
pub mod message;
mod outbox;
mod part;
mod parts;
mod pause;
mod progress;
mod quorum;
mod read;
mod receive;
mod receiving;
mod repair;
mod replication;
mod role;
mod rounds;
mod sending;
mod settings;
mod supply;
#[cfg(test)]
mod tests;
mod transfer;
pub mod wire;

pub use change::ChangeRefused;
pub use conflict::Conflict;
pub use corrupt::Corrupt;
pub use entry::{Entry, EntryKind, KnownSum};

pub use log::TermAt;
pub use loss::Loss;
pub use member::Raft;
pub use membership::{MEMBERS_MAX, Member, Membership, MembershipChange, Unfit};
pub use message::{Class, Outgoing, SnapshotId};
pub use quorum::Tally;
pub use receiving::ReceivedChunk;
pub use role::{GivenUp, RoleName};
pub use rounds::ReadDone;
pub use sending::{ChunkWanted, SnapshotWanted};
pub use settings::{Refused, Restart, Settings, Unpersisted};
pub use transfer::TransferRefused;
pub use wire::WireError;
