//! INFO has the fields that monitoring reads, and they move.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::process::{Client, Directory, Server};

/// The fields that redis_exporter, Datadog's check, Telegraf and `redis-cli --stat` read, as far as
/// strings and hashes have them.
const FIELDS: &str = "uptime_in_seconds process_id connected_clients blocked_clients maxclients \
    tracking_clients clients_in_timeout_table client_recent_max_output_buffer \
    client_recent_max_input_buffer total_blocking_keys allocator_active allocator_allocated \
    allocator_resident allocator_frag_ratio allocator_frag_bytes allocator_rss_ratio \
    allocator_rss_bytes used_memory used_memory_rss used_memory_peak used_memory_peak_perc \
    used_memory_lua used_memory_vm_eval used_memory_scripts_eval used_memory_overhead \
    used_memory_startup used_memory_dataset used_memory_dataset_perc number_of_cached_scripts \
    number_of_functions number_of_libraries used_memory_vm_functions used_memory_scripts \
    used_memory_functions used_memory_vm_total total_system_memory maxmemory \
    mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_slaves mem_clients_normal \
    mem_cluster_links mem_aof_buffer mem_replication_backlog mem_total_replication_buffers \
    mem_not_counted_for_evict lazyfree_pending_objects lazyfreed_objects active_defrag_running \
    migrate_cached_sockets active_defrag_hits active_defrag_misses active_defrag_key_hits \
    active_defrag_key_misses expired_stale_perc expired_time_cap_reached_count loading \
    async_loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time \
    rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves \
    rdb_last_cow_size rdb_last_load_keys_expired rdb_last_load_keys_loaded aof_enabled \
    aof_rewrite_in_progress aof_rewrite_scheduled aof_last_rewrite_time_sec \
    aof_current_rewrite_time_sec aof_last_cow_size aof_current_size aof_base_size \
    aof_pending_rewrite aof_buffer_length aof_rewrite_buffer_length aof_pending_bio_fsync \
    aof_delayed_fsync aof_last_bgrewrite_status aof_last_write_status module_fork_in_progress \
    module_fork_last_cow_size current_eviction_exceeded_time pubsub_channels pubsub_patterns \
    pubsubshard_channels total_connections_received total_commands_processed \
    instantaneous_ops_per_sec total_net_input_bytes total_net_output_bytes \
    total_net_repl_input_bytes total_net_repl_output_bytes instantaneous_input_kbps \
    instantaneous_output_kbps rejected_connections sync_full sync_partial_ok sync_partial_err \
    total_error_replies dump_payload_sanitizations total_reads_processed total_writes_processed \
    acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel \
    expired_keys evicted_keys evicted_clients total_eviction_exceeded_time keyspace_hits \
    keyspace_misses latest_fork_usec total_forks expire_cycle_cpu_milliseconds \
    slave_expires_tracked_keys connected_slaves repl_backlog_size repl_backlog_active \
    repl_backlog_first_byte_offset repl_backlog_histlen master_repl_offset second_repl_offset \
    used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children cluster_enabled";

fn info(client: &mut Client) -> BTreeMap<String, String> {
    let text = client.ask(&["INFO", "everything"]);
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn number(info: &BTreeMap<String, String>, field: &str) -> f64 {
    info[field].parse().expect("a number")
}

#[test]
fn what_monitoring_reads_is_there_and_true() {
    let directory = Directory::new("info");
    let server = Server::start(directory.path(), &[]);
    let mut client = server.client();
    client.ask(&["SET", "there", &"x".repeat(1 << 20)]);
    client.ask(&["SET", "soon", "1", "EX", "100"]);
    for _ in 0..10 {
        client.ask(&["GET", "there"]);
        client.ask(&["GET", "absent"]);
    }
    client.ask(&["BGREWRITEAOF"]);
    let begun = Instant::now();
    let found = loop {
        client.ask(&["MGET", "there", "absent", "there"]);
        let found = info(&mut client);
        let moves = [
            "used_cpu_user",
            "instantaneous_ops_per_sec",
            "instantaneous_output_kbps",
        ];
        if moves.iter().all(|field| number(&found, field) > 0.0)
            && number(&found, "aof_last_rewrite_time_sec") >= 0.0
        {
            break found;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{found:?}");
    };
    let missing: Vec<_> = FIELDS
        .split_whitespace()
        .filter(|f| !found.contains_key(*f))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let (hits, misses) = (
        number(&found, "keyspace_hits"),
        number(&found, "keyspace_misses"),
    );
    let (more, less) = (hits - 10.0, 2.0 * (misses - 10.0));
    assert!((more - less).abs() < 0.5, "{hits} {misses}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let rss: f64 = rss.trim().trim_end_matches("kB").trim().parse().unwrap();
    let share = number(&found, "used_memory_rss") / (rss * 1024.0);
    assert!((0.3..3.0).contains(&share), "{share}");
    assert!(
        !found["cmdstat_mget"].contains("usec=0,"),
        "{}",
        found["cmdstat_mget"]
    );
    let ttl: u64 = found["db0"]
        .rsplit_once("avg_ttl=")
        .unwrap()
        .1
        .parse()
        .unwrap();
    assert!((30_000..=100_000).contains(&ttl), "{ttl}");
    // What was is remembered.
    client.ask(&["DEL", "there"]);
    let after = info(&mut client);
    assert!(number(&after, "used_memory_peak") >= f64::from(1 << 20));
    assert!(number(&after, "used_memory") < f64::from(1 << 20));
    client.ask(&["CONFIG", "RESETSTAT"]);
    let reset = info(&mut client);
    assert_eq!(
        (&*reset["keyspace_hits"], &*reset["keyspace_misses"]),
        ("0", "0")
    );
    assert!(!reset.contains_key("cmdstat_mget"));
}
