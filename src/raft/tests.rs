//! The agreement, held against models, figures and storms.

mod election;
mod log;
mod membership;
mod net;
mod read;
mod replication;
mod sole;
mod wire;
