//! Parts of a value that are chosen by chance: what HRANDFIELD, SRANDMEMBER and ZRANDMEMBER share.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::args::Args;
use super::context::Dice;
use super::error::Error;

/// The work of one pick in a large value, in which it is looked for from the top.
pub(super) const PICK_WORK: usize = 4;

/// How many parts are wanted, the same one several times perhaps if that is negative; and whether
/// `word` is given, which asks for the value behind each.
pub(super) fn wanted(args: Args<'_>, word: &str) -> Result<(i64, bool), Error> {
    let count = args.negatable(2)?;
    let has_word = match args.len() {
        3 => false,
        4 if args.is(3, word) => true,
        _ => return Err(Error::SYNTAX),
    };
    if has_word && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::OUT_OF_RANGE);
    }
    Ok((count, has_word))
}

/// Up to `count` different parts of `len`, which `all` shows and of which `draw` draws one.
pub(super) fn distinct<T: Copy + Ord>(
    (count, len): (u64, u64),
    dice: &mut Dice,
    draw: impl Fn(&mut Dice) -> Option<T>,
    all: impl Iterator<Item = T>,
) -> Vec<T> {
    if count >= len {
        return all.collect();
    }
    // Where a few are wanted of many, drawing until enough differ takes at most half as many draws
    // again on average, and the rest is not looked at.
    if count <= len / 3 {
        let (mut seen, mut picked) = (BTreeSet::new(), Vec::new());
        while (picked.len() as u64) < count
            && let Some(part) = draw(dice)
        {
            if seen.insert(part) {
                picked.push(part);
            }
        }
        return picked;
    }
    let mut all: Vec<T> = all.collect();
    for place in 0..count {
        let other = place + dice.below(len - place);
        all.swap(place as usize, other as usize);
    }
    all.truncate(count as usize);
    all
}
