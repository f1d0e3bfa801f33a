//! Looking for records behind a place where there is none: was what is missing there once known to
//! be synced, and what was said again later?

use super::record::{self, Found, Head, Position, START};

/// A record behind the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stray<'a> {
    pub(super) place: Position,
    pub(super) head: Head,
    pub(super) body: &'a [u8],
}

/// Looks at every byte of `bytes`, which stand at `place`, for records, and shows them in order.
pub(super) fn strays(bytes: &[u8], place: Position, show: &mut dyn FnMut(Stray<'_>)) {
    let mut from = 0;
    while let Some(at) = next_marker(bytes, from) {
        let here = Position {
            offset: place.offset + at as u64,
            ..place
        };
        from = at + 1;
        if let Found::Record {
            payload, length, ..
        } = record::find(&bytes[at..], here)
            && let Some((head, body)) = Head::decode(payload)
        {
            let place = here;
            show(Stray { place, head, body });
            from = at + length;
        }
    }
}

fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest
        .windows(START.len())
        .position(|window| window == START)?;
    Some(from + at)
}

/// Returns true if there is nothing but zeros.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
