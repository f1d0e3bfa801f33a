//! The grammar of expressions.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::error::CompileError;
use super::function::Block;
use super::operand::{Binary, Expression, Kind, NO_JUMP, UNARY_PRIORITY, Unary};
use super::parser::{Parser, Place};
use super::token::Token;
use crate::lua::instruction::Instruction;

type Done = Result<(), CompileError>;
type Read = Result<Expression, CompileError>;

/// How many elements of a table are stored by one instruction.
const ELEMENTS_PER_STORE: usize = 50;

/// The room that a table asks for at most, before there is anything in it.
const ROOM_MAX: usize = 1 << 10;

impl Parser<'_> {
    /// One expression.
    pub(super) fn expression(&mut self) -> Read {
        self.subexpression(0)
    }

    /// Expressions between commas: their number, and the last; the others are in registers.
    pub(super) fn expressions(&mut self) -> Result<(usize, Expression), CompileError> {
        let mut count = 1;
        let mut last = self.expression()?;
        while self.take_byte(b',')? {
            self.to_next_register(&mut last)?;
            last = self.expression()?;
            count += 1;
        }
        Ok((count, last))
    }

    fn unary_operator(&self) -> Option<Unary> {
        match self.token {
            Token::Not => Some(Unary::Not),
            Token::Byte(b'-') => Some(Unary::Minus),
            Token::Byte(b'#') => Some(Unary::Length),
            _ => None,
        }
    }

    fn binary_operator(&self) -> Option<Binary> {
        Some(match self.token {
            Token::Byte(b'+') => Binary::Add,
            Token::Byte(b'-') => Binary::Subtract,
            Token::Byte(b'*') => Binary::Multiply,
            Token::Byte(b'/') => Binary::Divide,
            Token::Byte(b'%') => Binary::Modulo,
            Token::Byte(b'^') => Binary::Power,
            Token::Byte(b'<') => Binary::Less,
            Token::Byte(b'>') => Binary::Greater,
            Token::Concat => Binary::Concat,
            Token::NotEqual => Binary::NotEqual,
            Token::Equal => Binary::Equal,
            Token::LessEqual => Binary::LessEqual,
            Token::GreaterEqual => Binary::GreaterEqual,
            Token::And => Binary::And,
            Token::Or => Binary::Or,
            _ => return None,
        })
    }

    /// An expression whose operators bind more strongly than `limit`.
    fn subexpression(&mut self, limit: u8) -> Read {
        self.enter()?;
        let mut left = if let Some(operator) = self.unary_operator() {
            self.advance()?;
            let mut operand = self.subexpression(UNARY_PRIORITY)?;
            self.unary(operator, &mut operand)?;
            operand
        } else {
            self.simple_expression()?
        };
        while let Some(operator) = self.binary_operator() {
            let (to_left, to_right) = operator.priority();
            if to_left <= limit {
                break;
            }
            self.advance()?;
            self.before_right(operator, &mut left)?;
            let mut right = self.subexpression(to_right)?;
            self.binary(operator, &mut left, &mut right)?;
        }
        self.leave();
        Ok(left)
    }

    fn simple_expression(&mut self) -> Read {
        let expression = match &self.token {
            Token::Number(number) => Expression::new(Kind::Number(*number)),
            Token::Text(text) => {
                let text = text.clone();
                self.text(&text)?
            }
            Token::Nil => Expression::new(Kind::Nil),
            Token::True => Expression::new(Kind::True),
            Token::False => Expression::new(Kind::False),
            Token::Dots => {
                if !self.function.is_vararg {
                    return Err(self.error("cannot use '...' outside a vararg function"));
                }
                // A function that uses `...` has no `arg`.
                self.function.wants_arg = false;
                let place = self.emit(Instruction::Vararg { a: 0, b: 1 })?;
                Expression::new(Kind::Vararg(place))
            }
            Token::Byte(b'{') => return self.constructor(),
            Token::Function => {
                self.advance()?;
                let line = self.line;
                return self.body(false, line);
            }
            _ => return self.primary_expression(),
        };
        self.advance()?;
        Ok(expression)
    }

    /// A variable, by its name.
    pub(super) fn variable(&mut self) -> Read {
        let name = self.expect_name()?;
        let kind = match self.find(name)? {
            Place::Local(register) => Kind::Local(register),
            Place::Upvalue(upvalue) => Kind::Upvalue(upvalue),
            Place::Global => Kind::Global(self.text_constant(name)?),
        };
        Ok(Expression::new(kind))
    }

    fn prefix_expression(&mut self) -> Read {
        match self.token {
            Token::Byte(b'(') => {
                let line = self.line;
                self.advance()?;
                let mut expression = self.expression()?;
                self.expect_match(&Token::Byte(b')'), &Token::Byte(b'('), line)?;
                self.discharge_variables(&mut expression)?;
                Ok(expression)
            }
            Token::Name(_) => self.variable(),
            _ => Err(self.error("unexpected symbol")),
        }
    }

    /// A variable or call: a name or parentheses, and what follows them.
    pub(super) fn primary_expression(&mut self) -> Read {
        let mut expression = self.prefix_expression()?;
        loop {
            match self.token {
                Token::Byte(b'.') => self.field(&mut expression)?,
                Token::Byte(b'[') => {
                    self.to_any_register(&mut expression)?;
                    let mut key = self.bracketed()?;
                    self.index(&mut expression, &mut key)?;
                }
                Token::Byte(b':') => {
                    self.advance()?;
                    let name = self.expect_name()?;
                    let mut name = self.text(name)?;
                    self.method(&mut expression, &mut name)?;
                    self.arguments(&mut expression)?;
                }
                Token::Byte(b'(' | b'{') | Token::Text(_) => {
                    self.to_next_register(&mut expression)?;
                    self.arguments(&mut expression)?;
                }
                _ => return Ok(expression),
            }
        }
    }

    /// `.name` or `:name`, as a field.
    pub(super) fn field(&mut self, table: &mut Expression) -> Done {
        self.to_any_register(table)?;
        self.advance()?;
        let name = self.expect_name()?;
        let mut name = self.text(name)?;
        self.index(table, &mut name)
    }

    fn bracketed(&mut self) -> Read {
        self.advance()?;
        let mut key = self.expression()?;
        self.to_value(&mut key)?;
        self.expect(&Token::Byte(b']'))?;
        Ok(key)
    }

    fn arguments(&mut self, function: &mut Expression) -> Done {
        let line = self.line;
        let mut last = match &self.token {
            Token::Byte(b'(') => {
                if line != self.last_line {
                    let text = "ambiguous syntax (function call x new statement)";
                    return Err(self.error(text));
                }
                self.advance()?;
                let mut last = Expression::new(Kind::Void);
                if !self.is(b')') {
                    last = self.expressions()?.1;
                    self.set_results(&mut last, None)?;
                }
                self.expect_match(&Token::Byte(b')'), &Token::Byte(b'('), line)?;
                last
            }
            Token::Byte(b'{') => self.constructor()?,
            Token::Text(text) => {
                let text = text.clone();
                let text = self.text(&text)?;
                self.advance()?;
                text
            }
            _ => return Err(self.error("function arguments expected")),
        };
        let Kind::Register(base) = function.kind else {
            return Err(self.error("function or expression too complex"));
        };
        let count = if last.has_many_values() {
            0
        } else {
            if last.kind != Kind::Void {
                self.to_next_register(&mut last)?;
            }
            self.function.free - usize::from(base)
        };
        let b = count as u8;
        let place = self.emit(Instruction::Call { a: base, b, c: 2 })?;
        self.function.set_line(place, line);
        *function = Expression::new(Kind::Call(place));
        // The call takes function and arguments away, and leaves one result.
        self.function.free = usize::from(base) + 1;
        Ok(())
    }

    fn constructor(&mut self) -> Read {
        let line = self.line;
        let place = self.emit(Instruction::NewTable {
            a: 0,
            elements: 0,
            fields: 0,
        })?;
        let mut table = Expression::new(Kind::Relocatable(place));
        self.to_next_register(&mut table)?;
        let Kind::Register(a) = table.kind else {
            return Err(self.error("function or expression too complex"));
        };
        self.expect(&Token::Byte(b'{'))?;
        let (mut stored, mut waiting, mut fields) = (0_usize, 0_usize, 0_usize);
        let mut last = Expression::new(Kind::Void);
        while !self.is(b'}') {
            if last.kind != Kind::Void {
                self.to_next_register(&mut last)?;
                last.kind = Kind::Void;
                if waiting == ELEMENTS_PER_STORE {
                    self.set_list(a, stored, Some(waiting))?;
                    stored += waiting;
                    waiting = 0;
                }
            }
            let is_named = match self.token {
                Token::Name(_) => *self.peek()? == Token::Byte(b'='),
                Token::Byte(b'[') => true,
                _ => false,
            };
            if is_named {
                self.constructor_field(a)?;
                fields += 1;
            } else {
                last = self.expression()?;
                waiting += 1;
            }
            if !self.take_byte(b',')? && !self.take_byte(b';')? {
                break;
            }
        }
        self.expect_match(&Token::Byte(b'}'), &Token::Byte(b'{'), line)?;
        let mut elements = stored + waiting;
        if waiting > 0 {
            if last.has_many_values() {
                self.set_results(&mut last, None)?;
                self.set_list(a, stored, None)?;
                elements -= 1;
            } else {
                if last.kind != Kind::Void {
                    self.to_next_register(&mut last)?;
                }
                self.set_list(a, stored, Some(waiting))?;
            }
        }
        let (elements, fields) = (elements.min(ROOM_MAX) as u16, fields.min(ROOM_MAX) as u16);
        self.function.replace(
            place,
            Instruction::NewTable {
                a,
                elements,
                fields,
            },
        );
        Ok(table)
    }

    fn set_list(&mut self, a: u8, stored: usize, count: Option<usize>) -> Done {
        let Ok(first) = u32::try_from(stored + 1) else {
            return Err(self.error("table too long"));
        };
        let count = count.map_or(0, |count| count as u16);
        self.emit(Instruction::SetList { a, count, first })?;
        self.function.free = usize::from(a) + 1;
        Ok(())
    }

    fn constructor_field(&mut self, table: u8) -> Done {
        let free = self.function.free;
        let mut key = if let Token::Name(name) = self.token {
            self.advance()?;
            self.text(name)?
        } else {
            self.bracketed()?
        };
        self.expect(&Token::Byte(b'='))?;
        let key = self.to_operand(&mut key)?;
        let mut value = self.expression()?;
        let value = self.to_operand(&mut value)?;
        self.emit(Instruction::SetTable {
            a: table,
            b: key,
            c: value,
        })?;
        self.function.free = free;
        Ok(())
    }

    /// Parameters and body of a function; `self` comes first if it is a method.
    pub(super) fn body(&mut self, is_method: bool, line: u32) -> Read {
        self.open_function(line);
        self.expect(&Token::Byte(b'('))?;
        self.parameters(is_method)?;
        self.expect(&Token::Byte(b')'))?;
        self.chunk()?;
        let end = self.line;
        self.expect_match(&Token::End, &Token::Function, line)?;
        // The return at the end belongs to the line of `end`.
        self.function.deactivate(0);
        let place = self.emit(Instruction::Return { a: 0, b: 1 })?;
        self.function.set_line(place, end);
        let function = self.close_function();
        let prototype = Arc::new(function.finish(&self.chunk));
        let p = self.function.functions.len() as u32;
        self.function.functions.push(prototype);
        let place = self.emit(Instruction::Closure { a: 0, p })?;
        Ok(Expression::new(Kind::Relocatable(place)))
    }

    fn parameters(&mut self, is_method: bool) -> Done {
        let mut places = Vec::new();
        if is_method {
            places.push(self.new_local(b"self", 0)?);
        }
        if !self.is(b')') {
            loop {
                match self.token {
                    Token::Name(name) => {
                        self.advance()?;
                        places.push(self.new_local(name, places.len())?);
                    }
                    Token::Dots => {
                        self.advance()?;
                        self.function.is_vararg = true;
                    }
                    _ => return Err(self.error("<name> or '...' expected")),
                }
                if self.function.is_vararg || !self.take_byte(b',')? {
                    break;
                }
            }
        }
        self.function.parameters = places.len() as u8;
        if self.function.is_vararg {
            // Until `...` is seen, its values may be wanted in a table as Lua 5.0 had it.
            self.function.wants_arg = true;
            places.push(self.new_local(b"arg", places.len())?);
        }
        self.function.activate(&places);
        self.reserve(places.len())
    }

    /// A condition: the jumps that are taken if it is false.
    pub(super) fn condition(&mut self) -> Result<i32, CompileError> {
        let mut expression = self.expression()?;
        if expression.kind == Kind::Nil {
            expression.kind = Kind::False;
        }
        self.go_if_true(&mut expression)?;
        Ok(expression.if_false)
    }

    // Blocks.

    pub(super) fn open_block(&mut self, is_loop: bool) {
        let active_before = self.function.active.len();
        self.function.blocks.push(Block {
            breaks: NO_JUMP,
            active_before,
            has_upvalue: false,
            is_loop,
        });
    }

    pub(super) fn close_block(&mut self) -> Done {
        let Some(block) = self.function.blocks.pop() else {
            return Ok(());
        };
        self.function.deactivate(block.active_before);
        if block.has_upvalue {
            self.emit(Instruction::Close {
                a: block.active_before as u8,
            })?;
        }
        self.function.free = self.function.active.len();
        self.function.patch_to_here(block.breaks);
        Ok(())
    }
}
