//! From committed entries to the store and to the replies.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::context::{Change, Dice};
use crate::command::error::{Error, Outcome};
use crate::command::table::{self, Kind, Row, SessionVerb};
use crate::ids::{ConnId, LogIndex};
use crate::resp::reply::{Protocol, Reply};
use crate::time::Stamp;

use super::entry::{Item, Reader};
use super::route::{finish, unknown_command, write_error};
use super::verbs::named_elsewhere;
use super::witness::{Answer, Witnessed};
use super::{Node, Waiter, watchers};

impl Node {
    /// Applies one committed entry: its commands in order, and behind each what its client is owed.
    ///
    /// `waiters` are those of this member's clients who proposed it; on another member, and in
    /// recovery, there are none, and the replies go nowhere.
    pub(super) fn apply_entry(
        &mut self,
        index: LogIndex,
        stamp: Stamp,
        payload: &[u8],
        waiters: &mut Vec<Waiter>,
    ) {
        self.applied_stamp = self.applied_stamp.max(stamp);
        if self.applied_stamp > self.stamped.0 {
            self.stamped = (self.applied_stamp, self.now.mono);
        }
        self.witness.note(|| Witnessed::Entry {
            index,
            stamp,
            payload: Bytes::copy_from_slice(payload),
        });
        let mut ranges = mem::take(&mut self.ranges);
        let mut sink = mem::take(&mut self.sink);
        let mut reader = Reader::new(payload);
        if let Some(seed) = reader.seed() {
            self.store.set_seed(seed);
        }
        let mut waiting = waiters.drain(..).peekable();
        let mut place = 0;
        loop {
            // Those who only waited for time stand before the command of their place.
            while let Some(waiter) = waiting.next_if(|w| w.parked && w.place <= place) {
                self.settle(&waiter);
            }
            let Some(item) = reader.next(&mut ranges) else {
                break;
            };
            let waiter = waiting.next_if(|waiter| waiter.place == place);
            let session = waiter
                .as_ref()
                .and_then(|w| self.sessions.get_same(w.slot, w.conn));
            let protocol = waiter.as_ref().map_or(Protocol::Resp2, |w| w.protocol);
            let mut out = match session {
                Some(session) => mem::take(session.outbox.buffer()),
                None => mem::take(&mut sink),
            };
            let mark = out.len();
            let dice = Dice::new(index.0, u64::from(place));
            match item {
                Item::Command { db } => {
                    let args = Args::new(payload, &ranges);
                    let outcome = self.apply_command(db, args, dice, protocol, &mut out);
                    let silent = waiter.as_ref().is_some_and(|w| w.silent);
                    finish(&mut out, mark, protocol, silent, outcome, &mut self.stats);
                }
                Item::Transaction { count } => {
                    Reply::new(&mut out, protocol).array(count as usize);
                    let slot = waiter.as_ref().map(|w| w.slot);
                    for step in 0..count {
                        let Some(Item::Command { db }) = reader.next(&mut ranges) else {
                            break;
                        };
                        let args = Args::new(payload, &ranges);
                        let dice = Dice::new(index.0, u64::from(place) | u64::from(step + 1) << 32);
                        self.apply_step(slot, db, args, dice, protocol, &mut out);
                    }
                    if waiter.as_ref().is_some_and(|w| w.silent) {
                        out.truncate(mark);
                    }
                }
            }
            place += 1;
            self.commands_applied += 1;
            self.witness.note(|| Witnessed::Step);
            match &waiter {
                Some(w) if self.sessions.get_same(w.slot, w.conn).is_some() => {
                    if let Some(session) = self.sessions.get_same(w.slot, w.conn) {
                        *session.outbox.buffer() = out;
                    }
                    if !w.silent {
                        self.note_answer(w.conn, Answer::Step);
                    }
                    self.settle(w);
                }
                _ => {
                    sink = out;
                    sink.clear();
                }
            }
        }
        for waiter in waiting {
            self.settle(&waiter);
        }
        self.ranges = ranges;
        self.sink = sink;
    }

    /// One more of this client's proposals is applied: what stood behind it may run.
    pub(super) fn settle(&mut self, waiter: &Waiter) {
        let Some(session) = self.sessions.get_same(waiter.slot, waiter.conn) else {
            return;
        };
        session.applied += 1;
        if !session.parked.is_empty() {
            self.run_parked(waiter.slot);
        }
        self.mark_dirty(waiter.slot);
    }

    /// Runs one writing command.
    fn apply_command(
        &mut self,
        db: u32,
        args: Args<'_>,
        dice: Dice,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let Some(row) = table::find(args.name()) else {
            return Err(unknown_command(args));
        };
        let Kind::Write(run) = row.kind else {
            return Ok(());
        };
        let at = self.applied_stamp;
        let (changes, mark) = (self.store.changes(), out.len());
        let reply = Reply::new(out, protocol);
        let outcome = run(
            &mut Change {
                store: &mut self.store,
                db,
                at,
                dice,
                reply,
            },
            args,
        );
        if outcome.is_ok()
            && !self.watchers.is_empty()
            && (self.store.changes() != changes || watchers::overwrites(row, args, &out[mark..]))
        {
            self.break_watches(row, db, args);
        }
        outcome
    }

    /// Runs one command of a transaction; an error is its reply and stops nothing.
    fn apply_step(
        &mut self,
        slot: Option<u32>,
        db: u32,
        args: Args<'_>,
        dice: Dice,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) {
        let mark = out.len();
        let outcome = match table::find(args.name()).map(|row| row.kind) {
            None => Err(unknown_command(args)),
            Some(Kind::Write(_)) => self.apply_command(db, args, dice, protocol, out),
            Some(Kind::Read(run)) => {
                let at = self.applied_stamp;
                let reply = Reply::new(out, protocol);
                run(
                    &mut Change {
                        store: &mut self.store,
                        db,
                        at,
                        dice,
                        reply,
                    }
                    .as_query(),
                    args,
                )
            }
            Some(Kind::Server(verb)) => match slot {
                // Only the member whose client asked has an answer to give, and none of it touches
                // the store.
                Some(slot) => {
                    self.applying = true;
                    let mut reply = Reply::new(out, protocol);
                    let outcome = self.server_verb(slot, verb, args, db, &mut reply);
                    self.applying = false;
                    outcome
                }
                None => Ok(()),
            },
            Some(Kind::Session(SessionVerb::Select)) => {
                super::verbs::select_target(args).map(|_| Reply::new(out, protocol).ok())
            }
            Some(Kind::Session(SessionVerb::Unwatch)) => {
                Reply::new(out, protocol).ok();
                Ok(())
            }
            Some(Kind::Session(_)) => Err(Error::NOT_IN_TRANSACTION),
        };
        if let Err(error) = outcome {
            self.stats.error(&error);
            out.truncate(mark);
            write_error(&mut Reply::new(out, protocol), &error);
        }
    }

    /// Tells those who watch what has just been written.
    fn break_watches(&mut self, row: &Row, db: u32, args: Args<'_>) {
        let (store, at) = (&self.store, self.applied_stamp);
        let mut broken = Vec::new();
        let mut touch = |of: u32, key: &[u8], clients: &[(u32, ConnId)]| {
            // A key that was absent at WATCH, whose watch nothing has broken since, and that is
            // absent now has not been written.
            let exists = store.contains(of, key, at);
            let had_it = |client: &(u32, ConnId)| exists || self.watches_living(*client, of, key);
            broken.extend(clients.iter().copied().filter(had_it));
        };
        for key in watchers::written(row, args) {
            touch(db, key, self.watchers.of(db, key));
        }
        // COPY and MOVE may write in another database: all that is watched under such a name
        // counts. FLUSHALL and FLUSHDB name no key.
        let elsewhere = named_elsewhere(args);
        if elsewhere.is_some() || row.keys.first == 0 {
            for (of, key, clients) in self.watchers.all() {
                if elsewhere.map_or(of == db || args.is(0, "flushall"), |name| name == key) {
                    touch(of, key, clients);
                }
            }
        }
        for (slot, conn) in broken {
            if let Some(session) = self.sessions.get_same(slot, conn) {
                session.watch_broken = true;
            }
        }
    }

    /// Whether a key was alive when this client's WATCH named it.
    fn watches_living(&self, (slot, conn): (u32, ConnId), db: u32, key: &[u8]) -> bool {
        let session = self.sessions.get(slot);
        session
            .filter(|session| session.conn == conn)
            .is_some_and(|session| {
                let mut watches = session.watches.iter();
                watches.any(|watch| watch.alive && watch.db == db && watch.key == key)
            })
    }
}
