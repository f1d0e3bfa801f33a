//! HyperLogLogs: lists of runs, or all registers, and the string that they are.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::{Answer, Call, Datum, Want};

const REGISTERS: usize = 16_384;
const NO_SKETCH: &str = "WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPTED: &str = "INVALIDOBJ Corrupted HLL object detected";
/// The longest string that stays a list of runs.
const RUNS_BYTES_MAX: usize = 3000;

/// Registers with the same value, side by side; zeros may be said in two bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Run {
    value: u8,
    len: usize,
    is_wide: bool,
}

impl Run {
    fn zeros(len: usize) -> Self {
        let (value, is_wide) = (0, len > 64);
        Self {
            value,
            len,
            is_wide,
        }
    }

    fn of(value: u8, len: usize) -> Self {
        match value {
            0 => Self::zeros(len),
            _ => Self {
                value,
                len,
                is_wide: false,
            },
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        let last = self.len - 1;
        match (self.value, self.is_wide) {
            (0, true) => out.extend([64 + (last / 256) as u8, (last % 256) as u8]),
            (0, false) => out.push(last as u8),
            (value, _) => out.push(128 + (value - 1) * 4 + last as u8),
        }
    }
}

enum Form {
    /// Runs, and half of one behind them where a string was cut.
    Runs(Vec<Run>, Option<u8>),
    All(Vec<u8>),
}

struct Sketch {
    head: Vec<u8>,
    form: Form,
}

impl Sketch {
    fn empty() -> Self {
        let mut head = b"HYLL\x01".to_vec();
        head.resize(16, 0);
        let form = Form::Runs(vec![Run::zeros(REGISTERS)], None);
        Self { head, form }
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() < 16 || &bytes[..4] != b"HYLL" || bytes[4] > 1 {
            return Err(NO_SKETCH.to_owned());
        }
        let (head, body) = (bytes[..16].to_vec(), &bytes[16..]);
        if bytes[4] == 0 {
            if body.len() * 8 != REGISTERS * 6 {
                return Err(NO_SKETCH.to_owned());
            }
            let bit = |at: usize| body[at / 8] >> (at % 8) & 1;
            let register = |nth: usize| (0..6).map(|at| bit(6 * nth + at) << at).sum();
            let form = Form::All((0..REGISTERS).map(register).collect());
            return Ok(Self { head, form });
        }
        if body.len() > 2 * REGISTERS {
            return Err(CORRUPTED.to_owned());
        }
        let (mut runs, mut half) = (Vec::new(), None);
        let mut rest = body.iter().copied();
        while let Some(byte) = rest.next() {
            let (value, len, is_wide) = match (byte / 64, rest.clone().next()) {
                (0, _) => (0, usize::from(byte) + 1, false),
                (1, None) => {
                    half = Some(byte);
                    break;
                }
                (1, Some(low)) => {
                    rest.next();
                    (0, usize::from(byte % 64) * 256 + usize::from(low) + 1, true)
                }
                _ => (byte % 128 / 4 + 1, usize::from(byte % 4) + 1, false),
            };
            runs.push(Run {
                value,
                len,
                is_wide,
            });
        }
        let form = Form::Runs(runs, half);
        Ok(Self { head, form })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        match &self.form {
            Form::Runs(runs, half) => {
                bytes[4] = 1;
                for run in runs {
                    run.write(&mut bytes);
                }
                bytes.extend(half);
            }
            Form::All(registers) => {
                bytes[4] = 0;
                let mut bits = vec![0; REGISTERS * 6 / 8];
                for at in 0..REGISTERS * 6 {
                    bits[at / 8] |= (registers[at / 6] >> (at % 6) & 1) << (at % 8);
                }
                bytes.extend(bits);
            }
        }
        bytes
    }

    /// All registers, if they are.
    fn registers(&self) -> Result<Vec<u8>, String> {
        match &self.form {
            Form::All(registers) => Ok(registers.clone()),
            Form::Runs(runs, half) => {
                let all = runs.iter().map(|run| run.len).sum::<usize>();
                if all != REGISTERS || half.is_some() {
                    return Err(CORRUPTED.to_owned());
                }
                let each = runs.iter();
                Ok(each.flat_map(|run| vec![run.value; run.len]).collect())
            }
        }
    }

    fn is_all(&self) -> bool {
        matches!(self.form, Form::All(_))
    }

    fn open(&mut self) -> Result<(), String> {
        self.form = Form::All(self.registers()?);
        Ok(())
    }

    fn stale(&mut self) {
        self.head[15] |= 128;
    }

    fn raise(&mut self, nth: usize, value: u8) -> Result<bool, String> {
        let length = self.bytes().len();
        let Form::Runs(runs, _) = &mut self.form else {
            return Ok(self.raise_open(nth, value));
        };
        if value <= 32 {
            let mut first = 0;
            let is_there = |run: &Run| {
                first += run.len;
                nth < first
            };
            let found = runs.iter().position(is_there);
            let at = found.ok_or_else(|| CORRUPTED.to_owned())?;
            let run = runs[at];
            let before = nth - (first - run.len);
            if run.value >= value {
                return Ok(false);
            }
            let behind = run.len - before - 1;
            let mut new = Vec::new();
            if before > 0 {
                new.push(Run::of(run.value, before));
            }
            new.push(Run::of(value, 1));
            if behind > 0 {
                new.push(Run::of(run.value, behind));
            }
            let size = |runs: &[Run]| {
                runs.iter()
                    .map(|r| 1 + usize::from(r.is_wide))
                    .sum::<usize>()
            };
            let (old_size, new_size) = (size(&[run]), size(&new));
            if new_size <= old_size || length + new_size - old_size <= RUNS_BYTES_MAX {
                runs.splice(at..=at, new);
                join_neighbours(runs, at.saturating_sub(1));
                return Ok(true);
            }
        }
        self.open()?;
        Ok(self.raise_open(nth, value))
    }

    fn raise_open(&mut self, nth: usize, value: u8) -> bool {
        match &mut self.form {
            Form::All(registers) if registers[nth] < value => {
                registers[nth] = value;
                true
            }
            _ => false,
        }
    }

    fn add(&mut self, element: &[u8]) -> Result<bool, String> {
        let hash = murmur(element);
        let mut zeros = 1;
        while zeros <= 50 && hash >> (13 + u32::from(zeros)) & 1 == 0 {
            zeros += 1;
        }
        self.raise((hash % REGISTERS as u64) as usize, zeros)
    }
}

/// Lets runs become one from a place on, looking at five at most.
fn join_neighbours(runs: &mut Vec<Run>, from: usize) {
    let mut at = from;
    for _ in 0..5 {
        let [Some(run), next] = [at, at + 1].map(|at| runs.get(at).copied()) else {
            return;
        };
        match next {
            Some(next) if run.value > 0 && next.value == run.value && run.len + next.len <= 4 => {
                runs[at].len += next.len;
                runs.remove(at + 1);
            }
            _ => at += 1,
        }
    }
}

fn murmur(element: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let times = |one: u64| one.wrapping_mul(M);
    let mut hash = 0xadc8_3b19 ^ times(element.len() as u64);
    for chunk in element.chunks(8) {
        let mut word = 0;
        for (nth, byte) in chunk.iter().enumerate() {
            word |= u64::from(*byte) << (8 * nth);
        }
        if chunk.len() == 8 {
            word = times(word);
            word = times(word ^ word >> 47);
        }
        hash = times(hash ^ word);
    }
    hash = times(hash ^ hash >> 47);
    hash ^ hash >> 47
}

/// The cardinality that registers tell (Ertl's estimator).
fn cardinality(registers: &[u8]) -> i64 {
    let m = REGISTERS as f64;
    let mut histogram = [0_u32; 64];
    for register in registers {
        histogram[usize::from(*register)] += 1;
    }
    let of = |value: usize| f64::from(histogram[value]);
    let mut z = m * tau((m - of(51)) / m);
    for value in (1..=50).rev() {
        z = 0.5 * (z + of(value));
    }
    z += m * sigma(of(0) / m);
    let found = 0.721_347_520_444_481_7 * m * m / z;
    if found.is_finite() {
        found.round() as i64
    } else {
        i64::MIN
    }
}

fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let next = sum + power * weight;
        if next <= sum {
            return next;
        }
        sum = next;
        weight *= 2.0;
    }
}

fn tau(x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (x, 1.0, 1.0 - x);
    loop {
        root = root.sqrt();
        weight /= 2.0;
        let next = sum - (1.0 - root) * (1.0 - root) * weight;
        if next >= sum {
            return next / 3.0;
        }
        sum = next;
    }
}

fn at(call: &Call<'_>, key: &[u8]) -> Result<Option<Sketch>, String> {
    let text = call.text(key)?;
    text.map(|text| Sketch::read(&text)).transpose()
}

pub(super) fn pfadd(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let found = at(call, &key)?;
    let mut changed = found.is_none();
    let mut sketch = found.unwrap_or_else(Sketch::empty);
    for element in &call.args[2..] {
        changed |= sketch.add(element)?;
    }
    if changed {
        sketch.stale();
        call.replace(&key, Datum::written(sketch.bytes()));
    } else {
        call.keep_raw(&key);
    }
    Ok(Want::flag(changed))
}

pub(super) fn pfcount(call: &mut Call<'_>) -> Answer {
    if let [_, key] = call.args {
        let Some(sketch) = at(call, key)? else {
            return Ok(Want::Integer(0));
        };
        if sketch.head[15] < 128 {
            let mut kept = [0; 8];
            kept.copy_from_slice(&sketch.head[8..]);
            return Ok(Want::Integer(i64::from_le_bytes(kept)));
        }
        return Ok(Want::Integer(cardinality(&sketch.registers()?)));
    }
    Ok(Want::Integer(cardinality(&joined(call)?.0)))
}

/// The highest of each register of all keys, and whether one of them has all.
fn joined(call: &Call<'_>) -> Result<(Vec<u8>, bool), String> {
    let (mut registers, mut is_all) = (vec![0; REGISTERS], false);
    for key in &call.args[1..] {
        let Some(sketch) = at(call, key)? else {
            continue;
        };
        is_all |= sketch.is_all();
        let own = sketch.registers()?;
        for (register, own) in registers.iter_mut().zip(own) {
            *register = own.max(*register);
        }
    }
    Ok((registers, is_all))
}

pub(super) fn pfmerge(call: &mut Call<'_>) -> Answer {
    let (registers, is_all) = joined(call)?;
    let key = call.arg(1);
    let mut sketch = at(call, &key)?.unwrap_or_else(Sketch::empty);
    if is_all {
        sketch.open()?;
    }
    for (nth, value) in registers.into_iter().enumerate() {
        if value > 0 {
            sketch.raise(nth, value)?;
        }
    }
    sketch.stale();
    call.replace(&key, Datum::written(sketch.bytes()));
    Ok(Want::OK)
}

pub(super) fn pfdebug(call: &mut Call<'_>) -> Answer {
    let key = call.arg(2);
    let Some(mut sketch) = at(call, &key)? else {
        return Err("ERR The specified key does not exist".to_owned());
    };
    let was_all = sketch.is_all();
    let answer = match &call.word(1)[..] {
        "getreg" => {
            sketch.open()?;
            let registers = sketch.registers()?.into_iter();
            Want::Array(registers.map(|r| Want::Integer(i64::from(r))).collect())
        }
        "decode" => {
            let Form::Runs(runs, _) = &sketch.form else {
                return Err("ERR HLL encoding is not sparse".to_owned());
            };
            let shown = runs.iter().map(|run| match (run.value, run.is_wide) {
                (0, true) => format!("Z:{}", run.len),
                (0, false) => format!("z:{}", run.len),
                (value, _) => format!("v:{value},{}", run.len),
            });
            Want::Bulk(shown.collect::<Vec<_>>().join(" ").into_bytes())
        }
        "encoding" => Want::Simple(if was_all { "dense" } else { "sparse" }),
        "todense" => {
            sketch.open()?;
            Want::flag(!was_all)
        }
        _ => {
            let given = String::from_utf8_lossy(&call.arg(1)).into_owned();
            return Err(format!("ERR Unknown PFDEBUG subcommand '{given}'"));
        }
    };
    if sketch.is_all() == was_all {
        call.keep_raw(&key);
    } else {
        call.replace(&key, Datum::written(sketch.bytes()));
    }
    Ok(answer)
}

pub(super) fn pfselftest(_: &mut Call<'_>) -> Answer {
    Ok(Want::OK)
}
