//! INFO: sections and field names as Redis has them, so that exporters and clients find what they
//! look for.

use alloc::string::String;
use core::fmt::Write;

use crate::command::args::Args;
use crate::command::table;
use crate::command::verb::Topic;
use crate::limits::DATABASES;
use crate::node::clients::Paused;
use crate::node::{Node, Phase, REDIS_VERSION};

use super::functions::put_library_lines;
use super::latency::latency_section;
use super::memory::MemoryFigures;
use super::request::Request;

/// Sections in their order, and whether they are shown when none is named.
const SECTIONS: [(&str, bool); 15] = [
    ("server", true),
    ("clients", true),
    ("memory", true),
    ("persistence", true),
    ("stats", true),
    ("replication", true),
    ("cpu", true),
    ("modules", true),
    ("commandstats", false),
    ("errorstats", true),
    ("latencystats", false),
    ("cluster", true),
    ("raft", true),
    ("keyspace", true),
    ("seedis", true),
];

fn is_wanted(args: Args<'_>, section: &str, by_default: bool) -> bool {
    if args.len() == 1 {
        return by_default;
    }
    args.from(1).iter().any(|word| {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        is("all") || is("everything") || is("default") && by_default || is(section)
    })
}

impl Node {
    pub(super) fn info_verb(&mut self, request: Request<'_, '_>) {
        let Request {
            args, mut reply, ..
        } = request;
        let mut text = String::new();
        for (section, by_default) in SECTIONS {
            if is_wanted(args, section, by_default) {
                if !text.is_empty() {
                    text.push_str("\r\n");
                }
                let mut letters = section.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                let title: String = first.into_iter().chain(letters).collect();
                put(&mut text, format_args!("# {title}"));
                self.section(section, &mut text);
            }
        }
        reply.verbatim(*b"txt", &text);
    }

    fn section(&self, section: &str, out: &mut String) {
        match section {
            "server" => self.server_section(out),
            "clients" => self.clients_section(out),
            "memory" => self.memory_section(out),
            "persistence" => self.persistence_section(out),
            "stats" => self.stats_section(out),
            "replication" => self.replication_section(out),
            "cpu" => {
                let sample = self.metrics.figures().sample;
                for (name, us) in [("sys", sample.system_us), ("user", sample.user_us)] {
                    let (whole, rest) = (us / 1_000_000, us % 1_000_000);
                    put(out, format_args!("used_cpu_{name}:{whole}.{rest:06}"));
                    put(out, format_args!("used_cpu_{name}_children:0.000000"));
                }
            }
            "commandstats" => self.command_section(out),
            "errorstats" => {
                for (code, count) in &self.metrics.stats().errors {
                    put(out, format_args!("errorstat_{code}:count={count}"));
                }
            }
            "latencystats" => out.push_str(&latency_section(&self.metrics, &self.config)),
            "cluster" => {
                put(
                    out,
                    format_args!("cluster_enabled:{}", u8::from(self.is_cluster())),
                );
                put(
                    out,
                    format_args!(
                        "cluster_refused_members:{}",
                        self.metrics.stats().refused_peers
                    ),
                );
            }
            "raft" => {
                // Fields of all sections lie together where clients read them: `role` is taken.
                for line in self.raft_info().lines() {
                    put(out, format_args!("raft_{line}"));
                }
            }
            "keyspace" => self.keyspace_section(out),
            "seedis" => self.seedis_section(out),
            _ => {}
        }
    }

    fn server_section(&self, out: &mut String) {
        let process = &self.config.process;
        let uptime = (self.now.wall_us / 1_000_000).saturating_sub(self.metrics.started_s());
        put(out, format_args!("redis_version:{REDIS_VERSION}"));
        put(
            out,
            format_args!("seedis_version:{}", env!("CARGO_PKG_VERSION")),
        );
        put(out, format_args!("redis_git_sha1:00000000"));
        put(out, format_args!("redis_git_dirty:0"));
        put(out, format_args!("redis_build_id:0"));
        put(out, format_args!("redis_mode:{}", self.mode()));
        put(out, format_args!("os:{}", process.os));
        put(out, format_args!("arch_bits:64"));
        put(out, format_args!("monotonic_clock:POSIX clock_gettime"));
        put(out, format_args!("multiplexing_api:epoll"));
        put(out, format_args!("process_id:{}", process.pid));
        put(out, format_args!("run_id:{}", process.run_id));
        put(out, format_args!("tcp_port:{}", process.port));
        put(out, format_args!("server_time_usec:{}", self.now.wall_us));
        put(out, format_args!("uptime_in_seconds:{uptime}"));
        put(out, format_args!("uptime_in_days:{}", uptime / 86_400));
        put(out, format_args!("hz:10"));
        put(out, format_args!("configured_hz:10"));
        put(
            out,
            format_args!("lru_clock:{}", (self.now.wall_us / 1_000_000) & 0xff_ffff),
        );
        put(out, format_args!("executable:{}", process.executable));
        put(out, format_args!("config_file:{}", process.config_file));
        put(out, format_args!("io_threads_active:0"));
    }

    fn clients_section(&self, out: &mut String) {
        let clients = self.clients.len();
        let blocked = self.clients.blocked();
        put(out, format_args!("connected_clients:{clients}"));
        put(out, format_args!("cluster_connections:0"));
        put(out, format_args!("maxclients:{}", self.config.clients_max));
        let [input, output] = self.metrics.figures().buffers.most(self.now.mono);
        put(out, format_args!("client_recent_max_input_buffer:{input}"));
        put(
            out,
            format_args!("client_recent_max_output_buffer:{output}"),
        );
        put(out, format_args!("blocked_clients:{blocked}"));
        let [tracking, ..] = self.clients.tracking_figures();
        put(out, format_args!("tracking_clients:{tracking}"));
        let listeners = self.clients.all_subscribers();
        put(out, format_args!("pubsub_clients:{listeners}"));
        let timed = self.clients.timed();
        put(out, format_args!("clients_in_timeout_table:{timed}"));
        let keys = self.clients.awaited_keys();
        put(out, format_args!("total_blocking_keys:{keys}"));
        put(out, format_args!("total_blocking_keys_on_nokey:0"));
        let (reason, actions) = match self.clients.paused() {
            Paused::Nothing => ("none", "none"),
            Paused::Writes => ("client_pause", "write"),
            Paused::All => ("client_pause", "all"),
        };
        let left = self.clients.pause_left(self.now.mono).as_millis();
        put(out, format_args!("paused_reason:{reason}"));
        put(out, format_args!("paused_actions:{actions}"));
        put(out, format_args!("paused_timeout_milliseconds:{left}"));
    }

    /// The memory of the server, as MEMORY shows it.
    pub(super) fn memory_figures(&self) -> MemoryFigures {
        let (data, clients) = (self.store.memory(), self.clients.memory());
        let (used, figures) = ((data + clients) as u64, self.metrics.figures());
        let start = figures.memory_start as u64;
        let rss = match figures.sample.rss_bytes {
            // Before the driver has looked it is as much as the store knows of.
            0 => used,
            bytes => bytes,
        };
        MemoryFigures {
            peak: (figures.memory_peak as u64).max(used),
            used,
            start,
            clients: clients as u64,
            dataset: (data as u64).saturating_sub(start),
            keys: (0..DATABASES).map(|db| self.store.len(db)).sum(),
            // What the allocator has given out is not known: what is counted, and beside that what
            // the process took before it held anything.
            taken: used + figures.process_bytes,
            rss,
            scripts: self.store.script_memory() as u64,
            functions: self.store.library_memory() as u64,
            programs: self.requests.script_memory() as u64,
        }
    }

    fn memory_section(&self, out: &mut String) {
        let MemoryFigures {
            peak,
            used,
            start,
            clients,
            dataset,
            taken,
            rss,
            scripts,
            programs: vm,
            ..
        } = self.memory_figures();
        let machine = self.metrics.figures().sample.machine_bytes;
        let limit = self.config.memory_max;
        for (name, bytes) in [
            ("used_memory", used),
            ("used_memory_rss", rss),
            ("used_memory_peak", peak),
            ("total_system_memory", machine),
            ("used_memory_lua", vm),
            ("used_memory_vm_total", vm),
            ("used_memory_scripts", scripts),
            ("maxmemory", limit),
        ] {
            put(out, format_args!("{name}:{bytes}"));
            put(out, format_args!("{name}_human:{}", Human(bytes)));
        }
        put(
            out,
            format_args!("used_memory_peak_perc:{}%", Ratio(used * 100, peak)),
        );
        let share = Ratio(dataset * 100, used);
        put(out, format_args!("used_memory_overhead:{}", used - dataset));
        put(out, format_args!("used_memory_startup:{start}"));
        put(out, format_args!("used_memory_dataset:{dataset}"));
        put(out, format_args!("used_memory_dataset_perc:{share}%"));
        put(out, format_args!("allocator_allocated:{taken}"));
        put(out, format_args!("allocator_active:{rss}"));
        put(out, format_args!("allocator_resident:{rss}"));
        let (ratio, beyond) = (Ratio(rss, taken), rss as i64 - taken as i64);
        for name in ["allocator_frag", "mem_fragmentation"] {
            put(out, format_args!("{name}_ratio:{ratio}"));
            put(out, format_args!("{name}_bytes:{beyond}"));
        }
        put(out, format_args!("allocator_rss_ratio:1.00"));
        put(out, format_args!("allocator_rss_bytes:0"));
        put(out, format_args!("rss_overhead_ratio:1.00"));
        put(out, format_args!("rss_overhead_bytes:0"));
        let policy = self.config.memory_policy.word();
        put(out, format_args!("maxmemory_policy:{policy}"));
        let passing = self.store.passing_memory();
        put(out, format_args!("mem_not_counted_for_evict:{passing}"));
        put(out, format_args!("used_memory_vm_eval:{vm}"));
        put(out, format_args!("used_memory_scripts_eval:{scripts}"));
        let kept = self.store.scripts();
        put(out, format_args!("number_of_cached_scripts:{kept}"));
        put_library_lines(out, &self.store, self.requests.library_memory());
        for name in [
            "mem_replication_backlog",
            "mem_total_replication_buffers",
            "mem_clients_slaves",
            "mem_cluster_links",
            "mem_aof_buffer",
            "active_defrag_running",
            "lazyfree_pending_objects",
            "lazyfreed_objects",
        ] {
            put(out, format_args!("{name}:0"));
        }
        put(out, format_args!("mem_clients_normal:{clients}"));
        put(out, format_args!("mem_allocator:mimalloc"));
    }

    fn persistence_section(&self, out: &mut String) {
        let enabled = u8::from(self.config.append_only);
        let rewrite = self.replica.rewrite();
        let running = u8::from(rewrite.running.is_some());
        let status = if rewrite.last_failed { "err" } else { "ok" };
        put(
            out,
            format_args!("loading:{}", u8::from(self.phase == Phase::Recovering)),
        );
        put(out, format_args!("async_loading:0"));
        put(out, format_args!("current_cow_peak:0"));
        put(out, format_args!("current_cow_size:0"));
        put(out, format_args!("current_cow_size_age:0"));
        put(out, format_args!("current_fork_perc:0.00"));
        put(out, format_args!("current_save_keys_processed:0"));
        put(out, format_args!("current_save_keys_total:0"));
        let changes = self.store.changes().saturating_sub(rewrite.changes.0);
        put(out, format_args!("rdb_changes_since_last_save:{changes}"));
        put(out, format_args!("rdb_bgsave_in_progress:{running}"));
        put(
            out,
            format_args!(
                "rdb_last_save_time:{}",
                rewrite.saved_at_s.max(self.metrics.started_s())
            ),
        );
        let took = rewrite.took.map_or(-1, |took| took.as_secs() as i64);
        let passed = self.now.mono.since(rewrite.began).as_secs() as i64;
        let current = if rewrite.running.is_some() {
            passed
        } else {
            -1
        };
        put(out, format_args!("rdb_last_bgsave_status:{status}"));
        put(out, format_args!("rdb_last_bgsave_time_sec:{took}"));
        put(out, format_args!("rdb_current_bgsave_time_sec:{current}"));
        put(out, format_args!("rdb_last_cow_size:0"));
        put(out, format_args!("rdb_last_load_keys_expired:0"));
        put(out, format_args!("rdb_last_load_keys_loaded:0"));
        put(out, format_args!("rdb_saves:{}", rewrite.count));
        put(out, format_args!("aof_enabled:{enabled}"));
        put(out, format_args!("aof_rewrite_in_progress:{running}"));
        put(
            out,
            format_args!("aof_rewrite_scheduled:{}", u8::from(rewrite.wanted)),
        );
        put(out, format_args!("aof_last_rewrite_time_sec:{took}"));
        put(out, format_args!("aof_current_rewrite_time_sec:{current}"));
        put(out, format_args!("aof_last_cow_size:0"));
        put(out, format_args!("module_fork_in_progress:0"));
        put(out, format_args!("module_fork_last_cow_size:0"));
        put(out, format_args!("aof_last_bgrewrite_status:{status}"));
        put(out, format_args!("aof_rewrites:{}", rewrite.count));
        let written = if self.log_trouble().is_some() {
            "err"
        } else {
            "ok"
        };
        put(out, format_args!("aof_last_write_status:{written}"));
        if let Some(log) = self.replica.log() {
            let size = log.size();
            let total = size.log_bytes + size.base_bytes;
            put(out, format_args!("aof_current_size:{total}"));
            put(out, format_args!("aof_base_size:{}", size.base_bytes));
            put(out, format_args!("aof_pending_rewrite:0"));
            put(out, format_args!("aof_buffer_length:0"));
            put(out, format_args!("aof_rewrite_buffer_length:0"));
            let pending = u8::from(log.is_syncing());
            put(out, format_args!("aof_pending_bio_fsync:{pending}"));
            put(out, format_args!("aof_delayed_fsync:0"));
        }
    }

    fn stats_section(&self, out: &mut String) {
        let stats = self.metrics.stats();
        put(
            out,
            format_args!("total_connections_received:{}", stats.connections),
        );
        put(
            out,
            format_args!("total_commands_processed:{}", stats.commands),
        );
        let rates = self.metrics.figures().rates;
        put(
            out,
            format_args!("instantaneous_ops_per_sec:{}", rates.commands),
        );
        for (name, bytes) in [("input", rates.bytes_in), ("output", rates.bytes_out)] {
            put(
                out,
                format_args!("instantaneous_{name}_kbps:{}", Ratio(bytes, 1024)),
            );
            put(out, format_args!("instantaneous_{name}_repl_kbps:0.00"));
        }
        put(
            out,
            format_args!("total_net_input_bytes:{}", stats.bytes_in),
        );
        put(
            out,
            format_args!("total_net_output_bytes:{}", stats.bytes_out),
        );
        put(
            out,
            format_args!("rejected_connections:{}", stats.rejected_connections),
        );
        let (output, query) = (stats.limit_disconnections, stats.query_disconnections);
        put(
            out,
            format_args!("client_query_buffer_limit_disconnections:{query}"),
        );
        put(
            out,
            format_args!("client_output_buffer_limit_disconnections:{output}"),
        );
        put(out, format_args!("expired_keys:{}", stats.expired_keys));
        put(out, format_args!("expired_stale_perc:0.00"));
        put(out, format_args!("evicted_keys:{}", stats.evicted_keys));
        put(
            out,
            format_args!("evicted_clients:{}", stats.evicted_clients),
        );
        let denied = stats.errors.get("WRONGPASS").copied().unwrap_or(0);
        put(out, format_args!("acl_access_denied_auth:{denied}"));
        put(out, format_args!("keyspace_hits:{}", stats.lookups.hits));
        put(
            out,
            format_args!("keyspace_misses:{}", stats.lookups.misses),
        );
        let [_, keys, items, prefixes] = self.clients.tracking_figures();
        for (name, count) in [
            ("tracking_total_keys", keys),
            ("tracking_total_items", items),
            ("tracking_total_prefixes", prefixes),
        ] {
            put(out, format_args!("{name}:{count}"));
        }
        let topics = ["pubsub_channels", "pubsub_patterns", "pubsubshard_channels"];
        for (name, topic) in topics.into_iter().zip(Topic::ALL) {
            put(out, format_args!("{name}:{}", self.clients.topics(topic)));
        }
        for (name, count) in [
            ("pubsub_messages_to_members", stats.told),
            ("pubsub_messages_from_members", stats.was_told),
            ("pubsub_messages_dropped", stats.not_told),
        ] {
            put(out, format_args!("{name}:{count}"));
        }
        for name in [
            "total_net_repl_input_bytes",
            "total_net_repl_output_bytes",
            "sync_full",
            "sync_partial_ok",
            "sync_partial_err",
            "expired_time_cap_reached_count",
            "expire_cycle_cpu_milliseconds",
            "total_eviction_exceeded_time",
            "current_eviction_exceeded_time",
            "latest_fork_usec",
            "total_forks",
            "migrate_cached_sockets",
            "slave_expires_tracked_keys",
            "active_defrag_hits",
            "active_defrag_misses",
            "active_defrag_key_hits",
            "active_defrag_key_misses",
            "total_active_defrag_time",
            "current_active_defrag_time",
            "unexpected_error_replies",
            "dump_payload_sanitizations",
            "io_threaded_reads_processed",
            "io_threaded_writes_processed",
            "reply_buffer_shrinks",
            "reply_buffer_expands",
            "acl_access_denied_cmd",
            "acl_access_denied_key",
            "acl_access_denied_channel",
        ] {
            put(out, format_args!("{name}:0"));
        }
        put(
            out,
            format_args!("total_error_replies:{}", stats.error_replies),
        );
        put(
            out,
            format_args!("total_reads_processed:{}", self.requests.reads()),
        );
        put(
            out,
            format_args!(
                "total_writes_processed:{}",
                self.replicated.commands_applied()
            ),
        );
    }

    fn replication_section(&self, out: &mut String) {
        let offset = self.replica.applied().0;
        for line in self.replication_lines() {
            put(out, format_args!("{line}"));
        }
        put(out, format_args!("master_failover_state:no-failover"));
        put(
            out,
            format_args!("master_replid:{}", self.config.process.run_id),
        );
        put(out, format_args!("master_replid2:{:040}", 0));
        put(out, format_args!("master_repl_offset:{offset}"));
        put(out, format_args!("second_repl_offset:-1"));
        put(out, format_args!("repl_backlog_active:0"));
        put(out, format_args!("repl_backlog_size:0"));
        put(out, format_args!("repl_backlog_first_byte_offset:0"));
        put(out, format_args!("repl_backlog_histlen:0"));
    }

    fn command_section(&self, out: &mut String) {
        for (row, calls) in table::all().zip(&self.metrics.stats().calls) {
            if calls.count + calls.rejected > 0 {
                let us = calls.nanoseconds / 1000;
                let each = Ratio(us, calls.count);
                put(
                    out,
                    format_args!(
                        "cmdstat_{}:calls={},usec={us},usec_per_call={each},rejected_calls={},\
                         failed_calls={}",
                        row.name, calls.count, calls.rejected, calls.failed
                    ),
                );
            }
        }
    }

    fn keyspace_section(&self, out: &mut String) {
        for db in 0..DATABASES {
            let keys = self.store.len(db);
            if keys > 0 {
                let expires = self.store.volatile_len(db);
                let mean = self.store.mean_expiry(db);
                let ttl = mean.map_or(0, |mean| mean.0.saturating_sub(self.clock().0));
                put(
                    out,
                    format_args!("db{db}:keys={keys},expires={expires},avg_ttl={ttl}"),
                );
            }
        }
    }

    fn seedis_section(&self, out: &mut String) {
        let raft = self.replica.raft();
        put(
            out,
            format_args!("replicated_time:{}", self.replicated.stamp().0),
        );
        put(
            out,
            format_args!("replicated_time_offset_ms:{}", self.replicated.offset().0),
        );
        put(
            out,
            format_args!("applied_index:{}", self.replica.applied().0),
        );
        put(
            out,
            format_args!("term:{}", raft.map_or(0, |raft| raft.term().0)),
        );
        put(
            out,
            format_args!("commands_applied:{}", self.replicated.commands_applied()),
        );
        put(
            out,
            format_args!("protocol_errors:{}", self.metrics.stats().protocol_errors),
        );
        if let Some(log) = self.replica.log() {
            put(out, format_args!("log_segments:{}", log.size().segments));
        }
    }
}

fn put(out: &mut String, line: core::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(line);
    out.push_str("\r\n");
}

/// A quotient with two digits behind the point; 0 where there is nothing to divide by.
struct Ratio(u64, u64);

impl core::fmt::Display for Ratio {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let hundredths = u128::from(self.0) * 100;
        let hundredths = hundredths.checked_div(u128::from(self.1)).unwrap_or(0);
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// A size as Redis shows it to people.
struct Human(u64);

impl core::fmt::Display for Human {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
        for (unit, name) in units {
            if self.0 >= unit {
                let hundredths = self.0 * 100 / unit;
                return write!(f, "{}.{:02}{name}", hundredths / 100, hundredths % 100);
            }
        }
        write!(f, "{}B", self.0)
    }
}
