//! The store as a script meets it: to be changed, or only to be read.

use crate::command::args::Args;
use crate::command::context::{Change, Dice, Query};
use crate::command::error::{Error, Outcome};
use crate::command::pace::Pace;
use crate::command::row::{Kind, Row};
use crate::ids::DbId;
use crate::resp::reply::Reply;
use crate::store::Store;
use crate::time::Stamp;

/// The context of a command that runs a script.
#[derive(Debug)]
pub(super) enum Host<'h, 'a> {
    Change(&'h mut Change<'a>),
    Query(&'h mut Query<'a>),
}

impl<'a> Host<'_, 'a> {
    pub(super) fn store(&self) -> &Store {
        match self {
            Self::Change(change) => change.store,
            Self::Query(query) => query.store,
        }
    }

    /// The moment at which the script runs.
    pub(super) fn at(&self) -> Stamp {
        match self {
            Self::Change(change) => change.at,
            Self::Query(query) => query.at,
        }
    }

    pub(super) fn db(&self) -> DbId {
        match self {
            Self::Change(change) => change.db,
            Self::Query(query) => query.db,
        }
    }

    /// The dice as they fall from the beginning of the script on.
    pub(super) fn dice(&self) -> Dice {
        match self {
            Self::Change(change) => change.dice,
            Self::Query(query) => query.dice,
        }
    }

    pub(super) fn pace(&mut self) -> &mut Pace {
        match self {
            Self::Change(change) => change.pace,
            Self::Query(query) => query.pace,
        }
    }

    pub(super) fn reply(&mut self) -> &mut Reply<'a> {
        match self {
            Self::Change(change) => &mut change.reply,
            Self::Query(query) => &mut query.reply,
        }
    }

    /// The wall clock at the script's moment, in milliseconds.
    pub(super) fn wall_ms(&self) -> u64 {
        let (at, offset) = match self {
            Self::Change(change) => (change.at, change.offset),
            Self::Query(query) => (query.clock, query.offset),
        };
        at.0.saturating_add_signed(offset.0)
    }

    /// Keeps a script that is run; a read leaves nothing behind.
    pub(super) fn keep_script(&mut self, name: &[u8], text: &[u8]) {
        if let Self::Change(change) = self {
            change.store.keep_script(name, text, change.at);
        }
    }

    /// All is known of what the last command has touched.
    pub(super) fn end_call(&mut self) {
        if let Self::Change(change) = self {
            change.store.end_call();
        }
    }

    /// Runs a command of the script, or its next piece.
    pub(super) fn run(
        &mut self,
        row: &Row,
        db: DbId,
        args: Args<'_>,
        dice: Dice,
        reply: Reply<'_>,
    ) -> Outcome {
        match self {
            Self::Change(change) => {
                let mut inner = Change {
                    store: &mut *change.store,
                    db,
                    at: change.at,
                    offset: change.offset,
                    dice,
                    reply,
                    pace: &mut *change.pace,
                };
                match row.kind {
                    Kind::Write(run) => run(&mut inner, args),
                    Kind::Read(run) => run(&mut inner.as_query(), args),
                    _ => Err(Error::NOT_FROM_SCRIPT),
                }
            }
            Self::Query(query) => {
                let mut inner = Query {
                    store: query.store,
                    db,
                    at: query.at,
                    offset: query.offset,
                    clock: query.clock,
                    dice,
                    reply,
                    pace: &mut *query.pace,
                };
                match row.kind {
                    Kind::Read(run) => run(&mut inner, args),
                    _ => Err(Error::WRITE_FROM_READ_ONLY_SCRIPT),
                }
            }
        }
    }
}
