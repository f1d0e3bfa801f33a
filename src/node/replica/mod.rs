//! This server as a member of its group: the log, leadership, membership, states sent and received,
//! recovery and replicated time.

pub mod arrival;
pub(super) mod base;
pub(super) mod commit;
pub mod greeting;
pub(super) mod hand_over;
mod joining;
pub(super) mod leadership;
pub(super) mod leaving;
pub(super) mod policy;
mod raising;
pub(super) mod recovery;
mod removal;
pub(super) mod repair;
pub(super) mod replicated;
pub(super) mod rewrite;
pub(super) mod snapshot;
pub(super) mod strain;
mod timekeeping;
pub mod versions;
