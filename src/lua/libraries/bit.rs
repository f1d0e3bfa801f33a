//! The library `bit`: operations on the bits of 32-bit integers, as `BitOp` has them.

use alloc::vec::Vec;

use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::number::arithmetic;
use crate::lua::value::Value;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("tobit", tobit),
    Definition::new("bnot", bnot),
    Definition::new("band", band),
    Definition::new("bor", bor),
    Definition::new("bxor", bxor),
    Definition::new("lshift", lshift),
    Definition::new("rshift", rshift),
    Definition::new("arshift", arshift),
    Definition::new("rol", rol),
    Definition::new("ror", ror),
    Definition::new("bswap", bswap),
    Definition::new("tohex", tohex),
];

/// Added to a number, it moves the number's lowest 32 bits to the end of the sum's.
const SHIFTING: f64 = 6_755_399_441_055_744.0;

/// The most digits of `tohex`.
const HEX_DIGITS_MAX: u64 = 8;

/// An argument's lowest 32 bits, rounded to a whole number.
fn bits(state: &mut State, call: Call, at: usize) -> Result<u32, Thrown> {
    let number = state.number_argument(call, at)?;
    Ok(arithmetic::bits(number + SHIFTING) as u32)
}

#[allow(clippy::unnecessary_wraps, reason = "the end of every function here")]
fn result(bits: u32) -> Result<Outcome, Thrown> {
    Ok(Outcome::One(Value::Number(f64::from(bits as i32))))
}

fn tobit(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    result(bits(state, call, 0)?)
}

fn bnot(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    result(!bits(state, call, 0)?)
}

fn bswap(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    result(bits(state, call, 0)?.swap_bytes())
}

fn fold(state: &mut State, call: Call, join: fn(u32, u32) -> u32) -> Result<Outcome, Thrown> {
    let mut all = bits(state, call, 0)?;
    for at in 1..call.count {
        all = join(all, bits(state, call, at)?);
    }
    result(all)
}

fn band(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    fold(state, call, |one, other| one & other)
}

fn bor(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    fold(state, call, |one, other| one | other)
}

fn bxor(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    fold(state, call, |one, other| one ^ other)
}

fn shift(state: &mut State, call: Call, by: fn(u32, u32) -> u32) -> Result<Outcome, Thrown> {
    let (number, places) = (bits(state, call, 0)?, bits(state, call, 1)?);
    result(by(number, places & 31))
}

fn lshift(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    shift(state, call, |number, places| number << places)
}

fn rshift(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    shift(state, call, |number, places| number >> places)
}

fn arshift(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    shift(state, call, |number, places| {
        ((number as i32) >> places) as u32
    })
}

fn rol(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    shift(state, call, u32::rotate_left)
}

fn ror(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    shift(state, call, u32::rotate_right)
}

fn tohex(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let number = bits(state, call, 0)?;
    let wanted = if state.argument(call, 1).is_nil() {
        8
    } else {
        bits(state, call, 1)? as i32
    };
    let is_upper = wanted < 0;
    let count = u64::from(wanted.unsigned_abs()).min(HEX_DIGITS_MAX) as u32;
    let digits: &[u8; 16] = if is_upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let places = (0..count).rev();
    let text: Vec<u8> = places
        .map(|place| digits[(number >> (place * 4) & 15) as usize])
        .collect();
    Ok(Outcome::One(state.new_string(&text)?))
}
