//! From a client's request to its reply: routing, the batch of a turn, entries and their
//! application.

pub(super) mod admit;
pub(super) mod apply;
pub mod entry;
pub(super) mod hold;
pub(super) mod large;
pub(super) mod lookup;
pub(super) mod old_exec;
pub(super) mod outcome;
mod propose;
pub(super) mod route;
pub(super) mod secrets;
pub(super) mod transaction;
pub(super) mod turn;
pub(super) mod verbs;
