//! The names of keys, fields and members in the random tests.

use crate::store::{DbId, End};

/// One of a few keys in two databases; two are too long for a block.
pub(super) fn key(number: u8) -> (DbId, Vec<u8>) {
    let length = if number / 2 == 3 { 1500 } else { 4 };
    (DbId::from(number % 2), vec![b'a' + number / 2; length])
}

pub(super) fn field(number: u16) -> Vec<u8> {
    let length = if number == 7 { 1100 } else { 3 };
    let mut field = vec![b'f'; length];
    field.extend_from_slice(&number.to_le_bytes());
    field
}

/// A number as a member, the wider the larger `shift` is.
pub(super) fn member(place: u16, shift: u8) -> Vec<u8> {
    let number = (i64::from(place) - 100) << (shift % 48);
    number.to_string().into_bytes()
}

/// Removes items equal to `item`, at most `most`, from one end on; how many.
pub(super) fn remove_equal(
    items: &mut Vec<Vec<u8>>,
    item: &[u8],
    most: usize,
    towards: End,
) -> usize {
    let before = items.len();
    let mut left = most;
    let mut keeps = |held: &Vec<u8>| {
        let goes = held == item && left > 0;
        left -= usize::from(goes);
        !goes
    };
    if towards == End::Front {
        items.reverse();
    }
    items.retain(&mut keeps);
    if towards == End::Front {
        items.reverse();
    }
    before - items.len()
}
