//! The parser's state: the token at hand, and the functions that are open around it.
//!
//! Code comes out while source is read; there is no tree between. `expressions` and `statements`
//! read the grammar, `placing` brings values into registers, `operators` computes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::error::CompileError;
use super::function::{ConstantKey, FunctionState};
use super::lexer::Lexer;
use super::token::Token;
use crate::lua::instruction::Instruction;
use crate::lua::prototype::Capture;

/// How deep syntax may nest.
const DEPTH_MAX: u32 = 200;
/// The most registers of a function.
const REGISTERS_MAX: usize = 250;
/// The most local variables that are active at once in a function.
const LOCALS_MAX: usize = 200;
/// The most upvalues of a function.
const UPVALUES_MAX: usize = 60;
/// The most constants and functions of a function.
const CONSTANTS_MAX: u32 = 1 << 18;
/// The most instructions of a function.
const CODE_MAX: usize = 1 << 24;

/// So many variables are looked through for each byte of the source, and so many besides.
const SEARCHED_PER_BYTE: usize = 64;
const SEARCHED_MIN: usize = 1 << 20;

/// A chunk while it is read.
pub(super) struct Parser<'s> {
    lexer: Lexer<'s>,
    pub(super) token: Token<'s>,
    /// How the token stands in the source.
    token_source: &'s [u8],
    /// The line of the token.
    pub(super) line: u32,
    ahead: Option<(Token<'s>, &'s [u8])>,
    /// The line of the token before.
    pub(super) last_line: u32,
    pub(super) chunk: Arc<str>,
    /// The functions that are open, the outermost first.
    functions: Vec<FunctionState<'s>>,
    /// The innermost of them.
    pub(super) function: FunctionState<'s>,
    depth: u32,
    /// How many variables may still be looked through for names.
    searches: usize,
}

/// The variable that a name stands for.
pub(super) enum Place {
    Global,
    Local(u8),
    Upvalue(u8),
}

impl<'s> Parser<'s> {
    pub(super) fn new(source: &'s [u8], name: &'s str) -> Result<Self, CompileError> {
        let mut parser = Self {
            lexer: Lexer::new(source, name),
            token: Token::EndOfSource,
            token_source: &[],
            line: 1,
            ahead: None,
            last_line: 1,
            chunk: Arc::from(name),
            functions: Vec::new(),
            function: FunctionState::new(0),
            depth: 0,
            searches: SEARCHED_MIN + source.len() * SEARCHED_PER_BYTE,
        };
        parser.advance()?;
        Ok(parser)
    }

    // Tokens.

    /// Goes on to the next token.
    pub(super) fn advance(&mut self) -> Result<(), CompileError> {
        self.last_line = self.lexer.line;
        let (token, source) = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.lexer.next()?,
        };
        self.token = token;
        self.token_source = source;
        self.line = self.lexer.line;
        Ok(())
    }

    /// The token behind the one at hand.
    pub(super) fn peek(&mut self) -> Result<&Token<'s>, CompileError> {
        if self.ahead.is_none() {
            self.ahead = Some(self.lexer.next()?);
        }
        Ok(self
            .ahead
            .as_ref()
            .map_or(&Token::EndOfSource, |(token, _)| token))
    }

    /// An error at the token at hand.
    pub(super) fn error(&self, text: &str) -> CompileError {
        let shown = self.lexer.shown(&self.token, self.token_source);
        self.lexer.error_near(text.as_bytes(), &shown)
    }

    pub(super) fn expected(&self, token: &Token<'_>) -> CompileError {
        let mut text = b"'".to_vec();
        text.extend_from_slice(&token.name());
        text.extend_from_slice(b"' expected");
        let shown = self.lexer.shown(&self.token, self.token_source);
        self.lexer.error_near(&text, &shown)
    }

    pub(super) fn is(&self, byte: u8) -> bool {
        self.token == Token::Byte(byte)
    }

    /// Takes the token if it is the one at hand.
    pub(super) fn take(&mut self, token: &Token<'_>) -> Result<bool, CompileError> {
        let is_it = self.token == *token;
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }

    pub(super) fn take_byte(&mut self, byte: u8) -> Result<bool, CompileError> {
        self.take(&Token::Byte(byte))
    }

    pub(super) fn expect(&mut self, token: &Token<'_>) -> Result<(), CompileError> {
        if self.take(token)? {
            return Ok(());
        }
        Err(self.expected(token))
    }

    /// Takes the token that closes what `opening` has opened in `line`.
    pub(super) fn expect_match(
        &mut self,
        closing: &Token<'_>,
        opening: &Token<'_>,
        line: u32,
    ) -> Result<(), CompileError> {
        if self.take(closing)? {
            return Ok(());
        }
        if line == self.line {
            return Err(self.expected(closing));
        }
        let mut text = b"'".to_vec();
        text.extend_from_slice(&closing.name());
        text.extend_from_slice(b"' expected (to close '");
        text.extend_from_slice(&opening.name());
        text.extend_from_slice(alloc::format!("' at line {line})").as_bytes());
        let shown = self.lexer.shown(&self.token, self.token_source);
        Err(self.lexer.error_near(&text, &shown))
    }

    pub(super) fn expect_name(&mut self) -> Result<&'s [u8], CompileError> {
        let Token::Name(name) = self.token else {
            return Err(self.expected(&Token::Name(b"")));
        };
        self.advance()?;
        Ok(name)
    }

    // Depth.

    pub(super) fn enter(&mut self) -> Result<(), CompileError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.lexer.plain_error(b"chunk has too many syntax levels"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    // Functions.

    pub(super) fn open_function(&mut self, line: u32) {
        let outer = core::mem::replace(&mut self.function, FunctionState::new(line));
        self.functions.push(outer);
    }

    pub(super) fn close_function(&mut self) -> FunctionState<'s> {
        let outer = self
            .functions
            .pop()
            .unwrap_or_else(|| FunctionState::new(0));
        core::mem::replace(&mut self.function, outer)
    }

    /// An error of the function that begins in `line`; the main function begins in none.
    pub(super) fn limit_error(&self, line: u32, limit: usize, text: &str) -> CompileError {
        let place = match line {
            0 => "main function".into(),
            line => alloc::format!("function at line {line}"),
        };
        self.error(&alloc::format!("{place} has more than {limit} {text}"))
    }

    pub(super) fn emit(&mut self, instruction: Instruction) -> Result<usize, CompileError> {
        if self.function.here() >= CODE_MAX {
            return Err(self.error("code size overflow"));
        }
        Ok(self.function.emit(instruction, self.last_line))
    }

    pub(super) fn jump(&mut self) -> i32 {
        self.function.jump(self.last_line)
    }

    /// Takes `count` registers.
    pub(super) fn reserve(&mut self, count: usize) -> Result<(), CompileError> {
        let free = self.function.free + count;
        if free > REGISTERS_MAX {
            return Err(self.error("function or expression too complex"));
        }
        self.function.free = free;
        self.function.touch(free);
        Ok(())
    }

    /// Checks that registers behind the free ones could be taken.
    pub(super) fn touch(&mut self, count: usize) -> Result<(), CompileError> {
        self.reserve(count)?;
        self.function.free -= count;
        Ok(())
    }

    /// Gives back a register that is a temporary one.
    pub(super) fn release(&mut self, register: u8) {
        if usize::from(register) >= self.function.active.len() {
            self.function.free = usize::from(register);
        }
    }

    pub(super) fn constant(&mut self, key: ConstantKey) -> Result<u32, CompileError> {
        let place = self.function.constant(key);
        if place >= CONSTANTS_MAX {
            return Err(self.error("constant table overflow"));
        }
        Ok(place)
    }

    pub(super) fn text_constant(&mut self, text: &[u8]) -> Result<u32, CompileError> {
        self.constant(ConstantKey::String(text.into()))
    }

    /// Declares a local, which `activate` brings to life; `waiting` more wait already.
    pub(super) fn new_local(&mut self, name: &[u8], waiting: usize) -> Result<usize, CompileError> {
        if self.function.active.len() + waiting + 1 > LOCALS_MAX {
            let line = self.function.line;
            return Err(self.limit_error(line, LOCALS_MAX, "local variables"));
        }
        Ok(self.function.add_local(name))
    }

    /// Finds a variable, and makes it an upvalue of all functions between if it is not of this one.
    pub(super) fn find(&mut self, name: &'s [u8]) -> Result<Place, CompileError> {
        if let Some(register) = self.function.find_local(name) {
            return Ok(Place::Local(register));
        }
        // The innermost of the outer functions that knows the name, as local or as upvalue.
        let known = |function: &FunctionState<'s>| {
            let upvalue = function
                .upvalue_names
                .iter()
                .position(|known| *known == name);
            match (function.find_local(name), upvalue) {
                (Some(register), _) => Some(Capture::Local(register)),
                (None, Some(upvalue)) => Some(Capture::Upvalue(upvalue as u8)),
                (None, None) => None,
            }
        };
        if let Some(Capture::Upvalue(upvalue)) = known(&self.function) {
            return Ok(Place::Upvalue(upvalue));
        }
        let mut searches = self.searches;
        let found = self.functions.iter().enumerate().rev();
        let found = found
            .inspect(|(_, function)| {
                let known = 1 + function.active.len() + function.upvalue_names.len();
                searches = searches.saturating_sub(known);
            })
            .find_map(|(at, function)| known(function).map(|capture| (at, capture)));
        self.searches = searches;
        if searches == 0 {
            let text = b"chunk has too many variables around its functions";
            return Err(self.lexer.plain_error(text));
        }
        let Some((at, mut capture)) = found else {
            return Ok(Place::Global);
        };
        if let (Capture::Local(register), Some(function)) = (capture, self.functions.get_mut(at)) {
            function.mark_upvalue(register);
        }
        for inner in at + 1..=self.functions.len() {
            let function = self.functions.get_mut(inner).unwrap_or(&mut self.function);
            if function.captures.len() >= UPVALUES_MAX {
                let line = function.line;
                return Err(self.limit_error(line, UPVALUES_MAX, "upvalues"));
            }
            function.captures.push(capture);
            function.upvalue_names.push(name);
            capture = Capture::Upvalue((function.captures.len() - 1) as u8);
        }
        match capture {
            Capture::Upvalue(upvalue) => Ok(Place::Upvalue(upvalue)),
            Capture::Local(register) => Ok(Place::Local(register)),
        }
    }
}
