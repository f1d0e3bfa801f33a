//! A disk that is full, and kill -9 meanwhile: reads go on, writes are refused, nothing is lost.
//!
//! It needs the right to mount a small file system, and says that it was skipped where that is
//! missing. `SEEDIS_KILL_ROUNDS=100 cargo test --release --test it full_disk -- --nocapture` runs
//! the long version.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Directory, Server};
use crate::restart::{check, new_ledger, rounds, with_writers};

/// Room for two segments of the log, a base and the ballast, and not for three segments.
const DISK_MIB: u32 = 116;
/// Without it a third segment finds its room.
const BALLAST_BYTES: usize = 34 << 20;
/// How long the numbers are that writers write: a segment is full after 1,600 of them.
const DIGITS: usize = 20_000;

/// A small file system at a directory, for as long as the test runs.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// One of so many MiB; nothing where there is no right to it.
    pub(crate) fn new(path: &Path, size_mib: u32) -> Option<Self> {
        let size = format!("size={size_mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(path.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Waits until a write is answered as wanted.
fn until_a_write_says(server: &Server, wanted: &str) {
    let began = Instant::now();
    let mut client = server.client();
    loop {
        let reply = client.ask(&["DEL", "none"]);
        if reply.starts_with(wanted) {
            return;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "still {reply}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let directory = Directory::new("full");
    std::fs::create_dir_all(directory.path()).expect("a directory");
    let Some(_mount) = Mount::new(directory.path(), DISK_MIB) else {
        println!("skipped: no right to mount a file system here");
        return;
    };
    let data = directory.path().join("data");
    let ballast = directory.path().join("ballast");
    let ledger = new_ledger();
    let options = [
        "--appendfsync",
        "always",
        "--auto-aof-rewrite-percentage",
        "0",
    ];
    let (mut written, mut refused) = (0, 0);
    for round in 0..rounds() {
        let server = Server::start(&data, &options);
        check(&mut server.client(), &ledger);
        if round % 3 == 0 {
            // Room comes back, service resumes, and a rewrite makes more of it.
            let _ = std::fs::remove_file(&ballast);
            until_a_write_says(&server, ":0");
            assert_eq!(server.client().ask(&["SAVE"]), "+OK");
            std::fs::write(&ballast, vec![1; BALLAST_BYTES]).expect("room for the ballast");
        }
        written += with_writers(&server, &ledger, DIGITS, |server| {
            if round % 3 == 0 {
                until_a_write_says(server, "-MISCONF");
                check_reads(server);
            } else {
                std::thread::sleep(Duration::from_millis(u64::from(round * 37 % 100)));
            }
            let reply = server.client().ask(&["DEL", "none"]);
            refused += u32::from(reply.starts_with("-MISCONF"));
            server.signal("KILL");
        });
        server.kill();
    }
    let server = Server::start(&data, &options);
    check(&mut server.client(), &ledger);
    println!(
        "{} rounds, {written} acknowledged writes, {refused} rounds ended on a full disk",
        rounds()
    );
    assert!(refused > 0);
}

fn check_reads(server: &Server) {
    assert_eq!(server.client().ask(&["EXISTS", "w0:0"]), ":1");
}
