//! The directives that act, each with what it does.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::command::event::Classes;
use crate::limits;
use crate::node::config::{ClientsMemory, Fsync, MemoryPolicy, OutputLimit, OutputLimits};

use super::directive::{Access, Directive, Field, Meaning};
use super::form::Form;
use super::peculiar;

const fn acts(
    name: &'static str,
    default: &'static str,
    form: Form,
    help: &'static str,
) -> Directive {
    Directive {
        name,
        alias: "",
        default,
        form,
        access: Access::Immutable,
        meaning: Meaning::Acts,
        help,
        field: None,
    }
}

impl Directive {
    pub(super) const fn alias(self, alias: &'static str) -> Self {
        Self { alias, ..self }
    }

    const fn open(self, field: Field) -> Self {
        Self {
            access: Access::Open,
            field: Some(field),
            ..self
        }
    }

    const fn of(self, field: Field) -> Self {
        Self {
            field: Some(field),
            ..self
        }
    }

    const fn settable(self) -> Self {
        Self {
            access: Access::Open,
            ..self
        }
    }

    const fn guarded(self) -> Self {
        Self {
            access: Access::Protected,
            ..self
        }
    }

    const fn hidden(self) -> Self {
        Self {
            access: Access::Hidden,
            ..self
        }
    }
}

/// A field that is a number.
macro_rules! number {
    ($($field:ident).+) => {
        Field {
            get: |config| config.$($field).+.to_string().into_bytes(),
            set: |config, value| config.$($field).+ = parsed(value),
        }
    };
}

/// A field that is yes or no.
macro_rules! switch {
    ($field:ident) => {
        Field {
            get: |config| {
                if config.$field {
                    b"yes".to_vec()
                } else {
                    b"no".to_vec()
                }
            },
            set: |config, value| config.$field = value != b"no",
        }
    };
}

/// A fact that the process has told of itself: it is set by the shell alone.
macro_rules! process {
    ($field:ident) => {
        Field {
            get: |config| config.process.$field.to_string().into_bytes(),
            set: |_, _| {},
        }
    };
}

fn parsed<T: core::str::FromStr + Default>(value: &[u8]) -> T {
    let text = core::str::from_utf8(value).unwrap_or_default();
    text.parse().unwrap_or_default()
}

const REQUIREPASS: Field = Field {
    get: |config| config.requirepass.clone(),
    set: |config, value| config.requirepass = value.to_vec(),
};

const TAKEN_AWAY: Field = Field {
    get: |config| config.taken_away.clone(),
    set: |config, value| config.taken_away = value.to_vec(),
};

const PERCENTILES: Field = Field {
    get: |config| config.latency_percentiles.clone(),
    set: |config, value| config.latency_percentiles = value.to_vec(),
};

const APPENDFSYNC: Field = Field {
    get: |config| config.fsync.word().into(),
    set: |config, value| config.fsync = Fsync::of_word(value).unwrap_or_default(),
};

const MEMORY_POLICY: Field = Field {
    get: |config| config.memory_policy.word().into(),
    set: |config, value| {
        config.memory_policy = MemoryPolicy::of_word(value).unwrap_or_default();
    },
};

const CLIENTS_MEMORY: Field = Field {
    get: |config| match config.clients_memory {
        ClientsMemory::Bytes(bytes) => format!("{bytes}").into_bytes(),
        ClientsMemory::Percent(percent) => format!("{percent}%").into_bytes(),
    },
    set: |config, value| {
        config.clients_memory = match value.strip_suffix(b"%") {
            Some(percent) => ClientsMemory::Percent(parsed(percent)),
            None => ClientsMemory::Bytes(parsed(value)),
        };
    },
};

const OUTPUT_LIMITS: Field = Field {
    get: |config| {
        let limits = &config.output_limits;
        let words = [
            ("normal", limits.normal),
            ("slave", limits.replica),
            ("pubsub", limits.pubsub),
        ]
        .map(|(class, limit)| {
            let (hard, soft) = (limit.hard, limit.soft);
            format!("{class} {hard} {soft} {}", limit.soft_s)
        });
        words.join(" ").into_bytes()
    },
    set: |config, value| {
        let mut numbers = value.split(|byte| *byte == b' ').map(parsed);
        // Each class has its name in front, which is no number.
        let mut limit = || {
            numbers.next();
            let mut number = || numbers.next().unwrap_or_default();
            OutputLimit {
                hard: number(),
                soft: number(),
                soft_s: number(),
            }
        };
        config.output_limits = OutputLimits {
            normal: limit(),
            replica: limit(),
            pubsub: limit(),
            reply: config.output_limits.reply,
        };
    },
};

const EVENTS: Field = Field {
    get: |config| config.events.letters(),
    set: |config, value| config.events = Classes::parse(value).unwrap_or_default(),
};

const DEBUG_COMMAND: Field = switch!(debug_command);
const ON_OFF: Form = Form::Switch;
const SECONDS: Form = Form::Integer(0, i32::MAX as i64);
const NUMBER: Form = Form::Integer(0, i64::MAX);
const LEVELS: &[&str] = &["debug", "verbose", "notice", "warning", "nothing"];

/// The directives that act.
#[rustfmt::skip]
pub(super) const DIRECTIVES: &[Directive] = &[
    acts("port", "6379", Form::Integer(0, 65_535),
        "the TCP port for clients; 0: none").of(process!(port)),
    acts("bind", "127.0.0.1 -::1", Form::Words,
        "addresses to listen on; one that begins with `-` may be unavailable").of(process!(bind)),
    acts("unixsocket", "", Form::Text, "path of a Unix socket to listen on as well"),
    acts("unixsocketperm", "0", Form::Octal, "permissions of the Unix socket, in octal"),
    acts("dir", "./data", Form::Text,
        "the data directory; created if it is missing, and locked against a second server")
        .of(process!(dir)).guarded(),
    acts("appendonly", "yes", ON_OFF,
        "keep a log on disk; `no`: data is in memory only").of(switch!(append_only)),
    acts("appendfsync", "everysec", Form::Choice(Fsync::WORDS),
        "when writes are synced: before their reply (always), once a second (everysec), or when \
         the operating system does it (no)").open(APPENDFSYNC),
    acts("auto-aof-rewrite-percentage", "100", SECONDS,
        "rewrite the log when it has grown by this percentage of its base; 0: only on request")
        .open(number!(rewrite_percentage)),
    acts("auto-aof-rewrite-min-size", "67108864", Form::Memory,
        "a smaller log is rewritten only on request").open(number!(rewrite_min_bytes)),
    acts("requirepass", "", Form::Text, "the password of the default user").open(REQUIREPASS),
    acts("protected-mode", "yes", ON_OFF,
        "without a password, accept clients of this machine only")
        .open(switch!(protected_mode)),
    acts("maxmemory", "0", Form::Memory,
        "evict keys, or refuse writes that need memory, while keys, values and clients' buffers \
         use this much; 0: no limit").open(number!(memory_max)),
    acts("script-max-instructions", "50000000", Form::Integer(1, i64::MAX),
        "after so many instructions a script is ended; the leader's value counts for all members")
        .open(number!(script_instructions)),
    acts("script-max-memory", "67108864", Form::Integer(65536, 1 << 30),
        "the most memory that the values of a script take; the leader's value counts for all \
         members").open(number!(script_memory_bytes)),
    acts("maxmemory-policy", "noeviction", Form::Choice(MemoryPolicy::WORDS),
        "which keys are evicted when maxmemory is reached: those that were used (lru) or written \
         (lrm) longest ago, are used least often (lfu), expire first (ttl), or any (random), of \
         all keys or of those that expire (volatile); or none, and writes are refused")
        .open(MEMORY_POLICY),
    acts("maxmemory-samples", "5", Form::Integer(1, 64),
        "how many keys are looked at for each that is evicted").open(number!(memory_samples)),
    acts("lfu-log-factor", "10", Form::Integer(0, i32::MAX as i64),
        "the larger, the more uses it takes for a key to count as used more often")
        .open(number!(lfu_log_factor)),
    acts("lfu-decay-time", "1", Form::Integer(0, i32::MAX as i64),
        "in how many minutes a key that is not used counts as used less often; 0: never")
        .open(number!(lfu_decay_minutes)),
    acts("maxmemory-clients", "0", Form::Ruled(peculiar::memory_or_percent),
        "close the clients that take most when all together take this much, or so many percent of \
         maxmemory; 0: no limit").open(CLIENTS_MEMORY),
    acts("maxclients", "10000", Form::Integer(1, u32::MAX as i64),
        "maximum number of clients at a time").open(number!(clients_max)),
    acts("client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Form::Limits,
        "for each class of clients: close a client when the replies that wait for it exceed the \
         hard limit, or exceed the soft limit for this many seconds. Clients that \
         listen to channels are `pubsub`, all others `normal`")
        .open(OUTPUT_LIMITS),
    acts("client-query-buffer-limit", "1073741824",
        Form::MemoryFrom(limits::QUERY_BUFFER_BYTES_MIN as u64),
        "maximum size of one client's unfinished request, and of the commands that it has queued \
         after MULTI")
        .open(number!(query_buffer_max)),
    acts("slowlog-log-slower-than", "10000", Form::Integer(-1, i64::MAX),
        "SLOWLOG keeps requests that take at least this many microseconds; 0: all, -1: none")
        .open(number!(slowlog_slower_than_us)),
    acts("slowlog-max-len", "128", Form::Integer(0, i64::MAX),
        "how many of the latest requests SLOWLOG keeps, in at most 64 MiB")
        .open(number!(slowlog_entries_max)),
    acts("latency-monitor-threshold", "0", Form::Integer(0, i64::MAX),
        "LATENCY keeps when something took at least this many milliseconds; 0: nothing is kept")
        .open(number!(latency_least_ms)),
    acts("latency-tracking", "yes", ON_OFF,
        "count how long the calls of each command take, for LATENCY HISTOGRAM and INFO \
         latencystats").open(switch!(latency_tracking)),
    acts("latency-tracking-info-percentiles", "50 99 99.9", Form::Ruled(peculiar::percentiles),
        "the percentiles of that which INFO latencystats shows").open(PERCENTILES),
    acts("hash-max-listpack-entries", "128", NUMBER,
        "OBJECT ENCODING says listpack of a hash until it has more fields than these, and then \
         hashtable. What it says is all that these borders decide: values are kept as ever")
        .alias("hash-max-ziplist-entries").open(number!(borders.hash.entries)),
    acts("hash-max-listpack-value", "64", Form::Memory,
        "the same, until a field or its value has more bytes than these")
        .alias("hash-max-ziplist-value").open(number!(borders.hash.item_bytes)),
    acts("list-max-listpack-size", "-2", Form::Integer(i32::MIN as i64, i32::MAX as i64),
        "OBJECT ENCODING says listpack of a list until it has more items than these, and then \
         quicklist; -1 to -5: until it has more than 4, 8, 16, 32 or 64 KiB")
        .alias("list-max-ziplist-size").open(number!(borders.list_size)),
    acts("set-max-intset-entries", "512", NUMBER,
        "OBJECT ENCODING says intset of a set of integers until it has more members than these")
        .open(number!(borders.integers)),
    acts("set-max-listpack-entries", "128", NUMBER,
        "OBJECT ENCODING says listpack of another set until it has more members than these, and \
         then hashtable").open(number!(borders.set.entries)),
    acts("set-max-listpack-value", "64", NUMBER,
        "the same, until a member has more bytes than these")
        .open(number!(borders.set.item_bytes)),
    acts("zset-max-listpack-entries", "128", NUMBER,
        "OBJECT ENCODING says listpack of a sorted set until it has more members than these, and \
         then skiplist")
        .alias("zset-max-ziplist-entries").open(number!(borders.zset.entries)),
    acts("zset-max-listpack-value", "64", Form::Memory,
        "the same, until a member has more bytes than these")
        .alias("zset-max-ziplist-value").open(number!(borders.zset.item_bytes)),
    acts("notify-keyspace-events", "", Form::Ruled(peculiar::events),
        "which keyspace events clients can listen to, in Redis's letters: K and E for the channels \
         `__keyspace@DB__:KEY` and `__keyevent@DB__:EVENT`, and the classes of events, such as A \
         for most; empty: none").open(EVENTS),
    acts("tracking-table-max-keys", "1000000", NUMBER,
        "how many keys that clients keep are known at most; for each further one another is told \
         to be invalid; 0: no limit but memory").open(number!(tracked_keys_max)),
    acts("timeout", "0", SECONDS,
        "close a client that is idle for this many seconds; 0: never").open(number!(timeout_s)),
    acts("tcp-keepalive", "300", SECONDS,
        "seconds between probes of an idle TCP client; 0: none"),
    acts("enable-debug-command", "no", Form::Choice(&["no", "yes", "local"]),
        "allow DEBUG; for tests only").of(DEBUG_COMMAND),
    acts("logfile", "", Form::Text, "file for the log lines of the server; empty: standard output"),
    acts("loglevel", "notice", Form::Choice(LEVELS), "how much is logged").settable(),
    acts("supervised", "auto", Form::Choice(&["auto", "no", "systemd", "upstart"]),
        "notify a service manager when the server is ready; auto: if NOTIFY_SOCKET is set"),
    acts("daemonize", "no", ON_OFF, "run in the background once the server listens"),
    acts("pidfile", "", Form::Text, "file for the process id; removed when the server stops"),
    acts("rename-command", "", Form::Lines,
        "`rename-command NAME \"\"` disables a command; other new names are refused")
        .of(TAKEN_AWAY)
        .hidden(),
    acts("include", "", Form::Text,
        "read another configuration file at this place; `*` and `?` match several").hidden(),
    acts("id", "", Form::Integer(1, i64::MAX), "this member's number in its group").hidden(),
    acts("peers", "", Form::Members,
        "form a group with these members, this one included: number, host and cluster port of each")
        .hidden(),
    acts("join", "", Form::Address,
        "join a group: host and cluster port of any of its members").hidden(),
    acts("cluster-port", "0", Form::Integer(0, 65_535),
        "the TCP port for the other members; 0: `port` + 10000, if this server is a member of a \
         group"),
    acts("cluster-bind", "", Form::Words,
        "addresses that the cluster port listens on; without a cluster-secret, only those of this \
         machine are allowed"),
    acts("cluster-secret", "", Form::Text,
        "the secret that all members share and nobody else knows").hidden(),
    acts("cluster-secret-file", "", Form::Text, "file that holds the cluster-secret"),
    acts("advertise", "", Form::Address,
        "address at which clients reach this member, if it is not the one that other members see"),
    acts("lease-reads", "no", ON_OFF,
        "a leader answers reads without asking the others while its lease lasts: safe only if no \
         clock drifts by more than 0.1 %").of(switch!(lease_reads)),
    acts("follower-proxy", "no", ON_OFF,
        "forward clients' requests to the leader if this member is not the leader")
        .of(switch!(follower_proxy)),
    acts("readonly-max-staleness", "0", NUMBER,
        "a follower answers READONLY clients only from a state that is at most this many \
         milliseconds old; 0: any age")
        .of(number!(staleness_ms_max)),
    acts("debug-sync-delay-us", "0", NUMBER,
        "delay every sync by this many microseconds: for measurements").hidden(),
];

/// Values of Redis that are other than ours and mean the same, so that nothing is to be said.
pub(super) fn means_nothing(name: &str, value: &[u8]) -> bool {
    match name {
        "replicaof" => value.eq_ignore_ascii_case(b"no one"),
        "user" => is_plain_default_user(value),
        _ => false,
    }
}

/// Returns true if a `user` line says what is so anyway: the default user may do all, without a
/// password. Redis's own CONFIG REWRITE leaves such a line.
fn is_plain_default_user(value: &[u8]) -> bool {
    const ALL: [&[u8]; 9] = [
        b"on",
        b"nopass",
        b"sanitize-payload",
        b"~*",
        b"&*",
        b"+@all",
        b"allkeys",
        b"allchannels",
        b"allcommands",
    ];
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').collect();
    let rights = words.strip_prefix(&[b"default".as_slice()]);
    rights.is_some_and(|rights| {
        rights.contains(&b"nopass".as_slice()) && rights.iter().all(|right| ALL.contains(right))
    })
}
