//! Operators: arithmetic, comparison, logic, and what of it is computed while compiling.

use super::error::CompileError;
use super::function::ConstantKey;
use super::operand::{Binary, Expression, Kind, Unary};
use super::parser::Parser;
use crate::lua::instruction::{Instruction, Operand};
use crate::lua::number::arithmetic;

type Done = Result<(), CompileError>;

impl Parser<'_> {
    /// Jumps if the value is false, and goes on if it is true.
    pub(super) fn go_if_true(&mut self, expression: &mut Expression) -> Done {
        self.discharge_variables(expression)?;
        let jump = match expression.kind {
            Kind::Constant(_) | Kind::Number(_) | Kind::True => super::operand::NO_JUMP,
            Kind::Jump(place) => {
                self.invert(place);
                place as i32
            }
            _ => self.jump_on(expression, false)?,
        };
        let mut list = expression.if_false;
        self.function.join(&mut list, jump);
        expression.if_false = list;
        let if_true = expression.if_true;
        self.function.patch_to_here(if_true);
        expression.if_true = super::operand::NO_JUMP;
        Ok(())
    }

    /// Jumps if the value is true, and goes on if it is false.
    pub(super) fn go_if_false(&mut self, expression: &mut Expression) -> Done {
        self.discharge_variables(expression)?;
        let jump = match expression.kind {
            Kind::Nil | Kind::False => super::operand::NO_JUMP,
            Kind::Jump(place) => place as i32,
            _ => self.jump_on(expression, true)?,
        };
        let mut list = expression.if_true;
        self.function.join(&mut list, jump);
        expression.if_true = list;
        let if_false = expression.if_false;
        self.function.patch_to_here(if_false);
        expression.if_false = super::operand::NO_JUMP;
        Ok(())
    }

    /// Lets the comparison before a jump decide the other way round.
    fn invert(&mut self, place: usize) {
        use Instruction as I;
        let control = self.function.control_of(place);
        let inverted = match self.function.at(control) {
            Some(I::Equal { wanted, b, c }) => I::Equal {
                wanted: !wanted,
                b,
                c,
            },
            Some(I::Less { wanted, b, c }) => I::Less {
                wanted: !wanted,
                b,
                c,
            },
            Some(I::LessEqual { wanted, b, c }) => I::LessEqual {
                wanted: !wanted,
                b,
                c,
            },
            _ => return,
        };
        self.function.replace(control, inverted);
    }

    fn jump_on(&mut self, expression: &mut Expression, wanted: bool) -> Result<i32, CompileError> {
        if let Kind::Relocatable(place) = expression.kind
            && let Some(Instruction::Not { b, .. }) = self.function.at(place)
        {
            self.function.drop_last();
            self.emit(Instruction::Test {
                a: b,
                wanted: !wanted,
            })?;
            return Ok(self.jump());
        }
        if !matches!(expression.kind, Kind::Register(_)) {
            self.reserve(1)?;
            let register = (self.function.free - 1) as u8;
            let jumps = (expression.if_true, expression.if_false);
            let mut plain = Expression::new(expression.kind);
            self.to_register(&mut plain, register)?;
            *expression = plain;
            (expression.if_true, expression.if_false) = jumps;
        }
        self.release_expression(expression);
        let Kind::Register(b) = expression.kind else {
            return Ok(self.jump());
        };
        // The register is set when the value turns out to be wanted.
        self.emit(Instruction::TestSet {
            a: u8::MAX,
            b,
            wanted,
        })?;
        Ok(self.jump())
    }

    fn negate_truth(&mut self, expression: &mut Expression) -> Done {
        self.discharge_variables(expression)?;
        match expression.kind {
            Kind::Nil | Kind::False => expression.kind = Kind::True,
            Kind::Constant(_) | Kind::Number(_) | Kind::True => expression.kind = Kind::False,
            Kind::Jump(place) => self.invert(place),
            Kind::Relocatable(_) | Kind::Register(_) => {
                let mut plain = Expression::new(expression.kind);
                let b = self.to_any_register(&mut plain)?;
                self.release_expression(&plain);
                let place = self.emit(Instruction::Not { a: 0, b })?;
                expression.kind = Kind::Relocatable(place);
            }
            _ => {}
        }
        core::mem::swap(&mut expression.if_true, &mut expression.if_false);
        let (if_true, if_false) = (expression.if_true, expression.if_false);
        self.function.remove_values(if_false);
        self.function.remove_values(if_true);
        Ok(())
    }

    /// Applies an operator of one operand.
    pub(super) fn unary(&mut self, operator: Unary, expression: &mut Expression) -> Done {
        let b = match operator {
            Unary::Not => return self.negate_truth(expression),
            Unary::Minus => {
                if let Some(number) = expression.is_numeral() {
                    expression.kind = Kind::Number(-number);
                    return Ok(());
                }
                self.to_any_register(expression)?
            }
            Unary::Length => self.to_any_register(expression)?,
        };
        self.release_expression(expression);
        let place = self.emit(match operator {
            Unary::Minus => Instruction::Negate { a: 0, b },
            Unary::Not | Unary::Length => Instruction::Length { a: 0, b },
        })?;
        *expression = Expression::new(Kind::Relocatable(place));
        Ok(())
    }

    /// Prepares the left operand before the right one is read.
    pub(super) fn before_right(&mut self, operator: Binary, left: &mut Expression) -> Done {
        match operator {
            Binary::And => self.go_if_true(left),
            Binary::Or => self.go_if_false(left),
            Binary::Concat => self.to_next_register(left),
            _ if left.is_numeral().is_some() && is_arithmetic(operator) => Ok(()),
            _ => self.to_operand(left).map(|_| ()),
        }
    }

    /// Applies an operator of two operands.
    pub(super) fn binary(
        &mut self,
        operator: Binary,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Done {
        match operator {
            Binary::And => {
                self.discharge_variables(right)?;
                let mut list = right.if_false;
                self.function.join(&mut list, left.if_false);
                right.if_false = list;
                *left = *right;
                Ok(())
            }
            Binary::Or => {
                self.discharge_variables(right)?;
                let mut list = right.if_true;
                self.function.join(&mut list, left.if_true);
                right.if_true = list;
                *left = *right;
                Ok(())
            }
            Binary::Concat => self.concat(left, right),
            Binary::NotEqual => self.compare(operator, false, left, right),
            Binary::Equal | Binary::Less | Binary::LessEqual => {
                self.compare(operator, true, left, right)
            }
            Binary::Greater => self.compare(Binary::Less, true, right, left).map(|()| {
                *left = *right;
            }),
            Binary::GreaterEqual => self
                .compare(Binary::LessEqual, true, right, left)
                .map(|()| {
                    *left = *right;
                }),
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Modulo
            | Binary::Power => self.arithmetic(operator, left, right),
        }
    }

    fn concat(&mut self, left: &mut Expression, right: &mut Expression) -> Done {
        self.to_value(right)?;
        let Kind::Register(first) = left.kind else {
            return Err(self.error("function or expression too complex"));
        };
        if let Kind::Relocatable(place) = right.kind
            && let Some(Instruction::Concat { a, b, c }) = self.function.at(place)
            && b == first + 1
        {
            self.release_expression(left);
            self.function
                .replace(place, Instruction::Concat { a, b: first, c });
            left.kind = Kind::Relocatable(place);
            return Ok(());
        }
        self.to_next_register(right)?;
        let last = self.to_any_register(right)?;
        self.release_both(Operand::from(first), Operand::from(last));
        let place = self.emit(Instruction::Concat {
            a: 0,
            b: first,
            c: last,
        })?;
        *left = Expression::new(Kind::Relocatable(place));
        Ok(())
    }

    /// Gives back the registers of two operands, the higher one first.
    fn release_both(&mut self, one: Operand, other: Operand) {
        self.release_operand(one.max(other));
        self.release_operand(one.min(other));
    }

    fn arithmetic(
        &mut self,
        operator: Binary,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Done {
        if let (Some(one), Some(other)) = (left.is_numeral(), right.is_numeral())
            && let Some(folded) = fold(operator, one, other)
        {
            left.kind = Kind::Number(folded);
            return Ok(());
        }
        let c = self.to_operand(right)?;
        let b = self.to_operand(left)?;
        self.release_both(b, c);
        let a = 0;
        let place = self.emit(match operator {
            Binary::Add => Instruction::Add { a, b, c },
            Binary::Subtract => Instruction::Subtract { a, b, c },
            Binary::Multiply => Instruction::Multiply { a, b, c },
            Binary::Divide => Instruction::Divide { a, b, c },
            Binary::Modulo => Instruction::Modulo { a, b, c },
            _ => Instruction::Power { a, b, c },
        })?;
        *left = Expression::new(Kind::Relocatable(place));
        Ok(())
    }

    fn compare(
        &mut self,
        operator: Binary,
        wanted: bool,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Done {
        // The one that was read last is released first; the other is an operand already.
        let (b, c) = (self.to_operand(left)?, self.to_operand(right)?);
        self.release_both(b, c);
        self.emit(match operator {
            Binary::Less => Instruction::Less { wanted, b, c },
            Binary::LessEqual => Instruction::LessEqual { wanted, b, c },
            _ => Instruction::Equal { wanted, b, c },
        })?;
        let jump = self.jump();
        *left = Expression::new(Kind::Jump(jump as usize));
        Ok(())
    }

    /// The constant of a text, as an expression.
    pub(super) fn text(&mut self, text: &[u8]) -> Result<Expression, CompileError> {
        let k = self.constant(ConstantKey::String(text.into()))?;
        Ok(Expression::new(Kind::Constant(k)))
    }
}

fn is_arithmetic(operator: Binary) -> bool {
    matches!(
        operator,
        Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Modulo
            | Binary::Power
    )
}

/// The result of arithmetic on constants; none where it would be no number, or divides by zero.
fn fold(operator: Binary, one: f64, other: f64) -> Option<f64> {
    let result = match operator {
        Binary::Add => one + other,
        Binary::Subtract => one - other,
        Binary::Multiply => one * other,
        Binary::Divide if other != 0.0 => one / other,
        Binary::Modulo if other != 0.0 => arithmetic::modulo(one, other),
        Binary::Power => arithmetic::power(one, other),
        _ => return None,
    };
    (!result.is_nan()).then_some(result)
}
