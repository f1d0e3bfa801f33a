//! Processes that come to a group at one moment, and those that wait for others.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::group::Group;
use super::last_words;
use crate::process::{Directory, Server, free_port};

#[test]
fn newcomers_that_come_at_one_moment_have_a_number_each() {
    let mut group = Group::alone("arrivals-together");
    assert_eq!(group.ask(&["SET", "a", "1"]), "+OK");
    let second = group.join(0);
    group.wait_for_voters(2);
    // Through a follower too, which sends them on.
    let doors = [0, second, second];
    let newcomers = doors.map(|door| group.join(door));
    group.wait_for_voters(5);
    let nodes = group.ask(&["RAFT", "NODES"]);
    let numbers = nodes.lines().filter_map(|line| line.split(' ').next());
    assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    let mut ids: Vec<_> = newcomers.iter().map(|at| group.info(*at, "id")).collect();
    ids.sort();
    assert_eq!(ids, ["3", "4", "5"].map(|id| Some(id.to_owned())));
    // One that has died on its way has the same number when it comes again.
    group.kill(newcomers[0]);
    let before = group.ask(&["RAFT", "NODES"]);
    group.start(newcomers[0]);
    group.wait_for_voters(5);
    assert_eq!(group.ask(&["RAFT", "NODES"]), before);
}

#[test]
fn of_two_that_want_one_number_one_has_it_and_the_other_is_told() {
    let group = Group::alone("arrivals-same");
    let door = group.door(0);
    let directories = ["a", "b"].map(|name| Directory::new(&format!("arrivals-same-{name}")));
    let mut running: Vec<Child> = directories
        .iter()
        .map(|directory| {
            let port = free_port().to_string();
            Command::new(env!("CARGO_BIN_EXE_seedis"))
                .args(["--port", &free_port().to_string(), "--dir"])
                .arg(directory.path())
                .args(["--join", &door, "--cluster-port", &port, "--id", "7"])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    group.wait_for_voters(2);
    let begun = Instant::now();
    let ended = loop {
        let ended = running
            .iter_mut()
            .position(|one| one.try_wait().unwrap().is_some());
        if let Some(ended) = ended {
            break ended;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "both go on");
        std::thread::sleep(Duration::from_millis(20));
    };
    let loser = running.remove(ended).wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&loser.stderr);
    assert_eq!(loser.status.code(), Some(1), "{words}");
    assert!(
        words.contains("number 7 belongs to a member with another disk"),
        "{words}"
    );
    for mut other in running {
        assert!(other.try_wait().unwrap().is_none());
        let _ = other.kill();
        let _ = other.wait();
    }
}

/// Starts a process that waits, and gives its log when that says something.
fn waits_saying(name: &str, options: &[&str], wanted: &str) -> String {
    let directory = Directory::new(name);
    let log = directory.path().with_extension("log");
    let shown = log.display().to_string();
    let port = free_port().to_string();
    let mut all = vec!["--logfile", &shown, "--cluster-port", &port];
    all.extend(options);
    let server = Server::spawn(directory.path(), free_port(), &all);
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if text.contains(wanted) {
            // It can be stopped while it waits.
            server.signal("TERM");
            assert_eq!(server.wait(), Some(0));
            let _ = std::fs::remove_file(&log);
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_process_that_waits_for_others_says_for_whom_and_why() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let text = waits_saying("arrivals-wait", &["--join", &nobody], "waiting to join");
    assert!(text.contains(&nobody) && text.contains("refused"), "{text}");
    let (own, other) = (free_port(), free_port());
    let peers = format!("1=127.0.0.1:{own},2=127.0.0.1:{other}");
    let text = waits_saying(
        "arrivals-form",
        &["--id", "1", "--peers", &peers],
        "waiting to form the group: member 2 at ",
    );
    assert!(text.contains("forming a group of members 1, 2"), "{text}");
    // A directory that keeps no number says what it is.
    let empty = Directory::new("arrivals-no-port");
    let (code, words) = last_words(&empty, &["--join", &nobody, "--port", "0"]);
    assert_eq!(code, Some(2), "{words}");
}
