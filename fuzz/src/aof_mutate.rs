//! A log that was written well and then damaged: what is recovered is a prefix of it, or nothing.

use std::collections::VecDeque;

use seedis::aof::{Log, Op, Policy, Restated};
use seedis::disk::FileKind;
use seedis::ids::{LogIndex, NodeId, Term};

use crate::bytes::Bytes;
use crate::disk::{Disk, End, Seen, at, recover};

/// Writes records, mutates the files, and recovers twice.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let policy = [Policy::Always, Policy::EverySecond, Policy::No][bytes.below(3)];
    let mut disk = Disk::default();
    let (_, End::Done(mut log)) = recover(&mut disk, policy) else {
        panic!("an empty directory is refused");
    };
    let mut written = Vec::new();
    for turn in 0..bytes.below(20) as u64 {
        for _ in 0..=bytes.below(3) {
            let body = vec![written.len() as u8; 1 + bytes.wide() % 1500];
            let restated = Restated {
                term: Term(turn),
                vote: Some(NodeId(1)),
                commit: LogIndex(0),
            };
            log.append(&restated, LogIndex(written.len() as u64), &body);
            written.push((restated, body));
        }
        settle(&mut log, &mut disk, turn * 300);
    }
    drop(log);

    let mut whole = disk.clone();
    let (seen, end) = recover(&mut whole, policy);
    assert!(matches!(end, End::Done(_)), "unharmed: {end:?}");
    assert_eq!(bodies(&seen), written, "unharmed");

    while !bytes.is_empty() {
        mutate(&mut disk, &mut bytes);
    }
    let (seen, end) = recover(&mut disk, policy);
    assert!(written.starts_with(&bodies(&seen)), "no prefix: {seen:?}");
    if let End::Done(mut log) = end {
        // What was recovered can be gone on with.
        log.append(&Restated::default(), LogIndex(0), b"more");
        settle(&mut log, &mut disk, 0);
        let (again, end) = recover(&mut disk, policy);
        assert!(matches!(end, End::Done(_)), "the second time: {end:?}");
        let mut expected = bodies(&seen);
        expected.push((Restated::default(), b"more".to_vec()));
        assert_eq!(bodies(&again), expected, "the second time");
    }
}

/// The records that hold something; a log also writes some of its own that hold nothing.
fn bodies(seen: &Seen) -> Vec<(Restated, Vec<u8>)> {
    let records = seen.records.iter();
    records.filter(|(_, b)| !b.is_empty()).cloned().collect()
}

/// Ends a turn and performs all that is asked for, and what that brings.
fn settle(log: &mut Log, disk: &mut Disk, millis: u64) {
    let mut ops = Vec::new();
    log.flush(at(millis), &mut ops);
    let mut queue = VecDeque::from(ops);
    while let Some(Op { ticket, op }) = queue.pop_front() {
        let outcome = disk.perform(op);
        let mut more = Vec::new();
        let done = log.completed(at(millis), ticket, outcome, &mut more);
        done.expect("no operation fails");
        if queue.is_empty() {
            log.flush(at(millis), &mut more);
        }
        queue.extend(more);
    }
}

/// Does one thing to one segment.
fn mutate(disk: &mut Disk, bytes: &mut Bytes<'_>) {
    let choice = bytes.byte();
    let count = disk.0.len().max(1);
    let Some((name, content)) = disk.0.iter_mut().nth(usize::from(choice >> 4) % count) else {
        return;
    };
    let name = *name;
    let place = bytes.wide() % content.len().max(1);
    let len = bytes.wide().min(content.len() - place);
    match choice & 0xf {
        0 if name.kind() == FileKind::Log => {
            disk.0.remove(&name);
        }
        1 => content.truncate(place),
        2 => content[place..place + len].fill(0),
        3 => content.resize(content.len() + len, 0),
        4 => {
            let from = bytes.wide() % content.len().max(1);
            let len = len.min(content.len() - from);
            content.copy_within(from..from + len, place);
        }
        5 => {
            let new = bytes.take(len.min(16));
            content[place..place + new.len()].copy_from_slice(new);
        }
        _ => {
            if let Some(byte) = content.get_mut(place) {
                *byte ^= 1 << (len % 8);
            }
        }
    }
}
