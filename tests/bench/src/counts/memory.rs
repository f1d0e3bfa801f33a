//! Bytes that a key takes, by the server's own count and by the system's.

use std::time::Duration;

use super::count::{Count, Counted};
use crate::cores::Cores;
use crate::failure::Result;
use crate::load::requests::Template;
use crate::programs::Program;
use crate::server::{Log, Server};

/// A name, and the request that makes one key.
const KEYS: [(&str, &[&str]); 5] = [
    ("16+3 B", &["SET", "key:{}", "abc"]),
    (
        "16+32 B",
        &["SET", "key:{}", "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"],
    ),
    (
        "16+32 B with TTL",
        &[
            "SET",
            "key:{}",
            "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",
            "EX",
            "1000000",
        ],
    ),
    ("hash of ten", &TEN_FIELDS),
    (
        "member of a sorted set",
        &["ZADD", "zset", "{}", "member:{}"],
    ),
];

#[rustfmt::skip]
const TEN_FIELDS: [&str; 22] = [
    "HSET", "hash:{}",
    "f0", "value000", "f1", "value001", "f2", "value002", "f3", "value003", "f4", "value004",
    "f5", "value005", "f6", "value006", "f7", "value007", "f8", "value008", "f9", "value009",
];

/// Adds these counts.
pub(super) fn count(
    program: &Program,
    only: &str,
    keys: u64,
    cores: Option<Cores>,
    counted: &mut Counted,
) -> Result<()> {
    for (name, request) in KEYS {
        let used_name = format!("used_memory per key, {name}");
        let resident_name = format!("RSS per key, {name}");
        if !used_name.contains(only) && !resident_name.contains(only) {
            continue;
        }
        let server = Server::start(program, Log::Off, cores)?;
        let empty = settled(&server)?;
        server
            .fill(&Template::new(request), keys)
            .map_err(|failure| failure.during(name))?;
        let full = settled(&server)?;
        let each = |before: u64, after: u64| (after as f64 - before as f64) / keys as f64;
        counted.counts.push(Count {
            name: used_name,
            value: each(empty.used, full.used),
            is_kept: true,
            is_of_compiler: false,
        });
        counted.counts.push(Count {
            name: resident_name,
            value: each(empty.resident, full.resident),
            is_kept: false,
            is_of_compiler: false,
        });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
struct Memory {
    used: u64,
    resident: u64,
}

/// The memory of a server once it stands still: allocators give back what they kept for a while.
fn settled(server: &Server) -> Result<Memory> {
    let look = || -> Result<Memory> {
        Ok(Memory {
            used: server.info("used_memory")?,
            resident: server.resident_bytes()? >> 16 << 16,
        })
    };
    let mut last = look()?;
    let mut still = 0;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(200));
        let now = look()?;
        still = if now.resident == last.resident && now.used.abs_diff(last.used) < 1 << 14 {
            still + 1
        } else {
            0
        };
        last = now;
        if still == 5 {
            break;
        }
    }
    Ok(last)
}
