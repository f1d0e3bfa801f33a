//! Three members in one process and a plain loop between them: they elect, agree, lose their
//! leader, and go on. Nothing here is faulty; the simulator is for that.

mod channels;
mod transactions;
mod versions;
mod waits;

use std::collections::{BTreeMap, VecDeque};

use seedis::ids::{ClusterId, ConnId, Incarnation, NodeId};
use seedis::node::Node;
use seedis::node::config::{Config, Fsync};
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};
use seedis_fuzz::disk::Disk;

use crate::bare::opened;

const MEMBERS: usize = 3;

/// A machine: its disk outlives its process.
struct Machine {
    config: Config,
    disk: Disk,
    node: Option<Node>,
    frames: VecDeque<(NodeId, Vec<u8>)>,
    told: VecDeque<(NodeId, bytes::Bytes)>,
    /// The process stands still.
    is_paused: bool,
    replies: BTreeMap<ConnId, Vec<u8>>,
    /// It may stop by itself; why it did.
    may_fail: bool,
    failure: Option<String>,
}

struct Group {
    machines: Vec<Machine>,
    now: Now,
    last_conn: u64,
}

fn id(member: usize) -> NodeId {
    NodeId(member as u64 + 1)
}

impl Group {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// A group of which each member is configured so.
    fn with(configure: impl Fn(&mut Config)) -> Self {
        let founders: Vec<_> = (0..MEMBERS)
            .map(|member| (id(member), Incarnation(100 + member as u64)))
            .collect();
        let machine = |member| {
            let mut config = Config {
                id: id(member),
                founders: founders.clone(),
                cluster: ClusterId(7),
                fsync: Fsync::Always,
                segment_bytes: 1 << 16,
                rewrite_percentage: 0,
                seed: member as u64,
                ..Config::default()
            };
            configure(&mut config);
            Machine {
                config,
                disk: Disk::default(),
                node: None,
                frames: VecDeque::new(),
                told: VecDeque::new(),
                is_paused: false,
                replies: BTreeMap::new(),
                may_fail: false,
                failure: None,
            }
        };
        let mut group = Self {
            machines: (0..MEMBERS).map(machine).collect(),
            now: Now {
                mono: Mono::from_millis(1),
                wall_us: 1_700_000_000_000_000,
            },
            last_conn: 0,
        };
        (0..MEMBERS).for_each(|member| group.start(member));
        group
    }

    fn start(&mut self, member: usize) {
        let config = self.machines[member].config.clone();
        self.machines[member].node = Some(Node::new(config, self.now));
        for other in 0..MEMBERS {
            self.meet(member, other);
            self.meet(other, member);
        }
    }

    /// A member hears who another is, as it does when they connect.
    fn meet(&mut self, member: usize, other: usize) {
        let now = self.now;
        let theirs = &self.machines[other].config;
        let (id, incarnation) = theirs.founders[other];
        let entry_versions = theirs.entry_versions;
        if let Some(node) = &mut self.machines[member].node {
            let met = Input::Met {
                id,
                incarnation,
                address: &format!("10.0.0.{}:6379", other + 1),
                cluster_port: 16_379,
                entry_versions,
            };
            node.handle(now, met);
        }
    }

    /// The process is gone, with all that was not on the disk.
    fn kill(&mut self, member: usize) {
        let machine = &mut self.machines[member];
        machine.node = None;
        machine.frames.clear();
        machine.replies.clear();
    }

    /// A millisecond passes: each member takes what has come, ends its turn, and is obeyed.
    fn step(&mut self) {
        self.now.mono.0 += 1_000_000;
        self.now.wall_us += 1000;
        for member in 0..MEMBERS {
            if !self.machines[member].is_paused {
                self.turn(member);
            }
        }
    }

    fn turn(&mut self, member: usize) {
        let now = self.now;
        let Machine {
            node, frames, told, ..
        } = &mut self.machines[member];
        let Some(node) = node else {
            return;
        };
        node.handle(now, Input::Timer);
        for (from, frame) in frames.drain(..) {
            let frame = &frame;
            node.handle(now, Input::Message { from, frame });
        }
        for (from, frame) in told.drain(..) {
            let frame = &frame[..];
            node.handle(now, Input::Told { from, frame });
        }
        let (mut effects, mut sent, mut tells) = (Effects::new(), Vec::new(), Vec::new());
        let mut is_stopped = false;
        loop {
            let machine = &mut self.machines[member];
            let Some(node) = &mut machine.node else {
                return;
            };
            node.flush(now, &mut effects);
            if effects.is_empty() {
                break;
            }
            for effect in effects.drain(..) {
                match effect {
                    Effect::Disk { ticket, op } => {
                        let outcome = machine.disk.perform(op);
                        node.handle(now, Input::Disk { ticket, outcome });
                    }
                    Effect::Send { conn } => {
                        let replies = machine.replies.entry(conn).or_default();
                        let before = replies.len();
                        node.outbox(conn)
                            .for_each(|bytes| replies.extend_from_slice(bytes));
                        let count = replies.len() - before;
                        node.handle(now, Input::Sent { conn, count });
                    }
                    Effect::Message { to, frame, .. } => sent.push((to, *frame)),
                    Effect::Tell { to, frame, .. } => tells.push((to, *frame)),
                    Effect::Stopped { failure: None } => is_stopped = true,
                    Effect::Stopped { failure } => {
                        assert!(machine.may_fail, "{:?} stopped: {failure:?}", id(member));
                        machine.failure = failure.map(|text| *text);
                        is_stopped = true;
                    }
                    _ => {}
                }
            }
        }
        if is_stopped {
            // What it has said has left.
            let machine = &mut self.machines[member];
            machine.node = None;
            machine.frames.clear();
        }
        for (to, frame) in tells {
            let to = &mut self.machines[to.0 as usize - 1];
            to.told.push_back((id(member), frame));
        }
        for (to, frame) in sent {
            let to = &mut self.machines[to.0 as usize - 1];
            if to.node.is_some() {
                to.frames.push_back((id(member), frame));
            }
        }
    }

    /// A new client asks a member.
    fn send(&mut self, member: usize, request: &str) -> ConnId {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        let (now, bytes) = (self.now, format!("{request}\r\n"));
        let node = self.machines[member].node.as_mut().expect("it runs");
        node.handle(now, opened(conn, "10.0.1.1:1"));
        let bytes = bytes.as_bytes();
        node.handle(now, Input::Received { conn, bytes });
        conn
    }

    /// A new client asks a member, and waits for its reply for up to a second.
    fn ask(&mut self, member: usize, request: &str) -> String {
        let conn = self.send(member, request);
        for _ in 0..1000 {
            self.step();
            let machine = &mut self.machines[member];
            if let Some(reply) = machine.replies.remove(&conn).filter(|r| !r.is_empty()) {
                return String::from_utf8(reply)
                    .expect("text")
                    .trim()
                    .replace("\r\n", " ");
            }
        }
        "nothing".into()
    }

    /// Lets time pass until a member serves as leader.
    fn leader(&mut self) -> usize {
        for _ in 0..100 {
            for member in 0..MEMBERS {
                if self.machines[member].node.is_some() && self.ask(member, "GET none") == "$-1" {
                    return member;
                }
            }
            (0..50).for_each(|_| self.step());
        }
        panic!("nobody leads");
    }
}

#[test]
fn three_members_elect_agree_and_outlive_their_leader() {
    let mut group = Group::new();

    // One of them is elected, and the others say where it is.
    let first = group.leader();
    let other = (first + 1) % MEMBERS;
    let moved = group.ask(other, "GET greeting");
    assert_eq!(moved, format!("-MOVED 12714 10.0.0.{}:6379", first + 1));

    // What it acknowledges stands on two disks at least.
    assert_eq!(group.ask(first, "SET greeting hello"), "+OK");
    assert_eq!(group.ask(first, "GET greeting"), "$5 hello");

    // Without it the other two go on, and have not forgotten.
    group.kill(first);
    let second = group.leader();
    assert_ne!(second, first);
    assert_eq!(group.ask(second, "GET greeting"), "$5 hello");
    assert_eq!(group.ask(second, "SET greeting goodbye"), "+OK");

    // The first comes back, follows, and learns what it has missed.
    group.start(first);
    for _ in 0..500 {
        group.step();
    }
    let third = 3 - first - second;
    group.kill(third);
    assert_eq!(group.ask(second, "INCR visits"), ":1");

    // One of three cannot speak for the group.
    group.kill(first);
    assert_eq!(
        group.ask(second, "GET greeting"),
        "-CLUSTERDOWN The cluster is down"
    );
    group.start(third);
    let last = group.leader();
    assert_eq!(group.ask(last, "GET greeting"), "$7 goodbye");
    assert_eq!(group.ask(last, "GET visits"), "$1 1");
}

/// On the way from two voters to three the majority of the two is needed still (thesis 4.3): a
/// group that is shown to have three can lose any of them.
#[test]
fn who_is_shown_to_vote_can_stand_in_for_whoever_dies() {
    let mut group = Group::new();
    let first = group.leader();
    let last = (first + 2) % MEMBERS;
    let number = id(last).0;
    assert_eq!(group.ask(first, &format!("RAFT REMOVE {number}")), "+OK");
    assert_eq!(group.ask(first, &format!("RAFT ADD {number}")), "+OK");
    for _ in 0..500 {
        group.step();
    }
    group.send(first, &format!("RAFT PROMOTE {number}"));
    let shown = |role: &str| format!("{number} {role} ");
    let mut roles = Vec::new();
    for _ in 0..500 {
        let nodes = group.ask(first, "RAFT NODES");
        let found = ["learner", "incoming", "voter"];
        let role = found
            .into_iter()
            .find(|role| nodes.contains(&shown(role)))
            .unwrap_or_else(|| panic!("{nodes}"));
        if roles.last() != Some(&role) {
            roles.push(role);
        }
        if role == "voter" {
            break;
        }
    }
    assert_eq!(roles, ["learner", "incoming", "voter"]);
    group.kill(first);
    assert_ne!(group.leader(), first);
}

/// A member that was told to take over may do so late: the answer must not deny it.
#[test]
fn a_transfer_that_may_still_succeed_is_not_said_to_have_failed() {
    let mut group = Group::new();
    let first = group.leader();
    let target = (first + 1) % MEMBERS;
    let number = id(target).0;
    let transfer = format!("RAFT TRANSFER {number}");
    // It stands still until it has been given up.
    (0..100).for_each(|_| group.step());
    let conn = group.send(first, &transfer);
    group.machines[target].is_paused = true;
    let mut said = Vec::new();
    for _ in 0..1000 {
        group.step();
        said = group.machines[first]
            .replies
            .remove(&conn)
            .unwrap_or_default();
        if !said.is_empty() {
            break;
        }
    }
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("-UNCERTAIN "), "{said}");
    group.machines[target].is_paused = false;
    (0..50).for_each(|_| group.step());
    assert_eq!(group.leader(), target);

    // A member that lacks entries is told nothing.
    let lost = group.leader();
    let (target, other) = ((lost + 1) % MEMBERS, (lost + 2) % MEMBERS);
    group.kill(target);
    assert_eq!(group.ask(lost, "SET a 1"), "+OK");
    let said = group.ask(lost, &format!("RAFT TRANSFER {}", id(target).0));
    let wanted = format!("-ERR member {} has not caught up", id(target).0);
    assert!(said.starts_with(&wanted), "{said}");
    group.start(target);
    (0..500).for_each(|_| group.step());
    assert!([lost, other].contains(&group.leader()));
}

#[test]
fn a_slip_of_the_operator_does_not_stop_the_group() {
    let mut group = Group::new();
    let first = group.leader();
    let (dead, well) = ((first + 1) % MEMBERS, (first + 2) % MEMBERS);
    group.kill(dead);
    for _ in 0..500 {
        group.step();
    }
    let remove = |member| format!("RAFT REMOVE {}", id(member).0);
    let refused = format!("-ERR member {} does not answer", id(dead).0);
    for member in [well, first] {
        let answer = group.ask(first, &remove(member));
        assert!(answer.starts_with(&refused), "{answer}");
    }
    assert_eq!(group.ask(first, &remove(dead)), "+OK");
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
}

#[test]
fn who_is_told_to_stop_lets_another_lead_first() {
    let mut group = Group::new();
    let first = group.leader();
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
    let now = group.now;
    let node = group.machines[first].node.as_mut().expect("it runs");
    node.handle(now, Input::Stop);
    // No election timeout is that short.
    for _ in 0..90 {
        group.step();
    }
    let leads = |member: &usize| {
        let node = group.machines[*member].node.as_ref();
        node.is_some_and(|node| node.leads().is_some())
    };
    let next = (0..MEMBERS).find(leads).expect("somebody leads");
    assert_ne!(next, first);
    // Who asks the former leader still is sent on, and does not see its connection end.
    let moved = format!("-MOVED 15495 10.0.0.{}:6379", next + 1);
    assert_eq!(group.ask(first, "SET a 2"), moved);
    for _ in 0..100 {
        group.step();
    }
    assert!(group.machines[first].node.is_none(), "it has stopped");
}

/// A member that stops makes no state any more, and a follower that needs one confirms nothing.
#[test]
fn who_is_told_to_stop_does_not_wait_for_ever() {
    let mut group = Group::with(|config| config.retained_bytes = 0);
    let first = group.leader();
    let (behind, gone) = ((first + 1) % MEMBERS, (first + 2) % MEMBERS);
    group.kill(behind);
    for number in 1..5 {
        assert_eq!(group.ask(first, "INCR visits"), format!(":{number}"));
    }
    group.start(behind);
    group.kill(gone);
    let conn = group.send(first, "INCR visits");
    group.step();
    for _ in 0..2 {
        let now = group.now;
        let node = group.machines[first].node.as_mut().expect("it runs");
        node.handle(now, Input::Stop);
        group.step();
    }
    for _ in 0..9000 {
        group.step();
    }
    assert!(group.machines[first].node.is_some(), "it waits for a while");
    for _ in 0..1500 {
        group.step();
    }
    assert!(group.machines[first].node.is_none(), "it has stopped");
    let told = &group.machines[first].replies[&conn];
    assert!(told.starts_with(b"-UNCERTAIN "), "{told:?}");
}

/// A key that is watched while the state is loaded may change by what is loaded next.
#[test]
fn who_watches_a_key_of_a_state_that_is_being_loaded_has_not_seen_it() {
    let mut group = Group::new();
    let first = group.leader();
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
    // What stands in the base is loaded, and not applied.
    assert_eq!(group.ask(first, "RAFT SNAPSHOT"), "+OK");
    for _ in 0..200 {
        group.step();
    }
    for member in 0..MEMBERS {
        group.kill(member);
    }
    group.start(first);
    let conn = group.send(first, "WATCH a");
    for member in (0..MEMBERS).filter(|member| *member != first) {
        group.start(member);
    }
    let bytes = b"MULTI\r\nINCR a\r\nEXEC\r\n";
    // Until somebody leads it is not this member that decides.
    while group.leader() != first {
        let other = group.leader();
        group.ask(other, &format!("RAFT TRANSFER {}", id(first).0));
    }
    let node = group.machines[first].node.as_mut().expect("it runs");
    node.handle(group.now, Input::Received { conn, bytes });
    for _ in 0..500 {
        group.step();
    }
    let replies = group.machines[first].replies.remove(&conn);
    let replies = String::from_utf8(replies.unwrap_or_default()).expect("text");
    assert_eq!(replies, "+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n");
}

/// A lease rests on clocks. A client that does not want to rely on them waits for a round though
/// the others do not.
#[test]
fn who_wants_linearizable_reads_is_answered_by_no_lease() {
    let mut group = Group::with(|config| config.lease_reads = true);
    let first = group.leader();
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
    for _ in 0..200 {
        group.step();
    }
    // What is answered in the leader's own turn nobody else was asked about.
    let alone = |group: &mut Group, request: &str| {
        let conn = group.send(first, request);
        group.turn(first);
        let alone = group.machines[first].replies.remove(&conn);
        for _ in 0..20 {
            group.step();
        }
        let rest = group.machines[first].replies.remove(&conn);
        [alone, rest].map(|bytes| String::from_utf8(bytes.unwrap_or_default()).expect("text"))
    };
    let [at_once, later] = alone(&mut group, "GET a");
    assert_eq!((&at_once[..], &later[..]), ("$1\r\n1\r\n", ""));
    let both = "RAFT READS LINEARIZABLE\r\nGET a";
    let [at_once, later] = alone(&mut group, both);
    assert_eq!((&at_once[..], &later[..]), ("+OK\r\n", "$1\r\n1\r\n"));
    // One that insists holds up what is asked behind it, and only that.
    let three = "GET a\r\nRAFT READS LINEARIZABLE\r\nGET a\r\nRAFT READS LEASE\r\nGET a";
    let [at_once, later] = alone(&mut group, three);
    assert_eq!(
        at_once + &later,
        "$1\r\n1\r\n+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n1\r\n"
    );
    assert_eq!(alone(&mut group, "GET a")[0], "$1\r\n1\r\n");
    // Nor does it wait for ever where that comes a turn later (seed 200479 of the profile raft).
    let conn = group.send(first, "RAFT READS LINEARIZABLE\r\nGET a");
    group.turn(first);
    let bytes = b"RAFT READS LEASE\r\nGET a\r\n";
    let node = group.machines[first].node.as_mut().expect("it runs");
    node.handle(group.now, Input::Received { conn, bytes });
    for _ in 0..20 {
        group.step();
    }
    let replies = group.machines[first].replies.remove(&conn);
    assert_eq!(
        replies.unwrap_or_default(),
        b"+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n1\r\n"
    );
}
