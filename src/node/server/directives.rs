//! The directives of CONFIG: those that act, and those of Redis that are known and change nothing
//! here.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

/// What a directive's value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Any text.
    Text,
    /// An integer within bounds, both allowed.
    Integer(i64, i64),
    /// A size in bytes, with or without a unit.
    Memory,
    /// `yes` or `no`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One directive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive {
    pub(super) name: &'static str,
    /// An older name of the same.
    pub(super) alias: &'static str,
    pub(super) default: &'static str,
    pub(super) form: Form,
    pub(super) access: Access,
}

/// Whether CONFIG SET may change a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// At any time.
    Open,
    /// Only at the start.
    Immutable,
    /// Only at the start, since it would let a client write where it likes.
    Protected,
}

const fn d(name: &'static str, default: &'static str, form: Form) -> Directive {
    Directive {
        name,
        alias: "",
        default,
        form,
        access: Access::Open,
    }
}

const fn aliased(
    name: &'static str,
    alias: &'static str,
    default: &'static str,
    form: Form,
) -> Directive {
    Directive {
        alias,
        ..d(name, default, form)
    }
}

const fn fixed(name: &'static str, default: &'static str, form: Form) -> Directive {
    Directive {
        access: Access::Immutable,
        ..d(name, default, form)
    }
}

const fn guarded(name: &'static str, default: &'static str) -> Directive {
    Directive {
        access: Access::Protected,
        ..d(name, default, Form::Text)
    }
}

const ANY: Form = Form::Integer(0, i64::MAX);
const INT: Form = Form::Integer(0, i32::MAX as i64);
const SIGNED: Form = Form::Integer(i64::MIN, i64::MAX);
/// Nothing is evicted: a directive whose other values would be promises not kept takes one only.
const POLICIES: &[&str] = &["noeviction"];
const NONE: Form = Form::Choice(&["0"]);
const EMPTY: Form = Form::Choice(&[""]);

/// All directives, by name.
#[rustfmt::skip]
pub(super) const DIRECTIVES: &[Directive] = &[
    d("active-defrag-cycle-max", "25", Form::Integer(1, 99)),
    d("activedefrag", "no", Form::Switch),
    d("activerehashing", "yes", Form::Switch),
    fixed("aclfile", "", Form::Text),
    fixed("always-show-logo", "no", Form::Switch),
    fixed("appenddirname", "", Form::Text),
    fixed("appendfilename", "appendonly.aof", Form::Text),
    d("appendfsync", "everysec", Form::Choice(&["always", "everysec", "no"])),
    fixed("appendonly", "yes", Form::Switch),
    d("aof-load-truncated", "yes", Form::Switch),
    d("aof-rewrite-incremental-fsync", "yes", Form::Switch),
    d("aof-timestamp-enabled", "no", Form::Switch),
    d("aof-use-rdb-preamble", "yes", Form::Switch),
    d("auto-aof-rewrite-min-size", "67108864", Form::Memory),
    d("auto-aof-rewrite-percentage", "100", INT),
    fixed("bind", "127.0.0.1 -::1", Form::Text),
    d("busy-reply-threshold", "5000", ANY),
    d("client-output-buffer-limit",
      "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Form::Text),
    fixed("client-query-buffer-limit", "1073741824", Form::Memory),
    fixed("cluster-enabled", "no", Form::Switch),
    fixed("daemonize", "no", Form::Switch),
    fixed("databases", "16", Form::Integer(16, 16)),
    guarded("dbfilename", "dump.rdb"),
    guarded("dir", ""),
    fixed("enable-debug-command", "no", Form::Choice(&["no", "yes", "local"])),
    d("hash-max-listpack-entries", "128", ANY),
    d("hash-max-listpack-value", "64", ANY),
    d("hash-max-ziplist-entries", "128", ANY),
    d("hash-max-ziplist-value", "64", ANY),
    d("hll-sparse-max-bytes", "3000", ANY),
    d("hz", "10", Form::Integer(1, 500)),
    fixed("io-threads", "1", Form::Integer(1, 128)),
    d("latency-monitor-threshold", "0", ANY),
    d("latency-tracking", "no", Form::Switch),
    d("lazyfree-lazy-eviction", "no", Form::Switch),
    d("lazyfree-lazy-expire", "no", Form::Switch),
    d("lazyfree-lazy-server-del", "no", Form::Switch),
    d("lazyfree-lazy-user-del", "no", Form::Switch),
    d("lazyfree-lazy-user-flush", "no", Form::Switch),
    d("lfu-decay-time", "1", INT),
    d("lfu-log-factor", "10", INT),
    d("list-compress-depth", "0", INT),
    aliased("list-max-listpack-size", "list-max-ziplist-size", "-2", SIGNED),
    fixed("logfile", "", Form::Text),
    d("loglevel", "notice",
      Form::Choice(&["debug", "verbose", "notice", "warning", "nothing"])),
    d("lua-time-limit", "5000", ANY),
    d("maxclients", "10000", Form::Integer(1, u32::MAX as i64)),
    d("maxmemory", "0", Form::Memory),
    d("maxmemory-clients", "0", NONE),
    d("maxmemory-eviction-tenacity", "10", Form::Integer(0, 100)),
    d("maxmemory-policy", "noeviction", Form::Choice(POLICIES)),
    d("maxmemory-samples", "5", Form::Integer(1, 64)),
    aliased("min-replicas-max-lag", "min-slaves-max-lag", "10", INT),
    aliased("min-replicas-to-write", "min-slaves-to-write", "0", NONE),
    d("no-appendfsync-on-rewrite", "no", Form::Switch),
    d("notify-keyspace-events", "", EMPTY),
    d("oom-score-adj", "no", Form::Choice(&["no", "yes", "relative", "absolute"])),
    fixed("pidfile", "", Form::Text),
    fixed("port", "6379", Form::Integer(0, 65_535)),
    fixed("proto-max-bulk-len", "536870912", Form::Memory),
    d("protected-mode", "yes", Form::Switch),
    d("rdb-key-save-delay", "0", SIGNED),
    d("rdbcompression", "yes", Form::Switch),
    fixed("rdbchecksum", "yes", Form::Switch),
    aliased("repl-backlog-size", "repl-backlog-size", "1048576", Form::Memory),
    d("repl-diskless-sync", "yes", Form::Switch),
    d("repl-diskless-sync-delay", "5", INT),
    d("repl-diskless-load", "disabled",
      Form::Choice(&["disabled", "on-empty-db", "swapdb"])),
    d("repl-ping-replica-period", "10", INT),
    d("repl-timeout", "60", INT),
    d("replica-serve-stale-data", "yes", Form::Switch),
    fixed("replicaof", "", Form::Text),
    d("requirepass", "", Form::Text),
    d("sanitize-dump-payload", "no", Form::Choice(&["no", "yes", "clients"])),
    d("save", "", Form::Text),
    d("set-max-intset-entries", "512", ANY),
    d("set-max-listpack-entries", "128", ANY),
    d("set-max-listpack-value", "64", ANY),
    d("slowlog-log-slower-than", "10000", SIGNED),
    d("slowlog-max-len", "128", ANY),
    d("stop-writes-on-bgsave-error", "yes", Form::Switch),
    d("stream-node-max-bytes", "4096", Form::Memory),
    d("stream-node-max-entries", "100", ANY),
    fixed("supervised", "no", Form::Text),
    fixed("syslog-enabled", "no", Form::Switch),
    fixed("tcp-backlog", "511", INT),
    fixed("tcp-keepalive", "300", INT),
    d("timeout", "0", INT),
    d("tracking-table-max-keys", "1000000", ANY),
    fixed("unixsocket", "", Form::Text),
    fixed("unixsocketperm", "0", INT),
    d("zset-max-listpack-entries", "128", ANY),
    d("zset-max-listpack-value", "64", ANY),
    d("zset-max-ziplist-entries", "128", ANY),
    d("zset-max-ziplist-value", "64", ANY),
];

/// Values that differ from the defaults, of directives that nothing else remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directives(pub(super) BTreeMap<&'static str, String>);

/// The directive of this name, in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Directive> {
    DIRECTIVES.iter().find(|directive| {
        directive.name.as_bytes().eq_ignore_ascii_case(name)
            || !directive.alias.is_empty() && directive.alias.as_bytes().eq_ignore_ascii_case(name)
    })
}

impl Form {
    /// A value in the one way in which CONFIG GET shows it, or Redis's words for why it is none.
    pub(super) fn normalize(self, text: &str) -> Result<String, String> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Integer(least, most) => {
                let number = crate::command::args::parse_integer(text.as_bytes());
                let number = number.ok_or("argument couldn't be parsed into an integer")?;
                if (least..=most).contains(&number) {
                    Ok(number.to_string())
                } else {
                    Err(format!(
                        "argument must be between {least} and {most} inclusive"
                    ))
                }
            }
            Self::Memory => match memory(text) {
                Some(bytes) => Ok(bytes.to_string()),
                None => Err("argument must be a memory value".into()),
            },
            Self::Switch => {
                let lower = text.to_ascii_lowercase();
                if lower == "yes" || lower == "no" {
                    Ok(lower)
                } else {
                    Err("argument must be 'yes' or 'no'".into())
                }
            }
            Self::Choice(words) => {
                let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                found.map(ToString::to_string).ok_or_else(|| {
                    let all = words.join(", ");
                    format!("argument(s) must be one of the following: {all}")
                })
            }
        }
    }
}

fn memory(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(lower.len());
    let unit = match &lower[digits..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    lower[..digits].parse::<u64>().ok()?.checked_mul(unit)
}
