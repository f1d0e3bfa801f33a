//! Clients of a real process that wait for lists and sorted sets: they are served in order, time
//! out, are unblocked, go away, and are there when the server stops.

use std::time::{Duration, Instant};

use crate::process::{Client, Directory, Server};

fn server(name: &str, options: &[&str]) -> (Directory, Server) {
    let directory = Directory::new(name);
    let server = Server::start(directory.path(), options);
    (directory, server)
}

/// A client that waits, once it is known to.
fn waiting(server: &Server, words: &[&str]) -> Client {
    let before = blocked(server);
    let mut client = server.client();
    client.send(words).expect("it is taken");
    until("it waits", || blocked(server) == before + 1);
    client
}

fn blocked(server: &Server) -> u64 {
    let told = server.client().ask(&["INFO", "clients"]);
    let line = told
        .lines()
        .find_map(|l| l.strip_prefix("blocked_clients:"));
    line.and_then(|number| number.parse().ok())
        .expect("a number")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn clients_that_wait_are_shown_and_served_in_their_order() {
    let (_directory, server) = server("waits-order", &[]);
    let mut first = waiting(&server, &["BLPOP", "q", "other", "0"]);
    let mut second = waiting(&server, &["BRPOP", "q", "0"]);
    let mut third = waiting(&server, &["BZPOPMIN", "q", "0"]);
    let mut client = server.client();
    let shown = client.ask(&["CLIENT", "LIST"]);
    for name in ["blpop", "brpop", "bzpopmin"] {
        let line = shown.lines().find(|l| l.contains(&format!("cmd={name} ")));
        assert!(line.is_some_and(|l| l.contains(" flags=b ")), "{shown}");
    }
    let told = client.ask(&["INFO", "clients"]);
    assert!(told.contains("total_blocking_keys:2"), "{told}");
    assert_eq!(client.ask(&["RPUSH", "q", "1", "2", "3"]), ":3");
    assert_eq!(first.reply().unwrap(), "q 1");
    assert_eq!(second.reply().unwrap(), "q 3");
    assert_eq!(client.ask(&["LRANGE", "q", "0", "-1"]), "2");
    assert_eq!(client.ask(&["DEL", "q"]), ":1");
    assert_eq!(client.ask(&["ZADD", "q", "1", "member"]), ":1");
    assert_eq!(third.reply().unwrap(), "q member 1");
    let told = client.ask(&["INFO", "clients"]);
    assert!(told.contains("blocked_clients:0"), "{told}");
    assert!(told.contains("total_blocking_keys:0"), "{told}");
}

#[test]
fn another_client_ends_a_wait() {
    let (_directory, server) = server("waits-unblock", &[]);
    let mut client = server.client();
    let mut waits = server.client();
    let id = waits.ask(&["CLIENT", "ID"])[1..].to_owned();
    for (words, reason, told) in [
        (&["BLPOP", "q", "0"][..], &[][..], "*-1"),
        (&["BZMPOP", "0", "1", "q", "MIN"], &["TIMEOUT"], "*-1"),
        (
            &["BLMOVE", "q", "r", "LEFT", "LEFT", "0"],
            &["error"],
            "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
        ),
        (&["WAIT", "1", "0"], &[], ":0"),
        (
            &["WAIT", "1", "0"],
            &["ERROR"],
            "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
        ),
    ] {
        waits.send(words).unwrap();
        until("it waits", || blocked(&server) == 1);
        let ask = [&["CLIENT", "UNBLOCK", &id], reason].concat();
        assert_eq!(client.ask(&ask), ":1", "{words:?}");
        assert_eq!(waits.reply().unwrap(), told, "{words:?}");
        assert_eq!(client.ask(&ask), ":0", "{words:?}");
    }
    assert_eq!(waits.ask(&["PING"]), "+PONG");
    // Nothing was taken for a client that was told that it waits no longer.
    assert_eq!(client.ask(&["RPUSH", "q", "1"]), ":1");
    assert_eq!(client.ask(&["LLEN", "q"]), ":1");
}

#[test]
fn nothing_is_taken_for_a_client_that_has_gone() {
    let (_directory, server) = server("waits-gone", &[]);
    let mut client = server.client();
    for _ in 0..20 {
        // A process that is killed ends its connection in order, or, where something was not read,
        // without.
        let gone = waiting(&server, &["BLPOP", "q", "0"]);
        let mut unread = server.client();
        unread.send(&["PING"]).unwrap();
        unread.send(&["BLPOP", "q", "r", "0"]).unwrap();
        until("it waits", || blocked(&server) == 2);
        let mut left = waiting(&server, &["BLPOP", "q", "0"]);
        drop(gone);
        drop(unread);
        until("they are gone", || blocked(&server) == 1);
        assert_eq!(client.ask(&["RPUSH", "q", "1"]), ":1");
        assert_eq!(left.reply().unwrap(), "q 1");
    }
    // One that is closed by another client was not served either.
    let killed = waiting(&server, &["BLPOP", "q", "0"]);
    assert_ne!(client.ask(&["CLIENT", "KILL", "TYPE", "normal"]), ":0");
    assert_eq!(client.ask(&["RPUSH", "q", "1"]), ":1");
    assert_eq!(client.ask(&["LLEN", "q"]), ":1");
    drop(killed);
}

#[test]
fn waiting_costs_no_entry_and_no_silence_ends_it() {
    let (_directory, server) = server("waits-idle", &["--timeout", "1"]);
    let mut client = server.client();
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    let entries = |client: &mut Client| {
        let told = client.ask(&["RAFT", "INFO"]);
        let line = told.lines().find(|l| l.starts_with("last:"));
        line.map(str::to_owned).expect("a line")
    };
    let before = entries(&mut client);
    let mut all: Vec<Client> = (0..50).map(|_| server.client()).collect();
    for _ in 0..3 {
        for waits in &mut all {
            waits.send(&["BRPOP", "q", "r", "0.6"]).unwrap();
        }
        for waits in &mut all {
            assert_eq!(waits.reply().unwrap(), "*-1");
        }
    }
    // One wait is longer than a client may be silent.
    all[0].send(&["BRPOP", "q", "r", "2.5"]).unwrap();
    assert_eq!(all[0].reply().unwrap(), "*-1");
    assert_eq!(entries(&mut server.client()), before);
}

#[test]
fn a_server_stops_although_clients_wait() {
    let (directory, server) = server("waits-stop", &[]);
    let mut waits = waiting(&server, &["BLPOP", "q", "0"]);
    let mut client = server.client();
    client.send(&["SHUTDOWN"]).unwrap();
    assert_eq!(server.wait(), Some(0));
    let last = waits.reply();
    assert!(last.is_err(), "{last:?}");
    // Nobody waits after a restart.
    let server = Server::start(directory.path(), &[]);
    assert_eq!(server.client().ask(&["RPUSH", "q", "1"]), ":1");
    assert_eq!(server.client().ask(&["LLEN", "q"]), ":1");
}

#[test]
fn a_wait_goes_on_when_the_state_is_loaded_again() {
    let (_directory, server) = server("waits-reload", &["--enable-debug-command", "yes"]);
    let mut waits = waiting(&server, &["BLPOP", "q", "0"]);
    let mut client = server.client();
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    assert_eq!(client.ask(&["DEBUG", "RELOAD"]), "+OK");
    assert_eq!(client.ask(&["RPUSH", "q", "1"]), ":1");
    assert_eq!(waits.reply().unwrap(), "q 1");
    assert_eq!(client.ask(&["EXISTS", "q"]), ":0");
}

#[test]
fn a_crowd_of_clients_waits_for_one_key_and_each_has_one_item() {
    const CROWD: usize = 500;
    let (_directory, server) = server("waits-crowd", &[]);
    let mut all: Vec<Client> = (0..CROWD).map(|_| server.client()).collect();
    for (number, waits) in all.iter_mut().enumerate() {
        waits.send(&["BLPOP", "q", "0"]).unwrap();
        if number % 100 == 0 {
            until("it waits", || blocked(&server) == number as u64 + 1);
        }
    }
    until("all wait", || blocked(&server) == CROWD as u64);
    let mut client = server.client();
    let items: Vec<String> = (0..CROWD).map(|number| number.to_string()).collect();
    let (most, last) = items.split_at(CROWD - 100);
    let push = |items: &[String]| {
        let words = ["RPUSH", "there"].map(str::to_owned);
        [&words[..], items].concat()
    };
    let words = push(most);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(client.ask(&words), format!(":{}", most.len()));
    assert_eq!(client.ask(&["RENAME", "there", "q"]), "+OK");
    for item in last {
        assert_eq!(client.ask(&["RPUSH", "q", item]), ":1");
    }
    let mut given: Vec<usize> = Vec::new();
    for waits in &mut all {
        let reply = waits.reply().unwrap();
        let item = reply.strip_prefix("q ").and_then(|item| item.parse().ok());
        given.push(item.unwrap_or_else(|| panic!("{reply}")));
    }
    given.sort_unstable();
    assert_eq!(given, (0..CROWD).collect::<Vec<_>>());
    assert_eq!(client.ask(&["EXISTS", "q"]), ":0");
}
