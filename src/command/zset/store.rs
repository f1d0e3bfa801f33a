//! Sorted sets that are the result of a command.

use alloc::vec::Vec;

use crate::command::context::Change;
use crate::command::error::Outcome;

/// Lets a key be a sorted set with these members, whatever it was; without any, it goes away.
pub(super) fn store(change: &mut Change<'_>, key: &[u8], members: &[(Vec<u8>, f64)]) -> Outcome {
    change.store.remove(change.db, key, change.at);
    let mut zset = change.store.zset_or_new(change.db, key, change.at)?;
    for (member, score) in members {
        zset.set(member, *score);
    }
    Ok(())
}
