//! The simulator: the core of Seedis in a world that is drawn from a seed.

mod check;
mod cli;
mod client;
mod clock;
mod decisions;
mod digest;
mod disk;
mod draws;
mod fleet;
mod goals;
mod guide;
mod image;
mod json;
mod judge;
pub mod linear;
mod model;
mod mutants;
mod profile;
mod queue;
mod replay;
mod report;
mod run;
mod scenario;
mod scripts;
mod serve;
mod shrink;
pub mod steered;
mod stopwatch;
mod subject;
mod timeline;
mod twins;
mod view;
mod wire;
mod workload;
mod world;

pub use cli::main;
