//! The wish of a client by CLIENT TRACKING: to hear when what it keeps of its reads is so no more.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

use crate::ids::ConnId;

/// Of which keys a client hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Of those that it has read.
    #[default]
    Reads,
    /// Of those that it has read behind CLIENT CACHING YES.
    OptIn,
    /// Of those that it has read, but for those behind CLIENT CACHING NO.
    OptOut,
    /// Of those with its prefixes, whether it has read them or not.
    Broadcast,
}

/// For which request CLIENT CACHING has spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// For none.
    #[default]
    Nothing,
    /// For the next one.
    ForNext,
    /// For the present one.
    ForThis,
}

/// The tracking of one client.
#[derive(Clone, Debug, Default)]
pub struct CacheTracking {
    /// Of which keys it hears.
    pub scope: Scope,
    /// It does not hear of what it writes itself.
    pub no_loop: bool,
    /// The client that hears in its place.
    pub redirect: Option<ConnId>,
    /// That client was not there when it was to hear of something.
    pub is_redirect_broken: bool,
    /// The prefixes of a broadcast.
    pub prefixes: BTreeSet<Box<[u8]>>,
    /// For which request CLIENT CACHING has spoken.
    pub said: Said,
}

impl CacheTracking {
    /// CLIENT CACHING has spoken: for the next request, or for the rest of the transaction that it
    /// stands in.
    pub fn says(&mut self, in_transaction: bool) {
        self.said = if in_transaction {
            Said::ForThis
        } else {
            Said::ForNext
        };
    }

    /// Returns true if CLIENT CACHING has spoken, and its request has not begun.
    pub fn has_said(&self) -> bool {
        self.said == Said::ForNext
    }

    /// The next request begins that is no CLIENT, or a transaction does.
    pub fn begins_request(&mut self) {
        self.said = match self.said {
            Said::ForNext => Said::ForThis,
            Said::ForThis | Said::Nothing => Said::Nothing,
        };
    }

    /// Returns true if the client hears of what it reads now.
    pub fn keeps_reads(&self) -> bool {
        match self.scope {
            Scope::Reads => true,
            Scope::OptIn => self.said == Said::ForThis,
            Scope::OptOut => self.said != Said::ForThis,
            Scope::Broadcast => false,
        }
    }

    /// Returns true if each request must be over before the next is looked at.
    pub fn is_in_steps(&self) -> bool {
        matches!(self.scope, Scope::OptIn | Scope::OptOut)
    }

    /// The client that hears in its place, as Redis shows it: 0 where there is none.
    pub fn shown_redirect(&self) -> i64 {
        self.redirect.map_or(0, |id| id.0 as i64)
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        let lengths = self.prefixes.iter().map(|prefix| prefix.len());
        let prefixes = lengths.map(|len| 2 * len + PREFIX_BYTES);
        size_of::<Self>() + prefixes.sum::<usize>()
    }
}

/// About what a prefix takes here and where the node finds who hears of it, besides its bytes.
const PREFIX_BYTES: usize = 160;
