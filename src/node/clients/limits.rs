//! When clients are looked at again, how much memory they take, and how often they are complained
//! of.

use alloc::collections::BTreeSet;
use core::time::Duration;

use crate::node::effect::Wrong;
use crate::time::Mono;

/// How often one kind of wrong is worth a line in the log.
const COMPLAINT_EVERY: Duration = Duration::from_secs(1);

/// The figures of all clients together.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientLimits {
    /// When clients are to be looked at again, by time and slot.
    due: BTreeSet<(Mono, u32)>,
    /// The memory that all of them take, in bytes, as it was last counted.
    pub(super) memory: usize,
    /// The bytes of messages that wait for them, each counted for all for whom it waits.
    pub(super) messages: usize,
    /// By kind of wrong: when a line was last written, and how many were left out since.
    complaints: [Option<(Mono, u64)>; 5],
}

impl ClientLimits {
    /// Returns how many clients that did wrong were left out of the log before this one, or nothing
    /// if this one is left out too: clients can do wrong as often as they like.
    pub(super) fn complain(&mut self, wrong: Wrong, now: Mono) -> Option<u64> {
        let last = &mut self.complaints[wrong as usize];
        let others = match last {
            Some((at, left_out)) if now.since(*at) < COMPLAINT_EVERY => {
                *left_out += 1;
                return None;
            }
            Some((_, left_out)) => *left_out,
            None => 0,
        };
        *last = Some((now, 0));
        Some(others)
    }

    /// A client is looked at then instead of before.
    pub(super) fn look_at(&mut self, slot: u32, before: Option<Mono>, at: Option<Mono>) {
        if let Some(before) = before {
            self.due.remove(&(before, slot));
        }
        if let Some(at) = at {
            self.due.insert((at, slot));
        }
    }

    /// When the next client is looked at.
    pub(super) fn next(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A client that is to be looked at by now.
    pub(super) fn due(&self, now: Mono) -> Option<u32> {
        let first = self.due.first().filter(|(at, _)| *at <= now);
        first.map(|(_, slot)| *slot)
    }
}
