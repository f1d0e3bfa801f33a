//! Requests with a large argument: put together while they arrive, in the form that an entry of the
//! log gives them, so that nothing of them is copied afterwards.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use bytes::Bytes;

use super::batch::Encoded;
use super::entry;
use super::lookup::{called_by, row_of};
use super::route::waits_for_own;
use crate::command::args::Args;
use crate::command::table;
use crate::node::Node;
use crate::node::effect::Effect;
use crate::resp::parse::Parser;
use crate::session::Session;
use crate::session::inbound::Inbound;
use crate::session::large::Large;

/// So many bytes of requests are moved in one turn to where they stay.
const MOVED_BYTES: usize = 512 << 10;

impl Node {
    /// Takes the part of a large argument that is at the end of `rest`, if one is. Gives the range
    /// that is not to be kept.
    pub(super) fn begin_large(
        &self,
        slot: u32,
        inbound: &mut Inbound,
        rest: &[u8],
    ) -> Range<usize> {
        let Inbound { parser, large, .. } = inbound;
        let least = self.config.large_argument_bytes.max(1);
        let Some((at, length)) = parser.open_bulk().filter(|(_, length)| *length >= least) else {
            return 0..0;
        };
        let db = self.clients.get(slot).map_or(0, |session| session.db);
        let large = large.get_or_insert_with(|| {
            let mut large = Box::<Large>::default();
            large
                .gathering
                .push(&entry::command_head(db, parser.count()));
            large
        });
        put_arguments(large, parser, rest);
        large.gathering.push(&entry::argument_head(length));
        large.gathering.expect(length);
        let start = large.gathering.len();
        large.ranges.push(start as u32..(start + length) as u32);
        parser.take_bulk();
        large.missing = length;
        let mut content = rest.get(at..).unwrap_or_default();
        at..at + large.feed(&mut content)
    }

    /// A request with a large argument has come to its end, which is at the front of `rest`.
    pub(super) fn end_large(&mut self, slot: u32, inbound: &mut Inbound, rest: &[u8]) {
        let Some(mut large) = inbound.large.take() else {
            return;
        };
        put_arguments(&mut large, &inbound.parser, rest);
        if self.may_run(slot, &large) {
            self.run_large(slot, *large);
        } else if let Some(session) = self.clients.get_mut(slot) {
            self.requests.assembling.push((slot, session.conn));
            session.assembling = Some(large);
        }
    }

    /// Returns true if a request stands in one piece and has to wait for nothing else, nor for what
    /// its client has asked before.
    fn may_run(&self, slot: u32, large: &Large) -> bool {
        let Some(args) = large.request() else {
            return false;
        };
        let session = self.clients.get(slot);
        let is_busy = session.is_some_and(Session::is_busy);
        // Once it is run it is answered: what admission would postpone stays where it is.
        if row_of(args).is_ok_and(|row| self.is_paused(slot, row))
            && (is_busy || self.clients.may_postpone(slot, self.now.mono))
        {
            return false;
        }
        let session = session.zip(table::find(args.name()));
        let is_shown = self.clients.has_monitors();
        let is_behind = session
            .is_some_and(|(session, row)| waits_for_own(session, called_by(row, args), is_shown));
        !is_behind && !self.clients.is_blocked(slot) && !self.must_wait(slot, args)
    }

    /// Returns true if a request that is being put together can be moved on, or run.
    pub(in crate::node) fn can_assemble(&self) -> bool {
        self.requests.assembling.iter().any(|&(slot, conn)| {
            let session = self
                .clients
                .get(slot)
                .filter(|session| session.conn == conn);
            session.is_none_or(|session| match &session.assembling {
                Some(large) if large.gathering.is_whole() => self.may_run(slot, large),
                _ => true,
            })
        })
    }

    fn run_large(&mut self, slot: u32, large: Large) {
        let (bytes, sum) = large.gathering.into_whole();
        let payload = Bytes::from(bytes);
        self.requests.in_hand = Some(Encoded {
            payload: payload.clone(),
            sum,
        });
        self.request(slot, Args::new(&payload, &large.ranges));
        self.requests.in_hand = None;
    }

    /// Moves a bounded part of what is whole to where it stays, and runs what stands there.
    pub(in crate::node) fn assemble_turn(&mut self) {
        let assembling = mem::take(&mut self.requests.assembling);
        let share = MOVED_BYTES / assembling.len().max(1);
        for (slot, conn) in assembling {
            let Some(session) = self.clients.get_same(slot, conn) else {
                continue;
            };
            let Some(large) = &mut session.assembling else {
                continue;
            };
            large.gathering.step(share.max(1));
            let Some(large) = session.assembling.take() else {
                continue;
            };
            let may_run = self.may_run(slot, &large);
            let Some(session) = self.clients.get_mut(slot) else {
                continue;
            };
            if !may_run {
                session.assembling = Some(large);
                self.requests.assembling.push((slot, conn));
                self.clients.count_memory(slot);
                continue;
            }
            session.paused = false;
            self.run_large(slot, *large);
            self.effects.push(Effect::Resume { conn });
            self.received(slot, &[]);
        }
    }
}

/// Adds the arguments that the parser has found and the request does not hold yet.
fn put_arguments(large: &mut Large, parser: &Parser, rest: &[u8]) {
    let Large {
        gathering, ranges, ..
    } = large;
    let found = parser.arguments().get(ranges.len()..).unwrap_or_default();
    let found: Vec<Range<u32>> = found.to_vec();
    for argument in Args::new(rest, &found).iter() {
        gathering.push(&entry::argument_head(argument.len()));
        let start = gathering.len() as u32;
        gathering.push(argument);
        ranges.push(start..gathering.len() as u32);
    }
}
