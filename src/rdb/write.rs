//! The parts of a payload as they are written.

use alloc::vec::Vec;

use super::crc64;
use super::read::ValueKind;

/// The version that is written: that of Redis 7.0.
pub const VERSION: u16 = 10;

/// Writes which type follows.
pub fn put_kind(out: &mut Vec<u8>, kind: ValueKind) {
    out.push(match kind {
        ValueKind::String => 0,
        ValueKind::List => 1,
        ValueKind::Set => 2,
        ValueKind::Hash => 4,
        ValueKind::Zset => 5,
    });
}

/// Writes a length or a count.
pub fn put_length(out: &mut Vec<u8>, length: u64) {
    match length {
        0..0x40 => out.push(length as u8),
        0x40..0x4000 => out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        0x4000..0x1_0000_0000 => {
            out.push(0x80);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// Writes a string.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes an integer as a string; in Redis's short form where it has one.
pub fn put_integer(out: &mut Vec<u8>, number: i64, text: &[u8]) {
    if let Ok(number) = i8::try_from(number) {
        out.push(0xc0);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xc1);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xc2);
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        put_string(out, text);
    }
}

/// Writes the score of a member.
pub fn put_score(out: &mut Vec<u8>, score: f64) {
    out.extend_from_slice(&score.to_le_bytes());
}

/// Writes the end of a payload, of which `sum` is the checksum so far.
pub fn put_footer(out: &mut Vec<u8>, sum: u64) {
    let version = VERSION.to_le_bytes();
    out.extend_from_slice(&version);
    let sum = crc64::extended(sum, &version);
    out.extend_from_slice(&sum.to_le_bytes());
}
