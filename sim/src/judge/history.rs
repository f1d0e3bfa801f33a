//! The entries that one member has executed, in order, and the model after the last of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use seedis::node::effect::ScriptLine;
use seedis::node::entry::{Item, Reader};

use super::events::{Event, events_of};
use super::invariant::{Id, Violation};
use crate::digest::Digest;
use crate::model::{self, Class, Model, Moment, Want};
use crate::wire::shown;

/// The arguments of one request; shared, for they are looked at in several places.
pub(crate) type Words = Rc<Vec<Vec<u8>>>;

/// Returns true if a request is a command of one of these names, whatever its letters.
pub(super) fn is_named(words: &[Vec<u8>], names: &[&str]) -> bool {
    let name = words.first();
    name.is_some_and(|name| {
        names
            .iter()
            .any(|one| name.eq_ignore_ascii_case(one.as_bytes()))
    })
}

/// A request for people.
pub(crate) fn spelled(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words.iter().map(|word| shown(word)).collect();
    words.join(" ")
}

/// The digest by which a request is known among those that were sent.
pub(crate) fn fingerprint(words: &[Vec<u8>]) -> u128 {
    let mut digest = Digest::new();
    for word in words {
        digest.bytes(word);
    }
    digest.bits()
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", spelled(&self.words), self.db)
    }
}

/// One command of an entry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) db: u32,
    pub(crate) words: Words,
}

/// The content of one place of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Command(Command),
    Transaction(Vec<Command>),
    Victims(Victims),
}

/// Keys that are evicted, as a command that takes them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Victims {
    pub(crate) command: Command,
    /// Those that have no expiry stay.
    pub(crate) only_volatile: bool,
}

impl Step {
    /// Its commands: those of a transaction, or one.
    pub(super) fn commands(&self) -> &[Command] {
        match self {
            Self::Command(command) => std::slice::from_ref(command),
            Self::Transaction(commands) => commands,
            Self::Victims(victims) => std::slice::from_ref(&victims.command),
        }
    }
}

impl Victims {
    /// The same without those that stay.
    fn spared(&self, model: &Model, at: u64) -> Command {
        let Command { db, words } = &self.command;
        let goes = |name: &&Vec<u8>| {
            let item = model.get(*db, name, at);
            !self.only_volatile || item.is_some_and(|item| item.expiry.is_some())
        };
        let names = words[1..].iter().filter(goes);
        let words = words.iter().take(1).chain(names).cloned().collect();
        Command {
            db: *db,
            words: Rc::new(words),
        }
    }
}

/// An entry as a member applied it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) index: u64,
    pub(crate) stamp: u64,
    /// How far it says the wall clock to be ahead, where it says so.
    pub(crate) offset: Option<i64>,
    /// The version of entries to which it raises the group, where it does.
    pub(crate) raises: Option<u8>,
    pub(crate) steps: Rc<Vec<Step>>,
}

/// Takes an entry's payload apart: the version and the offset that it sets, and its steps.
pub(crate) fn parts_of(payload: &[u8]) -> (Option<u8>, Option<i64>, Vec<Step>) {
    let (mut reader, mut ranges) = (Reader::new(payload), Vec::new());
    let raises = reader.version();
    let offset = reader.offset().map(|offset| offset.0);
    let mut steps = Vec::new();
    let mut command = |reader: &mut Reader<'_>| {
        let item = reader.next(&mut ranges)?;
        let words = ranges
            .iter()
            .map(|r| payload[r.start as usize..r.end as usize].to_vec());
        Some((item, Rc::new(words.collect::<Vec<_>>())))
    };
    while let Some((item, words)) = command(&mut reader) {
        steps.push(match item {
            Item::Command { db } => Step::Command(Command { db, words }),
            Item::Victims { db, only_volatile } => {
                let names = words.iter().cloned();
                let words = std::iter::once(b"UNLINK".to_vec()).chain(names);
                let words = Rc::new(words.collect());
                let command = Command { db, words };
                Step::Victims(Victims {
                    command,
                    only_volatile,
                })
            }
            Item::Transaction { count } => {
                let inner = (0..count).map_while(|_| match command(&mut reader)? {
                    (Item::Command { db }, words) => Some(Command { db, words }),
                    _ => None,
                });
                Step::Transaction(inner.collect())
            }
        });
    }
    (raises, offset, steps)
}

/// The result of a step on the model.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) step: Step,
    pub(crate) want: Want,
}

/// The members that each command of a step has drawn: none where it draws nothing.
pub(super) type Drawn = Rc<Vec<Vec<Vec<u8>>>>;

/// The draws of a run, and the lines that its scripts have written into logs, by the index of the
/// entry and the place of the step in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws {
    pub(super) drawn: BTreeMap<(u64, usize), Drawn>,
    pub(super) lines: BTreeMap<(u64, usize), Vec<ScriptLine>>,
}

impl Draws {
    /// The draws of a step.
    pub(super) fn of(&self, place: (u64, usize)) -> Option<&Drawn> {
        self.drawn.get(&place)
    }

    /// The entries behind `index` did not survive.
    pub(super) fn forget_behind(&mut self, index: u64) {
        self.drawn.retain(|(of, _), _| *of <= index);
        self.lines.retain(|(of, _), _| *of <= index);
    }
}

/// The record of one member.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: Vec<Entry>,
    pub(crate) model: Model,
    /// The last entry that the model has executed.
    pub(crate) applied: u64,
    /// Its stamp.
    pub(crate) stamp: u64,
    /// How far the wall clock is ahead of that, as the last entry says that has said it.
    pub(crate) offset: i64,
    /// The version of entries that is in force behind it; 0: none was raised.
    pub(crate) version: u8,
    /// The steps of the present entry that are still to be executed.
    pub(crate) ahead: VecDeque<Step>,
    /// How many of it were executed.
    pub(crate) done: usize,
    /// The step that was executed last.
    pub(crate) last: Option<Executed>,
    /// Nobody has applied the present entry before.
    pub(crate) is_first: bool,
    /// True if its recovery began with a base.
    pub(crate) from_base: bool,
    /// The events of keys in the step that was executed last.
    pub(super) happened: Vec<Event>,
    /// The keys that it has written.
    pub(super) written: Vec<Vec<u8>>,
    /// Databases and words that a writing command has named that answered an error, since that was
    /// last looked at.
    pub(crate) spoilt: BTreeSet<(u32, Vec<u8>)>,
}

impl History {
    /// The entry with this index, where it is known.
    pub(crate) fn entry(&self, index: u64) -> Option<&Entry> {
        let place = self
            .entries
            .binary_search_by_key(&index, |entry| entry.index)
            .ok()?;
        self.entries.get(place)
    }

    /// Puts the model back to what it was behind the entry `index`, by executing all up to there.
    pub(crate) fn rebuild(&mut self, index: u64, draws: &Draws) {
        self.model = Model::default();
        (self.applied, self.stamp, self.offset) = (0, 0, 0);
        self.version = 0;
        self.ahead.clear();
        self.last = None;
        self.spoilt.clear();
        let entries: Vec<Entry> = self
            .entries
            .iter()
            .take_while(|e| e.index <= index)
            .cloned()
            .collect();
        for entry in entries {
            self.begin(&entry);
            while self.execute(draws).is_some() {}
        }
        self.applied = self.applied.max(index);
    }

    /// The member has lost its memory; its entries may still be on its disk.
    pub(crate) fn forget(&mut self) {
        self.rebuild(0, &Draws::default());
        self.from_base = false;
    }

    /// An entry is being applied.
    pub(crate) fn begin(&mut self, entry: &Entry) {
        self.applied = entry.index;
        self.stamp = self.stamp.max(entry.stamp);
        self.offset = entry.offset.unwrap_or(self.offset);
        self.version = self.version.max(entry.raises.unwrap_or(0));
        self.done = 0;
        self.ahead.extend(entry.steps.iter().cloned());
        self.is_first = false;
    }

    /// Executes the next step on the model.
    pub(crate) fn execute(&mut self, draws: &Draws) -> Option<&Executed> {
        let place = self.place();
        let step = self.ahead.pop_front()?;
        self.done += 1;
        let drawn = draws.of(place).map_or(&[][..], |drawn| &drawn[..]);
        let mut drawn = drawn.iter().map(|drawn| &drawn[..]);
        let mut drawn = || drawn.next().unwrap_or_default();
        let moment = Moment::exactly(self.stamp, self.offset);
        self.model.begin_step();
        self.happened.clear();
        self.written.clear();
        let want = match &step {
            Step::Command(command) => self.run(command, moment, drawn()),
            Step::Victims(victims) => {
                let command = victims.spared(&self.model, self.stamp);
                self.run(&command, moment, &[]);
                for event in &mut self.happened {
                    event.name = "evicted";
                }
                Want::Anything
            }
            Step::Transaction(commands) => {
                let wants = commands
                    .iter()
                    .map(|command| self.run(command, moment, drawn()));
                Want::Array(wants.collect())
            }
        };
        self.last = Some(Executed { step, want });
        self.last.as_ref()
    }

    /// The index of the present entry, and the place in it of the step that is next.
    pub(crate) fn place(&self) -> (u64, usize) {
        (self.applied, self.done)
    }

    fn run(&mut self, command: &Command, moment: Moment, drawn: &[Vec<u8>]) -> Want {
        let want = run(&mut self.model, command, moment, drawn);
        for called in self.model.take_called() {
            let is_there = |db, key: &[u8]| {
                !called
                    .gone
                    .iter()
                    .any(|one| (one.0, &one.1[..]) == (db, key))
            };
            let events = events_of((called.db, &called.words), &called.written, is_there);
            self.happened.extend(events);
            let keys = called.written.into_iter().map(|(_, key)| key);
            self.written.extend(keys);
        }
        let written = self.model.take_written();
        if !written.is_empty() {
            let is_there = |db, key: &[u8]| self.model.get(db, key, moment.at).is_some();
            let events = events_of((command.db, &command.words), &written, is_there);
            self.happened.extend(events);
            self.written.extend(written.into_iter().map(|(_, key)| key));
        }
        self.note_outcome(command, &want);
        want
    }

    /// Fingerprints of what the present entry still has to execute.
    pub(super) fn commands_ahead(&self) -> Vec<u128> {
        let steps = self.ahead.iter().flat_map(Step::commands);
        steps.map(|command| fingerprint(&command.words)).collect()
    }

    /// All steps of the entry before must be done when the next begins.
    pub(crate) fn check_done(&self) -> Result<(), Violation> {
        match self.ahead.front() {
            None => Ok(()),
            Some(step) => {
                let text = format!("entry {} ended before {step:?}", self.applied);
                Err(Violation::new(Id::S5, text))
            }
        }
    }
}

/// Executes one command of an entry: what is no write is a part of a transaction.
fn run(model: &mut Model, command: &Command, moment: Moment, drawn: &[Vec<u8>]) -> Want {
    let args: Vec<&[u8]> = command.words.iter().map(|word| &word[..]).collect();
    match model::find(args.first().copied().unwrap_or_default()) {
        Some(row) => model.follow(row, command.db, moment, &args, drawn),
        None => Want::Anything,
    }
}

/// Returns true if a command must go through the log.
pub(crate) fn is_write(words: &[Vec<u8>]) -> bool {
    words
        .first()
        .and_then(|name| model::find(name))
        .is_some_and(|row| row.class == Class::Write)
}

/// Returns true if a client asks for a pause.
pub(super) fn is_pause(words: &Words) -> bool {
    is_of_client(words, b"pause")
}

/// Returns true if a client asks for the end of a pause.
pub(super) fn is_unpause(words: &Words) -> bool {
    is_of_client(words, b"unpause")
}

/// Returns true if a request is this subcommand of CLIENT.
fn is_of_client(words: &Words, own: &[u8]) -> bool {
    let is = |place: usize, text: &[u8]| {
        let word = words.get(place);
        word.is_some_and(|word| word.eq_ignore_ascii_case(text))
    };
    is(0, b"client") && is(1, own)
}

/// Returns true if a request ends the wait of another client.
pub(super) fn is_unblock(words: &Words) -> bool {
    let is = |place: usize, word: &[u8]| {
        words
            .get(place)
            .is_some_and(|w| w.eq_ignore_ascii_case(word))
    };
    is(0, b"client") && is(1, b"unblock")
}
