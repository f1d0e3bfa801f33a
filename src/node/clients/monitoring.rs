//! MONITOR: clients that are shown what the other clients of this member ask for.
//!
//! A line is made once, however many are shown it, and only where somebody is. A client that does
//! not read its lines is closed as one that listens to channels.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::ids::ConnId;
use crate::limits::MONITORS_MAX;
use crate::session::outbox::Shared;

use super::Clients;
use super::monitors::line;

impl Clients {
    /// Returns true if anybody is shown what others ask for.
    pub(in crate::node) fn has_monitors(&self) -> bool {
        !self.monitors.slots.is_empty()
    }

    /// Returns true if this client is.
    pub(in crate::node) fn monitors(&self, slot: u32) -> bool {
        self.has_monitors() && self.monitors.slots.contains(&slot)
    }

    /// A client is shown all requests from now on.
    pub(in crate::node) fn monitor(&mut self, slot: u32) -> Outcome {
        let slots = &mut self.monitors.slots;
        if slots.len() >= MONITORS_MAX && !slots.contains(&slot) {
            return Err(Error::TOO_MANY_MONITORS);
        }
        slots.insert(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.monitors = true;
        }
        Ok(())
    }

    /// A client is shown nothing any more.
    pub(in crate::node) fn end_monitoring(&mut self, slot: u32) {
        if self.monitors.slots.remove(&slot)
            && let Some(session) = self.sessions.get_mut(slot)
        {
            session.monitors = false;
        }
    }

    /// Shows a client's request to those who are to be shown all. Returns how many bytes that was.
    pub(in crate::node) fn show(
        &mut self,
        (slot, conn): (u32, ConnId),
        (wall_us, db): (u64, u32),
        args: Args<'_>,
    ) -> usize {
        let Some(session) = self.sessions.same(slot, conn) else {
            return 0;
        };
        let shown = self
            .shared
            .share(Bytes::from(line(wall_us, db, session, args)));
        let nothing = self.shared.share(Bytes::new());
        let mut bytes = shown.bytes.len();
        let slots: Vec<u32> = self.monitors.slots.iter().copied().collect();
        for other in slots {
            let session = self.sessions.get_mut(other);
            let Some(session) = session.filter(|one| !one.closing) else {
                continue;
            };
            let parts: [Shared; 2] = [nothing.clone(), shown.clone()];
            for part in &parts {
                self.shared.hold(part);
            }
            if other == slot {
                // It has its answer first.
                session.outbox.push_late(parts);
            } else {
                session.outbox.push(parts);
            }
            self.mark_dirty(other);
            bytes += shown.bytes.len();
        }
        self.shared.release(shown.id);
        self.shared.release(nothing.id);
        bytes
    }
}
