//! Processes that know two neighbouring versions of entries, in one group: it is upgraded and taken
//! back member by member while clients write, and nothing is lost.
//!
//! Only a debug build can stand for the binary of another version, so this is left out of others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::group::{Group, moved_to};
use crate::process::Client;

/// A client that counts up and adds to a set, as long as it is let.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(i64, i64)>,
}

impl Writer {
    /// Begins to write; each round takes a member of a large set by chance as well, which must be
    /// the same member on all servers.
    fn begin(group: &Group) -> Self {
        let ports: Vec<u16> = (0..group.len()).map(|at| group.port(at)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut answered, mut asked, mut at) = (0, 0, 0);
            while !stops.load(Ordering::Relaxed) {
                let Ok(mut client) = Client::try_connect(ports[at]) else {
                    at = (at + 1) % ports.len();
                    thread::sleep(Duration::from_millis(5));
                    continue;
                };
                client.set_patience(Duration::from_secs(1));
                while !stops.load(Ordering::Relaxed) {
                    asked += 1;
                    match client.try_ask(&["INCR", "count"]) {
                        Ok(reply) if reply.starts_with(':') => answered += 1,
                        Ok(reply) => {
                            asked -= i64::from(!reply.starts_with("-UNCERTAIN"));
                            at = moved_to(&reply, &ports).unwrap_or((at + 1) % ports.len());
                            thread::sleep(Duration::from_millis(2));
                            break;
                        }
                        Err(_) => {
                            at = (at + 1) % ports.len();
                            break;
                        }
                    }
                    let _ = client.try_ask(&["SPOP", "drawn"]);
                }
            }
            (answered, asked)
        });
        Self { stop, thread }
    }

    /// Ends; how many writes were answered, and how many may have been done.
    fn end(self) -> (i64, i64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the writer")
    }
}

impl Group {
    /// A member is stopped in good order and comes back with a binary that knows up to `newest`.
    fn exchange(&mut self, at: usize, newest: u8) {
        self.install(at, newest);
        assert_eq!(self.stop(at), Some(0));
        self.start(at);
        self.wait_until("it has caught up", |group| {
            let applied = |at| {
                group
                    .info(at, "applied")
                    .and_then(|n| n.parse::<u64>().ok())
            };
            let before = applied(group.leader());
            before.is_some() && applied(at) >= before
        });
    }

    /// The version that each member speaks, and the one that all know, as each of them says.
    fn versions(&self) -> Vec<(String, String)> {
        let of = |at, field: &str| self.info(at, field).unwrap_or_default();
        let both = |at| (of(at, "entry_version"), of(at, "entry_version_of_all"));
        (0..self.len()).map(both).collect()
    }

    fn speaks(&self, version: &str) -> bool {
        self.versions().iter().all(|(own, _)| own == version)
    }

    fn are_equal(&self) -> bool {
        let digests: Vec<_> = (0..self.len()).map(|at| self.digest(at)).collect();
        digests[0].is_some() && digests.iter().all(|digest| *digest == digests[0])
    }
}

#[test]
fn a_group_is_upgraded_and_taken_back_member_by_member_under_writes() {
    let mut group = Group::form("cluster-versions", 3);
    for part in 0..20 {
        let members: Vec<String> = (0..500).map(|n| format!("m{}", part * 500 + n)).collect();
        let mut words = vec!["SADD", "drawn"];
        words.extend(members.iter().map(String::as_str));
        assert_eq!(group.ask(&words), ":500");
    }
    let writer = Writer::begin(&group);
    // Two of three are upgraded and taken back: until the last one is, that is free.
    for at in [0, 1] {
        group.exchange(at, 2);
    }
    for at in [1, 0] {
        group.exchange(at, 1);
    }
    assert!(group.speaks("1"), "{:?}", group.versions());
    // Then all of them, and the group speaks the newer version.
    for at in 0..3 {
        group.exchange(at, 2);
    }
    group.wait_until("it speaks version 2", |group| group.speaks("2"));
    // From here on there is no way back: who tries says so, and has lost nothing.
    let follower = (group.leader() + 1) % 3;
    group.log_again(follower);
    group.install(follower, 1);
    assert_eq!(group.stop(follower), Some(0));
    group.start(follower);
    let sentence = "this group speaks version 2 of entries since entry ";
    group.wait_until("it says why it cannot go on", |group| {
        group.log(follower).contains(sentence)
    });
    let log = group.log(follower);
    assert!(
        log.contains("this binary knows up to 1: upgrade it"),
        "{log}"
    );
    assert_eq!(group.wait(follower), Some(1));
    group.install(follower, 2);
    group.start(follower);
    group.wait_for_voters(3);
    thread::sleep(Duration::from_millis(300));
    let (answered, asked) = writer.end();
    let count: i64 = group.ask(&["GET", "count"]).parse().expect("a number");
    assert!(
        (answered..=asked).contains(&count),
        "{answered} were answered, {asked} asked, {count} done"
    );
    assert!(answered > 100, "{answered} writes in all that time");
    group.wait_until("members are equal", Group::are_equal);
    // Entries of both versions are applied again, each by its own.
    for at in 0..3 {
        group.kill(at);
    }
    for at in 0..3 {
        group.start(at);
    }
    assert_eq!(group.ask(&["GET", "count"]), count.to_string());
    group.wait_until("members are equal again", Group::are_equal);
    assert!(group.speaks("2"), "{:?}", group.versions());
}
