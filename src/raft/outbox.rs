//! Messages on their way out, each held back until what it says is durable.
//!
//! A message is made with the number of the hand-over on which its truth depends and leaves when
//! that one is durable (thesis 3.8, 10.2.1). The held messages are bounded: of two messages of one
//! kind to one member the later says all that matters.

use alloc::vec::Vec;

use crate::ids::{NodeId, PersistSeq};

use super::message::{Class, Outgoing};

#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    ready: Vec<Outgoing>,
    held: Vec<Held>,
    /// The memory of frames that have been sent.
    spare: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Held {
    needs: PersistSeq,
    kind: u8,
    outgoing: Outgoing,
}

/// So many frames' memory is kept for later ones.
const SPARE_FRAMES: usize = 64;
/// The memory of longer frames is let go.
const SPARE_BYTES: usize = 64 << 10;

impl Outbox {
    /// Memory for a frame.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// A frame that has been sent: its memory may hold another.
    pub(super) fn recycle(&mut self, frame: Vec<u8>) {
        if self.spare.len() < SPARE_FRAMES && frame.capacity() <= SPARE_BYTES {
            self.spare.push(frame);
        }
    }

    /// Lets a frame leave at once.
    pub(super) fn send(&mut self, to: NodeId, class: Class, frame: Vec<u8>) {
        self.ready.push(Outgoing { to, class, frame });
    }

    /// Lets a frame leave when the hand-over `needs` is durable.
    pub(super) fn hold(&mut self, needs: PersistSeq, kind: u8, outgoing: Outgoing) {
        let to = outgoing.to;
        self.held
            .retain(|held| held.kind != kind || held.outgoing.to != to);
        self.held.push(Held {
            needs,
            kind,
            outgoing,
        });
    }

    /// All hand-overs up to this one are durable.
    pub(super) fn persisted(&mut self, seq: PersistSeq) {
        let released = self.held.extract_if(.., |held| held.needs <= seq);
        self.ready.extend(released.map(|held| held.outgoing));
    }

    /// Forgets what is held: it was about a term that is over.
    pub(super) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// Gives away what may leave.
    pub(super) fn take(&mut self, out: &mut Vec<Outgoing>) {
        out.append(&mut self.ready);
    }
}
