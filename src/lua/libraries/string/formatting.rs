//! `format`, whose conversions are those of C.

use alloc::vec::Vec;

use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::number::format::{append_text, fixed, general, scientific};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[Definition::new("format", format)];

/// One conversion: `%` and what stands between it and its letter.
#[derive(Clone, Copy, Debug, Default)]
struct Directive {
    is_left: bool,
    has_plus: bool,
    has_space: bool,
    has_hash: bool,
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
}

fn format(state: &mut State, call: Call) -> Result {
    let pattern = state.string_argument(call, 0)?;
    let pattern = state.bytes(pattern).to_vec();
    state.charge(pattern.len() as u64 / 16);
    let mut out = Vec::new();
    let mut argument = 0;
    let mut rest = pattern.as_slice();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        if let Some((b'%', behind)) = rest.split_first() {
            rest = behind;
            out.push(b'%');
            continue;
        }
        argument += 1;
        if argument >= call.count {
            return Err(state.argument_error(argument, "no value"));
        }
        let directive = directive(state, &mut rest)?;
        let letter = rest.split_first().map(|(letter, behind)| {
            rest = behind;
            *letter
        });
        let before = out.len();
        convert(state, call, argument, directive, letter, &mut out)?;
        state.charge(1 + (out.len() - before) as u64 / 32);
        state.check_room(out.len())?;
    }
    state.new_string_owned(out).map(Outcome::One)
}

/// Reads flags, width and precision.
fn directive(state: &State, rest: &mut &[u8]) -> Result<Directive> {
    let mut found = Directive::default();
    let mut flags = 0;
    while let Some((byte, behind)) = rest.split_first() {
        match byte {
            b'-' => found.is_left = true,
            b'+' => found.has_plus = true,
            b' ' => found.has_space = true,
            b'#' => found.has_hash = true,
            b'0' => found.has_zeros = true,
            _ => break,
        }
        flags += 1;
        *rest = behind;
    }
    if flags > 5 {
        return Err(state.error("invalid format (repeated flags)"));
    }
    found.width = digits(state, rest)?;
    if let Some((b'.', behind)) = rest.split_first() {
        *rest = behind;
        found.precision = Some(digits(state, rest)?);
    }
    Ok(found)
}

/// A number of at most two digits.
fn digits(state: &State, rest: &mut &[u8]) -> Result<usize> {
    let mut number = 0;
    for _ in 0..2 {
        if let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
            number = number * 10 + usize::from(digit - b'0');
            *rest = behind;
        }
    }
    if let Some(b'0'..=b'9') = rest.first() {
        return Err(state.error("invalid format (width or precision too long)"));
    }
    Ok(number)
}

fn convert(
    state: &mut State,
    call: Call,
    argument: usize,
    directive: Directive,
    letter: Option<u8>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut text = Vec::new();
    match letter {
        Some(b'c') => {
            // One that is no `int` has a low byte of zero.
            let whole = state.integer_argument(call, argument)?;
            let byte = i32::try_from(whole).unwrap_or(0) as u8;
            text.push(byte);
            let from = out.len();
            pad(directive, &text, 0, false, out);
            // As in C, a text ends before a zero byte.
            if byte == 0 {
                let end = out
                    .iter()
                    .skip(from)
                    .position(|byte| *byte == 0)
                    .unwrap_or(0);
                out.truncate(from + end);
            }
        }
        Some(b'd' | b'i') => {
            let number = state.integer_argument(call, argument)?;
            append_text(&mut text, format_args!("{}", number.unsigned_abs()));
            integer(directive, number < 0, b"", &text, out);
        }
        Some(letter @ (b'o' | b'u' | b'x' | b'X')) => {
            let number = unsigned(state.number_argument(call, argument)?);
            match letter {
                b'o' => append_text(&mut text, format_args!("{number:o}")),
                b'u' => append_text(&mut text, format_args!("{number}")),
                b'x' => append_text(&mut text, format_args!("{number:x}")),
                _ => append_text(&mut text, format_args!("{number:X}")),
            }
            // Zeros that the precision asks for are enough for octals, and none is too few.
            let has_zero = match directive.precision {
                Some(precision) => number == 0 && precision > 0 || precision > text.len(),
                None => number == 0,
            };
            let prefix: &[u8] = match letter {
                b'o' if directive.has_hash && !has_zero => b"0",
                b'x' if directive.has_hash && number != 0 => b"0x",
                b'X' if directive.has_hash && number != 0 => b"0X",
                _ => b"",
            };
            let unsigned = Directive {
                has_plus: false,
                has_space: false,
                ..directive
            };
            integer(unsigned, false, prefix, &text, out);
        }
        Some(letter @ (b'e' | b'E' | b'f' | b'g' | b'G')) => {
            let number = state.number_argument(call, argument)?;
            floating(directive, letter, number, out);
        }
        Some(b'q') => quoted(state, call, argument, out)?,
        Some(b's') => {
            let string = state.string_argument(call, argument)?;
            let bytes = state.bytes(string);
            // C's own function writes all but long texts, and ends at a zero byte.
            let is_long = directive.precision.is_none() && bytes.len() >= 100;
            let zero = bytes.iter().position(|byte| *byte == 0);
            let bytes = match zero.filter(|_| !is_long) {
                Some(zero) => bytes.get(..zero).unwrap_or_default(),
                None => bytes,
            };
            let end = directive.precision.unwrap_or(bytes.len()).min(bytes.len());
            pad(
                directive,
                bytes.get(..end).unwrap_or_default(),
                0,
                false,
                out,
            );
        }
        other => {
            let mut why = b"invalid option '%".to_vec();
            why.extend(other);
            why.extend_from_slice(b"' to 'format'");
            return Err(Thrown::Text(why, 1));
        }
    }
    Ok(())
}

/// A number as `%u` and `%x` take it: a negative one wraps around.
fn unsigned(number: f64) -> u64 {
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    if number.is_nan() {
        1 << 63
    } else if number < 0.0 {
        (number as i64) as u64
    } else if number >= BEYOND {
        0
    } else {
        number as u64
    }
}

/// Appends a text with spaces, or with zeros behind its first `sign` bytes, up to the width.
fn pad(directive: Directive, text: &[u8], sign: usize, with_zeros: bool, out: &mut Vec<u8>) {
    let missing = directive.width.saturating_sub(text.len());
    let (before, behind) = text.split_at(sign.min(text.len()));
    if directive.is_left {
        out.extend_from_slice(text);
        out.resize(out.len() + missing, b' ');
    } else if with_zeros {
        out.extend_from_slice(before);
        out.resize(out.len() + missing, b'0');
        out.extend_from_slice(behind);
    } else {
        out.resize(out.len() + missing, b' ');
        out.extend_from_slice(text);
    }
}

fn sign_of(directive: Directive, is_negative: bool) -> &'static [u8] {
    if is_negative {
        b"-"
    } else if directive.has_plus {
        b"+"
    } else if directive.has_space {
        b" "
    } else {
        b""
    }
}

fn integer(
    directive: Directive,
    is_negative: bool,
    prefix: &[u8],
    digits: &[u8],
    out: &mut Vec<u8>,
) {
    let mut text = sign_of(directive, is_negative).to_vec();
    text.extend_from_slice(prefix);
    let sign = text.len();
    let precision = directive.precision.unwrap_or(1);
    if precision > digits.len() {
        text.resize(sign + precision - digits.len(), b'0');
    }
    // Zero with a precision of zero has no digits.
    if precision > 0 || digits != b"0" {
        text.extend_from_slice(digits);
    }
    let with_zeros = directive.has_zeros && directive.precision.is_none();
    pad(directive, &text, sign, with_zeros, out);
}

fn floating(directive: Directive, letter: u8, number: f64, out: &mut Vec<u8>) {
    let precision = directive.precision.unwrap_or(6);
    let (is_upper, hash) = (letter.is_ascii_uppercase(), directive.has_hash);
    let mut text = Vec::new();
    match letter.to_ascii_lowercase() {
        b'e' => scientific(number, precision, hash, is_upper, &mut text),
        b'f' => fixed(number, precision, hash, &mut text),
        _ => general(number, precision, hash, is_upper, &mut text),
    }
    let is_negative = text.first() == Some(&b'-');
    if !is_negative {
        let sign = sign_of(directive, false);
        text.splice(0..0, sign.iter().copied());
    }
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+' | b' ')));
    pad(
        directive,
        &text,
        sign,
        directive.has_zeros && number.is_finite(),
        out,
    );
}

fn quoted(state: &mut State, call: Call, argument: usize, out: &mut Vec<u8>) -> Result<()> {
    let string = state.string_argument(call, argument)?;
    out.push(b'"');
    for byte in state.bytes(string) {
        match byte {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', *byte]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
    Ok(())
}
