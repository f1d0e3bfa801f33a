//! Runs scripts: goes on with the machine, and answers what it asks for.
//!
//! A script that is long, or in the middle of a command that is, ends its piece with
//! `Error::Unfinished` and is called again with the same arguments on the same store.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::answer::{self, Answering};
use super::charges::{self, INSTRUCTIONS_PER_WORK};
use super::convert;
use super::finding;
use super::functions::{self, Done};
use super::host::Host;
use super::machines::Function;
use super::order;
use super::running::{Pending, Running};
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::row::{Kind, Row};
use crate::command::table;
use crate::command::verb::{ScriptVerb, ServerVerb, SessionVerb};
use crate::limits::BYTES_PER_WORK;
use crate::lua::{Stop, Value};
use crate::resp::reply::Reply;
use crate::store;

pub use super::running::{Published, RunningFunction, ScriptBounds, Scripts};

/// The draws that one command of a script may make before those of the next begin.
const DRAWS_PER_CALL: u64 = 1 << 32;

/// Runs a script that may write, or its next piece.
pub fn change(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    change: &mut Change<'_>,
    args: Args<'_>,
) -> Outcome {
    go_on(scripts, verb, bounds, &mut Host::Change(change), args)
}

/// Runs a script that only reads, or its next piece.
pub fn read(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    query: &mut Query<'_>,
    args: Args<'_>,
) -> Outcome {
    go_on(scripts, verb, bounds, &mut Host::Query(query), args)
}

fn go_on(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
    args: Args<'_>,
) -> Outcome {
    let mut running = match scripts.running.take() {
        Some(running) => running,
        None => Box::new(finding::begin(scripts, verb, bounds, host, args)?),
    };
    let outcome = run(scripts, &mut running, bounds, host);
    host.pace().says(running.lines.drain(..));
    if outcome == Err(Error::Unfinished) {
        running.remember(args);
        scripts.running = Some(running);
    } else {
        scripts.rests(*running);
        if outcome == Err(Error::Due) {
            scripts.take_published();
        }
    }
    outcome
}

fn run(
    scripts: &mut Scripts,
    running: &mut Running,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
) -> Outcome {
    if running.is_killed {
        host.pace().forget();
        let text = b"ERR Script killed by user with SCRIPT KILL...";
        return Err(Error::of(&[text, &at(running)]));
    }
    loop {
        if let Some(pending) = running.pending.take() {
            call(scripts, running, bounds, host, pending)?;
        }
        while scripts.happenings.make_some(host) {
            if !host.pace().has_room() {
                return Err(Error::Unfinished);
            }
        }
        if !host.pace().has_room() {
            return Err(Error::Unfinished);
        }
        let used = running.machine.used();
        let left = bounds.instructions.saturating_sub(used);
        if left == 0 {
            return Err(over_budget(running, bounds));
        }
        let room = (host.pace().room() as u64).saturating_mul(INSTRUCTIONS_PER_WORK);
        let step = running.machine.run(left.min(room));
        let done = running.machine.used().saturating_sub(used);
        host.pace().pay((done / INSTRUCTIONS_PER_WORK) as usize + 1);
        match step {
            Stop::Paused => {}
            Stop::Done => return end(running, bounds, host),
            Stop::Failed(error) => return Err(failure(running, error)),
            Stop::Call { function } => {
                let Some(function) = Function::of(function) else {
                    continue;
                };
                match functions::run(running, function) {
                    Done::Answer(value) => running.machine.answer(&[value]),
                    Done::Nothing => running.machine.answer(&[]),
                    Done::Throw(text) => throw(running, &text),
                    Done::Command(pending) => running.pending = Some(pending),
                }
            }
        }
    }
}

/// Raises an error in the script.
fn throw(running: &mut Running, text: &[u8]) {
    let error = convert::error_value(&mut running.machine, text);
    running.machine.throw(error);
}

/// The script is at its end: its first result is the reply.
fn end(running: &mut Running, bounds: ScriptBounds, host: &mut Host<'_, '_>) -> Outcome {
    let value = running.machine.results().first().copied();
    let how = Answering {
        speaks_resp3: running.speaks_resp3,
        bytes_max: usize::try_from(bounds.memory_bytes).unwrap_or(usize::MAX),
    };
    let reply = host.reply();
    let is_short = answer::write(&running.machine, value.unwrap_or(Value::Nil), reply, how);
    if is_short {
        Ok(())
    } else {
        Err(Error::SCRIPT_REPLY_TOO_LONG)
    }
}

/// The place at which a script stands, in Redis's words.
fn at(running: &Running) -> Vec<u8> {
    let place = match running.machine.position() {
        Some((chunk, line)) => format!(", on @{chunk}:{line}."),
        None => String::new(),
    };
    [b" script: ", &running.name[..], place.as_bytes()].concat()
}

/// The reply to a script that has failed.
fn failure(running: &Running, error: Value) -> Error {
    let text = convert::failure_text(&running.machine, error);
    Error::of(&[&text, &at(running)])
}

fn over_budget(running: &Running, bounds: ScriptBounds) -> Error {
    let most = bounds.instructions;
    let text = format!(
        "ERR Error running script: it has taken more than {most} instructions \
         (script-max-instructions)"
    );
    Error::of(&[text.as_bytes(), &at(running)])
}

/// Runs a command of the script, or goes on with it, and hands its reply to the script.
fn call(
    scripts: &mut Scripts,
    running: &mut Running,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
    mut pending: Pending,
) -> Outcome {
    let protocol = answer::protocol(running.speaks_resp3);
    let mut out = mem::take(&mut pending.reply);
    let args = Args::new(&pending.buffer, &pending.ranges);
    let row = admitted(running, bounds, args);
    let mut outcome = match &row {
        Ok(row)
            if pending.reached.is_none() && answers_too_long(row, args, host, running, bounds) =>
        {
            Err(Error::SCRIPT_REPLY_TOO_LONG)
        }
        Ok(row) => {
            running.has_written |= row.is_write();
            let of_state = || charges::of_state(row, args, host, running.db);
            let reached = *pending.reached.get_or_insert_with(of_state);
            if running.machine.used().saturating_add(reached) > bounds.instructions {
                return Err(over_budget(running, bounds));
            }
            let mut dice = host.dice();
            dice.skip((running.calls + 1).saturating_mul(DRAWS_PER_CALL));
            let reply = Reply::new(&mut out, protocol);
            match row.kind {
                Kind::Read(_) | Kind::Write(_) => {
                    let ran = host.run(row, running.db, args, dice, reply);
                    if ran != Err(Error::Unfinished) {
                        scripts.has_run(row, args);
                    }
                    if ran.is_ok()
                        && let Some(order) = order::of(row)
                    {
                        host.pace().pay(out.len() / BYTES_PER_WORK);
                        order.put(&mut out);
                    }
                    ran
                }
                kind => own(scripts, running, host, kind, args, reply),
            }
        }
        Err(error) => Err(error.clone()),
    };
    // No client's limits bound it. What a read has found becomes no less, so that it ends alike
    // however it was cut.
    let found = (out.len() + host.pace().collected()) as u64;
    let reads = row.as_ref().is_ok_and(|row| only_answers(row, args));
    let is_too_long = reads && found > bounds.memory_bytes;
    if is_too_long {
        outcome = Err(Error::SCRIPT_REPLY_TOO_LONG);
    }
    match outcome {
        Err(Error::Unfinished) => {
            pending.reply = out;
            running.pending = Some(pending);
            return Err(Error::Unfinished);
        }
        Err(Error::Due) => return Err(Error::Due),
        Err(Error::Reply(text)) => {
            out.clear();
            Reply::new(&mut out, protocol).error_bytes(&text);
        }
        Ok(()) | Err(Error::Nothing) => {}
    }
    host.pace().forget();
    let row = row.ok();
    let answered = if is_too_long {
        usize::try_from(bounds.memory_bytes).unwrap_or(usize::MAX)
    } else {
        out.len()
    };
    let bytes = answered.saturating_add(pending.buffer.len());
    let (work, instructions) = charges::of_words(row, args, bytes, &out);
    host.pace().pay(work);
    let instructions = instructions.saturating_add(pending.reached.unwrap_or(0));
    running.machine.charge(instructions);
    running.calls += 1;
    match convert::value_of(&mut running.machine, &out) {
        Some(error) if pending.raises && out.first() == Some(&b'-') => running.machine.throw(error),
        Some(value) => running.machine.answer(&[value]),
        None => {
            let text = running.machine.string(b"not enough memory");
            running.machine.throw(text);
        }
    }
    Ok(())
}

/// The row that runs a command of a script, if the script may call it.
fn admitted(
    running: &Running,
    bounds: ScriptBounds,
    args: Args<'_>,
) -> Result<&'static Row, Error> {
    let row = table::find(args.name()).ok_or(Error::UNKNOWN_FROM_SCRIPT)?;
    let row = table::called(row, args).map_err(|_| Error::UNKNOWN_FROM_SCRIPT)?;
    if !row.takes(args.len()) {
        return Err(Error::ARITY_FROM_SCRIPT);
    }
    let row = alike(running, row, args);
    let is_own = match row.kind {
        Kind::Read(_) | Kind::Write(_) => !is_of_the_member(row),
        Kind::Session(SessionVerb::Ping | SessionVerb::Select)
        | Kind::Server(ServerVerb::Time | ServerVerb::Publish(_)) => true,
        Kind::Session(_) | Kind::Server(_) | Kind::Script(_) | Kind::Container => false,
    };
    if row.has(Flag::NoScript) || !is_own {
        return Err(Error::NOT_FROM_SCRIPT);
    }
    if running.only_reads && (row.is_write() || row.has(Flag::Tells)) {
        return Err(Error::WRITE_FROM_READ_ONLY_SCRIPT);
    }
    let is_allowed = running.ways.allow_oom || running.has_written;
    if bounds.is_out_of_memory && row.has(Flag::DenyOom) && !is_allowed {
        return Err(Error::OUT_OF_MEMORY);
    }
    Ok(row)
}

/// Returns true if a command does nothing but answer.
fn only_answers(row: &Row, args: Args<'_>) -> bool {
    !row.is_write() || row.name == "sort" && !may_store(args)
}

/// Returns true if a write that answers the string that it replaces would answer more than a script
/// may hold: it is not begun.
fn answers_too_long(
    row: &Row,
    args: Args<'_>,
    host: &Host<'_, '_>,
    running: &Running,
    bounds: ScriptBounds,
) -> bool {
    let gets = match row.name {
        "getdel" | "getex" | "getset" => true,
        "set" => args
            .iter()
            .skip(3)
            .any(|word| word.eq_ignore_ascii_case(b"get")),
        _ => false,
    };
    let text = || {
        let value = host.store().peek(running.db, args.at(1), host.at());
        value.and_then(store::Value::as_text)
    };
    gets && text().is_some_and(|text| text.len() as u64 > bounds.memory_bytes)
}

fn may_store(args: Args<'_>) -> bool {
    args.iter().any(|word| word.eq_ignore_ascii_case(b"store"))
}

/// SORT_RO answers a set in the order of its table where no order is wanted; SORT, which may store
/// what it answers, in one that is the same on all members.
fn alike(running: &Running, row: &'static Row, args: Args<'_>) -> &'static Row {
    if row.name != "sort_ro" || running.only_reads || may_store(args) {
        return row;
    }
    table::find(b"sort").unwrap_or(row)
}

/// Returns true if the reply of a command says something of the member that runs it, and not of the
/// state: it would not be the same on all.
fn is_of_the_member(row: &Row) -> bool {
    let container = row.name.split('|').next();
    matches!(container, Some("object" | "memory" | "dump" | "randomkey"))
}

/// Runs a command that is neither a read nor a write of keys.
fn own(
    scripts: &mut Scripts,
    running: &mut Running,
    host: &mut Host<'_, '_>,
    kind: Kind,
    args: Args<'_>,
    mut reply: Reply<'_>,
) -> Outcome {
    match kind {
        Kind::Session(SessionVerb::Ping) => match args.len() {
            1 => reply.simple("PONG"),
            2 => reply.bulk(args.at(1)),
            _ => return Err(Error::arity("ping")),
        },
        Kind::Session(SessionVerb::Select) => {
            running.db = args.database(1)?;
            reply.ok();
        }
        Kind::Server(ServerVerb::Time) => {
            let wall_ms = host.wall_ms();
            reply.array(2);
            reply.bulk_fmt(format_args!("{}", wall_ms / 1000));
            reply.bulk_fmt(format_args!("{}", wall_ms % 1000 * 1000));
        }
        Kind::Server(ServerVerb::Publish(topic)) => {
            scripts.publish(topic, args.at(1), args.at(2));
            // Members have other subscribers, and must go on with the same number.
            reply.integer(0);
        }
        _ => return Err(Error::NOT_FROM_SCRIPT),
    }
    Ok(())
}
