//! Lua 5.1 that runs alike on every machine; knows nothing of Redis.
//!
//! A script is compiled once (`compile`), and run by a `Machine`: an arena that is made with its
//! libraries, sealed, and reset for each script. The machine does nothing by itself: it runs for a
//! budget of instructions and says why it has stopped. A function of the host is such a reason, so
//! that the host does its work between two calls of `run`.
//!
//! The same code, seed and answers give the same steps, instruction by instruction, everywhere:
//! there is no clock, no chance but the seed's, no function of numbers but those of `libm`, no
//! address that could be seen, and memory is reckoned and not measured.
#![allow(
    clippy::eq_op,
    clippy::float_cmp,
    clippy::option_option,
    reason = "numbers are compared as Lua has it; no key and the end of a walk are two things"
)]
#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::wrong_self_convention,
    reason = "all library functions have one form; errors and values are made by whom they are for"
)]

mod compile;
mod heap;
mod host;
mod instruction;
mod libraries;
mod machine;
mod number;
mod prototype;
#[cfg(test)]
mod tests;
mod value;

pub use compile::{CompileError, compile};
pub use host::{Machine, Stop};
pub use machine::limits::ScriptLimits;
pub use number::format::general;
pub use prototype::Program;
pub use value::{CoroutineRef, FunctionRef, NativeRef, StringRef, TableRef, UserdataRef, Value};
