//! The bounds on everything that a client, a peer or a file can make large, and on the work of one
//! turn.

use core::time::Duration;

/// Databases that SELECT knows.
pub const DATABASES: u32 = 16;
/// The tables of a store: those of the databases, that of scripts which were loaded, that of
/// scripts which were only run, that of libraries, and that of their functions.
pub const TABLES: u32 = DATABASES + 4;
/// The longest text of a script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 1 << 20;
/// The most scripts that are kept because they were loaded.
pub const LOADED_SCRIPTS_MAX: u64 = 8192;
/// The most scripts that are kept because they were run: of more the oldest goes.
pub const RUN_SCRIPTS_MAX: u64 = 500;
/// The most libraries of functions.
pub const LIBRARIES_MAX: u64 = 1024;
/// The most functions of one library.
pub const LIBRARY_FUNCTIONS_MAX: usize = 1024;
/// After so many instructions a library that is being loaded is ended. The state depends on it.
pub const LIBRARY_INSTRUCTIONS_MAX: u64 = 5_000_000;
/// The most memory that a library takes while it is loaded, in bytes. The state depends on it.
pub const LIBRARY_MEMORY_BYTES: u64 = 16 << 20;

/// The longest bulk string of a request, in bytes (`proto-max-bulk-len`).
pub const BULK_BYTES_MAX: u64 = 512 << 20;
/// The most bytes that a client brings in one input, which the driver reads at a time: a value of
/// 64 KiB comes in one piece.
pub const INPUT_BYTES_MAX: usize = 68 << 10;
/// An argument of so many bytes is not copied any more once it has come: it goes past the parser to
/// where it stays.
pub const LARGE_ARGUMENT_BYTES: usize = 256 << 10;
/// The most arguments of one request.
pub const ARGUMENTS_MAX: u64 = 1 << 20;
/// The longest inline request, and the longest line of a header, in bytes.
pub const INLINE_BYTES_MAX: usize = 64 << 10;
/// The most bytes of unfinished requests held for one client, where nothing else is configured
/// (`client-query-buffer-limit`).
pub const QUERY_BUFFER_BYTES_MAX: usize = 1 << 30;
/// The least that this may be set to, and the most that is held before the client has
/// authenticated, in bytes.
pub const QUERY_BUFFER_BYTES_MIN: usize = 1 << 20;
/// The least that `maxmemory-clients` means, in bytes.
pub const CLIENTS_MEMORY_MIN: u64 = 128 << 10;
/// The deepest nesting of a value that the RESP decoder follows.
pub const NESTING_MAX: usize = 32;
/// The most arguments of one request before the client has authenticated.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: u64 = 10;
/// The longest bulk string before the client has authenticated, in bytes.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: u64 = 16 << 10;
/// The most bytes of replies that a client may leave unread for a moment, and the most for longer
/// than a second, before it has authenticated.
pub const UNAUTHENTICATED_OUTPUT_BYTES_MAX: u64 = 16 << 10;
/// See above.
pub const UNAUTHENTICATED_UNREAD_BYTES_MAX: u64 = 1 << 10;
/// The most bytes of one reply, where there is no `client-output-buffer-limit` and the data does
/// not take half as many: a request may ask for the same value a million times.
pub const REPLY_BYTES_MAX: u64 = 1 << 30;
/// How long a client may take to authenticate.
pub const UNAUTHENTICATED_TIME_MAX: Duration = Duration::from_mins(1);
/// How long a client that is closing may take nothing of what it is owed.
pub const LINGER: Duration = Duration::from_secs(5);
/// The least that it must take in that time to be given as much again, in bytes.
pub const LINGER_BYTES_MIN: usize = 64 << 10;

/// The most keys that one client watches. Redis has no bound, and takes time that grows with the
/// square of the number; here each costs a few microseconds, in one turn.
pub const WATCHED_KEYS_MAX: usize = 16_384;

/// The most keys that one client waits for. Redis has no bound; here each costs about a
/// microsecond, in one turn.
pub const AWAITED_KEYS_MAX: usize = 16_384;

/// The most clients that MONITOR shows all requests. Redis has no bound; here each of them is work
/// for each request of the others.
pub const MONITORS_MAX: usize = 64;

/// The most channels and patterns that one client subscribes to. Redis has no bound; here each
/// costs about a microsecond, in one turn.
pub const SUBSCRIPTIONS_MAX: usize = 16_384;
/// The most bytes of their names.
pub const SUBSCRIPTION_BYTES_MAX: usize = 16 << 20;

/// The most prefixes of which one client hears by CLIENT TRACKING, with each of which each key that
/// is written is compared.
pub const PREFIXES_MAX: usize = 1024;
/// The most bytes of their names.
pub const PREFIX_BYTES_MAX: usize = 64 << 10;
/// The most bytes of keys that are known to be kept by clients, and of who keeps them.
pub const TRACKED_BYTES_MAX: usize = 256 << 20;

/// The most bytes of messages that one turn tells other members, that wait for one of them, and
/// that have come from them and are not with all their subscribers here. The rest is dropped.
pub const TOLD_BYTES_MAX: usize = 16 << 20;

/// The work of waking a client that has waited, which takes a write to a socket of its own.
pub const WAKE_WORK: usize = 16;

/// The most that SLOWLOG keeps, in bytes, however many entries it may have.
pub const SLOWLOG_BYTES_MAX: usize = 64 << 20;

/// So many bytes, copied a few times on their way, cost about as much as a small request.
pub const BYTES_PER_WORK: usize = 256;
/// How much work one turn does for one client: so many small requests, or fewer that are large.
pub const CLIENT_WORK: usize = 384;
/// How much work one turn does for all clients, and how much of what is committed it applies.
pub const TURN_WORK: usize = 8192;
/// How many bytes of entries may wait for their commit before clients that write wait too.
pub const WAITING_BYTES_MAX: usize = 64 << 20;
/// The most payload of one entry, in bytes; what comes on top opens the next entry. One command may
/// be larger.
pub const ENTRY_BYTES_SOFT_MAX: usize = 1 << 20;
/// The most bytes of commands that MULTI may queue.
pub const TRANSACTION_BYTES_MAX: usize = 1 << 30;
/// The size of a new log segment, in bytes.
pub const SEGMENT_BYTES: u64 = 32 << 20;
/// An entry of so many bytes is written to the log in pieces of that size, which share its memory.
pub const LOG_PIECE_BYTES: usize = 1 << 20;
/// The most bytes that recovery asks for in one read.
pub const READ_BYTES: u32 = 1 << 20;
/// The most bytes of one frame of a member that carries entries or states: one entry, which holds a
/// transaction and one command more, or one command alone, as large as a client may make them.
pub const PEER_FRAME_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + QUERY_BUFFER_BYTES_MAX + (16 << 20);
/// The most bytes of any other frame of a member.
pub const PEER_CONTROL_FRAME_BYTES_MAX: usize = 64 << 10;
/// The most other processes that a member keeps in mind: members, some that were, some that may
/// become some.
pub const PEERS_KNOWN_MAX: usize = 128;

/// How many configuration files may include one another.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// How many configuration files may be read in all.
pub const INCLUDED_FILES_MAX: usize = 256;

/// The largest configuration file, in bytes.
pub const CONFIG_FILE_BYTES_MAX: u64 = 16 << 20;

/// So many keys are read ahead at once: a processor has no more reads under way.
pub const KEYS_FETCHED: usize = 16;

/// The most keys in one segment of a table: as many as a split moves.
pub const SEGMENT_KEYS_MAX: usize = 896;

/// The most blocks in a group of those of a large list; the unit tests of lists fill more groups
/// with fewer items.
pub const LIST_GROUP_BLOCKS_MAX: usize = if cfg!(test) { 6 } else { 256 };
/// The most children of a node in the tree of a large sorted set; fewer in unit tests, too.
pub const TREE_CHILDREN_MAX: usize = if cfg!(test) { 4 } else { 32 };
/// The most fields or members of a hash, set or sorted set in one run of bytes.
pub const SMALL_ITEMS_MAX: usize = 128;
/// The most bytes of a list in one run.
pub const SMALL_LIST_BYTES_MAX: usize = 512;
/// Large values that take less than this are freed at once, and count as one unit of work.
pub const FREED_AT_ONCE_BYTES: usize = 16 << 10;
/// The most segments that one call of a scan visits without finding anything.
pub const EMPTY_SEGMENTS_MAX: usize = 64;

/// Bounds on what waits, what is on its way and what one turn does. A simulation draws them: where
/// they are small, few bytes meet what happens at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many bytes of a base one turn writes at most.
    pub base_piece_bytes: usize,
    /// How many bytes of old states may wait for a base before clients that write wait too.
    pub old_state_bytes: usize,
    /// The most payload of one entry, in bytes; what comes on top opens the next entry. One command
    /// may be larger.
    pub entry_bytes: usize,
    /// The most bytes that recovery asks for in one read.
    pub read_bytes: u32,
    /// How many bytes of one client may wait behind its own unapplied writes before nothing more is
    /// read from it.
    pub parked_bytes: usize,
    /// So many bytes of replies that a client has not taken stay where they are: what comes stands
    /// elsewhere.
    pub reply_block_bytes: usize,
    /// How many clients that wait for one key are given something of it at once; the others follow.
    pub served_at_once: usize,
    /// How many clients one turn tells that what they waited for has not come or may be lost, each
    /// with a write to a socket; the others follow.
    pub told_at_once: usize,
    /// How long a client waits for a write for which the log finds no room before it is told so.
    pub room_patience: Duration,
    /// The most entries of one append.
    pub append_entries: usize,
    /// The most appends on their way to one member.
    pub in_flight_appends: usize,
    /// The most bytes of entries on their way to one member.
    pub in_flight_bytes: usize,
    /// How many bytes of entries are kept while a member is being sent a state.
    pub fed_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            base_piece_bytes: 64 << 10,
            old_state_bytes: 32 << 20,
            entry_bytes: ENTRY_BYTES_SOFT_MAX,
            read_bytes: READ_BYTES,
            parked_bytes: 1 << 20,
            reply_block_bytes: 256 << 10,
            served_at_once: 1024,
            told_at_once: 256,
            room_patience: Duration::from_secs(5),
            append_entries: 4096,
            in_flight_appends: 64,
            in_flight_bytes: 16 << 20,
            fed_bytes: 256 << 20,
        }
    }
}
