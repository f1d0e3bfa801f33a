//! Libraries that stand ready to be called, each in a machine of its own.
//!
//! They are no part of the state: each is what the text of a library says. A call takes the machine
//! and gives it back; so a library is run once, and not for each call of a function.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::loading::Ready;
use super::name::Name;
use crate::lua::Machine;

/// The most memory of libraries that stand ready; beyond that the one that was called longest ago
/// goes, and is loaded again when it is called.
const BYTES_MAX: u64 = 64 << 20;
/// The memory that one counts for beside what is reckoned for its values.
const MACHINE_BYTES: u64 = 64 << 10;

/// Libraries that stand ready, by the digests of their texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    all: BTreeMap<Name, Placed>,
    bytes: u64,
    calls: u64,
}

#[derive(Clone, Debug)]
struct Placed {
    machine: Box<Machine>,
    ready: Box<Ready>,
    bytes: u64,
    /// The call after which it was put here.
    since: u64,
}

impl Shelf {
    /// Takes a library, which is to be given back.
    pub(super) fn take(&mut self, digest: &Name) -> Option<(Box<Machine>, Box<Ready>)> {
        let placed = self.all.remove(digest)?;
        self.bytes -= placed.bytes;
        Some((placed.machine, placed.ready))
    }

    /// Puts a library here.
    pub(super) fn put(&mut self, digest: Name, mut machine: Box<Machine>, ready: Box<Ready>) {
        machine.reset(0);
        let bytes = MACHINE_BYTES + machine.memory_bytes();
        self.calls += 1;
        let placed = Placed {
            machine,
            ready,
            bytes,
            since: self.calls,
        };
        self.bytes += bytes;
        if let Some(old) = self.all.insert(digest, placed) {
            self.bytes -= old.bytes;
        }
        while self.bytes > BYTES_MAX && self.all.len() > 1 {
            let oldest = self.all.iter().min_by_key(|(_, placed)| placed.since);
            let Some(digest) = oldest.map(|(digest, _)| *digest) else {
                return;
            };
            self.take(&digest);
        }
    }

    /// The bytes of memory that they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes as usize
    }
}
