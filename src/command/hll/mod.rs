//! HyperLogLogs: strings that tell about how many different elements were added to them.

mod estimate;
mod layout;
mod murmur;
mod sparse;
mod value;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use core::fmt::Write as _;
use core::mem;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{KEY, key, many, opt, string};
use super::group::Group;
use super::key::{ADDED_TO, Access, Keys, READ};
use super::pace::{Kept, Pace};
use super::reach::Reach;
use super::row::Row;
use super::sketching::Sketching;
use super::strings::{current, text};
use crate::limits::BYTES_PER_WORK;
use layout::{HEAD_BYTES, REGISTERS};

/// The work of looking at all registers.
const REGISTERS_WORK: usize = 32;
/// The work of raising one, if all runs before it are looked at.
const RAISE_WORK: usize = 2;
/// How many registers are written in one step.
const REGISTERS_AT_ONCE: usize = 64;

pub(super) const ROWS: &[Row] = &[
    Row::write("pfadd", -2, pfadd)
        .tells(Tells::Each(KeyEvent::PF_ADD))
        .group(Group::HyperLogLog)
        .since("2.8.9")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds elements to a HyperLogLog.")
        .costs("O(N) where N is the number of elements.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, opt(many(string("element")))]),
    Row::read("pfcount", -2, pfcount)
        .reaches(Reach::Values)
        .group(Group::HyperLogLog)
        .since("2.8.9")
        .flags(&[Flag::Tells])
        .says("Tells about how many different elements several HyperLogLogs have together.")
        .costs("O(N) where N is the number of keys, of which each costs as much as some requests.")
        .keys(&[Keys::all(READ)])
        .args(&[many(KEY)]),
    Row::write("pfmerge", -2, pfmerge)
        .reaches(Reach::Values)
        .tells(Tells::Each(KeyEvent::PF_ADD))
        .group(Group::HyperLogLog)
        .since("2.8.9")
        .flags(&[Flag::DenyOom])
        .says("Adds the elements of other HyperLogLogs to one.")
        .costs("O(N) where N is the number of keys, of which each costs as much as some requests.")
        .keys(&[
            Keys::at(1, Access::RW.and(Access::ACCESS).and(Access::INSERT)),
            Keys::range(2, -1, 1, READ),
        ])
        .args(&[key("destkey", 0), opt(many(key("sourcekey", 1)))]),
    Row::write("pfdebug", 3, pfdebug)
        .group(Group::HyperLogLog)
        .since("2.8.9")
        .flags(&[Flag::DenyOom, Flag::Admin])
        .says("Shows how a HyperLogLog is kept. For developers.")
        .keys(&[Keys::at(2, Access::RW.and(Access::ACCESS))])
        .args(&[string("subcommand"), key("key", 0)]),
    Row::answer("pfselftest", 1, pfselftest)
        .group(Group::HyperLogLog)
        .since("2.8.9")
        .flags(&[Flag::Admin])
        .says("Tests both forms of HyperLogLogs against each other. For developers."),
];

/// The command that stands in its middle, or a new one.
fn begun(pace: &mut Pace, first: usize) -> Sketching {
    match mem::take(&mut pace.kept) {
        Kept::Sketching(own) => *own,
        _ => Sketching {
            next: first,
            ..Sketching::default()
        },
    }
}

fn pfadd(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut own = Box::new(begun(change.pace, 2));
    let done = add_all(change, args, &mut own);
    let own = change.pace.keep(Kept::Sketching, done, own)?;
    let (db, key, at) = (change.db, args.at(1), change.at);
    if own.has_changed {
        let mut bytes = own.bytes;
        value::forget_count(&mut bytes);
        change.store.set_raw(db, key, &bytes, at);
    } else {
        change.store.overwrite(db, key, 0, &own.bytes, at)?;
    }
    change.reply.integer(i64::from(own.has_changed));
    Ok(())
}

/// Adds all elements on the side.
fn add_all(change: &mut Change<'_>, args: Args<'_>, own: &mut Sketching) -> Outcome {
    if own.bytes.is_empty() {
        own.bytes = match current(change, args.at(1))? {
            Some(text) => value::read(text)?.into_owned(),
            None => value::empty(),
        };
        own.has_changed = change.get(args.at(1)).is_none();
        change.pace.pay(own.bytes.len() / BYTES_PER_WORK);
    }
    while own.next < args.len() {
        let element = args.at(own.next);
        change
            .pace
            .step(0, RAISE_WORK + element.len() / BYTES_PER_WORK)?;
        own.has_changed |= value::add(&mut own.bytes, element)?;
        own.next += 1;
    }
    Ok(())
}

fn pfcount(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        query.pace.pay(REGISTERS_WORK);
        let count = match text(query, args.at(1))? {
            Some(text) => value::count(&value::read(text)?)?,
            None => 0,
        };
        query.reply.integer(count);
        return Ok(());
    }
    let mut own = Box::new(begun(query.pace, 1));
    let done = count_all(query, args, &mut own);
    let own = query.pace.keep(Kept::Sketching, done, own)?;
    query.reply.integer(value::count_of(&own.registers));
    Ok(())
}

/// Joins the registers of all keys.
fn count_all(query: &mut Query<'_>, args: Args<'_>, own: &mut Sketching) -> Outcome {
    own.registers.resize(REGISTERS, 0);
    while own.next < args.len() {
        query.pace.step(0, REGISTERS_WORK)?;
        if let Some(text) = text(query, args.at(own.next))? {
            value::join(&mut own.registers, &value::read(text)?)?;
        }
        own.next += 1;
    }
    Ok(())
}

fn pfmerge(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut own = Box::new(begun(change.pace, 1));
    let done = merge_all(change, args, &mut own);
    let mut own = change.pace.keep(Kept::Sketching, done, own)?;
    value::forget_count(&mut own.bytes);
    let (db, at) = (change.db, change.at);
    change.store.set_raw(db, args.at(1), &own.bytes, at);
    change.reply.ok();
    Ok(())
}

/// Joins the registers of all keys, then raises those of the first on the side.
fn merge_all(change: &mut Change<'_>, args: Args<'_>, own: &mut Sketching) -> Outcome {
    own.registers.resize(REGISTERS, 0);
    while own.next < args.len() {
        change.pace.step(0, REGISTERS_WORK)?;
        if let Some(text) = current(change, args.at(own.next))? {
            let bytes = value::read(text)?;
            own.is_dense |= value::is_dense(&bytes);
            value::join(&mut own.registers, &bytes)?;
        }
        own.next += 1;
    }
    if own.bytes.is_empty() {
        own.bytes = match current(change, args.at(1))? {
            Some(text) => value::read(text)?.into_owned(),
            None => value::empty(),
        };
        if own.is_dense {
            value::make_dense(&mut own.bytes)?;
        }
    }
    while own.written < REGISTERS {
        change.pace.step(0, REGISTERS_AT_ONCE * RAISE_WORK)?;
        let end = own.written + REGISTERS_AT_ONCE;
        for register in own.written..end {
            let wanted = own.registers[register];
            if wanted > 0 {
                value::raise(&mut own.bytes, register, wanted)?;
            }
        }
        own.written = end;
    }
    Ok(())
}

fn pfdebug(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, key, at) = (change.db, args.at(2), change.at);
    let found = current(change, key)?.ok_or(Error::NO_SKETCH_AT_KEY)?;
    let mut bytes = value::read(found)?.into_owned();
    let was_dense = value::is_dense(&bytes);
    match () {
        () if args.is(1, "getreg") => {
            value::make_dense(&mut bytes)?;
            change.reply.array(REGISTERS);
            for register in 0..REGISTERS {
                let held = value::dense_register(&bytes, register);
                change.reply.integer(i64::from(held));
            }
        }
        () if args.is(1, "decode") => {
            if was_dense {
                return Err(Error::SKETCH_NOT_SPARSE);
            }
            let runs = decoded(&bytes);
            change.reply.bulk(runs.as_bytes());
        }
        () if args.is(1, "encoding") => {
            let form = if was_dense { "dense" } else { "sparse" };
            change.reply.simple(form);
        }
        () if args.is(1, "todense") => {
            value::make_dense(&mut bytes)?;
            change.reply.integer(i64::from(!was_dense));
        }
        () => {
            let text = b"ERR Unknown PFDEBUG subcommand '";
            return Err(Error::of(&[text, args.at(1), b"'"]));
        }
    }
    if was_dense == value::is_dense(&bytes) {
        change.store.overwrite(db, key, 0, &bytes, at)?;
    } else {
        change.store.set_raw(db, key, &bytes, at);
    }
    Ok(())
}

/// The runs of the sparse form, for people.
fn decoded(bytes: &[u8]) -> String {
    let (mut out, mut at) = (String::new(), HEAD_BYTES);
    while let Some(run) = sparse::run_at(bytes, at) {
        let space = if out.is_empty() { "" } else { " " };
        let _ = match (run.value, run.bytes) {
            (0, 1) => write!(out, "{space}z:{}", run.len),
            (0, _) => write!(out, "{space}Z:{}", run.len),
            (value, _) => write!(out, "{space}v:{value},{}", run.len),
        };
        at += run.bytes;
    }
    out
}

/// Adds elements to both forms, which must tell the same, and nearly how many there are.
fn pfselftest(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let (mut dense, mut sparse) = (value::empty(), value::empty());
    value::make_dense(&mut dense)?;
    let mut registers = vec![0; REGISTERS];
    for number in 1..=1000_i64 {
        let element = number.to_le_bytes();
        value::add(&mut dense, &element)?;
        value::add(&mut sparse, &element)?;
    }
    for bytes in [&mut dense, &mut sparse] {
        value::forget_count(bytes);
        value::join(&mut registers, bytes)?;
    }
    let counts = [
        value::count(&dense)?,
        value::count(&sparse)?,
        value::count_of(&registers),
    ];
    if counts.iter().any(|count| *count != counts[0]) {
        return Err(Error::SKETCH_FORMS_DISAGREE);
    }
    if (counts[0] - 1000).abs() > 50 {
        return Err(Error::SKETCH_ERROR);
    }
    query.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
