//! The commands on bits, over plain bytes: one bit after the other.

use super::{Answer, Call, Datum, SYNTAX, Want, text};

const OFFSET: &str = "ERR bit offset is not an integer or out of range";
const NOT_A_BIT: &str = "ERR bit is not an integer or out of range";
const WIDTH: &str = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not \
                     supported but i64 is.";
const BYTES_MAX: u64 = 512 << 20;

fn offset(text: &[u8]) -> Result<u64, String> {
    let number = text::integer(text).and_then(|number| u64::try_from(number).ok());
    let fits = number.filter(|number| number / 8 < BYTES_MAX);
    fits.ok_or_else(|| OFFSET.to_owned())
}

fn bit(bytes: &[u8], at: u64) -> bool {
    let byte = bytes.get((at / 8) as usize).copied().unwrap_or(0);
    byte & 0x80 >> (at % 8) != 0
}

fn put(bytes: &mut [u8], at: u64, is_set: bool) {
    let mark = 0x80 >> (at % 8);
    let byte = &mut bytes[(at / 8) as usize];
    *byte = if is_set { *byte | mark } else { *byte & !mark };
}

/// Lets a key hold bytes that were written in part: as a write of it only where it was one.
fn written(call: &mut Call<'_>, key: &[u8], bytes: Vec<u8>, is_write: bool) {
    if is_write {
        call.replace(key, Datum::written(bytes));
    } else {
        call.keep_raw(key);
    }
}

pub(super) fn setbit(call: &mut Call<'_>) -> Answer {
    let (key, at) = (call.arg(1), offset(&call.arg(2))?);
    let new = match text::integer(&call.arg(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(NOT_A_BIT.to_owned()),
    };
    let mut bytes = call.text(&key)?.unwrap_or_default();
    let old = bit(&bytes, at);
    let grows = at / 8 >= bytes.len() as u64;
    if grows {
        bytes.resize((at / 8) as usize + 1, 0);
    }
    put(&mut bytes, at, new);
    written(call, &key, bytes, grows || old != new);
    Ok(Want::flag(old))
}

pub(super) fn getbit(call: &mut Call<'_>) -> Answer {
    let at = offset(&call.arg(2))?;
    let bytes = call.text(&call.arg(1))?.unwrap_or_default();
    Ok(Want::flag(bit(&bytes, at)))
}

/// The first bit and the last of a part of so many bytes, or that there is none in it.
fn part(
    len: usize,
    start: i64,
    end: Option<i64>,
    in_bits: bool,
) -> Option<std::ops::RangeInclusive<u64>> {
    let total = len as i64 * if in_bits { 8 } else { 1 };
    let place = |given: i64| match given {
        0.. => given,
        _ => given.saturating_add(total).max(0),
    };
    let start = place(start);
    let end = end.map_or(total - 1, place).min(total - 1);
    let wide = if in_bits { 1 } else { 8 };
    (start <= end).then(|| start as u64 * wide..=end as u64 * wide + (wide - 1))
}

/// The unit that a word names.
fn unit(call: &Call<'_>, place: usize) -> Result<bool, String> {
    match &call.word(place)[..] {
        "bit" => Ok(true),
        "byte" => Ok(false),
        "" if call.args.len() == place => Ok(false),
        _ => Err(SYNTAX.to_owned()),
    }
}

pub(super) fn bitcount(call: &mut Call<'_>) -> Answer {
    let (mut start, mut end, mut in_bits) = (0, -1, false);
    match call.args.len() {
        2 => {}
        4 | 5 => {
            (start, end) = (call.integer(2)?, call.integer(3)?);
            in_bits = unit(call, 4)?;
        }
        _ => return Err(SYNTAX.to_owned()),
    }
    let bytes = call.text(&call.arg(1))?.unwrap_or_default();
    let is_nothing = start < 0 && end < 0 && start > end;
    let bits = part(bytes.len(), start, Some(end), in_bits).filter(|_| !is_nothing);
    let set = bits.into_iter().flatten().filter(|at| bit(&bytes, *at));
    Ok(Want::Integer(set.count() as i64))
}

pub(super) fn bitpos(call: &mut Call<'_>) -> Answer {
    let wanted = match call.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err("ERR The bit argument must be 1 or 0.".to_owned()),
    };
    let words = call.args.len();
    if words > 6 {
        return Err(SYNTAX.to_owned());
    }
    let start = if words > 3 { call.integer(3)? } else { 0 };
    let in_bits = if words == 6 { unit(call, 5)? } else { false };
    let end = if words > 4 {
        Some(call.integer(4)?)
    } else {
        None
    };
    let Some(bytes) = call.text(&call.arg(1))? else {
        return Ok(Want::Integer(if wanted { -1 } else { 0 }));
    };
    let Some(mut bits) = part(bytes.len(), start, end, in_bits) else {
        return Ok(Want::Integer(-1));
    };
    let found = bits.find(|at| bit(&bytes, *at) == wanted);
    Ok(Want::Integer(match found {
        Some(at) => at as i64,
        None if wanted || end.is_some() => -1,
        None => bytes.len() as i64 * 8,
    }))
}

pub(super) fn bitop(call: &mut Call<'_>) -> Answer {
    let how = call.word(1);
    let join: fn(u8, u8) -> u8 = match &how[..] {
        "and" => |one, other| one & other,
        "or" => |one, other| one | other,
        "xor" => |one, other| one ^ other,
        "not" if call.args.len() != 4 => {
            return Err("ERR BITOP NOT must be called with a single source key.".to_owned());
        }
        "not" => |_, other| !other,
        _ => return Err(SYNTAX.to_owned()),
    };
    let mut sources = Vec::new();
    for key in &call.args[3..] {
        sources.push(call.text(key)?.unwrap_or_default());
    }
    let longest = sources.iter().map(Vec::len).max().unwrap_or(0);
    let mut made = sources.first().cloned().unwrap_or_default();
    made.resize(longest, 0);
    for source in sources.iter().skip(usize::from(how != "not")) {
        for (at, byte) in made.iter_mut().enumerate() {
            *byte = join(*byte, source.get(at).copied().unwrap_or(0));
        }
    }
    let target = call.arg(2);
    if made.is_empty() {
        call.remove(&target);
    } else {
        call.put(&target, Datum::written(made), None);
    }
    Ok(Want::Integer(longest as i64))
}

/// A field: its width, its sign, and where it begins.
#[derive(Clone, Copy)]
struct Field {
    bits: u64,
    is_signed: bool,
    at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

enum Step {
    Get(Field),
    Set(Field, i64, Overflow),
    Add(Field, i64, Overflow),
}

fn field(call: &Call<'_>, place: usize) -> Result<Field, String> {
    let word = call.arg(place);
    let end = word.iter().position(|byte| *byte == 0);
    let word = &word[..end.unwrap_or(word.len())];
    let number = text::integer(word.get(1..).unwrap_or_default());
    let (is_signed, bits) = match (word.first(), number) {
        (Some(b'i'), Some(bits @ 1..=64)) => (true, bits as u64),
        (Some(b'u'), Some(bits @ 1..=63)) => (false, bits as u64),
        _ => return Err(WIDTH.to_owned()),
    };
    let word = call.arg(place + 1);
    let at = match word.split_first() {
        Some((b'#', nth)) => {
            let at = offset(nth)?.saturating_mul(bits);
            offset(at.to_string().as_bytes())?
        }
        _ => offset(&word)?,
    };
    Ok(Field {
        bits,
        is_signed,
        at,
    })
}

fn steps(call: &Call<'_>) -> Result<Vec<Step>, String> {
    let (mut steps, mut place, mut overflow) = (Vec::new(), 2, Overflow::Wrap);
    while place < call.args.len() {
        let left = call.args.len() - place - 1;
        match &call.word(place)[..] {
            "overflow" if left >= 1 => {
                overflow = match &call.word(place + 1)[..] {
                    "wrap" => Overflow::Wrap,
                    "sat" => Overflow::Saturate,
                    "fail" => Overflow::Fail,
                    _ => return Err("ERR Invalid OVERFLOW type specified".to_owned()),
                };
                place += 2;
            }
            "get" if left >= 2 => {
                steps.push(Step::Get(field(call, place + 1)?));
                place += 3;
            }
            word @ ("set" | "incrby") if left >= 3 => {
                let field = field(call, place + 1)?;
                let given = call.integer(place + 3)?;
                if field.at + field.bits > BYTES_MAX * 8 {
                    return Err(OFFSET.to_owned());
                }
                steps.push(match word {
                    "set" => Step::Set(field, given, overflow),
                    _ => Step::Add(field, given, overflow),
                });
                place += 4;
            }
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    Ok(steps)
}

impl Field {
    fn load(self, bytes: &[u8]) -> i128 {
        let mut number = 0_i128;
        for at in self.at..self.at + self.bits {
            number = number * 2 + i128::from(bit(bytes, at));
        }
        self.with_sign(number)
    }

    /// A number as its low bits are read in this field.
    fn with_sign(self, number: i128) -> i128 {
        let whole = 1_i128 << self.bits;
        let low = number.rem_euclid(whole);
        if self.is_signed && low >= whole / 2 {
            low - whole
        } else {
            low
        }
    }

    fn store(self, bytes: &mut [u8], number: i128) {
        let low = number.rem_euclid(1_i128 << self.bits);
        for nth in 0..self.bits {
            let is_set = low >> (self.bits - 1 - nth) & 1 == 1;
            put(bytes, self.at + nth, is_set);
        }
    }

    /// A number as the field can hold it, if it shall be held.
    fn fitted(self, number: i128, overflow: Overflow) -> Option<i128> {
        let (least, most) = if self.is_signed {
            let half = 1_i128 << (self.bits - 1);
            (-half, half - 1)
        } else {
            (0, (1_i128 << self.bits) - 1)
        };
        if (least..=most).contains(&number) {
            return Some(number);
        }
        match overflow {
            Overflow::Wrap => Some(self.with_sign(number)),
            Overflow::Saturate => Some(if number > most { most } else { least }),
            Overflow::Fail => None,
        }
    }
}

pub(super) fn bitfield(call: &mut Call<'_>) -> Answer {
    let steps = steps(call)?;
    let key = call.arg(1);
    let ends = steps.iter().filter_map(|step| match step {
        Step::Get(_) => None,
        Step::Set(field, ..) | Step::Add(field, ..) => Some(field.at + field.bits),
    });
    let end = ends.max();
    if end.is_some() && call.name() == "bitfield_ro" {
        return Err("ERR BITFIELD_RO only supports the GET subcommand".to_owned());
    }
    let mut bytes = call.text(&key)?.unwrap_or_default();
    let least = end.map_or(0, |end| end.div_ceil(8) as usize);
    let mut is_write = least > bytes.len();
    if is_write {
        bytes.resize(least, 0);
    }
    let mut answers = Vec::new();
    for step in steps {
        let (field, number, overflow) = match step {
            Step::Get(field) => {
                answers.push(Want::Integer(field.load(&bytes) as i64));
                continue;
            }
            // Far below what fits, Redis takes a number for one that is too large.
            Step::Set(field, given, overflow) => {
                let most = 1_i128 << (field.bits - 1);
                let far = field.is_signed && field.bits < 64;
                let far = far && most - 1 - i128::from(given) > i128::from(i64::MAX);
                let number = match (field.is_signed, overflow) {
                    (true, Overflow::Saturate) if far => most,
                    (true, _) => i128::from(given),
                    (false, _) => i128::from(given.cast_unsigned()),
                };
                (field, number, overflow)
            }
            Step::Add(field, given, overflow) => {
                (field, field.load(&bytes) + i128::from(given), overflow)
            }
        };
        let old = field.load(&bytes);
        let Some(new) = field.fitted(number, overflow) else {
            answers.push(Want::Null);
            continue;
        };
        let answer = if matches!(step, Step::Set(..)) {
            old
        } else {
            new
        };
        answers.push(Want::Integer(answer as i64));
        field.store(&mut bytes, new);
        is_write |= old != new;
    }
    if end.is_some() {
        written(call, &key, bytes, is_write);
    }
    Ok(Want::Array(answers))
}
