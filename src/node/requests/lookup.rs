//! From a request to the row that runs it, and what follows from a row for its client.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::row::{Kind, Row};
use crate::command::table;
use crate::command::verb::{ClientVerb, ConfigVerb, RaftVerb, ServerVerb, SessionVerb};

/// The row that runs a request: that of the command, or of the subcommand that it names.
pub(in crate::node) fn row_of(args: Args<'_>) -> Result<&'static Row, Error> {
    let row = table::find(args.name()).ok_or_else(|| unknown_command(args))?;
    table::called(row, args)
}

/// The row that runs a request for this command, or its own where that is not known.
pub(super) fn called_by(row: &'static Row, args: Args<'_>) -> &'static Row {
    table::called(row, args).unwrap_or(row)
}

/// Redis's words for a name that is not in the table, with the first arguments for whoever reads a
/// log.
pub(super) fn unknown_command(args: Args<'_>) -> Error {
    let shown = |bytes: &[u8], max: usize| bytes[..bytes.len().min(max)].to_vec();
    let mut given = Vec::new();
    for arg in args.from(1).iter() {
        if given.len() >= 128 {
            break;
        }
        let room = 128 - given.len();
        given.push(b'\'');
        given.extend(shown(arg, room));
        given.extend_from_slice(b"' ");
    }
    let name = shown(args.name(), 128);
    let text = b"', with args beginning with: ";
    Error::of(&[b"ERR unknown command '", &name, text, &given])
}

/// Returns true if only a leader may do it: it looks at keys, or changes them.
pub(super) fn needs_leader(row: &Row) -> bool {
    match row.kind {
        Kind::Write(_) | Kind::Script(_) => true,
        Kind::Read(_) => row.is_read(),
        Kind::Session(verb) => matches!(verb, SessionVerb::Exec | SessionVerb::Watch),
        Kind::Server(_) | Kind::Container => false,
    }
}

/// The verbs that a transaction does not queue.
pub(super) fn is_transaction_verb(row: &Row) -> bool {
    matches!(row.kind, Kind::Session(verb) if verb.is_never_queued())
}

/// Returns true if a client of RESP2 may ask for it while it listens to channels.
pub(super) fn is_for_listeners(row: &Row) -> bool {
    matches!(row.kind, Kind::Session(verb) if verb.is_for_listeners())
}

/// Returns true if what comes behind a transaction with this command is answered or kept otherwise
/// because of it, and so must not be looked at before it is run.
pub(super) fn changes_replies(row: &Row) -> bool {
    match row.kind {
        Kind::Session(verb) => matches!(
            verb,
            SessionVerb::Auth
                | SessionVerb::Hello
                | SessionVerb::ReadOnly
                | SessionVerb::ReadWrite
                | SessionVerb::Subscribe(_)
                | SessionVerb::Unsubscribe(_)
        ),
        Kind::Server(verb) => matches!(
            verb,
            ServerVerb::Client(ClientVerb::Reply | ClientVerb::Tracking)
                | ServerVerb::Raft(RaftVerb::Reads)
        ),
        _ => false,
    }
}

/// Returns true if nothing that stands behind a command is looked at before it has run: it may be
/// answered later, or end the conversation.
pub(super) fn may_wait(row: &Row) -> bool {
    let Kind::Server(verb) = row.kind else {
        return false;
    };
    match verb {
        ServerVerb::Debug | ServerVerb::Save | ServerVerb::Wait => true,
        ServerVerb::Client(verb) => verb == ClientVerb::Kill,
        ServerVerb::Config(verb) => verb == ConfigVerb::Rewrite,
        ServerVerb::Raft(verb) => match verb {
            RaftVerb::Add | RaftVerb::Promote | RaftVerb::Remove | RaftVerb::Transfer => true,
            RaftVerb::Info | RaftVerb::Nodes | RaftVerb::Reads | RaftVerb::Snapshot => false,
        },
        _ => false,
    }
}
