//! A recovery on its way, and what the files have said so far.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::aof::{Debt, Recovery};
use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::node::config::Config;
use crate::raft::{Entry, EntryKind, Member, Membership, Settings};
use crate::rng;

use super::base::{BaseHead, Identity};
use super::repair::Strays;

/// Draws that a data directory makes once, on its first day.
const IDENTITY_STREAM: u64 = 0x6964_656e;
/// A recovery on its way.
#[derive(Clone, Debug)]
pub(super) struct Recovering {
    pub(super) recovery: Recovery,
    pub(super) found: Found,
    pub(super) shown: u64,
}

/// Acknowledged data are damaged.
#[derive(Clone, Debug)]
pub(super) struct Damaged {
    pub(super) why: String,
    /// The advice for a server that is alone.
    pub(super) advice: &'static str,
    /// The base is: nothing of the state is left.
    pub(super) all: bool,
}

/// The facts that the files have given so far.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) identity: Option<Identity>,
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) commit: LogIndex,
    pub(super) membership: Membership,
    /// The last entry that is part of the store.
    pub(super) applied: (LogIndex, Term),
    /// Entries behind it.
    pub(super) tail: VecDeque<Entry>,
    /// The head of the base.
    pub(super) head: Option<BaseHead>,
    /// All of it has come.
    pub(super) base_loaded: bool,
    /// There are other members, or were.
    pub(super) grouped: bool,
    /// The contents of records behind damage.
    pub(super) strays: Strays,
    /// The debt that the manifest names.
    pub(super) debt: Option<Debt>,
    /// Acknowledged data are damaged.
    pub(super) damaged: Option<Damaged>,
    pub(super) trouble: Option<String>,
}

/// The life of a new directory.
fn incarnation(config: &Config) -> Incarnation {
    if config.incarnation == Incarnation(0) {
        Incarnation(rng::draw(IDENTITY_STREAM, config.seed, 2, 0))
    } else {
        config.incarnation
    }
}

/// The identity that a first start writes down.
pub(super) fn first_identity(config: &Config) -> Identity {
    Identity {
        id: config.id,
        cluster: ClusterId(rng::draw(IDENTITY_STREAM, config.seed, 1, 0)),
        incarnation: incarnation(config),
        founders: Membership::alone(config.id).encode(),
    }
}

/// The identity that a first start as a member of a group writes down.
pub(super) fn member_identity(config: &Config) -> Option<Identity> {
    let member = |(id, incarnation): &(NodeId, Incarnation)| Member {
        id: *id,
        incarnation: *incarnation,
    };
    let founders: Vec<Member> = config.founders.iter().map(member).collect();
    let membership = Membership::of(founders.clone())?;
    let own = founders.iter().find(|member| member.id == config.id);
    Some(Identity {
        id: config.id,
        cluster: config.cluster,
        incarnation: own.map_or_else(|| incarnation(config), |own| own.incarnation),
        founders: membership.encode(),
    })
}

impl Found {
    /// Adds the entries of a record; one whose index is taken supersedes what stood there and
    /// behind.
    pub(super) fn take_entries(&mut self, body: &[u8]) -> Result<(), String> {
        let mut rest = body;
        while !rest.is_empty() {
            let entry = Entry::decode(&mut rest)
                .map_err(|error| format!("invalid entry in the log: {error:?}"))?;
            let next = self.tail.back().map_or(self.applied.0, |e| e.index).next();
            if entry.index > next {
                return Err(format!(
                    "entries are missing from the log: entry {} is followed by entry {}",
                    next.0 - 1,
                    entry.index.0
                ));
            }
            if entry.index <= self.applied.0 {
                continue;
            }
            while self.tail.back().is_some_and(|e| e.index >= entry.index) {
                self.tail.pop_back();
            }
            self.grouped |= entry.kind == EntryKind::Membership;
            self.tail.push_back(entry);
        }
        Ok(())
    }
}

pub(super) fn settings(config: &Config, identity: &Identity) -> Settings {
    Settings {
        id: identity.id,
        incarnation: identity.incarnation,
        cluster: identity.cluster,
        seed: config.seed,
        retained_bytes: config.retained_bytes,
        append_bytes: config.append_bytes,
        chunk_bytes: config.chunk_bytes,
        append_entries: config.bounds.append_entries,
        in_flight_appends: config.bounds.in_flight_appends,
        in_flight_bytes: config.bounds.in_flight_bytes,
        fed_bytes: config.bounds.fed_bytes,
        ..Settings::default()
    }
}
