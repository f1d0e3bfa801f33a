//! A failing disk is reported as what it is, and costs no more than it must.

use std::fs;
use std::process::{Command, Stdio};

use crate::full_disk::Mount;
use crate::process::{Client, Directory};

use super::stage::{Process, file, server, until_it_says};

/// Writes until a write is refused, and how.
fn refusal(client: &mut Client) -> String {
    let value = "x".repeat(1 << 20);
    for n in 0..200 {
        let reply = client.ask(&["SET", &format!("k{n}"), &value]);
        if reply != "+OK" {
            return reply;
        }
    }
    panic!("nothing is refused");
}

fn until_writes_are_taken(client: &mut Client) {
    while client.ask(&["SET", "again", "1"]) != "+OK" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn limit(process: &Process, descriptors: &str) {
    let pid = format!("--pid={}", process.pid());
    let nofile = format!("--nofile={descriptors}");
    let status = Command::new("prlimit").args([&pid, &nofile]).status();
    assert!(status.expect("prlimit is there").success());
}

#[test]
fn a_want_of_descriptors_is_no_want_of_space() {
    let (directory, log) = file("no-descriptors");
    let options = ["--logfile", &log.display().to_string()];
    let data = directory.path().join("data");
    let mut process = Process::server(&data, &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    limit(&process, "8:8192");
    let refused = refusal(&mut client);
    assert_eq!(
        refused,
        "-MISCONF Errors writing to the AOF file: Too many open files"
    );
    assert_eq!(client.ask(&["EXISTS", "k0"]), ":1");
    until_it_says(&log, "the log cannot grow (Too many open files)");
    limit(&process, "8192:8192");
    until_writes_are_taken(&mut client);
    until_it_says(&log, "the log can grow again");
    assert!(process.is_alive());
    drop(client);
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn a_data_directory_that_is_gone_is_no_want_of_space() {
    let (directory, log) = file("no-directory");
    let (data, away) = (directory.path().join("data"), directory.path().join("away"));
    let options = ["--logfile", &log.display().to_string()];
    let process = Process::server(&data, &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    fs::rename(&data, &away).expect("it is there");
    assert_eq!(
        client.ask(&["SAVE"]),
        "-ERR the rewrite failed (No such file or directory); the log is as it was"
    );
    let status = client.ask(&["INFO", "persistence"]);
    assert!(status.contains("aof_last_bgrewrite_status:err"), "{status}");
    assert!(status.contains("aof_rewrite_scheduled:0"), "{status}");
    let refused = refusal(&mut client);
    assert_eq!(
        refused,
        "-MISCONF Errors writing to the AOF file: No such file or directory"
    );
    // It is tried again and again meanwhile.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let said = fs::read_to_string(&log).expect("it is there");
    assert_eq!(said.matches("the log cannot grow").count(), 1, "{said}");
    assert!(!said.contains("the log can grow again"), "{said}");
    fs::rename(&away, &data).expect("it is there");
    until_writes_are_taken(&mut client);
    until_it_says(&log, "the log can grow again");
    drop(client);
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn a_bound_on_files_ends_nothing_without_a_word() {
    let (directory, errors) = file("file-size");
    let (command, port) = server(&directory.path().join("data"), &[]);
    let mut shell = Command::new("sh");
    // A mebibyte, in blocks of 512 bytes.
    shell.args(["-c", "ulimit -f 2048; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    let write = fs::File::create(&errors).expect("a file");
    let mut process = Process::run(shell, port, Stdio::null(), write);
    assert_eq!(process.wait().code(), Some(1));
    until_it_says(&errors, "File too large");
}

#[test]
fn a_stop_ends_while_the_log_cannot_be_written() {
    let (directory, errors) = file("stop-beside-a-limit");
    let (command, port) = server(&directory.path().join("data"), &[]);
    let mut shell = Command::new("sh");
    // Forty mebibytes: a segment has room, and one large value has not.
    shell.args(["-c", "ulimit -f 81920; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    let write = fs::File::create(&errors).expect("a file");
    let process = Process::run(shell, port, Stdio::null(), write);
    let mut client = process.client();
    assert_eq!(client.ask(&["SET", "before", "1"]), "+OK");
    let value = "x".repeat(60 << 20);
    client.send(&["SET", "large", &value]).expect("it is taken");
    let mut other = process.client();
    let refused = "aof_last_write_status:err";
    while !other.ask(&["INFO", "persistence"]).contains(refused) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(process.stop(), Some(1));
    until_it_says(&errors, "shutting down while the log cannot be written");
    let data = directory.path().join("data");
    let process = Process::server(&data, &[], Stdio::null(), Stdio::null());
    let mut client = process.client();
    assert_eq!(client.ask(&["GET", "before"]), "1");
}

#[test]
fn a_volume_that_is_too_small_says_how_much_it_needs() {
    let directory = Directory::new("small");
    let (_errors_in, errors) = file("small-errors");
    let Some(_mount) = Mount::new(directory.path(), 20) else {
        println!("skipped: no right to mount a file system here");
        return;
    };
    let write = fs::File::create(&errors).expect("a file");
    let mut process = Process::server(directory.path(), &[], Stdio::null(), write);
    assert_eq!(process.wait().code(), Some(1));
    until_it_says(&errors, "it needs 64 MiB at first");
}

#[test]
fn a_log_of_more_files_than_may_be_open_is_read() {
    let directory = Directory::new("many-segments");
    let options = ["--auto-aof-rewrite-percentage", "0"];
    let process = Process::server(directory.path(), &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    let value = "x".repeat(16 << 20);
    for n in 0..36 {
        assert_eq!(client.ask(&["SET", &format!("k{}", n % 2), &value]), "+OK");
    }
    let open = fs::read_dir(format!("/proc/{}/fd", process.pid()));
    assert!(open.is_ok_and(|open| open.count() < 32));
    drop(client);
    assert_eq!(process.stop(), Some(0));
    let (command, port) = server(directory.path(), &options);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 33; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    let process = Process::run(shell, port, Stdio::null(), Stdio::null());
    assert_eq!(
        process.client().ask(&["STRLEN", "k1"]),
        format!(":{}", 16 << 20)
    );
}
