//! Source text to code, in one pass and with a bounded depth.

mod error;
mod expressions;
mod function;
mod lexer;
mod operand;
mod operators;
mod parser;
mod placing;
mod statements;
mod token;

use alloc::sync::Arc;

pub use error::CompileError;

use super::instruction::Instruction;
use super::prototype::Program;
use parser::Parser;
use token::Token;

/// Compiles a chunk; `name` stands before the lines in its errors.
pub fn compile(source: &[u8], name: &str) -> Result<Program, CompileError> {
    let mut parser = Parser::new(source, name)?;
    parser.function.is_vararg = true;
    parser.chunk()?;
    if parser.token != Token::EndOfSource {
        return Err(parser.expected(&Token::EndOfSource));
    }
    parser.function.deactivate(0);
    parser.emit(Instruction::Return { a: 0, b: 1 })?;
    let chunk = parser.chunk.clone();
    let main = parser.close_function().finish(&chunk);
    Ok(Program {
        main: Arc::new(main),
    })
}
