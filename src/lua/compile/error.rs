//! The one error of the compiler.

use alloc::vec::Vec;

/// Says why source is no chunk, in the words of Lua 5.1 and with the line in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The text, `user_script:1: '=' expected near 'x'`.
    pub message: Vec<u8>,
}
