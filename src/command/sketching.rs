//! HyperLogLogs on their way from piece to piece of a long command.

use alloc::vec::Vec;

/// How far a command on HyperLogLogs has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketching {
    /// The keys or elements in front of this place are done.
    pub(super) next: usize,
    /// The registers of all keys that are looked at together; none yet where it is empty.
    pub(super) registers: Vec<u8>,
    /// One of the keys has all registers in full.
    pub(super) is_dense: bool,
    /// The string that is changed; none yet where it is empty.
    pub(super) bytes: Vec<u8>,
    /// How many registers of it were looked at.
    pub(super) written: usize,
    /// It is another one than before.
    pub(super) has_changed: bool,
}
