//! A small hash in one run of bytes: the number of fields, then `length · field · length · value`
//! of each.
//!
//! Fields stand in the order in which they came. Looking one up walks them all, which for so few
//! bytes is faster than any table, and takes no memory beyond the bytes.

use alloc::vec::Vec;

/// The most fields.
pub(in crate::store) const FIELDS_MAX: usize = crate::limits::SMALL_ITEMS_MAX;
/// The longest field or value, in bytes.
pub(in crate::store) const ITEM_BYTES_MAX: usize = 64;

/// No field.
pub(in crate::store) const EMPTY: &[u8] = &[0];

/// Returns true if a field and its value may stand in such a hash.
pub(in crate::store) fn fits(field: &[u8], value: &[u8]) -> bool {
    field.len() <= ITEM_BYTES_MAX && value.len() <= ITEM_BYTES_MAX
}

/// How many fields there are.
pub(in crate::store) fn len(packed: &[u8]) -> usize {
    usize::from(packed[0])
}

/// The fields and their values.
pub(in crate::store) fn iter(packed: &[u8]) -> Iter<'_> {
    Iter { rest: &packed[1..] }
}

/// The value of a field.
pub(in crate::store) fn get<'a>(packed: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    iter(packed)
        .find(|(held, _)| *held == field)
        .map(|(_, value)| value)
}

/// Writes to `out` what `packed` becomes when a field is set that is held so, or not at all.
///
/// The caller has seen that field and value fit; there may be one field too many afterwards.
pub(in crate::store) fn set(
    packed: &[u8],
    held: Option<Found>,
    (field, value): (&[u8], &[u8]),
    out: &mut Vec<u8>,
) {
    out.clear();
    if let Some(held) = held {
        out.extend_from_slice(&packed[..held.value - 1]);
        out.push(value.len() as u8);
        out.extend_from_slice(value);
        out.extend_from_slice(&packed[held.end..]);
    } else {
        out.extend_from_slice(packed);
        out[0] += 1;
        push(out, field, value);
    }
}

/// Writes to `out` what `packed` becomes without `field`; whether the field was there.
pub(in crate::store) fn remove(packed: &[u8], field: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(held) = find(packed, field) else {
        return false;
    };
    out.clear();
    out.extend_from_slice(&packed[..held.begin]);
    out.extend_from_slice(&packed[held.end..]);
    out[0] -= 1;
    true
}

/// Returns true if these bytes are such a hash, with at least one field and none twice.
pub(in crate::store) fn valid(packed: &[u8]) -> bool {
    let Some((&count, mut rest)) = packed.split_first() else {
        return false;
    };
    let mut fields: Vec<&[u8]> = Vec::new();
    while !rest.is_empty() {
        let (Some(field), Some(value)) = (take(&mut rest), take(&mut rest)) else {
            return false;
        };
        if !fits(field, value) || fields.len() == FIELDS_MAX {
            return false;
        }
        fields.push(field);
    }
    let held = fields.len();
    fields.sort_unstable();
    fields.dedup();
    held == fields.len() && held == usize::from(count) && held > 0
}

/// The place of a field.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Found {
    begin: usize,
    /// The begin of its value, behind the length.
    value: usize,
    end: usize,
}

impl Found {
    pub(in crate::store) fn value(self, packed: &[u8]) -> &[u8] {
        &packed[self.value..self.end]
    }
}

/// The place of a field, if it is there.
pub(in crate::store) fn find(packed: &[u8], field: &[u8]) -> Option<Found> {
    let mut items = iter(packed);
    loop {
        let begin = packed.len() - items.rest.len();
        let (held, value) = items.next()?;
        if held == field {
            let end = packed.len() - items.rest.len();
            return Some(Found {
                begin,
                value: end - value.len(),
                end,
            });
        }
    }
}

fn push(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    for item in [field, value] {
        out.push(item.len() as u8);
        out.extend_from_slice(item);
    }
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&length, behind) = rest.split_first()?;
    let (item, behind) = behind.split_at_checked(usize::from(length))?;
    *rest = behind;
    Some(item)
}

/// The fields of a small hash.
#[derive(Clone, Debug)]
pub(in crate::store) struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((take(&mut self.rest)?, take(&mut self.rest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_arrival(
            steps in vec((0u8..20, vec(any::<u8>(), 0..5), any::<bool>()), 0..100),
        ) {
            let mut packed = EMPTY.to_vec();
            let mut model: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            let mut out = Vec::new();
            for (field, value, away) in steps {
                let field = vec![b'f'; usize::from(field)];
                let known = model.iter().position(|(held, _)| *held == field);
                if away {
                    let removed = remove(&packed, &field, &mut out);
                    prop_assert_eq!(removed, known.is_some());
                    if let Some(known) = known {
                        model.remove(known);
                    } else {
                        continue;
                    }
                } else {
                    let held = find(&packed, &field);
                    prop_assert_eq!(held.is_none(), known.is_none());
                    set(&packed, held, (&field, &value), &mut out);
                    match known {
                        Some(known) => model[known].1 = value,
                        None => model.push((field, value)),
                    }
                }
                core::mem::swap(&mut packed, &mut out);
                prop_assert_eq!(len(&packed), model.len());
                prop_assert_eq!(valid(&packed), !model.is_empty());
                let shown: Vec<_> = iter(&packed)
                    .map(|(field, value)| (field.to_vec(), value.to_vec()))
                    .collect();
                prop_assert_eq!(&shown, &model);
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in vec(any::<u8>(), 0..40)) {
            if valid(&bytes) {
                prop_assert_eq!(iter(&bytes).count(), len(&bytes));
            }
        }
    }
}
