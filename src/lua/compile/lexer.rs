//! Tokens out of source text.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::error::CompileError;
use super::token::Token;
use crate::lua::number::parse;

/// The place in the source, and what has been read there.
pub(super) struct Lexer<'s> {
    source: &'s [u8],
    at: usize,
    /// The place where the last token begins.
    token_from: usize,
    pub(super) line: u32,
    chunk: &'s str,
}

/// Which token an error points at.
#[derive(Clone, Copy)]
pub(super) enum Near {
    /// The token as it stands in the source, as far as it has been read.
    Source,
    /// The end of the source.
    End,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s [u8], chunk: &'s str) -> Self {
        // The first line may say for which engine this is.
        let at = if source.starts_with(b"#!") {
            let end = source.iter().position(|byte| *byte == b'\n');
            end.unwrap_or(source.len())
        } else {
            0
        };
        Self {
            source,
            at,
            token_from: at,
            line: 1,
            chunk,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    /// Takes the next byte if it is `byte`.
    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn token_text(&self) -> &'s [u8] {
        self.source
            .get(self.token_from..self.at)
            .unwrap_or_default()
    }

    /// An error at the line that is being read, without a token.
    pub(super) fn plain_error(&self, text: &[u8]) -> CompileError {
        let mut message = alloc::format!("{}:{}: ", self.chunk, self.line).into_bytes();
        message.extend_from_slice(text);
        CompileError { message }
    }

    /// An error that points at `token`.
    pub(super) fn error_near(&self, text: &[u8], token: &[u8]) -> CompileError {
        let mut full = text.to_vec();
        full.extend_from_slice(b" near '");
        // As C has it, where text ends at a zero byte.
        full.extend(token.iter().take_while(|byte| **byte != 0));
        full.push(b'\'');
        self.plain_error(&full)
    }

    fn error(&self, text: &str, near: Near) -> CompileError {
        match near {
            Near::Source => self.error_near(text.as_bytes(), self.token_text()),
            Near::End => self.error_near(text.as_bytes(), b"<eof>"),
        }
    }

    /// The text by which errors name `token`, the one that was read last.
    pub(super) fn shown(&self, token: &Token<'s>, source: &'s [u8]) -> Cow<'s, [u8]> {
        match token {
            Token::Name(_) | Token::Number(_) => Cow::Borrowed(source),
            // What its escapes stand for, between its quotes.
            Token::Text(text) => {
                let quote = match source {
                    [b'[', rest @ ..] => 2 + rest.iter().take_while(|byte| **byte == b'=').count(),
                    _ => 1,
                };
                let open = source.get(..quote).unwrap_or_default();
                let close = source.get(source.len().saturating_sub(quote)..);
                Cow::Owned([open, text, close.unwrap_or_default()].concat())
            }
            _ => token.name(),
        }
    }

    /// The next token, and how it stands in the source.
    pub(super) fn next(&mut self) -> Result<(Token<'s>, &'s [u8]), CompileError> {
        let token = self.read()?;
        Ok((token, self.token_text()))
    }

    fn read(&mut self) -> Result<Token<'s>, CompileError> {
        loop {
            self.token_from = self.at;
            let Some(byte) = self.peek() else {
                return Ok(Token::EndOfSource);
            };
            match byte {
                b'\n' | b'\r' => self.new_line()?,
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.peek_at(1) == Some(b'-') => self.comment()?,
                b'[' => {
                    return match self.long_bracket() {
                        Bracket::Level(level) => Ok(Token::Text(self.long_text(level, "string")?)),
                        Bracket::None => {
                            self.at += 1;
                            Ok(Token::Byte(b'['))
                        }
                        Bracket::Bad => {
                            self.at += 1;
                            while self.take(b'=') {}
                            Err(self.error("invalid long string delimiter", Near::Source))
                        }
                    };
                }
                b'"' | b'\'' => return self.text(byte),
                b'0'..=b'9' => return self.number(),
                b'.' if matches!(self.peek_at(1), Some(b'0'..=b'9')) => return self.number(),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9') = self.peek() {
                        self.at += 1;
                    }
                    return Ok(Token::of_word(self.token_text()));
                }
                _ => return Ok(self.mark(byte)),
            }
        }
    }

    fn mark(&mut self, byte: u8) -> Token<'s> {
        self.at += 1;
        match byte {
            b'=' if self.take(b'=') => Token::Equal,
            b'<' if self.take(b'=') => Token::LessEqual,
            b'>' if self.take(b'=') => Token::GreaterEqual,
            b'~' if self.take(b'=') => Token::NotEqual,
            b'.' if self.take(b'.') => {
                if self.take(b'.') {
                    Token::Dots
                } else {
                    Token::Concat
                }
            }
            _ => Token::Byte(byte),
        }
    }

    /// Takes one end of a line: any of CR and LF, or both in any order.
    fn new_line(&mut self) -> Result<(), CompileError> {
        let first = self.peek();
        self.at += 1;
        if let Some(second @ (b'\n' | b'\r')) = self.peek()
            && first != Some(second)
        {
            self.at += 1;
        }
        self.line += 1;
        if self.line > i32::MAX as u32 {
            return Err(self.error("chunk has too many lines", Near::Source));
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), CompileError> {
        self.at += 2;
        if self.peek() == Some(b'[') {
            self.token_from = self.at;
            if let Bracket::Level(level) = self.long_bracket() {
                self.long_text(level, "comment")?;
                return Ok(());
            }
        }
        while !matches!(self.peek(), None | Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        Ok(())
    }

    /// The long bracket that opens here, if one does; takes nothing.
    fn long_bracket(&self) -> Bracket {
        let mut level = 0;
        while self.peek_at(1 + level) == Some(b'=') {
            level += 1;
        }
        match (self.peek_at(1 + level), level) {
            (Some(b'['), _) => Bracket::Level(level),
            (_, 0) => Bracket::None,
            _ => Bracket::Bad,
        }
    }

    fn long_text(&mut self, level: usize, kind: &str) -> Result<Cow<'s, [u8]>, CompileError> {
        self.at += level + 2;
        if let Some(b'\n' | b'\r') = self.peek() {
            self.new_line()?;
        }
        let from = self.at;
        // Ends of lines become one byte; only then the text is a copy.
        let mut copy: Option<Vec<u8>> = None;
        loop {
            match self.peek() {
                None => {
                    let text = alloc::format!("unfinished long {kind}");
                    return Err(self.error(&text, Near::End));
                }
                Some(b']') if self.closes(level) => {
                    let text = self.source.get(from..self.at).unwrap_or_default();
                    self.at += level + 2;
                    return Ok(copy.map_or(Cow::Borrowed(text), Cow::Owned));
                }
                Some(b'[') if level == 0 && self.peek_at(1) == Some(b'[') => {
                    self.at += 2;
                    let text = "nesting of [[...]] is deprecated";
                    return Err(self.error_near(text.as_bytes(), b"["));
                }
                Some(b'\n' | b'\r') => {
                    let line_from = self.at;
                    self.new_line()?;
                    let is_plain = self.source.get(line_from..self.at) == Some(b"\n");
                    if copy.is_none() && !is_plain {
                        copy = self.source.get(from..line_from).map(<[u8]>::to_vec);
                    }
                    if let Some(copy) = &mut copy {
                        copy.push(b'\n');
                    }
                }
                Some(byte) => {
                    self.at += 1;
                    if let Some(copy) = &mut copy {
                        copy.push(byte);
                    }
                }
            }
        }
    }

    fn closes(&self, level: usize) -> bool {
        (1..=level).all(|ahead| self.peek_at(ahead) == Some(b'='))
            && self.peek_at(1 + level) == Some(b']')
    }

    fn text(&mut self, quote: u8) -> Result<Token<'s>, CompileError> {
        self.at += 1;
        let from = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                _ if byte == quote => {
                    let text = self.source.get(from..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(Token::Text(Cow::Borrowed(text)));
                }
                b'\\' | b'\n' | b'\r' => break,
                _ => self.at += 1,
            }
        }
        let mut copy = self.source.get(from..self.at).unwrap_or_default().to_vec();
        loop {
            match self.peek() {
                None => return Err(self.error("unfinished string", Near::End)),
                Some(b'\n' | b'\r') => {
                    let seen = [&[quote], &copy[..]].concat();
                    return Err(self.error_near(b"unfinished string", &seen));
                }
                Some(b'\\') => self.escape(quote, &mut copy)?,
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(Token::Text(Cow::Owned(copy)));
                    }
                    copy.push(byte);
                }
            }
        }
    }

    fn escape(&mut self, quote: u8, copy: &mut Vec<u8>) -> Result<(), CompileError> {
        self.at += 1;
        let Some(byte) = self.peek() else {
            return Ok(());
        };
        let plain = match byte {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\n' | b'\r' => {
                copy.push(b'\n');
                return self.new_line();
            }
            b'0'..=b'9' => {
                let mut code = 0;
                for _ in 0..3 {
                    let Some(digit @ b'0'..=b'9') = self.peek() else {
                        break;
                    };
                    code = code * 10 + u32::from(digit - b'0');
                    self.at += 1;
                }
                let Ok(code) = u8::try_from(code) else {
                    let seen = [&[quote], &copy[..]].concat();
                    return Err(self.error_near(b"escape sequence too large", &seen));
                };
                copy.push(code);
                return Ok(());
            }
            _ => byte,
        };
        copy.push(plain);
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<Token<'s>, CompileError> {
        while let Some(b'0'..=b'9' | b'.') = self.peek() {
            self.at += 1;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
        }
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_') = self.peek() {
            self.at += 1;
        }
        match parse::parse(self.token_text()) {
            Some(number) => Ok(Token::Number(number)),
            None => Err(self.error("malformed number", Near::Source)),
        }
    }
}

/// The opening that a `[` is.
enum Bracket {
    /// A long text with so many `=`.
    Level(usize),
    /// Nothing.
    None,
    /// A long text, badly.
    Bad,
}
