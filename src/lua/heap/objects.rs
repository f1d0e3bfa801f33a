//! Functions and what they hold on to, as the heap keeps them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::lua::prototype::Prototype;
use crate::lua::value::{TableRef, Value};

/// A function written in Lua: code, environment and upvalues.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Closure {
    /// The place of its code.
    pub(in crate::lua) code: u32,
    pub(in crate::lua) environment: TableRef,
    /// Places of its upvalues.
    pub(in crate::lua) upvalues: Box<[u32]>,
    pub(in crate::lua) shape: Shape,
}

impl Default for Closure {
    fn default() -> Self {
        Self {
            code: 0,
            environment: TableRef(0),
            upvalues: Box::default(),
            shape: Shape::default(),
        }
    }
}

/// The facts of a function's code that a call has to know.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lua) struct Shape {
    pub(in crate::lua) parameters: u8,
    pub(in crate::lua) registers: u8,
    pub(in crate::lua) is_vararg: bool,
    pub(in crate::lua) wants_arg: bool,
}

/// A variable that functions share.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) enum Upvalue {
    /// Still a local of a function that runs.
    Open { thread: u32, slot: u32 },
    /// The value that outlived its function.
    Closed(Value),
}

impl Default for Upvalue {
    fn default() -> Self {
        Upvalue::Closed(Value::Nil)
    }
}

/// The code of a native function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Body {
    /// A function of a library, by its place among the definitions.
    Library(u16),
    /// A function of the host, by its number.
    Host(u32),
}

/// A function of a library or of the host.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Native {
    pub(in crate::lua) body: Body,
    pub(in crate::lua) upvalues: Box<[Value]>,
}

impl Default for Native {
    fn default() -> Self {
        Self {
            body: Body::Library(0),
            upvalues: Box::default(),
        }
    }
}

/// A value that has a metatable and nothing else.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Userdata {
    pub(in crate::lua) metatable: Option<TableRef>,
}

/// Code with its constants in this heap.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Code {
    pub(in crate::lua) prototype: Arc<Prototype>,
    pub(in crate::lua) constants: Vec<Value>,
    /// Places of the code of functions within.
    pub(in crate::lua) functions: Vec<u32>,
}

impl Code {
    /// The memory that is reckoned for it.
    pub(in crate::lua) fn bytes(&self) -> u64 {
        128 + 16 * self.constants.len() as u64 + 12 * self.prototype.code.len() as u64
    }

    pub(in crate::lua) fn shape(&self) -> Shape {
        Shape {
            parameters: self.prototype.parameters,
            registers: self.prototype.registers,
            is_vararg: self.prototype.is_vararg,
            wants_arg: self.prototype.wants_arg,
        }
    }
}
