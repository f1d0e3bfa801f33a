//! The library `struct`: numbers and strings laid out as C lays them out.

use alloc::format;
use alloc::vec::Vec;

use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::number::arithmetic;
use crate::lua::value::Value;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("pack", pack),
    Definition::new("unpack", unpack),
    Definition::new("size", size),
];

/// The widest integer, in bytes.
const INTEGER_BYTES_MAX: usize = 32;
/// The most that one format asks for, in bytes.
const BYTES_MAX: usize = 1 << 30;
/// The alignment behind `!` alone.
const NATIVE_ALIGNMENT: usize = 8;
/// The most values that one call returns.
const VALUES_MAX: usize = 7000;

/// One thing of a format.
#[derive(Clone, Copy)]
enum Item {
    Integer {
        size: usize,
        is_signed: bool,
    },
    Float {
        size: usize,
    },
    /// A string up to a zero.
    Zero,
    /// A string of so many bytes; 0: as many as the value before says.
    Bytes {
        size: usize,
    },
    Padding,
}

/// A format, read from front to back.
struct Format {
    text: Vec<u8>,
    at: usize,
    is_big: bool,
    alignment: usize,
}

impl Format {
    fn of(state: &mut State, call: Call) -> Result<Self, Thrown> {
        let text = state.string_argument(call, 0)?;
        let length = state.bytes(text).len();
        state.charge(length as u64 / 2);
        state.check_room(length)?;
        Ok(Self {
            text: state.bytes(text).to_vec(),
            at: 0,
            is_big: false,
            alignment: 1,
        })
    }

    /// A number that stands here, or `otherwise`.
    fn number(&mut self, state: &State, otherwise: usize) -> Result<usize, Thrown> {
        let mut number = None;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let own = usize::from(digit - b'0');
            let longer = number.unwrap_or(0_usize).checked_mul(10);
            let longer = longer.and_then(|number| number.checked_add(own));
            number = longer.filter(|number| i32::try_from(*number).is_ok());
            if number.is_none() {
                return Err(state.error("integral size overflow"));
            }
            self.at += 1;
        }
        Ok(number.unwrap_or(otherwise))
    }

    /// The next item, and what is to be skipped in front of it behind `total` bytes.
    fn next(&mut self, state: &State, total: usize) -> Result<Option<(Item, usize)>, Thrown> {
        while let Some(option) = self.text.get(self.at).copied() {
            self.at += 1;
            let integer = |size, is_signed| Item::Integer { size, is_signed };
            let item = match option {
                b' ' => continue,
                b'>' => {
                    self.is_big = true;
                    continue;
                }
                b'<' => {
                    self.is_big = false;
                    continue;
                }
                b'!' => {
                    let alignment = self.number(state, NATIVE_ALIGNMENT)?;
                    if !alignment.is_power_of_two() {
                        return Err(state.error("alignment is not a power of 2"));
                    }
                    self.alignment = alignment;
                    continue;
                }
                b'b' | b'B' => integer(1, option == b'b'),
                b'h' | b'H' => integer(2, option == b'h'),
                b'l' | b'L' => integer(8, option == b'l'),
                b'T' => integer(8, false),
                b'i' | b'I' => {
                    let size = self.number(state, 4)?;
                    if size > INTEGER_BYTES_MAX {
                        let text = format!(
                            "integral size {size} is larger than limit of {INTEGER_BYTES_MAX}"
                        );
                        return Err(state.error(&text));
                    }
                    integer(size, option == b'i')
                }
                b'f' => Item::Float { size: 4 },
                b'd' => Item::Float { size: 8 },
                b's' => Item::Zero,
                b'c' => Item::Bytes {
                    size: self.number(state, 1)?,
                },
                b'x' => Item::Padding,
                option => {
                    let option = char::from(option);
                    let text = format!("invalid format option '{option}'");
                    return Err(state.argument_error(0, &text));
                }
            };
            return Ok(Some((item, self.skipped(item, total))));
        }
        Ok(None)
    }

    fn skipped(&self, item: Item, total: usize) -> usize {
        let size = match item {
            Item::Integer { size, .. } | Item::Float { size } => size,
            Item::Zero | Item::Bytes { .. } | Item::Padding => return 0,
        };
        let alignment = size.min(self.alignment);
        if alignment <= 1 {
            return 0;
        }
        (alignment - total % alignment) % alignment
    }
}

fn pack(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let mut format = Format::of(state, call)?;
    let (mut out, mut at) = (Vec::new(), 1);
    while let Some((item, skipped)) = format.next(state, out.len())? {
        out.resize(out.len() + skipped, 0);
        match item {
            Item::Integer { size, .. } => {
                let number = state.integer_argument(call, at)?;
                let bytes = (0..size).map(|place| (number >> (8 * place.min(7))) as u8);
                let mut bytes: Vec<u8> = bytes
                    .enumerate()
                    .map(|(place, byte)| if place < 8 { byte } else { 0 })
                    .collect();
                if format.is_big {
                    bytes.reverse();
                }
                out.append(&mut bytes);
                at += 1;
            }
            Item::Float { size } => {
                let number = state.number_argument(call, at)?;
                let mut bytes = if size == 4 {
                    arithmetic::short_bits(number).to_le_bytes().to_vec()
                } else {
                    arithmetic::bits(number).to_le_bytes().to_vec()
                };
                if format.is_big {
                    bytes.reverse();
                }
                out.append(&mut bytes);
                at += 1;
            }
            Item::Zero | Item::Bytes { .. } => {
                let string = state.string_argument(call, at)?;
                let text = state.bytes(string);
                let size = match item {
                    Item::Bytes { size } if size > 0 => size,
                    _ => text.len(),
                };
                if text.len() < size {
                    return Err(state.argument_error(at, "string too short"));
                }
                out.extend_from_slice(&text[..size]);
                if matches!(item, Item::Zero) {
                    out.push(0);
                }
                at += 1;
            }
            Item::Padding => out.push(0),
        }
        state.charge(1);
        state.check_room(out.len())?;
    }
    Ok(Outcome::One(state.new_string_owned(out)?))
}

fn unpack(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let mut format = Format::of(state, call)?;
    let string = state.string_argument(call, 1)?;
    let place = state.integer_or(call, 2, 1)?;
    if place < 1 {
        return Err(state.argument_error(2, "offset must be 1 or greater"));
    }
    let mut at = usize::try_from(place - 1).unwrap_or(usize::MAX);
    let mut values = Vec::new();
    while let Some((item, skipped)) = format.next(state, at)? {
        state.charge(1);
        state.check_room(0)?;
        at = at.saturating_add(skipped);
        let data = state.bytes(string);
        let too_short = || state.argument_error(1, "data string too short");
        let size = match item {
            Item::Padding => 1,
            Item::Bytes { size: 0 } => {
                let Some(Value::Number(size)) = values.pop() else {
                    return Err(state.error("format 'c0' needs a previous size"));
                };
                if size < 0.0 || size > BYTES_MAX as f64 {
                    return Err(too_short());
                }
                size as usize
            }
            Item::Integer { size, .. } | Item::Float { size } | Item::Bytes { size } => size,
            Item::Zero => {
                let rest = data.get(at..).unwrap_or_default();
                let end = rest.iter().position(|byte| *byte == 0);
                let read = end.unwrap_or(rest.len()) as u64 / 16;
                state.charge(read);
                end.ok_or_else(|| state.error("unfinished string in data"))?
            }
        };
        let data = state.bytes(string);
        let too_short = || state.argument_error(1, "data string too short");
        let end = at.checked_add(size).filter(|end| *end <= data.len());
        let bytes = &data[at..end.ok_or_else(too_short)?];
        let value = match item {
            Item::Integer { is_signed, .. } => {
                Some(Value::Number(integer(bytes, format.is_big, is_signed)))
            }
            Item::Float { .. } => {
                let mut bytes = bytes.to_vec();
                if format.is_big {
                    bytes.reverse();
                }
                let number = match (bytes.first_chunk(), bytes.first_chunk()) {
                    (_, Some(double)) => f64::from_bits(u64::from_le_bytes(*double)),
                    (Some(float), None) => f64::from(f32::from_bits(u32::from_le_bytes(*float))),
                    (None, None) => 0.0,
                };
                Some(Value::Number(number))
            }
            Item::Zero | Item::Bytes { .. } => Some(state.substring(string, at, size)?),
            Item::Padding => None,
        };
        at += size + usize::from(matches!(item, Item::Zero));
        values.extend(value);
        if values.len() > VALUES_MAX {
            return Err(state.error("too many results to unpack"));
        }
    }
    values.push(Value::Number((at + 1) as f64));
    Ok(Outcome::Many(values))
}

/// The number that bytes are, of which those beyond 64 bits are left out.
fn integer(bytes: &[u8], is_big: bool, is_signed: bool) -> f64 {
    let byte = |place: usize| {
        let place = if is_big {
            bytes.len() - 1 - place
        } else {
            place
        };
        u64::from(bytes[place])
    };
    let used = bytes.len().min(8);
    let number = (0..used).fold(0, |all, place| all | byte(place) << (8 * place));
    if !is_signed || used == 0 {
        return number as f64;
    }
    let unused = 64 - 8 * used as u32;
    ((number << unused) as i64 >> unused) as f64
}

fn size(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let mut format = Format::of(state, call)?;
    let mut total = 0_usize;
    while let Some((item, skipped)) = format.next(state, total)? {
        let size = match item {
            Item::Bytes { size: 0 } | Item::Zero => {
                return Err(state.argument_error(0, "variable-length format"));
            }
            Item::Integer { size, .. } | Item::Float { size } | Item::Bytes { size } => size,
            Item::Padding => 1,
        };
        total = total.saturating_add(skipped).saturating_add(size);
        if total > BYTES_MAX {
            return Err(state.error("size of format is too large"));
        }
    }
    Ok(Outcome::One(Value::Number(total as f64)))
}
