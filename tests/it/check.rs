//! `seedis check` on directories of real servers: whole, torn, damaged, repaired, in use.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::process::{Directory, Server, free_port};

const ALWAYS: [&str; 2] = ["--appendfsync", "always"];

fn check(dir: &Path, options: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
    command
        .arg("check")
        .arg(dir)
        .args(options)
        .stdin(Stdio::null());
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().expect("it exits"), said)
}

/// A directory with ten keys, a rewrite after the fifth, left by kill -9.
fn written(directory: &Directory) {
    let server = Server::start(directory.path(), &ALWAYS);
    let mut client = server.client();
    for number in 0..10 {
        if number == 5 {
            assert_eq!(client.ask(&["SAVE"]), "+OK");
        }
        assert_eq!(client.ask(&["SET", &format!("k{number}"), "v"]), "+OK");
    }
    server.kill();
}

/// The log's last segment in use, and where its records end.
fn log_end(said: &str) -> (String, u64) {
    let line = said
        .lines()
        .find(|line| line.starts_with("log"))
        .expect("a line on the log");
    let (_, place) = line.rsplit_once("up to ").expect("a place");
    let (file, offset) = place.split_once(" at offset ").expect("an offset");
    (file.into(), offset.parse().expect("a number"))
}

fn content(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

#[test]
fn a_whole_directory_is_told_and_left_as_it_is() {
    let directory = Directory::new("check-whole");
    written(&directory);
    let before = content(directory.path());
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("whole\n"), "{said}");
    assert!(
        said.contains("base      5 keys, the state at entry"),
        "{said}"
    );
    let (code, _) = check(directory.path(), &["--repair", "--yes"]);
    assert_eq!(code, 0);
    assert_eq!(content(directory.path()), before);
}

#[test]
fn a_torn_tail_is_told_and_needs_no_repair() {
    let directory = Directory::new("check-torn");
    written(&directory);
    let (_, said) = check(directory.path(), &[]);
    let (file, end) = log_end(&said);
    let file = OpenOptions::new()
        .write(true)
        .open(directory.path().join(file))
        .expect("the segment");
    file.set_len(end - 3).expect("it is cut");
    let (code, said) = check(directory.path(), &["--repair", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("torn tail"), "{said}");
    let server = Server::start(directory.path(), &ALWAYS);
    assert_eq!(server.client().ask(&["DBSIZE"]), ":9");
}

#[test]
fn damage_is_told_and_cut_on_request_with_a_copy_kept() {
    let directory = Directory::new("check-damaged");
    written(&directory);
    let (_, said) = check(directory.path(), &[]);
    let (name, end) = log_end(&said);
    let path = directory.path().join(&name);
    let segment = OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("the segment");
    // Three records from the end or more: the last knew them to be synced.
    segment
        .write_all_at(b"?", end - 400)
        .expect("it is damaged");
    let before = content(directory.path());

    let refused = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(["--port", "0", "--unixsocket"])
        .arg(directory.path().join("socket"))
        .arg("--dir")
        .arg(directory.path())
        .output()
        .expect("it runs");
    assert!(!refused.status.success());
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("seedis check"), "{words}");

    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("DAMAGED: the log is damaged in log-"),
        "{said}"
    );
    let (code, said) = check(directory.path(), &["--repair"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--yes"), "{said}");
    let unchanged = |files: &[(String, Vec<u8>)]| {
        files
            .iter()
            .filter(|(path, _)| !path.ends_with("socket"))
            .eq(&before)
    };
    assert!(unchanged(&content(directory.path())));

    let (code, said) = check(directory.path(), &["--repair", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Lost: all writes after"), "{said}");
    let copy = directory.path().join(format!("{name}.damaged"));
    let damaged = before.iter().find(|(path, _)| path.ends_with(&name));
    assert_eq!(
        Some(&fs::read(copy).expect("the copy")),
        damaged.map(|(_, bytes)| bytes)
    );
    let server = Server::start(directory.path(), &ALWAYS);
    let keys: usize = server.client().ask(&["DBSIZE"])[1..]
        .parse()
        .expect("a number");
    assert!((5..10).contains(&keys), "{keys}");
    for number in 0..keys {
        assert_eq!(server.client().ask(&["GET", &format!("k{number}")]), "v");
    }
}

/// As a repair of the file system leaves it.
#[test]
fn a_log_of_zeros_behind_a_base_is_told_and_given_up_on_request() {
    let directory = Directory::new("check-zeros");
    written(&directory);
    let before = content(directory.path());
    let mut paths = before.iter().map(|(path, _)| path);
    let log = paths.find(|path| path.contains("log-")).expect("a log");
    let file = OpenOptions::new().write(true).open(log).expect("the log");
    let length = file.metadata().expect("a length").len();
    file.set_len(0)
        .and_then(|()| file.set_len(length))
        .expect("zeros");
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("acknowledged writes are lost"), "{said}");
    let (code, said) = check(directory.path(), &["--repair", "--yes"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 0, "{said}");
    let server = Server::start(directory.path(), &ALWAYS);
    assert_eq!(server.client().ask(&["DBSIZE"]), ":5");
}

#[test]
fn a_damaged_base_is_told_and_not_cut() {
    let directory = Directory::new("check-base");
    written(&directory);
    let before = content(directory.path());
    let (base, _) = before
        .iter()
        .find(|(path, _)| path.contains("base-"))
        .expect("a base");
    let base = OpenOptions::new().write(true).open(base).expect("the base");
    base.write_all_at(b"?", 60).expect("it is damaged");
    let before = content(directory.path());
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = check(directory.path(), &["--repair", "--yes"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("restore the directory from a copy"), "{said}");
    assert_eq!(content(directory.path()), before);
}

#[test]
fn what_is_in_use_or_no_data_directory_is_refused() {
    let directory = Directory::new("check-locked");
    let server = Server::start(directory.path(), &ALWAYS);
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("in use by a server"), "{said}");
    // A start script that removes what looks like a stale lock.
    fs::remove_file(directory.path().join("lock")).expect("the lock's file");
    let (code, said) = check(directory.path(), &[]);
    assert_eq!(code, 2, "{said}");
    let second = Command::new(env!("CARGO_BIN_EXE_seedis"))
        .args(["--port", &free_port().to_string(), "--dir"])
        .arg(directory.path())
        .output()
        .expect("a second server");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("in use by another server"), "{said}");
    server.kill();
    let (code, said) = check(&directory.path().join("nothing"), &[]);
    assert_eq!(code, 2, "{said}");
    let empty = directory.path().join("empty");
    fs::create_dir(&empty).expect("a directory");
    fs::write(empty.join("lock"), "").expect("a file");
    let (code, said) = check(&empty, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("not a data directory"), "{said}");
    let (code, _) = check(directory.path(), &["--yes"]);
    assert_eq!(code, 2);
}
