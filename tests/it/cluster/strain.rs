//! A leader whose disk is full lets another one lead, and its clients are refused nothing.

use std::time::{Duration, Instant};

use super::group::{Group, Machines, moved_to};
use crate::process::Client;

/// Room for two segments of the log.
const DISK_MIB: u32 = 116;

#[test]
fn a_leader_whose_disk_is_full_hands_over() {
    let machines = Machines::Fragile { mib: DISK_MIB };
    let group = Group::form_on(machines, "cluster-strain", 3, &[]);
    if !group.has_disks() {
        eprintln!("skipped: no right to mount a small file system");
        return;
    }
    let first = group.leader();
    assert_eq!(group.ask(&["SET", "k", "v"]), "+OK");
    assert!(group.fill_disk(first).is_some());
    let ports: Vec<u16> = (0..3).map(|at| group.port(at)).collect();
    let value = "v".repeat(100_000);
    let mut at = first;
    let mut client = group.client(at);
    let end = Instant::now() + Duration::from_mins(1);
    let mut written = 0;
    // More than what is left of the segments that are there.
    while written < 700 {
        assert!(Instant::now() < end, "{written} written, member {at} asked");
        let key = format!("k{}", written % 50);
        match client.try_ask(&["SET", &key, &value]) {
            Ok(reply) if reply == "+OK" => {
                written += 1;
                continue;
            }
            Ok(reply) => {
                assert!(!reply.contains("MISCONF"), "{reply}");
                at = moved_to(&reply, &ports).unwrap_or(at);
            }
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(50));
        client = Client::try_connect(ports[at]).expect("a member that runs");
    }
    assert_ne!(at, first);
    assert_ne!(group.leader(), first);
    let info = group.client(first).ask(&["RAFT", "INFO"]);
    assert!(info.contains("disk:full"), "{info}");
    // It goes on as a follower, and comes along when there is room again.
    std::fs::remove_file(group.directory(first).path().join("ballast")).expect("the ballast");
    group.wait_until("it has all again", |group| {
        group.info(first, "applied") == group.info(at, "applied")
    });
}
