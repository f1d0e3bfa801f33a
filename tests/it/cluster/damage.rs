//! A member whose log is damaged on its disk, or replaced by an older copy of itself, takes it
//! again from the others.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
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

/// The content of a directory, file by file.
fn copied(group: &Group, at: usize) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(group.directory(at).path()).expect("the directory");
    let files = files.map(|file| file.expect("a file").path());
    files
        .map(|path| (path.clone(), std::fs::read(&path).expect("its bytes")))
        .collect()
}

/// Puts it back in the place of all that is there.
fn put_back(group: &Group, at: usize, copy: &[(PathBuf, Vec<u8>)]) {
    for (path, _) in copied(group, at) {
        std::fs::remove_file(path).expect("it goes");
    }
    for (path, bytes) in copy {
        std::fs::write(path, bytes).expect("it is there again");
    }
}

/// How far the leader knows each of the others to hold the log, as its INFO says.
fn offsets(replication: &str) -> Vec<u64> {
    let members = replication.lines().filter(|line| line.starts_with("slave"));
    let offsets = members.filter_map(|line| line.split(",offset=").nth(1)?.split(',').next());
    offsets.filter_map(|offset| offset.parse().ok()).collect()
}

#[test]
fn an_older_copy_of_a_member_says_so_and_takes_the_rest_from_the_others() {
    let mut group = Group::form("cluster-older", 3);
    assert_eq!(group.ask(&["SET", "before", "v"]), "+OK");
    let leader = group.leader();
    let at = (leader + 1) % 3;
    let applied =
        |at: usize| move |group: &Group| group.info(at, "applied") == group.info(leader, "applied");
    group.wait_until("it has all", applied(at));
    group.kill(at);
    let copy = copied(&group, at);
    group.start(at);
    for number in 0..50 {
        let key = format!("k{number}");
        assert_eq!(group.ask(&["SET", &key, "v"]), "+OK");
    }
    // A member applies what others have committed before it is on its own disk: only what it has
    // acknowledged is what its leader can miss.
    group.wait_until("the leader knows that all have it", |group| {
        let held = offsets(&group.says(leader, &["INFO", "replication"]));
        let commit = group.info(leader, "commit");
        let commit = commit.and_then(|commit| commit.parse().ok());
        held.len() == 2
            && held
                .iter()
                .all(|held| commit.is_some_and(|commit| *held >= commit))
    });
    group.kill(at);
    put_back(&group, at, &copy);
    group.log_again(at);
    group.start(at);
    group.wait_until("it says what it lacks", |group| {
        let said = group.log(at);
        said.contains("this directory is older than what this member had acknowledged")
    });
    group.wait_until("it is whole again", |group| {
        let is_whole = group.info(at, "repairing").as_deref() == Some("0");
        is_whole && applied(at)(group)
    });
    group.wait_until("it says so", |group| {
        group.log(at).contains("repaired: all is there again")
    });
    assert_eq!(group.digest(at), group.digest(leader));
    // It has a vote again, and what it had acknowledged outlives the one that knew.
    group.kill(leader);
    assert_eq!(group.ask(&["GET", "k49"]), "v");
    assert_eq!(group.ask(&["SET", "after", "x"]), "+OK");
}
