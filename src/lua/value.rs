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

/// The names of types.
pub(in crate::lua) const TYPE_NAMES: [&str; 8] = [
    "nil", "boolean", "number", "string", "table", "function", "thread", "userdata",
];

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
        TYPE_NAMES[self.type_place()]
    }

    /// The place of that name among all.
    #[inline]
    pub(in crate::lua) fn type_place(self) -> usize {
        match self {
            Value::Nil => 0,
            Value::Boolean(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Table(_) => 4,
            Value::Function(_) | Value::Native(_) => 5,
            Value::Coroutine(_) => 6,
            Value::Userdata(_) => 7,
        }
    }
}
