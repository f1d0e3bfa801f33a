//! DUMP and RESTORE: values in Redis's own form, for who moves them from server to server.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::args::Args;
use super::context::{Change, Query};
use super::dumping::{Dumping, Restoring, Stage, Summed};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::{Category, Flag};
use super::grammar::{KEY, integer, opt, string, word};
use super::group::Group;
use super::key::{Keys, READ, REPLACED};
use super::pace::{Kept, Pace};
use super::row::Row;
use super::tip;
use crate::limits::BYTES_PER_WORK;
use crate::rdb::{self, Reading, ValueKind, crc64};
use crate::store::{End, NewExpiry, Text, Value};
use crate::time::Stamp;

pub(super) const ROWS: &[Row] = &[
    Row::read("dump", 2, dump)
        .group(Group::Generic)
        .since("2.6.0")
        .tips(tip::VARIES)
        .says("Returns the value at a key in the form of Redis's payloads.")
        .costs("O(N) where N is the length of the value.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::write("restore", -4, restore)
        .group(Group::Generic)
        .since("2.6.0")
        .flags(&[Flag::DenyOom])
        .within(Category::Dangerous)
        .says("Lets a key hold the value of a payload that DUMP has returned.")
        .costs("O(N) where N is the length of the payload.")
        .keys(&[Keys::at(1, REPLACED)])
        .tells(Tells::Made(KeyEvent::RESTORE))
        .args(&[
            KEY,
            integer("ttl"),
            string("serialized-value"),
            opt(word("REPLACE").since("3.0.0")),
            opt(word("ABSTTL").since("5.0.0")),
            opt(integer("seconds").behind("IDLETIME").since("5.0.0")),
            opt(integer("frequency").behind("FREQ").since("5.0.0")),
        ]),
];

/// So many bytes are summed in one step.
const SUMMED_AT_ONCE: usize = 256 << 10;
/// So many of them are as much work as one byte that is copied.
const SUMMED_PER_BYTE: usize = 2;
/// So many items are walked over in one step.
const ITEMS_AT_ONCE: usize = 64;

/// Goes on with a checksum, up to the end of the bytes.
pub(super) fn sum(pace: &mut Pace, summed: &mut Summed, bytes: &[u8]) -> Outcome {
    while summed.count < bytes.len() {
        let end = bytes.len().min(summed.count + SUMMED_AT_ONCE);
        let part = &bytes[summed.count..end];
        pace.step(0, part.len() / BYTES_PER_WORK / SUMMED_PER_BYTE)?;
        *summed = Summed {
            count: end,
            sum: crc64::extended(summed.sum, part),
        };
    }
    Ok(())
}

fn dump(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let Some(value) = query.get(args.at(1))? else {
        query.reply.null();
        return Ok(());
    };
    let mut dumping = match mem::take(&mut query.pace.kept) {
        Kept::Dumping(dumping) => dumping,
        _ => Box::default(),
    };
    let done = write_all(value, query.pace, &mut dumping);
    let mut dumping = query.pace.keep(Kept::Dumping, done, dumping)?;
    rdb::put_footer(&mut dumping.bytes, dumping.summed.sum);
    query.reply.bulk(&dumping.bytes);
    Ok(())
}

/// Writes a value, and sums it up.
fn write_all(value: Value<'_>, pace: &mut Pace, dumping: &mut Dumping) -> Outcome {
    while !dumping.is_whole {
        if dumping.bytes.is_empty() {
            begin(value, dumping);
        }
        let most = pace.steps(1).min(ITEMS_AT_ONCE);
        pace.step(0, most)?;
        let before = dumping.bytes.len();
        write_some(value, dumping, most);
        pace.pay((dumping.bytes.len() - before) / BYTES_PER_WORK);
    }
    sum(pace, &mut dumping.summed, &dumping.bytes)
}

/// Writes the type of a value, and how many items it has.
fn begin(value: Value<'_>, dumping: &mut Dumping) {
    let (kind, count) = match value {
        Value::String(_) => (ValueKind::String, None),
        Value::List(list) => (ValueKind::List, Some(list.len())),
        Value::Set(set) => (ValueKind::Set, Some(set.len())),
        Value::Zset(zset) => (ValueKind::Zset, Some(zset.len())),
        Value::Hash(hash) => (ValueKind::Hash, Some(hash.len())),
    };
    rdb::put_kind(&mut dumping.bytes, kind);
    if let Some(count) = count {
        rdb::put_length(&mut dumping.bytes, count as u64);
    }
}

/// Writes the next items of a value, about so many.
fn write_some(value: Value<'_>, dumping: &mut Dumping, most: usize) {
    let out = &mut dumping.bytes;
    dumping.cursor = match value {
        Value::String(text) => {
            put_text(out, text);
            0
        }
        Value::List(list) => {
            let from = dumping.cursor as usize;
            for item in list.walk(from, End::Back).take(most) {
                put_text(out, item);
            }
            let next = from + most;
            if next < list.len() { next as u64 } else { 0 }
        }
        Value::Set(set) => set.walk(dumping.cursor, most, &mut |member| put_text(out, member)),
        Value::Zset(zset) => zset.show(dumping.cursor, most, &mut |member, score| {
            rdb::put_string(out, member);
            rdb::put_score(out, score);
        }),
        Value::Hash(hash) => hash.scan(dumping.cursor, most, &mut |field, value| {
            rdb::put_string(out, field);
            rdb::put_string(out, value);
        }),
    };
    dumping.is_whole = dumping.cursor == 0;
}

fn put_text(out: &mut Vec<u8>, text: Text<'_>) {
    match text {
        Text::Integer(number) => {
            let mut scratch = [0; 20];
            rdb::put_integer(out, number, &text.as_bytes(&mut scratch));
        }
        Text::Bytes(bytes) | Text::Raw(bytes) => rdb::put_string(out, bytes),
        Text::Rope(_) => {
            rdb::put_length(out, text.len() as u64);
            text.write_to(out);
        }
    }
}

/// The words behind the payload.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    replaces: bool,
    is_absolute: bool,
    /// How many seconds ago the key was used last.
    idle: Option<i64>,
    /// How often it is used, as a logarithm.
    frequency: Option<u8>,
}

impl Wanted {
    fn of(args: Args<'_>) -> Result<Self, Error> {
        let (mut wanted, mut place) = (Self::default(), 4);
        while place < args.len() {
            let has_more = place + 1 < args.len();
            if args.is(place, "replace") {
                wanted.replaces = true;
            } else if args.is(place, "absttl") {
                wanted.is_absolute = true;
            } else if args.is(place, "idletime") && has_more && wanted.frequency.is_none() {
                place += 1;
                let idle = args.integer(place)?;
                if idle < 0 {
                    return Err(Error::IDLE_TIME_NEGATIVE);
                }
                wanted.idle = Some(idle);
            } else if args.is(place, "freq") && has_more && wanted.idle.is_none() {
                place += 1;
                let frequency = u8::try_from(args.integer(place)?);
                wanted.frequency = Some(frequency.map_err(|_| Error::FREQUENCY_OUT_OF_RANGE)?);
            } else {
                return Err(Error::SYNTAX);
            }
            place += 1;
        }
        Ok(wanted)
    }
}

fn restore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut restoring = match mem::take(&mut change.pace.kept) {
        Kept::Restoring(restoring) => restoring,
        _ => Box::default(),
    };
    let done = restore_on(change, args, &mut restoring);
    change.pace.keep(Kept::Restoring, done, restoring)?;
    change.reply.ok();
    Ok(())
}

/// Goes on with RESTORE. Nothing is changed before all of the payload is known to be good.
fn restore_on(change: &mut Change<'_>, args: Args<'_>, restoring: &mut Restoring) -> Outcome {
    let key = args.at(1);
    let wanted = Wanted::of(args)?;
    if restoring.stage == Stage::Look {
        if !wanted.replaces && change.store.contains(change.db, key, change.at) {
            return Err(Error::BUSY_KEY);
        }
        if args.integer(2)? < 0 {
            return Err(Error::TTL_NEGATIVE);
        }
        restoring.stage = Stage::Sum;
    }
    let payload = args.at(3);
    let (value, said) = rdb::parts(payload).ok_or(Error::WRONG_PAYLOAD)?;
    if restoring.stage == Stage::Sum {
        let summed = payload.len() - rdb::SUM_BYTES;
        sum(change.pace, &mut restoring.summed, &payload[..summed])?;
        if restoring.summed.sum != said {
            return Err(Error::WRONG_PAYLOAD);
        }
        restoring.stage = Stage::Check;
    }
    if restoring.stage == Stage::Check {
        let mut reading = match restoring.reading.take() {
            Some(reading) => reading,
            None => Reading::of(value).map_err(|_| Error::BAD_PAYLOAD)?,
        };
        loop {
            if let Err(unfinished) = change.pace.step(0, 1) {
                restoring.reading = Some(reading);
                return Err(unfinished);
            }
            let Some(item) = reading.next(value).map_err(|_| Error::BAD_PAYLOAD)? else {
                break;
            };
            restoring.items += 1;
            let bytes = item.name.len() + item.value.len();
            change.pace.pay(bytes / BYTES_PER_WORK);
        }
        if restoring.items == 0 {
            return Err(Error::BAD_PAYLOAD);
        }
        restoring.stage = Stage::Write;
    }
    let expiry = expiry_of(change, args, wanted)?;
    let is_over = expiry.is_some_and(|expiry| expiry <= change.at);
    if restoring.reading.is_none() {
        change.store.remove(change.db, key, change.at);
        if is_over {
            return Ok(());
        }
        let reading = Reading::of(value).map_err(|_| Error::BAD_PAYLOAD)?;
        restoring.reading = Some(reading);
    }
    if let Some(reading) = &mut restoring.reading {
        write_items(change, key, value, reading)?;
    }
    if let Some(expiry) = expiry {
        change
            .store
            .set_expiry(change.db, key, Some(expiry), change.at);
    }
    if let Some(idle) = wanted.idle {
        let idle_ms = idle.unsigned_abs().saturating_mul(1000);
        change.store.set_idle(change.db, key, idle_ms);
    } else if let Some(count) = wanted.frequency {
        change.store.set_frequency(change.db, key, count);
    }
    Ok(())
}

/// When the key is to die: never, where the time is 0.
fn expiry_of(change: &Change<'_>, args: Args<'_>, wanted: Wanted) -> Result<Option<Stamp>, Error> {
    let ttl = args.integer(2)?;
    if ttl == 0 {
        return Ok(None);
    }
    let at = if wanted.is_absolute {
        change.offset.stamp_of(ttl).max(0)
    } else {
        ttl.saturating_add_unsigned(change.at.0)
    };
    Ok(Some(Stamp(at as u64)))
}

/// Writes the items of a value that is known to be good. Of two with the same name the last counts.
fn write_items(
    change: &mut Change<'_>,
    key: &[u8],
    value: &[u8],
    reading: &mut Reading,
) -> Outcome {
    let (db, at) = (change.db, change.at);
    loop {
        change.pace.step(0, 1)?;
        let kind = reading.kind();
        let Ok(Some(item)) = reading.next(value) else {
            return Ok(());
        };
        let bytes = item.name.len() + item.value.len();
        change.pace.pay(bytes / BYTES_PER_WORK);
        match kind {
            ValueKind::String => {
                let never = NewExpiry::Never;
                change.store.set_string(db, key, &item.name, never, at);
            }
            ValueKind::List => change
                .store
                .list_or_new(db, key, at)?
                .push(&item.name, End::Back),
            ValueKind::Set => {
                change.store.set_or_new(db, key, at)?.add(&item.name);
            }
            ValueKind::Zset => {
                let mut zset = change.store.zset_or_new(db, key, at)?;
                zset.set(&item.name, item.score);
            }
            ValueKind::Hash => {
                let mut hash = change.store.hash_or_new(db, key, at)?;
                hash.set(&item.name, &item.value);
            }
        }
    }
}
