//! From JSON to values.

use alloc::format;
use alloc::vec::Vec;

use super::settings::{Setting, get, null};
use crate::lua::machine::{Call, Outcome, State, Thrown};
use crate::lua::value::Value;

/// So many bytes cost one instruction.
const BYTES_PER_UNIT: u64 = 16;

/// A word of JSON.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Truth(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    /// Its name in errors.
    fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::Text(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Truth(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Wrong(why) => why,
        }
    }
}

struct Decoder<'s> {
    state: &'s mut State,
    text: Vec<u8>,
    at: usize,
    /// The place at which the last token begins.
    began: usize,
    null: Value,
    depth: usize,
    depth_max: usize,
    takes_invalid: bool,
}

pub(super) fn decode(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    if call.count != 1 {
        return Err(state.argument_error(0, "expected 1 argument"));
    }
    let text = state.string_argument(call, 0)?;
    let decoded = state.with_copy(text, |state, text| decode_text(state, call, text));
    decoded.map(Outcome::One)
}

fn decode_text(state: &mut State, call: Call, text: Vec<u8>) -> Result<Value, Thrown> {
    if let [first, second, ..] = text[..]
        && (first == 0 || second == 0)
    {
        return Err(state.error("JSON parser does not support UTF-16 or UTF-32"));
    }
    state.charge(text.len() as u64 / BYTES_PER_UNIT);
    let mut decoder = Decoder {
        null: null(state, call),
        depth_max: get(state, call, Setting::DecodeDepth) as usize,
        takes_invalid: get(state, call, Setting::DecodesInvalid) != 0.0,
        state,
        text,
        at: 0,
        began: 0,
        depth: 0,
    };
    let token = decoder.next();
    let value = decoder.value(token)?;
    let end = decoder.next();
    if end != Token::End {
        return Err(decoder.refuse("the end", &end));
    }
    Ok(value)
}

impl Decoder<'_> {
    fn refuse(&self, wanted: &str, found: &Token) -> Thrown {
        let (found, place) = (found.name(), self.began + 1);
        let text = format!("Expected {wanted} but found {found} at character {place}");
        self.state.error(&text)
    }

    fn value(&mut self, token: Token) -> Result<Value, Thrown> {
        self.state.charge(1);
        self.state.check_room(0)?;
        Ok(match token {
            Token::Text(text) => self.state.new_string_owned(text)?,
            Token::Number(number) => Value::Number(number),
            Token::Truth(truth) => Value::Boolean(truth),
            Token::Null => self.null,
            Token::ObjectBegin => self.object()?,
            Token::ArrayBegin => self.array()?,
            token => return Err(self.refuse("value", &token)),
        })
    }

    fn descend(&mut self) -> Result<(), Thrown> {
        self.depth += 1;
        let depth = self.depth;
        if depth > self.depth_max {
            let text = format!("Found too many nested data structures ({depth})");
            return Err(self.state.error(&text));
        }
        Ok(())
    }

    fn object(&mut self) -> Result<Value, Thrown> {
        self.descend()?;
        let table = self.state.new_table();
        let mut token = self.next();
        if token != Token::ObjectEnd {
            loop {
                let Token::Text(name) = token else {
                    return Err(self.refuse("object key string", &token));
                };
                let name = self.state.new_string_owned(name)?;
                token = self.next();
                if token != Token::Colon {
                    return Err(self.refuse("colon", &token));
                }
                token = self.next();
                let value = self.value(token)?;
                self.state.raw_set(table, name, value)?;
                token = self.next();
                match token {
                    Token::ObjectEnd => break,
                    Token::Comma => token = self.next(),
                    token => return Err(self.refuse("comma or object end", &token)),
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn array(&mut self) -> Result<Value, Thrown> {
        self.descend()?;
        let table = self.state.new_table();
        let (mut token, mut place) = (self.next(), 0.0);
        if token != Token::ArrayEnd {
            loop {
                let value = self.value(token)?;
                place += 1.0;
                self.state.raw_set(table, Value::Number(place), value)?;
                token = self.next();
                match token {
                    Token::ArrayEnd => break,
                    Token::Comma => token = self.next(),
                    token => return Err(self.refuse("comma or array end", &token)),
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// The next token.
    fn next(&mut self) -> Token {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.began = self.at;
        let Some(first) = self.text.get(self.at).copied() else {
            return Token::End;
        };
        let single = match first {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => return self.quoted(),
            _ => return self.word(),
        };
        self.at += 1;
        single
    }

    /// A number, a truth or null.
    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        for (word, token) in [
            (&b"true"[..], Token::Truth(true)),
            (b"false", Token::Truth(false)),
            (b"null", Token::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        let part_of_number =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        let len = rest.iter().take_while(|byte| part_of_number(byte)).count();
        let begins = matches!(rest.first(), Some(b'-' | b'0'..=b'9'));
        if begins && let Some((number, len)) = decimal(&rest[..len]) {
            self.at += len;
            return Token::Number(number);
        }
        if self.takes_invalid
            && let Some((number, len)) = invalid(rest)
        {
            self.at += len;
            return Token::Number(number);
        }
        Token::Wrong(if begins {
            "invalid number"
        } else {
            "invalid token"
        })
    }

    fn quoted(&mut self) -> Token {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                b'"' => break,
                0 => {
                    self.began = self.at;
                    return Token::Wrong("unexpected end of string");
                }
                b'\\' => {
                    let escaped = self.text.get(self.at + 1).copied().unwrap_or(0);
                    let plain = match escaped {
                        b'"' | b'\\' | b'/' => escaped,
                        b'b' => 0x08,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 0x0c,
                        b'r' => b'\r',
                        b'u' => {
                            let Some((code, len)) = self.code() else {
                                self.began = self.at;
                                return Token::Wrong("invalid unicode escape code");
                            };
                            let mut utf8 = [0; 4];
                            text.extend_from_slice(code.encode_utf8(&mut utf8).as_bytes());
                            self.at += len;
                            continue;
                        }
                        _ => {
                            self.began = self.at;
                            return Token::Wrong("invalid escape code");
                        }
                    };
                    text.push(plain);
                    self.at += 2;
                }
                byte => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Token::Text(text)
    }

    /// The code point that is escaped here, and the bytes that it takes: two halves may stand for
    /// one.
    fn code(&self) -> Option<(char, usize)> {
        let half = |from: usize| {
            let digits = self.text.get(from..from + 6)?.strip_prefix(b"\\u")?;
            let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
            let digits = core::str::from_utf8(digits).ok().filter(|_| is_hex)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let high = half(self.at)?;
        if let Some(code) = char::from_u32(high) {
            return Some((code, 6));
        }
        if high >= 0xdc00 {
            return None;
        }
        let low = half(self.at + 6).filter(|low| (0xdc00..0xe000).contains(low))?;
        let code = 0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff);
        Some((char::from_u32(code)?, 12))
    }
}

/// The longest number in front of a text, and its length.
fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut len = usize::from(text.first() == Some(&b'-'));
    let whole = digits(len);
    len += whole;
    if whole == 0 {
        return None;
    }
    if text.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let number = core::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    Some((number, len))
}

/// A number that JSON does not have: infinity, or none.
fn invalid(text: &[u8]) -> Option<(f64, usize)> {
    let (sign, rest) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        _ => (1.0, text),
    };
    let own = text.len() - rest.len();
    let begins = |word: &[u8]| {
        rest.get(..word.len())
            .is_some_and(|front| front.eq_ignore_ascii_case(word))
    };
    if begins(b"infinity") {
        Some((sign * f64::INFINITY, own + 8))
    } else if begins(b"inf") {
        Some((sign * f64::INFINITY, own + 3))
    } else if begins(b"nan") {
        Some((f64::NAN, own + 3))
    } else {
        None
    }
}
