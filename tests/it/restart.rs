//! Acknowledged writes are there again after kill -9, SIGSTOP and SIGTERM.
//!
//! `SEEDIS_KILL_ROUNDS=100 cargo test --release --test it kill_9 -- --nocapture` runs the long
//! version.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::process::{Client, Directory, Server};

const WRITERS: usize = 8;
const KEYS: u64 = 20;

/// A writer's own key: the last value that was acknowledged, and one that may have been written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    acknowledged: u64,
    attempted: u64,
}

/// The keys of all writers.
pub(crate) type Ledger = Vec<Arc<Mutex<BTreeMap<String, Known>>>>;

pub(crate) fn rounds() -> u32 {
    let asked = std::env::var("SEEDIS_KILL_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(5)
}

pub(crate) fn new_ledger() -> Ledger {
    (0..WRITERS).map(|_| Arc::default()).collect()
}

/// Writes ever higher numbers of `digits` digits to keys of its own until the server is gone.
fn write_until_killed(
    port: u16,
    writer: usize,
    digits: usize,
    ledger: &Mutex<BTreeMap<String, Known>>,
    stop: &AtomicBool,
) -> u64 {
    let Ok(mut client) = Client::try_connect(port) else {
        return 0;
    };
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = format!("w{writer}:{}", written % KEYS);
        let value = {
            let mut ledger = ledger.lock().expect("no writer panics");
            let known = ledger.entry(key.clone()).or_default();
            known.attempted += 1;
            known.attempted
        };
        match client.try_ask(&["SET", &key, &format!("{value:0digits$}")]) {
            Ok(reply) if reply == "+OK" => {
                ledger
                    .lock()
                    .expect("no writer panics")
                    .entry(key)
                    .or_default()
                    .acknowledged = value;
                written += 1;
            }
            // It has certainly not happened, and what was attempted before it may still come.
            Ok(reply) if reply.starts_with("-MISCONF") => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(reply) => panic!("SET was answered with {reply}"),
            Err(_) => break,
        }
    }
    written
}

/// Every key holds its last acknowledged value, or a later one that was attempted; nothing else is
/// there.
pub(crate) fn check(client: &mut Client, ledger: &Ledger) {
    let mut keys = 0;
    for writer in ledger {
        for (key, known) in writer.lock().expect("no writer panics").iter_mut() {
            let reply = client.ask(&["GET", key]);
            let value = if reply == "$-1" {
                0
            } else {
                reply.parse().expect("a number")
            };
            assert!(
                (known.acknowledged..=known.attempted).contains(&value),
                "{key} is {value}, acknowledged {}, attempted {}",
                known.acknowledged,
                known.attempted
            );
            known.acknowledged = value;
            keys += u64::from(value > 0);
        }
    }
    assert_eq!(client.ask(&["DBSIZE"]), format!(":{keys}"));
}

/// Lets writers write numbers of `digits` digits while something happens; how many writes were
/// acknowledged.
pub(crate) fn with_writers(
    server: &Server,
    ledger: &Ledger,
    digits: usize,
    during: impl FnOnce(&Server),
) -> u64 {
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (port, ledger, stop) =
                (server.port, Arc::clone(&ledger[writer]), Arc::clone(&stop));
            std::thread::spawn(move || write_until_killed(port, writer, digits, &ledger, &stop))
        })
        .collect();
    during(server);
    stop.store(true, Ordering::Relaxed);
    writers
        .into_iter()
        .map(|w| w.join().expect("a writer"))
        .sum()
}

#[test]
fn acknowledged_writes_survive_kill_9() {
    let directory = Directory::new("kill");
    let ledger = new_ledger();
    let options = ["--appendfsync", "always"];
    let mut written = 0;
    for round in 0..rounds() {
        let server = Server::start(directory.path(), &options);
        check(&mut server.client(), &ledger);
        let pid = server.pid().to_string();
        written += with_writers(&server, &ledger, 1, |server| {
            if round % 3 == 1 {
                server.client().ask(&["BGREWRITEAOF"]);
            }
            std::thread::sleep(Duration::from_millis(40 + u64::from(round * 37 % 160)));
            let killed = std::process::Command::new("kill")
                .args(["-9", &pid])
                .status();
            assert!(killed.expect("kill is there").success());
        });
        server.kill();
    }
    let server = Server::start(directory.path(), &options);
    check(&mut server.client(), &ledger);
    println!(
        "{} rounds, {written} acknowledged writes, none lost, none invented",
        rounds()
    );
    assert!(written > 0);
}

#[test]
fn a_stopped_process_goes_on_where_it_was() {
    let directory = Directory::new("stop");
    let ledger = new_ledger();
    let server = Server::start(directory.path(), &["--appendfsync", "always"]);
    let written = with_writers(&server, &ledger, 1, |server| {
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(30));
            server.signal("STOP");
            std::thread::sleep(Duration::from_millis(30));
            server.signal("CONT");
        }
    });
    assert!(written > 0);
    check(&mut server.client(), &ledger);
    server.kill();
    let server = Server::start(directory.path(), &["--appendfsync", "always"]);
    check(&mut server.client(), &ledger);
}

#[test]
fn sigterm_syncs_and_exits_with_0() {
    for policy in ["always", "everysec", "no"] {
        let directory = Directory::new("term");
        let server = Server::start(directory.path(), &["--appendfsync", policy]);
        assert_eq!(server.client().ask(&["SET", "a", "1"]), "+OK");
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0), "{policy}");
        let server = Server::start(directory.path(), &["--appendfsync", policy]);
        assert_eq!(server.client().ask(&["GET", "a"]), "1", "{policy}");
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let directory = Directory::new("lock");
    let _first = Server::start(directory.path(), &[]);
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(["--port", "0", "--unixsocket"])
        .arg(directory.path().join("socket"))
        .arg("--dir")
        .arg(directory.path())
        .output()
        .expect("it runs");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned()
        + &String::from_utf8_lossy(&second.stdout);
    assert!(said.contains("another"), "{said}");
}

#[test]
fn words_behind_debug_that_it_does_not_know_are_refused() {
    let directory = Directory::new("debug-words");
    let server = Server::start(directory.path(), &["--enable-debug-command", "yes"]);
    let mut client = server.client();
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    for wrong in [
        &["RELOAD", "x"][..],
        &["RELOAD", "NOSAVE", "x"],
        &["LOADAOF", "x"],
        &["DIGEST", "x"],
        &["OBJECT", "a", "x"],
    ] {
        let asked = [&["DEBUG"], wrong].concat();
        let said = client.ask(&asked);
        assert!(said.starts_with("-ERR "), "{asked:?}: {said}");
    }
    let known = ["DEBUG", "RELOAD", "MERGE", "NOFLUSH", "NOSAVE"];
    assert_eq!(client.ask(&known), "+OK");
    assert_eq!(client.ask(&["GET", "a"]), "1");
}
