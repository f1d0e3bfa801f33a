//! Keyspace events that wait to be told, and what they are made of.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::command::event::{Happened, KeyEvent, Tells};
use crate::store::{Named, Touched};
use crate::time::Stamp;

/// Touched keys of which no event is made yet.
#[derive(Clone, Debug)]
pub(in crate::node) struct Untold {
    pub(super) tells: Tells,
    pub(super) touched: VecDeque<Touched>,
    /// When they were touched.
    pub(super) at: Stamp,
}

impl Untold {
    /// The keys that a command has touched.
    pub(in crate::node) fn new(tells: Tells, touched: Vec<Touched>, at: Stamp) -> Self {
        Self {
            tells,
            touched: touched.into(),
            at,
        }
    }

    /// Keys of each of which the same is told.
    pub(in crate::node) fn named(event: KeyEvent, keys: Vec<Named>, at: Stamp) -> Self {
        let touched = keys.into_iter().map(|(db, key)| Touched {
            db,
            key: Some(key),
            is_new: false,
        });
        Self {
            tells: Tells::Only(event),
            touched: touched.collect(),
            at,
        }
    }

    /// The next keys of which events are made at once.
    pub(super) fn some(&mut self, most: usize) -> VecDeque<Touched> {
        if self.tells.is_of_all_keys() || self.touched.len() <= most {
            return core::mem::take(&mut self.touched);
        }
        self.touched.drain(..most).collect()
    }
}

/// The events that are not told yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    /// Those that are made.
    pub(super) waiting: VecDeque<Happened>,
    /// The keys behind them.
    pub(super) untold: VecDeque<Untold>,
    /// The bytes of all of it.
    pub(super) bytes: usize,
    /// The last turn has left some of it.
    pub(super) are_behind: bool,
    /// The channel that is being named.
    pub(super) channel: Vec<u8>,
}

/// The memory of a touched key.
pub(super) fn bytes_of(touched: &Touched) -> usize {
    let key = touched.key.as_ref().map_or(0, |key| key.len());
    size_of::<Touched>() + key
}
