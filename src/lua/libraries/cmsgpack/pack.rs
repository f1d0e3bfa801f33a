//! From values to MessagePack.

use alloc::vec::Vec;

use crate::lua::machine::{Call, Outcome, State, Thrown};
use crate::lua::number::arithmetic;
use crate::lua::value::{TableRef, Value};

/// The deepest nesting: what stands deeper becomes nil.
const NESTING_MAX: usize = 16;
/// More than so many bytes are not packed: a small table may be in another many times, and packing
/// is one step.
const PACKED_BYTES_MAX: usize = 16 << 20;
/// So many bytes cost one instruction.
const BYTES_PER_UNIT: usize = 16;

pub(super) fn pack(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    if call.count == 0 {
        let text = "bad argument #0 to 'pack' (MessagePack pack needs input.)";
        return Err(state.error(text));
    }
    let mut out = Vec::new();
    for at in 0..call.count {
        let value = state.argument(call, at);
        put(state, value, 0, &mut out)?;
    }
    Ok(Outcome::One(state.new_string_owned(out)?))
}

/// Appends the lowest bytes of a number behind a mark, the highest of them first.
fn marked(out: &mut Vec<u8>, mark: u8, number: u64, bytes: u32) {
    out.push(mark);
    out.extend((0..bytes).rev().map(|place| (number >> (place * 8)) as u8));
}

/// Appends a length behind the mark for so many bytes; the first may be missing.
fn sized(out: &mut Vec<u8>, marks: [u8; 3], number: usize) {
    let number = number as u64;
    match number {
        0..=0xff if marks[0] != 0 => marked(out, marks[0], number, 1),
        0..=0xffff => marked(out, marks[1], number, 2),
        _ => marked(out, marks[2], number, 4),
    }
}

fn put(state: &mut State, value: Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Thrown> {
    let before = out.len();
    match value {
        Value::String(string) => {
            let text = state.bytes(string);
            if text.len() < 32 {
                out.push(0xa0 | text.len() as u8);
            } else {
                sized(out, [0xd9, 0xda, 0xdb], text.len());
            }
            out.extend_from_slice(text);
        }
        Value::Boolean(truth) => out.push(if truth { 0xc3 } else { 0xc2 }),
        Value::Number(number) => put_number(number, out),
        Value::Table(table) if depth < NESTING_MAX => put_table(state, table, depth, out)?,
        _ => out.push(0xc0),
    }
    let written = out.len() - before;
    state.charge(1 + (written / BYTES_PER_UNIT) as u64);
    let room = if out.len() > PACKED_BYTES_MAX {
        usize::MAX
    } else {
        out.len()
    };
    state.check_room(room)
}

fn put_number(number: f64, out: &mut Vec<u8>) {
    let whole = number as i64;
    let is_whole =
        number.is_finite() && whole as f64 == number && (-9.2e18..9.2e18).contains(&number);
    if !is_whole {
        let short = number as f32;
        if (f64::from(short) - number).abs() == 0.0 || !number.is_finite() {
            marked(out, 0xca, u64::from(arithmetic::short_bits(number)), 4);
        } else {
            marked(out, 0xcb, arithmetic::bits(number), 8);
        }
        return;
    }
    let bits = whole as u64;
    match whole {
        -32..=127 => out.push(whole as u8),
        128..=0xff => marked(out, 0xcc, bits, 1),
        0x100..=0xffff => marked(out, 0xcd, bits, 2),
        0x1_0000..=0xffff_ffff => marked(out, 0xce, bits, 4),
        0x1_0000_0000.. => marked(out, 0xcf, bits, 8),
        -128..=-33 => marked(out, 0xd0, bits, 1),
        -0x8000..=-129 => marked(out, 0xd1, bits, 2),
        -0x8000_0000..=-0x8001 => marked(out, 0xd2, bits, 4),
        _ => marked(out, 0xd3, bits, 8),
    }
}

/// How many items a table has; whether they stand at 1 and on, without a gap.
fn form(state: &mut State, table: TableRef) -> Result<(usize, bool), Thrown> {
    let (mut most, mut count, mut is_list, mut last) = (0.0, 0_usize, true, Value::Nil);
    while let Some((key, _)) = state.next(table, last)? {
        match key {
            Value::Number(number) if number > 0.0 && number == libm::floor(number) => {
                most = number.max(most);
            }
            _ => is_list = false,
        }
        count += 1;
        last = key;
    }
    state.charge(count as u64);
    Ok((count, is_list && most == count as f64))
}

fn put_table(
    state: &mut State,
    table: TableRef,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Thrown> {
    let (count, is_list) = form(state, table)?;
    if is_list {
        if count < 16 {
            out.push(0x90 | count as u8);
        } else {
            sized(out, [0, 0xdc, 0xdd], count);
        }
        for place in 1..=count {
            let item = state.raw_get(table, Value::Number(place as f64));
            put(state, item, depth + 1, out)?;
        }
        return Ok(());
    }
    if count < 16 {
        out.push(0x80 | count as u8);
    } else {
        sized(out, [0, 0xde, 0xdf], count);
    }
    let mut last = Value::Nil;
    while let Some((key, value)) = state.next(table, last)? {
        put(state, key, depth + 1, out)?;
        put(state, value, depth + 1, out)?;
        last = key;
    }
    Ok(())
}
