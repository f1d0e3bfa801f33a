//! Looking for records behind a place where there is none: was what is missing there once known to
//! be synced?

use super::record::{self, Found, Head, Place, START};

/// A record behind the place, written when everything up to `synced` was known to be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    pub(super) place: Place,
    pub(super) synced: Place,
}

/// Looks at every byte of `bytes`, which stand at `place`, for a record that knew `missing` to be
/// synced.
pub(super) fn witness(bytes: &[u8], place: Place, missing: Place) -> Option<Witness> {
    let mut from = 0;
    while let Some(at) = next_marker(bytes, from) {
        let here = Place {
            offset: place.offset + at as u64,
            ..place
        };
        let mut next = at + 1;
        if let Found::Record {
            payload, length, ..
        } = record::find(&bytes[at..], here)
            && let Some((Head { synced, .. }, _)) = Head::decode(payload)
        {
            if synced > missing {
                return Some(Witness {
                    place: here,
                    synced,
                });
            }
            next = at + length;
        }
        from = next;
    }
    None
}

fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest
        .windows(START.len())
        .position(|window| window == START)?;
    Some(from + at)
}

/// Whether there is nothing but zeros.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
