//! Tokens of Lua, and how errors call them.

use alloc::borrow::Cow;

/// One token of the source `'s`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    And,
    Break,
    Do,
    Else,
    Elseif,
    End,
    False,
    For,
    Function,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
    Name(&'s [u8]),
    Text(Cow<'s, [u8]>),
    Number(f64),
    Concat,
    Dots,
    Equal,
    GreaterEqual,
    LessEqual,
    NotEqual,
    /// An operator or a mark of one character, or a character that is none.
    Byte(u8),
    EndOfSource,
}

impl<'s> Token<'s> {
    /// The keyword or name that `word` is.
    pub(super) fn of_word(word: &'s [u8]) -> Self {
        match word {
            b"and" => Token::And,
            b"break" => Token::Break,
            b"do" => Token::Do,
            b"else" => Token::Else,
            b"elseif" => Token::Elseif,
            b"end" => Token::End,
            b"false" => Token::False,
            b"for" => Token::For,
            b"function" => Token::Function,
            b"if" => Token::If,
            b"in" => Token::In,
            b"local" => Token::Local,
            b"nil" => Token::Nil,
            b"not" => Token::Not,
            b"or" => Token::Or,
            b"repeat" => Token::Repeat,
            b"return" => Token::Return,
            b"then" => Token::Then,
            b"true" => Token::True,
            b"until" => Token::Until,
            b"while" => Token::While,
            _ => Token::Name(word),
        }
    }

    /// The words by which an error says that this token was expected.
    pub(super) fn name(&self) -> Cow<'static, [u8]> {
        let name: &'static [u8] = match self {
            Token::And => b"and",
            Token::Break => b"break",
            Token::Do => b"do",
            Token::Else => b"else",
            Token::Elseif => b"elseif",
            Token::End => b"end",
            Token::False => b"false",
            Token::For => b"for",
            Token::Function => b"function",
            Token::If => b"if",
            Token::In => b"in",
            Token::Local => b"local",
            Token::Nil => b"nil",
            Token::Not => b"not",
            Token::Or => b"or",
            Token::Repeat => b"repeat",
            Token::Return => b"return",
            Token::Then => b"then",
            Token::True => b"true",
            Token::Until => b"until",
            Token::While => b"while",
            Token::Name(_) => b"<name>",
            Token::Text(_) => b"<string>",
            Token::Number(_) => b"<number>",
            Token::Concat => b"..",
            Token::Dots => b"...",
            Token::Equal => b"==",
            Token::GreaterEqual => b">=",
            Token::LessEqual => b"<=",
            Token::NotEqual => b"~=",
            Token::EndOfSource => b"<eof>",
            Token::Byte(byte) if byte.is_ascii_control() => {
                return Cow::Owned(alloc::format!("char({byte})").into_bytes());
            }
            Token::Byte(byte) => return Cow::Owned(alloc::vec![*byte]),
        };
        Cow::Borrowed(name)
    }
}
