//! Values of expressions on their way into registers, operands and variables.

use super::error::CompileError;
use super::function::ConstantKey;
use super::operand::{Expression, Kind, NO_JUMP};
use super::parser::Parser;
use crate::lua::instruction::{FIRST_CONSTANT, Instruction, Operand};

type Done = Result<(), CompileError>;

/// The greatest constant that an operand can name.
const OPERAND_CONSTANT_MAX: u32 = (Operand::MAX - FIRST_CONSTANT) as u32;

impl Parser<'_> {
    /// Gives back the register of an expression, if it has one of its own.
    pub(super) fn release_expression(&mut self, expression: &Expression) {
        if let Kind::Register(register) = expression.kind {
            self.release(register);
        }
    }

    pub(super) fn release_operand(&mut self, operand: Operand) {
        if operand < FIRST_CONSTANT {
            self.release(operand as u8);
        }
    }

    /// Lets a call or `...` give `results` values; none means as many as there are.
    pub(super) fn set_results(&mut self, expression: &mut Expression, results: Option<u8>) -> Done {
        let wanted = results.map_or(0, |results| results.saturating_add(1));
        match expression.kind {
            Kind::Call(place) => {
                if let Some(Instruction::Call { a, b, .. }) = self.function.at(place) {
                    let instruction = Instruction::Call { a, b, c: wanted };
                    self.function.replace(place, instruction);
                }
            }
            Kind::Vararg(place) => {
                let a = self.function.free as u8;
                self.function
                    .replace(place, Instruction::Vararg { a, b: wanted });
                self.reserve(1)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets a call or `...` give one value.
    pub(super) fn set_one_result(&mut self, expression: &mut Expression) {
        match expression.kind {
            Kind::Call(place) => {
                if let Some(Instruction::Call { a, .. }) = self.function.at(place) {
                    expression.kind = Kind::Register(a);
                }
            }
            Kind::Vararg(place) => {
                self.function
                    .replace(place, Instruction::Vararg { a: 0, b: 2 });
                expression.kind = Kind::Relocatable(place);
            }
            _ => {}
        }
    }

    /// Turns variables into values that stand in a register or can be brought into one.
    pub(super) fn discharge_variables(&mut self, expression: &mut Expression) -> Done {
        match expression.kind {
            Kind::Local(register) => expression.kind = Kind::Register(register),
            Kind::Upvalue(b) => {
                let place = self.emit(Instruction::GetUpvalue { a: 0, b })?;
                expression.kind = Kind::Relocatable(place);
            }
            Kind::Global(k) => {
                let place = self.emit(Instruction::GetGlobal { a: 0, k })?;
                expression.kind = Kind::Relocatable(place);
            }
            Kind::Indexed { table, key } => {
                self.release_operand(key);
                self.release(table);
                let k = key.wrapping_sub(FIRST_CONSTANT);
                let is_field =
                    key >= FIRST_CONSTANT && self.function.constant_is_text(u32::from(k));
                let place = self.emit(if is_field {
                    Instruction::GetField { a: 0, b: table, k }
                } else {
                    Instruction::GetTable {
                        a: 0,
                        b: table,
                        c: key,
                    }
                })?;
                expression.kind = Kind::Relocatable(place);
            }
            Kind::Call(_) | Kind::Vararg(_) => self.set_one_result(expression),
            _ => {}
        }
        Ok(())
    }

    /// Brings the value into `a`, jumps left out.
    fn discharge_to(&mut self, expression: &mut Expression, a: u8) -> Done {
        self.discharge_variables(expression)?;
        match expression.kind {
            Kind::Nil => self.emit_nil(a, 1)?,
            Kind::False | Kind::True => {
                let value = expression.kind == Kind::True;
                self.emit(Instruction::LoadBoolean {
                    a,
                    value,
                    skip: false,
                })?;
            }
            Kind::Constant(k) => {
                self.emit(Instruction::LoadConstant { a, k })?;
            }
            Kind::Number(number) => {
                let k = self.constant(ConstantKey::Number(number.to_bits()))?;
                self.emit(Instruction::LoadConstant { a, k })?;
            }
            Kind::Relocatable(place) => self.relocate(place, a),
            Kind::Register(b) => {
                if a != b {
                    self.emit(Instruction::Move { a, b })?;
                }
            }
            _ => return Ok(()),
        }
        expression.kind = Kind::Register(a);
        Ok(())
    }

    /// Lets the instruction at `place` give its result to `a`.
    fn relocate(&mut self, place: usize, a: u8) {
        use Instruction as I;
        let Some(instruction) = self.function.at(place) else {
            return;
        };
        let moved = match instruction {
            I::GetUpvalue { b, .. } => I::GetUpvalue { a, b },
            I::GetGlobal { k, .. } => I::GetGlobal { a, k },
            I::GetTable { b, c, .. } => I::GetTable { a, b, c },
            I::GetField { b, k, .. } => I::GetField { a, b, k },
            I::NewTable {
                elements, fields, ..
            } => I::NewTable {
                a,
                elements,
                fields,
            },
            I::Add { b, c, .. } => I::Add { a, b, c },
            I::Subtract { b, c, .. } => I::Subtract { a, b, c },
            I::Multiply { b, c, .. } => I::Multiply { a, b, c },
            I::Divide { b, c, .. } => I::Divide { a, b, c },
            I::Modulo { b, c, .. } => I::Modulo { a, b, c },
            I::Power { b, c, .. } => I::Power { a, b, c },
            I::Negate { b, .. } => I::Negate { a, b },
            I::Not { b, .. } => I::Not { a, b },
            I::Length { b, .. } => I::Length { a, b },
            I::Concat { b, c, .. } => I::Concat { a, b, c },
            I::Closure { p, .. } => I::Closure { a, p },
            I::Vararg { b, .. } => I::Vararg { a, b },
            other => other,
        };
        self.function.replace(place, moved);
    }

    /// Sets `count` registers from `from` on to nil.
    pub(super) fn emit_nil(&mut self, from: u8, count: u8) -> Done {
        let last = from + (count - 1);
        if !self.function.is_target() {
            let here = self.function.here();
            if let Some(Instruction::LoadNil { a, last: old }) = self.function.last()
                && a <= from
                && u16::from(from) <= u16::from(old) + 1
            {
                if last > old {
                    self.function
                        .replace(here - 1, Instruction::LoadNil { a, last });
                }
                return Ok(());
            }
        }
        self.emit(Instruction::LoadNil { a: from, last })?;
        Ok(())
    }

    /// Brings the value into `register`, with all jumps out of it.
    pub(super) fn to_register(&mut self, expression: &mut Expression, register: u8) -> Done {
        self.discharge_to(expression, register)?;
        if let Kind::Jump(place) = expression.kind {
            let mut list = expression.if_true;
            self.function.join(&mut list, place as i32);
            expression.if_true = list;
        }
        if expression.has_jumps() {
            let (mut at_false, mut at_true) = (0, 0);
            if self.function.needs_value(expression.if_true)
                || self.function.needs_value(expression.if_false)
            {
                let over = match expression.kind {
                    Kind::Jump(_) => NO_JUMP,
                    _ => self.jump(),
                };
                at_false = self.label_boolean(register, false, true)?;
                at_true = self.label_boolean(register, true, false)?;
                self.function.patch_to_here(over);
            }
            let end = self.function.label();
            let (if_false, if_true) = (expression.if_false, expression.if_true);
            self.function
                .patch_list_aux(if_false, end, Some(register), at_false);
            self.function
                .patch_list_aux(if_true, end, Some(register), at_true);
        }
        *expression = Expression::new(Kind::Register(register));
        Ok(())
    }

    fn label_boolean(&mut self, a: u8, value: bool, skip: bool) -> Result<usize, CompileError> {
        self.function.label();
        self.emit(Instruction::LoadBoolean { a, value, skip })
    }

    /// Brings the value into the next free register.
    pub(super) fn to_next_register(&mut self, expression: &mut Expression) -> Done {
        self.discharge_variables(expression)?;
        self.release_expression(expression);
        self.reserve(1)?;
        let register = (self.function.free - 1) as u8;
        self.to_register(expression, register)
    }

    /// Brings the value into some register.
    pub(super) fn to_any_register(
        &mut self,
        expression: &mut Expression,
    ) -> Result<u8, CompileError> {
        self.discharge_variables(expression)?;
        if let Kind::Register(register) = expression.kind {
            if !expression.has_jumps() {
                return Ok(register);
            }
            if usize::from(register) >= self.function.active.len() {
                self.to_register(expression, register)?;
                return Ok(register);
            }
        }
        self.to_next_register(expression)?;
        match expression.kind {
            Kind::Register(register) => Ok(register),
            _ => Err(self.error("function or expression too complex")),
        }
    }

    /// Brings the value into a register, or leaves it a constant.
    pub(super) fn to_value(&mut self, expression: &mut Expression) -> Done {
        if expression.has_jumps() {
            self.to_any_register(expression)?;
            return Ok(());
        }
        self.discharge_variables(expression)
    }

    /// The operand that names the value.
    pub(super) fn to_operand(
        &mut self,
        expression: &mut Expression,
    ) -> Result<Operand, CompileError> {
        self.to_value(expression)?;
        let key = match expression.kind {
            Kind::Nil => Some(ConstantKey::Nil),
            Kind::True => Some(ConstantKey::Boolean(true)),
            Kind::False => Some(ConstantKey::Boolean(false)),
            Kind::Number(number) => Some(ConstantKey::Number(number.to_bits())),
            _ => None,
        };
        if !expression.has_jumps() {
            if let Some(key) = key {
                expression.kind = Kind::Constant(self.constant(key)?);
            }
            if let Kind::Constant(k) = expression.kind
                && k <= OPERAND_CONSTANT_MAX
            {
                return Ok(FIRST_CONSTANT + k as Operand);
            }
        }
        Ok(Operand::from(self.to_any_register(expression)?))
    }

    /// Stores a value into a variable.
    pub(super) fn store(&mut self, variable: &Expression, value: &mut Expression) -> Done {
        match variable.kind {
            Kind::Local(register) => {
                self.release_expression(value);
                return self.to_register(value, register);
            }
            Kind::Upvalue(b) => {
                let a = self.to_any_register(value)?;
                self.emit(Instruction::SetUpvalue { a, b })?;
            }
            Kind::Global(k) => {
                let a = self.to_any_register(value)?;
                self.emit(Instruction::SetGlobal { a, k })?;
            }
            Kind::Indexed { table, key } => {
                let c = self.to_operand(value)?;
                self.emit(Instruction::SetTable {
                    a: table,
                    b: key,
                    c,
                })?;
            }
            _ => {}
        }
        self.release_expression(value);
        Ok(())
    }

    /// `value[key]`, whose key is brought into place.
    pub(super) fn index(&mut self, table: &mut Expression, key: &mut Expression) -> Done {
        let key = self.to_operand(key)?;
        if let Kind::Register(register) = table.kind {
            table.kind = Kind::Indexed {
                table: register,
                key,
            };
        }
        Ok(())
    }

    /// `object:name`, brought into two registers.
    pub(super) fn method(&mut self, object: &mut Expression, name: &mut Expression) -> Done {
        let b = self.to_any_register(object)?;
        self.release_expression(object);
        let a = self.function.free as u8;
        self.reserve(2)?;
        let c = self.to_operand(name)?;
        self.emit(Instruction::Method { a, b, c })?;
        self.release_expression(name);
        object.kind = Kind::Register(a);
        Ok(())
    }
}
