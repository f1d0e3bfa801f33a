//! Faults of the machine, done to a real process: it serves on, or it is dead and has said why.

mod disks;
mod ends;
mod limits;
mod lines;
mod managed;
mod memory;
mod stage;
