//! The generator against servers that behave, and against some that do not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bench::load::requests::{Numbers, Template};
use bench::load::{closed, open};

/// A server that answers so many requests in all, and what it does then: it is given how many more
/// it has read.
fn server(mut answers: usize, and_then: fn(TcpStream, usize)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        // Others are taken by the system and heard by nobody.
        let (mut buffer, mut more) = ([0; 4096], 0);
        while answers > 0 {
            let length = stream.read(&mut buffer).unwrap_or(0);
            if length == 0 {
                return;
            }
            let requests = requests_in(&buffer[..length]);
            let replies = requests.min(answers);
            if stream.write_all(&b"+OK\r\n".repeat(replies)).is_err() {
                return;
            }
            answers -= replies;
            more = requests - replies;
        }
        and_then(stream, more);
    });
    address
}

fn requests_in(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'*').count() - 1
}

fn ends(stream: TcpStream, _: usize) {
    drop(stream);
}

fn ping() -> Template {
    Template::new(&["PING"])
}

/// The words of a load that fails, and how long it took to.
fn failing(address: SocketAddr, is_open: bool) -> (String, Duration) {
    let began = Instant::now();
    let mut numbers = Numbers::rising(10);
    let (time, patience) = (Duration::from_mins(1), Duration::from_secs(2));
    let result = if is_open {
        let how = open::Open {
            clients: 1,
            rate: 1000.0,
            time,
            patience,
        };
        open::run(address, &ping(), &mut numbers, how, None)
    } else {
        let mut how = closed::Closed::during(1, 4, time);
        how.patience = patience;
        closed::run(address, &ping(), &mut numbers, how)
    };
    let failure = result.expect_err("this server does not last");
    (failure.to_string(), began.elapsed())
}

#[test]
fn a_server_that_dies_ends_the_load_at_once() {
    for is_open in [false, true] {
        let (words, time) = failing(server(100, ends), is_open);
        assert!(words.contains("closed a connection"), "{words}");
        assert!(time < Duration::from_secs(5), "{time:?}");
    }
}

#[test]
fn a_server_that_stands_still_ends_the_load_when_patience_does() {
    let stands = |stream: TcpStream, _| {
        std::thread::sleep(Duration::from_secs(8));
        drop(stream);
    };
    let both = [false, true]
        .map(|is_open| std::thread::spawn(move || failing(server(100, stands), is_open)));
    for load in both {
        let (words, time) = load.join().unwrap();
        assert!(words.contains("answered nothing"), "{words}");
        assert!(time < Duration::from_secs(7), "{time:?}");
    }
}

#[test]
fn a_server_that_refuses_is_told_in_its_words() {
    let refuses = |mut stream: TcpStream, _| {
        let _ = stream.write_all(b"-OOM no more\r\n");
        std::thread::sleep(Duration::from_secs(5));
    };
    let (words, _) = failing(server(8, refuses), false);
    assert_eq!(words, "the server answers: OOM no more");
}

#[test]
fn nobody_listening_is_no_endless_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (words, _) = failing(address, false);
    assert!(words.contains("takes no connection"), "{words}");
}

#[test]
fn more_replies_than_requests_are_an_error() {
    let floods = |mut stream: TcpStream, _| {
        let _ = stream.write_all(&b"+OK\r\n".repeat(100));
        std::thread::sleep(Duration::from_secs(5));
    };
    for is_open in [false, true] {
        let (words, _) = failing(server(4, floods), is_open);
        assert!(words.contains("more replies"), "{words}");
    }
}

#[test]
fn requests_by_number_are_whole_batches() {
    let mut numbers = Numbers::rising(10);
    let how = closed::Closed::of(1, 16, 100);
    let address = server(usize::MAX, ends);
    let measured = closed::run(address, &ping(), &mut numbers, how).unwrap();
    assert_eq!(measured.requests, 112);
}

#[test]
fn an_open_loop_sends_what_the_rate_says_and_no_more() {
    let how = open::Open {
        clients: 1,
        rate: 2000.0,
        time: Duration::from_millis(500),
        patience: Duration::from_secs(2),
    };
    let mut numbers = Numbers::rising(10);
    let address = server(usize::MAX, ends);
    let measured = open::run(address, &ping(), &mut numbers, how, None).unwrap();
    assert_eq!(measured.requests, 1000);
    assert!(measured.elapsed >= Duration::from_millis(490));
}

#[test]
fn latency_counts_from_the_moment_that_was_meant() {
    // The server stands still for 300 ms: all requests of that time were late, not one.
    let pauses = |stream: TcpStream, more: usize| {
        std::thread::sleep(Duration::from_millis(300));
        let mut stream = stream;
        let _ = stream.write_all(&b"+OK\r\n".repeat(more));
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let requests = requests_in(&buffer[..length]);
            let _ = stream.write_all(&b"+OK\r\n".repeat(requests));
        }
    };
    let how = open::Open {
        clients: 1,
        rate: 1000.0,
        time: Duration::from_millis(600),
        patience: Duration::from_secs(2),
    };
    let mut numbers = Numbers::rising(10);
    let address = server(100, pauses);
    let measured = open::run(address, &ping(), &mut numbers, how, None).unwrap();
    assert_eq!(measured.requests, 600);
    // A third of all waited 100 ms and more.
    assert!(measured.latency_us(0.67) > 50_000.0, "{measured:?}");
}
