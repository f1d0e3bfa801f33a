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
use thread::Thread;

/// The memory that is reckoned for objects besides strings and tables.
const CLOSURE_BYTES: u64 = 40;
const UPVALUE_BYTES: u64 = 24;
const NATIVE_BYTES: u64 = 40;
const USERDATA_BYTES: u64 = 32;
const THREAD_BYTES: u64 = 256;
const SLOT_BYTES: u64 = 16;

/// The least memory beyond what lives before garbage is looked for.
const PAUSE_BYTES_MIN: u64 = 256 * 1024;

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
            is_sealed: false,
        }
    }

    /// The memory that is in use, as reckoned.
    pub(in crate::lua) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(in crate::lua) fn set_limit(&mut self, bytes: u64) {
        self.limit = bytes;
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

    /// Returns true if more is in use than may be.
    pub(in crate::lua) fn is_exhausted(&self) -> bool {
        self.bytes > self.limit
    }

    /// Returns true if an object of so many bytes can be made at all.
    #[inline]
    pub(in crate::lua) fn has_room(&self, bytes: usize) -> bool {
        // Garbage may have to go first, so a limit can be exceeded once before it is looked for.
        bytes as u64 <= self.limit && self.bytes <= self.limit.saturating_mul(2)
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
        self.take(NATIVE_BYTES + SLOT_BYTES * native.upvalues.len() as u64);
        NativeRef(self.natives.add(native))
    }

    pub(in crate::lua) fn new_userdata(&mut self, userdata: Userdata) -> UserdataRef {
        self.take(USERDATA_BYTES);
        UserdataRef(self.userdata.add(userdata))
    }

    pub(in crate::lua) fn new_thread(&mut self, thread: Thread) -> CoroutineRef {
        self.take(THREAD_BYTES + SLOT_BYTES * thread.room as u64);
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
        self.sealed_bytes = self.bytes;
        self.is_sealed = true;
        self.undo.clear();
    }

    /// Goes back to what was there at the seal.
    pub(in crate::lua) fn reset(&mut self) {
        while let Some((table, key, value)) = self.undo.pop() {
            self.table_mut(table).set(key, value);
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
        self.trigger = self.bytes + PAUSE_BYTES_MIN;
    }
}
