//! The layout of a HyperLogLog: a head of 16 bytes, and 16384 registers.

/// The bits of a hash that choose the register.
pub(super) const INDEX_BITS: u32 = 14;
/// How many registers there are.
pub(super) const REGISTERS: usize = 1 << INDEX_BITS;
/// The bytes of the head.
pub(super) const HEAD_BYTES: usize = 16;
