//! The grammar of statements.

use alloc::vec::Vec;

use super::error::CompileError;
use super::operand::{Expression, Kind, NO_JUMP};
use super::parser::Parser;
use super::token::Token;
use crate::lua::instruction::{FIRST_CONSTANT, Instruction};

type Done = Result<(), CompileError>;

/// The most variables on the left of one assignment.
const TARGETS_MAX: usize = 200;

impl Parser<'_> {
    /// Statements up to the end of the block.
    pub(super) fn chunk(&mut self) -> Done {
        self.enter()?;
        let mut is_last = false;
        while !is_last && !self.block_follows() {
            is_last = self.statement()?;
            self.take_byte(b';')?;
            self.function.free = self.function.active.len();
        }
        self.leave();
        Ok(())
    }

    fn block_follows(&self) -> bool {
        matches!(
            self.token,
            Token::Else | Token::Elseif | Token::End | Token::EndOfSource | Token::Until
        )
    }

    fn block(&mut self) -> Done {
        self.open_block(false);
        self.chunk()?;
        self.close_block()
    }

    /// One statement; true if it must be the last of its block.
    fn statement(&mut self) -> Result<bool, CompileError> {
        let line = self.line;
        match self.token {
            Token::If => self.if_statement(line)?,
            Token::While => self.while_statement(line)?,
            Token::Do => {
                self.advance()?;
                self.block()?;
                self.expect_match(&Token::End, &Token::Do, line)?;
            }
            Token::For => self.for_statement(line)?,
            Token::Repeat => self.repeat_statement(line)?,
            Token::Function => self.function_statement(line)?,
            Token::Local => {
                self.advance()?;
                if self.take(&Token::Function)? {
                    self.local_function()?;
                } else {
                    self.local_statement()?;
                }
            }
            Token::Return => {
                self.return_statement()?;
                return Ok(true);
            }
            Token::Break => {
                self.advance()?;
                self.break_statement()?;
                return Ok(true);
            }
            _ => self.expression_statement()?,
        }
        Ok(false)
    }

    fn if_statement(&mut self, line: u32) -> Done {
        let mut ends = NO_JUMP;
        let mut otherwise = self.test_then_block()?;
        while self.token == Token::Elseif {
            // The list that is short is the one that is walked.
            let mut jump = self.jump();
            self.function.join(&mut jump, ends);
            ends = jump;
            self.function.patch_to_here(otherwise);
            otherwise = self.test_then_block()?;
        }
        if self.token == Token::Else {
            let jump = self.jump();
            self.function.join(&mut ends, jump);
            self.function.patch_to_here(otherwise);
            self.advance()?;
            self.block()?;
        } else {
            self.function.join(&mut ends, otherwise);
        }
        self.function.patch_to_here(ends);
        self.expect_match(&Token::End, &Token::If, line)
    }

    fn test_then_block(&mut self) -> Result<i32, CompileError> {
        self.advance()?;
        let otherwise = self.condition()?;
        self.expect(&Token::Then)?;
        self.block()?;
        Ok(otherwise)
    }

    fn while_statement(&mut self, line: u32) -> Done {
        self.advance()?;
        let start = self.function.label();
        let exit = self.condition()?;
        self.open_block(true);
        self.expect(&Token::Do)?;
        self.block()?;
        let back = self.jump();
        self.function.patch_list(back, start);
        self.expect_match(&Token::End, &Token::While, line)?;
        self.close_block()?;
        self.function.patch_to_here(exit);
        Ok(())
    }

    fn repeat_statement(&mut self, line: u32) -> Done {
        let start = self.function.label();
        self.open_block(true);
        self.open_block(false);
        self.advance()?;
        self.chunk()?;
        self.expect_match(&Token::Until, &Token::Repeat, line)?;
        // The condition sees the locals of the block.
        let exit = self.condition()?;
        if self
            .function
            .blocks
            .last()
            .is_some_and(|block| block.has_upvalue)
        {
            // Both ways out close the upvalues: that of `break`, and that back to the start.
            self.break_statement()?;
            self.function.patch_to_here(exit);
            self.close_block()?;
            let back = self.jump();
            self.function.patch_list(back, start);
        } else {
            self.close_block()?;
            self.function.patch_list(exit, start);
        }
        self.close_block()
    }

    fn break_statement(&mut self) -> Done {
        let mut has_upvalue = false;
        let mut found = None;
        for (at, block) in self.function.blocks.iter().enumerate().rev() {
            if block.is_loop {
                found = Some((at, block.active_before));
                break;
            }
            has_upvalue |= block.has_upvalue;
        }
        let Some((at, active_before)) = found else {
            return Err(self.error("no loop to break"));
        };
        if has_upvalue {
            self.emit(Instruction::Close {
                a: active_before as u8,
            })?;
        }
        let mut jump = self.jump();
        let breaks = self
            .function
            .blocks
            .get(at)
            .map_or(NO_JUMP, |block| block.breaks);
        self.function.join(&mut jump, breaks);
        if let Some(block) = self.function.blocks.get_mut(at) {
            block.breaks = jump;
        }
        Ok(())
    }

    fn for_statement(&mut self, line: u32) -> Done {
        self.open_block(true);
        self.advance()?;
        let name = self.expect_name()?;
        match self.token {
            Token::Byte(b'=') => self.numeric_for(name, line)?,
            Token::Byte(b',') | Token::In => self.generic_for(name)?,
            _ => return Err(self.error("'=' or 'in' expected")),
        }
        self.expect_match(&Token::End, &Token::For, line)?;
        self.close_block()
    }

    fn numeric_for(&mut self, name: &[u8], line: u32) -> Done {
        let base = self.function.free as u8;
        let hidden: [&[u8]; 3] = [b"(for index)", b"(for limit)", b"(for step)"];
        let mut control = Vec::new();
        for hidden in hidden {
            control.push(self.new_local(hidden, control.len())?);
        }
        let named = self.new_local(name, 3)?;
        self.advance()?;
        self.for_number()?;
        self.expect(&Token::Byte(b','))?;
        self.for_number()?;
        if self.take_byte(b',')? {
            self.for_number()?;
        } else {
            let mut one = Expression::new(Kind::Number(1.0));
            self.to_next_register(&mut one)?;
        }
        self.function.activate(&control);
        self.expect(&Token::Do)?;
        let prepare = self.emit(Instruction::ForPrepare { a: base, by: 0 })?;
        self.loop_block(&[named])?;
        self.function.settle_pending();
        let end = self.emit(Instruction::ForLoop {
            a: base,
            by: prepare as i32,
        })?;
        let by = end as i32 - (prepare as i32 + 1);
        self.function
            .replace(prepare, Instruction::ForPrepare { a: base, by });
        self.function.replace(
            end,
            Instruction::ForLoop {
                a: base,
                by: -by - 1,
            },
        );
        self.function.set_line(end, line);
        Ok(())
    }

    fn for_number(&mut self) -> Done {
        let mut number = self.expression()?;
        self.to_next_register(&mut number)
    }

    fn loop_block(&mut self, named: &[usize]) -> Done {
        self.open_block(false);
        self.function.activate(named);
        self.reserve(named.len())?;
        self.block()?;
        self.close_block()
    }

    fn generic_for(&mut self, first: &[u8]) -> Done {
        let base = self.function.free as u8;
        let hidden: [&[u8]; 3] = [b"(for generator)", b"(for state)", b"(for control)"];
        let mut control = Vec::new();
        for hidden in hidden {
            control.push(self.new_local(hidden, control.len())?);
        }
        let mut named = Vec::new();
        named.push(self.new_local(first, 3)?);
        while self.take_byte(b',')? {
            let name = self.expect_name()?;
            named.push(self.new_local(name, 3 + named.len())?);
        }
        self.expect(&Token::In)?;
        // Errors of the call of the generator are in the line where it stands.
        let line = self.line;
        let (count, mut last) = self.expressions()?;
        self.adjust(3, count, &mut last)?;
        self.function.activate(&control);
        // The call of the generator needs three more registers.
        self.touch(3)?;
        self.expect(&Token::Do)?;
        let enter = self.jump();
        let start = self.function.here();
        self.loop_block(&named)?;
        self.function.patch_to_here(enter);
        let call = self.emit(Instruction::ForCall {
            a: base,
            c: named.len() as u8,
        })?;
        self.emit(Instruction::ForTest { a: base })?;
        let back = self.jump();
        self.function.patch_list(back, start);
        self.function.set_line(call, line);
        Ok(())
    }

    /// Brings `wanted` values of `count` expressions into registers, the last of them included.
    fn adjust(&mut self, wanted: usize, count: usize, last: &mut Expression) -> Done {
        if last.has_many_values() {
            let extra = (wanted + 1).saturating_sub(count);
            self.set_results(last, Some(extra as u8))?;
            if extra > 1 {
                self.reserve(extra - 1)?;
            }
            return Ok(());
        }
        if last.kind != Kind::Void {
            self.to_next_register(last)?;
        }
        if wanted > count {
            let from = self.function.free as u8;
            self.reserve(wanted - count)?;
            self.emit_nil(from, (wanted - count) as u8)?;
        }
        Ok(())
    }

    fn local_function(&mut self) -> Done {
        let name = self.expect_name()?;
        let place = self.new_local(name, 0)?;
        let register = self.function.free as u8;
        self.reserve(1)?;
        self.function.activate(&[place]);
        let line = self.line;
        let mut function = self.body(false, line)?;
        self.store(&Expression::new(Kind::Local(register)), &mut function)
    }

    fn local_statement(&mut self) -> Done {
        let mut places = Vec::new();
        loop {
            let name = self.expect_name()?;
            places.push(self.new_local(name, places.len())?);
            if !self.take_byte(b',')? {
                break;
            }
        }
        let (count, mut last) = if self.take_byte(b'=')? {
            self.expressions()?
        } else {
            (0, Expression::new(Kind::Void))
        };
        self.adjust(places.len(), count, &mut last)?;
        self.function.activate(&places);
        self.function.free = self.function.active.len();
        Ok(())
    }

    fn function_statement(&mut self, line: u32) -> Done {
        self.advance()?;
        let mut variable = self.variable()?;
        let mut is_method = false;
        while self.is(b'.') {
            self.field(&mut variable)?;
        }
        if self.is(b':') {
            is_method = true;
            self.field(&mut variable)?;
        }
        let mut function = self.body(is_method, line)?;
        self.store(&variable, &mut function)?;
        let store = self.function.here() - 1;
        self.function.set_line(store, line);
        Ok(())
    }

    fn expression_statement(&mut self) -> Done {
        let expression = self.primary_expression()?;
        if let Kind::Call(place) = expression.kind {
            if let Some(Instruction::Call { a, b, .. }) = self.function.at(place) {
                self.function
                    .replace(place, Instruction::Call { a, b, c: 1 });
            }
            return Ok(());
        }
        self.assignment(expression)
    }

    fn assignment(&mut self, first: Expression) -> Done {
        let mut targets: Vec<Expression> = Vec::new();
        targets.push(first);
        loop {
            let is_variable = targets.last().is_some_and(|target| {
                matches!(
                    target.kind,
                    Kind::Local(_) | Kind::Upvalue(_) | Kind::Global(_) | Kind::Indexed { .. }
                )
            });
            if !is_variable {
                return Err(self.error("syntax error"));
            }
            if !self.take_byte(b',')? {
                break;
            }
            let target = self.primary_expression()?;
            if let Kind::Local(register) = target.kind {
                self.keep_from(&mut targets, register)?;
            }
            if targets.len() >= TARGETS_MAX {
                let line = self.function.line;
                return Err(self.limit_error(line, TARGETS_MAX, "variables in assignment"));
            }
            targets.push(target);
        }
        self.expect(&Token::Byte(b'='))?;
        let (count, mut last) = self.expressions()?;
        if count == targets.len() {
            self.set_one_result(&mut last);
            if let Some(target) = targets.pop() {
                self.store(&target, &mut last)?;
            }
        } else {
            self.adjust(targets.len(), count, &mut last)?;
            if count > targets.len() {
                self.function.free -= count - targets.len();
            }
        }
        while let Some(target) = targets.pop() {
            let register = (self.function.free - 1) as u8;
            let mut value = Expression::new(Kind::Register(register));
            self.store(&target, &mut value)?;
        }
        Ok(())
    }

    /// Copies a local that will be assigned, if targets before it use it as table or key.
    fn keep_from(&mut self, targets: &mut [Expression], register: u8) -> Done {
        let copy = self.function.free as u8;
        let mut is_used = false;
        for target in targets {
            let Kind::Indexed { table, key } = &mut target.kind else {
                continue;
            };
            if *table == register {
                is_used = true;
                *table = copy;
            }
            if *key < FIRST_CONSTANT && *key == u16::from(register) {
                is_used = true;
                *key = u16::from(copy);
            }
        }
        if is_used {
            self.emit(Instruction::Move {
                a: copy,
                b: register,
            })?;
            self.reserve(1)?;
        }
        Ok(())
    }

    fn return_statement(&mut self) -> Done {
        self.advance()?;
        let active = self.function.active.len() as u8;
        if self.block_follows() || self.is(b';') {
            self.emit(Instruction::Return { a: active, b: 1 })?;
            return Ok(());
        }
        let (count, mut last) = self.expressions()?;
        if last.has_many_values() {
            self.set_results(&mut last, None)?;
            if let (Kind::Call(place), 1) = (last.kind, count)
                && let Some(Instruction::Call { a, b, .. }) = self.function.at(place)
            {
                self.function.replace(place, Instruction::TailCall { a, b });
            }
            self.emit(Instruction::Return { a: active, b: 0 })?;
        } else if count == 1 {
            let a = self.to_any_register(&mut last)?;
            self.emit(Instruction::Return { a, b: 2 })?;
        } else {
            self.to_next_register(&mut last)?;
            let b = (count + 1) as u8;
            self.emit(Instruction::Return { a: active, b })?;
        }
        Ok(())
    }
}
