//! The writes that a member has on their way, and those that it has executed: what WATCH goes by.

use std::collections::VecDeque;

use super::history::{Command, is_write};

/// How many executed steps are kept.
const DONE_KEPT: usize = 2000;
/// A member that has so many bytes on their way looks through them no more, and refuses.
const CROWD_BYTES: usize = 128 << 10;

/// The writes that a member has on their way, and those that it has executed last.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    ahead: VecDeque<Command>,
    bytes: usize,
    done: VecDeque<Done>,
    /// Steps that were executed up to this moment are not kept, in nanoseconds of true time.
    kept_from: u64,
}

/// A step that was executed, or all that was on its way when the member ceased to lead.
#[derive(Clone, Debug)]
struct Done {
    /// In nanoseconds of true time.
    time: u64,
    commands: Vec<Command>,
    /// The keys that it has changed.
    touched: Vec<(u32, Vec<u8>)>,
    /// The request whose step it was, as far as its client was answered.
    of: Option<Place>,
}

/// A connection, and the number of a request of it.
pub(super) type Place = (u64, u64);

impl Done {
    /// Returns true if its client had asked for it before a request of its own.
    fn is_before(&self, place: Place) -> bool {
        self.of
            .is_some_and(|(conn, number)| conn == place.0 && number < place.1)
    }
}

impl Writes {
    /// A command was handed to the log.
    pub(super) fn propose(&mut self, command: Command) {
        self.bytes += weight(&command);
        self.ahead.push_back(command);
    }

    /// Nothing is on its way any more: the member does not lead, or has ended.
    pub(super) fn forget(&mut self, time: u64) {
        if self.ahead.is_empty() {
            return;
        }
        self.bytes = 0;
        let commands: Vec<Command> = self.ahead.drain(..).collect();
        self.note(&commands, Vec::new(), time);
    }

    /// A step was executed: it was on its way, or is another member's.
    pub(super) fn executed(
        &mut self,
        commands: &[Command],
        touched: Vec<(u32, Vec<u8>)>,
        time: u64,
    ) {
        for command in commands {
            let Some(place) = self.ahead.iter().position(|one| one == command) else {
                continue;
            };
            // What was proposed before, and was not executed, never will be.
            for gone in self.ahead.drain(..=place) {
                self.bytes -= weight(&gone);
            }
        }
        self.note(commands, touched, time);
    }

    fn note(&mut self, commands: &[Command], touched: Vec<(u32, Vec<u8>)>, time: u64) {
        if self.done.len() == DONE_KEPT
            && let Some(oldest) = self.done.pop_front()
        {
            self.kept_from = oldest.time;
        }
        self.done.push_back(Done {
            time,
            commands: commands.to_vec(),
            touched,
            of: None,
        });
    }

    /// The step that was executed last was that of a client's request.
    pub(super) fn was_of(&mut self, place: Place) {
        if let Some(last) = self.done.back_mut() {
            last.of = Some(place);
        }
    }

    /// Returns true if so much is on its way that a member may take every key for written.
    pub(super) fn is_crowded(&self) -> bool {
        self.bytes >= CROWD_BYTES
    }

    /// The steps since a moment, but for those that the client of WATCH had asked for before.
    fn since(&self, time: u64, watch: Place) -> impl Iterator<Item = &Done> {
        let done = self.done.iter().rev().take_while(move |d| d.time >= time);
        done.filter(move |done| !done.is_before(watch))
    }

    /// Returns true if a key may have been changed since a moment, by another than the client of
    /// WATCH before it has asked for that.
    pub(super) fn may_have_changed(
        &self,
        (db, key): (u32, &[u8]),
        since: u64,
        watch: Place,
    ) -> bool {
        let is = |place: &(u32, Vec<u8>)| place.0 == db && place.1 == key;
        let mut done = self.since(since, watch);
        self.kept_from >= since || done.any(|done| done.touched.iter().any(is))
    }

    /// Returns true if a write of a key may have been on its way at some time since a moment, of
    /// another or behind WATCH.
    pub(super) fn may_be_written(&self, (db, key): (u32, &[u8]), since: u64, watch: Place) -> bool {
        let of = |command: &Command| names(command, db, key);
        self.kept_from >= since
            || self.ahead.iter().any(of)
            || self
                .since(since, watch)
                .any(|done| done.commands.iter().any(of))
    }
}

fn weight(command: &Command) -> usize {
    command.words.iter().map(|word| word.len() + 2).sum()
}

/// Returns true if a command may write a key: it names it, or empties its database.
fn names(command: &Command, db: u32, key: &[u8]) -> bool {
    let is = |name: &str| command.words[0].eq_ignore_ascii_case(name.as_bytes());
    let empties = is("flushall") || is("flushdb") && command.db == db;
    // COPY and MOVE name a key of another database.
    let reaches = command.db == db || is("copy") || is("move");
    is_write(&command.words)
        && (empties || reaches && command.words[1..].iter().any(|word| word == key))
}
