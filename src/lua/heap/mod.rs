//! Everything that a script can make, in one arena, with its memory reckoned alike everywhere.

mod collect;
pub(in crate::lua) mod objects;
pub(in crate::lua) mod slab;
pub(in crate::lua) mod strings;
pub(in crate::lua) mod table;
pub(in crate::lua) mod thread;

use alloc::vec::Vec;

use super::value::{CoroutineRef, FunctionRef, NativeRef, StringRef, TableRef, UserdataRef, Value};
use objects::{Closure, Native, Upvalue, Userdata};
use slab::Slab;
use strings::Strings;
use table::Table;
use thread::{THREAD_BYTES, Thread};

/// The memory that is reckoned for objects besides strings and tables.
const TEXT_BYTES: u64 = strings::bytes_of(0);
const CLOSURE_BYTES: u64 = 40;
const UPVALUE_BYTES: u64 = 24;
const NATIVE_BYTES: u64 = 40;
const USERDATA_BYTES: u64 = 32;
const VALUE_BYTES: u64 = 16;

/// The least memory beyond what lives before garbage is looked for; by no more do small objects
/// exceed the limit.
const PAUSE_BYTES_MIN: u64 = 256 * 1024;
/// A table that grows by less does not ask for room.
const UNASKED_BYTES_MAX: u64 = 4096;

/// All objects.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Heap {
    pub(in crate::lua) strings: Strings,
    pub(in crate::lua) tables: Slab<Table>,
    pub(in crate::lua) closures: Slab<Closure>,
    pub(in crate::lua) upvalues: Slab<Upvalue>,
    pub(in crate::lua) natives: Slab<Native>,
    pub(in crate::lua) threads: Slab<Thread>,
    pub(in crate::lua) userdata: Slab<Userdata>,
    bytes: u64,
    limit: u64,
    /// Garbage is looked for when so much is in use.
    trigger: u64,
    /// The memory of all that is permanent.
    sealed_bytes: u64,
    /// Values of sealed tables before the host changed them.
    undo: Vec<(TableRef, Value, Value)>,
    /// Permanent variables as they were at the seal.
    kept_upvalues: Vec<Upvalue>,
    /// Tables below this place only the host may change; permanent ones behind it scripts too, each
    /// until the next reset.
    fixed_tables: u32,
    /// Such tables that were changed since the last reset, as they were.
    lent: Vec<(TableRef, Table)>,
    is_sealed: bool,
}

impl Heap {
    pub(in crate::lua) fn new(key: u64, limit: u64) -> Self {
        Self {
            strings: Strings::new(key),
            tables: Slab::default(),
            closures: Slab::default(),
            upvalues: Slab::default(),
            natives: Slab::default(),
            threads: Slab::default(),
            userdata: Slab::default(),
            bytes: 0,
            limit,
            trigger: PAUSE_BYTES_MIN,
            sealed_bytes: 0,
            undo: Vec::new(),
            kept_upvalues: Vec::new(),
            fixed_tables: 0,
            lent: Vec::new(),
            is_sealed: false,
        }
    }

    /// The memory that is in use, as reckoned.
    pub(in crate::lua) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(in crate::lua) fn set_limit(&mut self, bytes: u64) {
        self.limit = bytes;
        self.set_trigger();
    }

    /// Reckons memory that was taken.
    #[inline]
    pub(in crate::lua) fn take(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Reckons memory that was given back.
    pub(in crate::lua) fn give_back(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns true if garbage should be looked for.
    #[inline]
    pub(in crate::lua) fn is_due(&self) -> bool {
        self.bytes >= self.trigger
    }

    /// Lets garbage be looked for at the next instruction.
    pub(in crate::lua) fn collect_soon(&mut self) {
        self.trigger = 0;
    }

    /// The most that may be in use: what is permanent does not count.
    fn most(&self) -> u64 {
        self.limit.saturating_add(self.sealed_bytes)
    }

    /// The memory of places that are free, which other objects cannot have.
    fn vacant(&self) -> u64 {
        self.strings.free_places() as u64 * TEXT_BYTES
            + self.tables.free_places() as u64 * table::TABLE_BYTES
            + self.closures.free_places() as u64 * CLOSURE_BYTES
            + self.upvalues.free_places() as u64 * UPVALUE_BYTES
            + self.natives.free_places() as u64 * NATIVE_BYTES
            + self.threads.free_places() as u64 * THREAD_BYTES
            + self.userdata.free_places() as u64 * USERDATA_BYTES
    }

    /// Returns true if more is in use than may be.
    pub(in crate::lua) fn is_exhausted(&self) -> bool {
        !self.has_room(0)
    }

    /// Returns true if so many bytes can be had now, garbage being counted.
    #[inline]
    pub(in crate::lua) fn has_room(&self, bytes: usize) -> bool {
        let taken = self.bytes + self.vacant();
        taken.saturating_add(bytes as u64) <= self.most()
    }

    /// Returns true if the memory that a key takes in a table can be had.
    #[inline]
    pub(in crate::lua) fn has_room_for_key(&self, table: TableRef, key: Value) -> bool {
        let growth = self.table(table).growth_for(key);
        growth <= UNASKED_BYTES_MAX || self.has_room(growth as usize)
    }

    /// The work of looking for garbage: all memory is looked through, and all places.
    pub(in crate::lua) fn collecting_units(&self) -> u64 {
        let places = self.strings.places()
            + self.tables.unsealed_places()
            + self.closures.unsealed_places()
            + self.upvalues.unsealed_places()
            + self.natives.unsealed_places()
            + self.threads.unsealed_places()
            + self.userdata.unsealed_places();
        self.bytes / 256 + places as u64 / 2
    }

    /// Says when garbage is to be looked for next.
    fn set_trigger(&mut self) {
        let left = self.most().saturating_sub(self.bytes + self.vacant());
        // So much is left at least for what one function makes.
        let pause = self.bytes.min(left / 2).max(PAUSE_BYTES_MIN);
        self.trigger = self.bytes + pause;
    }

    pub(in crate::lua) fn string(&mut self, bytes: &[u8]) -> StringRef {
        let (string, is_new) = self.strings.intern(bytes);
        if is_new {
            self.take(strings::bytes_of(bytes.len()));
        }
        string
    }

    pub(in crate::lua) fn string_owned(&mut self, bytes: Vec<u8>) -> StringRef {
        let length = bytes.len();
        let (string, is_new) = self.strings.intern_owned(bytes);
        if is_new {
            self.take(strings::bytes_of(length));
        }
        string
    }

    #[inline]
    pub(in crate::lua) fn text(&self, string: StringRef) -> &[u8] {
        self.strings.bytes(string)
    }

    #[inline]
    pub(in crate::lua) fn table(&self, table: TableRef) -> &Table {
        self.tables.at(table.0)
    }

    /// A table to be changed; who may change a sealed one asks `Table::sealed` first.
    #[inline]
    pub(in crate::lua) fn table_mut(&mut self, table: TableRef) -> &mut Table {
        self.tables.at_mut(table.0)
    }

    pub(in crate::lua) fn new_table(&mut self, elements: usize, fields: usize) -> TableRef {
        let table = Table::with_room(elements, fields);
        self.take(table.bytes());
        TableRef(self.tables.add(table))
    }

    /// Sets a key, which is neither nil nor NaN, in a table that is not sealed.
    #[inline]
    pub(in crate::lua) fn set(&mut self, table: TableRef, key: Value, value: Value) {
        let grown = self.tables.at_mut(table.0).set(key, value);
        self.bytes += grown;
    }

    /// As `set`, of any table: what a sealed one had comes back with the next reset.
    pub(in crate::lua) fn set_as_host(&mut self, table: TableRef, key: Value, value: Value) {
        if self.is_sealed && self.tables.is_sealed(table.0) {
            let old = self.table(table).get(key);
            self.undo.push((table, key, old));
        }
        self.set(table, key, value);
    }

    pub(in crate::lua) fn new_closure(&mut self, closure: Closure) -> FunctionRef {
        self.take(CLOSURE_BYTES + 8 * closure.upvalues.len() as u64);
        FunctionRef(self.closures.add(closure))
    }

    pub(in crate::lua) fn new_upvalue(&mut self, upvalue: Upvalue) -> u32 {
        self.take(UPVALUE_BYTES);
        self.upvalues.add(upvalue)
    }

    pub(in crate::lua) fn new_native(&mut self, native: Native) -> NativeRef {
        self.take(NATIVE_BYTES + VALUE_BYTES * native.upvalues.len() as u64);
        NativeRef(self.natives.add(native))
    }

    pub(in crate::lua) fn new_userdata(&mut self, userdata: Userdata) -> UserdataRef {
        self.take(USERDATA_BYTES);
        UserdataRef(self.userdata.add(userdata))
    }

    pub(in crate::lua) fn new_thread(&mut self, thread: Thread) -> CoroutineRef {
        self.take(thread.bytes());
        CoroutineRef(self.threads.add(thread))
    }

    /// Makes all that is there permanent, and its tables unchangeable for scripts.
    pub(in crate::lua) fn seal(&mut self) {
        for place in self.tables.places() {
            self.tables.at_mut(place).sealed = true;
        }
        self.strings.seal();
        self.tables.seal();
        self.closures.seal();
        self.upvalues.seal();
        self.natives.seal();
        self.threads.seal();
        self.userdata.seal();
        let upvalues = self.upvalues.sealed_places();
        self.kept_upvalues = upvalues.map(|place| *self.upvalues.at(place)).collect();
        self.fixed_tables = self.tables.sealed_places().end;
        self.sealed_bytes = self.bytes;
        self.is_sealed = true;
        self.undo.clear();
        self.lent.clear();
    }

    /// Makes what has come since the seal permanent as well. Scripts may change its tables, each
    /// until the next reset.
    pub(in crate::lua) fn settle(&mut self) {
        let fixed = self.fixed_tables;
        self.seal();
        self.fixed_tables = fixed;
    }

    /// Lets a script change a table, if it may; of one that is permanent a copy is kept until the
    /// next reset. Returns the memory that the copy takes, and nothing where it may not.
    #[inline]
    pub(in crate::lua) fn open(&mut self, table: TableRef) -> Option<u64> {
        if self.table(table).sealed {
            return self.lend(table);
        }
        Some(0)
    }

    #[cold]
    fn lend(&mut self, table: TableRef) -> Option<u64> {
        if table.0 < self.fixed_tables {
            return None;
        }
        let copy = self.table(table).clone();
        let bytes = copy.bytes();
        self.lent.push((table, copy));
        self.table_mut(table).sealed = false;
        self.take(bytes);
        Some(bytes)
    }

    /// Goes back to what was there at the seal.
    pub(in crate::lua) fn reset(&mut self) {
        while let Some((table, key, value)) = self.undo.pop() {
            self.table_mut(table).set(key, value);
        }
        while let Some((table, copy)) = self.lent.pop() {
            *self.table_mut(table) = copy;
        }
        for (place, kept) in (0..).zip(&self.kept_upvalues) {
            *self.upvalues.at_mut(place) = *kept;
        }
        self.strings.reset();
        self.tables.reset();
        self.closures.reset();
        self.upvalues.reset();
        self.natives.reset();
        self.threads.reset();
        self.userdata.reset();
        self.bytes = self.sealed_bytes;
        self.set_trigger();
    }
}
