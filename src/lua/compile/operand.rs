//! Expressions that are not yet in a register, and the operators that join them.

use crate::lua::instruction::Operand;

/// The end of a list of jumps.
pub(super) const NO_JUMP: i32 = -1;

/// The form in which an expression's value stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// No value: the list of expressions was empty.
    Void,
    Nil,
    True,
    False,
    Number(f64),
    Constant(u32),
    /// A local variable's register.
    Local(u8),
    Upvalue(u8),
    /// A global variable, by the constant of its name.
    Global(u32),
    Indexed {
        table: u8,
        key: Operand,
    },
    /// The jump behind a comparison.
    Jump(usize),
    /// The instruction whose result may go to any register.
    Relocatable(usize),
    /// A register that holds the value and nothing else.
    Register(u8),
    Call(usize),
    Vararg(usize),
}

/// An expression under way: its value, and the jumps out of it when it is true or false.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expression {
    pub(super) kind: Kind,
    pub(super) if_true: i32,
    pub(super) if_false: i32,
}

impl Expression {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            if_true: NO_JUMP,
            if_false: NO_JUMP,
        }
    }

    pub(super) fn has_jumps(&self) -> bool {
        self.if_true != self.if_false
    }

    pub(super) fn is_numeral(&self) -> Option<f64> {
        match self.kind {
            Kind::Number(number) if self.if_true == NO_JUMP && self.if_false == NO_JUMP => {
                Some(number)
            }
            _ => None,
        }
    }

    pub(super) fn has_many_values(&self) -> bool {
        matches!(self.kind, Kind::Call(_) | Kind::Vararg(_))
    }
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Concat,
    NotEqual,
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl Binary {
    /// How strongly the operator binds to its left and to its right.
    pub(super) fn priority(self) -> (u8, u8) {
        match self {
            Binary::Or => (1, 1),
            Binary::And => (2, 2),
            Binary::NotEqual
            | Binary::Equal
            | Binary::Less
            | Binary::LessEqual
            | Binary::Greater
            | Binary::GreaterEqual => (3, 3),
            Binary::Concat => (5, 4),
            Binary::Add | Binary::Subtract => (6, 6),
            Binary::Multiply | Binary::Divide | Binary::Modulo => (7, 7),
            Binary::Power => (10, 9),
        }
    }
}

/// How strongly an operator of one operand binds.
pub(super) const UNARY_PRIORITY: u8 = 8;

/// An operator of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Minus,
    Not,
    Length,
}
