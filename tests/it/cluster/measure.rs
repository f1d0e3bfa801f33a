//! How long a group is without a leader: measurements, which fail only where something is wrong.
//!
//! `cargo test --release --test it how_long_nobody_leads -- --ignored --nocapture`

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Group, moved_to};
use crate::process::Client;

const ROUNDS: usize = 50;
const CLIENTS: usize = 4;

/// When writes were acknowledged, and how many were refused for good or left open.
#[derive(Default)]
struct Seen {
    acknowledged: Mutex<Vec<Instant>>,
    uncertain: AtomicU64,
    lost: AtomicU64,
    stop: AtomicBool,
}

/// Writes to whoever leads, as a cluster client does, until it is told to stop.
fn write(ports: &[u16], number: usize, seen: &Seen) {
    let mut at = number % ports.len();
    let mut line: Option<Client> = None;
    let key = format!("k{number}");
    while !seen.stop.load(Ordering::Relaxed) {
        let Some(client) = &mut line else {
            line = Client::try_connect(ports[at]).ok();
            if let Some(client) = &line {
                client.set_patience(Duration::from_secs(1));
            } else {
                at = (at + 1) % ports.len();
                thread::sleep(Duration::from_millis(1));
            }
            continue;
        };
        match client.try_ask(&["SET", &key, "v"]) {
            Ok(reply) if reply == "+OK" => {
                seen.acknowledged.lock().unwrap().push(Instant::now());
            }
            Ok(reply) if reply.starts_with("-MOVED") => {
                at = moved_to(&reply, ports).unwrap_or(at);
                line = None;
            }
            Ok(reply) if reply.starts_with("-UNCERTAIN") => {
                seen.uncertain.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {
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

/// Does something to the leader again and again while clients write; the longest time without an
/// acknowledged write that began at or after each, in ascending order, and what clients saw.
fn disturb(name: &str, disturbance: impl Fn(&mut Group, usize)) -> (Vec<Duration>, u64, u64) {
    let mut group = Group::form(name, 3);
    let ports: Vec<u16> = (0..3).map(|at| group.port(at)).collect();
    let seen = Arc::new(Seen::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (ports, seen) = (ports.clone(), Arc::clone(&seen));
            thread::spawn(move || write(&ports, number, &seen))
        })
        .collect();
    let mut gaps = Vec::new();
    for _ in 0..ROUNDS {
        let leader = group.leader();
        thread::sleep(Duration::from_millis(300));
        let before = Instant::now();
        disturbance(&mut group, leader);
        thread::sleep(Duration::from_millis(1200));
        let acknowledged = std::mem::take(&mut *seen.acknowledged.lock().unwrap());
        let mut last = before;
        let mut longest = Duration::ZERO;
        for at in acknowledged.into_iter().filter(|at| *at > before) {
            longest = longest.max(at.saturating_duration_since(last));
            last = last.max(at);
        }
        gaps.push(longest);
        if !group.is_running(leader) {
            group.start(leader);
            group.wait_until("it has caught up", |group| {
                let applied = |at| {
                    group
                        .info(at, "applied")
                        .and_then(|n| n.parse::<u64>().ok())
                };
                let first = applied(group.leader()).unwrap_or_default();
                applied(leader).is_some_and(|own| own + 5000 > first)
            });
        }
    }
    seen.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
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
    let at = |share: usize| gaps[(gaps.len() * share / 100).min(gaps.len() - 1)];
    println!(
        "{what}: without an acknowledged write p50 {:.0?}, p99 {:.0?}, least {:.0?}; \
         uncertain {uncertain}, connections lost in the middle of a write {lost}",
        at(50),
        at(99),
        gaps[0]
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
    tell("office transferred", &transferred);
}
