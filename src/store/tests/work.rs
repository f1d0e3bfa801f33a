//! No call does more than its share: counted in keys that are moved, looked at or freed.

use super::{NOW, recount, seeded};
use crate::store::{NewExpiry, Stamp, Store};

/// Twice the keys of a segment and some: a split, and the rare second one.
const MOVED_MAX: usize = 2000;

fn name(number: u32) -> Vec<u8> {
    format!("name:{number:011}").into_bytes()
}

fn set(store: &mut Store, number: u32, expiry: NewExpiry) {
    store.set_string(0, &name(number), &[b'v'; 32], expiry, NOW);
}

#[test]
fn a_table_grows_and_shrinks_by_small_parts() {
    const KEYS: u32 = 100_000;
    let mut store = seeded(1);
    let mut most = 0;
    let mut all = 0;
    let mut note = |store: &mut Store| {
        let moved = core::mem::take(&mut store.databases[0].moved);
        most = most.max(moved);
        all += moved;
    };
    for number in 0..KEYS {
        set(&mut store, number, NewExpiry::Never);
        note(&mut store);
    }
    let full = store.memory();
    for number in 0..KEYS {
        assert!(store.remove(0, &name(number), NOW));
        note(&mut store);
    }
    assert!(most <= MOVED_MAX, "{most} keys were moved by one call");
    assert!(all < 10 * KEYS as usize, "{all} keys were moved by all");
    recount(&store);
    assert!(
        store.memory() < full / 50,
        "{} bytes are left",
        store.memory()
    );
}

#[test]
fn dead_keys_are_freed_in_bounded_steps() {
    const KEYS: u32 = 20_000;
    let mut store = seeded(1);
    for number in 0..KEYS {
        let time = Stamp(NOW.0 + 1 + u64::from(number % 100));
        set(&mut store, number, NewExpiry::At(time));
    }
    assert_eq!(store.next_expiry(), Some(Stamp(1001)));
    assert_eq!(store.expire_due(NOW, 1000).freed, 0);
    let mut freed = 0;
    loop {
        let done = store.expire_due(Stamp(1050), 100);
        assert!(done.freed < 1000);
        freed += done.freed;
        if !done.more {
            break;
        }
    }
    assert_eq!(freed, u64::from(KEYS / 2));
    assert_eq!(store.next_expiry(), Some(Stamp(1051)));
    assert_eq!(store.volatile_len(0), u64::from(KEYS / 2));
    recount(&store);
}

#[test]
fn what_is_huge_goes_away_in_bounded_steps() {
    const FIELDS: u32 = 60_000;
    let mut store = seeded(1);
    for number in 0..FIELDS {
        let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
        hash.set(&name(number), b"value");
        set(&mut store, number, NewExpiry::Never);
    }
    let most = 200_000;
    store.remove(0, b"h", NOW);
    store.flush(0);
    assert!(store.is_empty());
    let mut before = store.memory();
    assert!(before > 20 * most);
    let mut steps = 0;
    loop {
        let more = store.step(1);
        let after = store.memory();
        assert!(after <= before && before - after < most);
        before = after;
        steps += 1;
        if !more {
            break;
        }
    }
    assert!(steps > 100);
    recount(&store);
    assert!(store.memory() < most);
}

#[test]
fn memory_goes_when_nine_of_ten_keys_go_and_no_call_moves_many_pages() {
    const KEYS: u32 = 100_000;
    let mut store = seeded(1);
    for number in 0..KEYS {
        set(&mut store, number, NewExpiry::Never);
    }
    let full = store.memory();
    for number in (0..KEYS).filter(|number| number % 10 != 0) {
        store.remove(0, &name(number), NOW);
    }
    recount(&store);
    let left = store.memory();
    assert!(left < full / 5, "{left} of {full} bytes are left");
}

#[test]
fn values_written_again_and_again_leave_little_behind() {
    let mut store = seeded(1);
    for length in (8..200).step_by(12) {
        for number in 0..10_000 {
            let value = vec![b'v'; length + number as usize % 7];
            store.set_string(0, &name(number), &value, NewExpiry::Never, NOW);
        }
    }
    recount(&store);
    let each = store.memory() / 10_000;
    assert!(each < 275, "{each} bytes each of 223");
}

#[test]
fn a_key_of_16_bytes_with_32_takes_less_than_72() {
    let mut store = seeded(1);
    for number in 0..200_000 {
        set(&mut store, number, NewExpiry::Never);
        if number > 20_000 && number % 10_000 == 0 {
            let each = store.memory() / store.len(0) as usize;
            assert!(each < 72, "{each} bytes each of {number}");
        }
    }
}

#[test]
#[ignore = "takes a while; prints the bytes per key"]
fn a_million_keys() {
    let mut store = seeded(1);
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = pages
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<usize>().ok());
        pages.unwrap_or(0) * 4096
    };
    let before = resident();
    let mut most = 0;
    for number in 0..1_000_000 {
        set(&mut store, number, NewExpiry::Never);
        most = most.max(core::mem::take(&mut store.databases[0].moved));
    }
    println!(
        "{:.1} bytes each, {:.1} resident, {most} keys moved by one call",
        store.memory() as f64 / 1e6,
        (resident() - before) as f64 / 1e6,
    );
    assert!(most <= MOVED_MAX);
}

#[test]
fn values_of_all_lengths_come_change_and_go() {
    let mut store = seeded(1);
    let mut draw = 1u64;
    let mut lengths = vec![None; 600];
    for step in 0..30_000u32 {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let number = (draw >> 33) as usize % lengths.len();
        // Short ones and long ones, and most of them again and again about as long as before.
        let length = match (draw >> 20) % 8 {
            0 => (draw >> 40) as usize % 5000,
            1 => (draw >> 40) as usize % 300,
            kind => lengths[number].unwrap_or(100 * kind as usize) + (draw >> 50) as usize % 24,
        };
        let key = name(number as u32);
        if (draw >> 24).is_multiple_of(16) {
            store.remove(0, &key, NOW);
            lengths[number] = None;
        } else {
            let expiry = match (draw >> 28) % 4 {
                0 => NewExpiry::At(Stamp(NOW.0 + 1000)),
                _ => NewExpiry::Never,
            };
            let value = vec![number as u8; length % 5000];
            store.set_string(0, &key, &value, expiry, NOW);
            lengths[number] = Some(length % 5000);
        }
        if step % 500 == 0 {
            recount(&store);
            for (number, length) in lengths.iter().enumerate() {
                let value = store.text(0, &name(number as u32), NOW).unwrap();
                let value = value.map(|text| text.to_vec());
                assert_eq!(value, length.map(|length| vec![number as u8; length]));
            }
            let live: usize = lengths.iter().flatten().map(|length| length + 30).sum();
            let most = live + live / 4 + (40 << 10);
            assert!(store.memory() < most, "{} of {live}", store.memory());
        }
    }
}

#[test]
fn a_page_of_many_tiny_blocks_is_tidied_as_any_other() {
    let mut store = seeded(3);
    // Some 600 blocks of seven bytes stand in a page.
    let key = |number: u64| {
        [
            b"abcdefghijklmnopqrstuvwxyz012345"[(number % 32) as usize],
            (number / 32) as u8,
        ]
    };
    for round in 0..6u64 {
        for number in 0..4000 {
            let value = &b"vv"[..((number + round) % 5 / 3) as usize];
            store.set_string(0, &key(number), value, NewExpiry::Never, NOW);
        }
        recount(&store);
        for number in (round..4000).step_by(3) {
            store.remove(0, &key(number), NOW);
        }
        recount(&store);
    }
}
