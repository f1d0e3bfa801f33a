//! A HyperLogLog as the string that it is: a head of 16 bytes, and 16384 registers.
//!
//! The head is `HYLL`, the form, three bytes without a meaning, and the cardinality as it was
//! counted last, whose highest bit says that it holds no longer.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use super::estimate::estimated;
use super::layout::{HEAD_BYTES, INDEX_BITS, REGISTERS};
use super::murmur;
use super::sparse::{self, Raised};
use crate::command::error::Error;
use crate::store::Text;

/// The length of a string with all registers in full, six bits each.
const DENSE_BYTES: usize = HEAD_BYTES + REGISTERS * 6 / 8;
/// The longest string in the sparse form: a run of two bytes for each register.
const SPARSE_BYTES_MAX: usize = HEAD_BYTES + 2 * REGISTERS;
/// The longest string that is kept in the sparse form (`hll-sparse-max-bytes`). It is the same on
/// all members, since clients see which form a string has.
const SPARSE_BYTES_KEPT_MAX: usize = 3000;
/// The byte whose highest bit says that the cardinality does not hold.
const STALE_AT: usize = 15;

/// The string of one without elements.
pub(super) fn empty() -> Vec<u8> {
    let mut bytes = b"HYLL\x01".to_vec();
    bytes.resize(HEAD_BYTES, 0);
    sparse::push_zeros(&mut bytes, REGISTERS);
    bytes
}

/// The bytes of a string that may be a HyperLogLog.
pub(super) fn read(text: Text<'_>) -> Result<Cow<'_, [u8]>, Error> {
    let len = text.len();
    let bytes = match text {
        Text::Bytes(bytes) | Text::Raw(bytes) => Cow::Borrowed(bytes),
        Text::Rope(_) if len <= SPARSE_BYTES_MAX => Cow::Owned(text.to_vec()),
        Text::Rope(_) => Cow::Owned(head_of(text)),
        Text::Integer(_) => return Err(Error::NO_SKETCH),
    };
    let is_sound = match bytes.get(..HEAD_BYTES) {
        Some([b'H', b'Y', b'L', b'L', 0, ..]) => len == DENSE_BYTES,
        Some([b'H', b'Y', b'L', b'L', 1, ..]) => true,
        _ => false,
    };
    if !is_sound {
        return Err(Error::NO_SKETCH);
    }
    if len > SPARSE_BYTES_MAX {
        return Err(Error::SKETCH_CORRUPTED);
    }
    Ok(bytes)
}

/// The head of a long text.
fn head_of(text: Text<'_>) -> Vec<u8> {
    let mut head = Vec::new();
    text.for_each_piece_of(0..HEAD_BYTES, &mut |piece| head.extend_from_slice(piece));
    head
}

/// Returns true if all registers stand there in full.
pub(super) fn is_dense(bytes: &[u8]) -> bool {
    bytes[4] == 0
}

/// The value of a register in the dense form.
pub(super) fn dense_register(bytes: &[u8], register: usize) -> u8 {
    let (at, shift) = (HEAD_BYTES + register * 6 / 8, register * 6 % 8);
    let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
    ((byte(at) | byte(at + 1) << 8) >> shift & 63) as u8
}

/// Lets a register of the dense form have a value.
fn set_dense_register(bytes: &mut [u8], register: usize, value: u8) {
    let (at, shift) = (HEAD_BYTES + register * 6 / 8, register * 6 % 8);
    let (mask, value) = (63_u16 << shift, u16::from(value) << shift);
    for (nth, byte) in bytes[at..].iter_mut().take(2).enumerate() {
        let (mask, value) = ((mask >> (8 * nth)) as u8, (value >> (8 * nth)) as u8);
        *byte = *byte & !mask | value;
    }
}

/// Turns a string into the dense form.
pub(super) fn make_dense(bytes: &mut Vec<u8>) -> Result<(), Error> {
    if is_dense(bytes) {
        return Ok(());
    }
    let mut dense = vec![0; DENSE_BYTES];
    dense[..HEAD_BYTES].copy_from_slice(&bytes[..HEAD_BYTES]);
    dense[4] = 0;
    let whole = sparse::each_run(bytes, |first, run| {
        if run.value > 0 {
            (first..first + run.len).for_each(|at| set_dense_register(&mut dense, at, run.value));
        }
    });
    whole.ok_or(Error::SKETCH_CORRUPTED)?;
    *bytes = dense;
    Ok(())
}

/// The cardinality that was counted last no longer holds.
pub(super) fn forget_count(bytes: &mut [u8]) {
    bytes[STALE_AT] |= 0x80;
}

/// The cardinality that was counted last, if it holds.
fn kept_count(bytes: &[u8]) -> Option<u64> {
    let count = bytes.get(8..HEAD_BYTES)?.first_chunk()?;
    let count = u64::from_le_bytes(*count);
    (count >> 63 == 0).then_some(count)
}

/// Raises a register to a value. Returns true if that was lower.
pub(super) fn raise(bytes: &mut Vec<u8>, register: usize, value: u8) -> Result<bool, Error> {
    if !is_dense(bytes) {
        let raised = sparse::raise(bytes, register, value, SPARSE_BYTES_KEPT_MAX);
        match raised.ok_or(Error::SKETCH_CORRUPTED)? {
            Raised::Not => return Ok(false),
            Raised::Yes => return Ok(true),
            Raised::TooMuch => make_dense(bytes)?,
        }
    }
    let is_lower = dense_register(bytes, register) < value;
    if is_lower {
        set_dense_register(bytes, register, value);
    }
    Ok(is_lower)
}

/// Adds an element. Returns true if a register is another one for it.
pub(super) fn add(bytes: &mut Vec<u8>, element: &[u8]) -> Result<bool, Error> {
    let hash = murmur::hash(element);
    let register = hash as usize & (REGISTERS - 1);
    // A bit behind the last one ends the zeros.
    let zeros = (hash >> INDEX_BITS | 1 << (64 - INDEX_BITS)).trailing_zeros();
    raise(bytes, register, zeros as u8 + 1)
}

/// Raises `registers`, one byte each, to those of a string.
pub(super) fn join(registers: &mut [u8], bytes: &[u8]) -> Result<(), Error> {
    if is_dense(bytes) {
        for (at, register) in registers.iter_mut().enumerate() {
            *register = (*register).max(dense_register(bytes, at));
        }
        return Ok(());
    }
    let whole = sparse::each_run(bytes, |first, run| {
        for register in &mut registers[first..first + run.len] {
            *register = (*register).max(run.value);
        }
    });
    whole.ok_or(Error::SKETCH_CORRUPTED)
}

/// The cardinality of a string: as it was counted, or counted now.
pub(super) fn count(bytes: &[u8]) -> Result<i64, Error> {
    if let Some(count) = kept_count(bytes) {
        return Ok(count as i64);
    }
    let mut histogram = [0; 64];
    if is_dense(bytes) {
        for register in 0..REGISTERS {
            histogram[usize::from(dense_register(bytes, register))] += 1;
        }
    } else {
        let whole = sparse::each_run(bytes, |_, run| {
            histogram[usize::from(run.value)] += run.len as u32;
        });
        whole.ok_or(Error::SKETCH_CORRUPTED)?;
    }
    Ok(estimated(&histogram))
}

/// The cardinality of registers of one byte each.
pub(super) fn count_of(registers: &[u8]) -> i64 {
    let mut histogram = [0; 64];
    for register in registers {
        histogram[usize::from(*register & 63)] += 1;
    }
    estimated(&histogram)
}
