//! Libraries in Redis's own form: FUNCTION DUMP and RESTORE.

use alloc::boxed::Box;
use core::mem;

use super::evaluate;
use super::installing::Installing;
use super::libraries::{self, Policy};
use super::library::Library;

use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::dump::sum;
use crate::command::dumping::Dumping;
use crate::command::error::{Error, Outcome};
use crate::command::pace::Kept;
use crate::limits::{BYTES_PER_WORK, LIBRARIES_MAX, SCRIPT_BYTES_MAX};
use crate::rdb::{self, BadLibrary};

pub(super) fn dump(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let mut dumping = match mem::take(&mut query.pace.kept) {
        Kept::Dumping(dumping) => dumping,
        _ => Box::default(),
    };
    let done = write_all(query, &mut dumping);
    let mut dumping = query.pace.keep(Kept::Dumping, done, dumping)?;
    rdb::put_footer(&mut dumping.bytes, dumping.summed.sum);
    query.reply.bulk(&dumping.bytes);
    Ok(())
}

/// Writes all libraries, and sums them up.
fn write_all(query: &mut Query<'_>, dumping: &mut Dumping) -> Outcome {
    let store = query.store;
    if !dumping.is_whole {
        let names = store.library_names();
        for name in names.iter().skip(dumping.cursor as usize) {
            query.pace.step(0, 1)?;
            let body = store.library(name).unwrap_or_default();
            query.pace.pay(body.len() / BYTES_PER_WORK);
            if let Some(library) = Library::of(name, &body) {
                rdb::put_library(&mut dumping.bytes, &library.text);
            }
            dumping.cursor += 1;
        }
        dumping.is_whole = true;
    }
    sum(query.pace, &mut dumping.summed, &dumping.bytes)
}

pub(super) fn restore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let policy = match args.len() {
        3 => Policy::Append,
        4 if args.is(3, "append") => Policy::Append,
        4 if args.is(3, "replace") => Policy::Replace,
        4 if args.is(3, "flush") => Policy::Flush,
        4 => return Err(Error::RESTORE_POLICY),
        _ => return Err(Error::subcommand_syntax("FUNCTION", args.at(1))),
    };
    let mut installing = Box::new(libraries::installing(change));
    let done = read_all(change, args.at(2), &mut installing);
    let installing = change.pace.keep(Kept::Installing, done, installing)?;
    libraries::install(change, &installing.libraries, policy)?;
    change.reply.ok();
    Ok(())
}

/// Reads and loads all libraries of a payload.
fn read_all(change: &mut Change<'_>, payload: &[u8], installing: &mut Installing) -> Outcome {
    let (value, said) = rdb::parts(payload).ok_or(Error::WRONG_PAYLOAD)?;
    let summed = payload.len() - rdb::SUM_BYTES;
    sum(change.pace, &mut installing.summed, &payload[..summed])?;
    if installing.summed.sum != said {
        return Err(Error::WRONG_PAYLOAD);
    }
    loop {
        libraries::go_on(change, installing)?;
        if installing.at == value.len() {
            return Ok(());
        }
        if installing.libraries.len() as u64 >= LIBRARIES_MAX {
            return Err(Error::TOO_MANY_LIBRARIES);
        }
        change.pace.step(0, 1)?;
        let (text, next) = rdb::library(value, installing.at, SCRIPT_BYTES_MAX).map_err(refusal)?;
        installing.at = next;
        let loaded = &installing.libraries;
        let is_taken = |name: &[u8]| loaded.iter().any(|library| library.name == name);
        let loading = evaluate::begin(&text, change.pace, is_taken)?;
        installing.loading = Some((loading, text.into_owned()));
    }
}

fn refusal(error: BadLibrary) -> Error {
    match error {
        BadLibrary::Type => Error::NO_FUNCTION_PAYLOAD,
        BadLibrary::Text => Error::BAD_LIBRARY_PAYLOAD,
    }
}
