//! A torn tail is cut; damage to what was synced is refused; nothing is invented.

use super::*;
use crate::aof::segment;

/// A log of five records, each synced, so that each knows those before it to be so.
fn five() -> Bench {
    let mut bench = Bench::new(Policy::Always);
    for n in 1..=5 {
        bench.append(&[n; 40]);
        bench.now += 1;
        bench.turn(usize::MAX);
    }
    bench
}

const RECORD: usize = 20 + 56 + 40;

fn expected(count: usize) -> Vec<Vec<u8>> {
    (1..=count as u8).map(|n| vec![n; 40]).collect()
}

#[test]
fn a_log_cut_at_any_byte_is_a_prefix_or_refused() {
    let bench = five();
    for cut in 0..5 * RECORD {
        let mut disk = bench.disk.clone();
        disk.image(segment::file(1)).truncate(cut);
        let (seen, _) = reopen(&mut disk, Policy::Always);
        assert_eq!(seen.bodies, expected(cut / RECORD), "{cut}");
    }
}

#[test]
fn a_flipped_byte_is_found_and_what_was_synced_is_never_skipped() {
    let bench = five();
    for at in 0..5 * RECORD {
        let mut disk = bench.disk.clone();
        disk.image(segment::file(1))[at] ^= 0x10;
        let (seen, log) = recover(&mut disk, Policy::Always, usize::MAX);
        if at < 4 * RECORD {
            assert!(seen.refused.is_some() && log.is_none(), "{at}");
        } else {
            // Of the last record nothing says that it was synced.
            assert_eq!((seen.bodies, seen.notes), (expected(4), 1), "{at}");
        }
    }
}

#[test]
fn after_the_mark_of_a_good_end_the_last_record_cannot_be_lost_unseen() {
    let mut bench = five();
    bench.log.close();
    bench.turn(usize::MAX);
    assert!(bench.log.is_idle());
    bench.disk.image(segment::file(1))[4 * RECORD + 30] ^= 1;
    let (seen, _) = recover(&mut bench.disk, Policy::Always, usize::MAX);
    assert!(seen.refused.is_some());
}

/// Scenario `old_record_behind_cut`: a record that a cut should have removed is still there behind
/// a new one.
#[test]
fn old_record_behind_cut() {
    let mut bench = Bench::new(Policy::Always);
    bench.append(&[1; 40]);
    bench.turn(usize::MAX);
    for n in 2..=3 {
        bench.append(&[n; 40]);
    }
    // Both are written and neither is synced; the crash keeps the second of them alone.
    bench.turn(1);
    let mut disk = bench.disk.clone();
    let old = disk.image(segment::file(1)).clone();
    disk.image(segment::file(1))[RECORD..2 * RECORD].fill(0);
    let (seen, log) = reopen(&mut disk, Policy::Always);
    assert_eq!((seen.bodies, seen.notes), (expected(1), 1));
    let mut bench = Bench::over(disk, log);
    bench.append(&[9; 40]);
    bench.turn(usize::MAX);
    // The disk has lied about the cut: the old third record stands where the new log would go on.
    bench.disk.image(segment::file(1))[2 * RECORD..3 * RECORD]
        .copy_from_slice(&old[2 * RECORD..3 * RECORD]);
    let (seen, _) = reopen(&mut bench.disk, Policy::Always);
    assert_eq!(seen.bodies, [vec![1; 40], vec![9; 40]]);
}

#[test]
fn a_hole_before_a_record_that_was_not_known_to_be_synced_is_cut() {
    let mut bench = Bench::new(Policy::Always);
    for n in 1..=5 {
        bench.append(&[n; 40]);
    }
    bench.turn(usize::MAX);
    bench.disk.image(segment::file(1))[2 * RECORD..3 * RECORD].fill(0);
    let (seen, _) = reopen(&mut bench.disk, Policy::Always);
    assert_eq!((seen.bodies, seen.notes), (expected(2), 1));
}

#[test]
fn a_record_at_the_wrong_offset_is_none() {
    let mut bench = five();
    let image = bench.disk.image(segment::file(1));
    let third = image[2 * RECORD..3 * RECORD].to_vec();
    image[RECORD..2 * RECORD].copy_from_slice(&third);
    let (seen, _) = recover(&mut bench.disk, Policy::Always, usize::MAX);
    assert!(seen.refused.is_some());
}

#[test]
fn a_missing_manifest_segment_or_base_is_refused() {
    let bench = five();
    for file in [crate::disk::FileName::MANIFEST, segment::file(1)] {
        let mut disk = bench.disk.clone();
        disk.perform(DiskOp::Remove { file }).expect("removed");
        let (seen, log) = recover(&mut disk, Policy::Always, usize::MAX);
        assert!(seen.refused.is_some() && log.is_none(), "{file}");
    }
}

#[test]
fn a_segment_that_is_missing_between_two_others_is_refused() {
    let mut bench = Bench::new(Policy::Always);
    for n in 1..=8 {
        bench.append(&[n; 1500]);
        bench.turn(usize::MAX);
    }
    assert!(bench.log.end.segment >= 3);
    let file = segment::file(2);
    bench
        .disk
        .perform(DiskOp::Remove { file })
        .expect("removed");
    let before = bench.disk.clone();
    let (seen, _) = recover(&mut bench.disk, Policy::Always, usize::MAX);
    assert!(seen.refused.is_some());
    assert_eq!(
        bench.disk.perform(DiskOp::List),
        before.clone().perform(DiskOp::List)
    );
}
