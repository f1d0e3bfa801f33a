//! A rewrite's switch is atomic at every step, and writes go on meanwhile.

use std::collections::VecDeque;

use super::*;
use crate::disk::{DiskDone, DiskError, FileKind, FileName};

/// Appends until the next segment is ready, begins a rewrite, and goes on until `steps` operations
/// are done.
fn rewrite(bench: &mut Bench, steps: usize) -> RewriteState {
    let mut ops = Vec::new();
    let mut turns = 0;
    while !bench.log.rewrite_begin(b"head", &mut ops) {
        bench.turn(usize::MAX);
        turns += 1;
        assert!(turns < 9, "no segment becomes ready");
    }
    bench.append(b"after");
    for piece in [&b"one"[..], b"two"] {
        bench.log.rewrite_piece(piece, &mut ops);
    }
    bench.log.rewrite_finish(&mut ops);
    drive(bench, ops, steps)
}

/// As `rewrite`, with a base that was received.
fn install(bench: &mut Bench, steps: usize) -> RewriteState {
    let mut ops = Vec::new();
    assert!(bench.log.install_begin(b"head", &mut ops));
    bench.append(b"during");
    for piece in [&b"one"[..], b"two"] {
        bench.log.rewrite_piece(piece, &mut ops);
    }
    while !bench.log.install_finish(&mut ops) {
        bench.log.flush(at(bench.now), &mut ops);
        for Op { ticket, op } in core::mem::take(&mut ops) {
            let outcome = bench.disk.perform(op);
            let done = bench
                .log
                .completed(at(bench.now), ticket, outcome, &mut ops);
            done.expect("no operation fails");
        }
    }
    bench.append(b"after");
    drive(bench, ops, steps)
}

/// Goes on until `steps` operations are done, or the rewrite is.
fn drive(bench: &mut Bench, ops: Vec<Op>, mut steps: usize) -> RewriteState {
    let mut queue = VecDeque::from(ops);
    loop {
        let mut more = Vec::new();
        bench.log.flush(at(bench.now), &mut more);
        queue.extend(more);
        let state = bench.log.take_rewrite_outcome();
        if state != RewriteState::Running || steps == 0 {
            return state;
        }
        let Some(Op { ticket, op }) = queue.pop_front() else {
            panic!("a rewrite waits for nothing");
        };
        steps -= 1;
        let outcome = bench.disk.perform(op);
        let mut more = Vec::new();
        let done = bench
            .log
            .completed(at(bench.now), ticket, outcome, &mut more);
        done.expect("no operation fails");
        queue.extend(more);
    }
}

fn before() -> Bench {
    let mut bench = Bench::new(Policy::Always);
    bench.append(b"before");
    bench.turn(usize::MAX);
    bench
}

#[test]
fn the_switch_is_atomic_at_every_step() {
    let (mut old, mut new) = (0, 0);
    for steps in 0..40 {
        for seed in 0..30 {
            let mut bench = before();
            rewrite(&mut bench, steps);
            let mut disk = bench.disk.crash(seed);
            let (seen, _) = reopen(&mut disk, Policy::Always);
            if seen.base.is_empty() {
                old += 1;
                assert_eq!(seen.bodies.first().map(Vec::as_slice), Some(&b"before"[..]));
            } else {
                new += 1;
                assert_eq!(seen.base, [&b"head"[..], b"one", b"two"]);
                assert_eq!(seen.bodies, [b"after"]);
            }
            let (again, _) = reopen(&mut disk, Policy::Always);
            assert_eq!((again.base, again.bodies), (seen.base, seen.bodies));
        }
    }
    assert!(old > 100 && new > 100, "{old} {new}");
}

#[test]
fn what_is_received_replaces_all_that_was_there_or_nothing() {
    let (mut old, mut new) = (0, 0);
    for steps in 0..40 {
        for seed in 0..30 {
            let mut bench = before();
            install(&mut bench, steps);
            let mut disk = bench.disk.crash(seed);
            let (seen, _) = reopen(&mut disk, Policy::Always);
            if seen.base.is_empty() {
                old += 1;
                assert_eq!(seen.bodies.first().map(Vec::as_slice), Some(&b"before"[..]));
            } else {
                new += 1;
                assert_eq!(seen.base, [&b"head"[..], b"one", b"two"]);
                assert_eq!(seen.bodies, [b"after"]);
            }
            let (again, mut log) = reopen(&mut disk, Policy::Always);
            assert_eq!((again.base, again.bodies), (seen.base, seen.bodies));
            assert!(log.install_begin(b"another", &mut Vec::new()), "once more");
        }
    }
    assert!(old > 100 && new > 100, "{old} {new}");
}

#[test]
fn a_rewrite_makes_the_log_short_and_another_may_follow() {
    let mut bench = before();
    for round in 0..3 {
        let state = rewrite(&mut bench, usize::MAX);
        assert!(
            matches!(state, RewriteState::Done { .. }),
            "{round}: {state:?}"
        );
        bench.turn(usize::MAX);
        assert_eq!(bench.log.size().segments, 1);
    }
    let (seen, _) = reopen(&mut bench.disk, Policy::Always);
    assert_eq!(seen.base, [&b"head"[..], b"one", b"two"]);
    assert_eq!(seen.bodies, [b"after"]);
}

#[test]
fn a_damaged_base_is_refused() {
    let mut bench = before();
    rewrite(&mut bench, usize::MAX);
    let base = crate::aof::rewriting::base(2);
    for at in 0..bench.disk.image(base).len() {
        let mut disk = bench.disk.clone();
        disk.image(base)[at] ^= 4;
        let (seen, log) = recover(&mut disk, Policy::Always, usize::MAX);
        assert!(seen.refused.is_some() && log.is_none(), "{at}");
    }
}

/// Its first record was synced before the manifest made the segment count.
#[test]
fn a_log_that_is_gone_from_behind_a_base_is_damage() {
    let mut bench = before();
    rewrite(&mut bench, usize::MAX);
    let log = segment::file(2);
    let length = bench.disk.image(log).len();
    for left in [0, length] {
        let mut disk = bench.disk.clone();
        disk.image(log).clear();
        disk.image(log).resize(left, 0);
        let (seen, recovered) = recover(&mut disk, Policy::Always, usize::MAX);
        assert!(seen.refused.is_some() && recovered.is_none(), "{left}");
    }
}

#[test]
fn a_rewrite_without_space_leaves_the_log_as_it_was() {
    let mut bench = before();
    let mut ops = Vec::new();
    while !bench.log.rewrite_begin(b"head", &mut ops) {
        bench.turn(usize::MAX);
    }
    bench.disk.is_full = true;
    bench.log.rewrite_finish(&mut ops);
    for Op { ticket, op } in ops {
        let outcome = bench.disk.perform(op);
        let done = bench.log.completed(at(0), ticket, outcome, &mut Vec::new());
        done.expect("only the rewrite fails");
    }
    assert_eq!(bench.log.take_rewrite_outcome(), RewriteState::Failed);
    assert_eq!(bench.log.take_rewrite_outcome(), RewriteState::Absent);
    bench.disk.is_full = false;
    let (seen, _) = reopen(&mut bench.disk, Policy::Always);
    assert_eq!(seen.bodies, [b"before"]);
}

#[test]
fn a_rewrite_that_fails_at_any_step_leaves_nothing_behind() {
    let mut failed = 0;
    for step in 0..40 {
        let mut bench = before();
        let mut ops = Vec::new();
        while !bench.log.rewrite_begin(b"head", &mut ops) {
            bench.turn(usize::MAX);
        }
        bench.append(b"after");
        bench.log.rewrite_finish(&mut ops);
        let (mut queue, mut steps) = (VecDeque::from(ops), 0);
        let mut ended = false;
        for _ in 0..200 {
            let mut flushed = Vec::new();
            bench.log.flush(at(bench.now), &mut flushed);
            queue.extend(flushed);
            let Some(Op { ticket, op }) = queue.pop_front() else {
                break;
            };
            let outcome = if steps == step {
                Err(DiskError::Io { code: 5 })
            } else {
                bench.disk.perform(op)
            };
            steps += 1;
            let mut more = Vec::new();
            let done = bench
                .log
                .completed(at(bench.now), ticket, outcome, &mut more);
            ended |= done.is_err();
            queue.extend(more);
        }
        if ended || bench.log.take_rewrite_outcome() != RewriteState::Failed {
            continue;
        }
        failed += 1;
        let stays = |file: &FileName| {
            matches!(
                file.kind(),
                FileKind::Base | FileKind::BaseTmp | FileKind::ManifestTmp
            )
        };
        let Ok(DiskDone::Listed { files }) = bench.disk.perform(DiskOp::List) else {
            panic!("a directory can be listed");
        };
        let left: Vec<FileName> = files
            .into_iter()
            .map(|(file, _)| file)
            .filter(stays)
            .collect();
        assert_eq!(left, [], "step {step}");
    }
    assert!(failed > 5, "{failed}");
}

#[test]
fn a_rewrite_begins_where_there_is_no_room_for_a_whole_segment() {
    let mut bench = before();
    bench.disk.largest = Some(settings(Policy::Always).segment_bytes / 4);
    // The log does not ask for less by itself: what is left is for the rewrite.
    for _ in 0..20 {
        bench.append(&[7; 128]);
    }
    bench.turn(usize::MAX);
    assert!(bench.log.trouble().is_some());
    bench.now = 1000;
    assert!(matches!(
        rewrite(&mut bench, usize::MAX),
        RewriteState::Done { .. }
    ));
    let (seen, _) = reopen(&mut bench.disk, Policy::Always);
    assert_eq!(seen.bodies, [b"after"]);
    // Behind it the log goes on in segments that are as small, until there is room again.
    for n in 0..50_u64 {
        bench.append(&[8; 128]);
        bench.now += 600;
        bench.turn(usize::MAX);
        assert!(bench.log.size().segments > n / 8);
    }
}

#[test]
fn a_base_is_synced_part_by_part_so_that_no_sync_has_much_to_write() {
    let mut bench = Bench::new(Policy::Always);
    let mut ops = Vec::new();
    while !bench.log.rewrite_begin(b"head", &mut ops) {
        bench.turn(usize::MAX);
    }
    bench.append(b"after");
    let part = settings(Policy::Always).segment_bytes as usize / 4;
    let piece = vec![7; part / 3];
    for _ in 0..30 {
        bench.log.rewrite_piece(&piece, &mut ops);
    }
    bench.log.rewrite_finish(&mut ops);
    let (mut unsynced, mut most) = (0, 0);
    for Op { op, .. } in &ops {
        match op {
            DiskOp::WriteAt { file, bytes, .. } if file.kind() == FileKind::BaseTmp => {
                unsynced += bytes.len();
            }
            DiskOp::Sync { file } if file.kind() == FileKind::BaseTmp => unsynced = 0,
            _ => {}
        }
        most = most.max(unsynced);
    }
    assert!((part..part * 3 / 2).contains(&most), "{most} of {part}");
    assert!(matches!(
        drive(&mut bench, ops, usize::MAX),
        RewriteState::Done { .. }
    ));
}
