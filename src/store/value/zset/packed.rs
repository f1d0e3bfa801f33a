//! A small sorted set in one run of bytes: the number of members, then `score · length · member` of
//! each, in their order.
//!
//! A score is a byte that says how many bytes an integer has that follows, or that eight bytes of a
//! float do.

use alloc::vec::Vec;

use super::leaf::{Entry, order};
use crate::store::value::narrow;

/// The most members.
pub(in crate::store) const MEMBERS_MAX: usize = crate::limits::SMALL_ITEMS_MAX;
/// The longest member, in bytes.
pub(in crate::store) const MEMBER_BYTES_MAX: usize = 64;
/// Behind this byte stands a float.
const FLOAT: u8 = 9;

/// No member.
pub(in crate::store) const EMPTY: &[u8] = &[0];

/// How many members there are.
pub(in crate::store) fn len(packed: &[u8]) -> usize {
    usize::from(packed[0])
}

/// The members with their scores, in order.
pub(in crate::store) fn iter(packed: &[u8]) -> Iter<'_> {
    Iter(&packed[1..])
}

/// Writes to `out` what `packed` becomes without `old`, and with `new`; one of both may be missing.
/// Returns true if that is still small: with at most so many members.
pub(in crate::store) fn replace(
    packed: &[u8],
    old: Option<Entry<'_>>,
    new: Option<Entry<'_>>,
    members_max: usize,
    out: &mut Vec<u8>,
) -> bool {
    let count = len(packed) + usize::from(new.is_some()) - usize::from(old.is_some());
    let fits = new.is_none_or(|(_, member)| member.len() <= MEMBER_BYTES_MAX);
    if !fits || new.is_some() && count > members_max {
        return false;
    }
    out.clear();
    out.push(count as u8);
    let (mut entries, mut new) = (iter(packed), new);
    loop {
        let before = entries.0;
        let held = entries.next();
        if let Some(entry) = new
            && held.is_none_or(|held| order(entry, held).is_lt())
        {
            push(out, entry);
            new = None;
        }
        let Some(held) = held else {
            return true;
        };
        if old.is_none_or(|old| order(old, held).is_ne()) {
            out.extend_from_slice(&before[..before.len() - entries.0.len()]);
        }
    }
}

/// Returns true if these bytes are such a set, with at least one member, in order and none twice.
pub(in crate::store) fn is_sound(packed: &[u8]) -> bool {
    let Some((&count, rest)) = packed.split_first() else {
        return false;
    };
    let (mut entries, mut seen) = (Iter(rest), Vec::new());
    let mut last: Option<Entry<'_>> = None;
    let mut again = Vec::new();
    while let before = entries.0
        && let Some(entry) = entries.next()
    {
        again.clear();
        push(&mut again, entry);
        let is_own = again == before[..before.len() - entries.0.len()];
        let is_behind = last.is_none_or(|last| order(last, entry).is_lt());
        if !is_own || !is_behind || entry.0.is_nan() || entry.1.len() > MEMBER_BYTES_MAX {
            return false;
        }
        seen.push(entry.1);
        last = Some(entry);
    }
    let held = seen.len();
    seen.sort_unstable();
    seen.dedup();
    entries.0.is_empty()
        && held == seen.len()
        && held == usize::from(count)
        && (1..=MEMBERS_MAX).contains(&held)
}

fn push(out: &mut Vec<u8>, (score, member): Entry<'_>) {
    let whole = score as i64;
    // Not of -0, which is another score to those who read it.
    if whole as f64 == score && whole != i64::MAX && (whole != 0 || score.is_sign_positive()) {
        let len = narrow::bytes_of(whole);
        out.push(len as u8);
        out.extend_from_slice(&whole.to_le_bytes()[..len]);
    } else {
        out.push(FLOAT);
        out.extend_from_slice(&score.to_le_bytes());
    }
    out.push(member.len() as u8);
    out.extend_from_slice(member);
}

/// The members of a small set with their scores.
#[derive(Clone, Debug)]
pub(in crate::store) struct Iter<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (score, rest) = match tag {
            1..=8 => {
                let (own, rest) = rest.split_at_checked(usize::from(tag))?;
                (narrow::read(own) as f64, rest)
            }
            FLOAT => {
                let (bytes, rest) = rest.split_first_chunk()?;
                (f64::from_le_bytes(*bytes), rest)
            }
            _ => return None,
        };
        let (&len, rest) = rest.split_first()?;
        let (member, rest) = rest.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some((score, member))
    }
}
