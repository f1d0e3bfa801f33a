//! The effects of a group's changes on clients: measurements, which fail only if something is
//! wrong.
//!
//! `cargo test --release --test it measure:: -- --ignored --nocapture --test-threads 1` runs all:
//! how long nobody leads when leaders die or transfer leadership (`SEEDIS_MEASURE_ROUNDS=50`),
//! what a new member costs (`SEEDIS_MEASURE_MIB=1024`), and a restart of all members.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Group, moved_to};
use crate::process::Client;

const CLIENTS: usize = 4;
/// How long a client waits for an answer before it turns to somebody else.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long writers are watched before anything happens to them.
const QUIET: Duration = Duration::from_secs(5);
/// The length of a value where a group is filled, in bytes, and how many are written at a time.
const FILL_VALUE_BYTES: usize = 4096;
const FILL_BATCH: usize = 256;

/// A number that whoever runs the measurement may choose.
fn chosen(name: &str, default: usize) -> usize {
    let word = std::env::var(name).ok();
    word.and_then(|word| word.parse().ok()).unwrap_or(default)
}

/// When writes were acknowledged, and how many were refused for good or left open.
#[derive(Default)]
struct Seen {
    acknowledged: Mutex<Vec<Instant>>,
    /// How long those took, with all that a cluster client tries by itself.
    took: Mutex<Vec<Duration>>,
    refused: AtomicU64,
    uncertain: AtomicU64,
    lost: AtomicU64,
    stop: AtomicBool,
}

/// Writes to whoever leads, as a cluster client does, until it is told to stop.
fn write(ports: &[u16], number: usize, seen: &Seen) {
    let mut at = number % ports.len();
    let mut line: Option<Client> = None;
    let key = format!("k{number}");
    let mut asked = Instant::now();
    while !seen.stop.load(Ordering::Relaxed) {
        let Some(client) = &mut line else {
            line = Client::try_connect(ports[at]).ok();
            if let Some(client) = &line {
                client.set_patience(PATIENCE);
            } else {
                at = (at + 1) % ports.len();
                thread::sleep(Duration::from_millis(1));
            }
            continue;
        };
        match client.try_ask(&["SET", &key, "v"]) {
            Ok(reply) if reply == "+OK" => {
                seen.took.lock().unwrap().push(asked.elapsed());
                asked = Instant::now();
                seen.acknowledged.lock().unwrap().push(asked);
            }
            Ok(reply) if reply.starts_with("-MOVED") => {
                at = moved_to(&reply, ports).unwrap_or(at);
                line = None;
            }
            Ok(reply) if reply.starts_with("-UNCERTAIN") => {
                seen.uncertain.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {
                // It has not happened, and is tried again.
                seen.refused.fetch_add(1, Ordering::Relaxed);
                at = (at + 1) % ports.len();
                line = None;
                thread::sleep(Duration::from_millis(1));
            }
            Err(_) => {
                seen.lost.fetch_add(1, Ordering::Relaxed);
                at = (at + 1) % ports.len();
                line = None;
            }
        }
    }
}

/// Clients that write until they are told to stop.
struct Writers {
    seen: Arc<Seen>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Writers {
    fn start(group: &Group) -> Self {
        let ports: Vec<u16> = (0..group.len()).map(|at| group.port(at)).collect();
        let seen = Arc::new(Seen::default());
        let client = |number| {
            let (ports, seen) = (ports.clone(), Arc::clone(&seen));
            thread::spawn(move || write(&ports, number, &seen))
        };
        Self {
            threads: (0..CLIENTS).map(client).collect(),
            seen,
        }
    }

    /// How long writes took since the last time this was asked, in ascending order.
    fn took(&self) -> Vec<Duration> {
        let mut took = std::mem::take(&mut *self.seen.took.lock().unwrap());
        took.sort();
        took
    }

    fn stop(self) -> Arc<Seen> {
        self.seen.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.seen
    }
}

/// The value that so many hundredths do not exceed.
fn percentile(sorted: &[Duration], share: usize) -> Duration {
    let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// A member has applied nearly all that the leader has: writes go on meanwhile.
fn wait_until_caught_up(group: &Group, at: usize) {
    group.wait_until("it has caught up", |group| {
        let applied = |at| group.info(at, "applied")?.parse::<u64>().ok();
        let first = applied(group.leader()).unwrap_or_default();
        applied(at).is_some_and(|own| own + 5000 > first)
    });
}

/// Does something to the leader again and again while clients write; the longest time without an
/// acknowledged write that began at or after each, in ascending order, and what clients saw.
fn disturb(name: &str, disturbance: impl Fn(&mut Group, usize)) -> (Vec<Duration>, u64, u64) {
    let mut group = Group::form(name, 3);
    let writers = Writers::start(&group);
    let mut gaps = Vec::new();
    for _ in 0..chosen("SEEDIS_MEASURE_ROUNDS", 50) {
        let leader = group.leader();
        thread::sleep(Duration::from_millis(300));
        let before = Instant::now();
        disturbance(&mut group, leader);
        thread::sleep(Duration::from_millis(1200));
        let acknowledged = std::mem::take(&mut *writers.seen.acknowledged.lock().unwrap());
        let mut last = before;
        let mut longest = Duration::ZERO;
        for at in acknowledged.into_iter().filter(|at| *at > before) {
            longest = longest.max(at.saturating_duration_since(last));
            last = last.max(at);
        }
        gaps.push(longest);
        if !group.is_running(leader) {
            group.start(leader);
            wait_until_caught_up(&group, leader);
        }
    }
    let seen = writers.stop();
    gaps.sort();
    let (uncertain, lost) = (&seen.uncertain, &seen.lost);
    (
        gaps,
        uncertain.load(Ordering::Relaxed),
        lost.load(Ordering::Relaxed),
    )
}

#[expect(clippy::print_stdout, reason = "a measurement is for whoever runs it")]
fn tell(what: &str, (gaps, uncertain, lost): &(Vec<Duration>, u64, u64)) {
    println!(
        "{what}: without an acknowledged write p50 {:.0?}, p99 {:.0?}, least {:.0?}; \
         uncertain {uncertain}, connections lost in the middle of a write {lost}",
        percentile(gaps, 50),
        percentile(gaps, 99),
        percentile(gaps, 0)
    );
}

#[test]
#[ignore = "a measurement of some minutes"]
fn how_long_nobody_leads() {
    let killed = disturb("measure-kill", |group, leader| group.kill(leader));
    tell("leader killed", &killed);
    let transferred = disturb("measure-transfer", |group, leader| {
        let reply = group.client(leader).ask(&["RAFT", "TRANSFER"]);
        assert_eq!(reply, "+OK");
    });
    tell("leadership transferred", &transferred);
}

/// Writes so many MiB to whoever leads; a batch that is not acknowledged is written again.
fn fill(group: &Group, mib: usize) {
    let value = "v".repeat(FILL_VALUE_BYTES);
    let mut client = group.client(group.leader());
    let mut batch = 0;
    while batch < (mib << 20) / FILL_VALUE_BYTES / FILL_BATCH {
        for number in 0..FILL_BATCH {
            let key = format!("fill:{batch}:{number}");
            client.send(&["SET", &key, &value]).unwrap();
        }
        let replies: Vec<String> = (0..FILL_BATCH).map(|_| client.reply().unwrap()).collect();
        if replies.iter().all(|reply| reply == "+OK") {
            batch += 1;
        } else {
            client = group.client(group.leader());
        }
    }
}

#[test]
#[ignore = "a measurement of some minutes"]
fn what_a_new_member_costs() {
    let mib = chosen("SEEDIS_MEASURE_MIB", 1024);
    let mut group = Group::form("measure-join", 3);
    fill(&group, mib);
    let writers = Writers::start(&group);
    thread::sleep(QUIET);
    let before = writers.took();
    let begun = Instant::now();
    group.join(0);
    // A voter that votes has been sent all that was written meanwhile.
    while group.ask(&["RAFT", "NODES"]).matches(" voter ").count() < 3 {
        assert!(begun.elapsed() < Duration::from_mins(20), "it never votes");
        thread::sleep(Duration::from_millis(50));
    }
    let lasted = begun.elapsed();
    let during = writers.took();
    let seen = writers.stop();
    println!(
        "a new member of a group with {mib} MiB voted after {lasted:.1?}; {CLIENTS} writers, p50, \
         p99 and longest: before {:.2?} {:.2?} {:.2?} ({} writes), during {:.2?} {:.2?} {:.2?} ({} \
         writes); uncertain {}, without an answer within {PATIENCE:?} {}",
        percentile(&before, 50),
        percentile(&before, 99),
        percentile(&before, 100),
        before.len(),
        percentile(&during, 50),
        percentile(&during, 99),
        percentile(&during, 100),
        during.len(),
        seen.uncertain.load(Ordering::Relaxed),
        seen.lost.load(Ordering::Relaxed)
    );
    assert_eq!(seen.uncertain.load(Ordering::Relaxed), 0);
}

#[test]
#[ignore = "a measurement of half a minute"]
fn what_a_restart_of_all_members_costs() {
    let mut group = Group::form("measure-rolling", 3);
    let writers = Writers::start(&group);
    thread::sleep(QUIET);
    let before = writers.took();
    let leader = group.leader();
    for step in 1..=3 {
        let at = (leader + step) % 3;
        assert_eq!(group.stop(at), Some(0));
        group.start(at);
        wait_until_caught_up(&group, at);
        thread::sleep(QUIET / 5);
    }
    let during = writers.took();
    let seen = writers.stop();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "all members restarted one after the other: {} writes, uncertain {}, connections lost in \
         the middle of a write {}, refused for the moment {}; the longest write took {:.1?} with \
         its retries, before {:.1?}",
        during.len(),
        count(&seen.uncertain),
        count(&seen.lost),
        count(&seen.refused),
        percentile(&during, 100),
        percentile(&before, 100)
    );
    assert_eq!(count(&seen.uncertain), 0, "a cluster client does not retry");
}
