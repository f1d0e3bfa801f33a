//! The directives of Redis that do not act here: what each would have promised decides whether it
//! is taken.

use super::directive::{Access, Directive, Meaning};
use super::form::Form;
use super::peculiar;

const fn known(name: &'static str, default: &'static str, form: Form) -> Directive {
    Directive {
        name,
        alias: "",
        default,
        form,
        access: Access::Open,
        meaning: Meaning::Needless,
        help: "",
        field: None,
    }
}

impl Directive {
    const fn at_start(self) -> Self {
        Self {
            access: Access::Immutable,
            ..self
        }
    }

    const fn unseen(self) -> Self {
        Self {
            access: Access::Hidden,
            ..self
        }
    }

    const fn protected(self) -> Self {
        Self {
            access: Access::Protected,
            ..self
        }
    }

    /// Another value is taken at the start, but not in force.
    const fn fixed(self, words: &'static str) -> Self {
        Self {
            meaning: Meaning::Fixed(words),
            ..self
        }
    }

    /// Another value is refused.
    const fn refused(self, words: &'static str) -> Self {
        Self {
            meaning: Meaning::Refused(words),
            ..self
        }
    }
}

const ANY: Form = Form::Integer(0, i64::MAX);
const INT: Form = Form::Integer(0, i32::MAX as i64);
const PORT: Form = Form::Integer(0, 65_535);
const SIGNED: Form = Form::Integer(i64::MIN, i64::MAX);
const YES_NO: Form = Form::Switch;
const LOCAL: Form = Form::Choice(&["no", "yes", "local"]);
const FROM_ONE: Form = Form::Integer(1, i32::MAX as i64);
const FACILITIES: Form = Form::Choice(&[
    "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
]);
const SIGNALS: Form = Form::Ruled(peculiar::signals);

const NO_TLS: &str = "there is no TLS here: put a proxy that speaks it before the server";
const NO_LIMIT: &str = "this limit is always the same here";
const NO_USERS: &str = "there is one user, the default one, who may do all: give it a password \
    with requirepass";
const NO_REPLICA: &str = "a server is no replica of another: form a group with --peers, or come \
    into one with --join";
const NO_CLUSTER: &str = "keys are not spread over several servers here: form a group with \
    --peers; to cluster clients it looks like a cluster of one shard";
const NO_MODULES: &str = "there are no modules here";
const NO_QUORUM: &str = "replicas are not counted here: a group acknowledges a write when a \
    majority of its members holds it (--peers)";
const NO_DEFRAG: &str = "Active defragmentation cannot be enabled: the allocator of this server \
    has none";
const DATABASES: &str = "there are always 16 databases";

/// Directives of Redis that do not act here.
#[rustfmt::skip]
pub(super) const DIRECTIVES: &[Directive] = &[
    // Where taking them silently would harm.
    known("replicaof", "", Form::Words).alias("slaveof").at_start().refused(NO_REPLICA),
    known("cluster-enabled", "no", YES_NO).at_start().refused(NO_CLUSTER),
    known("aclfile", "", Form::Text).at_start().refused(NO_USERS),
    known("user", "", Form::Lines).unseen().refused(NO_USERS),
    known("loadmodule", "", Form::Lines).unseen().refused(NO_MODULES),
    known("sentinel", "", Form::Lines).unseen()
        .refused("this is no sentinel: a group elects its leader by itself"),
    known("tls-port", "0", PORT).refused(NO_TLS),
    known("tls-replication", "no", YES_NO).refused(NO_TLS),
    known("tls-cluster", "no", YES_NO).refused(NO_TLS),
    known("min-replicas-to-write", "0", INT).alias("min-slaves-to-write").refused(NO_QUORUM),
    // Where others values than these are not in force.
    known("databases", "16", Form::Integer(1, i32::MAX as i64)).at_start().fixed(DATABASES),
    known("syslog-enabled", "no", YES_NO).at_start()
        .fixed("lines go to logfile or to standard output, and not to syslog"),
    known("enable-protected-configs", "no", LOCAL).at_start()
        .fixed("protected directives cannot be changed while the server runs"),
    known("enable-module-command", "no", LOCAL).at_start().fixed(NO_MODULES),
    known("tcp-backlog", "511", INT).at_start().fixed(NO_LIMIT),
    known("proto-max-bulk-len", "536870912", Form::Memory).at_start().fixed(NO_LIMIT),
    known("activedefrag", "no", YES_NO).fixed(NO_DEFRAG),
    // What is done otherwise here, or not at all, so that no value can disappoint.
    known("save", "", Form::Points),
    known("acl-pubsub-default", "resetchannels", Form::Choice(&["allchannels", "resetchannels"])),
    known("acllog-max-len", "128", ANY),
    known("active-defrag-cycle-max", "25", Form::Integer(1, 99)),
    known("active-defrag-cycle-min", "1", Form::Integer(1, 99)),
    known("active-defrag-ignore-bytes", "104857600", Form::MemoryFrom(1)),
    known("active-defrag-max-scan-fields", "1000", Form::Integer(1, i64::MAX)),
    known("active-defrag-threshold-lower", "10", Form::Integer(0, 1000)),
    known("active-defrag-threshold-upper", "100", Form::Integer(0, 1000)),
    known("active-expire-effort", "1", Form::Integer(1, 10)),
    known("activerehashing", "yes", YES_NO),
    known("always-show-logo", "no", YES_NO).at_start(),
    known("aof-disable-auto-gc", "no", YES_NO),
    known("aof-load-truncated", "yes", YES_NO),
    known("aof-rewrite-incremental-fsync", "yes", YES_NO),
    known("aof-timestamp-enabled", "no", YES_NO),
    known("aof-use-rdb-preamble", "yes", YES_NO),
    known("aof_rewrite_cpulist", "", Form::Text).at_start(),
    known("appenddirname", "", Form::Ruled(peculiar::some_file_name)).at_start(),
    known("appendfilename", "appendonly.aof", Form::Ruled(peculiar::some_file_name)).at_start(),
    known("bgsave_cpulist", "", Form::Text).at_start(),
    known("bind-source-addr", "", Form::Text),
    known("bio_cpulist", "", Form::Text).at_start(),
    known("busy-reply-threshold", "5000", ANY).alias("lua-time-limit"),
    known("cluster-allow-pubsubshard-when-down", "yes", YES_NO),
    known("cluster-allow-reads-when-down", "no", YES_NO),
    known("cluster-allow-replica-migration", "yes", YES_NO),
    known("cluster-announce-bus-port", "0", PORT),
    known("cluster-announce-hostname", "", Form::Ruled(peculiar::hostname)),
    known("cluster-announce-human-nodename", "", Form::Text),
    known("cluster-announce-ip", "", Form::Text),
    known("cluster-announce-port", "0", PORT),
    known("cluster-announce-tls-port", "0", PORT),
    known("cluster-config-file", "nodes.conf", Form::Text).at_start(),
    known("cluster-link-sendbuf-limit", "0", Form::Memory),
    known("cluster-migration-barrier", "1", INT),
    known("cluster-node-timeout", "15000", ANY),
    known("cluster-preferred-endpoint-type", "ip",
        Form::Choice(&["ip", "hostname", "unknown-endpoint"])),
    known("cluster-replica-no-failover", "no", YES_NO).alias("cluster-slave-no-failover"),
    known("cluster-replica-validity-factor", "10", INT).alias("cluster-slave-validity-factor"),
    known("cluster-require-full-coverage", "yes", YES_NO),
    known("crash-log-enabled", "yes", YES_NO),
    known("crash-memcheck-enabled", "yes", YES_NO),
    known("dbfilename", "dump.rdb", Form::Ruled(peculiar::file_name)).protected(),
    known("disable-thp", "yes", YES_NO).at_start(),
    known("dynamic-hz", "yes", YES_NO),
    known("gopher-enabled", "no", Form::Choice(&["no"])).unseen(),
    known("hll-sparse-max-bytes", "3000", Form::Memory),
    known("hz", "10", INT),
    known("ignore-warnings", "", Form::Text),
    known("io-threads", "1", Form::Integer(1, 128)).at_start(),
    known("io-threads-do-reads", "no", YES_NO).at_start(),
    known("jemalloc-bg-thread", "yes", YES_NO),
    known("lazyfree-lazy-eviction", "no", YES_NO),
    known("lazyfree-lazy-expire", "no", YES_NO),
    known("lazyfree-lazy-server-del", "no", YES_NO),
    known("lazyfree-lazy-user-del", "no", YES_NO),
    known("lazyfree-lazy-user-flush", "no", YES_NO),
    known("list-compress-depth", "0", INT),
    known("list-max-ziplist-entries", "512", ANY).unseen(),
    known("list-max-ziplist-value", "64", ANY).unseen(),
    known("locale-collate", "", Form::Text),
    known("lua-replicate-commands", "yes", YES_NO).unseen(),
    known("masterauth", "", Form::Text),
    known("masteruser", "", Form::Text),
    known("max-new-connections-per-cycle", "10", Form::Integer(1, 1000)),
    known("max-new-tls-connections-per-cycle", "1", Form::Integer(1, 1000)),
    known("maxmemory-eviction-tenacity", "10", Form::Integer(0, 100)),
    known("min-replicas-max-lag", "10", INT).alias("min-slaves-max-lag"),
    known("no-appendfsync-on-rewrite", "no", YES_NO),
    known("oom-score-adj", "no", Form::Choice(&["no", "yes", "relative", "absolute"])),
    known("oom-score-adj-values", "0 200 800", Form::Ruled(peculiar::scores)),
    known("proc-title-template", "{title} {listen-addr} {server-mode}",
        Form::Ruled(peculiar::template)),
    known("propagation-error-behavior", "ignore",
        Form::Choice(&["ignore", "panic", "panic-on-replicas"])),
    known("rdb-del-sync-files", "no", YES_NO),
    known("rdb-key-save-delay", "0", SIGNED),
    known("rdb-save-incremental-fsync", "yes", YES_NO),
    known("rdbchecksum", "yes", YES_NO).at_start(),
    known("rdbcompression", "yes", YES_NO),
    known("repl-backlog-size", "1048576", Form::MemoryFrom(1)),
    known("repl-backlog-ttl", "3600", ANY),
    known("repl-disable-tcp-nodelay", "no", YES_NO),
    known("repl-diskless-load", "disabled",
        Form::Choice(&["disabled", "on-empty-db", "swapdb"])),
    known("repl-diskless-sync", "yes", YES_NO),
    known("repl-diskless-sync-delay", "5", INT),
    known("repl-diskless-sync-max-replicas", "0", INT),
    known("repl-ping-replica-period", "10", FROM_ONE).alias("repl-ping-slave-period"),
    known("repl-timeout", "60", FROM_ONE),
    known("replica-announce-ip", "", Form::Text).alias("slave-announce-ip"),
    known("replica-announce-port", "0", PORT).alias("slave-announce-port"),
    known("replica-announced", "yes", YES_NO),
    known("replica-ignore-disk-write-errors", "no", YES_NO),
    known("replica-ignore-maxmemory", "yes", YES_NO).alias("slave-ignore-maxmemory"),
    known("replica-lazy-flush", "no", YES_NO).alias("slave-lazy-flush"),
    known("replica-priority", "100", INT).alias("slave-priority"),
    known("replica-read-only", "yes", YES_NO).alias("slave-read-only"),
    known("replica-serve-stale-data", "yes", YES_NO).alias("slave-serve-stale-data"),
    known("sanitize-dump-payload", "no", Form::Choice(&["no", "yes", "clients"])),
    known("server_cpulist", "", Form::Text).at_start(),
    known("set-proc-title", "yes", YES_NO).at_start(),
    known("shutdown-on-sigint", "default", SIGNALS),
    known("shutdown-on-sigterm", "default", SIGNALS),
    known("shutdown-timeout", "10", INT),
    known("socket-mark-id", "0", Form::Integer(0, u32::MAX as i64)).at_start(),
    known("stop-writes-on-bgsave-error", "yes", YES_NO),
    known("stream-node-max-bytes", "4096", Form::Memory),
    known("stream-node-max-entries", "100", ANY),
    known("syslog-facility", "local0", FACILITIES).at_start(),
    known("syslog-ident", "redis", Form::Text).at_start(),
    known("tls-auth-clients", "yes", Form::Choice(&["no", "yes", "optional"])),
    known("tls-ca-cert-dir", "", Form::Text),
    known("tls-ca-cert-file", "", Form::Text),
    known("tls-cert-file", "", Form::Text),
    known("tls-ciphers", "", Form::Text),
    known("tls-ciphersuites", "", Form::Text),
    known("tls-client-cert-file", "", Form::Text),
    known("tls-client-key-file", "", Form::Text),
    known("tls-client-key-file-pass", "", Form::Text),
    known("tls-dh-params-file", "", Form::Text),
    known("tls-key-file", "", Form::Text),
    known("tls-key-file-pass", "", Form::Text),
    known("tls-prefer-server-ciphers", "no", YES_NO),
    known("tls-protocols", "", Form::Text),
    known("tls-session-cache-size", "20480", INT),
    known("tls-session-cache-timeout", "300", INT),
    known("tls-session-caching", "yes", YES_NO),
];
