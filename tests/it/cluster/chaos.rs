//! Faults on real processes while clients go on, and the judge of the simulator over what the
//! clients have seen.
//!
//! `SEEDIS_CHAOS_SECONDS=1800 SEEDIS_CHAOS_MEMBERS=5 cargo test --release --test it
//! looks_like_one_server -- --nocapture` runs the long version; `SEEDIS_CHAOS_SEED` chooses other
//! faults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use seedis::rng;
use sim::linear::{self, Action, Operation, Reply, Verdict};

use super::group::{Group, Machines, moved_to};
use super::proxy::Proxy;
use crate::process::{Client, free_port};

/// Members' disks have room for what is written in half an hour between two rewrites, and for the
/// next base.
const FRAGILE: Machines = Machines::Fragile { mib: 384 };
const CLIENTS: u64 = 8;
const KEYS: u64 = 3;
/// For how long clients use the same keys, so that a history is no longer than a judge can read.
const EPOCH: Duration = Duration::from_millis(1500);
/// How long a client waits for an answer before it turns to somebody else.
const IMPATIENCE: Duration = Duration::from_millis(1200);
/// How many states the judge may look at for one key.
const BUDGET: usize = 500_000;
/// The number of values written while a disk is full: as much as a segment of the log holds.
const BALLAST_VALUES: usize = 36;
const BALLAST_VALUE_BYTES: usize = 1 << 20;
/// The names under which faults are counted that this machine cannot do: file systems want the
/// right to mount, clocks want libfaketime.
const NO_DISK: &str = "full-disk-skipped";
const NO_CLOCK: &str = "clock-jump-skipped";
/// The longest time from the end of the faults to the end of the run.
const RECOVERY: Duration = Duration::from_secs(30);

/// The state that the clients share.
struct Shared {
    ports: Vec<u16>,
    begun: Instant,
    stop: AtomicBool,
    conns: AtomicU64,
    history: Mutex<Vec<Operation>>,
    seed: u64,
}

impl Shared {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }
}

/// Runs it; gives a report for people.
pub(super) fn run(members: usize, length: Duration) -> String {
    let seed = std::env::var("SEEDIS_CHAOS_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(1);
    let (mut group, proxies) = group_behind_proxies(members);
    let shared = Arc::new(Shared {
        ports: (0..members).map(|at| group.port(at)).collect(),
        begun: Instant::now(),
        stop: AtomicBool::new(false),
        conns: AtomicU64::new(0),
        history: Mutex::default(),
        seed,
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || play(&shared, client))
        })
        .collect();
    let faults = torment(&mut group, &proxies, &shared, length);
    let healed = Instant::now();
    assert_eq!(group.ask(&["SET", "after", "all"]), "+OK");
    let recovered = healed.elapsed();
    assert!(
        recovered < RECOVERY,
        "no write for {recovered:?} after the last fault"
    );
    shared.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no client panics");
    }
    are_equal(&group);
    let term = group.info(group.leader(), "term").unwrap_or_default();
    let history = std::mem::take(&mut *shared.history.lock().expect("no client panics"));
    let told = judge(&history, seed);
    let faults: Vec<String> = faults
        .iter()
        .map(|(name, n)| format!("{name}={n}"))
        .collect();
    format!(
        "{members} members, {told}, terms={term}, {}",
        faults.join(" ")
    )
}

type Proxies = BTreeMap<(usize, usize), Proxy>;

/// A group whose members reach each other through relays only.
fn group_behind_proxies(members: usize) -> (Group, Proxies) {
    let ports: Vec<u16> = (0..members).map(|_| free_port()).collect();
    let pairs = (0..members).flat_map(|from| (0..members).map(move |to| (from, to)));
    let pairs = pairs.filter(|(from, to)| from != to);
    let proxies: Proxies = pairs
        .map(|(from, to)| ((from, to), Proxy::to(ports[to])))
        .collect();
    let peers = |own: usize| {
        let port = |to: usize| {
            proxies
                .get(&(own, to))
                .map_or(ports[to], |proxy| proxy.port)
        };
        let peers: Vec<String> = (0..members)
            .map(|to| format!("{}=127.0.0.1:{}", to + 1, port(to)))
            .collect();
        peers.join(",")
    };
    let mut group = Group::form_with("chaos", &ports, &[], FRAGILE, peers);
    for own in 0..members {
        // Otherwise it would be told by the others where they are, and go around the relays.
        group.tell_again(own, &["--peers", &peers(own)]);
    }
    (group, proxies)
}

/// One client: it asks, follows whoever leads, and writes down what it has seen.
fn play(shared: &Shared, client: u64) {
    let mut at = client as usize % shared.ports.len();
    let mut line: Option<(u64, Client)> = None;
    let mut count = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        count += 1;
        let draw = |what: u64| rng::draw(shared.seed, 7 + what, client, count);
        thread::sleep(Duration::from_micros(rng::below(draw(1), 4000)));
        let Some((conn, stream)) = &mut line else {
            line = connect(shared, at);
            if line.is_none() {
                at = (at + 1) % shared.ports.len();
            }
            continue;
        };
        let epoch = shared.begun.elapsed().as_micros() / EPOCH.as_micros();
        let key = format!("e{epoch}k{}", rng::below(draw(2), KEYS));
        let value = format!("{client}-{count}");
        let (words, action) = match rng::below(draw(3), 8) {
            0..=2 => (vec!["GET", &key], Action::Get),
            3..=4 => (vec!["SET", &key, &value], Action::Set(value.clone().into())),
            5 => (
                vec!["GETSET", &key, &value],
                Action::GetSet(value.clone().into()),
            ),
            6 => (vec!["DEL", &key], Action::Delete),
            _ => (vec!["HINCRBY", "sums", &key, "1"], Action::Add(1)),
        };
        let cell = match action {
            Action::Add(_) => (0, b"sums".to_vec(), key.clone().into_bytes()),
            _ => (0, key.clone().into_bytes(), Vec::new()),
        };
        let asked = shared.now();
        let answer = stream.try_ask(&words);
        let answered = match &answer {
            Ok(text) => match said(&action, text) {
                Said::Answer(reply) => Some(Some((shared.now(), vec![reply]))),
                Said::Perhaps => Some(None),
                Said::Not => None,
            },
            Err(_) => Some(None),
        };
        if let Some(answered) = answered {
            let steps = vec![(cell, action)];
            let operation = Operation {
                conn: *conn,
                asked,
                answered,
                steps,
            };
            shared
                .history
                .lock()
                .expect("no client panics")
                .push(operation);
        }
        match answer {
            Ok(text) if text.starts_with("-MOVED") => {
                at = moved_to(&text, &shared.ports).unwrap_or((at + 1) % shared.ports.len());
                line = None;
            }
            Ok(text) if text.starts_with('-') && !text.starts_with("-UNCERTAIN") => {
                at = (at + 1) % shared.ports.len();
                line = None;
                thread::sleep(Duration::from_millis(20));
            }
            Ok(_) => {}
            Err(_) => {
                at = (at + 1) % shared.ports.len();
                line = None;
            }
        }
    }
}

fn connect(shared: &Shared, at: usize) -> Option<(u64, Client)> {
    let client = Client::try_connect(shared.ports[at]).ok()?;
    client.set_patience(IMPATIENCE);
    Some((shared.conns.fetch_add(1, Ordering::Relaxed), client))
}

/// The meaning of a reply to an action.
enum Said {
    Answer(Reply),
    /// It may have happened.
    Perhaps,
    /// It has certainly not happened.
    Not,
}

fn said(action: &Action, text: &str) -> Said {
    let reply = match text {
        text if text.starts_with("-UNCERTAIN") => return Said::Perhaps,
        text if text.starts_with('-') && text.len() > 2 => return Said::Not,
        "$-1" => Reply::Nothing,
        "+OK" => Reply::Done,
        text => match (action, text.strip_prefix(':')) {
            (Action::Add(_) | Action::Delete, Some(number)) => {
                Reply::Number(number.parse().unwrap_or(-1))
            }
            _ => Reply::Value(text.as_bytes().to_vec()),
        },
    };
    Said::Answer(reply)
}

/// Lets faults happen one after the other, and ends with everybody well; how many of which.
fn torment(
    group: &mut Group,
    proxies: &Proxies,
    shared: &Shared,
    length: Duration,
) -> BTreeMap<&'static str, u32> {
    let mut faults: BTreeMap<&'static str, u32> = BTreeMap::new();
    let members = group.len();
    let mut round = 0;
    while shared.begun.elapsed() < length {
        round += 1;
        let draw = |what: u64, below: usize| {
            let draw = rng::draw(shared.seed, what, 99, round);
            rng::below(draw, below as u64) as usize
        };
        let (one, other) = (draw(1, members), draw(2, members));
        let moment = Duration::from_millis(50 + draw(3, 1500) as u64);
        let victim = if draw(4, 2) == 0 {
            leader_now(group).unwrap_or(one)
        } else {
            one
        };
        let name = match draw(5, 10) {
            0 | 1 => {
                group.kill(victim);
                if draw(6, 3) == 0 && members > 3 {
                    group.kill(other);
                }
                thread::sleep(moment);
                for at in 0..members {
                    if !group.is_running(at) {
                        group.start(at);
                    }
                }
                "kill"
            }
            2 => {
                group.signal(victim, "STOP");
                thread::sleep(moment);
                group.signal(victim, "CONT");
                "pause"
            }
            3 => {
                cut(proxies, |from, to| from == victim || to == victim, moment);
                "cut-off"
            }
            4 => {
                cut(proxies, |from, _| from == victim, moment);
                "cut-one-way"
            }
            5 => {
                let chosen = BTreeSet::from([victim, other]);
                cut(
                    proxies,
                    |from, to| chosen.contains(&from) != chosen.contains(&to),
                    moment,
                );
                "partition"
            }
            6 => {
                ask_leader(group, &[&["RAFT", "SNAPSHOT"], &["RAFT", "TRANSFER"]]);
                "transfer"
            }
            7 => {
                let ballast = group.fill_disk(victim);
                // What was preallocated is filled as well, so that the log finds no room.
                let value = "v".repeat(BALLAST_VALUE_BYTES);
                for _ in 0..BALLAST_VALUES {
                    ask_leader(group, &[&["SET", "ballast", &value]]);
                }
                thread::sleep(moment);
                if let Some(ballast) = &ballast {
                    std::fs::remove_file(ballast).expect("the ballast");
                }
                if ballast.is_some() {
                    "full-disk"
                } else {
                    NO_DISK
                }
            }
            8 => {
                group.replace(victim);
                "replacement"
            }
            _ => {
                let seconds = draw(8, 7200) as i64 - 3600;
                let has_turned = group.turn_clock(victim, seconds);
                thread::sleep(moment);
                group.turn_clock(victim, 0);
                if has_turned { "clock-jump" } else { NO_CLOCK }
            }
        };
        *faults.entry(name).or_default() += 1;
        thread::sleep(Duration::from_millis(100 + draw(7, 700) as u64));
    }
    faults
}

/// Asks whoever leads, if anybody does, and does not mind what it answers.
fn ask_leader(group: &Group, requests: &[&[&str]]) {
    if let Some(leader) = leader_now(group)
        && let Ok(mut client) = Client::try_connect(group.port(leader))
    {
        client.set_patience(IMPATIENCE);
        for request in requests {
            let _ = client.try_ask(request);
        }
    }
}

fn leader_now(group: &Group) -> Option<usize> {
    (0..group.len()).find(|at| group.info(*at, "role").as_deref() == Some("leader"))
}

fn cut(proxies: &Proxies, is_cut: impl Fn(usize, usize) -> bool, length: Duration) {
    let chosen = proxies.iter().filter(|((from, to), _)| is_cut(*from, *to));
    let chosen: Vec<&Proxy> = chosen.map(|(_, proxy)| proxy).collect();
    for proxy in &chosen {
        proxy.cut(true);
    }
    thread::sleep(length);
    for proxy in &chosen {
        proxy.cut(false);
    }
}

/// All members come to the same state.
fn are_equal(group: &Group) {
    group.wait_until("all have applied the same, to the same effect", |group| {
        let state = |at: usize| Some((group.info(at, "applied")?, group.digest(at)?));
        let first = state(0);
        first.is_some() && (1..group.len()).all(|at| state(at) == first)
    });
}

/// Judges whether the history of clients is linearizable, key by key.
fn judge(history: &[Operation], seed: u64) -> String {
    let mut parts: BTreeMap<_, Vec<Operation>> = BTreeMap::new();
    for operation in history {
        let cell = operation.steps[0].0.clone();
        parts.entry(cell).or_default().push(operation.clone());
    }
    let (count, mut gave_up) = (parts.len(), 0);
    for part in parts.values_mut() {
        part.sort_by_key(|operation| operation.asked);
        match linear::judge(part, BUDGET) {
            Verdict::Linearizable => {}
            Verdict::GaveUp => gave_up += 1,
            Verdict::Illegal(shown) => {
                let kept = keep(part, seed);
                let lines: Vec<String> = shown.iter().map(ToString::to_string).collect();
                panic!(
                    "no order explains the last of these ({kept}):\n{}",
                    lines.join("\n")
                );
            }
        }
    }
    assert!(
        gave_up * 50 <= count,
        "{gave_up} of {count} histories were too long to judge"
    );
    let unanswered = history.iter().filter(|one| one.answered.is_none()).count();
    let operations = history.len();
    format!("operations={operations} unanswered={unanswered} histories={count} gave-up={gave_up}")
}

/// Writes a history down for `sim judge` and whoever wants to look at it; where.
fn keep(part: &[Operation], seed: u64) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{seed}.history"));
    let _ = std::fs::write(&path, linear::written(part));
    path.display().to_string()
}
