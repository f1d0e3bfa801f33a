//! The agreement, held against models, figures and storms.

mod change;
mod election;
mod log;
mod membership;
mod net;
mod read;
mod replication;
mod snapshot;
mod sole;
mod states;
mod wire;
