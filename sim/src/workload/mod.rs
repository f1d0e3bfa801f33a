//! The actions of clients: each follows one workload, and asks in batches that depend on the
//! replies.

mod anything;
mod bank;
mod cas;
mod coded;
mod collections;
mod functions;
mod garbage;
mod grammar;
mod hearer;
mod items;
mod keeper;
mod killer;
mod listener;
pub(crate) mod mangled;
mod mood;
mod operator;
mod pauser;
mod queue;
mod reader;
mod scripts;
mod simple;
mod waiter;
mod walk;
mod walker;
mod wild;

use std::collections::VecDeque;
use std::fmt;

pub(crate) use killer::{address_of_client, address_of_member};

use mood::Mood;

use crate::draws::Dice;
use crate::wire::{Value, shown};

/// A script that answers as GET does.
pub(crate) const GET_BY_SCRIPT: &str = "return redis.call('GET', KEYS[1])";

/// The keys that clients keep begin so.
pub(crate) const KEPT: &str = "kept:";

/// A request: its words.
pub(crate) type Request = Vec<Vec<u8>>;

/// A thing that a client sends at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A request, as clients write them.
    Request(Request),
    /// A request as people type it; only words that need no quotes.
    Inline(Request),
    /// Bytes that are no request.
    Garbage {
        bytes: Vec<u8>,
        /// The complaint that they deserve.
        complaint: String,
        /// They would be a request with one byte less, or with the number one lower.
        limit: bool,
    },
    /// A request behind such bytes.
    Behind(Request),
    /// Requests of which some bytes are others than they were: what is in them, and whether they
    /// are any, `mangled::read` tells. Nothing is sent behind them.
    Mangled(Vec<u8>),
}

impl Piece {
    /// Returns true if it ends the conversation.
    pub(crate) fn errs(&self) -> bool {
        matches!(self, Self::Garbage { .. })
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(words) | Self::Inline(words) | Self::Behind(words) => {
                let words: Vec<String> = words.iter().map(|word| shown(word)).collect();
                f.write_str(&words.join(" "))
            }
            Self::Garbage { bytes, .. } => write!(f, "garbage {}", shown(bytes)),
            Self::Mangled(bytes) => write!(f, "mangled {}", shown(bytes)),
        }
    }
}

/// The database of queues: nobody else changes anything there.
pub(crate) const QUEUES: u32 = 5;
/// The database of clients that wait.
const WAITERS: u32 = 6;

/// The database of scripts.
const SCRIPTS: u32 = 4;

/// The database of functions.
const FUNCTIONS: u32 = 8;

/// The kinds of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Strings that are set and read.
    Register,
    /// Counters that only grow.
    Counter,
    /// Money that moves between accounts in transactions.
    Bank,
    /// A counter that is advanced by WATCH, GET and EXEC.
    CompareAndSet,
    /// Keys that live for milliseconds.
    Ttl,
    /// Hashes.
    Hashes,
    /// Every command, with good and bad arguments.
    Anything,
    /// Changes of the group. Only who is asked for takes part.
    Operator,
    /// Transfers of leadership, above all back to the member that it was taken from.
    Mover,
    /// Reads of old states, of which the age is bounded. Only in a group.
    Reader,
    /// Lists, sets and sorted sets that grow and become small again.
    Collections,
    /// Strings and sorted sets that hold something in a code of its own: bits, places on Earth.
    Coded,
    /// Elements that are pushed and popped, each of them once.
    Queue,
    /// Clients that wait for a few keys, and let these hold something.
    Waiter,
    /// Clients that subscribe to channels, and publish.
    Listener,
    /// Scripts.
    Scripts,
    /// Libraries, and their functions.
    Functions,
    /// Clients that listen to keyspace events.
    Hearer,
    /// Clients that track, and keep what they have read.
    Keeper,
    /// A client that has others wait, by CLIENT PAUSE.
    Pauser,
    /// Keys that live for long, or until memory is short.
    Cache,
    /// Walks with a cursor, over what partly stays.
    Walker,
    /// Every command of the server's table that names no key of elsewhere, in a database of which
    /// the model knows nothing.
    Wild,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Register,
        Self::Counter,
        Self::Bank,
        Self::CompareAndSet,
        Self::Ttl,
        Self::Hashes,
        Self::Anything,
    ];

    /// Returns true if it cannot do without strings.
    pub(crate) fn needs_strings(self) -> bool {
        matches!(self, Self::Register | Self::Counter | Self::Ttl)
    }
}

/// The variants of a workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How many keys there are.
    pub(crate) keys: u64,
    /// The longest value, in bytes.
    pub(crate) value_bytes: u64,
    /// How many members there are, those that may come included.
    pub(crate) members: u64,
    /// True if clients send bytes that are not requests.
    pub(crate) garbage: bool,
    /// True if clients have others closed.
    pub(crate) kills: bool,
}

/// One client's workload and what it remembers.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) kind: Kind,
    shape: Shape,
    /// The client's number, so that its values differ from others'.
    client: u64,
    /// Batches made so far.
    made: u64,
    /// The value that was read before a compare-and-set, and its key.
    read: Option<(u64, i64)>,
    /// How many messages it has made.
    told: u64,
    /// It watches a key, and is to execute something.
    watches: bool,
    /// The kind of requests about collections that it sends for some time.
    mood: Mood,
    /// The leader that was struck last.
    struck: Option<usize>,
    /// The number of its last connection.
    conn: u64,
    /// The requests that it means to send next.
    plan: VecDeque<Piece>,
    /// The walk that it follows, and how many names there are to walk over.
    walk: Option<walk::Walk>,
    population: u64,
}

/// A request out of words.
pub(crate) fn words(words: &[&str]) -> Piece {
    Piece::Request(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

impl Workload {
    pub(crate) fn new(kind: Kind, shape: Shape, client: u64) -> Self {
        Self {
            kind,
            shape,
            client,
            made: 0,
            read: None,
            told: 0,
            watches: false,
            mood: Mood::default(),
            struck: None,
            conn: 0,
            plan: VecDeque::new(),
            walk: None,
            population: 0,
        }
    }

    /// The database in which the workload lives.
    pub(crate) fn database(&self) -> u32 {
        match self.kind {
            Kind::Bank => 1,
            Kind::CompareAndSet => 2,
            Kind::Counter => 3,
            Kind::Queue => QUEUES,
            Kind::Waiter => WAITERS,
            Kind::Walker => walk::DATABASE,
            Kind::Scripts => SCRIPTS,
            Kind::Functions => FUNCTIONS,
            Kind::Wild => crate::model::WILD,
            _ => 0,
        }
    }

    /// The first requests of the client on a connection, besides its protocol and its database.
    pub(crate) fn wishes(&self, dice: &mut Dice) -> Vec<Piece> {
        match self.kind {
            Kind::Reader => vec![Self::wish_for_reads(dice)],
            Kind::Keeper => self.wishes_of_keeper(dice),
            _ => Vec::new(),
        }
    }

    /// Returns true if any member will do: the client does not follow MOVED.
    pub(crate) fn stays_near(&self) -> bool {
        self.kind == Kind::Reader || self.kind == Kind::Keeper && self.keeps_near()
    }

    /// Returns true if it speaks RESP3 more often than others do.
    pub(crate) fn wants_pushes(&self) -> bool {
        self.kind == Kind::Keeper
    }

    /// The requests that the client sends next, all at once.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> Vec<Piece> {
        self.made += 1;
        if self.shape.kills && dice.permille(20) {
            return vec![self.kill(dice)];
        }
        match self.kind {
            Kind::Register => self.register(dice),
            Kind::Counter => self.counter(dice),
            Kind::Ttl => self.ttl(dice),
            Kind::Cache => self.cache(dice),
            Kind::Hashes => self.hashes(dice),
            Kind::Bank => self.bank(dice),
            Kind::CompareAndSet => self.compare_and_set(dice),
            Kind::Anything => self.anything(dice),
            Kind::Operator => self.operate(dice),
            Kind::Mover => self.move_leadership(dice),
            Kind::Reader => self.read_near(dice),
            Kind::Collections => self.collections(dice),
            Kind::Coded => self.coded(dice),
            Kind::Queue => self.queue(dice),
            Kind::Waiter => self.wait_or_wake(dice),
            Kind::Listener => self.listen_or_tell(dice),
            Kind::Scripts => self.run_scripts(dice),
            Kind::Functions => self.run_functions(dice),
            Kind::Hearer => self.hear(dice),
            Kind::Keeper => self.keep_reads(dice),
            Kind::Pauser => self.pause(dice),
            Kind::Walker => self.walk(dice),
            Kind::Wild => self.wild(dice),
        }
    }

    /// The requests that it sends when nobody may look any more.
    pub(crate) fn behind(&self, dice: &mut Dice) -> Vec<Piece> {
        let key = self.key("r", dice);
        let requests = 0..dice.below(3);
        let requests = requests.map(|_| {
            let words = ["SET", &key, &self.value(dice)];
            Piece::Behind(words.map(|word| word.as_bytes().to_vec()).to_vec())
        });
        requests.collect()
    }

    /// A leader is struck.
    pub(crate) fn hears_of(&mut self, struck: usize) {
        self.struck = Some(struck);
    }

    /// It has a connection.
    pub(crate) fn connected(&mut self, conn: u64) {
        self.conn = conn;
    }

    /// A reply to one of its requests has come.
    pub(crate) fn replied(&mut self, request: &Request, value: &Value) {
        if self.kind == Kind::CompareAndSet {
            self.cas_replied(request, value);
        }
        if self.kind == Kind::Walker {
            self.walk_replied(request, value);
        }
    }

    /// The connection is gone, and with it what depended on it.
    pub(crate) fn disconnected(&mut self) {
        self.read = None;
        self.watches = false;
        self.walk = None;
    }

    fn key(&self, name: &str, dice: &mut Dice) -> String {
        format!("{name}{}", dice.below(self.shape.keys))
    }

    /// A value that no other request writes, filled up to some length.
    fn value(&self, dice: &mut Dice) -> String {
        let mut value = format!("v{}-{}-{}", self.client, self.made, dice.below(1000));
        if dice.permille(300) {
            let len = dice.below(self.shape.value_bytes.max(1)) as usize;
            value.extend(std::iter::repeat_n('x', len.saturating_sub(value.len())));
        }
        value
    }
}
