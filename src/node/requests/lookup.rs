//! From a request to the row that runs it, or to what is said where there is none.

use alloc::format;
use alloc::string::String;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::row::Row;
use crate::command::table;

/// The row that runs a request: that of the command, or of the subcommand that it names.
pub(in crate::node) fn row_of(args: Args<'_>) -> Result<&'static Row, Error> {
    let row = table::find(args.name()).ok_or_else(|| unknown_command(args))?;
    table::called(row, args)
}

/// Redis's words for a name that is not in the table, with the first arguments for whoever reads a
/// log.
pub(in crate::node) fn unknown_command(args: Args<'_>) -> Error {
    let shown = |bytes: &[u8], max: usize| {
        String::from_utf8_lossy(&bytes[..bytes.len().min(max)]).into_owned()
    };
    let mut given = String::new();
    for arg in args.from(1).iter() {
        if given.len() >= 128 {
            break;
        }
        let room = 128 - given.len();
        given.push('\'');
        given.push_str(&shown(arg, room));
        given.push_str("' ");
    }
    let name = shown(args.name(), 128);
    Error::text(format!(
        "ERR unknown command '{name}', with args beginning with: {given}"
    ))
}
