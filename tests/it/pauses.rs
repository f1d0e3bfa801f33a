//! CLIENT PAUSE: what waits is kept whole, is counted, and keeps nobody for ever.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::process::{Directory, Server};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("a limit");
    stream
}

/// The value of a field of INFO clients.
fn told(server: &Server, field: &str) -> String {
    let text = server.client().ask(&["INFO", "clients"]);
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| *name == field);
    found.expect("a field").1.to_owned()
}

fn waits_for(server: &Server, count: &str) {
    let begun = Instant::now();
    while told(server, "blocked_clients") != count {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "they do not wait"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
    bytes
}

#[test]
fn a_pause_keeps_large_and_small_requests_and_is_told_of() {
    let directory = Directory::new("pauses");
    let server = Server::start(directory.path(), &[]);
    assert_eq!(told(&server, "paused_reason"), "none");
    assert_eq!(told(&server, "paused_actions"), "none");
    assert_eq!(told(&server, "paused_timeout_milliseconds"), "0");
    let pause = ["CLIENT", "PAUSE", "600000", "WRITE"];
    assert_eq!(server.client().ask(&pause), "+OK");
    assert_eq!(told(&server, "paused_reason"), "client_pause");
    assert_eq!(told(&server, "paused_actions"), "write");
    let left = told(&server, "paused_timeout_milliseconds");
    let left: u64 = left.parse().expect("a number");
    assert!((1..=600_000).contains(&left), "{left}");

    let mut small = connect(&server);
    let asked = [request(&["APPEND", "k", "1"]), request(&["PING"])].concat();
    small.write_all(&asked).expect("it is taken");
    waits_for(&server, "1");
    // An argument that is not copied when its request is run is put together meanwhile.
    let value = "x".repeat(9 << 20);
    let mut large = connect(&server);
    let asked = [
        request(&["GET", "k"]),
        request(&["SET", "large", &value]),
        request(&["STRLEN", "large"]),
    ];
    large.write_all(&asked.concat()).expect("it is taken");
    let mut first = [0; 5];
    large
        .read_exact(&mut first)
        .expect("what reads does not wait");
    assert_eq!(&first, b"$-1\r\n");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.client().ask(&["EXISTS", "k", "large"]), ":0");

    assert_eq!(server.client().ask(&["CLIENT", "UNPAUSE"]), "+OK");
    for (client, wanted) in [
        (&mut small, ":1\r\n+PONG\r\n"),
        (&mut large, "+OK\r\n:9437184\r\n"),
    ] {
        client.shutdown(Shutdown::Write).expect("an end");
        let mut replies = String::new();
        client.read_to_string(&mut replies).expect("all replies");
        assert_eq!(replies, wanted);
    }
    waits_for(&server, "0");
}

#[test]
fn a_client_that_sends_no_more_does_not_outlast_a_pause() {
    let directory = Directory::new("pauses-end");
    let server = Server::start(directory.path(), &[]);
    let pause = ["CLIENT", "PAUSE", "600000", "WRITE"];
    assert_eq!(server.client().ask(&pause), "+OK");
    let value = "x".repeat(9 << 20);
    for own in [&["SET", "k", "1"][..], &["SET", "k", &value][..]] {
        let mut client = connect(&server);
        let asked = [request(&["PING"]), request(own), request(&["PING"])].concat();
        client.write_all(&asked).expect("it is taken");
        client.shutdown(Shutdown::Write).expect("an end");
        let mut replies = String::new();
        client.read_to_string(&mut replies).expect("an end");
        assert_eq!(replies, "+PONG\r\n");
    }
    assert_eq!(server.client().ask(&["EXISTS", "k"]), ":0");
    assert_eq!(told(&server, "blocked_clients"), "0");
}
