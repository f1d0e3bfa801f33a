//! The values that a node is given before it starts, and those that CONFIG SET may change.

pub mod options;
pub(super) mod remembered;

use alloc::string::String;
use alloc::vec::Vec;

use crate::aof;
pub use crate::command::event::Classes;
use crate::ids::{ClusterId, Incarnation, NodeId};
use crate::limits::{Bounds, CLIENTS_MEMORY_MIN};
use crate::node::replica::versions::ENTRY_VERSIONS;
use crate::store::{Store, Tracking};

use remembered::Remembered;

pub use crate::store::{Borders, Tables};

macro_rules! policies {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// When an entry counts as persisted (`appendfsync`).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Fsync {
            $($(#[$doc])* $name,)*
        }

        impl Fsync {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// Their words, in the same order.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word of `appendfsync` for it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

policies! {
    /// When its write has completed; synced every second.
    #[default]
    EverySecond = "everysec",
    /// When it is synced.
    Always = "always",
    /// When its write has completed; synced when the operating system likes.
    No = "no",
}

impl Fsync {
    /// The policy of a word of `appendfsync`.
    pub fn of_word(word: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|policy| policy.word().as_bytes() == word)
    }
}

impl From<Fsync> for aof::Policy {
    fn from(fsync: Fsync) -> Self {
        match fsync {
            Fsync::Always => Self::Always,
            Fsync::EverySecond => Self::EverySecond,
            Fsync::No => Self::No,
        }
    }
}

/// The most memory that all clients together take (`maxmemory-clients`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientsMemory {
    /// So many bytes; 0: there is no limit.
    Bytes(u64),
    /// So many hundredths of `maxmemory`; no limit where that has none.
    Percent(u64),
}

impl Default for ClientsMemory {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl ClientsMemory {
    /// The limit in bytes where `maxmemory` is so much. As in Redis it leaves room enough for
    /// somebody to set another.
    pub fn most(self, memory_max: u64) -> Option<u64> {
        let most = match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => memory_max / 100 * percent,
        };
        (most > 0).then_some(most.max(CLIENTS_MEMORY_MIN))
    }
}

/// The fate of keys when memory is short (`maxmemory-policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryPolicy {
    /// They stay: writes that take memory are refused.
    #[default]
    NoEviction,
    /// The one goes that was used longest ago.
    AllKeysLru,
    /// The one goes that is used least often.
    AllKeysLfu,
    /// The one goes that was written longest ago.
    AllKeysLrm,
    /// Any one goes.
    AllKeysRandom,
    /// As `AllKeysLru`, of keys that expire.
    VolatileLru,
    /// As `AllKeysLfu`, of keys that expire.
    VolatileLfu,
    /// As `AllKeysLrm`, of keys that expire.
    VolatileLrm,
    /// As `AllKeysRandom`, of keys that expire.
    VolatileRandom,
    /// The one goes that expires first.
    VolatileTtl,
}

impl MemoryPolicy {
    /// All of them, in the order of `WORDS`.
    pub const ALL: [Self; 10] = [
        Self::VolatileLru,
        Self::VolatileLfu,
        Self::VolatileRandom,
        Self::VolatileTtl,
        Self::AllKeysLru,
        Self::AllKeysLfu,
        Self::AllKeysRandom,
        Self::NoEviction,
        Self::VolatileLrm,
        Self::AllKeysLrm,
    ];
    /// Their words: Redis's, in its order, and behind them those of later versions.
    pub const WORDS: &[&str] = &[
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "noeviction",
        "volatile-lrm",
        "allkeys-lrm",
    ];

    /// The policy of a word of `maxmemory-policy`.
    pub fn of_word(word: &[u8]) -> Option<Self> {
        let place = Self::WORDS.iter().position(|one| one.as_bytes() == word)?;
        Self::ALL.get(place).copied()
    }

    /// The word of `maxmemory-policy` for it.
    pub fn word(self) -> &'static str {
        let place = Self::ALL.iter().position(|one| *one == self);
        place.map_or("", |place| Self::WORDS[place])
    }

    /// Returns true if only keys go that expire.
    pub fn is_volatile(self) -> bool {
        matches!(
            self,
            Self::VolatileLru
                | Self::VolatileLfu
                | Self::VolatileLrm
                | Self::VolatileRandom
                | Self::VolatileTtl
        )
    }

    /// Returns true if it makes no difference which key goes.
    pub fn is_random(self) -> bool {
        matches!(self, Self::AllKeysRandom | Self::VolatileRandom)
    }
}

/// How much may wait for a client that does not read (`client-output-buffer-limit`). A client that
/// is over is closed at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Never so many bytes; 0: no limit.
    pub hard: u64,
    /// Not so many bytes for longer than `soft_s`; 0: no limit.
    pub soft: u64,
    /// In seconds.
    pub soft_s: u64,
}

/// The limits of all classes of clients that Redis knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Ordinary clients.
    pub normal: OutputLimit,
    /// Redis's replicas; remembered for those who ask.
    pub replica: OutputLimit,
    /// Clients that listen to channels.
    pub pubsub: OutputLimit,
    /// Ordinary clients, where nothing is configured: the reply of one request never takes so many
    /// bytes, and not twice as many as all data does.
    pub reply: u64,
}

impl Default for OutputLimits {
    fn default() -> Self {
        let limit = |hard, soft, soft_s| OutputLimit { hard, soft, soft_s };
        Self {
            normal: OutputLimit::default(),
            replica: limit(256 << 20, 64 << 20, 60),
            pubsub: limit(32 << 20, 8 << 20, 60),
            reply: crate::limits::REPLY_BYTES_MAX,
        }
    }
}

/// A node's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// This member's number in its group.
    pub id: NodeId,
    /// The members that formed the group together with this one; empty: it is a group of its own.
    /// Counts only where the data directory is new.
    pub founders: Vec<(NodeId, Incarnation)>,
    /// The life of this member's disk, where it is none of the founders and the data directory is
    /// new; 0: it is drawn.
    pub incarnation: Incarnation,
    /// The group that they formed.
    pub cluster: ClusterId,
    /// The seed of all that is left to chance: identities and election timeouts.
    pub seed: u64,
    /// The secret that will order the store's tables, should this member lead when its group
    /// writes for the first time. Nobody may be able to guess it.
    pub hash_seed: u128,
    /// How the store's tables are made before there is a secret: as usual, except where a
    /// simulation wants keys to collide. The same for all members.
    pub tables: Tables,
    /// True if there is a disk at all (`appendonly`).
    pub append_only: bool,
    /// When an entry counts as persisted.
    pub fsync: Fsync,
    /// By how many percent the log must have outgrown its base to be rewritten; 0: never by
    /// itself.
    pub rewrite_percentage: u32,
    /// The size below which the log is never rewritten by itself, in bytes.
    pub rewrite_min_bytes: u64,
    /// The size of a log segment, in bytes.
    pub segment_bytes: u64,
    /// An argument of this size goes past the parser, in bytes.
    pub large_argument_bytes: usize,
    /// An entry of this size is written to the log in pieces of this size, in bytes.
    pub log_piece_bytes: usize,
    /// How many bytes of entries may wait for their commit before clients that write wait too.
    pub waiting_bytes_max: usize,
    /// True if a leader answers reads without asking anybody while its lease lasts. Safe only where
    /// no clock runs off by more than a thousandth.
    pub lease_reads: bool,
    /// How old a state may be, in milliseconds, from which a follower answers the reads of clients
    /// that have said READONLY; 0: as old as it is.
    pub staleness_ms_max: u64,
    /// True if a member that does not lead carries its clients' requests to the one that does.
    pub follower_proxy: bool,
    /// How many bytes of applied entries are kept in memory for members that lag.
    pub retained_bytes: usize,
    /// The most bytes of entries in one frame to a member; one entry may be larger.
    pub append_bytes: usize,
    /// The most bytes of one piece of a state that is sent to a member.
    pub chunk_bytes: usize,
    /// Bounds that no option sets.
    pub bounds: Bounds,
    /// How much work one turn does for one client before others have theirs: requests, and bytes by
    /// `node::turn`'s measure.
    pub client_work: usize,
    /// How much work one turn does for all clients.
    pub turn_work: usize,
    /// The password of the default user; empty: none is asked for.
    pub requirepass: Vec<u8>,
    /// How many bytes keys and values may take before writes that take more are refused; 0: no
    /// limit.
    pub memory_max: u64,
    /// After so many instructions a script is ended.
    pub script_instructions: u64,
    /// The most memory that the values of a script take, in bytes.
    pub script_memory_bytes: u64,
    /// The fate of keys then.
    pub memory_policy: MemoryPolicy,
    /// How many keys are looked at for each that goes.
    pub memory_samples: u32,
    /// The larger, the more uses it takes for a key to be counted once more.
    pub lfu_log_factor: u32,
    /// The count of a key that is not used becomes less by one in so many minutes; 0: never.
    pub lfu_decay_minutes: u32,
    /// The most memory that all clients together take before the largest are closed.
    pub clients_memory: ClientsMemory,
    /// The most clients at a time.
    pub clients_max: u32,
    /// The most clients that the driver can carry: CONFIG SET does not allow more.
    pub clients_limit: u32,
    /// How much may wait for a client that does not read.
    pub output_limits: OutputLimits,
    /// The most bytes of unfinished requests of one client.
    pub query_buffer_max: usize,
    /// How long a client may be silent, in seconds; 0: for ever.
    pub timeout_s: u64,
    /// From how many microseconds on a request is slow; below zero: never.
    pub slowlog_slower_than_us: i64,
    /// How many slow requests SLOWLOG keeps.
    pub slowlog_entries_max: usize,
    /// From how many milliseconds on LATENCY keeps what took so long; 0: nothing.
    pub latency_least_ms: u64,
    /// Count how long the calls of each command take.
    pub latency_tracking: bool,
    /// The percentiles of that which INFO shows, as CONFIG GET does.
    pub latency_percentiles: Vec<u8>,
    /// The borders at which OBJECT ENCODING names another encoding.
    pub borders: Borders,
    /// How many keys of clients that track are known at most; 0: as many as there are.
    pub tracked_keys_max: usize,
    /// The keyspace events that clients of this member can listen to.
    pub events: Classes,
    /// Refuse clients from elsewhere while there is no password.
    pub protected_mode: bool,
    /// True if DEBUG is allowed.
    pub debug_command: bool,
    /// Commands that clients do not have (`rename-command NAME ""`), in small letters, with blanks
    /// between them.
    pub taken_away: Vec<u8>,
    /// Directives that have no field here.
    pub remembered: Remembered,
    /// The facts that INFO gives of the process; empty in a simulation.
    pub process: Process,
    /// The versions of entries that it can apply, the oldest and the newest: as the code has them,
    /// except where a simulation wants others.
    pub entry_versions: (u8, u8),
    /// True if the node keeps a record of the order in which it does things, for a judge.
    pub witness: bool,
}

impl Config {
    /// How the store's tables are made that this secret orders.
    fn tables(&self, seed: Option<u128>) -> Tables {
        Tables {
            seed,
            ..self.tables
        }
    }

    /// An empty store whose tables this secret orders.
    pub(super) fn store(&self, seed: Option<u128>) -> Store {
        let mut store = Store::new(self.tables(seed));
        store.set_borders(self.borders);
        store.set_tracking(self.tracking());
        store
    }

    /// The notes on the uses of keys that the policy asks for.
    pub(super) fn tracking(&self) -> Tracking {
        match self.memory_policy {
            MemoryPolicy::AllKeysLru | MemoryPolicy::VolatileLru => Tracking::Uses,
            MemoryPolicy::AllKeysLrm | MemoryPolicy::VolatileLrm => Tracking::Writes,
            MemoryPolicy::AllKeysLfu | MemoryPolicy::VolatileLfu => Tracking::Frequency {
                log_factor: self.lfu_log_factor,
                decay_minutes: self.lfu_decay_minutes,
            },
            MemoryPolicy::NoEviction
            | MemoryPolicy::AllKeysRandom
            | MemoryPolicy::VolatileRandom
            | MemoryPolicy::VolatileTtl => Tracking::Nothing,
        }
    }
}

/// The facts that a driver knows of the process in which the node runs.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// The TCP port.
    pub port: u16,
    /// The TCP port for other members; 0: there is none.
    pub cluster_port: u16,
    /// It has voted in its group in an earlier life.
    pub has_voted: bool,
    /// It has been removed from its group in an earlier life.
    pub was_removed: bool,
    /// The process's number.
    pub pid: u32,
    /// The operating system and machine.
    pub os: String,
    /// The program's path.
    pub executable: String,
    /// The configuration file, where there is one.
    pub config_file: String,
    /// The data directory.
    pub dir: String,
    /// The addresses that it listens on, with spaces between them.
    pub bind: String,
    /// A number drawn for this run, 40 hexadecimal digits.
    pub run_id: String,
}

impl Config {
    /// Returns true if clients do not have this command.
    pub(super) fn takes_away(&self, name: &str) -> bool {
        let mut all = self.taken_away.split(|byte| *byte == b' ');
        !self.taken_away.is_empty() && all.any(|taken| taken == name.as_bytes())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            id: NodeId(1),
            founders: Vec::new(),
            incarnation: Incarnation(0),
            cluster: ClusterId(0),
            seed: 0,
            hash_seed: 0,
            tables: Tables::new(None),
            append_only: true,
            fsync: Fsync::default(),
            rewrite_percentage: 100,
            rewrite_min_bytes: 64 << 20,
            segment_bytes: crate::limits::SEGMENT_BYTES,
            large_argument_bytes: crate::limits::LARGE_ARGUMENT_BYTES,
            log_piece_bytes: crate::limits::LOG_PIECE_BYTES,
            waiting_bytes_max: crate::limits::WAITING_BYTES_MAX,
            lease_reads: false,
            staleness_ms_max: 0,
            follower_proxy: false,
            retained_bytes: 64 << 20,
            append_bytes: 1 << 20,
            chunk_bytes: 512 << 10,
            bounds: Bounds::default(),
            client_work: crate::limits::CLIENT_WORK,
            turn_work: crate::limits::TURN_WORK,
            requirepass: Vec::new(),
            memory_max: 0,
            script_instructions: 50_000_000,
            script_memory_bytes: 64 << 20,
            memory_policy: MemoryPolicy::default(),
            memory_samples: 5,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            clients_memory: ClientsMemory::default(),
            clients_max: 10_000,
            clients_limit: u32::MAX,
            output_limits: OutputLimits::default(),
            query_buffer_max: crate::limits::QUERY_BUFFER_BYTES_MAX,
            timeout_s: 0,
            slowlog_slower_than_us: 10_000,
            slowlog_entries_max: 128,
            latency_least_ms: 0,
            latency_tracking: true,
            latency_percentiles: b"50 99 99.9".to_vec(),
            borders: Borders::default(),
            tracked_keys_max: 1_000_000,
            events: Classes::default(),
            protected_mode: true,
            debug_command: false,
            taken_away: Vec::new(),
            remembered: Remembered::default(),
            process: Process::default(),
            entry_versions: ENTRY_VERSIONS,
            witness: false,
        }
    }
}
