//! What the machine may do to a process, done to a real one: it serves on, or it is dead and has
//! said why.

mod disks;
mod ends;
mod limits;
mod lines;
mod managed;
mod memory;
mod stage;
