//! How the outcome of a command becomes a reply.

use alloc::vec::Vec;

use crate::command::error::{Error, Outcome};
use crate::resp::reply::{Protocol, Reply};

/// Why a request is answered with an error at once.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It was refused before it ran.
    Rejected(Error),
    /// It ran, and that is its reply.
    Failed(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Rejected(error)
    }
}

/// Ends a reply: an error takes the place of what was written, a client that wants no replies gets
/// none.
pub(super) fn finish(
    out: &mut Vec<u8>,
    mark: usize,
    protocol: Protocol,
    silent: bool,
    outcome: Outcome,
) {
    if let Err(error) = outcome
        && error != Error::Nothing
    {
        out.truncate(mark);
        write_error(&mut Reply::new(out, protocol), &error);
    }
    if silent {
        out.truncate(mark);
    }
}

/// Writes an error as a reply.
pub(in crate::node) fn write_error(reply: &mut Reply<'_>, error: &Error) {
    match error {
        Error::Reply(text) => reply.error_bytes(text),
        Error::Unfinished => unreachable!("a command is run to its end"),
        Error::Nothing => unreachable!("its reply is written"),
        // Replicated time stands still only while a node has no leader, and then there is no better
        // answer.
        Error::Due => reply.error("TRYAGAIN the key is about to expire"),
    }
}

/// Returns true if an error sends a client to another member, or says that nobody is known to lead.
pub(super) fn is_elsewhere(error: &Error) -> bool {
    let is_moved = matches!(error, Error::Reply(text) if text.starts_with(b"MOVED "));
    is_moved || *error == Error::CLUSTER_DOWN
}
