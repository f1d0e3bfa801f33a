//! A small set in one run of bytes: the number of its members, then `length · bytes` of each.
//!
//! Members stand in the order in which they came. Looking one up walks them all, which for so few
//! bytes is faster than any table, and takes no memory beyond the bytes.

use alloc::vec::Vec;

/// The most members.
pub(in crate::store) const MEMBERS_MAX: usize = crate::limits::SMALL_ITEMS_MAX;
/// The longest member, in bytes.
pub(in crate::store) const MEMBER_BYTES_MAX: usize = 64;

/// No member.
pub(in crate::store) const EMPTY: &[u8] = &[0];

/// How many members there are.
pub(in crate::store) fn len(packed: &[u8]) -> usize {
    usize::from(packed[0])
}

/// The members.
pub(in crate::store) fn iter(packed: &[u8]) -> Iter<'_> {
    Iter { rest: &packed[1..] }
}

/// Returns true if it has the member.
pub(in crate::store) fn contains(packed: &[u8], member: &[u8]) -> bool {
    iter(packed).any(|held| held == member)
}

/// Writes to `out` what `packed` becomes with a member that is new, and is not too long.
pub(in crate::store) fn add(packed: &[u8], member: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(packed);
    append(out, member);
}

/// Appends a member, which is new, to `packed`, which has room for it.
pub(in crate::store) fn append(packed: &mut Vec<u8>, member: &[u8]) {
    packed[0] += 1;
    packed.push(member.len() as u8);
    packed.extend_from_slice(member);
}

/// Writes to `out` what `packed` becomes without a member. Returns false if it is not there.
pub(in crate::store) fn remove(packed: &[u8], member: &[u8], out: &mut Vec<u8>) -> bool {
    let mut members = iter(packed);
    loop {
        let start = packed.len() - members.rest.len();
        match members.next() {
            None => return false,
            Some(held) if held == member => {
                out.clear();
                out.extend_from_slice(&packed[..start]);
                out.extend_from_slice(members.rest);
                out[0] -= 1;
                return true;
            }
            Some(_) => {}
        }
    }
}

/// Returns true if these bytes are such a set, with at least one member and none twice.
pub(in crate::store) fn is_sound(bytes: &[u8]) -> bool {
    let Some((&count, mut rest)) = bytes.split_first() else {
        return false;
    };
    let mut members: Vec<&[u8]> = Vec::new();
    while !rest.is_empty() {
        match take(&mut rest) {
            Some(member) if member.len() <= MEMBER_BYTES_MAX => members.push(member),
            _ => return false,
        }
        if members.len() > MEMBERS_MAX {
            return false;
        }
    }
    let held = members.len();
    members.sort_unstable();
    members.dedup();
    held == members.len() && held == usize::from(count) && held > 0
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&length, behind) = rest.split_first()?;
    let (member, behind) = behind.split_at_checked(usize::from(length))?;
    *rest = behind;
    Some(member)
}

/// The members of a small set.
#[derive(Clone, Debug)]
pub(in crate::store) struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        take(&mut self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set_in_the_order_of_arrival(
            steps in vec((0u8..20, any::<bool>()), 0..100),
        ) {
            let (mut packed, mut out) = (EMPTY.to_vec(), Vec::new());
            let mut model: Vec<Vec<u8>> = Vec::new();
            for (length, is_added) in steps {
                let member = vec![b'm'; usize::from(length)];
                let known = model.contains(&member);
                prop_assert_eq!(contains(&packed, &member), known);
                if is_added && !known {
                    add(&packed, &member, &mut out);
                    core::mem::swap(&mut packed, &mut out);
                    model.push(member);
                } else if !is_added {
                    prop_assert_eq!(remove(&packed, &member, &mut out), known);
                    if known {
                        core::mem::swap(&mut packed, &mut out);
                        model.retain(|held| *held != member);
                    }
                }
                prop_assert_eq!(len(&packed), model.len());
                prop_assert_eq!(is_sound(&packed), !model.is_empty());
                prop_assert!(iter(&packed).eq(model.iter().map(|member| &member[..])));
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
