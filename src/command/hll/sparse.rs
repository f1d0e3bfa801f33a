//! The sparse form of a HyperLogLog: runs of registers, one after the other.
//!
//! `00llllll` is a run of up to 64 zeros, `01llllll llllllll` one of up to 16384, `1vvvvvll` one of
//! up to four registers with the same value, of up to 32. Which runs stand there after a change is
//! Redis's way to the letter, since clients can see them.

use alloc::vec::Vec;

use super::layout::{HEAD_BYTES, REGISTERS};

/// The greatest value of a register.
pub(super) const VALUE_MAX: u8 = 32;
/// The most registers of a run with a value.
const VALUES_MAX: usize = 4;
/// The most zeros of a run in one byte.
const ZEROS_MAX: usize = 64;
/// How many runs are looked at for neighbours that may become one.
const MERGED_RUNS: usize = 5;

/// A run: the value of its registers, how many there are, and how many bytes it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) value: u8,
    pub(super) len: usize,
    pub(super) bytes: usize,
}

/// The run at a place; `None` at the end, or if only half of one stands there.
pub(super) fn run_at(bytes: &[u8], at: usize) -> Option<Run> {
    let first = *bytes.get(at)?;
    Some(match first {
        0x00..0x40 => Run {
            value: 0,
            len: usize::from(first) + 1,
            bytes: 1,
        },
        0x40..0x80 => {
            let low = *bytes.get(at + 1)?;
            Run {
                value: 0,
                len: (usize::from(first & 0x3f) << 8 | usize::from(low)) + 1,
                bytes: 2,
            }
        }
        0x80.. => Run {
            value: (first >> 2 & 0x1f) + 1,
            len: usize::from(first & 3) + 1,
            bytes: 1,
        },
    })
}

/// Hands on each run with its first register; `None` if they are not all registers, once each.
pub(super) fn each_run(bytes: &[u8], mut take: impl FnMut(usize, Run)) -> Option<()> {
    let (mut at, mut first) = (HEAD_BYTES, 0);
    while at < bytes.len() {
        let run = run_at(bytes, at)?;
        if first + run.len > REGISTERS {
            return None;
        }
        take(first, run);
        first += run.len;
        at += run.bytes;
    }
    (first == REGISTERS).then_some(())
}

/// Appends a run of zeros.
pub(super) fn push_zeros(out: &mut Vec<u8>, len: usize) {
    let last = len - 1;
    if len > ZEROS_MAX {
        out.push(0x40 | (last >> 8) as u8);
    }
    out.push(last as u8);
}

/// The byte of a run with a value.
fn value_byte(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

/// The outcome of raising a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// It has a value as high, or a higher one.
    Not,
    Yes,
    /// It cannot be kept in this form, or not in so many bytes.
    TooMuch,
}

/// Raises a register to a value, if the string stays within so many bytes; `None` if the string is
/// no HyperLogLog.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    register: usize,
    value: u8,
    bytes_max: usize,
) -> Option<Raised> {
    if value > VALUE_MAX {
        return Some(Raised::TooMuch);
    }
    let (mut at, mut first, mut before) = (HEAD_BYTES, 0, None);
    let run = loop {
        let run = run_at(bytes, at)?;
        if register < first + run.len {
            break run;
        }
        before = Some(at);
        at += run.bytes;
        first += run.len;
    };
    if run.value >= value {
        return Some(Raised::Not);
    }
    let own = value_byte(value, 1);
    if run.len == 1 && run.bytes == 1 {
        bytes[at] = own;
    } else {
        // It stands within a run, which is split.
        let (left, right) = (register - first, first + run.len - 1 - register);
        let mut runs = Vec::with_capacity(5);
        let push = |runs: &mut Vec<u8>, len: usize| match (len, run.value) {
            (0, _) => {}
            (_, 0) => push_zeros(runs, len),
            (_, value) => runs.push(value_byte(value, len)),
        };
        push(&mut runs, left);
        runs.push(own);
        push(&mut runs, right);
        let grows = runs.len() > run.bytes;
        if grows && bytes.len() + runs.len() - run.bytes > bytes_max {
            return Some(Raised::TooMuch);
        }
        bytes.splice(at..at + run.bytes, runs);
    }
    merge(bytes, before.unwrap_or(HEAD_BYTES));
    Some(Raised::Yes)
}

/// Lets neighbours with the same value become one, as far as Redis looks for them.
fn merge(bytes: &mut Vec<u8>, from: usize) {
    let mut at = from;
    for _ in 0..MERGED_RUNS {
        let Some(run) = run_at(bytes, at) else {
            return;
        };
        if run.value == 0 {
            at += run.bytes;
            continue;
        }
        match run_at(bytes, at + 1) {
            Some(next) if next.value == run.value && run.len + next.len <= VALUES_MAX => {
                bytes[at + 1] = value_byte(run.value, run.len + next.len);
                bytes.remove(at);
            }
            _ => at += 1,
        }
    }
}
