//! How many files and sockets the process may have open, and how many clients that allows.
//!
//! The log must be able to open its next file whatever clients do: some descriptors are never
//! theirs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Options;

/// The descriptors that the server needs for itself, as in Redis: its log, its listeners, its
/// runtime.
const RESERVED: u64 = 32;
/// As many addresses to listen on are among them.
const DOORS: u64 = 2;
/// The descriptors that a member needs for the other members on top, and for unproven connections.
const FOR_MEMBERS: u64 = 64;

/// Raises what the process may open as far as it is allowed to; how many clients there may be then.
pub(crate) fn for_clients(options: &Options, wished: u32, is_member: bool) -> Result<u32, String> {
    let doors = options.bind.len() + usize::from(options.unixsocket.is_some());
    let reserved =
        RESERVED + (doors as u64).saturating_sub(DOORS) + if is_member { FOR_MEMBERS } else { 0 };
    let wanted = u64::from(wished) + reserved;
    let limit = raise(wanted);
    let room = limit.saturating_sub(reserved);
    if room == 0 {
        return Err(format!(
            "Your current 'ulimit -n' of {limit} is not enough for the server to start. Please \
             increase your open file limit to at least {}",
            reserved + 1
        ));
    }
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    if room < wished {
        tracing::warn!(
            "You requested maxclients of {} requiring at least {wanted} max file descriptors. \
             Current maximum open files is {limit}. maxclients has been reduced to {room} to \
             compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
            wished
        );
    }
    Ok(room)
}

/// Raises the limit to the hard one, or to what is wanted where there is none; what it is then.
fn raise(wanted: u64) -> u64 {
    let found = getrlimit(Resource::Nofile);
    let Some(soft) = found.current else {
        return u64::MAX;
    };
    let highest = found.maximum.unwrap_or(wanted).max(soft);
    for attempt in [highest, wanted.min(highest)] {
        let raised = Rlimit {
            current: Some(attempt),
            ..found
        };
        if attempt > soft && setrlimit(Resource::Nofile, raised).is_ok() {
            return attempt;
        }
    }
    soft
}
