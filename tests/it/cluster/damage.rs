//! A member whose log is damaged on its disk takes it again from the others.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::process::Command;

use super::group::Group;

/// Turns a bit of a member's first segment, in front of what later records know to be synced.
fn damage(group: &Group, at: usize) {
    let path = group
        .directory(at)
        .path()
        .join("log-00000000000000000001.aof");
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.expect("the first segment");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 700).expect("a byte");
    file.write_all_at(&[byte[0] ^ 4], 700).expect("another");
}

#[test]
fn a_damaged_member_takes_its_log_again_from_the_others() {
    let mut group = Group::form("cluster-damage", 3);
    for number in 0..50 {
        let key = format!("k{number}");
        assert_eq!(group.ask(&["SET", &key, "v"]), "+OK");
    }
    let at = (group.leader() + 1) % 3;
    group.kill(at);
    damage(&group, at);
    // Cutting the log would cut what the member has promised.
    let repair = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .arg("check")
        .arg(group.directory(at).path())
        .args(["--repair", "--yes"])
        .output()
        .expect("it runs");
    assert_eq!(repair.status.code(), Some(2));
    let said = String::from_utf8_lossy(&repair.stderr).into_owned();
    assert!(said.contains("member of a group"), "{said}");
    assert_eq!(group.ask(&["SET", "meanwhile", "w"]), "+OK");
    group.start(at);
    group.wait_until("it is whole again", |group| {
        let leader = group.leader();
        let same = |field| group.info(at, field) == group.info(leader, field);
        group.info(at, "repairing").as_deref() == Some("0") && same("applied")
    });
    assert_eq!(group.digest(at), group.digest(group.leader()));
    // It counts: the group can do without another one now.
    let other = (0..3).find(|other| *other != at && *other != group.leader());
    group.kill(other.expect("one of three"));
    assert_eq!(group.ask(&["GET", "meanwhile"]), "w");
    assert_eq!(group.ask(&["SET", "after", "x"]), "+OK");
}
