//! Files and members of a later version: a reader says that it does not know their format, and
//! changes nothing.
//!
//! The log has the version of its manifest; the meaning of its entries has one of their own, see
//! `cluster/versions.rs`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use seedis::aof::record::{self, Position};
use seedis::node::greeting::{PREFACE_BYTES, Preface, VERSIONS};

use crate::process::{Directory, Server, free_port};

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The files of a directory and their contents, but the lock.
fn content(directory: &Directory) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| !path.ends_with("lock"));
    let mut files: Vec<_> = files
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A directory with a base and a log behind it.
fn written(directory: &Directory) {
    let server = Server::start(directory.path(), &[]);
    let mut client = server.client();
    assert_eq!(client.ask(&["SET", "a", "1"]), "+OK");
    assert_eq!(client.ask(&["SAVE"]), "+OK");
    assert_eq!(client.ask(&["SET", "b", "2"]), "+OK");
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

fn base_of(directory: &Directory) -> PathBuf {
    let is_base = |path: &Path| path.display().to_string().contains("base-");
    let mut files = content(directory).into_iter().map(|(path, _)| path);
    files.find(|path| is_base(path)).expect("a base")
}

/// A server, and then `seedis check`, refuse the directory with this sentence and leave all of its
/// files as they are.
fn is_refused(directory: &Directory, sentence: &str) {
    let before = content(directory);
    let port = free_port().to_string();
    let dir = directory.path().display().to_string();
    let asked: [&[&str]; 3] = [
        &["--port", &port, "--dir", &dir],
        &["check", &dir],
        &["check", &dir, "--repair", "--yes"],
    ];
    for words in asked {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
        let output = command.args(words).output().expect("it runs and ends");
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        let said = said.concat();
        assert!(!output.status.success(), "{words:?}: {said}");
        assert!(said.contains(sentence), "{words:?}: {said}");
        assert_eq!(content(directory), before, "{words:?}");
    }
}

#[test]
fn a_manifest_of_a_later_version_is_refused_and_with_it_the_log() {
    let directory = Directory::new("formats-manifest");
    written(&directory);
    let manifest = directory.path().join("manifest");
    let bytes = fs::read(&manifest).unwrap();
    let rest = bytes.strip_prefix(b"seedis manifest 1\n").unwrap();
    let later = [b"seedis manifest 3\n", rest].concat();
    fs::write(&manifest, later).unwrap();
    let sentence = "the manifest is of format 3, and this version of seedis knows formats up to 2: \
                    use the version that wrote it, or a later one";
    is_refused(&directory, sentence);
    // The version that wrote it goes on from there.
    fs::write(&manifest, bytes).unwrap();
    let server = Server::start(directory.path(), &[]);
    assert_eq!(server.client().ask(&["MGET", "a", "b"]), "1 2");
}

#[test]
fn a_base_of_a_later_version_is_refused() {
    let directory = Directory::new("formats-base");
    written(&directory);
    let base = base_of(&directory);
    let mut bytes = fs::read(&base).unwrap();
    let whole = bytes.clone();
    // Its first record: a marker, the length, the kind, and then the version.
    assert_eq!(bytes[8..10], [b'h', 1]);
    let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let mut head = bytes[8..8 + length].to_vec();
    head[1] += 1;
    let name = base.file_name().unwrap().to_str().unwrap();
    let digits = name.strip_prefix("base-").unwrap();
    let number = digits.strip_suffix(".aof").unwrap().parse().unwrap();
    let mut record = Vec::new();
    record::put(&mut record, Position::in_base(number, 0), &[&head]);
    bytes.splice(..record.len(), record);
    fs::write(&base, bytes).unwrap();
    let sentence = "the base is of format 2, and this version of seedis knows formats up to 1: use \
                    the version that wrote it, or a later one";
    is_refused(&directory, sentence);
    fs::write(&base, whole).unwrap();
    let server = Server::start(directory.path(), &[]);
    assert_eq!(server.client().ask(&["MGET", "a", "b"]), "1 2");
}

#[test]
fn a_member_that_speaks_none_of_our_versions_is_told_so() {
    let directory = Directory::new("formats-frames");
    let port = free_port();
    let log = directory.path().with_extension("log");
    let options = ["--cluster-port", &port.to_string(), "--logfile"];
    let name = log.display().to_string();
    let server = Server::start(directory.path(), &[&options[..], &[&name]].concat());
    let later = (VERSIONS.1 + 1, VERSIONS.1 + 1);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let preface = Preface {
        versions: later,
        nonce: [7; 16],
    };
    stream.write_all(&preface.encode()).unwrap();
    let mut theirs = [0; PREFACE_BYTES];
    stream.read_exact(&mut theirs).unwrap();
    // It hears which versions there are, and no greeting comes.
    let heard = Preface::decode(&theirs).unwrap();
    assert_eq!(heard.versions, VERSIONS);
    let _ = stream.read_to_end(&mut Vec::new());
    let sentence = format!(
        "versions {} to {} of the member protocol have nothing in common with {} to {}: upgrade \
         one version at a time",
        later.0, later.1, VERSIONS.0, VERSIONS.1
    );
    let begun = Instant::now();
    let said = || fs::read_to_string(&log).unwrap();
    while !said().contains(&sentence) {
        assert!(begun.elapsed() < PATIENCE, "{}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.client().ask(&["PING"]), "+PONG");
    let _ = fs::remove_file(log);
}
