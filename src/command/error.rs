//! Every error that a command can answer, in Redis's words.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use crate::store::WrongType;

/// Why a command has no other answer. The state is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The answer depends on whether a key's time has come in replicated time: ask again when that
    /// has advanced.
    Due,
    /// The command is not at its end: it is called again, and `Pace` says where it goes on.
    Unfinished,
    /// There is nothing to take. The reply for a client that cannot wait is written.
    Nothing,
    /// An error reply; the text starts with its code. Words of clients stand in it as they are.
    Reply(Cow<'static, [u8]>),
}

/// The result of a command function; its reply has been written.
pub type Outcome = Result<(), Error>;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Error {
            $($(#[$doc])* pub const $name: Self = Self::Reply(Cow::Borrowed($text.as_bytes()));)*
        }
    };
}

errors! {
    /// There is no leader to write to.
    CLUSTER_DOWN = "CLUSTERDOWN The cluster is down";
    /// A write was under way when this member ceased to lead.
    UNCERTAIN = "UNCERTAIN the write may have been applied: this member no longer leads";
    /// A client that will send nothing more has waited long enough for a change of membership.
    CHANGE_GOES_ON = "UNCERTAIN the change is under way and may still be made: see RAFT NODES";
    /// The same of a transfer of the leadership.
    TRANSFER_GOES_ON = "UNCERTAIN the leadership may still be transferred: see RAFT INFO";
    /// A wait ends because this member no longer leads.
    UNBLOCKED = "UNBLOCKED force unblock from blocking operation, instance state changed \
        (master -> replica?)";
    /// A wait ends because another client has asked for that.
    UNBLOCKED_BY_CLIENT = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
    /// CLIENT UNBLOCK for a reason that there is not.
    UNBLOCK_REASON = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
    /// CLIENT TRACKING with two clients that are to hear in its place.
    REDIRECT_TWICE = "ERR A client can only redirect to a single other client";
    /// CLIENT TRACKING with one that is not there.
    REDIRECT_NOBODY = "ERR The client ID you want redirect to does not exist";
    /// CLIENT TRACKING with PREFIX and without BCAST.
    PREFIX_WITHOUT_BROADCAST = "ERR PREFIX option requires BCAST mode to be enabled";
    /// CLIENT TRACKING of one that tracks otherwise.
    BROADCAST_SWITCHED = "ERR You can't switch BCAST mode on/off before disabling tracking for \
        this client, and then re-enabling it with a different mode.";
    /// CLIENT TRACKING with OPTIN or OPTOUT, and BCAST.
    OPT_BROADCAST = "ERR OPTIN and OPTOUT are not compatible with BCAST";
    /// CLIENT TRACKING with OPTIN and OPTOUT.
    OPT_BOTH = "ERR You can't specify both OPTIN mode and OPTOUT mode";
    /// CLIENT TRACKING with the other of the two.
    OPT_SWITCHED = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this \
        client, and then re-enabling it with a different mode.";
    /// CLIENT TRACKING with more prefixes than one client may have.
    TOO_MANY_PREFIXES = "ERR too many prefixes: one client has 1024 at most, of 64 KB";
    /// CLIENT CACHING of one that is not asked.
    CACHING_UNTRACKED = "ERR CLIENT CACHING can be called only when the client is in tracking mode \
        with OPTIN or OPTOUT mode enabled";
    /// CLIENT CACHING YES without OPTIN.
    CACHING_YES = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
    /// CLIENT CACHING NO without OPTOUT.
    CACHING_NO = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
    /// CLIENT PAUSE of something else than there is.
    PAUSE_MODE = "ERR CLIENT PAUSE mode must be WRITE or ALL";
    /// The arguments do not fit the command's grammar.
    SYNTAX = "ERR syntax error";
    /// The key holds another type.
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    /// More keys are announced than there are arguments.
    MORE_KEYS_THAN_ARGUMENTS = "ERR Number of keys can't be greater than number of args";
    /// An argument is not an integer.
    NOT_AN_INTEGER = "ERR value is not an integer or out of range";
    /// An argument is not a number.
    NOT_A_FLOAT = "ERR value is not a valid float";
    /// A hash field does not hold an integer.
    HASH_NOT_AN_INTEGER = "ERR hash value is not an integer";
    /// A hash field does not hold a number.
    HASH_NOT_A_FLOAT = "ERR hash value is not a float";
    /// A sum leaves 64 bits.
    OVERFLOW = "ERR increment or decrement would overflow";
    /// DECRBY of the smallest integer.
    DECREMENT_OVERFLOW = "ERR decrement would overflow";
    /// A sum is not a number that can be kept.
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    /// An increment of a hash field that no sum can take.
    INFINITE = "ERR value is NaN or Infinity";
    /// There is no such key.
    NO_SUCH_KEY = "ERR no such key";
    /// An index at which a list has no item.
    INDEX_OUT_OF_RANGE = "ERR index out of range";
    /// A number of keys that is none.
    KEYS_NOT_POSITIVE = "ERR numkeys should be greater than 0";
    /// A number of items that is none.
    COUNT_NOT_POSITIVE = "ERR count should be greater than 0";
    /// LPOS of the match before the first.
    RANK_ZERO = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second \
        ... or use negative to start from the end of the list";
    /// LPOS with a number of matches that cannot be.
    COUNT_NEGATIVE = "ERR COUNT can't be negative";
    /// LPOS with a number of items that cannot be.
    MAXLEN_NEGATIVE = "ERR MAXLEN can't be negative";
    /// ZADD of members that are there and are not.
    XX_AND_NX = "ERR XX and NX options at the same time are not compatible";
    /// ZADD with conditions of which one excludes the other.
    GT_LT_AND_NX = "ERR GT, LT, and/or NX options at the same time are not compatible";
    /// ZADD INCR of more than one member.
    INCR_OF_MANY = "ERR INCR option supports a single increment-element pair";
    /// Infinities of both signs were added.
    SCORE_NOT_A_NUMBER = "ERR resulting score is not a number (NaN)";
    /// A score that bounds a range and is none.
    BOUND_NOT_A_FLOAT = "ERR min or max is not a float";
    /// A member that bounds a range and does not say whether it is in it.
    BOUND_NOT_A_MEMBER = "ERR min or max not valid string range item";
    /// LIMIT of a range of ranks.
    LIMIT_OF_RANKS = "ERR syntax error, LIMIT is only supported in combination with either \
        BYSCORE or BYLEX";
    /// WITHSCORES of a range of members.
    SCORES_BY_LEX = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
    /// A weight that is not a number.
    WEIGHT_NOT_A_FLOAT = "ERR weight value is not a float";
    /// A limit that cannot be.
    LIMIT_NEGATIVE = "ERR LIMIT can't be negative";
    /// An offset before the start.
    OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
    /// SORT by what is no number.
    SCORES_NOT_FLOATS = "ERR One or more scores can't be converted into double";
    /// A string would be longer than `proto-max-bulk-len`.
    STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    /// A place of a bit that no string can have.
    BIT_OFFSET = "ERR bit offset is not an integer or out of range";
    /// SETBIT to what is no bit.
    NOT_A_BIT = "ERR bit is not an integer or out of range";
    /// BITPOS of what is no bit.
    BIT_WANTED = "ERR The bit argument must be 1 or 0.";
    /// BITOP NOT of several strings.
    NOT_OF_MANY = "ERR BITOP NOT must be called with a single source key.";
    /// BITFIELD with a width that cannot be.
    FIELD_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not \
        supported but i64 is.";
    /// BITFIELD with a way to overflow that there is not.
    OVERFLOW_TYPE = "ERR Invalid OVERFLOW type specified";
    /// BITFIELD_RO that would write.
    FIELD_READ_ONLY = "ERR BITFIELD_RO only supports the GET subcommand";
    /// A unit of length that there is not.
    UNIT = "ERR unsupported unit provided. please use M, KM, FT, MI";
    /// A center at a member that is not there.
    MEMBER_WITHOUT_PLACE = "ERR could not decode requested zset member";
    /// A radius that is none.
    RADIUS_NOT_A_FLOAT = "ERR need numeric radius";
    /// A radius below zero.
    RADIUS_NEGATIVE = "ERR radius cannot be negative";
    /// A width that is none.
    WIDTH_NOT_A_FLOAT = "ERR need numeric width";
    /// A height that is none.
    HEIGHT_NOT_A_FLOAT = "ERR need numeric height";
    /// A box that is less than nothing.
    BOX_NEGATIVE = "ERR height or width cannot be negative";
    /// A search for no members.
    GEO_COUNT = "ERR COUNT must be > 0";
    /// A search for any members, and be it all.
    ANY_WITHOUT_COUNT = "ERR the ANY argument requires COUNT argument";
    /// GEOSEARCHSTORE that shall show what it stores.
    SEARCH_STORES_MEMBERS = "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and \
        WITHCOORD options";
    /// GEORADIUS STORE that shall show what it stores.
    RADIUS_STORES_MEMBERS = "ERR STORE option in GEORADIUS is not compatible with WITHDIST, \
        WITHHASH and WITHCOORD options";
    /// A string that is no HyperLogLog.
    NO_SKETCH = "WRONGTYPE Key is not a valid HyperLogLog string value.";
    /// A HyperLogLog whose registers are not there once each.
    SKETCH_CORRUPTED = "INVALIDOBJ Corrupted HLL object detected";
    /// PFDEBUG of nothing.
    NO_SKETCH_AT_KEY = "ERR The specified key does not exist";
    /// PFDEBUG DECODE of registers that are kept in full.
    SKETCH_NOT_SPARSE = "ERR HLL encoding is not sparse";
    /// PFSELFTEST finds that both forms tell something else.
    SKETCH_FORMS_DISAGREE = "ERR TESTFAILED dense/sparse disagree";
    /// PFSELFTEST finds that both are wrong.
    SKETCH_ERROR = "ERR TESTFAILED Too big error.";
    /// LCS of keys that hold another type.
    LCS_NOT_STRINGS = "ERR The specified keys must contain string values";
    /// LCS with two shapes of answer.
    LCS_LEN_AND_IDX = "ERR If you want both the length and indexes, please just use IDX.";
    /// LCS of strings that are too long to be compared.
    LCS_TOO_LARGE = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
    /// A SCAN cursor that is not a number.
    INVALID_CURSOR = "ERR invalid cursor";
    /// SELECT of a database that does not exist.
    DB_OUT_OF_RANGE = "ERR DB index is out of range";
    /// An index that is no database at all.
    INVALID_DB_INDEX = "ERR invalid DB index";
    /// COPY onto itself.
    SAME_OBJECT = "ERR source and destination objects are the same";
    /// An argument that must not be negative.
    OUT_OF_RANGE = "ERR value is out of range";
    /// An argument that must be positive.
    MUST_BE_POSITIVE = "ERR value is out of range, must be positive";
    /// The client has not authenticated.
    NO_AUTH = "NOAUTH Authentication required.";
    /// A transaction with a request that could not be queued.
    EXEC_ABORT = "EXECABORT Transaction discarded because of previous errors.";
    /// EXEC without MULTI.
    EXEC_WITHOUT_MULTI = "ERR EXEC without MULTI";
    /// DISCARD without MULTI.
    DISCARD_WITHOUT_MULTI = "ERR DISCARD without MULTI";
    /// MULTI in MULTI.
    NESTED_MULTI = "ERR MULTI calls can not be nested";
    /// WATCH in MULTI.
    WATCH_IN_MULTI = "ERR WATCH inside MULTI is not allowed";
    /// WATCH of more keys than one client may watch.
    TOO_MANY_WATCHED = "ERR too many watched keys: one client watches 16384 at most";
    /// BLPOP and its kin beyond the bound.
    TOO_MANY_AWAITED = "ERR too many keys: one client waits for 16384 at most";
    /// SUBSCRIBE and its kin beyond the bound.
    TOO_MANY_SUBSCRIPTIONS = "ERR too many subscriptions: one client has 16384 at most, with names \
        of 16 MB";
    /// RESTORE of a key that exists.
    BUSY_KEY = "BUSYKEY Target key name already exists.";
    /// RESTORE with a time below zero.
    TTL_NEGATIVE = "ERR Invalid TTL value, must be >= 0";
    /// And with one since the last use.
    IDLE_TIME_NEGATIVE = "ERR Invalid IDLETIME value, must be >= 0";
    /// And with a number of uses that there is not.
    FREQUENCY_OUT_OF_RANGE = "ERR Invalid FREQ value, must be >= 0 and <= 255";
    /// A payload of a later version, or that has lost something.
    WRONG_PAYLOAD = "ERR DUMP payload version or checksum are wrong";
    /// A payload that holds no value of a type that is known.
    BAD_PAYLOAD = "ERR Bad data format";
    /// MONITOR beyond the bound.
    TOO_MANY_MONITORS = "ERR too many clients are shown all requests: 64 at most";
    /// A request about keys, of a client that is shown all requests.
    ONLY_MONITORS = "ERR Replica can't interact with the keyspace";
    /// MONITOR in a transaction.
    MONITOR_IN_TRANSACTION = "ERR MONITOR isn't allowed for DENY BLOCKING client";
    /// Shard channels of several slots.
    CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";
    /// HELLO with a version that nobody speaks.
    NO_PROTO = "NOPROTO unsupported protocol version";
    /// A timeout that is not an integer.
    TIMEOUT_NOT_AN_INTEGER = "ERR timeout is not an integer or out of range";
    /// A timeout that is not a number.
    TIMEOUT_NOT_A_FLOAT = "ERR timeout is not a float or out of range";
    /// A timeout that ends when no clock goes any more.
    TIMEOUT_OUT_OF_RANGE = "ERR timeout is out of range";
    /// A timeout below zero.
    TIMEOUT_NEGATIVE = "ERR timeout is negative";
    /// AUTH where there is no password.
    AUTH_WITHOUT_PASSWORD = "ERR AUTH <password> called without any password configured for the \
        default user. Are you sure your configuration is correct?";
    /// AUTH with a wrong user or password.
    WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled.";
    /// HELLO before AUTH.
    HELLO_NO_AUTH = "NOAUTH HELLO must be called with the client already authenticated, otherwise \
        the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
        select the RESP protocol version at the same time";
    /// HELLO with a version that is not a number.
    PROTOCOL_NOT_AN_INTEGER = "ERR Protocol version is not an integer or out of range";
    /// A client's name that would spoil CLIENT LIST.
    INVALID_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";
    /// A verb that a transaction cannot hold.
    NOT_IN_TRANSACTION = "ERR Command not allowed inside a transaction";
    /// EXEC of a transaction that takes memory when there is none.
    EXEC_OUT_OF_MEMORY = "EXECABORT Transaction discarded because of: OOM command not allowed when \
        used memory > 'maxmemory'.";
    /// MULTI has queued too much.
    TRANSACTION_TOO_LARGE = "ERR the transaction is too large: it may queue commands of 1 GB";
    /// A command that takes memory when `maxmemory` is reached.
    OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
    /// The log is being recovered.
    LOADING = "LOADING Redis is loading the dataset in memory";
    /// SLOWLOG GET with a count that is none.
    SLOWLOG_COUNT = "ERR count should be greater than or equal to -1";
    /// EXPIRE with NX and another condition.
    EXPIRE_NX_CONFLICT = "ERR NX and XX, GT or LT options at the same time are not compatible";
    /// EXPIRE with GT and LT.
    EXPIRE_GT_LT_CONFLICT = "ERR GT and LT options at the same time are not compatible";
    /// OBJECT IDLETIME where accesses are counted instead.
    NO_IDLE_TIME_OF_LFU = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please \
        note that when switching between policies at runtime LRU and LFU data will take some time \
        to adjust.";
    /// OBJECT FREQ where nothing counts accesses.
    NO_ACCESS_FREQUENCY = "ERR An LFU maxmemory policy is not selected, access frequency not \
        tracked. Please note that when switching between policies at runtime LRU and LFU data will \
        take some time to adjust.";
    /// OBJECT IDLETIME where nothing notes accesses.
    NO_IDLE_TIME = "ERR idle time not tracked: select an LRU maxmemory policy for that";
    /// COMMAND GETKEYS of a command that does not exist.
    INVALID_COMMAND = "ERR Invalid command specified";
    /// COMMAND GETKEYS of a command without keys.
    NO_KEY_ARGUMENTS = "ERR The command has no key arguments";
    /// COMMAND GETKEYS of a request whose keys cannot be told.
    INVALID_ARGUMENTS = "ERR Invalid arguments specified for command";
    /// COMMAND GETKEYS of a request with too few or too many arguments.
    INVALID_ARGUMENT_COUNT = "ERR Invalid number of arguments specified for command";
    /// FUNCTION FLUSH with a word that is neither ASYNC nor SYNC.
    FUNCTION_FLUSH_OPTION = "ERR FUNCTION FLUSH only supports SYNC|ASYNC option";
    /// EVALSHA of a script that is not kept.
    NO_SCRIPT = "NOSCRIPT No matching script. Please use EVAL.";
    /// SCRIPT FLUSH with a word that is neither ASYNC nor SYNC.
    SCRIPT_FLUSH_OPTION = "ERR SCRIPT FLUSH only support SYNC|ASYNC option";
    /// A script that is longer than one may be.
    SCRIPT_TOO_LONG = "ERR a script may have at most 1048576 bytes";
    /// SCRIPT LOAD where no more scripts are kept.
    TOO_MANY_SCRIPTS = "ERR too many scripts are loaded: SCRIPT FLUSH removes all of them";
    /// A script with a negative number of keys.
    NEGATIVE_KEYS = "ERR Number of keys can't be negative";
    /// A library without a first line that says what it is.
    NO_LIBRARY_METADATA = "ERR Missing library metadata";
    /// A library whose first line cannot be read.
    BAD_LIBRARY_METADATA = "ERR Invalid library metadata";
    /// A library with two names.
    LIBRARY_NAMED_TWICE = "ERR Invalid metadata value, name argument was given multiple times";
    /// A library without a name.
    LIBRARY_NOT_NAMED = "ERR Library name was not given";
    /// A library with a name that none may have.
    LIBRARY_NAME = "ERR Library names can only contain letters, numbers, or underscores(_) and \
        must be at least one character long";
    /// A library that registers nothing.
    NO_FUNCTIONS = "ERR No functions registered";
    /// FUNCTION LOAD where no more libraries are kept.
    TOO_MANY_LIBRARIES = "ERR too many libraries are loaded: FUNCTION DELETE removes one";
    /// FUNCTION DELETE of a library that is not there.
    LIBRARY_NOT_FOUND = "ERR Library not found";
    /// FCALL of a function that is not there.
    FUNCTION_NOT_FOUND = "ERR Function not found";
    /// FCALL with a number of keys that is none.
    BAD_NUMBER_OF_KEYS = "ERR Bad number of keys provided";
    /// A script or function that may write, called by a command that only reads.
    WRITES_IN_READ_ONLY_CALL = "ERR Can not execute a script with write flag using *_ro command.";
    /// SCRIPT DEBUG that asks for a debugger.
    NO_SCRIPT_DEBUGGER = "ERR scripts cannot be debugged here: use redis.log, or a Redis server";
    /// SCRIPT DEBUG with another mode than there is.
    SCRIPT_DEBUG_MODE = "ERR Use SCRIPT DEBUG YES/SYNC/NO";
    /// One that is not declared to run without memory, where there is none left.
    OUT_OF_MEMORY_FOR_SCRIPT = "OOM allow-oom flag is not set on the script, can not run it when \
        used memory > 'maxmemory'";
    /// FUNCTION RESTORE with another policy than there is.
    RESTORE_POLICY = "ERR Wrong restore policy given, value should be either FLUSH, APPEND or \
        REPLACE.";
    /// FUNCTION RESTORE of something else than functions.
    NO_FUNCTION_PAYLOAD = "ERR given type is not a function";
    /// FUNCTION RESTORE of a library that cannot be read.
    BAD_LIBRARY_PAYLOAD = "ERR Failed loading library payload";
    /// SCRIPT KILL while a function runs.
    FUNCTION_RUNS = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or \
        SHUTDOWN NOSAVE.";
    /// FUNCTION KILL while a script runs.
    SCRIPT_RUNS = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or \
        SHUTDOWN NOSAVE.";
    /// SCRIPT KILL while no script runs.
    NOT_BUSY = "NOTBUSY No scripts in execution right now.";
    /// SCRIPT KILL of a script of the log.
    UNKILLABLE = "UNKILLABLE Sorry the script may write, and every member runs it to its end. \
        Its budget of instructions ends it: see script-max-instructions.";
    /// A script whose reply takes more memory than its values may.
    SCRIPT_REPLY_TOO_LONG = "ERR the reply of the script is too long: see script-max-memory";
    /// A script calls a command that there is not.
    UNKNOWN_FROM_SCRIPT = "ERR Unknown Redis command called from script";
    /// A script calls a command with a number of arguments that it does not take.
    ARITY_FROM_SCRIPT = "ERR Wrong number of args calling Redis command from script";
    /// A script calls a command that scripts may not call.
    NOT_FROM_SCRIPT = "ERR This Redis command is not allowed from script";
    /// A script that only reads calls a command that writes.
    WRITE_FROM_READ_ONLY_SCRIPT = "ERR Write commands are not allowed from read-only scripts.";
    /// A shebang that is not one.
    SHEBANG = "ERR Invalid script shebang";
    /// FUNCTION LIST LIBRARYNAME without a name.
    LIBRARY_NAME_MISSING = "ERR library name argument was not given";
}

impl Error {
    /// An error with a text of its own; it starts with the error's code.
    pub fn text(text: String) -> Self {
        Self::Reply(Cow::Owned(text.into_bytes()))
    }

    /// The same, of parts that may be any bytes.
    pub fn of(parts: &[&[u8]]) -> Self {
        Self::Reply(Cow::Owned(parts.concat()))
    }

    /// A write while the log cannot grow, for what the operating system says.
    pub fn log_refuses(why: &str) -> Self {
        Self::text(format!("MISCONF Errors writing to the AOF file: {why}"))
    }

    /// A write that was handed to a log which has found no room for it for long, for what the
    /// operating system says.
    pub fn log_finds_no_room(why: &str) -> Self {
        Self::text(format!(
            "UNCERTAIN the write may still be made: the log has found no room for it yet: {why}"
        ))
    }

    /// The same where it is EXEC that is refused.
    #[must_use]
    pub fn aborts_exec(&self) -> Self {
        let Self::Reply(text) = self else {
            return self.clone();
        };
        let why = text.strip_prefix(b"ERR ").unwrap_or(text);
        Self::of(&[b"EXECABORT Transaction discarded because of: ", why])
    }

    /// A command of a client of RESP2 that listens to channels: its reply could be taken for a
    /// message.
    pub fn only_listens(name: &str) -> Self {
        Self::text(format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
             RESET are allowed in this context"
        ))
    }

    /// A number of arguments that the command does not take.
    pub fn arity(name: &str) -> Self {
        Self::text(format!(
            "ERR wrong number of arguments for '{name}' command"
        ))
    }

    /// A combination of no sets.
    pub fn no_input_key(name: &str) -> Self {
        Self::text(format!(
            "ERR at least 1 input key is needed for '{name}' command"
        ))
    }

    /// A time to live that cannot be.
    pub fn invalid_expire(name: &str) -> Self {
        Self::text(format!("ERR invalid expire time in '{name}' command"))
    }

    /// A subcommand that the container does not have. `container` is spelled in capitals.
    pub fn unknown_subcommand(container: &str, given: &[u8]) -> Self {
        let given = &given[..given.len().min(128)];
        let container = container.as_bytes();
        Self::of(&[
            b"ERR unknown subcommand '",
            given,
            b"'. Try ",
            container,
            b" HELP.",
        ])
    }

    /// An integer outside of the range that the command takes.
    pub fn out_of_range(min: i64, max: i64) -> Self {
        Self::text(format!(
            "ERR value is out of range, value must between {min} and {max}"
        ))
    }

    /// A subcommand with arguments that it does not take. `container` is spelled in capitals.
    pub fn subcommand_syntax(container: &str, given: &[u8]) -> Self {
        let given = &given[..given.len().min(128)];
        let text = b"ERR unknown subcommand or wrong number of arguments for '";
        Self::of(&[text, given, b"'. Try ", container.as_bytes(), b" HELP."])
    }
}

impl From<WrongType> for Error {
    fn from(_: WrongType) -> Self {
        Self::WRONG_TYPE
    }
}
