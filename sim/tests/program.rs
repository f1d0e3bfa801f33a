//! The program as people call it: fleets that are killed, sessions with real clients, histories in
//! files.

#![expect(
    clippy::disallowed_types,
    reason = "real sockets to a real port, and a real clock to wait by"
)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn sim(words: &[&str]) -> Command {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.args(words);
    sim
}

fn output(words: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = sim(words).output().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

/// A file of a test, which is not there yet.
fn scratch(name: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    let text = path.display().to_string();
    (path, text)
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_fleet_that_was_killed_goes_on_where_it_was() {
    let (path, state) = scratch("killed.state");
    let words = [
        "fleet",
        "--seeds",
        "0..12",
        "--profile",
        "clocks",
        "--jobs",
        "1",
    ];
    let with_state = [&words[..], &["--state", &state]].concat();
    let counts = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("runs="));
        let line = line.unwrap_or_else(|| panic!("no runs: {text}"));
        line.split(" wall=").next().unwrap().to_owned()
    };
    let (code, whole) = output(&words);
    assert_eq!(code, Some(0), "{whole}");

    let running = sim(&with_state)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let running = Running(running.unwrap());
    wait_until("a state is written", || path.exists());
    drop(running);
    let killed = fs::read_to_string(&path).unwrap();
    let (code, resumed) = output(&with_state);
    assert_eq!(code, Some(0), "{resumed}");
    assert_eq!(counts(&resumed), counts(&whole), "gone on from {killed}");
    // All is done: nothing runs again.
    let (code, again) = output(&with_state);
    assert_eq!((code, counts(&again)), (Some(0), counts(&whole)));

    let other = [
        "fleet",
        "--seeds",
        "0..13",
        "--profile",
        "clocks",
        "--state",
        &state,
    ];
    let (code, text) = output(&other);
    assert_eq!(code, Some(2));
    assert!(
        text.contains("it is of another plan: 0..12 clocks, not 0..13 clocks"),
        "{text}"
    );
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("build ", "build 0");
    fs::write(&path, text).unwrap();
    let (code, text) = output(&with_state);
    assert_eq!(code, Some(2));
    assert!(
        text.contains("it was written by another build of sim"),
        "{text}"
    );
}

#[test]
fn a_history_in_a_file_is_judged() {
    let judged = |name: &str, lines: &[&str]| {
        let (path, file) = scratch(name);
        fs::write(path, lines.join("\n")).unwrap();
        output(&["judge", &file])
    };
    let write = r#"c1 0 10 0 "k" set "a" = OK"#;
    let other = r#"c1 11 12 0 "other" set "a" = OK"#;
    let stale = r#"c2 20 30 0 "k" get = nothing"#;
    let (code, text) = judged("fresh.history", &[write, r#"c2 20 30 0 "k" get = "a""#]);
    assert_eq!(
        (code, &text[..]),
        (Some(0), "pass operations=2 unanswered=0\n")
    );
    let (code, text) = judged("stale.history", &[write, other, stale]);
    assert_eq!(code, Some(11));
    assert!(text.contains(&format!("\n{write}\n{stale}\n")), "{text}");
    assert!(!text.contains("other"), "{text}");
    let (code, text) = judged("torn.history", &[write, "c2 20"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("line 2"), "{text}");
}

/// A real client.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        Self(BufReader::new(stream))
    }

    /// Asks, and gives the reply; of a bulk string its text.
    fn ask(&mut self, words: &str) -> String {
        write!(self.0.get_mut(), "{words}\r\n").unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        match line.strip_prefix('$').map(str::parse::<usize>) {
            Some(Ok(length)) => {
                let mut bytes = vec![0; length + 2];
                self.0.read_exact(&mut bytes).unwrap();
                String::from_utf8(bytes[..length].to_vec()).unwrap()
            }
            _ => line,
        }
    }
}

#[test]
fn a_session_with_a_real_client_plays_again_to_the_same_digest() {
    let (path, file) = scratch("served.session");
    let served = sim(&["serve", "5", "--port", "0", "--record", &file])
        .stdout(Stdio::piped())
        .spawn();
    let mut served = Running(served.unwrap());
    let mut said = BufReader::new(served.0.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    let address = first.rsplit(' ').next().unwrap().to_owned();

    let mut client = Client::connect(&address);
    assert_eq!(client.ask("SET k before"), "+OK");
    assert_eq!(client.ask("GET k"), "before");
    let mut operator = Client::connect(&address);
    let leader = operator.ask("DEBUG SIM LEADER");
    let leader = leader.strip_prefix(':').unwrap().to_owned();
    assert!(
        operator
            .ask("DEBUG SIM CRASH 9")
            .starts_with("-ERR there are the members 0 to 2")
    );
    assert!(operator.ask("DEBUG SIM STATE").contains("member 2"));
    assert_eq!(operator.ask(&format!("DEBUG SIM CRASH {leader}")), "+OK");
    // Nothing was on its way: the client is connected to whoever leads now.
    assert_eq!(client.ask("GET k"), "before");
    assert_eq!(client.ask("SET k after"), "+OK");
    assert_eq!(client.ask("GET k"), "after");
    ask_redis_cli(&address);
    assert_eq!(operator.ask("DEBUG SIM END"), "+OK");
    assert_eq!(served.0.wait().unwrap().code(), Some(0));
    let last = said.next().unwrap().unwrap();
    let end = last.strip_prefix("the session has ended: ").unwrap();

    let (code, text) = output(&["serve", "--replay", &file]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.trim_end().ends_with(&format!("the same: {end}")),
        "{text} is not {end}"
    );

    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("SET k after"), "{text}");
    fs::write(&path, text.replace("SET k after", "SET k other")).unwrap();
    let (code, text) = output(&["serve", "--replay", &file]);
    assert_eq!(code, Some(14), "{text}");
}

/// A redis-cli can talk to it too.
fn ask_redis_cli(address: &str) {
    let port = address.rsplit(':').next().unwrap();
    let ask = |words: &[&str]| {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", port]).args(words).output()
    };
    let Ok(told) = ask(&["SET", "by", "redis-cli"]) else {
        eprintln!("skipped: there is no redis-cli on this machine");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "OK");
    let told = ask(&["-3", "HINCRBY", "sums", "k", "5"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "5");
    let told = ask(&["DEBUG", "SIM", "HELP"]).unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("PARTITION n..."));
}
