//! Values of Lua as small copies: numbers in place, everything else by its place in the heap.

/// A string's place in the heap; equal strings have one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StringRef(pub(in crate::lua) u32);

/// A table's place in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableRef(pub(in crate::lua) u32);

/// The place of a function written in Lua.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionRef(pub(in crate::lua) u32);

/// The place of a function of a library or of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NativeRef(pub(in crate::lua) u32);

/// A coroutine's place in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoroutineRef(pub(in crate::lua) u32);

/// The place of a userdata, which has a metatable and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserdataRef(pub(in crate::lua) u32);

/// One value; `==` is Lua's raw equality, by which NaN differs from itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value {
    /// The absence of a value.
    #[default]
    Nil,
    /// True or false.
    Boolean(bool),
    /// The one kind of number of Lua 5.1.
    Number(f64),
    /// Bytes that never change.
    String(StringRef),
    /// A table.
    Table(TableRef),
    /// A function written in Lua.
    Function(FunctionRef),
    /// A function of a library or of the host.
    Native(NativeRef),
    /// A coroutine.
    Coroutine(CoroutineRef),
    /// A value of `newproxy`, and the null of a library.
    Userdata(UserdataRef),
}

impl Value {
    /// Returns true for all but nil and false.
    #[inline]
    #[must_use]
    pub fn is_true(self) -> bool {
        !matches!(self, Value::Nil | Value::Boolean(false))
    }

    /// Returns true if this is nil.
    #[inline]
    #[must_use]
    pub fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The name of the value's type, as `type` gives it.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Boolean(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Table(_) => "table",
            Value::Function(_) | Value::Native(_) => "function",
            Value::Coroutine(_) => "thread",
            Value::Userdata(_) => "userdata",
        }
    }
}
