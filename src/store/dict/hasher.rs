//! The keyed hashes that order a table, and the cursors that show nothing of them.
//!
//! A client chooses keys as it likes and may want them to collide. So the hash is SipHash-1-3 under
//! 128 bits that no client learns: nobody can choose keys by their hashes without the key, and what
//! a server shows of the order of its keys (SCAN, KEYS, how long a command takes) does not give the
//! key away. It is the same on every machine, which a hash made of AES instructions is not where
//! `unsafe` is forbidden, and it costs 5 ns more per key of 16 bytes than a hash that is not made
//! for hostile keys.
//!
//! Should keys collide all the same, a second hash under another key tells them apart (`deep`).

use siphasher::sip::SipHasher13;

/// How the tables of a store are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The secret that orders them: part of the replicated state, since cursors of SCAN depend on
    /// it. Nothing before the group's first write.
    pub seed: Option<u128>,
    /// How many leading bits count of each of the two hashes: 64, and fewer only where a test wants
    /// keys to collide.
    pub hash_bits: [u32; 2],
    /// The most keys of a segment; fewer than usual only where a test wants many segments.
    pub segment_keys_max: usize,
    /// The most blocks in a group of those of a large list, and the most children of a node in the
    /// tree of a large sorted set; fewer than usual where a test wants to meet their borders with
    /// few items.
    pub list_group_blocks_max: usize,
    /// See above; at least 4.
    pub tree_children_max: usize,
    /// Up to how many fields or members a small hash, set or sorted set has, and four times as many
    /// integers a set of them; at most as many as its form can hold.
    pub small_items_max: usize,
    /// Up to how many bytes a small list takes.
    pub small_list_bytes_max: usize,
    /// Large values that take less are freed at once, in bytes.
    pub freed_at_once_bytes: usize,
    /// How many segments without a key a scan visits before it gives a cursor.
    pub empty_segments_max: usize,
}

impl Tables {
    /// The tables of a server with this secret.
    #[must_use]
    pub fn new(seed: Option<u128>) -> Self {
        Self {
            seed,
            hash_bits: [64, 64],
            segment_keys_max: crate::limits::SEGMENT_KEYS_MAX,
            list_group_blocks_max: crate::limits::LIST_GROUP_BLOCKS_MAX,
            tree_children_max: crate::limits::TREE_CHILDREN_MAX,
            small_items_max: crate::limits::SMALL_ITEMS_MAX,
            small_list_bytes_max: crate::limits::SMALL_LIST_BYTES_MAX,
            freed_at_once_bytes: crate::limits::FREED_AT_ONCE_BYTES,
            empty_segments_max: crate::limits::EMPTY_SEGMENTS_MAX,
        }
    }
}

/// The leading bits of a hash by which the directory goes. Below them the order of keys is that of
/// the second hash.
const DIRECTORY_BITS: u64 = 0xffff_ffff_0000_0000;
/// A cursor has 48 bits, few enough for clients that read numbers as floating point: so many
/// leading bits of its place in the order does it name.
const CURSOR_BITS: u32 = 48;
/// The bits of a place that a cursor does not name.
const CURSOR_SHIFT: u32 = 64 - CURSOR_BITS;
const HALF: u64 = (1 << (CURSOR_BITS / 2)) - 1;
/// Four rounds make a permutation that looks random to whoever sees both sides of it; a client
/// sees one.
const ROUNDS: u8 = 10;

/// A secret of SipHash.
type Key = [u64; 2];

#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Hasher {
    first: Key,
    second: Key,
    cursors: Key,
    masks: [u64; 2],
}

fn hash(key: Key, bytes: &[u8]) -> u64 {
    SipHasher13::new_with_keys(key[0], key[1]).hash(bytes)
}

impl Hasher {
    pub(super) fn new(tables: Tables) -> Self {
        let seed = tables.seed.unwrap_or_default();
        let seed = [seed as u64, (seed >> 64) as u64];
        let key = |number: u8| [hash(seed, &[number, 0]), hash(seed, &[number, 1])];
        Self {
            first: key(0),
            second: key(1),
            cursors: key(2),
            masks: tables
                .hash_bits
                .map(|bits| u64::MAX.checked_shl(64 - bits).unwrap_or(0)),
        }
    }

    /// Returns true if not all bits of a hash count, so that keys collide.
    pub(super) fn lets_collide(&self) -> bool {
        self.masks != [u64::MAX; 2]
    }

    /// The hash by which a key is found.
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        hash(self.first, key) & self.masks[0]
    }

    /// The hash that tells keys apart whose first hashes begin alike.
    pub(super) fn second(&self, key: &[u8]) -> u64 {
        hash(self.second, key) & self.masks[1]
    }

    /// The hash under which a segment finds a key: the one that does not order it.
    pub(super) fn slot(&self, is_deep: bool, key: &[u8]) -> u64 {
        if is_deep {
            self.second(key)
        } else {
            self.hash(key)
        }
    }

    /// Returns the place of a key in the order of the table.
    pub(super) fn order(&self, key: &[u8]) -> u64 {
        order(self.hash(key), self.second(key))
    }

    /// The cursor that names a place, of whose order it keeps the leading 48 bits. 0 is 0.
    pub(super) fn cursor(&self, order: u64) -> u64 {
        let place = place(order);
        // Where the permutation has a 0, it gets what 0 would have become.
        match self.permuted(place) {
            _ if place == 0 => 0,
            0 => self.permuted(0),
            cursor => cursor,
        }
    }

    /// The place that a cursor names, whatever number a client gives for one.
    pub(super) fn order_of(&self, cursor: u64) -> u64 {
        let cursor = cursor & (u64::MAX >> CURSOR_SHIFT);
        let place = match self.restored(cursor) {
            _ if cursor == 0 => 0,
            0 => self.restored(0),
            place => place,
        };
        place << CURSOR_SHIFT
    }

    /// A permutation of numbers of 48 bits: a Feistel network (Luby and Rackoff 1988).
    fn permuted(&self, number: u64) -> u64 {
        let (mut high, mut low) = (number >> (CURSOR_BITS / 2), number & HALF);
        for round in 0..ROUNDS {
            (high, low) = (low, high ^ self.round(round, low));
        }
        high << (CURSOR_BITS / 2) | low
    }

    /// Returns the number of which this is the permuted one.
    fn restored(&self, number: u64) -> u64 {
        let (mut high, mut low) = (number >> (CURSOR_BITS / 2), number & HALF);
        for round in (0..ROUNDS).rev() {
            (high, low) = (low ^ self.round(round, high), high);
        }
        high << (CURSOR_BITS / 2) | low
    }

    fn round(&self, round: u8, half: u64) -> u64 {
        let [a, b, c, ..] = half.to_le_bytes();
        hash(self.cursors, &[a, b, c, round]) & HALF
    }
}

/// Returns the place of a key with these hashes in the order of a table.
pub(super) fn order(first: u64, second: u64) -> u64 {
    first & DIRECTORY_BITS | second >> 32
}

/// Returns as much of a place as a cursor can tell: keys that share it are shown by one call.
pub(super) fn place(order: u64) -> u64 {
    order >> CURSOR_SHIFT
}

/// Returns true if a place begins here.
pub(super) fn begins_place(order: u64) -> bool {
    order.trailing_zeros() >= CURSOR_SHIFT
}

/// The first order of the place to which one belongs.
pub(super) fn place_begin(order: u64) -> u64 {
    place(order) << CURSOR_SHIFT
}

/// The first order behind that place; nothing behind the last.
pub(super) fn behind_place(order: u64) -> Option<u64> {
    place_begin(order).checked_add(1 << CURSOR_SHIFT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hash::Hasher as _;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_siphash_1_3() {
        // From the reference implementation: the key 00 to 0f, and no byte, 00, 00 01.
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        assert_eq!(hash(key, &[]), 0xabac_0158_050f_c4dc);
        assert_eq!(hash(key, &[0]), 0xc9f4_9bf3_7d57_ca93);
        assert_eq!(hash(key, &[0, 1]), 0x82cb_9b02_4dc7_d44d);
        // The standard library's hasher is the same with a key of zeros.
        let bytes: Vec<u8> = (0..200).collect();
        for length in 0..bytes.len() {
            let mut theirs = std::hash::DefaultHasher::new();
            theirs.write(&bytes[..length]);
            assert_eq!(hash([0, 0], &bytes[..length]), theirs.finish());
        }
    }

    #[test]
    fn hashes_do_not_change_between_versions_and_differ_by_seed() {
        let hasher = Hasher::new(Tables::new(Some(1)));
        let other = Hasher::new(Tables::new(Some(1 << 64 | 1)));
        assert_ne!(hasher.hash(b"key"), other.hash(b"key"));
        assert_ne!(hasher.hash(b"key"), hasher.second(b"key"));
        assert_eq!(
            (
                hasher.hash(b"key"),
                hasher.second(b"key"),
                hasher.cursor(7 << 16)
            ),
            (
                2_007_787_314_002_643_669,
                8_178_648_827_848_180_019,
                213_482_100_870_285
            )
        );
    }

    proptest! {
        #[test]
        fn a_cursor_names_its_place_and_0_is_0(seed: u128, place in 0u64..1 << 48) {
            let hasher = Hasher::new(Tables::new(Some(seed)));
            let order = place << CURSOR_SHIFT;
            let cursor = hasher.cursor(order | 0xffff);
            prop_assert!(cursor < 1 << 48);
            prop_assert_eq!(cursor == 0, place == 0);
            prop_assert_eq!(hasher.order_of(cursor), order);
            prop_assert_eq!(hasher.cursor(hasher.order_of(place)), place);
            prop_assert_eq!(hasher.restored(hasher.permuted(place)), place);
        }
    }

    #[test]
    fn cursors_of_neighbours_show_nothing_of_their_places() {
        let hasher = Hasher::new(Tables::new(Some(3)));
        // Each bit of the cursor changes in about half of all steps to the next place.
        let mut changed = [0u32; 48];
        for place in 1..4096u64 {
            let both = [place, place + 1].map(|place| hasher.cursor(place << CURSOR_SHIFT));
            for (bit, count) in changed.iter_mut().enumerate() {
                *count += u32::from((both[0] ^ both[1]) >> bit & 1 == 1);
            }
        }
        assert!(
            changed.iter().all(|count| (1800..2300).contains(count)),
            "{changed:?}"
        );
    }
}
