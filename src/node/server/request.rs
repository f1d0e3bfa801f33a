//! A request to the server.

use crate::command::args::Args;
use crate::resp::reply::Reply;

/// A request to the server, with what it needs to know of its client.
pub(super) struct Request<'a, 'r> {
    pub(super) slot: u32,
    pub(super) db: u32,
    pub(super) args: Args<'a>,
    pub(super) reply: Reply<'r>,
}
