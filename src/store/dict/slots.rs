//! The hash table of a segment: four bytes per key, in one page.
//!
//! A slot holds 14 bits of the key's hash and 18 that say where the key stands; 0 is an empty one.
//! The leading bits of those 14 are the slot's home, from which keys are looked for upwards; where
//! two want one slot, the one farther from its home has it (robin hood hashing). So a search ends
//! early even where the table is full, taking out leaves no marks, and a table of another size is
//! made of the slots alone. One cache line answers most questions.

#[cfg(test)]
use alloc::vec::Vec;

use super::pool::{Handle, PAGE_BYTES, Pool};

/// The bits that the table holds of a key; good until the segment changes.
pub(super) type Slot = u32;

/// The bits that say where a key stands; never all 0.
pub(super) const PLACE_BITS: u32 = 18;
/// How many bits of a key's hash a slot holds.
pub(super) const HASH_BITS: u32 = 32 - PLACE_BITS;

const CAPACITY_MIN: usize = 8;
/// The most slots: a page of them.
pub(super) const CAPACITY_MAX: usize = PAGE_BYTES / 4;
/// The most keys.
pub(super) const KEYS_MAX: usize = CAPACITY_MAX - 1;

#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) page: Handle,
    /// The number of slots, as a power of two.
    bits: u8,
    len: u16,
}

/// The bits that say where in the table a slot is.
const AT_BITS: u32 = CAPACITY_MAX.ilog2();

/// The number of a slot in the table, and some bits of the place that it tells, by which they are
/// ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(u32);

impl Position {
    pub(super) fn at(self) -> usize {
        self.0 as usize & (CAPACITY_MAX - 1)
    }

    pub(super) fn rest(self) -> usize {
        (self.0 >> AT_BITS) as usize
    }
}

/// The bits of a hash that a slot holds.
pub(super) fn part(hash: u64) -> u32 {
    (hash >> (64 - HASH_BITS)) as u32
}

/// Returns the place of the key whose slot this is.
pub(super) fn place(slot: Slot) -> u32 {
    slot & ((1 << PLACE_BITS) - 1)
}

/// The slots of a table, or what of them was looked at.
fn view(bytes: &[u8]) -> &[[u8; 4]] {
    bytes.as_chunks().0
}

/// How far a slot's content at `at` is from its home.
fn distance(slot: Slot, at: usize, bits: u8) -> usize {
    at.wrapping_sub(home(slot >> PLACE_BITS, bits)) & ((1 << bits) - 1)
}

fn home(part: u32, bits: u8) -> usize {
    (part >> (HASH_BITS - u32::from(bits))) as usize
}

/// How many keys find room in so many slots: one in sixteen stays empty.
fn keys_of(capacity: usize) -> usize {
    (capacity - capacity / 16).min(capacity.saturating_sub(1))
}

/// Puts a slot where it belongs.
fn put(table: &mut [[u8; 4]], bits: u8, slot: Slot) {
    let mask = table.len() - 1;
    let (mut carried, mut far) = (slot, 0);
    let mut at = home(slot >> PLACE_BITS, bits);
    loop {
        let held = Slot::from_le_bytes(table[at]);
        if held == 0 {
            table[at] = carried.to_le_bytes();
            return;
        }
        let held_far = distance(held, at, bits);
        if held_far < far {
            table[at] = carried.to_le_bytes();
            (carried, far) = (held, held_far);
        }
        at = (at + 1) & mask;
        far += 1;
    }
}

impl Slots {
    pub(super) const EMPTY: Self = Self {
        page: Handle::NONE,
        bits: 0,
        len: 0,
    };

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    fn capacity(&self) -> usize {
        if self.page == Handle::NONE {
            0
        } else {
            1 << self.bits
        }
    }

    /// The slot of a key with this hash for whose place `is` says so.
    pub(super) fn find(
        &self,
        pool: &Pool,
        hash: u64,
        mut is: impl FnMut(u32) -> bool,
    ) -> Option<Slot> {
        if self.len == 0 {
            return None;
        }
        let table = view(pool.page(self.page));
        let mask = table.len() - 1;
        let wanted = part(hash);
        let (mut at, mut far) = (home(wanted, self.bits), 0);
        loop {
            let slot = Slot::from_le_bytes(*table.get(at)?);
            if slot == 0 {
                return None;
            }
            if slot >> PLACE_BITS == wanted {
                if is(place(slot)) {
                    return Some(slot);
                }
            } else if distance(slot, at, self.bits) < far {
                return None;
            }
            at = (at + 1) & mask;
            far += 1;
        }
    }

    /// The slot at which a key with this hash is looked for first.
    pub(super) fn first(&self, pool: &Pool, hash: u64) -> Option<Slot> {
        if self.len == 0 {
            return None;
        }
        let table = view(pool.page(self.page));
        let slot = table.get(home(part(hash), self.bits))?;
        Some(Slot::from_le_bytes(*slot))
    }

    /// Shows the places of all keys of whose hashes the bits that a slot holds are between these,
    /// both included.
    pub(super) fn within(&self, pool: &Pool, (first, last): (u32, u32), mut show: impl FnMut(u32)) {
        if self.len == 0 {
            return;
        }
        let table = view(pool.page(self.page));
        let mask = table.len() - 1;
        let from = home(first, self.bits);
        // Robin hood hashing keeps the slots in the order of their homes.
        let homes = home(last, self.bits) - from;
        for step in 0..table.len() + homes {
            let at = (from + step) & mask;
            let slot = Slot::from_le_bytes(table[at]);
            if slot == 0 {
                if step >= homes {
                    return;
                }
                continue;
            }
            let far = distance(slot, at, self.bits);
            if far > step {
                // Its home is in front of the first.
                continue;
            }
            if step - far > homes {
                return;
            }
            if (first..=last).contains(&(slot >> PLACE_BITS)) {
                show(place(slot));
            }
        }
    }

    /// Shows the places of keys, from a slot on that a number decides and then in order, until
    /// `show` says that it is enough.
    pub(super) fn from(&self, pool: &Pool, number: usize, mut show: impl FnMut(u32) -> bool) {
        if self.len == 0 {
            return;
        }
        let table = view(pool.page(self.page));
        for step in 0..table.len() {
            let at = number.wrapping_add(step) & (table.len() - 1);
            let slot = Slot::from_le_bytes(table[at]);
            if slot != 0 && !show(place(slot)) {
                return;
            }
        }
    }

    /// Adds a key that is not there; returns its slot.
    pub(super) fn insert(&mut self, pool: &mut Pool, hash: u64, place: u32) -> Slot {
        self.reserve(pool, self.len() + 1);
        assert!(
            self.len() < KEYS_MAX,
            "a segment is split before its table is full"
        );
        let slot = part(hash) << PLACE_BITS | place;
        put(pool.page_mut(self.page).as_chunks_mut().0, self.bits, slot);
        self.len += 1;
        slot
    }

    /// Makes room for so many keys in all.
    pub(super) fn reserve(&mut self, pool: &mut Pool, keys: usize) {
        if keys <= keys_of(self.capacity()) {
            return;
        }
        let mut capacity = CAPACITY_MIN;
        while keys > keys_of(capacity) && capacity < CAPACITY_MAX {
            capacity *= 2;
        }
        if capacity > self.capacity() {
            self.resize(pool, capacity);
        }
    }

    fn resize(&mut self, pool: &mut Pool, capacity: usize) {
        let page = pool.take(capacity * 4);
        let bits = capacity.ilog2() as u8;
        pool.page_mut(page).fill(0);
        let old = core::mem::replace(&mut self.page, page);
        self.bits = bits;
        if old == Handle::NONE {
            return;
        }
        // By way of the stack, since one pool has both.
        let mut slots = [[0; 4]; CAPACITY_MAX];
        let held = view(pool.page(old));
        let slots = &mut slots[..held.len()];
        slots.copy_from_slice(held);
        let table = pool.page_mut(page).as_chunks_mut().0;
        for slot in slots {
            let slot = Slot::from_le_bytes(*slot);
            if slot != 0 {
                put(table, bits, slot);
            }
        }
        pool.give(old);
    }

    /// Gives its page back.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        if self.page != Handle::NONE {
            pool.give(self.page);
        }
        *self = Self::EMPTY;
    }

    /// Returns the position in the table of a slot that is there.
    fn position(&self, pool: &Pool, slot: Slot) -> usize {
        let table = view(pool.page(self.page));
        let mut at = home(slot >> PLACE_BITS, self.bits);
        for _ in 0..table.len() {
            if table[at] == slot.to_le_bytes() {
                return at;
            }
            at = (at + 1) & (table.len() - 1);
        }
        unreachable!("a slot that was found is in the table");
    }

    /// Lets a key stand at another place.
    pub(super) fn relink(&self, pool: &mut Pool, slot: Slot, place: u32) {
        let at = self.position(pool, slot);
        self.set(pool, at, place);
    }

    /// Lets the key whose slot is at `at` stand at another place.
    pub(super) fn set(&self, pool: &mut Pool, at: usize, place: u32) {
        let slot = &mut pool.page_mut(self.page).as_chunks_mut().0[at];
        let part = Slot::from_le_bytes(*slot) >> PLACE_BITS;
        *slot = (part << PLACE_BITS | place).to_le_bytes();
    }

    /// The numbers of the slots whose bits under a mask are these, with the bits of their places
    /// beside the mask; an empty slot has none of the bits. Returns how many there are. If that is
    /// not less than there is room for in `found`, not all are in it.
    pub(super) fn positions(
        &self,
        pool: &Pool,
        (mask, bits): (u32, u32),
        found: &mut [Position],
    ) -> usize {
        let (mut count, last) = (0, found.len() - 1);
        let is = |slot: &[u8; 4]| Slot::from_le_bytes(*slot) & mask == bits;
        // Most of eight neighbours are others: all are asked at once, and one by one where one is.
        let eights = view(pool.page(self.page)).as_chunks::<8>().0;
        for (number, eight) in eights.iter().enumerate() {
            if !eight.iter().fold(false, |any, slot| any | is(slot)) {
                continue;
            }
            for (at, slot) in eight.iter().enumerate() {
                // Always written, and counted only where it is one: no branch to guess.
                let rest = place(Slot::from_le_bytes(*slot)) & !mask;
                let position = rest << AT_BITS | (number * 8 + at) as u32;
                found[count.min(last)] = Position(position);
                count += usize::from(is(slot));
            }
        }
        count
    }

    /// Takes a slot out that is there.
    pub(super) fn remove(&mut self, pool: &mut Pool, slot: Slot) {
        let mut at = self.position(pool, slot);
        let bits = self.bits;
        let table = pool.page_mut(self.page).as_chunks_mut().0;
        let mask = table.len() - 1;
        loop {
            let next = (at + 1) & mask;
            let held = Slot::from_le_bytes(table[next]);
            if held == 0 || distance(held, next, bits) == 0 {
                break;
            }
            table[at] = table[next];
            at = next;
        }
        table[at] = [0; 4];
        self.len -= 1;
        let capacity = self.capacity();
        if capacity > CAPACITY_MIN && self.len() < capacity / 4 {
            self.resize(pool, capacity / 2);
        }
    }

    /// Every slot, in the order of the table.
    #[cfg(test)]
    pub(super) fn all(&self, pool: &Pool) -> Vec<Slot> {
        if self.page == Handle::NONE {
            return Vec::new();
        }
        let slots = view(pool.page(self.page))
            .iter()
            .copied()
            .map(Slot::from_le_bytes);
        slots.filter(|slot| *slot != 0).collect()
    }
}
