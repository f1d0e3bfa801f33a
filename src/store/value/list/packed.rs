//! A small list in one run of bytes: the number of items in two bytes, then the items as a run.

use alloc::vec::Vec;

use super::end::End;
use crate::store::value::run::{Encoded, Items, count_sound};
use crate::store::value::string::Text;

/// The most bytes of a small list: one that needs more is kept in blocks.
pub(in crate::store) const BYTES_MAX: usize = crate::limits::SMALL_LIST_BYTES_MAX;
/// The bytes of the count.
const HEAD: usize = 2;

/// No item.
pub(in crate::store) const EMPTY: &[u8] = &[0; HEAD];

/// How many items there are.
pub(in crate::store) fn len(packed: &[u8]) -> usize {
    packed
        .first_chunk()
        .map_or(0, |count| usize::from(u16::from_le_bytes(*count)))
}

/// The items.
pub(in crate::store) fn items(packed: &[u8]) -> Items<'_> {
    Items(packed.get(HEAD..).unwrap_or_default())
}

/// Returns true if these bytes are such a list, with at least one item.
pub(in crate::store) fn is_sound(packed: &[u8]) -> bool {
    packed.len() <= BYTES_MAX && packed.get(HEAD..).and_then(count_sound) == Some(len(packed))
}

/// The small list of a run of items, which has room for them.
pub(in crate::store) fn of_run(run: &[u8]) -> Vec<u8> {
    let count = Items(run).count() as u16;
    [&count.to_le_bytes(), run].concat()
}

/// Writes to `out` what `packed` becomes with one item more at an end; whether that is still small.
pub(in crate::store) fn push(packed: &[u8], item: &[u8], end: End, out: &mut Vec<u8>) -> bool {
    let at = match end {
        End::Front => 0,
        End::Back => len(packed),
    };
    splice(packed, at, 0, Some(item), out)
}

/// Writes to `out` what `packed` becomes where `item`, or nothing, stands at an index in the place
/// of `gone` items; whether that is still small.
pub(in crate::store) fn splice(
    packed: &[u8],
    index: usize,
    gone: usize,
    item: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> bool {
    out.clear();
    let all = &packed[HEAD..];
    let start = if index == len(packed) {
        all.len()
    } else {
        offset(all, 0, index)
    };
    let end = offset(all, start, gone);
    let item = item.map(Encoded::of);
    let own = item.as_ref().map_or(0, Encoded::len);
    if packed.len() - (end - start) + own > BYTES_MAX {
        return false;
    }
    let count = len(packed) - gone + usize::from(item.is_some());
    out.extend_from_slice(&(count as u16).to_le_bytes());
    out.extend_from_slice(&all[..start]);
    if let Some(item) = item {
        item.push_to(out);
    }
    out.extend_from_slice(&all[end..]);
    true
}

/// Returns the offset of the item that comes so many behind the one at `start`.
fn offset(all: &[u8], start: usize, count: usize) -> usize {
    let mut rest = Items(&all[start..]);
    for _ in 0..count {
        rest.next();
    }
    all.len() - rest.0.len()
}

/// Writes to `out` the items of `packed` that `keeps` wants.
pub(in crate::store) fn retain(
    packed: &[u8],
    out: &mut Vec<u8>,
    mut keeps: impl FnMut(usize, Text<'_>) -> bool,
) {
    out.clear();
    out.extend_from_slice(EMPTY);
    let (mut count, mut rest) = (0u16, items(packed));
    for nth in 0..len(packed) {
        let before = rest.0;
        if let Some(item) = rest.next()
            && keeps(nth, item)
        {
            out.extend_from_slice(&before[..before.len() - rest.0.len()]);
            count += 1;
        }
    }
    out[..HEAD].copy_from_slice(&count.to_le_bytes());
}
