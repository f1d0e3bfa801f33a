//! Agreement: terms, votes, the log's tail and its commit; knows bytes and indexes, not Redis.
//!
//! A group has one member for now. Everything that a larger group needs of its surroundings is in
//! place: an entry has one encoding, term and vote are handed over to be made durable before they
//! are spoken of, and a commit is made in one place, of entries of the own term. docs/RAFT.md says
//! what is here and what is not.

mod change;
mod election;
pub mod entry;
mod follow;
mod history;
mod install;
pub mod log;
mod member;
mod membership;
pub mod message;
mod outbox;
mod progress;
mod quorum;
mod read;
mod receive;
mod replication;
mod role;
mod settings;
mod supply;
#[cfg(test)]
mod tests;
mod transfer;
pub mod wire;

pub use change::ChangeRefused;
pub use entry::{Corrupt, Entry, Kind};
pub use install::ReceivedChunk;
pub use log::TermAt;
pub use member::Raft;
pub use membership::{Change, MEMBERS_MAX, Member, Membership, Unfit};
pub use message::{Class, Outgoing, SnapshotId};
pub use quorum::Tally;
pub use read::ReadDone;
pub use role::RoleName;
pub use settings::{Refused, Restart, Settings, Unpersisted};
pub use supply::{ChunkWanted, SnapshotWanted};
pub use transfer::TransferRefused;
pub use wire::WireError;
