//! Limits of the operating system are reported as what they are, and cost no more than they must.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Client, Directory};

use super::stage::{Process, file, server};

/// A server that may have so many descriptors.
fn with_descriptors(limit: &str, directory: &Directory, name: &str) -> Process {
    let out = fs::File::create(directory.path().join(name)).expect("a file");
    let errors = out.try_clone().expect("the same file");
    let (command, port) = server(&directory.path().join("data"), &[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    Process::run(shell, port, out, errors)
}

#[test]
fn more_clients_than_descriptors_cost_clients_and_not_the_log() {
    let directory = Directory::new("descriptors");
    let mut process = with_descriptors("-n 100", &directory, "out");
    let mut client = process.client();
    let shown = client.ask(&["CONFIG", "GET", "maxclients"]);
    assert_eq!(shown, "maxclients 68");
    let refused = client.ask(&["CONFIG", "SET", "maxclients", "69"]);
    assert!(
        refused.ends_with("number of clients, try with 68"),
        "{refused}"
    );
    assert_eq!(client.ask(&["CONFIG", "SET", "maxclients", "60"]), "+OK");
    assert_eq!(client.ask(&["CONFIG", "SET", "maxclients", "68"]), "+OK");
    let mut crowd: Vec<TcpStream> = Vec::new();
    for _ in 0..150 {
        let stream = TcpStream::connect(("127.0.0.1", process.port)).expect("the kernel takes it");
        stream
            .set_nonblocking(true)
            .expect("a socket that waits for nothing");
        crowd.push(stream);
    }
    // Enough for several segments, and a rewrite.
    let value = "x".repeat(1 << 20);
    for n in 0..80 {
        assert_eq!(client.ask(&["SET", &format!("k{n}"), &value]), "+OK");
    }
    assert_eq!(client.ask(&["SAVE"]), "+OK");
    // Each that is refused keeps its descriptor until it has heard so: they come in by and by.
    let mut answers = vec![Vec::new(); crowd.len()];
    let refusal = b"-ERR max number of clients reached\r\n";
    let begun = std::time::Instant::now();
    let mut told = 0;
    while told < 20 && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
        for (stream, answer) in crowd.iter_mut().zip(&mut answers) {
            let _ = stream.read_to_end(answer);
        }
        told = answers.iter().filter(|answer| *answer == refusal).count();
    }
    // How many are let in and how many wait for a descriptor depends on who parts when.
    assert!(told >= 20, "only {told} were told");
    drop(crowd);
    assert_eq!(process.client().ask(&["PING"]), "+PONG");
    assert!(process.is_alive());
    drop(client);
    assert_eq!(process.stop(), Some(0));
    let text = fs::read_to_string(directory.path().join("out")).expect("it is there");
    assert!(text.contains("maxclients has been reduced to 68"), "{text}");
    assert!(text.lines().count() < 30, "{text}");
}

#[test]
fn a_soft_limit_is_raised_and_one_that_is_too_low_is_named() {
    let directory = Directory::new("soft-limit");
    let process = with_descriptors("-S -n 64", &directory, "out");
    let shown = process.client().ask(&["CONFIG", "GET", "maxclients"]);
    let hard = Command::new("sh").args(["-c", "ulimit -H -n"]).output();
    let hard = String::from_utf8(hard.expect("a shell").stdout).expect("a number");
    let room = hard
        .trim()
        .parse::<u64>()
        .map_or(u64::MAX, |hard| hard - 32);
    assert_eq!(shown, format!("maxclients {}", room.min(10_000)));
    drop(process);
    let mut process = with_descriptors("-n 32", &directory, "low");
    assert_eq!(process.wait().code(), Some(1));
    let text = fs::read_to_string(directory.path().join("low")).expect("it is there");
    assert!(text.contains("'ulimit -n' of 32 is not enough"), "{text}");
}

#[test]
fn a_keepalive_that_the_kernel_does_not_take_costs_no_client() {
    let directory = Directory::new("keepalive");
    for seconds in ["1", "32767", "32768", "86400", "2147483647"] {
        let options = ["--tcp-keepalive", seconds];
        let process = Process::server(directory.path(), &options, Stdio::null(), Stdio::null());
        assert_eq!(process.client().ask(&["PING"]), "+PONG", "{seconds}");
    }
}

#[test]
fn a_client_of_the_unix_socket_is_shown_as_redis_shows_it() {
    let (directory, socket) = file("unix");
    let path = socket.display().to_string();
    let options = ["--unixsocket", &path];
    let data = directory.path().join("data");
    let process = Process::server(&data, &options, Stdio::null(), Stdio::null());
    drop(process.client());
    let mut stream = UnixStream::connect(&socket).expect("it listens there");
    stream.write_all(b"CLIENT INFO\r\n").expect("it takes it");
    let mut line = String::new();
    let mut reader = BufReader::new(stream);
    for _ in 0..2 {
        line.clear();
        reader.read_line(&mut line).expect("a reply");
    }
    assert!(line.contains(&format!(" addr={path}:0 ")), "{line}");
    assert!(line.contains(" flags=U "), "{line}");
    assert!(
        !process
            .client()
            .ask(&["CLIENT", "INFO"])
            .contains("flags=U")
    );
}

#[test]
fn a_tool_that_fails_takes_back_what_it_has_made_and_nothing_else() {
    let directory = Directory::new("tools");
    let place = |name: &str| directory.path().join(name);
    let shown = |name: &str| place(name).display().to_string();
    let tool = |words: &[&str]| {
        let mut tool = Process::spawn(words, Stdio::null(), Stdio::null());
        tool.wait().code()
    };
    fs::write(place("bad"), [7; 5000]).expect("a file");
    fs::create_dir(place("made")).expect("a directory");
    fs::set_permissions(place("made"), fs::Permissions::from_mode(0o700)).expect("a mode");
    assert_eq!(
        tool(&["restore", &shown("bad"), "--dir", &shown("made")]),
        Some(2)
    );
    assert_eq!(fs::read_dir(place("made")).expect("it stays").count(), 0);
    assert_eq!(
        tool(&["restore", &shown("bad"), "--dir", &shown("new/er")]),
        Some(2)
    );
    assert!(!place("new").exists());
    // The root of a new file system.
    fs::create_dir(place("made/lost+found")).expect("a directory");
    assert_eq!(
        tool(&["restore", &shown("bad"), "--dir", &shown("made")]),
        Some(2)
    );
    assert_eq!(fs::read_dir(place("made")).expect("it stays").count(), 1);
    let process = Process::server(&place("data"), &[], Stdio::null(), Stdio::null());
    assert_eq!(process.client().ask(&["SET", "a", "1"]), "+OK");
    // Somebody else's file of the name under which a backup is written.
    fs::write(place("copy.part"), "mine").expect("a file");
    assert_eq!(tool(&["backup", &shown("data"), &shown("copy")]), Some(2));
    assert_eq!(fs::read(place("copy.part")).expect("it stays"), b"mine");
    fs::remove_file(place("copy.part")).expect("it is there");
    assert_eq!(tool(&["backup", &shown("data"), &shown("copy")]), Some(0));
    assert!(!place("copy.part").exists());
    assert_eq!(
        tool(&["restore", &shown("copy"), "--dir", &shown("made")]),
        Some(0)
    );
    let process = Process::server(&place("made"), &[], Stdio::null(), Stdio::null());
    let mut client: Client = process.client();
    assert_eq!(client.ask(&["GET", "a"]), "1");
}
