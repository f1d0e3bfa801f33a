//! The log against a disk that forgets what was not synced.

mod crash;
mod disk;
mod repair;
mod rewriting;
mod tail;

use std::collections::VecDeque;

use disk::Disk;

use bytes::Bytes;

use super::*;
use crate::checksum::crc64;
use crate::disk::DiskOp;
use crate::ids::{LogIndex, NodeId, Term};
use crate::time::{Mono, Now, Reason};

pub(super) fn at(millis: u64) -> Now {
    Now {
        mono: Mono::from_millis(millis),
        wall_us: 0,
    }
}

pub(super) fn settings(policy: Policy) -> Settings {
    Settings {
        policy,
        segment_bytes: 4096,
        piece_bytes: 64,
        read_bytes: crate::limits::READ_BYTES,
        identity: b"me".to_vec(),
    }
}

/// The results that recovery has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) base: Vec<Vec<u8>>,
    pub(super) bodies: Vec<Vec<u8>>,
    pub(super) restated: Restated,
    pub(super) notes: usize,
    pub(super) refused: Option<String>,
}

/// Recovers until it ends, or until `steps` operations are done.
pub(super) fn recover(disk: &mut Disk, policy: Policy, steps: usize) -> (Seen, Option<Log>) {
    let mut recovery = Recovery::new(settings(policy));
    let (mut seen, mut ops, mut done) = (Seen::default(), Vec::new(), false);
    recovery.start(&mut ops);
    for _ in 0..steps {
        let Some(Op { ticket, op }) = ops.pop() else {
            break;
        };
        let outcome = disk.perform(op);
        recovery.completed(ticket, outcome, &mut ops, &mut |event| match event {
            Event::Identity(identity) => assert_eq!(identity, b"me"),
            Event::BaseHead(head) => seen.base.push(head.to_vec()),
            Event::BasePiece(piece) => seen.base.push(piece.to_vec()),
            Event::Record { restated, body, .. } => {
                seen.restated = restated;
                if !body.is_empty() {
                    seen.bodies.push(body.to_vec());
                }
            }
            Event::Note(_) => seen.notes += 1,
            Event::Stray { .. } | Event::InDebt(_) => {}
            Event::Refused(why) => seen.refused = Some(why),
            Event::Damaged { why, advice, .. } => seen.refused = Some(why + advice),
            Event::Done => done = true,
        });
    }
    let log = done.then(|| recovery.into_log(at(0)));
    (seen, log)
}

pub(super) fn reopen(disk: &mut Disk, policy: Policy) -> (Seen, Log) {
    let (seen, log) = recover(disk, policy, usize::MAX);
    let refused = seen.refused.clone();
    (seen, log.unwrap_or_else(|| panic!("refused: {refused:?}")))
}

/// An open log and the disk under it.
pub(super) struct Bench {
    pub(super) queue: VecDeque<Op>,
    pub(super) disk: Disk,
    pub(super) log: Log,
    pub(super) now: u64,
    pub(super) syncs: usize,
    pub(super) writes: usize,
}

impl Bench {
    pub(super) fn new(policy: Policy) -> Self {
        let mut disk = Disk::default();
        let (_, log) = reopen(&mut disk, policy);
        Self::over(disk, log)
    }

    pub(super) fn over(disk: Disk, log: Log) -> Self {
        Self {
            queue: VecDeque::new(),
            disk,
            log,
            now: 0,
            syncs: 0,
            writes: 0,
        }
    }

    pub(super) fn append(&mut self, body: &[u8]) -> crate::ids::PersistSeq {
        let head = Restated {
            term: Term(1),
            vote: Some(NodeId(1)),
            commit: LogIndex(0),
        };
        // As a node does with what is large.
        let (Some((first, rest)), true) = (body.split_at_checked(3), body.len() > 64 + 5) else {
            return self.log.append(&head, LogIndex(0), body);
        };
        let (payload, tail) = rest.split_at(rest.len() - 2);
        let shared = BodyPart::Shared {
            bytes: Bytes::copy_from_slice(payload),
            sum: crc64(&[], payload),
        };
        let own = |bytes: &[u8]| BodyPart::Own(bytes.to_vec());
        let parts = [own(first), shared, own(tail)];
        self.log.append_parts(&head, LogIndex(0), &parts)
    }

    /// Flushes, and performs operations until none is left or `steps` are done; false if some are
    /// left undone.
    pub(super) fn turn(&mut self, mut steps: usize) -> bool {
        let mut ops = Vec::new();
        self.log.flush(at(self.now), &mut ops);
        self.queue.extend(ops);
        while !self.queue.is_empty() {
            if steps == 0 {
                return false;
            }
            steps -= 1;
            let Some(Op { ticket, op }) = self.queue.pop_front() else {
                break;
            };
            self.syncs += usize::from(matches!(op, DiskOp::Sync { .. }));
            self.writes += usize::from(matches!(op, DiskOp::WriteAt { .. }));
            let outcome = self.disk.perform(op);
            let mut more = Vec::new();
            let done = self.log.completed(at(self.now), ticket, outcome, &mut more);
            done.expect("no operation fails");
            if self.queue.is_empty() {
                self.log.flush(at(self.now), &mut more);
            }
            self.queue.extend(more);
        }
        true
    }
}

#[test]
fn a_turn_of_many_appends_is_one_write_and_one_sync() {
    let mut bench = Bench::new(Policy::Always);
    bench.append(b"first");
    bench.turn(usize::MAX);
    (bench.syncs, bench.writes) = (0, 0);
    let mut last = crate::ids::PersistSeq(0);
    for n in 0..20 {
        bench.log.waiters_back(1);
        last = bench.append(&[n; 8]);
    }
    assert!(bench.log.persisted() < last);
    bench.turn(usize::MAX);
    assert_eq!((bench.writes, bench.syncs), (1, 1));
    assert_eq!(bench.log.persisted(), last);
}

#[test]
fn every_second_persists_at_the_write_and_stalls_without_a_sync() {
    let mut bench = Bench::new(Policy::EverySecond);
    let first = bench.append(b"a");
    bench.turn(1);
    assert_eq!(bench.log.persisted(), first);
    assert!(bench.log.synced() < first);
    // A sync is due at 1 s; the disk does not perform it.
    bench.now = 1000;
    bench.turn(0);
    let second = bench.append(b"b");
    bench.now = 2100;
    bench.turn(1);
    assert!(bench.log.persisted() < second);
}

#[test]
fn every_second_counts_from_the_first_write_of_which_no_sync_has_been() {
    let mut bench = Bench::new(Policy::EverySecond);
    bench.append(&[1; 2500]);
    bench.turn(usize::MAX);
    bench.now = 100;
    let second = bench.append(&[2; 2500]);
    bench.turn(usize::MAX);
    assert_eq!(bench.log.persisted(), second);
    // The sync that is due covers the first segment alone, and the disk lets the next one hang.
    bench.now = 1000;
    bench.turn(1);
    assert_eq!(
        bench.syncs, 3,
        "two for making segments, one for what was written"
    );
    bench.turn(0);
    bench.now = 2100;
    let third = bench.append(b"c");
    bench.turn(0);
    assert!(bench.log.synced() < second);
    bench.queue.rotate_left(1);
    bench.turn(1);
    assert!(
        bench.log.persisted() < third,
        "the second is two seconds old"
    );
}

#[test]
fn a_vote_is_persisted_only_when_it_is_synced_whatever_the_policy() {
    for policy in [Policy::EverySecond, Policy::No] {
        let mut bench = Bench::new(policy);
        bench.log.must_sync();
        let vote = bench.append(b"");
        bench.turn(1);
        assert!(bench.log.persisted() < vote);
        bench.turn(usize::MAX);
        assert_eq!(bench.log.persisted(), vote);
    }
}

#[test]
fn a_vote_that_found_no_space_is_synced_when_it_is_written_at_last() {
    for policy in [Policy::Always, Policy::EverySecond, Policy::No] {
        let mut bench = Bench::new(policy);
        bench.disk.is_full = true;
        bench.log.must_sync();
        let vote = bench.append(b"");
        bench.turn(usize::MAX);
        assert!(bench.log.persisted() < vote);
        bench.now += 100;
        bench.disk.is_full = false;
        bench.turn(usize::MAX);
        assert_eq!(bench.log.persisted(), vote, "{policy:?}");
    }
}

#[test]
fn a_failed_sync_ends_the_log() {
    let mut bench = Bench::new(Policy::Always);
    bench.append(b"a");
    let mut ops = Vec::new();
    bench.log.flush(at(0), &mut ops);
    for Op { ticket, op } in ops {
        let is_sync = matches!(op, DiskOp::Sync { .. });
        let mut outcome = bench.disk.perform(op);
        if is_sync {
            outcome = Err(crate::disk::DiskError::Io { code: 5 });
        }
        let done = bench.log.completed(at(0), ticket, outcome, &mut Vec::new());
        assert_eq!(done.is_err(), is_sync);
    }
}

#[test]
fn a_full_disk_holds_what_it_cannot_write_and_goes_on_when_there_is_space() {
    let mut bench = Bench::new(Policy::Always);
    let first = bench.append(b"fits");
    bench.turn(usize::MAX);
    bench.disk.is_full = true;
    let second = bench.append(&[7; 100]);
    bench.turn(usize::MAX);
    assert_eq!(bench.log.trouble(), Some("No space left on device"));
    assert_eq!(bench.log.write_refused(), bench.log.trouble());
    assert_eq!(bench.log.persisted(), first);
    bench.now += 50;
    bench.disk.is_full = false;
    bench.turn(usize::MAX);
    assert!(
        bench.log.trouble().is_some(),
        "it is not tried again at once"
    );
    bench.now += 100;
    assert!(!bench.turn(0));
    assert!(bench.log.is_trying_again(), "an attempt is no success");
    assert!(bench.log.write_refused().is_some());
    bench.turn(usize::MAX);
    assert_eq!(bench.log.trouble(), None);
    assert_eq!(bench.log.write_refused(), None);
    assert!(!bench.log.is_trying_again());
    assert_eq!(bench.log.persisted(), second);
    let (seen, _) = reopen(&mut bench.disk.crash(0), Policy::Always);
    assert_eq!(seen.bodies, [b"fits".to_vec(), vec![7; 100]]);
}

#[test]
fn a_write_that_found_no_space_long_ago_is_made_again_as_soon_as_that_is_told() {
    let mut bench = Bench::new(Policy::Always);
    bench.append(&[1; 2500]);
    bench.turn(usize::MAX);
    for body in [[2; 1000], [3; 1000]] {
        let head = Restated::default();
        bench.log.append(&head, LogIndex(0), &body);
    }
    let mut ops = Vec::new();
    bench.log.flush(at(0), &mut ops);
    let mut writes = ops
        .into_iter()
        .filter(|op| matches!(op.op, DiskOp::WriteAt { .. }));
    let [slow, refused] = [writes.next(), writes.next()].map(|op| op.expect("two segments"));
    let DiskOp::WriteAt { bytes, .. } = refused.op else {
        unreachable!("only writes are left");
    };
    let none = Err(crate::disk::DiskError::NoSpace { bytes });
    let written = bench.disk.perform(slow.op);
    for (now, ticket, outcome) in [(10, refused.ticket, none), (5000, slow.ticket, written)] {
        let log = &mut bench.log;
        let done = log.completed(at(now), ticket, outcome, &mut Vec::new());
        done.expect("a shortage ends nothing");
    }
    assert!(bench.log.trouble().is_some());
    bench.log.flush(at(5000), &mut Vec::new());
    assert!(bench.log.is_trying_again());
    assert_eq!(bench.log.trouble(), None);
}

#[test]
fn there_is_no_room_before_the_next_segment_is_made_however_often_that_is_tried() {
    let mut bench = Bench::new(Policy::Always);
    bench.append(&[0; 2500]);
    bench.disk.largest = Some(0);
    bench.turn(usize::MAX);
    for _ in 0..3 {
        assert_eq!(bench.log.trouble(), Some("No space left on device"));
        bench.now += 600;
        assert!(!bench.turn(0), "it is tried again");
        assert!(bench.log.is_trying_again(), "an attempt is no success");
        bench.turn(usize::MAX);
    }
    bench.disk.largest = None;
    bench.now += 600;
    bench.turn(usize::MAX);
    assert_eq!(bench.log.trouble(), None);
    assert!(!bench.log.is_trying_again());
}

#[test]
fn without_a_next_segment_the_log_ends_in_good_order() {
    let mut bench = Bench::new(Policy::EverySecond);
    let last = bench.append(&[0; 2500]);
    bench.disk.largest = Some(0);
    bench.turn(usize::MAX);
    assert!(bench.log.trouble().is_some(), "it cannot grow");
    assert_eq!(
        bench.log.write_refused(),
        None,
        "and is written all the same"
    );
    assert!(bench.log.synced() < last);
    let reason = |bench: &Bench| bench.log.deadline().map(|deadline| deadline.reason);
    assert_eq!(reason(&bench), Some(Reason::DiskRetry));
    bench.log.close();
    bench.now += 600;
    bench.turn(0);
    assert_ne!(
        reason(&bench),
        Some(Reason::DiskRetry),
        "no turn would do it"
    );
    bench.turn(usize::MAX);
    assert!(bench.log.is_idle());
    assert_eq!(bench.log.synced(), last);
    let (seen, _) = reopen(&mut bench.disk.crash(0), Policy::EverySecond);
    assert_eq!(seen.bodies, [vec![0; 2500]]);
}

#[test]
fn no_record_behind_a_refused_one_says_that_it_is_synced() {
    // The first that is refused stands within its segment, or at its beginning.
    for (cramped, kept) in [(1, 1), (2, 2)] {
        let mut bench = Bench::new(Policy::Always);
        bench.append(&[0; 2500]);
        bench.turn(usize::MAX);
        bench.disk.cramped = Some(segment::file(cramped));
        for (number, length) in [(1, 1000), (2, 1000), (3, 2500), (4, 2500), (5, 100)] {
            bench.append(&vec![number; length]);
            bench.turn(usize::MAX);
            bench.now += 150;
        }
        let lost = bench.log.persisted().next();
        bench.disk.cramped = None;
        let (seen, _) = reopen(&mut bench.disk, Policy::Always);
        let firsts: Vec<u8> = seen.bodies.iter().map(|body| body[0]).collect();
        assert_eq!(firsts.len(), kept);
        assert!([0, 1].starts_with(&firsts), "{firsts:?}");
        assert!(lost.0 as usize > kept);
    }
}

#[test]
fn a_write_that_fails_ends_the_log_though_an_earlier_one_is_on_its_way() {
    let mut bench = Bench::new(Policy::Always);
    for _ in 0..12 {
        bench.append(&[7; 128]);
    }
    // More than half of the segment is written, and the next one is made.
    for _ in 0..4 {
        bench.turn(usize::MAX);
    }
    for _ in 0..12 {
        bench.append(&[8; 128]);
    }
    let mut ops = Vec::new();
    bench.log.flush(at(bench.now), &mut ops);
    let is_write = |op: &DiskOp| matches!(op, DiskOp::WriteAt { .. } | DiskOp::WriteShared { .. });
    ops.retain(|Op { op, .. }| is_write(op));
    let (first, last) = (&ops[0], &ops[ops.len() - 1]);
    assert_ne!(first.op.file(), last.op.file(), "they are on two segments");
    let outcome = Err(crate::disk::DiskError::Io { code: 5 });
    let ended = bench
        .log
        .completed(at(bench.now), last.ticket, outcome, &mut Vec::new());
    assert!(matches!(ended, Err(Failure::Write(_))), "{ended:?}");
}
