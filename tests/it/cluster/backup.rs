//! Backups of members that run, and the way back after a majority is lost.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::group::Group;
use crate::process::{Client, Directory, Server, free_port};

/// Runs one of the program's tools: how it ends, and what it says.
fn tool(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(words)
        .output()
        .expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

/// A server of its own, made from a backup.
fn restored(name: &str, backup: &Path) -> (Group, String) {
    let directory = Directory::new(name);
    let (code, said) = tool(&["restore", text(backup), "--dir", text(directory.path())]);
    assert_eq!(code, Some(0), "{said}");
    (Group::alone_in(name, directory), said)
}

#[test]
fn members_are_backed_up_while_they_write() {
    let group = Group::form_always(
        "backup-running",
        3,
        &["--auto-aof-rewrite-min-size", "64kb"],
    );
    let leader = group.leader();
    let port = group.port(leader);
    let (stop, written) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let writer = {
        let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
        thread::spawn(move || {
            let mut client = Client::try_connect(port).expect("it leads");
            let value = "v".repeat(2000);
            while !stop.load(Ordering::Relaxed) {
                let number = written.load(Ordering::Relaxed) + 1;
                assert_eq!(client.ask(&["SET", &format!("k{number}"), &value]), "+OK");
                written.store(number, Ordering::Relaxed);
            }
        })
    };
    let files = Directory::new("backup-files");
    for round in 0..6 {
        thread::sleep(Duration::from_millis(100));
        let before = written.load(Ordering::Relaxed);
        let member = (leader + round) % 3;
        let file = files.path().join(format!("backup-{round}"));
        let (code, said) = tool(&["backup", text(group.directory(member).path()), text(&file)]);
        assert_eq!(code, Some(0), "{said}");
        let after = written.load(Ordering::Relaxed) + 1;
        let (copy, _) = restored("backup-copy", &file);
        let keys = copy.ask(&["DBSIZE"]);
        let keys: u64 = keys[1..].parse().expect("a number");
        // Whoever leads has written down all that it has acknowledged.
        assert!(member != leader || keys >= before, "{keys} of {before}");
        assert!(keys <= after, "{keys} of {after}");
        let last = format!("k{keys}");
        assert_eq!(
            copy.ask(&["STRLEN", &last]),
            ":2000",
            "and none is left out"
        );
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("every write was acknowledged");
}

#[test]
fn a_survivor_of_a_lost_majority_becomes_a_group_of_its_own() {
    let mut group = Group::form("backup-lost", 3);
    for number in 0..50 {
        let key = format!("k{number}");
        assert_eq!(group.ask(&["SET", &key, "v"]), "+OK");
    }
    assert_eq!(group.client(group.leader()).ask(&["WAIT", "2", "0"]), ":2");
    // Two are lost with their disks; the third is stopped.
    (0..3).for_each(|at| group.kill(at));
    let files = Directory::new("backup-lost-files");
    let file = files.path().join("backup");
    let survivor = group.directory(2).path();
    let (code, said) = tool(&["backup", text(survivor), text(&file)]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = tool(&["backup", text(survivor), text(&file)]);
    assert_eq!(code, Some(2), "nothing is written over: {said}");
    let (code, said) = tool(&["restore", text(&file), "--dir", text(survivor)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not empty"), "{said}");
    let (mut own, said) = restored("backup-own", &file);
    assert!(said.contains("WARNING"), "{said}");
    assert_eq!(own.ask(&["DBSIZE"]), ":50");
    assert_eq!(own.ask(&["SET", "more", "v"]), "+OK");
    own.join(0);
    own.wait_for_voters(2);
    // Who belonged to the former group has no part in it.
    let port = free_port();
    let peers = format!("1={},2=127.0.0.1:{port}", own.door(0));
    let former = Server::spawn(
        group.directory(1).path(),
        free_port(),
        &[
            "--cluster-port",
            &port.to_string(),
            "--id",
            "2",
            "--peers",
            &peers,
        ],
    );
    own.wait_until("a member of the former group is refused", |own| {
        let info = own.client(0).ask(&["INFO", "cluster"]);
        !info.contains("cluster_refused_members:0")
    });
    former.kill();
    // It keeps what it is across a restart.
    own.kill(1);
    own.kill(0);
    own.start(0);
    own.start(1);
    assert_eq!(own.ask(&["DBSIZE"]), ":51");
}

#[test]
fn what_is_no_backup_makes_no_directory() {
    let files = Directory::new("backup-none");
    let (none, dir) = (files.path().join("none"), files.path().join("dir"));
    let (code, said) = tool(&["backup", text(files.path()), text(&none)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not a data directory"), "{said}");
    std::fs::write(&none, "something else").expect("a file");
    let (code, said) = tool(&["restore", text(&none), "--dir", text(&dir)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not a complete backup"), "{said}");
    assert!(!dir.join("manifest").exists());
}
