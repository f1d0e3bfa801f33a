//! RESP2 and RESP3 on the wire; knows no command.

pub mod parse;
pub mod reply;
pub mod value;
