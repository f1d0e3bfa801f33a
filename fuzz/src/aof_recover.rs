//! Any files as a data directory: recovery ends with a log or a reason, and twice with the same.

use seedis::aof::Policy;
use seedis::aof::manifest::Manifest;
use seedis::aof::record::{self, Head, Position, Restated};
use seedis::disk::{FileKind, FileName};
use seedis::ids::{LogIndex, NodeId, Term};

use crate::bytes::Bytes;
use crate::disk::{Disk, End, look, recover};

/// Recovers from files that `data` describes.
///
/// A file's content is a row of pieces: raw bytes, zeros, or records whose checksum is right, since
/// no fuzzer would ever guess one.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut disk = Disk::default();
    manifest(&mut bytes, &mut disk);
    for _ in 0..bytes.below(4) {
        let number = small(&mut bytes);
        let (kind, place): (_, fn(u64, u64) -> Position) = match bytes.below(5) {
            0 => (FileKind::Base, Position::in_base),
            1 => (FileKind::BaseTmp, Position::in_base),
            _ => (FileKind::Log, in_log),
        };
        let content = content(&mut bytes, |offset| place(number, offset));
        disk.0.insert(FileName::new(kind, number), content);
    }
    judge(disk);
}

/// Recovery must come to the same end as a look, and its outcome must recover to the same again.
fn judge(mut disk: Disk) {
    let (looked, content) = look(&disk);
    let (seen, end) = recover(&mut disk, Policy::Always);
    match end {
        End::Refused(why) => {
            // The fuzzer's disk is small; a look needs no space on it.
            let is_full = why.contains("no space");
            assert!(is_full || content == Err(why), "a look: {content:?}");
        }
        End::Done(_) => {
            assert_eq!(content, Ok(()), "a look refuses what is recovered");
            assert_eq!(looked, seen, "a look sees the same");
            let (again, end) = recover(&mut disk, Policy::Always);
            assert!(matches!(end, End::Done(_)), "the second time: {end:?}");
            assert_eq!(again, seen, "the second time");
        }
    }
}

fn in_log(segment: u64, offset: u64) -> Position {
    Position { segment, offset }
}

/// A number that is mostly small and sometimes at the edge of what a name can hold.
fn small(bytes: &mut Bytes<'_>) -> u64 {
    match bytes.byte() {
        edge @ 250.. => FileName::NUMBER_MAX - u64::from(edge - 250),
        byte => u64::from(byte % 4),
    }
}

fn manifest(bytes: &mut Bytes<'_>, disk: &mut Disk) {
    let content = match bytes.below(8) {
        0 => return,
        1 => {
            let len = bytes.below(64);
            bytes.take(len).to_vec()
        }
        choice => {
            let number = |bytes: &mut Bytes<'_>| match choice {
                2 => bytes.long(),
                _ => small(bytes),
            };
            let manifest = Manifest {
                base: number(bytes),
                first_segment: number(bytes),
                predecessor: if choice > 4 { 0 } else { bytes.long() },
                debt: None,
                identity: b"me".to_vec(),
            };
            manifest.encode()
        }
    };
    disk.0.insert(FileName::MANIFEST, content);
}

fn content(bytes: &mut Bytes<'_>, place: impl Fn(u64) -> Position) -> Vec<u8> {
    let (mut out, mut predecessor) = (Vec::new(), 0);
    for _ in 0..bytes.below(24) {
        let here = place(out.len() as u64);
        match bytes.below(8) {
            0 => {
                let len = bytes.below(32);
                out.extend_from_slice(bytes.take(len));
            }
            1 => out.resize(out.len() + bytes.wide() % 5000, 0),
            2 => {
                // A record of any kind, which may be a base's.
                let len = bytes.below(96);
                record::put(&mut out, here, &[bytes.take(len)]);
            }
            choice => {
                let head = Head {
                    predecessor: if choice == 3 {
                        bytes.long()
                    } else {
                        predecessor
                    },
                    synced: Position {
                        segment: if choice == 4 {
                            bytes.long()
                        } else {
                            small(bytes)
                        },
                        offset: if choice == 4 {
                            bytes.long()
                        } else {
                            bytes.wide() as u64
                        },
                    },
                    restated: Restated {
                        term: Term(u64::from(bytes.byte())),
                        vote: (choice == 5).then_some(NodeId(u64::from(bytes.byte()) + 1)),
                        commit: LogIndex(small(bytes)),
                    },
                    last: LogIndex(small(bytes)),
                };
                let len = bytes.below(48);
                predecessor = record::put_log(&mut out, here, &head, bytes.take(len));
            }
        }
    }
    out
}
