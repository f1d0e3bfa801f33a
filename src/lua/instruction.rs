//! The instructions of the machine: eight bytes each, over registers of a function's window.

/// An operand: a register below 256, and a constant from there on.
pub(in crate::lua) type Operand = u16;

/// The first operand that is a constant.
pub(in crate::lua) const FIRST_CONSTANT: Operand = 256;

/// One instruction; `a` is the register of the result where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Instruction {
    /// `a = b`
    Move { a: u8, b: u8 },
    /// `a = constant k`
    LoadConstant { a: u8, k: u32 },
    /// `a = value`; skips the next instruction if `skip`.
    LoadBoolean { a: u8, value: bool, skip: bool },
    /// `a … last = nil`
    LoadNil { a: u8, last: u8 },
    /// `a = upvalue b`
    GetUpvalue { a: u8, b: u8 },
    /// `upvalue b = a`
    SetUpvalue { a: u8, b: u8 },
    /// `a = environment[constant k]`
    GetGlobal { a: u8, k: u32 },
    /// `environment[constant k] = a`
    SetGlobal { a: u8, k: u32 },
    /// `a = b[c]`
    GetTable { a: u8, b: u8, c: Operand },
    /// `a = b[constant k]`, where the constant is a string.
    GetField { a: u8, b: u8, k: u16 },
    /// `a[b] = c`
    SetTable { a: u8, b: Operand, c: Operand },
    /// `a = {}`, with room for so many elements and fields.
    NewTable { a: u8, elements: u16, fields: u16 },
    /// `a + 1 = b; a = b[c]`
    Method { a: u8, b: u8, c: Operand },
    /// `a = b + c`
    Add { a: u8, b: Operand, c: Operand },
    /// `a = b - c`
    Subtract { a: u8, b: Operand, c: Operand },
    /// `a = b * c`
    Multiply { a: u8, b: Operand, c: Operand },
    /// `a = b / c`
    Divide { a: u8, b: Operand, c: Operand },
    /// `a = b % c`
    Modulo { a: u8, b: Operand, c: Operand },
    /// `a = b ^ c`
    Power { a: u8, b: Operand, c: Operand },
    /// `a = -b`
    Negate { a: u8, b: u8 },
    /// `a = not b`
    Not { a: u8, b: u8 },
    /// `a = #b`
    Length { a: u8, b: u8 },
    /// `a = b .. … .. c`
    Concat { a: u8, b: u8, c: u8 },
    /// Goes on `by` instructions further than the next.
    Jump { by: i32 },
    /// Skips the next instruction, a jump, if `(b == c) ~= wanted`.
    Equal {
        wanted: bool,
        b: Operand,
        c: Operand,
    },
    /// Skips the next instruction, a jump, if `(b < c) ~= wanted`.
    Less {
        wanted: bool,
        b: Operand,
        c: Operand,
    },
    /// Skips the next instruction, a jump, if `(b <= c) ~= wanted`.
    LessEqual {
        wanted: bool,
        b: Operand,
        c: Operand,
    },
    /// Skips the next instruction, a jump, if the truth of `a` is not `wanted`.
    Test { a: u8, wanted: bool },
    /// As `Test` of `b`, and `a = b` if it does not skip.
    TestSet { a: u8, b: u8, wanted: bool },
    /// Calls `a` with `b - 1` arguments behind it for `c - 1` results; 0 means all there are.
    Call { a: u8, b: u8, c: u8 },
    /// Returns what `a` returns when it is called with `b - 1` arguments.
    TailCall { a: u8, b: u8 },
    /// Returns `b - 1` values from `a` on; 0 means as many as there are.
    Return { a: u8, b: u8 },
    /// `a += a + 2`; goes on `by` further if `a` is not beyond `a + 1`, and `a + 3 = a`.
    ForLoop { a: u8, by: i32 },
    /// Checks the three numbers of a loop, and goes to its `ForLoop`.
    ForPrepare { a: u8, by: i32 },
    /// `a + 3 … = a(a + 1, a + 2)`, for `c` results.
    ForCall { a: u8, c: u8 },
    /// Skips the next instruction, a jump, if `a + 3` is nil; else `a + 2 = a + 3`.
    ForTest { a: u8 },
    /// `a[first …] = a + 1 …`, `count` values; 0 means as many as there are.
    SetList { a: u8, count: u16, first: u32 },
    /// Closes the upvalues from `a` on.
    Close { a: u8 },
    /// `a = function p`
    Closure { a: u8, p: u32 },
    /// `a … = ...`, `b - 1` values; 0 means as many as there are.
    Vararg { a: u8, b: u8 },
}

// What the machine reads most must stay small.
const _: () = assert!(size_of::<Instruction>() == 8);
