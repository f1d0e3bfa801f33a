//! The keys of a request: their places, and the command's access to them.

use core::ops::Range;

use super::args::Args;

/// Some of a command's keys: where they stand, and what becomes of them.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Their places.
    pub places: Places,
    /// The access to them: the most, if it depends on the request.
    pub access: Access,
    /// The access to them in one request, if that can be less than `access` says.
    pub in_request: Option<fn(Args<'_>) -> Access>,
    /// Returns true if a request may mean, by this name, also a key of another database than the
    /// client's.
    pub elsewhere: Option<fn(Args<'_>) -> bool>,
    /// More about them, for people; empty where there is nothing to say.
    pub note: &'static str,
}

/// The places of keys in a request.
#[derive(Clone, Copy, Debug)]
pub enum Places {
    /// From `first` on to `last`, which counts from the end where it is negative.
    Range {
        /// The first key's place.
        first: u32,
        /// The last key's place.
        last: i32,
        /// From one key to the next.
        step: u32,
    },
    /// The argument at this place says how many there are; they stand right behind it.
    Count {
        /// The place of the number.
        at: u32,
    },
    /// Behind a word, wherever that stands.
    After {
        /// The word, in any case.
        word: &'static str,
        /// The place at which the search for it begins.
        from: u32,
        /// Which part of what follows the word is keys: 1 is the next argument alone, 0 all, 2 the
        /// first half, since an argument for each key follows.
        part: u32,
    },
    /// The places that a function finds; it passes each to its second argument.
    With(fn(Args<'_>, &mut dyn FnMut(usize))),
}

/// A command's access to a key: first to its value as a whole, then to its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u16);

impl Access {
    /// The value is looked at.
    pub const RO: Self = Self(1);
    /// The value is changed, and what it is depends on what it was.
    pub const RW: Self = Self(1 << 1);
    /// The value is replaced.
    pub const OW: Self = Self(1 << 2);
    /// The value is removed.
    pub const RM: Self = Self(1 << 3);
    /// Data of the value is answered, copied or tested.
    pub const ACCESS: Self = Self(1 << 4);
    /// Data of the value is changed.
    pub const UPDATE: Self = Self(1 << 5);
    /// Data is added to the value.
    pub const INSERT: Self = Self(1 << 6);
    /// Data of the value is removed.
    pub const DELETE: Self = Self(1 << 7);
    /// It is not a key, but routed like one.
    pub const NOT_KEY: Self = Self(1 << 8);
    /// There may be more keys than these.
    pub const INCOMPLETE: Self = Self(1 << 9);
    /// It depends on the request which of these apply.
    pub const VARIABLE: Self = Self(1 << 10);

    const NAMES: [(Self, &'static str); 11] = [
        (Self::RO, "RO"),
        (Self::RW, "RW"),
        (Self::OW, "OW"),
        (Self::RM, "RM"),
        (Self::ACCESS, "access"),
        (Self::UPDATE, "update"),
        (Self::INSERT, "insert"),
        (Self::DELETE, "delete"),
        (Self::NOT_KEY, "not_key"),
        (Self::INCOMPLETE, "incomplete"),
        (Self::VARIABLE, "variable_flags"),
    ];

    /// All of this and of `more`.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Returns true if all of `wanted` is in it.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Returns true if the key may have changed afterwards.
    pub const fn writes(self) -> bool {
        !self.has(Self::RO) && !self.has(Self::NOT_KEY)
    }

    /// Returns true if the key may hold something afterwards that it did not hold before.
    pub const fn makes(self) -> bool {
        self.has(Self::OW) || self.has(Self::UPDATE) || self.has(Self::INSERT)
    }

    /// Returns true if the key's data is removed.
    pub const fn takes(self) -> bool {
        self.has(Self::DELETE)
    }

    /// The words of COMMAND INFO, in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = Self::NAMES.into_iter();
        all.filter(move |(one, _)| self.has(*one))
            .map(|(_, name)| name)
    }
}

/// The name of a channel.
pub(super) const NO_KEY: Access = Access::NOT_KEY;
/// Looked at, and not into.
pub(super) const LOOKED_AT: Access = Access::RO;
/// Looked into.
pub(super) const READ: Access = Access::RO.and(Access::ACCESS);
/// Replaced by another value.
pub(super) const REPLACED: Access = Access::OW.and(Access::UPDATE);
/// Made where there was none.
pub(super) const CREATED: Access = Access::OW.and(Access::INSERT);
/// Removed unseen.
pub(super) const REMOVED: Access = Access::RM.and(Access::DELETE);
/// Looked into and removed.
pub(super) const TAKEN: Access = Access::RW.and(Access::ACCESS).and(Access::DELETE);
/// Looked into and changed.
pub(super) const CHANGED: Access = Access::RW.and(Access::ACCESS).and(Access::UPDATE);
/// Made longer.
pub(super) const ADDED_TO: Access = Access::RW.and(Access::INSERT);
/// Changed unseen.
pub(super) const UPDATED: Access = Access::RW.and(Access::UPDATE);
/// Made shorter.
pub(super) const CUT: Access = Access::RW.and(Access::DELETE);

impl Keys {
    const fn of(places: Places, access: Access) -> Self {
        Self {
            places,
            access,
            in_request: None,
            elsewhere: None,
            note: "",
        }
    }

    /// Keys from `first` to `last`, every `step`th argument.
    pub const fn range(first: u32, last: i32, step: u32, access: Access) -> Self {
        Self::of(Places::Range { first, last, step }, access)
    }

    /// One key at a place.
    pub const fn at(place: u32, access: Access) -> Self {
        Self::range(place, place as i32, 1, access)
    }

    /// Every argument is a key.
    pub const fn all(access: Access) -> Self {
        Self::range(1, -1, 1, access)
    }

    /// Keys and something else in turn.
    pub const fn pairs(access: Access) -> Self {
        Self::range(1, -1, 2, access)
    }

    /// As many keys as the argument at a place says.
    pub const fn counted(at: u32, access: Access) -> Self {
        Self::of(Places::Count { at }, access)
    }

    /// The argument behind a word is a key, where the word is given.
    pub const fn after(word: &'static str, from: u32, part: u32, access: Access) -> Self {
        Self::of(Places::After { word, from, part }, access)
    }

    /// A function finds the keys.
    pub const fn found(find: fn(Args<'_>, &mut dyn FnMut(usize)), access: Access) -> Self {
        Self::of(Places::With(find), access)
    }

    /// The request decides which part of `access` applies.
    #[must_use]
    pub const fn varying(self, in_request: fn(Args<'_>) -> Access) -> Self {
        Self {
            in_request: Some(in_request),
            ..self
        }
    }

    /// The key may be one of another database, where a request says so.
    #[must_use]
    pub const fn elsewhere(self, says: fn(Args<'_>) -> bool) -> Self {
        Self {
            elsewhere: Some(says),
            ..self
        }
    }

    /// More is to be said about them.
    #[must_use]
    pub const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// The access to these keys in a request.
    pub fn access_in(&self, args: Args<'_>) -> Access {
        self.in_request.map_or(self.access, |of| of(args))
    }

    /// Hands on the place of each of these keys in a request.
    pub fn each(&self, args: Args<'_>, mut take: impl FnMut(usize)) {
        let len = args.len();
        match self.places {
            Places::Range { first, last, step } => range(first, last, step, len).for_each(take),
            Places::Count { at } => {
                let at = at as usize;
                let count = args.integer(at).ok().and_then(|n| usize::try_from(n).ok());
                let count = count.filter(|count| *count < len - at.min(len));
                (at + 1..at + 1 + count.unwrap_or(0)).for_each(take);
            }
            // A later word counts instead of an earlier one: either may name the key.
            Places::After {
                word,
                from,
                part: 1,
            } => {
                let words = (from as usize..len).filter(|place| args.is(*place, word));
                words
                    .map(|place| place + 1)
                    .filter(|key| *key < len)
                    .for_each(take);
            }
            Places::After { word, from, part } => {
                let Some(word) = (from as usize..len).find(|place| args.is(*place, word)) else {
                    return;
                };
                let rest = len - word - 1;
                let count = match part {
                    0 => rest,
                    part => rest / part as usize,
                };
                (word + 1..word + 1 + count).for_each(take);
            }
            Places::With(find) => find(args, &mut take),
        }
    }
}

/// The places from `first` to `last` in a request of `len` arguments.
fn range(first: u32, last: i32, step: u32, len: usize) -> impl Iterator<Item = usize> {
    let end = if last < 0 {
        (len + 1).saturating_sub(last.unsigned_abs() as usize)
    } else {
        (last.unsigned_abs() as usize + 1).min(len)
    };
    let range: Range<usize> = first as usize..end;
    range.step_by(step.max(1) as usize)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn places(keys: Keys, request: &str) -> Vec<usize> {
        let ranges: Vec<_> = request
            .split(' ')
            .map(|word| {
                let start = word.as_ptr().addr() - request.as_ptr().addr();
                start as u32..(start + word.len()) as u32
            })
            .collect();
        let mut found = Vec::new();
        keys.each(Args::new(request.as_bytes(), &ranges), |place| {
            found.push(place);
        });
        found
    }

    #[test]
    fn a_range_ends_at_its_last_place_or_with_the_request() {
        assert_eq!(places(Keys::at(1, READ), "get a b c"), [1]);
        assert_eq!(places(Keys::all(READ), "mget a b c"), [1, 2, 3]);
        assert_eq!(places(Keys::pairs(READ), "mset a 1 b 2"), [1, 3]);
        assert_eq!(places(Keys::range(1, 2, 1, READ), "lcs a b"), [1, 2]);
        assert_eq!(places(Keys::range(1, -2, 1, READ), "blpop a b 0"), [1, 2]);
        assert_eq!(places(Keys::at(1, READ), "get"), []);
    }

    #[test]
    fn keys_are_counted_by_an_argument_that_does_not_lie() {
        let keys = Keys::counted(2, READ);
        assert_eq!(places(keys, "eval x 2 a b c"), [3, 4]);
        for request in [
            "eval x 0 a",
            "eval x 2 a",
            "eval x -1 a",
            "eval x y a",
            "eval x",
        ] {
            assert_eq!(places(keys, request), [], "{request}");
        }
        let most = "eval x 9223372036854775807 a";
        assert_eq!(places(keys, most), []);
    }

    #[test]
    fn keys_stand_behind_a_word_wherever_that_is() {
        let store = Keys::after("store", 2, 1, REPLACED);
        assert_eq!(places(store, "sort a limit 0 1 STORE b"), [6]);
        assert_eq!(places(store, "sort a alpha"), []);
        assert_eq!(places(store, "sort a store"), []);
        let streams = Keys::after("streams", 1, 2, READ);
        assert_eq!(places(streams, "xread count 1 streams a b 0 0"), [4, 5]);
    }

    #[test]
    fn a_function_may_find_keys() {
        let last = Keys::found(|args, take| take(args.len() - 1), READ);
        assert_eq!(places(last, "x y z"), [2]);
    }
}
