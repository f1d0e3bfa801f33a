//! The runner of code: a machine of registers whose calls lie on a stack of its own.
//!
//! Nothing here recurses with the script: a call of a library function that calls another is a
//! frame like any, so that every script can be stopped after any instruction and go on later.

mod access;
mod calls;
mod coroutines;
pub(in crate::lua) mod execute;
pub(in crate::lua) mod limits;
mod names;
mod native;
mod operations;
pub(in crate::lua) mod state;
mod steps;
mod unwind;

pub(in crate::lua) use access::Found;
pub(in crate::lua) use state::{Call, Definition, Event, Outcome, Request, Resumed, State, Thrown};
