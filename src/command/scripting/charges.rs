//! The work of a command, as instructions of the script that calls it.
//!
//! The budget of a script decides where it ends, on every member: so work is counted by what all of
//! them see alike, which is what the command takes and answers, and its name.

use crate::command::args::Args;
use crate::limits::BYTES_PER_WORK;

/// So many instructions are about as much work as a small request.
pub(super) const INSTRUCTIONS_PER_WORK: u64 = 64;
/// A command that may look at all of a large value, or at all keys, costs so many more.
const LONG: u64 = 50_000;

const LONG_NAMES: [&[u8]; 33] = [
    b"bitcount",
    b"bitop",
    b"bitpos",
    b"copy",
    b"flushall",
    b"flushdb",
    b"geosearch",
    b"geosearchstore",
    b"keys",
    b"lcs",
    b"linsert",
    b"lpos",
    b"lrem",
    b"pfcount",
    b"pfmerge",
    b"scan",
    b"sdiff",
    b"sdiffstore",
    b"sinter",
    b"sintercard",
    b"sinterstore",
    b"sort",
    b"sort_ro",
    b"sunion",
    b"sunionstore",
    b"zdiff",
    b"zdiffstore",
    b"zinter",
    b"zintercard",
    b"zinterstore",
    b"zremrangebyrank",
    b"zunion",
    b"zunionstore",
];

/// The units of work, and the instructions, that a command counts for.
pub(super) fn of(args: Args<'_>, taken_bytes: usize, answered_bytes: usize) -> (usize, u64) {
    let work = 1 + (taken_bytes + answered_bytes) / BYTES_PER_WORK;
    let name = args.name();
    let is_long = LONG_NAMES
        .iter()
        .any(|long| name.eq_ignore_ascii_case(long));
    let more = if is_long { LONG } else { 0 };
    (work, work as u64 * INSTRUCTIONS_PER_WORK + more)
}
