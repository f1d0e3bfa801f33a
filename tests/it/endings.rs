//! How clients end: what they have asked is answered, and what they do not read keeps nobody.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::process::{Directory, Server};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("a limit");
    stream.set_write_timeout(patience).expect("a limit");
    stream
}

/// Sends all at once, says that no more comes, and reads to the end.
fn tell_and_end(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(bytes).expect("it is taken");
    stream.shutdown(Shutdown::Write).expect("an end");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("replies to the end");
    all
}

/// Reads until the server closes; what came, and whether it was cut off hard.
fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => (all, false),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (all, true),
        Err(error) => panic!("it is not closed: {error}"),
    }
}

/// A client that has asked for much and reads nothing.
fn stuck(server: &Server, name: &str) -> TcpStream {
    let mut stream = connect(server);
    let ask = format!("CLIENT SETNAME {name}\r\n{}", "GET big\r\n".repeat(8));
    stream.write_all(ask.as_bytes()).expect("it is taken");
    stream
}

/// Waits until no client of this name is listed.
fn is_gone_soon(server: &Server, name: &str) {
    let (mut client, begun) = (server.client(), Instant::now());
    while client.ask(&["CLIENT", "LIST"]).contains(name) {
        assert!(begun.elapsed() < Duration::from_secs(30), "it stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn server(options: &[&str]) -> (Directory, Server) {
    let directory = Directory::new("endings");
    let server = Server::start(directory.path(), options);
    let value = "x".repeat(8 << 20);
    server.client().try_ask(&["SET", "big", &value]).ok();
    (directory, server)
}

#[test]
fn what_was_asked_before_the_end_of_input_is_answered() {
    let (_directory, server) = server(&["--appendfsync", "always"]);
    let plain = "SET a 1\r\nGET a\r\nPING\r\n";
    let exec = "MULTI\r\nINCR n\r\nGET a\r\nEXEC\r\nGET n\r\n";
    let wait = "SET a 2\r\nWAIT 3 200\r\nGET a\r\n";
    for _ in 0..10 {
        assert_eq!(
            tell_and_end(&server, plain.as_bytes()),
            "+OK\r\n$1\r\n1\r\n+PONG\r\n"
        );
        let replies = tell_and_end(&server, exec.as_bytes());
        assert!(
            replies.starts_with("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:"),
            "{replies}"
        );
        assert_eq!(replies.matches('$').count(), 2, "{replies}");
    }
    assert_eq!(
        tell_and_end(&server, wait.as_bytes()),
        "+OK\r\n:0\r\n$1\r\n2\r\n"
    );
    // What is no whole request is nobody's.
    assert_eq!(tell_and_end(&server, b"PING\r\nSET half"), "+PONG\r\n");
    let many = tell_and_end(&server, "GET big\r\n".repeat(4).as_bytes());
    assert_eq!(many.len(), 4 * ((8 << 20) + "$8388608\r\n\r\n".len()));
}

#[test]
fn a_client_that_goes_away_in_a_wait_keeps_no_place() {
    let directory = Directory::new("wait-ends");
    let socket = directory.path().join("socket");
    let socket = socket.to_str().expect("a path");
    let server = Server::start(directory.path(), &["--unixsocket", socket]);
    let ask = |name: &str, wait: &str| format!("CLIENT SETNAME {name}\r\n{wait}\r\n").into_bytes();
    let mut gone = connect(&server);
    gone.write_all(&ask("gone", "WAIT 1 0")).expect("taken");
    let mut local = std::os::unix::net::UnixStream::connect(socket).expect("a connection");
    local
        .write_all(&ask("local", "WAIT 1 900000"))
        .expect("taken");
    // What stands behind the wait is more than is read of a client that waits.
    let mut full = connect(&server);
    full.write_all(&ask("full", "WAIT 1 0")).expect("taken");
    let listed = |name: &str| server.client().ask(&["CLIENT", "LIST"]).contains(name);
    let begun = Instant::now();
    while !["gone", "local", "full"].into_iter().all(listed) {
        assert!(begun.elapsed() < Duration::from_secs(30), "not listed");
    }
    full.write_all(&b"PING\r\n".repeat(1000)).expect("taken");
    drop(gone);
    drop(local);
    full.shutdown(Shutdown::Write).expect("an end");
    for name in ["gone", "local", "full"] {
        is_gone_soon(&server, name);
    }
    // Whoever still reads has all that it has asked for.
    let (replies, is_cut) = read_to_end(&mut full);
    assert!(!is_cut);
    let wanted = format!("+OK\r\n:0\r\n{}", "+PONG\r\n".repeat(1000));
    assert_eq!(String::from_utf8_lossy(&replies), wanted);
    let told = server.client().ask(&["INFO", "clients"]);
    assert!(told.contains("blocked_clients:0"), "{told}");
}

#[test]
fn a_client_that_does_not_read_is_closed_by_kill_and_by_timeout() {
    let (_directory, server) = server(&[]);
    let _first = stuck(&server, "first");
    std::thread::sleep(Duration::from_millis(200));
    let killed = server.client().ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_ne!(killed, ":0");
    is_gone_soon(&server, "first");
    let _second = stuck(&server, "second");
    server.client().ask(&["CONFIG", "SET", "timeout", "1"]);
    is_gone_soon(&server, "second");
    server.client().ask(&["CONFIG", "SET", "timeout", "0"]);
    let mut third = stuck(&server, "third");
    // It wants to leave, and does not take what it is owed.
    third.write_all(b"QUIT\r\n").expect("it is taken");
    is_gone_soon(&server, "third");
}

#[test]
fn a_client_over_its_output_limit_is_closed_and_one_within_it_is_not() {
    let (_directory, server) = server(&[]);
    let mut client = server.client();
    let name = "client-output-buffer-limit";
    assert_eq!(
        client.ask(&["CONFIG", "SET", name, "normal 4mb 0 0"]),
        "+OK"
    );
    let shown = client.ask(&["CONFIG", "GET", name]);
    assert!(
        shown
            .ends_with("normal 4194304 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
        "{shown}"
    );
    let mut hard = stuck(&server, "hard");
    read_to_end(&mut hard);
    assert_eq!(
        client.ask(&["CONFIG", "SET", name, "normal 0 1mb 1"]),
        "+OK"
    );
    let _soft = stuck(&server, "soft");
    is_gone_soon(&server, "soft");
    // It reads, and what it reads does not count.
    assert_eq!(server.client().ask(&["GET", "big"]).len(), 8 << 20);
    let stats = client.ask(&["INFO", "stats"]);
    assert!(
        stats.contains("client_output_buffer_limit_disconnections:2"),
        "{stats}"
    );
}

#[test]
fn without_a_password_given_little_may_wait_for_a_client() {
    let (_directory, server) = {
        let directory = Directory::new("endings");
        let server = Server::spawn(
            directory.path(),
            crate::process::free_port(),
            &["--requirepass", "secret"],
        );
        (directory, server)
    };
    let begun = Instant::now();
    let mut client = loop {
        match crate::process::Client::try_connect(server.port) {
            Ok(client) => break client,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut flood = connect(&server);
    let mut sent = 0_usize;
    // It is closed; a write after that fails, sooner or later.
    while flood.write_all("GET a\r\n".repeat(9000).as_bytes()).is_ok() {
        sent += 63_000;
        assert!(sent < 64 << 20, "it may go on for ever");
    }
    // Its answer to a sensible number of mistakes arrives, and it may still authenticate.
    for _ in 0..20 {
        client.send(&["GET", "a"]).expect("it is taken");
    }
    client.send(&["AUTH", "secret"]).expect("it is taken");
    for _ in 0..20 {
        assert!(client.reply().expect("a reply").starts_with("-NOAUTH"));
    }
    assert_eq!(client.reply().expect("a reply"), "+OK");
}

#[test]
fn what_speaks_http_runs_nothing() {
    let (_directory, server) = server(&[]);
    let heads = [
        &["POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET pwned 1\r\n"][..],
        &["pO", "st / HTTP/1.1\r\n", "SET pwned 1\r\n"],
        &["GET / HTTP/1.1\r\nhOST: localhost\r\n\r\nSET pwned 1\r\n"],
        &["*1\r\n$4\r\nPOST\r\nSET pwned 1\r\n"],
    ];
    for pieces in heads {
        let mut stream = connect(&server);
        for piece in pieces {
            // The last ones may find it closed.
            let _ = stream.write_all(piece.as_bytes());
            std::thread::sleep(Duration::from_millis(20));
        }
        read_to_end(&mut stream);
        assert_eq!(
            server.client().ask(&["EXISTS", "pwned"]),
            ":0",
            "{pieces:?}"
        );
    }
}

#[test]
fn the_last_words_arrive_though_the_client_has_said_more() {
    let (_directory, server) = server(&["--maxclients", "2"]);
    let wrong = format!("*1\r\n$x\r\n{}", "PING\r\n".repeat(50_000));
    for _ in 0..10 {
        let mut stream = connect(&server);
        stream.write_all(wrong.as_bytes()).expect("it is taken");
        let (said, is_reset) = read_to_end(&mut stream);
        assert!(!is_reset, "the error is lost");
        assert!(
            said.starts_with(b"-ERR Protocol error"),
            "{}",
            said.escape_ascii()
        );
        let one = server.client();
        let two = server.client();
        let mut three = connect(&server);
        let _ = three.write_all("PING\r\n".repeat(1000).as_bytes());
        let (said, is_reset) = read_to_end(&mut three);
        assert!(!is_reset, "the error is lost");
        assert!(
            said.starts_with(b"-ERR max number"),
            "{}",
            said.escape_ascii()
        );
        drop((one, two));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_pipeline_may_be_written_whole_before_it_is_read() {
    let (_directory, server) = server(&["--appendonly", "no"]);
    let value = "x".repeat(1000);
    server.client().ask(&["SET", "small", &value]);
    let (count, mut stream) = (100_000, connect(&server));
    let asked = "GET small\r\n".repeat(count);
    stream
        .write_all(asked.as_bytes())
        .expect("it is taken without reading");
    let mut left = count * ("$1000\r\n\r\n".len() + 1000);
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let got = stream.read(&mut buffer).expect("replies");
        assert_ne!(got, 0, "{left} bytes are missing");
        left -= got;
    }
}

#[test]
fn what_clients_have_waiting_counts_as_memory() {
    let directory = Directory::new("endings");
    let options = ["--maxmemory", "20mb", "--appendonly", "no"];
    let server = Server::start(directory.path(), &options);
    let value = "x".repeat(1_000_000);
    let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    let (mut queued, mut refused) = (0, 0);
    for client in &mut clients {
        assert_eq!(client.ask(&["MULTI"]), "+OK");
        // More than fits for one of them alone, so that the first has been refused something.
        for _ in 0..25 {
            match client.ask(&["SET", "k", &value]).as_str() {
                "+QUEUED" => queued += 1,
                error => {
                    assert!(error.starts_with("-OOM"), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(
        queued <= 25 && refused >= 75,
        "{queued} queued, {refused} refused"
    );
    let answer = clients[0].ask(&["EXEC"]);
    assert!(answer.starts_with("-EXECABORT"), "{answer}");
    drop(clients);
    let begun = Instant::now();
    while server.client().ask(&["SET", "k", "v"]) != "+OK" {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "memory is not given back"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn clients_are_killed_by_all_that_is_named() {
    let (_directory, server) = server(&[]);
    let (mut one, mut other) = (server.client(), server.client());
    other.ask(&["CLIENT", "SETNAME", "other"]);
    let id = other.ask(&["CLIENT", "ID"]);
    let id = id.trim_start_matches(':');
    let local = format!("127.0.0.1:{}", server.port);
    assert_eq!(one.ask(&["CLIENT", "KILL", "LADDR", "127.0.0.1:1"]), ":0");
    let nobody = ["CLIENT", "KILL", "ID", id, "LADDR", "127.0.0.1:1"];
    assert_eq!(one.ask(&nobody), ":0");
    assert_eq!(other.ask(&["PING"]), "+PONG");
    let both = [
        "CLIENT", "KILL", "LADDR", &local, "ID", id, "TYPE", "normal",
    ];
    assert_eq!(one.ask(&both), ":1");
    assert!(other.try_ask(&["PING"]).is_err());
    let id = one_id(&mut one);
    let mine = one.ask(&["CLIENT", "LIST", "ID", "0", &id]);
    assert!(
        mine.contains(&format!("laddr={local} ")) && mine.lines().count() == 1,
        "{mine}"
    );
    let itself = ["CLIENT", "KILL", "LADDR", &local, "SKIPME", "no"];
    assert_ne!(one.ask(&itself), ":0");
    assert!(one.try_ask(&["PING"]).is_err());
    for words in [
        &["SHUTDOWN", "SAVE", "NOSAVE"][..],
        &["SHUTDOWN", "ABORT", "NOW"],
        &["SHUTDOWN", "NOW", "ABORT"],
        &["BGSAVE", "FOO"],
        &["BGSAVE", "SCHEDULE", "SCHEDULE"],
    ] {
        assert_eq!(server.client().ask(words), "-ERR syntax error");
    }
}

fn one_id(client: &mut crate::process::Client) -> String {
    client
        .ask(&["CLIENT", "ID"])
        .trim_start_matches(':')
        .to_owned()
}
