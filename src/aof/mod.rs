//! Durability: records, segments, bases and the manifest; knows bytes and files, not what they
//! mean.
//!
//! Everything here is a state machine that speaks `DiskOp`: a `Recovery` reads what a directory
//! holds and becomes a `Log`, which appends, syncs and rewrites. docs/PERSISTENCE.md draws the
//! files byte by byte.

mod chunk;
mod failure;
mod image;
mod incoming;
pub mod log;
pub mod manifest;
mod op;
mod owing;
mod reader;
pub mod record;
pub mod recover;
mod rewriting;
mod scan;
mod segment;
mod settings;
mod step;
mod sync;
#[cfg(test)]
mod tests;

pub use chunk::BodyPart;
pub use failure::Failure;
pub use image::Image;
pub use incoming::{Incoming, NoBase, Piece};
pub use log::{Log, LogSize};
pub use manifest::Debt;
pub use op::Op;
pub use record::Restated;
pub use recover::{Damage, Event, Recovery};
pub use rewriting::RewriteState;
pub use settings::{Policy, Settings};
