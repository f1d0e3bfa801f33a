//! Arguments of library functions, checked as Lua's own library checks them.

use alloc::vec::Vec;

use super::state::{Call, Resumed, State, Thrown};
use crate::lua::number::format;
use crate::lua::value::{
    CoroutineRef, FunctionRef, NativeRef, StringRef, TableRef, UserdataRef, Value,
};

impl State {
    /// The argument at a place, 0 being the first; nil if there is none.
    #[inline]
    pub(in crate::lua) fn argument(&self, call: Call, at: usize) -> Value {
        if at < call.count {
            self.slot(call.base + at)
        } else {
            Value::Nil
        }
    }

    /// An error with the place of the code that has called the library function.
    pub(in crate::lua) fn error(&self, text: &str) -> Thrown {
        Thrown::Text(text.as_bytes().to_vec(), 1)
    }

    /// An error about an argument.
    pub(in crate::lua) fn argument_error(&self, at: usize, why: &str) -> Thrown {
        Thrown::Argument(at, why.as_bytes().to_vec())
    }

    /// The error of an argument of another type than it must have.
    pub(in crate::lua) fn type_error(&self, call: Call, at: usize, expected: &str) -> Thrown {
        let got = if at < call.count {
            self.slot(call.base + at).type_name()
        } else {
            "no value"
        };
        self.argument_error(at, &alloc::format!("{expected} expected, got {got}"))
    }

    /// Any argument, which must be there.
    pub(in crate::lua) fn any_argument(&self, call: Call, at: usize) -> Result<Value, Thrown> {
        if at < call.count {
            return Ok(self.slot(call.base + at));
        }
        Err(self.argument_error(at, "value expected"))
    }

    /// A number, or a string that says one.
    #[inline]
    pub(in crate::lua) fn number_argument(&mut self, call: Call, at: usize) -> Result<f64, Thrown> {
        let value = self.argument(call, at);
        if let Value::Number(number) = value {
            return Ok(number);
        }
        self.to_number(value)
            .ok_or_else(|| self.type_error(call, at, "number"))
    }

    /// A whole number: the argument without its fraction.
    pub(in crate::lua) fn integer_argument(
        &mut self,
        call: Call,
        at: usize,
    ) -> Result<i64, Thrown> {
        self.number_argument(call, at).map(to_integer)
    }

    /// A whole number or `otherwise`, if it is nil or not there.
    pub(in crate::lua) fn integer_or(
        &mut self,
        call: Call,
        at: usize,
        otherwise: i64,
    ) -> Result<i64, Thrown> {
        if self.argument(call, at).is_nil() {
            return Ok(otherwise);
        }
        self.integer_argument(call, at)
    }

    /// A whole number of 32 bits: what does not fit is lost, as where Lua 5.1 takes an `int`.
    pub(in crate::lua) fn int_argument(&mut self, call: Call, at: usize) -> Result<i64, Thrown> {
        let whole = self.integer_argument(call, at)?;
        Ok(i64::from(whole as i32))
    }

    /// The same or `otherwise`, if it is nil or not there.
    pub(in crate::lua) fn int_or(
        &mut self,
        call: Call,
        at: usize,
        otherwise: i64,
    ) -> Result<i64, Thrown> {
        if self.argument(call, at).is_nil() {
            return Ok(otherwise);
        }
        self.int_argument(call, at)
    }

    /// A string; a number becomes one.
    pub(in crate::lua) fn string_argument(
        &mut self,
        call: Call,
        at: usize,
    ) -> Result<StringRef, Thrown> {
        match self.argument(call, at) {
            Value::String(string) => Ok(string),
            Value::Number(number) => {
                let mut text = Vec::new();
                format::append(number, &mut text);
                let shown = self.interned_owned(text);
                self.set_slot(call.base + at, shown);
                match shown {
                    Value::String(string) => Ok(string),
                    _ => Err(self.type_error(call, at, "string")),
                }
            }
            _ => Err(self.type_error(call, at, "string")),
        }
    }

    /// Reads a copy of a string, which counts as memory meanwhile.
    pub(in crate::lua) fn with_copy<T>(
        &mut self,
        string: StringRef,
        read: impl FnOnce(&mut Self, Vec<u8>) -> Result<T, Thrown>,
    ) -> Result<T, Thrown> {
        let length = self.bytes(string).len();
        self.check_room(length)?;
        let copy = self.bytes(string).to_vec();
        self.heap.take(length as u64);
        let outcome = read(self, copy);
        self.heap.give_back(length as u64);
        outcome
    }

    /// A table.
    pub(in crate::lua) fn table_argument(&self, call: Call, at: usize) -> Result<TableRef, Thrown> {
        match self.argument(call, at) {
            Value::Table(table) => Ok(table),
            _ => Err(self.type_error(call, at, "table")),
        }
    }

    /// A function.
    pub(in crate::lua) fn function_argument(&self, call: Call, at: usize) -> Result<Value, Thrown> {
        match self.argument(call, at) {
            function @ (Value::Function(_) | Value::Native(_)) => Ok(function),
            _ => Err(self.type_error(call, at, "function")),
        }
    }

    /// The first of results that have come, or nil.
    pub(in crate::lua) fn first_result(&self, resumed: Resumed) -> Value {
        if resumed.count > 0 {
            self.slot(resumed.from)
        } else {
            Value::Nil
        }
    }

    /// Appends a value as `tostring` shows it; instead of an address it has its place in the heap.
    pub(in crate::lua) fn append_shown(&self, value: Value, out: &mut Vec<u8>) {
        let place = match value {
            Value::Nil => return out.extend_from_slice(b"nil"),
            Value::Boolean(true) => return out.extend_from_slice(b"true"),
            Value::Boolean(false) => return out.extend_from_slice(b"false"),
            Value::Number(_) | Value::String(_) => {
                self.append_text(value, out);
                return;
            }
            Value::Table(TableRef(place))
            | Value::Function(FunctionRef(place))
            | Value::Coroutine(CoroutineRef(place))
            | Value::Userdata(UserdataRef(place)) => place,
            Value::Native(NativeRef(place)) => place | 1 << 31,
        };
        let name = value.type_name();
        format::append_text(out, format_args!("{name}: 0x{place:08x}"));
    }

    /// The environment of functions that are loaded.
    pub(in crate::lua) fn environment(&self) -> TableRef {
        self.thread.has_environment.unwrap_or(self.globals)
    }

    /// Gives a table a metatable, if the script may change it.
    pub(in crate::lua) fn set_metatable(
        &mut self,
        table: TableRef,
        metatable: Option<TableRef>,
    ) -> Result<(), Thrown> {
        self.open(table)?;
        self.heap.table_mut(table).metatable = metatable;
        Ok(())
    }

    /// A new empty table.
    pub(in crate::lua) fn new_table(&mut self) -> TableRef {
        self.heap.new_table(0, 0)
    }

    /// The value of a key, metatables left out.
    pub(in crate::lua) fn raw_get(&self, table: TableRef, key: Value) -> Value {
        self.heap.table(table).get(key)
    }

    /// The length of a table.
    pub(in crate::lua) fn length(&self, table: TableRef) -> usize {
        self.heap.table(table).length()
    }

    /// The key and value behind `key` in a walk; nil begins. An error if the key is none.
    pub(in crate::lua) fn next(
        &mut self,
        table: TableRef,
        key: Value,
    ) -> Result<Option<(Value, Value)>, Thrown> {
        let Some(next) = self.heap.table(table).next(key) else {
            // The error is one of the machine, not of the function that asks.
            return Err(Thrown::Text(b"invalid key to 'next'".to_vec(), 0));
        };
        self.charge(next.passed as u64 / 16);
        Ok(next.pair)
    }
}

/// A number without its fraction, as the processors that most people have do it.
#[inline]
pub(in crate::lua) fn to_integer(number: f64) -> i64 {
    if number.is_nan()
        || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number)
    {
        return i64::MIN;
    }
    number as i64
}
