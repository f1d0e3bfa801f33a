//! One client: bytes in, requests out, replies in order.
//!
//! A session knows what its client has said and is owed. It never sees the store or the log: what a
//! request means is for the node to decide.

pub mod inbound;
pub mod key_wait;
pub mod large;
pub mod outbox;
pub mod parked;
pub mod subscriptions;
pub mod tracking;
pub mod transaction;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::command::row::Row;
use crate::ids::{ConnId, LogIndex};
use crate::resp::reply::{Protocol, Reply};
use crate::time::Mono;

use inbound::Inbound;
use key_wait::KeyWait;
use large::Large;
use outbox::Outbox;
use parked::Parked;
use subscriptions::Subscriptions;
use tracking::CacheTracking;
use transaction::{Transaction, Watches};

/// Which replies a client wants, by CLIENT REPLY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// All.
    #[default]
    On,
    /// None, until it says otherwise.
    Off,
    /// Not the next one.
    SkipNext,
    /// Not this one.
    Skip,
}

/// Which reads a client wants, by RAFT READS, READONLY and READWRITE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// The leader's, as the configuration says: linearizable, by a lease where that is on.
    #[default]
    Default,
    /// The leader's, when a majority has confirmed that it still leads.
    Linearizable,
    /// The leader's, by its lease as long as it has one.
    Lease,
    /// Any member's, as old as the configuration says.
    Follower,
    /// Any member's, if it is no older than that.
    Bounded {
        /// In milliseconds, more than 0.
        ms: u64,
    },
    /// Any member's, however old.
    Local,
}

impl Reads {
    /// Returns true if a member that does not lead may answer.
    pub fn are_here(self) -> bool {
        matches!(self, Self::Follower | Self::Bounded { .. } | Self::Local)
    }
}

/// The event that a blocked client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// WAIT: the time when it ends, if it ever does.
    Wait {
        /// When the client is answered all the same; never, where it gave 0.
        until: Option<Mono>,
        /// How many members are to hold it.
        wanted: usize,
        /// The last entry that the client may have written.
        index: LogIndex,
    },
    /// BLPOP and its kin: for a key to hold something.
    Keys {
        /// When the client is answered that nothing has come; never, where it gave 0.
        until: Option<Mono>,
    },
    /// The same, while something is on its way to the client.
    Served,
    /// DEBUG SLEEP: the time when it ends.
    Sleep {
        /// When the client is answered.
        until: Mono,
        /// How long it waits for that.
        length: Duration,
    },
    /// SAVE: until the rewrite has ended.
    Rewrite,
    /// RAFT ADD, PROMOTE, REMOVE: until the change is over.
    Change,
    /// RAFT TRANSFER: until another leads, or nobody has taken over.
    Transfer,
    /// PUBLISH: until all who are to have the message have it.
    Publishing {
        /// How many have it.
        receivers: u64,
    },
    /// A long read: until it is at its end.
    Store,
    /// DEBUG RELOAD: until the log is loaded again.
    Reload,
    /// CLIENT PAUSE: until the pause is over; then the request is looked at again.
    Paused {
        /// The place of this wait among those of all clients.
        place: u64,
    },
    /// CONFIG REWRITE: until the file is written.
    Configuration {
        /// Which of the node's wishes it was.
        number: u64,
    },
}

impl Blocked {
    /// Returns true if its client has said how long it waits: it may be for ever.
    pub fn is_for_a_time(self) -> bool {
        matches!(self, Self::Wait { .. } | Self::Sleep { .. })
    }

    /// Returns true if it ends some time after its client has said that it will send nothing more.
    /// The other waits are for this member's own work, which has an end of its own.
    pub fn ends_with_its_client(self) -> bool {
        self.is_for_a_time() || matches!(self, Self::Change | Self::Transfer | Self::Paused { .. })
    }

    /// The same, where the client has said how long it waits; then no longer than until `most`.
    #[must_use]
    pub fn at_most_until(mut self, most: Option<Mono>) -> Self {
        let Some(most) = most else {
            return self;
        };
        match &mut self {
            Self::Wait { until, .. } => *until = Some(until.map_or(most, |until| until.min(most))),
            Self::Sleep { until, .. } => *until = most.min(*until),
            _ => {}
        }
        self
    }
}

/// The state that the node keeps of one client.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The connection.
    pub conn: ConnId,
    /// The client's address, as the driver named it.
    pub address: String,
    /// And of the one that it came to.
    pub local: String,
    /// The driver's number for its socket; -1: it has none.
    pub descriptor: i32,
    /// When it connected.
    pub since: Mono,
    /// When it last sent something, or took something of what was sent to it.
    pub heard: Mono,
    /// When its silence is looked at next, where silence has a limit.
    pub silence_due: Mono,
    /// The database it has selected.
    pub db: u32,
    /// The protocol it has chosen.
    pub protocol: Protocol,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// CLIENT SETINFO lib-name.
    pub library: Vec<u8>,
    /// CLIENT SETINFO lib-ver.
    pub library_version: Vec<u8>,
    /// The last command, for CLIENT LIST.
    pub last_command: Option<&'static Row>,
    /// True if it may do more than authenticate.
    pub authenticated: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// Which reads it wants.
    pub reads: Reads,
    /// Among the replies that are held is one that no lease lets go.
    pub insists: bool,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// Bytes that are not a request yet.
    pub inbound: Inbound,
    /// Replies that may leave.
    pub outbox: Outbox,
    /// How long the reply is that is being made in pieces, so far, in bytes.
    pub collecting: usize,
    /// The requests behind a write that is not applied yet.
    pub parked: Parked,
    /// Requests handed to the log so far.
    pub proposed: u64,
    /// Of those, how many are applied.
    pub applied: u64,
    /// The transaction that MULTI opened.
    pub transaction: Option<Transaction>,
    /// EXEC, as it has spelled it last.
    pub exec_word: [u8; 4],
    /// The channels and patterns that it has subscribed to, if any.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// Its request that may wait was shown to who is shown all.
    pub wait_is_shown: bool,
    /// It is shown what other clients ask for.
    pub monitors: bool,
    /// The keys that it keeps, of which it hears, if it does.
    pub tracking: Option<Box<CacheTracking>>,
    /// The keys that WATCH named.
    pub watches: Watches,
    /// True if a watched key has changed.
    pub watch_broken: bool,
    /// Among what is parked is a request that may wait: what comes behind it is not looked at, or
    /// a write would be answered before it.
    pub will_wait: bool,
    /// The requests with secrets of a transaction that is on its way, and how far they are run.
    pub withheld: Vec<u8>,
    /// The start of the next of them.
    pub withheld_at: usize,
    /// The event that it waits for; nothing it sent is looked at before.
    pub blocked: Option<Blocked>,
    /// Its request that waits for a key, or is given something of one.
    pub key_wait: Option<Box<KeyWait>>,
    /// A request that is whole, and is still put together.
    pub assembling: Option<Box<Large>>,
    /// Whole requests may be among the kept bytes, but could not be looked at.
    pub paused: bool,
    /// It has had its share of a turn: what it sent waits for the next.
    pub queued: bool,
    /// The last turn in which something was done for it.
    pub turn: u64,
    /// How much was done for it in that turn.
    pub work: usize,
    /// No request is taken any more; the connection closes when all replies have left.
    pub closing: bool,
    /// It closes at once, whatever it is owed.
    pub killed: bool,
    /// The client has said that nothing more comes: it closes when all is answered.
    pub ended: bool,
    /// Until when a client that will send nothing more may wait for something.
    pub waits_until: Option<Mono>,
    /// Until when a client that is closing may take what it is owed.
    pub lingers_until: Option<Mono>,
    /// How many bytes it has taken of that since it was last looked at.
    pub lingering_taken: usize,
    /// Since when more waits for it than the soft limit of its output buffer allows.
    pub crowded_since: Option<Mono>,
    /// When a client that has not authenticated is closed.
    pub authenticate_until: Option<Mono>,
    /// When the node looks at it again, for one of these reasons.
    pub due: Option<Mono>,
    /// Its memory when that of all clients was last summed up, in bytes.
    pub counted: usize,
    /// The bytes of messages that waited for it then.
    pub counted_messages: usize,
    /// True if it is on the node's list of sessions with something to send.
    pub dirty: bool,
}

impl Session {
    /// Returns true if it came by a Unix socket: its address is a path, with port 0.
    pub fn is_on_unix_socket(&self) -> bool {
        self.address.ends_with(":0")
    }

    /// A client that has just connected.
    pub fn new(conn: ConnId, now: Mono, authenticated: bool) -> Self {
        Self {
            conn,
            since: now,
            heard: now,
            authenticated,
            ..Self::default()
        }
    }

    /// Returns true if it has subscribed to anything.
    pub fn is_subscriber(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Returns true if it may ask for nothing but subscriptions: to one that speaks RESP2 a message
    /// looks like a reply.
    pub fn only_listens(&self) -> bool {
        self.is_subscriber() && self.protocol == Protocol::Resp2
    }

    /// Returns true while a write of this client is not applied, so that what follows must wait its
    /// turn.
    pub fn is_busy(&self) -> bool {
        self.proposed != self.applied || !self.parked.is_empty()
    }

    /// The next thing that it sent is looked at: what CLIENT REPLY SKIP has said is over, or begins
    /// to count.
    pub fn ends_skip(&mut self) {
        self.reply_mode = match self.reply_mode {
            ReplyMode::Skip => ReplyMode::On,
            ReplyMode::SkipNext => ReplyMode::Skip,
            same => same,
        };
    }

    /// Returns true if the reply to the present request is not wanted.
    pub fn is_silent(&self) -> bool {
        matches!(self.reply_mode, ReplyMode::Off | ReplyMode::Skip)
    }

    /// When what it waits for is over for it, whatever becomes of that.
    pub fn gives_up_at(&self) -> Option<Mono> {
        let ends = self.blocked.is_some_and(Blocked::ends_with_its_client);
        self.waits_until.filter(|_| ends)
    }

    /// Returns true if a reply is still to be written, or may not leave yet.
    pub fn is_owed(&self) -> bool {
        self.is_busy()
            || self.outbox.is_holding()
            || self.blocked.is_some()
            || self.assembling.is_some()
    }

    /// The memory that the node holds for this client, in bytes: unfinished and parked requests,
    /// what MULTI has queued, and replies that it has not taken.
    pub fn memory(&self) -> usize {
        let queued = self.transaction.as_ref().map_or(0, Transaction::memory);
        size_of::<Self>()
            + self.inbound.memory()
            + self.assembling.as_ref().map_or(0, |large| large.memory())
            + self.outbox.memory()
            + self.collecting
            + self.parked.memory()
            + self.watches.memory()
            + self.subscriptions.as_ref().map_or(0, |all| all.memory())
            + self
                .tracking
                .as_ref()
                .map_or(0, |tracking| tracking.memory())
            + queued
            + self.key_wait.as_ref().map_or(0, |waits| waits.memory())
            + self.withheld.capacity()
    }

    /// Drops whatever was sent and whatever is owed.
    pub fn forget_all(&mut self) {
        self.inbound = Inbound::default();
        self.assembling = None;
        self.outbox.clear();
        self.collecting = 0;
        self.parked = Parked::default();
        self.transaction = None;
    }

    /// The bytes of replies that it has not taken: those that wait, and the one that is being made.
    pub fn unread(&self) -> usize {
        self.outbox.len() + self.collecting
    }

    /// A writer for a reply that may leave at once.
    pub fn reply(&mut self) -> Reply<'_> {
        Reply::new(self.outbox.buffer(), self.protocol)
    }

    /// Puts the connection back to how it was when it connected, as RESET asks.
    pub fn reset(&mut self, authenticated: bool) {
        self.db = 0;
        self.protocol = Protocol::Resp2;
        self.name.clear();
        self.authenticated = authenticated;
        self.no_evict = false;
        self.no_touch = false;
        self.reply_mode = ReplyMode::On;
        self.transaction = None;
        self.watches = Watches::default();
        self.watch_broken = false;
        self.reads = Reads::Default;
    }
}
