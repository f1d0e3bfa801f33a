//! A small set of integers: how many bytes each takes, then all of them in rising order.
//!
//! Each takes as few bytes as the widest of those that were ever added needs, two, four or eight.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::store::value::narrow::read;

/// The most integers.
pub(in crate::store) const INTEGERS_MAX: usize = 4 * crate::limits::SMALL_ITEMS_MAX;

/// No integer.
pub(in crate::store) const EMPTY: &[u8] = &[2];

/// The bytes that an integer needs.
fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

fn width(integers: &[u8]) -> usize {
    usize::from(integers[0])
}

/// How many integers there are.
pub(in crate::store) fn len(integers: &[u8]) -> usize {
    (integers.len() - 1) / width(integers)
}

/// The integers, in rising order.
pub(in crate::store) fn iter(integers: &[u8]) -> impl DoubleEndedIterator<Item = i64> {
    integers[1..].chunks_exact(width(integers)).map(read)
}

/// The integer at a place.
pub(in crate::store) fn get(integers: &[u8], place: usize) -> Option<i64> {
    let width = width(integers);
    integers[1..].chunks_exact(width).nth(place).map(read)
}

/// The place of an integer, or the one at which it would stand.
fn find(integers: &[u8], number: i64) -> Result<usize, usize> {
    let (mut low, mut high) = (0, len(integers));
    while low < high {
        let middle = low.midpoint(high);
        match get(integers, middle).map(|held| held.cmp(&number)) {
            Some(Ordering::Equal) => return Ok(middle),
            Some(Ordering::Less) => low = middle + 1,
            Some(Ordering::Greater) | None => high = middle,
        }
    }
    Err(low)
}

/// Returns true if an integer is there.
pub(in crate::store) fn contains(integers: &[u8], number: i64) -> bool {
    find(integers, number).is_ok()
}

fn push(out: &mut Vec<u8>, number: i64, width: usize) {
    out.extend_from_slice(&number.to_le_bytes()[..width]);
}

/// Writes to `out` what `integers` becomes with one more. Returns false if that is there.
pub(in crate::store) fn add(integers: &[u8], number: i64, out: &mut Vec<u8>) -> bool {
    let Err(place) = find(integers, number) else {
        return false;
    };
    let (old, new) = (width(integers), width_of(number));
    out.clear();
    if new <= old {
        let (before, behind) = integers.split_at(1 + place * old);
        out.extend_from_slice(before);
        push(out, number, old);
        out.extend_from_slice(behind);
        return true;
    }
    // One that is wider than all others lies below or above all of them.
    out.push(new as u8);
    if number < 0 {
        push(out, number, new);
    }
    for held in iter(integers) {
        push(out, held, new);
    }
    if number >= 0 {
        push(out, number, new);
    }
    true
}

/// Writes to `out` what `integers` becomes without one. Returns false if that is not there.
pub(in crate::store) fn remove(integers: &[u8], number: i64, out: &mut Vec<u8>) -> bool {
    let Ok(place) = find(integers, number) else {
        return false;
    };
    let width = width(integers);
    let at = 1 + place * width;
    out.clear();
    out.extend_from_slice(&integers[..at]);
    out.extend_from_slice(&integers[at + width..]);
    true
}

/// Returns true if these bytes are such a set, with at least one integer and none twice.
pub(in crate::store) fn is_sound(bytes: &[u8]) -> bool {
    let Some((2 | 4 | 8, rest)) = bytes.split_first().map(|(width, rest)| (*width, rest)) else {
        return false;
    };
    let is_whole = rest.len().is_multiple_of(width(bytes));
    is_whole
        && (1..=INTEGERS_MAX).contains(&len(bytes))
        && iter(bytes)
            .zip(iter(bytes).skip(1))
            .all(|(low, high)| low < high)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![
            -5..5i64,
            any::<i16>().prop_map(i64::from),
            any::<i32>().prop_map(i64::from),
            any::<i64>(),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_set_in_rising_order(steps in vec((number(), any::<bool>()), 0..100)) {
            let (mut integers, mut out) = (EMPTY.to_vec(), Vec::new());
            let mut model = BTreeSet::new();
            for (number, is_added) in steps {
                let known = model.contains(&number);
                prop_assert_eq!(contains(&integers, number), known);
                let has_changed = if is_added {
                    model.insert(number);
                    add(&integers, number, &mut out)
                } else {
                    model.remove(&number);
                    remove(&integers, number, &mut out)
                };
                prop_assert_eq!(has_changed, known != is_added);
                if has_changed {
                    core::mem::swap(&mut integers, &mut out);
                }
                prop_assert_eq!(len(&integers), model.len());
                prop_assert!(iter(&integers).eq(model.iter().copied()));
                prop_assert_eq!(is_sound(&integers), !model.is_empty());
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in vec(any::<u8>(), 0..40)) {
            if is_sound(&bytes) {
                prop_assert_eq!(iter(&bytes).count(), len(&bytes));
            }
        }
    }
}
