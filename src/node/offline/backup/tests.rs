//! All that a directory holds comes out of its backup, and nothing else does.

use super::*;
use crate::aof;
use crate::aof::{Image, Restated};
use crate::disk::{DiskOp, FileName};
use crate::ids::{ClusterId, Incarnation, NodeId};
use crate::node::offline::restore::{NoBackup, Restore, Restored};
use crate::node::replica::base::Identity;
use crate::node::replica::versions::EntryVersion;
use crate::raft::{EntryKind, KnownSum, Member, Membership};
use crate::time::{Offset, Stamp};
use alloc::collections::BTreeMap;
use alloc::vec;
use core::fmt::Write;
use proptest::prelude::*;

type Files = BTreeMap<FileName, Vec<u8>>;

/// Performs what changes a directory.
fn perform(files: &mut Files, ops: &mut Vec<DiskOp>) {
    for op in ops.drain(..) {
        match op {
            DiskOp::Create { file, size } => {
                files.insert(file, vec![0; size as usize]);
            }
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => {
                let content = files.get_mut(&file).unwrap();
                assert_eq!(content.len() as u64, offset, "{file} is written in order");
                content.extend(bytes);
            }
            DiskOp::Rename { from, to } => {
                let content = files.remove(&from).unwrap();
                files.insert(to, content);
            }
            DiskOp::Sync { .. } | DiskOp::SyncDir => {}
            other => panic!("{other:?}"),
        }
    }
}

fn read(files: &Files, op: &DiskOp) -> Result<DiskDone, DiskError> {
    match op {
        DiskOp::List => {
            let files = files
                .iter()
                .map(|(file, bytes)| (*file, bytes.len() as u64));
            Ok(DiskDone::Listed {
                files: files.collect(),
            })
        }
        DiskOp::Read { file, offset, len } => {
            let bytes = files.get(file).ok_or(DiskError::NotFound)?;
            let from = bytes.len().min(*offset as usize);
            let to = bytes.len().min(from + *len as usize);
            Ok(DiskDone::Read {
                bytes: bytes[from..to].to_vec(),
            })
        }
        other => panic!("a backup changes nothing: {other:?}"),
    }
}

fn backup(files: &Files) -> Result<(LogIndex, Vec<u8>), String> {
    let (mut backup, mut asked) = Backup::new();
    let mut bytes = Vec::new();
    while let Some((ticket, op)) = asked {
        asked = backup.completed(ticket, read(files, &op));
        bytes.extend(backup.take_bytes());
    }
    let last = backup.outcome().map_err(String::from)?;
    Ok((last, bytes))
}

fn restore(bytes: &[u8], step: usize) -> Result<(Restored, Files), NoBackup> {
    let (mut files, mut ops) = (Files::new(), Vec::new());
    let mut restore = Restore::new(5, &mut ops);
    for part in bytes.chunks(step) {
        restore.take(part, &mut ops)?;
    }
    let restored = restore.finish(&mut ops)?;
    perform(&mut files, &mut ops);
    Ok((restored, files))
}

fn entry(index: u64, term: u64, kind: EntryKind, payload: &[u8]) -> Entry {
    Entry {
        term: Term(term),
        index: LogIndex(index),
        stamp: Stamp(index * 10),
        kind,
        payload: payload.to_vec().into(),
        known: KnownSum::default(),
    }
}

fn encoded(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        entry.encode(&mut bytes);
    }
    bytes
}

fn members() -> Vec<u8> {
    let member = |id| Member {
        id: NodeId(id),
        incarnation: Incarnation(id + 10),
    };
    Membership::of(vec![member(1), member(2), member(3)])
        .unwrap()
        .encode()
}

/// The directory of member 2 of a group: a base at entry 4, and a log whose last entries another
/// leader has superseded.
fn directory() -> Files {
    let (mut files, mut ops) = (Files::new(), Vec::new());
    let mut image = Image::new(&mut ops);
    let head = BaseHead {
        index: LogIndex(4),
        term: Term(1),
        stamp: Stamp(40),
        offset: Offset(0),
        grouped: true,
        entry_version: EntryVersion::default(),
        hash_seed: Some(9),
        membership: members(),
    };
    image.base_head(&head.encode(), &mut ops);
    image.base_piece(b"some of the state", &mut ops);
    image.base_piece(b"and the rest", &mut ops);
    let mut record = |term, commit, entries: &[Entry]| {
        let restated = Restated {
            term: Term(term),
            vote: Some(NodeId(2)),
            commit: LogIndex(commit),
        };
        let last = entries.last().map_or(LogIndex(6), |entry| entry.index);
        image.record(restated, last, &encoded(entries), &mut ops);
    };
    let first = [
        entry(5, 1, EntryKind::Membership, &members()),
        entry(6, 1, EntryKind::Normal, b"superseded"),
        entry(7, 1, EntryKind::Normal, b"superseded"),
    ];
    record(1, 4, &first);
    record(3, 5, &[entry(6, 3, EntryKind::Normal, b"a write")]);
    record(4, 5, &[]);
    let identity = Identity {
        id: NodeId(2),
        cluster: ClusterId(77),
        incarnation: Incarnation(12),
        founders: members(),
    };
    image.finish(identity.encode(), &mut ops);
    perform(&mut files, &mut ops);
    files
}

/// The lines that recovery shows of a directory.
fn shown(files: &Files) -> Vec<String> {
    let settings = aof::Settings {
        policy: aof::Policy::Always,
        segment_bytes: 1 << 16,
        piece_bytes: 1 << 16,
        read_bytes: crate::limits::READ_BYTES,
        identity: Vec::new(),
    };
    let mut recovery = Recovery::read_only(settings);
    let (mut ops, mut shown) = (Vec::new(), Vec::new());
    recovery.start(&mut ops);
    while let Some(aof::Op { ticket, op }) = ops.pop() {
        let outcome = read(files, &op);
        recovery.completed(ticket, outcome, &mut ops, &mut |event| {
            shown.push(match event {
                Event::Identity(bytes) => alloc::format!("{:?}", Identity::decode(bytes)),
                Event::BaseHead(bytes) => alloc::format!("{:?}", BaseHead::decode(bytes)),
                Event::Record {
                    restated,
                    last,
                    mut body,
                } => {
                    let mut text = alloc::format!("{restated:?} {}", last.0);
                    while !body.is_empty() {
                        let entry = Entry::decode(&mut body).unwrap();
                        let Entry { term, index, .. } = entry;
                        let (stamp, kind, payload) = (entry.stamp.0, entry.kind, entry.payload);
                        let _ =
                            write!(text, " {}/{}@{stamp} {kind:?} {payload:?}", index.0, term.0);
                    }
                    text
                }
                other => alloc::format!("{other:?}"),
            });
        });
    }
    shown
}

#[test]
fn a_backup_of_a_later_version_is_not_taken_for_a_damaged_one() {
    let refused = restore(b"seedis backup 2\nwho knows", 7).unwrap_err();
    let NoBackup::Newer(why) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.starts_with("the backup is of format 2, "), "{why}");
    let damaged = restore(b"seedis backup x\nwho knows", 7).unwrap_err();
    assert_eq!(damaged, NoBackup::Damaged { offset: 0 });
    // So is one whose base says a later version.
    let (_, mut bytes) = backup(&directory()).unwrap();
    let head = BaseHead::decode;
    let at = (0..bytes.len()).find(|at| bytes[*at] == HEAD && head(&bytes[at + 1..]).is_ok());
    let at = at.expect("it has a base");
    let length = u32::from_le_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    let mut payload = bytes[at..at + length].to_vec();
    payload[1] += 1;
    let offset = at as u64 - 8;
    let place = Position { offset, ..START };
    let mut record = Vec::new();
    record::put(&mut record, place, &[&payload]);
    bytes.splice(at - 8..at - 8 + record.len(), record);
    let refused = restore(&bytes, 1000).unwrap_err();
    let NoBackup::Newer(why) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.starts_with("the base is of format 2, "), "{why}");
}

#[test]
fn a_member_becomes_a_server_of_its_own() {
    let (last, bytes) = backup(&directory()).unwrap();
    assert_eq!(last, LogIndex(6), "superseded entries do not count");
    let (restored, files) = restore(&bytes, 7).unwrap();
    assert_eq!((restored.member, restored.from), (NodeId(2), ClusterId(77)));
    assert!(restored.had_others);
    assert_ne!(restored.cluster, ClusterId(77));
    let shown = shown(&files);
    let alone = Membership::alone(NodeId(1)).encode();
    assert!(shown[0].contains("id: NodeId(1)"), "{}", shown[0]);
    assert!(!shown[0].contains("Incarnation(12)"), "{}", shown[0]);
    let head = alloc::format!(
        "index: LogIndex(4), term: Term(1), stamp: Stamp(40), offset: Offset(0), grouped: false, \
         entry_version: {:?}, hash_seed: Some(9), membership: {alone:?}",
        EntryVersion::default()
    );
    assert!(shown[1].contains(&head), "{}", shown[1]);
    let pieces = [&b"some of the state"[..], b"and the rest"];
    let pieces = pieces.map(|piece| alloc::format!("{:?}", Event::BasePiece(piece)));
    assert_eq!(shown[2..4], pieces);
    // Who the members were is gone, and nothing of what they said.
    let restated = "Restated { term: Term(3), vote: None, commit: LogIndex(6) }";
    let wanted = alloc::format!("{restated} 6 5/1@50 Noop b\"\" 6/3@60 Normal b\"a write\"");
    assert_eq!(shown[4], wanted);
    assert!(shown[5].contains("term: Term(4)"), "{}", shown[5]);
    assert_eq!(shown[6..], ["Done"]);
}

#[test]
fn a_directory_without_a_base_is_a_log_alone() {
    let (mut files, mut ops) = (Files::new(), Vec::new());
    Image::new(&mut ops).finish(
        Identity {
            id: NodeId(1),
            cluster: ClusterId(1),
            incarnation: Incarnation(1),
            founders: members(),
        }
        .encode(),
        &mut ops,
    );
    perform(&mut files, &mut ops);
    let (last, bytes) = backup(&files).unwrap();
    assert_eq!(last, LogIndex(0));
    let (_, files) = restore(&bytes, 64).unwrap();
    assert_eq!(files.len(), 2, "a manifest and a segment");
    assert_eq!(shown(&files).len(), 3, "identity, a mark, the end");
}

#[test]
fn a_server_of_its_own_had_no_others_and_who_had_is_told_by_the_last_that_is_said() {
    let own = NodeId(1);
    let (alone, many) = (Membership::alone(own).encode(), members());
    // The founders, then the base, then the log.
    let cases = [
        (&alone, None, None, false),
        (&many, None, None, true),
        (&many, Some(&alone), None, false),
        (&alone, Some(&many), None, true),
        (&alone, Some(&alone), Some(&many), true),
        (&many, Some(&many), Some(&alone), false),
    ];
    for (founders, base, changed, had_others) in cases {
        let (mut files, mut ops) = (Files::new(), Vec::new());
        let mut image = Image::new(&mut ops);
        let mut last = LogIndex(0);
        if let Some(members) = base {
            last = LogIndex(4);
            let head = BaseHead {
                index: last,
                term: Term(1),
                stamp: Stamp(40),
                offset: Offset(0),
                grouped: true,
                entry_version: EntryVersion::default(),
                hash_seed: None,
                membership: members.clone(),
            };
            image.base_head(&head.encode(), &mut ops);
        }
        if let Some(members) = changed {
            last = last.next();
            let said = encoded(&[entry(last.0, 1, EntryKind::Membership, members)]);
            let restated = Restated {
                term: Term(1),
                vote: None,
                commit: last,
            };
            image.record(restated, last, &said, &mut ops);
        }
        let identity = Identity {
            id: own,
            cluster: ClusterId(1),
            incarnation: Incarnation(1),
            founders: founders.clone(),
        };
        image.finish(identity.encode(), &mut ops);
        perform(&mut files, &mut ops);
        let (_, bytes) = backup(&files).unwrap();
        let (restored, _) = restore(&bytes, 64).unwrap();
        assert_eq!(restored.had_others, had_others);
    }
}

#[test]
fn no_server_starts_from_it_and_no_backup_comes_of_it() {
    let mut files = directory();
    files.retain(|file, _| file.kind() != crate::disk::FileKind::Base);
    assert!(backup(&files).unwrap_err().contains("missing"));
}

proptest! {
    #[test]
    fn what_is_cut_or_damaged_is_no_backup(at: prop::sample::Index, bit in 0_u8..8) {
        let (_, bytes) = backup(&directory()).unwrap();
        let at = at.index(bytes.len());
        prop_assert!(restore(&bytes[..at], 16).is_err());
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << bit;
        prop_assert!(restore(&damaged, 16).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(restore(&longer, 16).is_err());
    }
}
