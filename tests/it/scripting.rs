//! Scripts and functions of a real process, as an operator and other clients see them: the lines
//! that they write into the log, and the end of those that run for too long.

use std::fs;
use std::time::{Duration, Instant};

use crate::process::{Directory, Server};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn scripts_write_into_the_log_what_loglevel_asks_for() {
    let directory = Directory::new("script-lines");
    let log = directory.path().with_extension("log");
    let name = log.display().to_string();
    let server = Server::start(directory.path(), &["--logfile", &name]);
    let mut client = server.client();
    let say = "for level = 0, 3 do redis.log(level, KEYS[1], level) end";
    let said = || fs::read_to_string(&log).unwrap();
    for (level, last) in [("notice", "DEBUG"), ("debug", "TRACE"), ("warning", "WARN")] {
        assert_eq!(client.ask(&["CONFIG", "SET", "loglevel", level]), "+OK");
        client.ask(&["EVAL", say, "1", level]);
        let begun = Instant::now();
        while !said().contains(&format!("WARN script: {level} 3")) {
            assert!(begun.elapsed() < PATIENCE, "{}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
        let is_written = said().contains(&format!("{last} script: {level}"));
        assert_eq!(is_written, level != "notice", "{}", said());
    }
    assert!(said().contains(" INFO script: notice 2"), "{}", said());
    assert!(!said().contains("script: warning 2"), "{}", said());
    // What is applied again behind a restart is not said again.
    server.kill();
    fs::write(&log, "").unwrap();
    let server = Server::start(directory.path(), &["--logfile", &name]);
    assert_eq!(server.client().ask(&["PING"]), "+PONG");
    assert!(!said().contains("script: "), "{}", said());
    let _ = fs::remove_file(log);
}

#[test]
fn a_function_that_only_reads_is_shown_and_ended() {
    let directory = Directory::new("long-functions");
    let server = Server::start(
        directory.path(),
        &["--script-max-instructions", "4000000000"],
    );
    let mut client = server.client();
    let library = "#!lua name=long\n\
        local function spin() while true do end end\n\
        redis.register_function{function_name = 'look', callback = spin, flags = {'no-writes'}}\n\
        redis.register_function{function_name = 'change', callback = spin}";
    assert_eq!(client.ask(&["FUNCTION", "LOAD", library]), "long");
    assert!(client.ask(&["FUNCTION", "KILL"]).starts_with("-NOTBUSY"));
    let requests: [&[&str]; 2] = [
        &["FCALL_RO", "look", "1", "key", "other"],
        &["EVAL_RO", "while true do end", "0"],
    ];
    for (request, kill) in requests.into_iter().zip(["FUNCTION", "SCRIPT"]) {
        let mut caller = server.client();
        caller.set_patience(PATIENCE);
        caller.send(request).unwrap();
        let words = "name look command FCALL_RO look 1 key other duration_ms";
        let begun = Instant::now();
        loop {
            let shown = client.ask(&["FUNCTION", "STATS"]);
            if kill == "SCRIPT" || shown.contains(words) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{words}: {shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Others are answered meanwhile.
        assert_eq!(client.ask(&["PING"]), "+PONG");
        loop {
            let told = client.ask(&[kill, "KILL"]);
            if told == "+OK" {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{told}");
        }
        let reply = caller.reply().unwrap();
        assert!(
            reply.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "),
            "{reply}"
        );
    }
    // One that may write runs on all members, and is not ended on one alone.
    let mut caller = server.client();
    caller.send(&["FCALL", "change", "0"]).unwrap();
    let begun = Instant::now();
    loop {
        let told = client.ask(&["FUNCTION", "KILL"]);
        if told.starts_with("-UNKILLABLE") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{told}");
    }
    server.kill();
}
