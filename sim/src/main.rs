//! The command line of the simulator.

mod clock;
mod digest;
mod disk;
mod draws;
mod model;
mod queue;
mod wire;

fn main() {}
