//! Deleted memory is given back to the system, although nobody asks for anything any more.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::process::Directory;

use super::stage::{HANGS, Process};

/// The memory of a process, in MiB of pages of 4 KiB.
fn resident_mib(process: &Process) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/statm", process.pid())).expect("it lives");
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages / 256
}

#[test]
fn what_is_deleted_is_given_back_while_nothing_happens() {
    let directory = Directory::new("memory");
    let options = ["--appendonly", "no"];
    let process = Process::server(directory.path(), &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    let value = "x".repeat(1000);
    let mut words = vec!["MSET".to_owned()];
    for batch in 0..200 {
        words.truncate(1);
        for n in 0..1000 {
            words.extend([format!("k{batch}:{n}"), value.clone()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(client.ask(&words), "+OK");
    }
    let full = resident_mib(&process);
    assert!(full > 190, "{full} MiB");
    assert_eq!(client.ask(&["FLUSHALL"]), "+OK");
    let began = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let left = resident_mib(&process);
        if left < full / 3 {
            println!("{full} MiB, and {left} MiB after {:?}", began.elapsed());
            return;
        }
        assert!(began.elapsed() < HANGS, "{left} of {full} MiB are kept");
    }
}
