//! Crashes at any operation: a prefix is recovered, and never less than what was persisted.

use super::*;
use crate::ids::PersistSeq;

fn body(n: u64) -> Vec<u8> {
    let mut bytes = n.to_le_bytes().to_vec();
    bytes.resize(8 + (n as usize * 37) % 300, n as u8);
    bytes
}

/// Checks that the recovered bodies are a prefix of what was appended, at least as long as what was
/// persisted.
fn check(seen: &Seen, appended: u64, persisted: PersistSeq) {
    let count = seen.bodies.len() as u64;
    assert!(count <= appended, "something was invented");
    assert!(
        count >= persisted.0,
        "{count} recovered, {persisted} persisted"
    );
    for (n, found) in seen.bodies.iter().enumerate() {
        assert_eq!(*found, body(n as u64 + 1));
    }
}

#[test]
fn what_was_persisted_survives_a_crash_at_any_operation() {
    for seed in 0..400 {
        let mut bench = Bench::new(Policy::Always);
        let (mut appended, mut persisted) = (0, PersistSeq(0));
        let turns = 1 + seed % 30;
        for turn in 0..turns {
            for _ in 0..=(seed + turn) % 4 {
                appended += 1;
                bench.append(&body(appended));
            }
            let last = turn + 1 == turns;
            bench.now += 1;
            bench.turn(if last {
                (seed % 5) as usize
            } else {
                usize::MAX
            });
            persisted = bench.log.persisted();
        }
        let mut disk = bench.disk.crash(seed);
        // A recovery may be cut short as well, at any of its own operations.
        for cut in 0..(seed % 12) {
            recover(&mut disk, Policy::Always, cut as usize);
            disk = disk.crash(seed + cut);
        }
        let (seen, _) = reopen(&mut disk, Policy::Always);
        check(&seen, appended, persisted);
        let (again, mut log) = reopen(&mut disk, Policy::Always);
        assert_eq!(
            (&again.bodies, again.notes),
            (&seen.bodies, 0),
            "twice equals once"
        );
        // What is appended after a cut is found behind it.
        let next = seen.bodies.len() as u64 + 1;
        log.append(&Restated::default(), LogIndex(0), &body(next));
        let mut bench = Bench::over(disk, log);
        bench.turn(usize::MAX);
        let (seen, _) = reopen(&mut bench.disk.crash(seed), Policy::Always);
        check(&seen, next, PersistSeq(next));
    }
}

#[test]
fn a_crash_during_the_first_start_leaves_a_directory_that_starts() {
    for cut in 0..12 {
        for seed in 0..20 {
            let mut disk = Disk::default();
            recover(&mut disk, Policy::Always, cut);
            let (seen, _) = reopen(&mut disk.crash(seed), Policy::Always);
            assert_eq!(seen.bodies.len(), 0);
        }
    }
}
