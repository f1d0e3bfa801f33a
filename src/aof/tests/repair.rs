//! A directory that goes on without what is damaged: it says what it owes, whatever crash comes in
//! between, until the debt is paid.

use super::*;
use crate::aof::{Debt, segment};

const RECORD: usize = 20 + 56 + 40;

/// Five records, each synced, and the mark behind them.
fn five() -> Bench {
    let mut bench = Bench::new(Policy::Always);
    for n in 1..=5 {
        bench.append(&[n; 40]);
        bench.now += 1;
        bench.turn(usize::MAX);
    }
    bench.log.close();
    bench.turn(usize::MAX);
    bench
}

/// The same in a later life of the process.
fn five_opened_again() -> Bench {
    let mut bench = five();
    let (_, log) = reopen(&mut bench.disk, Policy::Always);
    Bench::over(bench.disk, log)
}

/// Begins a rewrite, and appends a sixth record behind it; what the rewrite asks for.
fn begun_rewrite(bench: &mut Bench) -> Vec<Op> {
    let mut ops = Vec::new();
    bench.log.want_next();
    bench.turn(usize::MAX);
    assert!(bench.log.rewrite_begin(b"head", &mut ops));
    bench.append(&[6; 40]);
    ops
}

fn debt() -> Debt {
    Debt {
        term: Term(7),
        vote: Some(NodeId(2)),
        last: LogIndex(5),
        last_term: Term(6),
    }
}

/// The results of a recovery that may repair.
#[derive(Debug, Default)]
struct Shown {
    bodies: Vec<Vec<u8>>,
    base: usize,
    strays: usize,
    damaged: bool,
    debt: Option<Debt>,
}

/// Recovers, and repairs where that is needed, until `steps` operations are done.
fn recover_and_repair(disk: &mut Disk, steps: usize) -> (Shown, Option<Log>) {
    let mut recovery = Recovery::new(settings(Policy::Always));
    let (mut shown, mut ops, mut done) = (Shown::default(), Vec::new(), false);
    recovery.start(&mut ops);
    for _ in 0..steps {
        let Some(Op { ticket, op }) = ops.pop() else {
            break;
        };
        let (outcome, mut damaged) = (disk.perform(op), false);
        recovery.completed(ticket, outcome, &mut ops, &mut |event| match event {
            Event::Identity(_) | Event::Note(_) | Event::Record { body: &[], .. } => {}
            Event::BaseHead(_) | Event::BasePiece(_) => shown.base += 1,
            Event::Record { body, .. } => shown.bodies.push(body.to_vec()),
            Event::Stray { .. } => shown.strays += 1,
            Event::InDebt(debt) => shown.debt = Some(debt),
            Event::Damaged { .. } => damaged = true,
            Event::Refused(why) => panic!("{why}"),
            Event::Done => done = true,
        });
        if damaged {
            shown.damaged = true;
            recovery.repair(debt(), &mut ops);
        }
    }
    (shown, done.then(|| recovery.into_log(at(0))))
}

#[test]
fn what_stands_in_front_of_the_damage_stays_and_the_debt_is_there_from_then_on() {
    let bench = five();
    for at in (0..5 * RECORD).step_by(7) {
        let mut disk = bench.disk.clone();
        disk.image(segment::file(1))[at] ^= 0x10;
        let whole = at / RECORD;
        let (shown, log) = recover_and_repair(&mut disk, usize::MAX);
        assert!(shown.damaged && shown.strays > 0 && log.is_some(), "{at}");
        assert_eq!(shown.bodies.len(), whole, "{at}");
        let (again, log) = recover_and_repair(&mut disk.crash(0), usize::MAX);
        assert!(!again.damaged && again.strays == 0 && log.is_some(), "{at}");
        assert_eq!((again.bodies.len(), again.debt), (whole, Some(debt())));
    }
}

#[test]
fn a_crash_at_any_step_leaves_the_damage_or_the_debt() {
    let bench = five();
    for (file, at) in [(1, 2 * RECORD + 30), (1, 3)] {
        for steps in 0..40 {
            for kept in 0..4 {
                let mut disk = bench.disk.clone();
                disk.image(segment::file(file))[at] ^= 1;
                recover_and_repair(&mut disk, steps);
                let mut disk = disk.crash(kept);
                let (shown, log) = recover_and_repair(&mut disk, usize::MAX);
                assert!(log.is_some(), "{steps}");
                assert_eq!(shown.bodies.len(), at / RECORD, "{steps}");
                assert!(
                    shown.damaged || shown.debt == Some(debt()),
                    "{steps} {kept}"
                );
            }
        }
    }
}

#[test]
fn behind_a_damaged_base_the_log_begins_anew() {
    let mut bench = five_opened_again();
    let mut ops = begun_rewrite(&mut bench);
    bench.log.rewrite_piece(b"piece", &mut ops);
    bench.log.rewrite_finish(&mut ops);
    bench.queue.extend(ops);
    bench.turn(usize::MAX);
    let (number, _) = bench.log.base().expect("the base counts");
    let base = crate::aof::rewriting::base(number);
    for steps in (0..60).chain([usize::MAX]) {
        let mut disk = bench.disk.clone();
        disk.image(base)[30] ^= 1;
        recover_and_repair(&mut disk, steps);
        let mut disk = disk.crash(steps as u64 % 3);
        let (shown, log) = recover_and_repair(&mut disk, usize::MAX);
        assert!(log.is_some() && shown.bodies.is_empty(), "{steps}");
        assert!(shown.damaged || shown.debt == Some(debt()), "{steps}");
        assert!(!shown.damaged || shown.strays > 0, "{steps}");
        let (again, _) = recover_and_repair(&mut disk, usize::MAX);
        assert_eq!((again.base, again.damaged), (0, false), "{steps}");
        assert_eq!(again.debt, Some(debt()), "{steps}");
    }
}

#[test]
fn an_open_log_takes_on_a_debt_that_every_later_life_finds() {
    for steps in 0..20 {
        for kept in 0..4 {
            let mut bench = five_opened_again();
            bench.log.owe(debt());
            let is_done = bench.turn(steps);
            assert!(is_done || !bench.log.is_idle(), "{steps}");
            let (shown, log) = recover_and_repair(&mut bench.disk.crash(kept), usize::MAX);
            assert!(log.is_some() && !shown.damaged, "{steps} {kept}");
            assert_eq!(shown.bodies.len(), 5, "{steps} {kept}");
            assert!(shown.debt == Some(debt()) || !is_done, "{steps} {kept}");
        }
    }
}

#[test]
fn a_debt_and_a_rewrite_write_one_manifest_after_the_other() {
    for before in 0..40 {
        let mut bench = five_opened_again();
        let mut ops = begun_rewrite(&mut bench);
        bench.log.rewrite_finish(&mut ops);
        bench.queue.extend(ops);
        bench.turn(before);
        bench.log.owe(debt());
        bench.turn(usize::MAX);
        assert!(
            bench.log.is_idle() && bench.log.base().is_some(),
            "{before}"
        );
        let (shown, log) = recover_and_repair(&mut bench.disk.crash(0), usize::MAX);
        assert!(log.is_some() && !shown.damaged, "{before}");
        assert_eq!((shown.base, shown.debt), (1, Some(debt())), "{before}");
    }
}

#[test]
fn a_debt_that_finds_no_space_is_written_when_there_is_some() {
    let mut bench = five_opened_again();
    bench.disk.is_full = true;
    bench.log.owe(debt());
    bench.turn(usize::MAX);
    assert!(!bench.log.is_idle());
    let again = bench.log.deadline().expect("it tries again").at;
    bench.disk.is_full = false;
    bench.now = again.0 / 1_000_000 + 1;
    bench.turn(usize::MAX);
    assert!(bench.log.is_idle());
    let (shown, _) = recover_and_repair(&mut bench.disk.crash(0), usize::MAX);
    assert_eq!(shown.debt, Some(debt()));
}

#[test]
fn a_debt_that_is_paid_before_it_is_written_is_forgotten() {
    let mut bench = five_opened_again();
    bench.log.owe(debt());
    bench.log.debt_is_paid();
    bench.turn(usize::MAX);
    assert!(bench.log.is_idle());
    let (shown, _) = recover_and_repair(&mut bench.disk.crash(0), usize::MAX);
    assert_eq!(shown.debt, None);
}
