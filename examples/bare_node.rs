//! A driver in one page: the server's core without sockets, threads or a real disk.
//!
//! Run it with `cargo run --example bare_node`. It writes a key, drops the node as a crash would,
//! starts another on the same files, and reads the key again. A real driver is the same loop with
//! a machine below it; docs/ARCHITECTURE.md says what the loop has to keep.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use seedis::disk::{DiskDone, DiskError, DiskOp, FileName};
use seedis::ids::ConnId;
use seedis::node::config::{Config, Fsync};
use seedis::node::effect::Effect;
use seedis::node::input::Input;
use seedis::node::{Node, Phase};
use seedis::time::{Mono, Now};

/// A disk that forgets nothing: bytes by name, every write durable at once.
#[derive(Default)]
struct MemoryDisk(BTreeMap<FileName, Vec<u8>>);

impl MemoryDisk {
    fn perform(&mut self, op: DiskOp) -> Result<DiskDone, DiskError> {
        match op {
            DiskOp::Create { file, size } => {
                self.0.insert(file, vec![0; size as usize]);
            }
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => {
                self.write(file, offset, &bytes)?;
                // The buffer goes home to be used again.
                return Ok(DiskDone::Written { bytes });
            }
            DiskOp::WriteShared {
                file,
                offset,
                bytes,
            } => self.write(file, offset, &bytes)?,
            DiskOp::Read { file, offset, len } => {
                let content = self.0.get(&file).ok_or(DiskError::NotFound)?;
                let from = content.len().min(offset as usize);
                let to = content.len().min(from + len as usize);
                let bytes = content[from..to].to_vec();
                return Ok(DiskDone::Read { bytes });
            }
            DiskOp::Truncate { file, len } => {
                let content = self.0.get_mut(&file).ok_or(DiskError::NotFound)?;
                content.resize(len as usize, 0);
            }
            DiskOp::Rename { from, to } => {
                let content = self.0.remove(&from).ok_or(DiskError::NotFound)?;
                self.0.insert(to, content);
            }
            DiskOp::Remove { file } => {
                self.0.remove(&file);
            }
            DiskOp::Sync { .. } | DiskOp::SyncDir => {}
            DiskOp::List => {
                let files = self.0.iter().map(|(name, c)| (*name, c.len() as u64));
                return Ok(DiskDone::Listed {
                    files: files.collect(),
                });
            }
        }
        Ok(DiskDone::Done)
    }

    fn write(&mut self, file: FileName, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let content = self.0.get_mut(&file).ok_or(DiskError::NotFound)?;
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        content.resize(content.len().max(to), 0);
        content[from..to].copy_from_slice(bytes);
        Ok(())
    }
}

/// A node, and the machine that its driver gives it.
struct Driver {
    node: Node,
    clock_us: u64,
}

/// The one client.
const CLIENT: ConnId = ConnId(1);

impl Driver {
    /// Starts a node on what the disk holds, and runs turns until it has recovered.
    fn start(disk: &mut MemoryDisk, clock_us: u64) -> Self {
        let config = Config {
            fsync: Fsync::Always,
            seed: 7,
            ..Config::default()
        };
        let mut driver = Self {
            node: Node::new(config, at(clock_us)),
            clock_us,
        };
        while driver.node.phase() != Phase::Serving {
            driver.turn(disk, &mut Vec::new());
        }
        driver
    }

    /// Sends a request, and runs turns until its reply has come.
    fn ask(&mut self, disk: &mut MemoryDisk, request: &[u8]) -> String {
        let opened = Input::Opened {
            conn: CLIENT,
            address: "127.0.0.1:50000",
            local: "127.0.0.1:6379",
            descriptor: -1,
        };
        self.node.handle(at(self.clock_us), opened);
        let received = Input::Received {
            conn: CLIENT,
            bytes: request,
        };
        self.node.handle(at(self.clock_us), received);
        let mut reply = Vec::new();
        while reply.is_empty() {
            self.turn(disk, &mut reply);
        }
        let closed = Input::Closed { conn: CLIENT };
        self.node.handle(at(self.clock_us), closed);
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// One turn: the node says what it wants, the driver does it and tells how it went.
    fn turn(&mut self, disk: &mut MemoryDisk, reply: &mut Vec<u8>) {
        let mut effects = Vec::new();
        self.node.flush(at(self.clock_us), &mut effects);
        let is_idle = effects.is_empty();
        for effect in effects {
            match effect {
                Effect::Disk { ticket, op } => {
                    let outcome = disk.perform(op);
                    let done = Input::Disk { ticket, outcome };
                    self.node.handle(at(self.clock_us), done);
                }
                Effect::Send { conn } => {
                    let before = reply.len();
                    reply.extend(self.node.outbox(conn).flatten());
                    let count = reply.len() - before;
                    let sent = Input::Sent { conn, count };
                    self.node.handle(at(self.clock_us), sent);
                }
                Effect::Note(note) => println!("    {note:?}"),
                _ => {}
            }
        }
        // Nothing is on its way: time goes on to where the node wants to be woken.
        if let Some(deadline) = self.node.deadline().filter(|_| is_idle) {
            self.clock_us = self.clock_us.max(deadline.at.0);
            self.node.handle(at(self.clock_us), Input::Timer);
        }
    }
}

/// A moment; the wall clock stands where the other one does, behind a day in 2026.
fn at(clock_us: u64) -> Now {
    Now {
        mono: Mono(clock_us),
        wall_us: 1_795_000_000_000_000 + clock_us,
    }
}

/// Writes, crashes and reads again; gives the two replies.
fn write_and_read_behind_a_crash() -> [String; 2] {
    let mut disk = MemoryDisk::default();
    let mut first = Driver::start(&mut disk, 0);
    let set = first.ask(&mut disk, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n");
    // The crash: all that the node knew is gone, and the files stay.
    let mut second = Driver::start(&mut disk, first.clock_us + 1_000_000);
    drop(first);
    let get = second.ask(&mut disk, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    [set, get]
}

fn main() {
    let [set, get] = write_and_read_behind_a_crash();
    println!("SET k hello  ->  {set:?}");
    println!("GET k        ->  {get:?}  (another node, on the same files)");
}

#[test]
fn what_was_written_is_there_behind_a_crash() {
    let [set, get] = write_and_read_behind_a_crash();
    assert_eq!(set, "+OK\r\n");
    assert_eq!(get, "$5\r\nhello\r\n");
}
