//! Compiled code that belongs to no machine: instructions, constants, and names for errors.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::instruction::Instruction;

/// A constant of a function.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::lua) enum Constant {
    Nil,
    Boolean(bool),
    Number(f64),
    String(Box<[u8]>),
}

/// The variable that a new closure takes as one of its upvalues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Capture {
    /// A register of the function that makes the closure.
    Local(u8),
    /// An upvalue of the function that makes the closure.
    Upvalue(u8),
}

/// A local variable's name, and the instructions between which it lives.
#[derive(Clone, Debug)]
pub(in crate::lua) struct LocalName {
    pub(in crate::lua) name: Box<[u8]>,
    pub(in crate::lua) from: u32,
    pub(in crate::lua) to: u32,
}

/// One function's code.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Prototype {
    pub(in crate::lua) chunk: Arc<str>,
    pub(in crate::lua) code: Vec<Instruction>,
    pub(in crate::lua) lines: Vec<u32>,
    pub(in crate::lua) constants: Vec<Constant>,
    pub(in crate::lua) functions: Vec<Arc<Prototype>>,
    pub(in crate::lua) captures: Vec<Capture>,
    pub(in crate::lua) locals: Vec<LocalName>,
    pub(in crate::lua) upvalue_names: Vec<Box<[u8]>>,
    pub(in crate::lua) parameters: u8,
    pub(in crate::lua) is_vararg: bool,
    /// True if the function has a local `arg` that wants a table of its further arguments.
    pub(in crate::lua) wants_arg: bool,
    /// How many registers the function uses.
    pub(in crate::lua) registers: u8,
}

impl Prototype {
    /// The memory that the code takes, reckoned alike on every platform; functions within it too.
    pub(in crate::lua) fn bytes(&self) -> usize {
        let strings = self.constants.iter().map(|constant| match constant {
            Constant::String(bytes) => 40 + bytes.len(),
            Constant::Nil | Constant::Boolean(_) | Constant::Number(_) => 16,
        });
        let names = self.locals.iter().map(|local| 32 + local.name.len());
        let within = self.functions.iter().map(|function| function.bytes());
        128 + self.code.len() * 12
            + strings.sum::<usize>()
            + names.sum::<usize>()
            + within.sum::<usize>()
    }
}

/// A compiled chunk, which any machine can load; clones share it.
#[derive(Clone, Debug)]
pub struct Program {
    pub(in crate::lua) main: Arc<Prototype>,
}

impl Program {
    /// The memory that the code takes, reckoned alike on every platform.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.main.bytes()
    }
}
