//! Transcripts of clients: played against the bare node, the real process and a real Redis.
//!
//! `tests/transcripts/README.md` says how they are written, and how replies are recorded.

mod play;
mod script;
mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use seedis::command::row::{Kind, Row};
use seedis::command::table;

use play::{Bare, Heard, Peer, Remote};
use script::Script;

fn transcripts() -> Vec<(String, PathBuf, Script)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "resp"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "only {} transcripts", paths.len());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let script = script::parse(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        (name, path, script)
    };
    paths.into_iter().map(read).collect()
}

/// Plays every transcript against a peer of its own, and tells all that differs at once.
fn play_all<P: Peer>(is_redis: bool, start: impl Fn(&str, &Script) -> P) {
    let mut complaints = Vec::new();
    for (name, _, script) in transcripts() {
        let mut peer = start(&name, &script);
        for complaint in play::play(&mut peer, &script, is_redis) {
            complaints.push(format!("{name}.resp:{complaint}"));
        }
    }
    assert!(
        complaints.is_empty(),
        "{} differences:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn the_bare_node_says_what_the_transcripts_say() {
    play_all(false, |_, script| Bare::new(&script.requirepass));
}

#[test]
fn the_process_says_what_the_transcripts_say() {
    play_all(false, |name, script| {
        let program = Command::new(env!("CARGO_BIN_EXE_seedis"));
        Remote::start(program, name, &script.requirepass, &[])
    });
}

#[test]
fn a_real_redis_says_what_the_transcripts_say() {
    if !has_redis() {
        println!("skipped: redis-server is missing");
        return;
    }
    play_all(true, |name, script| redis(name, &script.requirepass));
}

/// Returns true if a real Redis is installed.
fn has_redis() -> bool {
    let version = Command::new("redis-server").arg("--version").output();
    version.is_ok()
}

fn redis(name: &str, requirepass: &str) -> Remote {
    let options = ["--save", "", "--appendonly", "no"];
    Remote::start(Command::new("redis-server"), name, requirepass, &options)
}

/// Commands on keys that no transcript asks for: what they say is a server's own.
const UNASKED: [&str; 3] = ["memory|help", "memory|usage", "pfselftest"];

#[test]
fn every_command_on_keys_is_in_a_transcript() {
    let mut asked = BTreeSet::new();
    for (_, path, _) in transcripts() {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let line = line.trim_start_matches(char::is_numeric);
            let Some(request) = line.strip_prefix("> ") else {
                continue;
            };
            let request = request.to_ascii_lowercase();
            let words: Vec<&str> = request.split_whitespace().take(2).collect();
            asked.extend([words[0].to_owned(), words.join("|")]);
        }
    }
    let on_keys = |row: &&Row| matches!(row.kind, Kind::Read(_) | Kind::Write(_));
    let unasked = table::all()
        .filter(on_keys)
        .map(|row| row.name)
        .filter(|name| !asked.contains(*name));
    let unasked: BTreeSet<&str> = unasked.collect();
    assert_eq!(unasked, BTreeSet::from(UNASKED));
}

/// A command or a subcommand that only its row and its own code know is wrong in silence.
#[test]
fn every_command_is_asked_by_some_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests/it", "tests/transcripts"] {
        collect(&root.join(folder), &mut files);
    }
    let asks = |path: &&PathBuf| {
        let below = path.strip_prefix(root).unwrap().display().to_string();
        below.starts_with("tests") || below.contains("/tests")
    };
    let asking: String = { files.iter().filter(asks) }
        .map(|path| std::fs::read_to_string(path).unwrap().to_ascii_lowercase())
        .collect();
    let is_asked = |row: &&Row| {
        let ways = [" ", "\", \""].map(|between| row.name.replace('|', between));
        let bounds = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
        ways.iter().any(|words| {
            asking.match_indices(words.as_str()).any(|(at, _)| {
                let (before, behind) = (&asking[..at], &asking[at + words.len()..]);
                bounds(before.chars().next_back()) && bounds(behind.chars().next())
            })
        })
    };
    let unasked: Vec<&str> = { table::all() }
        .filter(|row| !is_asked(row))
        .map(|row| row.name)
        .collect();
    assert_eq!(unasked, [""; 0]);
}

/// The Rust sources and transcripts below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "resp") {
            files.push(path);
        }
    }
}

#[test]
#[ignore = "writes into tests/transcripts what a real redis-server says where no reply stands yet"]
fn record() {
    for (name, path, script) in transcripts() {
        let text = std::fs::read_to_string(&path).unwrap();
        if text
            .lines()
            .any(|line| line.trim_start_matches(char::is_numeric).starts_with('<'))
        {
            continue;
        }
        let mut peer = redis(&name, &script.requirepass);
        std::fs::write(&path, play::recorded(&mut peer, &text)).unwrap();
    }
}

#[test]
fn what_is_no_transcript_is_refused() {
    for text in [
        "SET a 1",
        "> \"a",
        "< +OK\nredis< -ERR",
        "! why\nredis< -ERR",
        "!",
        "sleep x",
    ] {
        assert!(script::parse(text).is_err(), "{text}");
    }
    assert!(script::parse("# a\n> a\n< +OK\n! why\nredis< -ERR x\nsleep 1").is_ok());
}

#[test]
fn a_wrong_reply_is_told() {
    let script = script::parse("> PING\n< +PONG\n> PING\n< +PING\n> GET a\n< …\n< +OK").unwrap();
    let complaints = play::play(&mut Bare::new(""), &script, false);
    assert_eq!(
        complaints,
        [
            "4: expected +PING, got +PONG",
            "7: expected +OK, got nothing"
        ]
    );
}

#[test]
#[ignore = "fills two gigabytes of memory"]
fn a_client_that_never_ends_its_request_is_sent_away() {
    let mut bare = Bare::new("");
    let half = vec![b'a'; 512 << 20];
    bare.send(1, b"*3\r\n$536870912\r\n");
    bare.send(1, &half);
    assert!(matches!(bare.hear(1, Duration::ZERO), Heard::Nothing));
    bare.send(1, b"\r\n$536870912\r\n");
    bare.send(1, &half);
    assert!(matches!(bare.hear(1, Duration::ZERO), Heard::Closed));
    bare.send(2, b"PING\r\n");
    assert_eq!(bare.hear(2, Duration::ZERO).text(false), "+PONG");
}
