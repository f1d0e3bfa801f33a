//! The agreement, held against models, figures and storms.

mod change;
mod checks;
mod conflict;
mod election;
mod figures;
mod lessons;
mod log;
mod membership;
mod net;
mod partition;
mod pause;
mod read;
mod repair;
mod replication;
mod snapshot;
mod sole;
mod states;
mod wire;
mod world;
