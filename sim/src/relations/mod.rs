//! Relations between the figures of members, and which of them hold.

mod facts;
mod miner;
mod relation;

pub(crate) use facts::{Facts, Figure};
pub(crate) use miner::{Miner, Observed};
pub(crate) use relation::{ADOPTED, Relation};
