//! RESP2 and RESP3 on the wire; knows no command.

pub mod reply;
