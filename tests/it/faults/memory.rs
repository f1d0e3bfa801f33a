//! Deleted memory is given back to the system, although nobody asks for anything any more.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
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

#[test]
fn a_large_element_is_given_back_when_its_collection_is_deleted() {
    let directory = Directory::new("elements");
    // The log is rewritten at once, with such an element in the base.
    let options = ["--auto-aof-rewrite-min-size", "1mb"];
    let process = Process::server(directory.path(), &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    let large = "x".repeat(40 << 20);
    for words in [
        &["RPUSH", "k", &large][..],
        &["SADD", "k", &large],
        &["ZADD", "k", "1", &large],
        &["HSET", "k", "f", &large],
    ] {
        for _ in 0..2 {
            assert_eq!(client.ask(words), ":1", "{}", words[0]);
            assert_eq!(client.ask(&["DEL", "k"]), ":1");
        }
        assert_eq!(client.ask(&["SAVE"]), "+OK");
        let began = Instant::now();
        while resident_mib(&process) > 35 {
            let kept = resident_mib(&process);
            assert!(
                began.elapsed() < HANGS,
                "{kept} MiB are kept after {}",
                words[0]
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The most memory that a process has had since it was last asked, in MiB.
fn peak_mib(process: &Process) -> u64 {
    let of = |file: &str| format!("/proc/{}/{file}", process.pid());
    let text = fs::read_to_string(of("status")).expect("it lives");
    let line = text
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("a peak");
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    fs::write(of("clear_refs"), "5").expect("the peak begins anew");
    kib / 1024
}

#[test]
fn a_reply_is_made_no_further_than_its_client_may_leave_unread() {
    let directory = Directory::new("replies");
    let options = ["--client-output-buffer-limit", "normal 8mb 0 0"];
    let process = Process::server(directory.path(), &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    let (value, item) = ("x".repeat(2000), "y".repeat(200_000));
    assert_eq!(client.ask(&["SADD", "s", &value]), ":1");
    assert_eq!(client.ask(&["ZADD", "z", "1", &value]), ":1");
    assert_eq!(client.ask(&["HSET", "h", &value, &value]), ":1");
    assert_eq!(client.ask(&["SET", "k", &item]), "+OK");
    assert_eq!(client.ask(&["RPUSH", "l", &item, &item]), ":2");
    let repeated = |name: &str, of: &str, times: usize| {
        let mut words = vec![name.to_owned()];
        words.extend(vec![of.to_owned(); times]);
        words.join(" ") + "\r\n"
    };
    let transaction = |read: &str, times: usize| {
        let reads = format!("{read}\r\n").repeat(times);
        format!("MULTI\r\n{reads}EXEC\r\n")
    };
    for asked in [
        "SRANDMEMBER s -1000000\r\n".to_owned(),
        "ZRANDMEMBER z -1000000 WITHSCORES\r\n".to_owned(),
        "HRANDFIELD h -9223372036854775807\r\n".to_owned(),
        repeated("MGET", "k", 1000),
        repeated("HMGET h", &value, 30),
        transaction("LRANGE l 0 -1", 1000),
        transaction("HRANDFIELD h -9223372036854775807", 1),
        transaction(&repeated("MGET", "k", 900), 2),
    ] {
        let shown = &asked[..asked.len().min(60)];
        let is_short = asked.starts_with("HMGET");
        peak_mib(&process);
        let mut stream = TcpStream::connect(("127.0.0.1", process.port)).expect("it listens");
        stream.set_read_timeout(Some(HANGS)).expect("a timeout");
        stream.write_all(asked.as_bytes()).expect("it takes it");
        if is_short {
            // What stays below the limit is answered.
            let mut some = [0; 4];
            stream.read_exact(&mut some).expect("an answer");
            assert_eq!(&some, b"*30\r");
            continue;
        }
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok() || rest.is_empty(), "{shown}: {ended:?}");
        assert!(rest.len() < 30_000, "{shown}: {} bytes came", rest.len());
        let peak = peak_mib(&process);
        assert!(peak < 120, "{shown}: {peak} MiB");
        assert_eq!(client.ask(&["PING"]), "+PONG");
    }
}
