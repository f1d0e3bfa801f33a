//! The script or function that a request names, and its beginning.

use alloc::boxed::Box;

use super::evaluate;
use super::host::Host;
use super::library::Library;
use super::loading::Ready;
use super::name::{self, Name};
use super::program::{self, Compiled};
use super::running::{Running, ScriptBounds, Scripts, list};
use super::ways::Ways;
use crate::command::args::{Args, parse_integer};
use crate::command::error::{Error, Outcome};
use crate::command::verb::{Called, ScriptVerb};
use crate::limits::{BYTES_PER_WORK, SCRIPT_BYTES_MAX};
use crate::lua::Machine;

/// Finds what is to be run, compiles or loads it where it is not, and begins with it.
/// `Error::Unfinished` where that goes on with the next piece.
pub(super) fn begin(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
    args: Args<'_>,
) -> Result<Running, Error> {
    scripts.take_published();
    refuse_for_memory(scripts, verb, bounds, host, args)?;
    if verb.called == Called::Name && name::given(args.at(1)).is_none() {
        return Err(Error::NO_SCRIPT);
    }
    let mut running = if verb.called == Called::Function {
        begin_function(scripts, verb, bounds, host, args)?
    } else {
        let behind = behind_keys(args, Error::NOT_AN_INTEGER)?;
        let (name, program) = find(scripts, verb, host, args.at(1))?;
        admit(verb, program.ways, bounds)?;
        scripts.begin(
            (name, &program),
            (host.dice().draw(), bounds),
            args.between(3, behind).iter(),
            args.from(behind).iter(),
        )
    };
    running.only_reads = verb.only_reads || running.ways.no_writes;
    running.db = host.db();
    Ok(running)
}

/// Refuses what is declared not to run without memory, where there is none left, before anything
/// else is looked at. In a transaction that was done when it was queued.
fn refuse_for_memory(
    scripts: &Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
    args: Args<'_>,
) -> Outcome {
    if !bounds.is_out_of_memory || bounds.is_queued {
        return Ok(());
    }
    let word = args.at(1);
    let ways = match verb.called {
        Called::Text => program::ways(word).ok().map(|(ways, _)| ways),
        Called::Name => name::given(word).and_then(|name| {
            let text = host.store().script(&name)?;
            let known = scripts.programs.known(&name).map(|program| program.ways);
            known.or_else(|| program::ways(&text).ok().map(|(ways, _)| ways))
        }),
        Called::Function => {
            let key = word.to_ascii_lowercase();
            let body = host.store().function(&key).and_then(|(_, name)| {
                let body = host.store().library(&name)?;
                Some((name, body))
            });
            body.and_then(|(name, body)| {
                host.pace().pay(body.len() / BYTES_PER_WORK);
                let functions = Library::of(&name, &body)?.functions;
                let found = functions.iter().find(|one| one.key() == key)?;
                Some(found.flags.ways())
            })
        }
    };
    match ways {
        Some(ways) if ways.is_declared && !ways.allow_oom && !ways.no_writes => {
            Err(Error::OUT_OF_MEMORY)
        }
        _ => Ok(()),
    }
}

/// The place behind the keys of a request. `no_number` is the error of one that does not say how
/// many there are.
fn behind_keys(args: Args<'_>, no_number: Error) -> Result<usize, Error> {
    let keys = parse_integer(args.at(2)).ok_or(no_number)?;
    if keys < 0 {
        return Err(Error::NEGATIVE_KEYS);
    }
    let keys = usize::try_from(keys)
        .ok()
        .filter(|keys| *keys <= args.len() - 3);
    Ok(3 + keys.ok_or(Error::MORE_KEYS_THAN_ARGUMENTS)?)
}

/// Refuses what is declared to be otherwise than it is called.
fn admit(verb: ScriptVerb, ways: Ways, bounds: ScriptBounds) -> Outcome {
    if !ways.is_declared || ways.no_writes {
        return Ok(());
    }
    if verb.only_reads {
        return Err(Error::WRITES_IN_READ_ONLY_CALL);
    }
    if bounds.is_out_of_memory && !ways.allow_oom {
        return Err(Error::OUT_OF_MEMORY_FOR_SCRIPT);
    }
    Ok(())
}

/// Begins with a function of a library.
fn begin_function(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    bounds: ScriptBounds,
    host: &mut Host<'_, '_>,
    args: Args<'_>,
) -> Result<Running, Error> {
    let key = args.at(1).to_ascii_lowercase();
    let kept = host.store().function(&key);
    let (digest, library) = kept.ok_or(Error::FUNCTION_NOT_FOUND)?;
    let behind = behind_keys(args, Error::BAD_NUMBER_OF_KEYS)?;
    let (mut machine, ready) = match scripts.shelf.take(&digest) {
        Some(taken) => taken,
        None => load(scripts, host, (digest, &library))?,
    };
    let found = ready.function(&key, &machine);
    let found = found.map(|(function, callback)| {
        let ways = function.flags.ways();
        (function.name.clone(), ways, callback)
    });
    let admitted = match &found {
        Some((_, ways, _)) => admit(verb, *ways, bounds),
        None => Err(Error::FUNCTION_NOT_FOUND),
    };
    let (Some((name, ways, callback)), Ok(())) = (found, &admitted) else {
        scripts.shelf.put(digest, machine, ready);
        return Err(admitted.err().unwrap_or(Error::FUNCTION_NOT_FOUND));
    };
    machine.reset(host.dice().draw());
    machine.set_memory_limit(bounds.memory_bytes);
    let keys = list(&mut machine, args.between(3, behind).iter());
    let others = list(&mut machine, args.from(behind).iter());
    machine.start(callback, &[keys, others]);
    let mut running = Running::new(machine, name, ways);
    running.library = Some((digest, ready));
    Ok(running)
}

/// Loads a library, or goes on with that. This is no work of the function that is called: nobody
/// may see whether a member has it loaded already.
fn load(
    scripts: &mut Scripts,
    host: &mut Host<'_, '_>,
    (digest, library): (Name, &[u8]),
) -> Result<(Box<Machine>, Box<Ready>), Error> {
    let mut loading = match scripts.loading.take() {
        Some((of, loading)) if of == digest => loading,
        _ => {
            let kept = host.store().library(library);
            let kept = kept.and_then(|body| Library::of(library, &body));
            let text = kept.ok_or(Error::FUNCTION_NOT_FOUND)?.text;
            evaluate::begin(&text, host.pace(), |_| false)?
        }
    };
    if evaluate::go_on(&mut loading, host.pace())? {
        return Ok(loading.ready());
    }
    scripts.loading = Some((digest, loading));
    Err(Error::Unfinished)
}

/// The script that a request names or gives, and its name.
fn find(
    scripts: &mut Scripts,
    verb: ScriptVerb,
    host: &mut Host<'_, '_>,
    word: &[u8],
) -> Result<(Name, Compiled), Error> {
    if verb.called == Called::Name {
        let name = name::given(word).ok_or(Error::NO_SCRIPT)?;
        if let Some(program) = scripts.programs.known(&name)
            && host.store().has_script(&name)
        {
            return Ok((name, program));
        }
        let text = host.store().script(&name).ok_or(Error::NO_SCRIPT)?;
        let program = scripts.programs.of(&name, &text, host.pace())?;
        return Ok((name, program));
    }
    if word.len() > SCRIPT_BYTES_MAX {
        return Err(Error::SCRIPT_TOO_LONG);
    }
    let name = name::of(word);
    host.pace().pay(word.len() / BYTES_PER_WORK);
    let program = scripts.programs.of(&name, word, host.pace())?;
    host.keep_script(&name, word);
    Ok((name, program))
}
