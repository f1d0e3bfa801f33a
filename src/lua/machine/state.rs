//! The inside of a machine: heap, running thread, and what it waits for.
//!
//! Code lies beside it and not in it, so that the loop can read code while it changes the rest.

use alloc::vec::Vec;

use rand_chacha::ChaCha8Rng;

use super::limits::ScriptLimits;
use crate::lua::heap::Heap;
use crate::lua::heap::thread::{Give, Thread};
use crate::lua::prototype::Program;
use crate::lua::value::{StringRef, TYPE_NAMES, TableRef, Value};

/// An event for which a metatable may have a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Event {
    Index,
    NewIndex,
    Equal,
    Call,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Negate,
    Length,
    Less,
    LessEqual,
    Concat,
    ToString,
    Metatable,
}

/// The names of events, in their order.
const EVENT_NAMES: [&str; 17] = [
    "__index",
    "__newindex",
    "__eq",
    "__call",
    "__add",
    "__sub",
    "__mul",
    "__div",
    "__mod",
    "__pow",
    "__unm",
    "__len",
    "__lt",
    "__le",
    "__concat",
    "__tostring",
    "__metatable",
];

/// An error on its way to who catches it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::lua) enum Thrown {
    /// A value as it was given to `error`.
    Value(Value),
    /// A text that gets the place of the function so many levels up in front; 0 means none.
    Text(Vec<u8>, u32),
    /// An argument is not as it must be: its number from 0 on, and why.
    Argument(usize, Vec<u8>),
    /// A value of the wrong type for an operation, and the register in which it stands.
    Type(&'static str, Value, Option<u8>),
}

/// The arguments of a call of a library function, on the stack; and where its results go.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Call {
    /// The slot of the first argument; the function stands before it.
    pub(in crate::lua) base: usize,
    pub(in crate::lua) count: usize,
    pub(in crate::lua) give: Give,
}

/// The end of a library function's turn.
#[derive(Clone, Debug)]
pub(in crate::lua) enum Outcome {
    /// No result.
    Nothing,
    /// One result.
    One(Value),
    /// Two results.
    Two(Value, Value),
    /// Results in a list of their own.
    Many(Vec<Value>),
    /// Results that stand on the stack: the first slot, and how many.
    Stack(usize, usize),
    /// Results come later: frames were pushed, or the thread was changed.
    Later,
}

/// A library function.
pub(in crate::lua) type NativeFn = fn(&mut State, Call) -> Result<Outcome, Thrown>;

/// How a library function goes on when the function for which it has waited returns.
pub(in crate::lua) type ResumeFn = fn(&mut State, Resumed) -> Result<Outcome, Thrown>;

/// Results for a library function that has waited: it stands at `base`, they from `from` on.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Resumed {
    pub(in crate::lua) base: usize,
    pub(in crate::lua) from: usize,
    pub(in crate::lua) count: usize,
    /// True if it is an error, which stands at `from`.
    pub(in crate::lua) is_error: bool,
    /// True if no results have come: the function goes on where it has paused.
    pub(in crate::lua) is_pause: bool,
}

/// A library function with its name.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Definition {
    pub(in crate::lua) name: &'static str,
    pub(in crate::lua) run: NativeFn,
    pub(in crate::lua) resume: Option<ResumeFn>,
    /// True if errors of the functions that it calls come to it.
    pub(in crate::lua) catches: bool,
}

impl Definition {
    /// A function that never waits.
    pub(in crate::lua) const fn new(name: &'static str, run: NativeFn) -> Self {
        Self {
            name,
            run,
            resume: None,
            catches: false,
        }
    }

    /// A function that calls others.
    pub(in crate::lua) const fn waiting(
        name: &'static str,
        run: NativeFn,
        resume: ResumeFn,
    ) -> Self {
        Self {
            name,
            run,
            resume: Some(resume),
            catches: false,
        }
    }
}

/// A reason for which the loop has to be left.
#[derive(Clone, Debug)]
pub(in crate::lua) enum Request {
    /// The main function has returned: the slot of its first result, and how many.
    Done(usize, usize),
    /// A function of the host is called.
    Host(u32, Call),
    /// A chunk is to be loaded in an environment; the function goes where `give` says.
    Load(Program, TableRef, Give),
}

/// The inside of a machine.
#[derive(Clone, Debug)]
pub(in crate::lua) struct State {
    pub(in crate::lua) heap: Heap,
    /// The thread that runs, taken out of its place in the heap.
    pub(in crate::lua) thread: Thread,
    /// That place.
    pub(in crate::lua) current: u32,
    pub(in crate::lua) globals: TableRef,
    /// The field of an error that `pcall` gives instead of the error, if it is a string.
    pub(in crate::lua) error_field: Option<StringRef>,
    /// The metatable of strings.
    pub(in crate::lua) string_metatable: Option<TableRef>,
    pub(in crate::lua) definitions: Vec<Definition>,
    pub(in crate::lua) request: Option<Request>,
    /// Instructions that are left of the budget of this slice; may be overdrawn.
    pub(in crate::lua) left: i64,
    /// Instructions that all slices together were given.
    pub(in crate::lua) granted: u64,
    pub(in crate::lua) limits: ScriptLimits,
    pub(in crate::lua) seed: u64,
    pub(in crate::lua) dice: Option<ChaCha8Rng>,
    /// Text under way, kept for its room.
    pub(in crate::lua) buffer: Vec<u8>,
    events: [StringRef; EVENT_NAMES.len()],
    types: [StringRef; TYPE_NAMES.len()],
}

impl State {
    pub(in crate::lua) fn new(limits: ScriptLimits, key: u64) -> Self {
        let mut heap = Heap::new(key, limits.memory_bytes);
        let globals = heap.new_table(0, 0);
        heap.new_thread(Thread::default());
        let events = EVENT_NAMES.map(|name| heap.string(name.as_bytes()));
        let types = TYPE_NAMES.map(|name| heap.string(name.as_bytes()));
        Self {
            heap,
            thread: Thread::default(),
            current: 0,
            globals,
            error_field: None,
            string_metatable: None,
            definitions: Vec::new(),
            request: None,
            left: 0,
            granted: 0,
            limits,
            seed: 0,
            dice: None,
            buffer: Vec::new(),
            events,
            types,
        }
    }

    /// All values that are always reachable.
    pub(in crate::lua) fn roots(&self) -> Vec<Value> {
        let names = self.events.iter().chain(&self.types);
        let mut roots: Vec<Value> = names.map(|name| Value::String(*name)).collect();
        roots.push(Value::Table(self.globals));
        roots.extend(self.string_metatable.map(Value::Table));
        roots.extend(self.error_field.map(Value::String));
        roots
    }

    /// Instructions that were used since the last reset.
    pub(in crate::lua) fn used(&self) -> u64 {
        self.granted
            .saturating_add_signed(self.left.saturating_neg())
    }

    /// Counts work of a library function beyond its call.
    #[inline]
    pub(in crate::lua) fn charge(&mut self, units: u64) {
        self.left = self
            .left
            .saturating_sub(i64::try_from(units).unwrap_or(i64::MAX));
    }

    /// The value in a slot of the stack.
    #[inline]
    pub(in crate::lua) fn slot(&self, at: usize) -> Value {
        self.thread.stack.get(at).copied().unwrap_or_default()
    }

    /// The values in slots of the stack; none where not all are there.
    pub(in crate::lua) fn slots(&self, from: usize, count: usize) -> &[Value] {
        let slots = self.thread.stack.get(from..from + count);
        slots.unwrap_or_default()
    }

    /// Changes a slot of the stack that is there.
    #[inline]
    pub(in crate::lua) fn set_slot(&mut self, at: usize, value: Value) {
        if let Some(slot) = self.thread.stack.get_mut(at) {
            *slot = value;
        }
    }

    /// The metatable of a value.
    #[inline]
    pub(in crate::lua) fn metatable(&self, value: Value) -> Option<TableRef> {
        match value {
            Value::Table(table) => self.heap.table(table).metatable,
            Value::Userdata(userdata) => self.heap.userdata.at(userdata.0).metatable,
            Value::String(_) => self.string_metatable,
            Value::Nil
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Function(_)
            | Value::Native(_)
            | Value::Coroutine(_) => None,
        }
    }

    /// The handler that a metatable has for an event; absence is remembered.
    #[inline]
    pub(in crate::lua) fn handler_in(&mut self, metatable: TableRef, event: Event) -> Value {
        let bit = 1_u32 << event as u32;
        let table = self.heap.table(metatable);
        if table.absent & bit != 0 {
            return Value::Nil;
        }
        let handler = table.get_text(self.events[event as usize]);
        if handler.is_nil() {
            self.heap.table_mut(metatable).absent |= bit;
        }
        handler
    }

    /// The handler that a value's metatable has for an event.
    #[inline]
    pub(in crate::lua) fn handler(&mut self, value: Value, event: Event) -> Value {
        match self.metatable(value) {
            Some(metatable) => self.handler_in(metatable, event),
            None => Value::Nil,
        }
    }

    /// The name of a value's type.
    pub(in crate::lua) fn type_of(&self, value: Value) -> Value {
        Value::String(self.types[value.type_place()])
    }

    /// A string of these bytes, if it is not too long.
    pub(in crate::lua) fn new_string(&mut self, bytes: &[u8]) -> Result<Value, Thrown> {
        self.charge(bytes.len() as u64 / 64);
        self.check_room(bytes.len())?;
        Ok(self.interned(bytes))
    }

    /// The string of these bytes, for which there is room.
    pub(in crate::lua) fn interned(&mut self, bytes: &[u8]) -> Value {
        let string = self.heap.string(bytes);
        let passed = self.heap.strings.take_passed();
        self.charge(passed / 4);
        Value::String(string)
    }

    /// As `interned`, of bytes that are given away.
    pub(in crate::lua) fn interned_owned(&mut self, bytes: Vec<u8>) -> Value {
        let string = self.heap.string_owned(bytes);
        let passed = self.heap.strings.take_passed();
        self.charge(passed / 4);
        Value::String(string)
    }

    /// As `new_string`, of bytes that are given away.
    pub(in crate::lua) fn new_string_owned(&mut self, bytes: Vec<u8>) -> Result<Value, Thrown> {
        self.charge(bytes.len() as u64 / 64);
        self.check_room(bytes.len())?;
        Ok(self.interned_owned(bytes))
    }

    /// Refuses what is larger than all memory that there may be.
    pub(in crate::lua) fn check_room(&self, bytes: usize) -> Result<(), Thrown> {
        if self.heap.has_room(bytes) {
            return Ok(());
        }
        Err(out_of_memory())
    }

    /// The bytes of a string.
    #[inline]
    pub(in crate::lua) fn bytes(&self, string: StringRef) -> &[u8] {
        self.heap.text(string)
    }
}

/// The text of the error of a script that wants more memory than it may have.
pub(in crate::lua) const OUT_OF_MEMORY: &[u8] = b"not enough memory";

/// That error.
pub(in crate::lua) fn out_of_memory() -> Thrown {
    Thrown::Text(OUT_OF_MEMORY.to_vec(), 0)
}
