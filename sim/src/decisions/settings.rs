//! The settings of a run besides its decisions, each with its name and its default.

use seedis::node::config::{Borders, Classes, Fsync, MemoryPolicy};

use super::words::{self, Parsed};
use crate::judge::Policy;
use crate::scenario::Scenario;

/// A setting.
pub(super) struct Setting {
    pub(super) key: &'static str,
    /// Its value if a file does not name it, and the one that shrinking tries.
    pub(super) calm: &'static str,
    pub(super) get: fn(&Scenario) -> String,
    pub(super) set: fn(&mut Scenario, &str) -> Parsed<()>,
}

macro_rules! setting {
    ($key:literal, $calm:literal, $get:expr, $set:expr) => {
        Setting {
            key: $key,
            calm: $calm,
            get: $get,
            set: |scenario, text| {
                let set: fn(&mut Scenario, &str) -> Parsed<()> = $set;
                set(scenario, text)
            },
        }
    };
    ($key:literal, $calm:literal, number $($field:ident).+) => {
        setting!($key, $calm, |s| s.$($field).+.to_string(), |s, text| {
            s.$($field).+ = words::number(text)?;
            Ok(())
        })
    };
    ($key:literal, $calm:literal, flag $($field:ident).+) => {
        setting!($key, $calm, |s| flag(s.$($field).+), |s, text| {
            s.$($field).+ = words::flag(text)?;
            Ok(())
        })
    };
    ($key:literal, $calm:literal, time $($field:ident).+) => {
        setting!($key, $calm, |s| words::time(s.$($field).+), |s, text| {
            s.$($field).+ = words::nanoseconds(text)?;
            Ok(())
        })
    };
}

fn join(bits: [u32; 2]) -> String {
    format!("{} {}", bits[0], bits[1])
}

fn flag(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn policy(scenario: &Scenario) -> String {
    match scenario.policy {
        Policy::Memory => "memory",
        Policy::Logged(fsync) => fsync.word(),
    }
    .to_owned()
}

fn set_policy(scenario: &mut Scenario, text: &str) -> Parsed<()> {
    scenario.policy = match text {
        "memory" => Policy::Memory,
        _ => match Fsync::of_word(text.as_bytes()) {
            Some(fsync) => Policy::Logged(fsync),
            None => return Err(format!("a policy is memory, {}", Fsync::WORDS.join(", "))),
        },
    };
    scenario.config.append_only = scenario.policy != Policy::Memory;
    scenario.config.fsync = match scenario.policy {
        Policy::Memory => Fsync::No,
        Policy::Logged(fsync) => fsync,
    };
    Ok(())
}

fn set_members(scenario: &mut Scenario, text: &str) -> Parsed<()> {
    scenario.members = words::number(text)?;
    if (1..=16).contains(&scenario.members) {
        Ok(())
    } else {
        Err("a group has one to sixteen members".to_owned())
    }
}

/// All of them, in the order in which a file names them.
pub(super) static ALL: &[Setting] = &[
    setting!("members", "1", |s| s.members.to_string(), set_members),
    setting!("founders", "1", number founders),
    setting!("fsync", "always", policy, set_policy),
    setting!("lease-reads", "no", flag config.lease_reads),
    setting!("retained-bytes", "67108864", number config.retained_bytes),
    setting!("append-bytes", "1048576", number config.append_bytes),
    setting!("chunk-bytes", "524288", number config.chunk_bytes),
    setting!("segment-bytes", "1048576", number config.segment_bytes),
    setting!("large-argument-bytes", "262144", number config.large_argument_bytes),
    setting!("log-piece-bytes", "1048576", number config.log_piece_bytes),
    setting!("waiting-bytes-max", "67108864", number config.waiting_bytes_max),
    setting!("rewrite-percentage", "0", number config.rewrite_percentage),
    setting!("rewrite-min-bytes", "1048576", number config.rewrite_min_bytes),
    setting!("hash-seed", "0", number config.hash_seed),
    setting!(
        "hash-bits",
        "64 64",
        |s| join(s.config.tables.hash_bits),
        |s, text| {
            let both: Vec<u32> = text.split(' ').map(words::number).collect::<Parsed<_>>()?;
            let both = <[u32; 2]>::try_from(both).ok();
            let both = both.filter(|both| both.iter().all(|bits| *bits <= 64));
            s.config.tables.hash_bits = both.ok_or("hash-bits are two numbers up to 64")?;
            Ok(())
        }
    ),
    setting!(
        "borders",
        "redis",
        |s| match s.config.borders {
            same if same == Borders::default() => "redis".to_owned(),
            other => other.integers.to_string(),
        },
        |s, text| {
            s.config.borders = match text {
                "redis" => Borders::default(),
                most => Borders::alike(words::number(most)?),
            };
            Ok(())
        }
    ),
    setting!("tracked-keys", "1000000", number config.tracked_keys_max),
    setting!(
        "events",
        "none",
        |s| match String::from_utf8_lossy(&s.config.events.letters()) {
            none if none.is_empty() => "none".to_owned(),
            letters => letters.into_owned(),
        },
        |s, text| {
            let letters = if text == "none" { "" } else { text };
            let classes = Classes::parse(letters.as_bytes());
            s.config.events = classes.ok_or("events are Redis's letters, or none")?;
            Ok(())
        }
    ),
    setting!("segment-keys", "896", number config.tables.segment_keys_max),
    setting!("list-group-blocks", "256", number config.tables.list_group_blocks_max),
    setting!("tree-children", "32", number config.tables.tree_children_max),
    setting!("small-items", "128", number config.tables.small_items_max),
    setting!("small-list-bytes", "512", number config.tables.small_list_bytes_max),
    setting!("freed-at-once-bytes", "16384", number config.tables.freed_at_once_bytes),
    setting!("empty-segments", "64", number config.tables.empty_segments_max),
    setting!("base-piece-bytes", "65536", number config.bounds.base_piece_bytes),
    setting!("old-state-bytes", "33554432", number config.bounds.old_state_bytes),
    setting!("entry-bytes", "1048576", number config.bounds.entry_bytes),
    setting!("read-bytes", "1048576", number config.bounds.read_bytes),
    setting!("parked-bytes", "1048576", number config.bounds.parked_bytes),
    setting!("reply-block-bytes", "262144", number config.bounds.reply_block_bytes),
    setting!("served-at-once", "1024", number config.bounds.served_at_once),
    setting!("append-entries", "4096", number config.bounds.append_entries),
    setting!("in-flight-appends", "64", number config.bounds.in_flight_appends),
    setting!("in-flight-bytes", "16777216", number config.bounds.in_flight_bytes),
    setting!("fed-bytes", "268435456", number config.bounds.fed_bytes),
    setting!(
        "newcomers-ask",
        "never",
        |s| match s.newcomers_ask {
            None => "never".to_owned(),
            Some(mean) => words::time(mean),
        },
        |s, text| {
            s.newcomers_ask = match text {
                "never" => None,
                mean => Some(words::nanoseconds(mean)?),
            };
            Ok(())
        }
    ),
    setting!("newcomers-knock", "no", flag knocks),
    setting!("founders-meet", "no", flag meets),
    setting!("maxmemory", "0", number config.memory_max),
    setting!(
        "maxmemory-policy",
        "noeviction",
        |s| s.config.memory_policy.word().to_owned(),
        |s, text| {
            let policy = MemoryPolicy::of_word(text.as_bytes());
            s.config.memory_policy = policy.ok_or("a policy of eviction is missing")?;
            Ok(())
        }
    ),
    setting!("maxmemory-samples", "5", number config.memory_samples),
    setting!("lfu-log-factor", "10", number config.lfu_log_factor),
    setting!("lfu-decay-time", "1", number config.lfu_decay_minutes),
    setting!("upgrades", "0", number upgrades),
    setting!("timeout", "0", number config.timeout_s),
    setting!("output-hard", "0", number config.output_limits.normal.hard),
    setting!("output-soft", "0", number config.output_limits.normal.soft),
    setting!("output-soft-s", "0", number config.output_limits.normal.soft_s),
    setting!("linear", "no", flag patient),
    setting!("flips", "0", number flips),
    setting!("failures-are-final", "no", flag final_failures),
    setting!("segment-max", "65536", number segment_max),
    setting!("read-max", "65536", number read_max),
    setting!("latency", "1ms", time latency),
    setting!("frame-latency", "1ms", time frame_latency),
    setting!("inline-disk", "no", flag inline_disk),
    setting!("thin-disk", "no", flag thin_disk),
    setting!("disk-latency", "1ms", time disk_latency),
    setting!("base-latency", "0us", time base_latency),
    setting!("sync-latency", "0us", time sync_latency),
    setting!("audits", "0", number audits),
    setting!("runs", "60s", time duration),
];

/// The setting of that name.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    ALL.iter().find(|setting| setting.key == key)
}
