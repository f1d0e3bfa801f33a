//! The machine that runs scripts, what is in it before a script begins, and how far one has come.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use super::happenings::Happenings;
use super::lines::{ScriptLine, Written};
use super::loading::{Loading, Ready};
use super::machines;
use super::name::Name;
use super::program::{Compiled, Programs};
use super::shelf::Shelf;
use super::ways::Ways;
use crate::command::args::Args;
use crate::command::event::{Classes, Happened};
use crate::command::flag::Flag;
use crate::command::row::Row;
use crate::command::verb::Topic;
use crate::ids::DbId;
use crate::limits::TOLD_BYTES_MAX;
use crate::lua::{Machine, Value};
use crate::time::Mono;

/// The bounds of a script that is run in an entry, which the leader decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptBounds {
    /// After so many instructions it is ended.
    pub instructions: u64,
    /// The most memory that its values take, in bytes.
    pub memory_bytes: u64,
    /// There was no memory left when it was proposed.
    pub is_out_of_memory: bool,
    /// It stands in a transaction, for which memory was looked at when it was queued.
    pub is_queued: bool,
}

/// A command of the script that is to be run, or stands in its middle.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) buffer: Vec<u8>,
    pub(super) ranges: Vec<Range<u32>>,
    /// An error is raised, and not returned.
    pub(super) raises: bool,
    /// The reply so far.
    pub(super) reply: Vec<u8>,
    /// The instructions for what it may look at, once that is known.
    pub(super) reached: Option<u64>,
}

/// A script that has begun.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) machine: Box<Machine>,
    /// Its name in messages: a digest, or the name of a function.
    pub(super) name: Vec<u8>,
    /// The library whose function it is: the digest of its text, and what stands ready of it.
    pub(super) library: Option<(Name, Box<Ready>)>,
    /// The request that has called it, shortened, once it has turned out to be long.
    words: Vec<Vec<u8>>,
    pub(super) ways: Ways,
    pub(super) only_reads: bool,
    pub(super) db: DbId,
    pub(super) speaks_resp3: bool,
    /// How many commands it has called.
    pub(super) calls: u64,
    /// It has called one that writes.
    pub(super) has_written: bool,
    pub(super) pending: Option<Pending>,
    /// Somebody wants it to end.
    pub(super) is_killed: bool,
    /// The lines that it has written into the server's log, since they were last taken.
    pub(super) lines: Vec<ScriptLine>,
    /// How many they were in all.
    pub(super) written: Written,
}

/// So many words of a request are shown of a long script, and so many bytes of each.
const WORDS_SHOWN: usize = 32;
const BYTES_SHOWN: usize = 128;

impl Running {
    /// One that begins with what stands in its machine.
    pub(super) fn new(machine: Box<Machine>, name: Vec<u8>, ways: Ways) -> Self {
        Self {
            machine,
            name,
            library: None,
            words: Vec::new(),
            ways,
            only_reads: false,
            db: 0,
            speaks_resp3: false,
            calls: 0,
            has_written: false,
            pending: None,
            is_killed: false,
            lines: Vec::new(),
            written: Written::default(),
        }
    }

    /// Remembers the request that has called it.
    pub(super) fn remember(&mut self, args: Args<'_>) {
        if self.words.is_empty() {
            let shortened = |word: &[u8]| word[..word.len().min(BYTES_SHOWN)].to_vec();
            self.words = args.iter().take(WORDS_SHOWN).map(shortened).collect();
        }
    }
}

/// A function that is being run, for who asks about it.
#[derive(Clone, Copy, Debug)]
pub struct RunningFunction<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The request that has called it, shortened.
    pub words: &'a [Vec<u8>],
    /// The moment at which it has begun.
    pub began: Mono,
}

/// A message that a script has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The kind of the channel.
    pub topic: Topic,
    /// The channel.
    pub channel: Vec<u8>,
    /// The message.
    pub message: Vec<u8>,
}

impl Published {
    fn bytes(channel: &[u8], message: &[u8]) -> usize {
        channel.len() + message.len() + size_of::<Self>()
    }
}

/// The things that a member keeps for scripts: a machine, compiled programs, and the script that is
/// being run. None of it is a part of the state.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    pub(super) programs: Programs,
    pub(super) shelf: Shelf,
    /// A library that is being loaded because one of its functions is called.
    pub(super) loading: Option<(Name, Box<Loading>)>,
    idle: Option<Box<Machine>>,
    /// The moment at which the script that is being run has begun.
    began: Mono,
    pub(super) running: Option<Box<Running>>,
    /// Messages of the script that has run last, and their bytes.
    published: Vec<Published>,
    published_bytes: usize,
    /// Keys that the script has read, where somebody is to know of them.
    read_keys: Option<Vec<Box<[u8]>>>,
    pub(super) happenings: Happenings,
}

impl Scripts {
    /// Returns true if a script stands in its middle.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Ends the script that is being run with its next piece.
    pub fn kill(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_killed = true;
        }
    }

    /// Forgets the script that is being run: it shall never come to its end.
    pub fn give_up(&mut self) {
        self.take_published();
        self.take_happenings();
        self.loading = None;
        if let Some(running) = self.running.take() {
            self.rests(*running);
        }
    }

    /// Keeps a message for the member whose client has asked. Messages beyond the
    /// bound are lost, as any may be.
    pub(super) fn publish(&mut self, topic: Topic, channel: &[u8], message: &[u8]) {
        let bytes = self.published_bytes + Published::bytes(channel, message);
        if bytes <= TOLD_BYTES_MAX {
            self.published_bytes = bytes;
            self.published.push(Published {
                topic,
                channel: channel.to_vec(),
                message: message.to_vec(),
            });
        }
    }

    /// The messages that were published, which is asked once.
    pub fn take_published(&mut self) -> Vec<Published> {
        self.published_bytes = 0;
        core::mem::take(&mut self.published)
    }

    /// A piece of a script is run at this moment.
    pub fn note_piece(&mut self, now: Mono) {
        if !self.is_running() {
            self.began = now;
        }
    }

    /// The keys are noted, or not, that the next piece of a script reads.
    pub fn note_reads(&mut self, wanted: bool) {
        self.read_keys = wanted.then(Vec::new);
    }

    /// The keys that were read since, which is asked once.
    pub fn take_reads(&mut self) -> Vec<Box<[u8]>> {
        self.read_keys.take().unwrap_or_default()
    }

    /// Events of these classes are to be made of what a script does that begins now, or none. One
    /// that goes on goes on as it has begun.
    pub fn note_happenings(&mut self, wanted: Option<Classes>) {
        if !self.is_running() {
            self.happenings.begin(wanted);
        }
    }

    /// The events of the script that has run last, which are asked for once, and their bytes.
    pub fn take_happenings(&mut self) -> (VecDeque<Happened>, usize) {
        self.happenings.take()
    }

    /// A command of the script was run: it has read its keys, if it is one that does.
    pub(super) fn has_run(&mut self, row: &Row, args: Args<'_>) {
        self.happenings.has_run(row, args);
        if let Some(keys) = &mut self.read_keys
            && row.has(Flag::ReadOnly)
        {
            row.each_key(args, |place, _| keys.push(args.at(place).into()));
        }
    }

    /// The bytes of memory that they take.
    pub fn memory(&self) -> usize {
        self.programs.memory() + self.shelf.memory()
    }

    /// The function that is being run; nothing where none is, or a script.
    pub fn function(&self) -> Option<RunningFunction<'_>> {
        let running = self.running.as_ref()?;
        running.library.as_ref()?;
        Some(RunningFunction {
            name: &running.name,
            words: &running.words,
            began: self.began,
        })
    }

    /// The bytes of memory that libraries take of that.
    pub fn library_memory(&self) -> usize {
        self.shelf.memory()
    }

    /// A script is at its end, and gives its machine back.
    pub(super) fn rests(&mut self, running: Running) {
        match running.library {
            Some((digest, ready)) => self.shelf.put(digest, running.machine, ready),
            None => self.idle = Some(running.machine),
        }
    }

    /// Begins with a script: its program, the draw for its dice, its keys and other arguments.
    pub(super) fn begin<'a>(
        &mut self,
        (name, program): (Name, &Compiled),
        (seed, bounds): (u64, ScriptBounds),
        keys: impl Iterator<Item = &'a [u8]>,
        others: impl Iterator<Item = &'a [u8]>,
    ) -> Running {
        let mut machine = self
            .idle
            .take()
            .unwrap_or_else(|| Box::new(machines::for_scripts()));
        machine.reset(seed);
        machine.set_memory_limit(bounds.memory_bytes);
        let globals = machine.globals();
        let keys = list(&mut machine, keys);
        machine.set_field(globals, "KEYS", keys);
        let others = list(&mut machine, others);
        machine.set_field(globals, "ARGV", others);
        let function = machine.load(&program.chunk);
        machine.start(function, &[]);
        Running::new(machine, name.to_vec(), program.ways)
    }
}

/// A table of words.
pub(super) fn list<'a>(machine: &mut Machine, items: impl Iterator<Item = &'a [u8]>) -> Value {
    let table = machine.table();
    for (place, item) in (1_u32..).zip(items) {
        let item = machine.string(item);
        machine.set(table, Value::Number(f64::from(place)), item);
    }
    table
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::lua::{Stop, compile};

    /// The order of the globals, as a script sees it that begins with so many keys and arguments.
    fn order(scripts: &mut Scripts, keys: usize, others: usize) -> Vec<u8> {
        let source = b"local names = {} for name in pairs(_G) do names[#names + 1] = name end
            return table.concat(names, ' ')";
        let mut machine = scripts
            .idle
            .take()
            .unwrap_or_else(|| Box::new(machines::for_scripts()));
        machine.reset(1);
        for (name, count) in [("KEYS", keys), ("ARGV", others)] {
            let words: Vec<_> = (0..count)
                .map(|nth| alloc::format!("{name}{nth}"))
                .collect();
            let list = list(&mut machine, words.iter().map(String::as_bytes));
            let globals = machine.globals();
            machine.set_field(globals, name, list);
        }
        let function = machine.load(&compile(source, "user_script").unwrap());
        machine.start(function, &[]);
        assert_eq!(machine.run(1_000_000), Stop::Done);
        let names = machine.bytes(machine.results()[0]).unwrap().to_vec();
        scripts.idle = Some(machine);
        names
    }

    #[test]
    fn what_a_script_sees_of_its_globals_does_not_depend_on_earlier_scripts() {
        let fresh = order(&mut Scripts::default(), 3, 2);
        let mut used = Scripts::default();
        order(&mut used, 5, 0);
        order(&mut used, 0, 0);
        assert_eq!(order(&mut used, 3, 2), fresh);
    }
}
