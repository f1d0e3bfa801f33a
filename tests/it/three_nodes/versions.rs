//! Members that know two neighbouring versions of entries, in one group: it speaks what all know.

use seedis::node::Node;
use seedis_fuzz::disk::Disk;

use super::{Group, MEMBERS};

/// A group of which the first so many know version 2 as well.
fn group_of(newer: u64) -> Group {
    Group::with(|config| config.entry_versions = (1, if config.id.0 <= newer { 2 } else { 1 }))
}

impl Group {
    fn pass(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
    }

    /// Which version each member speaks; 0 where it does not run.
    fn spoken(&self) -> Vec<u8> {
        let nodes = self.machines.iter().map(|machine| machine.node.as_ref());
        let speaks = |node: &Node| node.entry_version().number;
        nodes.map(|node| node.map_or(0, speaks)).collect()
    }

    /// Comes back with a binary that knows versions up to this one.
    fn restart(&mut self, member: usize, newest: u8) {
        self.kill(member);
        self.machines[member].config.entry_versions.1 = newest;
        self.start(member);
    }

    /// Gives them time to stop, and tells why a member has.
    fn why_stopped(&mut self, member: usize) -> String {
        self.pass(1000);
        let machine = &mut self.machines[member];
        assert!(machine.node.is_none(), "it has stopped");
        machine.failure.take().expect("it says why")
    }
}

const OUTDATED: &str = "this group speaks version 2 of entries since entry ";

#[test]
fn a_group_is_raised_when_the_last_member_knows_the_version() {
    let mut group = group_of(2);
    let first = group.leader();
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
    group.pass(500);
    assert_eq!(group.spoken(), [1, 1, 1]);
    let info = group.ask(first, "RAFT INFO");
    assert!(
        info.contains("entry_version:1 entry_version_of_all:1"),
        "{info}"
    );

    // Until then the way back is free.
    group.restart(0, 1);
    group.leader();
    group.restart(0, 2);
    group.leader();
    group.restart(2, 2);
    let first = group.leader();
    group.pass(500);
    assert_eq!(group.spoken(), [2, 2, 2]);
    assert_eq!(group.ask(first, "INCR a"), ":2");
    let info = group.ask(first, "RAFT INFO");
    assert!(
        info.contains("entry_version:2 entry_version_of_all:2"),
        "{info}"
    );
}

#[test]
fn a_member_that_does_not_know_the_version_stops_and_loses_nothing() {
    let mut group = group_of(3);
    let first = group.leader();
    group.pass(500);
    assert_eq!(group.spoken(), [2, 2, 2]);
    assert_eq!(group.ask(first, "SET a 1"), "+OK");
    let other = (first + 1) % MEMBERS;
    group.machines[other].may_fail = true;
    group.restart(other, 1);
    let why = group.why_stopped(other);
    assert!(why.starts_with(OUTDATED), "{why}");
    assert!(
        why.ends_with("this binary knows up to 1: upgrade it"),
        "{why}"
    );
    // So it does at each start.
    group.start(other);
    assert_eq!(group.why_stopped(other), why);
    group.restart(other, 2);
    group.pass(1000);
    assert_eq!(group.spoken(), [2, 2, 2]);
    // It holds what it held: with it alone the leader is a majority.
    group.kill((first + 2) % MEMBERS);
    let first = group.leader();
    assert_eq!(group.ask(first, "INCR a"), ":2");
}

#[test]
fn a_base_says_the_version_at_a_start_and_to_those_who_lack_entries() {
    let mut group = Group::with(|config| {
        config.entry_versions = (1, 2);
        config.retained_bytes = 0;
    });
    let first = group.leader();
    group.pass(500);
    let behind = (first + 1) % MEMBERS;
    group.kill(behind);
    for number in 1..5 {
        assert_eq!(group.ask(first, "INCR a"), format!(":{number}"));
    }
    assert_eq!(group.ask(first, "RAFT SNAPSHOT"), "+OK");
    group.pass(500);
    // A state comes to a member that does not know its version: it stops before it takes it.
    let disk = group.machines[behind].disk.clone();
    group.machines[behind].disk = Disk::default();
    group.machines[behind].may_fail = true;
    group.restart(behind, 1);
    let why = group.why_stopped(behind);
    assert!(why.starts_with(OUTDATED), "{why}");
    group.machines[behind].disk = disk;
    group.restart(behind, 2);
    group.pass(500);
    assert_eq!(group.spoken(), [2, 2, 2]);
    // A base of its own says so before the log does.
    group.machines[first].may_fail = true;
    group.restart(first, 1);
    let why = group.why_stopped(first);
    assert!(why.starts_with(OUTDATED), "{why}");
    group.restart(first, 2);
    group.pass(500);
    assert_eq!(group.spoken(), [2, 2, 2]);
    let first = group.leader();
    assert_eq!(group.ask(first, "GET a"), "$1 4");
}
