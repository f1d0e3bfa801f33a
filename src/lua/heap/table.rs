//! Tables: an array from 1 on, and other keys in the order in which they came.
//!
//! A table is walked 1, 2, 3 … through its array, then through its other keys in the order in
//! which they were first set. A key that is set to nil keeps its place until the table makes room,
//! so that a walk may clear what it meets. Whole numbers move to the array when all before them are
//! there, and stay where they are otherwise; the length of a table is that of its array, which
//! never ends in nil. Nothing of this depends on hashes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::lua::value::{StringRef, TableRef, Value};

/// How many keys are found without an index.
const UNINDEXED_MAX: usize = 8;

/// How far from its place an entry may be found before the index is given up for an order.
const REACH_MAX: u32 = 128;

/// An index place that names no entry.
const VACANT: u32 = u32::MAX;

/// The memory that is reckoned for a table, an element of its array, and a key with its value.
pub(super) const TABLE_BYTES: u64 = 128;
const ELEMENT_BYTES: u64 = 16;
const ENTRY_BYTES: u64 = 40;
/// The memory that a key takes besides if entries are found in order.
const ORDER_BYTES: u64 = 40;

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Value,
    value: Value,
}

/// A step of a walk.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Step {
    /// The next key with its value; none at the end.
    pub(in crate::lua) pair: Option<(Value, Value)>,
    /// How many places were passed, most of which have no value.
    pub(in crate::lua) passed: usize,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Table {
    array: Vec<Value>,
    entries: Vec<Entry>,
    /// Places of entries by hash of their keys; empty while there are few.
    index: Vec<u32>,
    /// How far behind its place of the index an entry may be found.
    reach: u32,
    /// Places of entries by the keys themselves, instead of the index: there are keys that somebody
    /// has chosen for their hashes.
    order: Option<BTreeMap<u128, u32>>,
    pub(in crate::lua) metatable: Option<TableRef>,
    /// For how many elements and entries memory is reckoned.
    array_room: u32,
    entry_room: u32,
    /// How many entries have numbers as keys.
    numbers: u32,
    /// Bits of the metamethods that are known to be absent; any new key clears them.
    pub(in crate::lua) absent: u32,
    /// True if only the host may change it.
    pub(in crate::lua) sealed: bool,
}

/// The number that a key is, among those of its kind.
#[inline]
fn number_of(key: Value) -> u64 {
    match key {
        Value::Nil => 0,
        Value::Boolean(value) => u64::from(value) | 6 << 32,
        Value::Number(number) => {
            let bits = if number == 0.0 { 0 } else { number.to_bits() };
            bits ^ bits >> 29
        }
        Value::String(place) => u64::from(place.0),
        Value::Table(place) => u64::from(place.0) | 1 << 32,
        Value::Function(place) => u64::from(place.0) | 2 << 32,
        Value::Native(place) => u64::from(place.0) | 3 << 32,
        Value::Coroutine(place) => u64::from(place.0) | 4 << 32,
        Value::Userdata(place) => u64::from(place.0) | 5 << 32,
    }
}

#[inline]
fn hash(key: Value) -> u32 {
    (number_of(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// The number that a key is, among all: numbers and strings could be the same otherwise.
fn identity(key: Value) -> u128 {
    let is_number = u128::from(matches!(key, Value::Number(_)));
    is_number << 64 | u128::from(number_of(key))
}

/// The place in an array of a key, if it is one: key 1 stands at 0.
#[inline]
fn array_place(key: f64) -> Option<usize> {
    let whole = key as u32;
    (f64::from(whole) == key && whole > 0).then(|| whole as usize - 1)
}

impl Table {
    /// A table with room for so many elements and keys.
    pub(in crate::lua) fn with_room(elements: usize, keys: usize) -> Self {
        let mut table = Self {
            array: Vec::with_capacity(elements),
            entries: Vec::with_capacity(keys),
            ..Self::default()
        };
        table.array_room = if elements == 0 {
            0
        } else {
            elements.next_power_of_two() as u32
        };
        table.entry_room = if keys == 0 {
            0
        } else {
            keys.next_power_of_two() as u32
        };
        if keys > UNINDEXED_MAX {
            table.build_index();
        }
        table
    }

    /// The memory that is reckoned for the table.
    pub(in crate::lua) fn bytes(&self) -> u64 {
        TABLE_BYTES
            + u64::from(self.array_room) * ELEMENT_BYTES
            + u64::from(self.entry_room) * self.entry_bytes()
    }

    fn entry_bytes(&self) -> u64 {
        match self.order {
            Some(_) => ENTRY_BYTES + ORDER_BYTES,
            None => ENTRY_BYTES,
        }
    }

    /// The memory that may be reckoned anew when a key is set.
    #[inline]
    pub(in crate::lua) fn growth_for(&self, key: Value) -> u64 {
        if let Value::Number(number) = key
            && let Some(place) = array_place(number)
            && place <= self.array.len()
        {
            let is_full = self.array.len() >= self.array_room as usize;
            let doubled = if is_full { self.array_room } else { 0 };
            return (u64::from(doubled) + 2 * u64::from(self.numbers)) * ELEMENT_BYTES;
        }
        if self.entries.len() < self.entry_room as usize {
            return 0;
        }
        u64::from(self.entry_room) * self.entry_bytes()
    }

    /// The length: an index with a value behind which there is none.
    #[inline]
    pub(in crate::lua) fn length(&self) -> usize {
        self.array.len()
    }

    /// The place of a key's entry.
    #[inline]
    fn find(&self, key: Value) -> Option<usize> {
        if self.index.is_empty() {
            if self.entries.len() > UNINDEXED_MAX {
                return self.find_in_order(key);
            }
            return self.entries.iter().position(|entry| entry.key == key);
        }
        let mask = self.index.len() - 1;
        let mut at = hash(key) as usize & mask;
        for _ in 0..=self.reach {
            let place = *self.index.get(at)?;
            if place == VACANT {
                return None;
            }
            if self.entries.get(place as usize)?.key == key {
                return Some(place as usize);
            }
            at = (at + 1) & mask;
        }
        None
    }

    #[cold]
    #[inline(never)]
    fn find_in_order(&self, key: Value) -> Option<usize> {
        let place = self.order.as_ref()?.get(&identity(key))?;
        Some(*place as usize)
    }

    #[inline]
    fn entry_value(&self, key: Value) -> Value {
        match self.find(key).and_then(|at| self.entries.get(at)) {
            Some(entry) => entry.value,
            None => Value::Nil,
        }
    }

    /// The value of a field.
    #[inline]
    pub(in crate::lua) fn get_text(&self, key: StringRef) -> Value {
        self.entry_value(Value::String(key))
    }

    /// The value of a number.
    #[inline]
    pub(in crate::lua) fn get_number(&self, key: f64) -> Value {
        if let Some(place) = array_place(key)
            && let Some(value) = self.array.get(place)
        {
            return *value;
        }
        if self.numbers == 0 {
            return Value::Nil;
        }
        self.entry_value(Value::Number(key))
    }

    /// The value of any key.
    #[inline]
    pub(in crate::lua) fn get(&self, key: Value) -> Value {
        match key {
            Value::Number(number) => self.get_number(number),
            _ => self.entry_value(key),
        }
    }

    /// The element at an index, 1 being the first.
    #[inline]
    pub(in crate::lua) fn get_index(&self, index: usize) -> Value {
        match self.array.get(index.wrapping_sub(1)) {
            Some(value) => *value,
            None => self.get_number(index as f64),
        }
    }

    /// Changes the value of a key that has one; false if it has none.
    #[inline]
    pub(in crate::lua) fn replace(&mut self, key: Value, value: Value) -> bool {
        if let Value::Number(number) = key
            && let Some(place) = array_place(number)
            && let Some(old) = self.array.get_mut(place)
        {
            if old.is_nil() || value.is_nil() {
                return false;
            }
            *old = value;
            return true;
        }
        match self.find(key).and_then(|at| self.entries.get_mut(at)) {
            Some(entry) if !entry.value.is_nil() => {
                entry.value = value;
                true
            }
            _ => false,
        }
    }

    /// Sets a key, which is neither nil nor NaN; by how many bytes the table has grown.
    #[inline]
    pub(in crate::lua) fn set(&mut self, key: Value, value: Value) -> u64 {
        if let Value::Number(number) = key
            && let Some(place) = array_place(number)
        {
            if let Some(old) = self.array.get_mut(place) {
                *old = value;
                if value.is_nil() && place + 1 == self.array.len() {
                    self.trim();
                }
                return 0;
            }
            if place == self.array.len() && !value.is_nil() {
                return self.push(value);
            }
        }
        self.set_entry(key, value)
    }

    /// Takes nils from the end of the array.
    fn trim(&mut self) {
        while self.array.last().is_some_and(|value| value.is_nil()) {
            self.array.pop();
        }
    }

    /// Puts an element behind the last.
    #[inline]
    pub(in crate::lua) fn push(&mut self, value: Value) -> u64 {
        let grown = self.push_element(value);
        if self.numbers == 0 {
            return grown;
        }
        grown + self.take_following()
    }

    fn push_element(&mut self, value: Value) -> u64 {
        self.array.push(value);
        let length = self.array.len() as u32;
        if length <= self.array_room {
            return 0;
        }
        let room = length.next_power_of_two().max(4);
        let grown = room - self.array_room;
        self.array_room = room;
        u64::from(grown) * ELEMENT_BYTES
    }

    /// Moves to the array what stands among the entries and belongs behind the array.
    fn take_following(&mut self) -> u64 {
        let mut grown = 0;
        while self.numbers > 0 {
            let value = self.clear_entry(self.array.len() + 1);
            if value.is_nil() {
                break;
            }
            grown += self.push_element(value);
        }
        grown
    }

    /// Clears the entry of an index; the value that it had.
    fn clear_entry(&mut self, index: usize) -> Value {
        let key = Value::Number(index as f64);
        match self.find(key).and_then(|at| self.entries.get_mut(at)) {
            Some(entry) => core::mem::take(&mut entry.value),
            None => Value::Nil,
        }
    }

    fn set_entry(&mut self, key: Value, value: Value) -> u64 {
        if let Some(entry) = self.find(key).and_then(|at| self.entries.get_mut(at)) {
            entry.value = value;
            self.absent = 0;
            return 0;
        }
        if value.is_nil() {
            return 0;
        }
        self.absent = 0;
        let mut grown = self.make_room();
        let place = self.entries.len();
        self.entries.push(Entry { key, value });
        self.numbers += u32::from(matches!(key, Value::Number(_)));
        if !self.index.is_empty() {
            self.index_entry(key, place as u32);
            grown += self.order_if_flooded();
        } else if let Some(order) = &mut self.order {
            order.insert(identity(key), place as u32);
        } else if self.entries.len() > UNINDEXED_MAX {
            self.build_index();
        }
        grown
    }

    /// Makes room for one more entry: entries without a value go, or the room doubles.
    fn make_room(&mut self) -> u64 {
        if self.entries.len() < self.entry_room as usize {
            return 0;
        }
        let live = self
            .entries
            .iter()
            .filter(|entry| !entry.value.is_nil())
            .count();
        let mut grown = 0;
        if live >= self.entries.len() - self.entries.len() / 4 {
            let room = (self.entry_room * 2).max(4);
            grown = u64::from(room - self.entry_room) * self.entry_bytes();
            self.entry_room = room;
        }
        if live < self.entries.len() {
            self.entries.retain(|entry| !entry.value.is_nil());
            let is_number = |entry: &&Entry| matches!(entry.key, Value::Number(_));
            self.numbers = self.entries.iter().filter(is_number).count() as u32;
        }
        if self.order.is_some() {
            self.build_order();
        } else if self.entry_room as usize > UNINDEXED_MAX {
            self.build_index();
        }
        grown
    }

    fn build_index(&mut self) {
        let room = (self.entry_room as usize).max(self.entries.len());
        let size = (room * 2).next_power_of_two();
        self.index.clear();
        self.index.resize(size, VACANT);
        self.reach = 0;
        for place in 0..self.entries.len() {
            if let Some(entry) = self.entries.get(place) {
                self.index_entry(entry.key, place as u32);
            }
        }
    }

    fn index_entry(&mut self, key: Value, place: u32) {
        let mask = self.index.len() - 1;
        let mut at = hash(key) as usize & mask;
        let mut passed = 0;
        while let Some(there) = self.index.get_mut(at) {
            if *there == VACANT {
                *there = place;
                self.reach = self.reach.max(passed);
                return;
            }
            passed += 1;
            at = (at + 1) & mask;
        }
    }

    /// Lets entries be found by their keys in order, if keys meet more often than chance has it;
    /// the memory for that.
    #[inline]
    fn order_if_flooded(&mut self) -> u64 {
        if self.reach <= REACH_MAX {
            return 0;
        }
        self.index = Vec::new();
        self.reach = 0;
        self.build_order();
        u64::from(self.entry_room) * ORDER_BYTES
    }

    #[cold]
    fn build_order(&mut self) {
        let keys = (0..).zip(&self.entries);
        let order = keys.map(|(place, entry)| (identity(entry.key), place));
        self.order = Some(order.collect());
    }

    /// The place in a walk behind a key; none if the table has never had it.
    fn place_behind(&self, key: Value) -> Option<usize> {
        if key.is_nil() {
            return Some(0);
        }
        if let Value::Number(number) = key
            && let Some(place) = array_place(number)
        {
            if place < self.array.len() {
                return Some(place + 1);
            }
            // An index that is gone was the end of the array before the walk cleared it.
            let at = self.find(key).map_or(0, |at| at + 1);
            return Some(self.array.len() + at);
        }
        self.find(key).map(|at| self.array.len() + at + 1)
    }

    /// The step of a walk behind `key`; none if the table has never had that key.
    pub(in crate::lua) fn next(&self, key: Value) -> Option<Step> {
        let first = self.place_behind(key)?;
        let mut place = first;
        while let Some(value) = self.array.get(place) {
            place += 1;
            if !value.is_nil() {
                return Some(Step {
                    pair: Some((Value::Number(place as f64), *value)),
                    passed: place - first,
                });
            }
        }
        let rest = self
            .entries
            .get(place - self.array.len()..)
            .unwrap_or_default();
        let at = rest.iter().position(|entry| !entry.value.is_nil());
        let found = at.and_then(|at| rest.get(at));
        Some(Step {
            pair: found.map(|entry| (entry.key, entry.value)),
            passed: place - first + at.unwrap_or(rest.len()),
        })
    }

    /// How many places a walk passes.
    pub(in crate::lua) fn places(&self) -> usize {
        self.array.len() + self.entries.len()
    }

    /// All keys and values, for the collector.
    pub(in crate::lua) fn each(&self, mut visit: impl FnMut(Value)) {
        for value in &self.array {
            visit(*value);
        }
        for entry in &self.entries {
            // The key of an entry without a value counts: a walk may stand at it.
            visit(entry.key);
            visit(entry.value);
        }
    }

    /// All keys that have values, in the order of a walk.
    pub(in crate::lua) fn each_pair(&self, mut visit: impl FnMut(Value, Value)) {
        for (index, value) in (1_u32..).zip(&self.array) {
            if !value.is_nil() {
                visit(Value::Number(f64::from(index)), *value);
            }
        }
        for entry in self.entries.iter().filter(|entry| !entry.value.is_nil()) {
            visit(entry.key, entry.value);
        }
    }

    /// The array, for work on many elements; elements must stay as many, and none become nil.
    pub(in crate::lua) fn elements(&mut self) -> &mut [Value] {
        &mut self.array
    }

    /// Inserts an element, and moves those behind it.
    pub(in crate::lua) fn insert_element(&mut self, place: usize, value: Value) -> u64 {
        let grown = self.push_element(value);
        if let Some(tail) = self.array.get_mut(place..) {
            tail.rotate_right(1);
        }
        let grown = grown
            + if self.numbers > 0 {
                self.take_following()
            } else {
                0
            };
        self.trim();
        grown
    }

    /// Sets elements from the index `first` on, as a constructor does.
    pub(in crate::lua) fn set_elements(&mut self, first: usize, values: &[Value]) -> u64 {
        let mut grown = 0;
        if first != self.array.len() + 1 {
            for (index, value) in (first..).zip(values) {
                grown += self.set(Value::Number(index as f64), *value);
            }
            return grown;
        }
        for (index, value) in (first..).zip(values) {
            if self.numbers > 0 {
                self.clear_entry(index);
            }
            grown += self.push_element(*value);
        }
        if self.numbers > 0 {
            grown += self.take_following();
        }
        self.trim();
        grown
    }

    /// Takes an element out, and moves those behind it.
    pub(in crate::lua) fn remove_element(&mut self, place: usize) -> Value {
        if place >= self.array.len() {
            return Value::Nil;
        }
        let value = self.array.remove(place);
        self.trim();
        value
    }
}

#[cfg(test)]
mod tests;
