//! How a process ends: dead with a reason where it cannot serve, and always when it is told to.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::process::{Directory, free_port};

use super::stage::{Process, file, until_it_says};

#[test]
fn a_panic_ends_the_process_with_one_line_that_says_why() {
    let (directory, errors) = file("panic");
    let data = directory.path().join("data");
    let write = fs::File::create(&errors).expect("a file");
    let mut process = Process::server(&data, &[], Stdio::null(), write);
    let mut client = process.client();
    let mut other = process.client();
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    assert!(client.try_ask(&["DEBUG", "PANIC"]).is_err());
    assert_eq!(process.wait().code(), Some(70));
    assert!(other.try_ask(&["PING"]).is_err());
    let said = fs::read_to_string(&errors).expect("it is there");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("a fault in Seedis") && said.contains("DEBUG PANIC"),
        "{said}"
    );
    // Nothing is lost by it.
    let process = Process::server(&data, &[], Stdio::null(), Stdio::null());
    assert_eq!(process.client().ask(&["GET", "a"]), "1");
}

#[test]
fn a_panic_whose_last_words_nobody_takes_ends_the_process_as_well() {
    let directory = Directory::new("panic-unheard");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a small pipe");
    let errors = writer.try_clone().expect("the same pipe");
    let mut process = Process::server(directory.path(), &[], writer, errors);
    let mut client = process.client();
    for _ in 0..40 {
        client.ask(&["SAVE"]);
    }
    let _ = client.send(&["DEBUG", "PANIC"]);
    assert_eq!(process.wait().code(), Some(70));
    drop(reader);
}

/// The end of a process that is told to stop so soon after its start: it stops in good order, or
/// the signal has come before the process could listen.
fn ends_when_told_after(pause: Duration, dir: &std::path::Path, options: &[&str]) {
    let mut process = Process::server(dir, options, Stdio::null(), Stdio::null());
    std::thread::sleep(pause);
    process.signal("TERM");
    let status = process.wait();
    let code = status.code();
    assert!(matches!(code, Some(0) | None), "{status} after {pause:?}");
}

/// The lines of a server after it was told to stop.
fn last_words(name: &str, options: &[&str], tell: impl Fn(&Process)) -> Vec<String> {
    let (directory, log) = file(name);
    let path = log.display().to_string();
    let options = [&["--logfile", &path], options].concat();
    let data = directory.path().join("data");
    let mut process = Process::server(&data, &options, Stdio::null(), Stdio::null());
    assert_eq!(process.client().ask(&["SET", "a", "1"]), "+OK");
    tell(&process);
    assert_eq!(process.wait().code(), Some(0));
    let said = fs::read_to_string(&log).expect("it is there");
    let mut words: Vec<String> = said.lines().map(str::to_owned).collect();
    words.split_off(words.len().saturating_sub(2))
}

#[test]
fn it_says_why_it_stops_and_last_of_all_what_is_on_disk() {
    let ends = ["TERM", "INT"].map(|signal| {
        let said = last_words("last-words", &[], |process| process.signal(signal));
        (format!("received SIG{signal}: shutting down"), said)
    });
    let asks = |process: &Process| _ = process.client().send(&["SHUTDOWN"]);
    let said = last_words("last-words", &[], asks);
    for (why, said) in [
        ends.to_vec(),
        vec![("sent SHUTDOWN: shutting down".into(), said)],
    ]
    .concat()
    {
        assert!(said[0].contains(&why), "{said:?}");
        assert!(said[1].contains("everything up to entry "), "{said:?}");
        assert!(said[1].ends_with("bye"), "{said:?}");
    }
    let said = last_words("no-last-words", &["--appendonly", "no"], asks);
    assert!(said[1].contains("no data is kept"), "{said:?}");
}

#[test]
fn sigterm_ends_it_at_any_moment_of_a_start() {
    let directory = Directory::new("sigterm");
    let data = directory.path();
    let slow = ["--debug-sync-delay-us", "200000"];
    let process = Process::server(data, &[], Stdio::null(), Stdio::null());
    let mut client = process.client();
    let value = "x".repeat(1 << 20);
    for n in 0..48 {
        client.ask(&["SET", &format!("k{n}"), &value]);
    }
    drop(client);
    assert_eq!(process.stop(), Some(0));
    for pause_ms in (0..240).step_by(20) {
        let pause = Duration::from_millis(pause_ms);
        ends_when_told_after(pause, data, &[]);
        // A first day, on a slow disk.
        let fresh = Directory::new("sigterm-fresh");
        ends_when_told_after(pause, fresh.path(), &slow);
    }
}

#[test]
fn sigterm_ends_a_member_that_waits_for_others() {
    let nobody = free_port();
    let peers = format!("1=127.0.0.1:{},2=127.0.0.1:{nobody}", free_port());
    let forming = ["--id", "1", "--peers", &peers];
    let door = format!("127.0.0.1:{nobody}");
    let own = free_port().to_string();
    let joining = ["--join", &door, "--cluster-port", &own];
    for options in [&forming, &joining] {
        let (directory, out) = file("waiting");
        let write = fs::File::create(&out).expect("a file");
        let data = directory.path().join("data");
        let process = Process::server(&data, options, write, Stdio::null());
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(process.stop(), Some(0), "{options:?}");
    }
}

#[test]
fn whoever_is_told_again_ends_at_once() {
    for (first, then, times) in [("TERM", "TERM", 2), ("TERM", "INT", 1), ("INT", "INT", 1)] {
        let (directory, errors) = file("twice");
        let data = directory.path().join("data");
        let options = [
            "--appendfsync",
            "always",
            "--debug-sync-delay-us",
            "2500000",
        ];
        let write = fs::File::create(&errors).expect("a file");
        let mut process = Process::server(&data, &options, Stdio::null(), write);
        let mut client = process.client();
        // A sync that takes its time, as on a disk that does not answer.
        client.send(&["SET", "a", "1"]).expect("it takes it");
        std::thread::sleep(Duration::from_millis(300));
        process.signal(first);
        for _ in 0..times {
            std::thread::sleep(Duration::from_millis(300));
            assert!(process.is_alive(), "it waits for its disk");
            process.signal(then);
        }
        assert_eq!(process.wait().code(), Some(1));
        until_it_says(&errors, "exiting at once");
    }
}

#[test]
fn a_demo_ends_when_it_is_told_while_a_member_is_down() {
    let (_directory, out) = file("demo");
    let port = free_port().to_string();
    let words = ["demo", "--kill-every", "500ms", "--port", &port];
    for signal in ["TERM", "INT"] {
        let write = fs::File::create(&out).expect("a file");
        let mut demo = Process::spawn(&words, write, Stdio::null());
        until_it_says(&out, "leads and is killed");
        demo.signal(signal);
        assert_eq!(demo.wait().code(), Some(0));
    }
}

#[test]
fn a_demo_that_cannot_be_says_so_and_ends() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("it is bound").port();
    // The members' own ports lie higher.
    let Some(port) = Some(port).filter(|port| *port < 55_000) else {
        return;
    };
    let (_directory, errors) = file("demo-port");
    let write = fs::File::create(&errors).expect("a file");
    let words = ["demo", "--nodes", "1", "--port", &port.to_string()];
    let mut demo = Process::spawn(&words, Stdio::null(), write);
    assert_eq!(demo.wait().code(), Some(1));
    until_it_says(&errors, "member 1 stopped");
}
