//! The answers of the commands on sets, and members by chance.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn sets_are_sets_in_resp3_and_picks_are_arrays() {
    check3(
        "
        SADD s 1 => :1
        SMEMBERS s => ~1 $1 1
        SMEMBERS none => ~0
        SINTER s s => ~1 $1 1
        SUNION s none => ~1 $1 1
        SDIFF s s => ~0
        SRANDMEMBER s 1 => *1 $1 1
        SRANDMEMBER none 1 => *0
        SPOP none 1 => ~0
        SPOP none => _
        SPOP s 3 => ~1 $1 1
        ",
    );
}

/// The members that a reply names.
fn members(reply: &str) -> Vec<String> {
    let words = reply.split(' ').skip(1);
    let texts = words.skip(1).step_by(2);
    texts.map(str::to_owned).collect()
}

/// A set of so many members, the first letters of which decide how it is kept.
fn filled(piece: usize, name: &str, count: usize) -> (Desk, BTreeSet<String>) {
    let mut desk = Desk::new(Protocol::Resp2);
    desk.piece = piece;
    let all: BTreeSet<String> = (0..count).map(|number| format!("{name}{number}")).collect();
    for member in &all {
        desk.run(&format!("SADD s {member}"));
    }
    (desk, all)
}

#[test]
fn what_is_popped_is_what_goes_in_each_way_of_popping() {
    for (name, count) in [("", 90), ("m", 90), ("m", 900)] {
        for piece in [1, 3, usize::MAX] {
            for most in [1, count / 2, count - 3, count, count + 7] {
                let (mut desk, mut all) = filled(piece, name, count);
                desk.run("PEXPIRE s 100000");
                let popped = members(&desk.run(&format!("SPOP s {most}")));
                assert_eq!(popped.len(), most.min(count));
                for member in popped {
                    assert!(
                        all.remove(&member),
                        "{member} is answered once, and was there"
                    );
                }
                let left: BTreeSet<String> = members(&desk.run("SMEMBERS s")).into_iter().collect();
                assert_eq!(left, all, "{most} of {count} {name}, in pieces of {piece}");
                let ttl = if all.is_empty() { ":-2" } else { ":100" };
                assert_eq!(desk.run("TTL s"), ttl);
            }
        }
    }
}

#[test]
fn picks_differ_unless_they_may_repeat() {
    for (name, count) in [("", 90), ("m", 90), ("m", 900)] {
        for piece in [1, usize::MAX] {
            let (mut desk, all) = filled(piece, name, count);
            for most in [1, count / 4, count / 2, count - 1, count, count + 7] {
                let picked = members(&desk.run(&format!("SRANDMEMBER s {most}")));
                let differing: BTreeSet<String> = picked.iter().cloned().collect();
                assert_eq!(differing.len(), picked.len());
                assert_eq!(picked.len(), most.min(count));
                assert!(differing.is_subset(&all));
                let any = members(&desk.run(&format!("SRANDMEMBER s -{most}")));
                assert_eq!(any.len(), most);
                assert!(any.iter().all(|member| all.contains(member)));
            }
        }
    }
}

/// The sum of squared distances from what is expected, as a chi-square test has it.
fn chi_square(counts: &BTreeMap<String, u32>, kinds: usize) -> f64 {
    let expected = f64::from(counts.values().sum::<u32>()) / kinds as f64;
    let unseen = (kinds - counts.len()) as f64 * expected;
    let seen = counts
        .values()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected);
    unseen + seen.sum::<f64>()
}

#[test]
fn members_come_with_equal_chance() {
    // With 99 degrees of freedom, one in a million is above 173.
    for (name, count) in [("", 100), ("m", 100), ("long-enough-for-a-table-", 100)] {
        let (mut desk, _) = filled(usize::MAX, name, count);
        if name.len() > 1 {
            desk.run(&format!("SADD s {}", "x".repeat(65)));
            desk.run(&format!("SREM s {}", "x".repeat(65)));
            desk.check("OBJECT ENCODING s => $9 hashtable");
        }
        for request in [
            "SRANDMEMBER s -20",
            "SRANDMEMBER s 20",
            "SRANDMEMBER s 50",
            "SPOP s 1",
            "SPOP s 30",
            "SPOP s 90",
        ] {
            let mut counts = BTreeMap::new();
            for _ in 0..1000 {
                for member in members(&desk.run(request)) {
                    desk.run(&format!("SADD s {member}"));
                    *counts.entry(member).or_insert(0) += 1;
                }
            }
            let chi = chi_square(&counts, count);
            assert!(chi < 173.0, "{request} of {name}: {chi}");
        }
    }
}
