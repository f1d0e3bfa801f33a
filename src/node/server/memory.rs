//! MEMORY STATS and MEMORY DOCTOR: the figures of INFO memory, as a map and in words.

use alloc::format;
use alloc::string::String;

use crate::command::verb::MemoryVerb;
use crate::resp::reply::Reply;

/// Below so many bytes there is nothing to be said of a server's memory.
const LITTLE: u64 = 5 << 20;
/// A peak above so many hundredths of what is used is told of.
const HIGH_PEAK: u64 = 150;
/// And so are a process that holds more than that of what is known to be used.
const HIGH_SHARE: u64 = 140;

/// The memory of a server, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryFigures {
    pub(super) peak: u64,
    pub(super) used: u64,
    pub(super) start: u64,
    pub(super) clients: u64,
    /// Keys and values, and how many keys there are.
    pub(super) dataset: u64,
    pub(super) keys: u64,
    /// Counted, with what the process took before it held anything.
    pub(super) taken: u64,
    /// Held by the process.
    pub(super) rss: u64,
    /// The texts of scripts, and what they take beside these.
    pub(super) scripts: u64,
    pub(super) programs: u64,
    /// The texts of libraries.
    pub(super) functions: u64,
}

/// MEMORY STATS and MEMORY DOCTOR.
pub(super) fn memory_verb(verb: MemoryVerb, figures: &MemoryFigures, reply: &mut Reply<'_>) {
    match verb {
        MemoryVerb::Stats => write_stats(figures, reply),
        MemoryVerb::Doctor => reply.verbatim(*b"txt", &diagnosis(figures)),
    }
}

/// The entries of Redis's map, in its order. Those of parts that there are not are 0.
fn write_stats(figures: &MemoryFigures, reply: &mut Reply<'_>) {
    let MemoryFigures {
        peak,
        used,
        start,
        clients,
        dataset,
        keys,
        taken,
        rss,
        scripts,
        programs,
        functions,
    } = *figures;
    let counts = [
        ("peak.allocated", peak),
        ("total.allocated", used),
        ("startup.allocated", start),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", clients),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", scripts + programs),
        ("functions.caches", functions),
        ("overhead.total", used.saturating_sub(dataset)),
        ("keys.count", keys),
        ("keys.bytes-per-key", dataset.checked_div(keys).unwrap_or(0)),
        ("dataset.bytes", dataset),
    ];
    let net = used.saturating_sub(start);
    let shares = [
        ("dataset.percentage", share(dataset * 100, net)),
        ("peak.percentage", share(used * 100, peak)),
    ];
    let allocated = [
        ("allocator.allocated", taken),
        ("allocator.active", rss),
        ("allocator.resident", rss),
    ];
    let (ratio, beyond) = (share(rss, taken), rss as i64 - taken as i64);
    let rest = [
        ("allocator-fragmentation.ratio", ratio, beyond),
        ("allocator-rss.ratio", 1.0, 0),
        ("rss-overhead.ratio", 1.0, 0),
        ("fragmentation", ratio, beyond),
    ];
    reply.map(counts.len() + shares.len() + allocated.len() + 2 * rest.len());
    for (name, value) in counts {
        write_count(name, value as i64, reply);
    }
    for (name, value) in shares {
        write_ratio(name, value, reply);
    }
    for (name, value) in allocated {
        write_count(name, value as i64, reply);
    }
    for (name, ratio, bytes) in rest {
        write_ratio(name, ratio, reply);
        let part = name.strip_suffix(".ratio").unwrap_or(name);
        write_count(&format!("{part}.bytes"), bytes, reply);
    }
}

fn write_count(name: &str, value: i64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn write_ratio(name: &str, value: f64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.double_text(&format!("{value}"));
}

/// A quotient; 0 where there is nothing to divide by.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The remarks on a server's memory, in our own words.
fn diagnosis(figures: &MemoryFigures) -> String {
    if figures.used < LITTLE {
        return "This server holds nearly nothing: its memory says nothing yet.\n".into();
    }
    let mut text = String::new();
    if figures.peak.saturating_mul(100) > figures.used.saturating_mul(HIGH_PEAK) {
        text += "* Peak: much more was in use once than is now, and the process may still hold \
                 some of that.\n";
    }
    if figures.rss.saturating_mul(100) > figures.taken.saturating_mul(HIGH_SHARE) {
        text += "* Process: it holds much more than what is known to be in use. MEMORY STATS has \
                 the figures.\n";
    }
    if figures.clients > figures.used / 2 {
        text += "* Clients: more than half of the memory is theirs. CLIENT LIST tells whose.\n";
    }
    if text.is_empty() {
        text += "Nothing about the memory of this server looks wrong.\n";
    }
    text
}
