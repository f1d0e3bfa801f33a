//! Keys that are there throughout an iteration are shown, and random keys are drawn fairly.

use std::collections::{BTreeMap, BTreeSet};

use super::{NOW, colliding, seeded};
use crate::rng;
use crate::store::{NewExpiry, Store};

const STAYING: u32 = 3000;

fn name(number: u32) -> Vec<u8> {
    format!("name:{number}").into_bytes()
}

/// The keys of a database, or the fields of one hash in it.
#[derive(Clone, Copy, Debug)]
enum What {
    Keys,
    Fields,
}

impl What {
    fn add(self, store: &mut Store, number: u32) {
        match self {
            Self::Keys => store.set_string(0, &name(number), b"v", NewExpiry::Never, NOW),
            Self::Fields => {
                let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
                hash.set(&name(number), b"v");
            }
        }
    }

    fn remove(self, store: &mut Store, number: u32) {
        let removed = match self {
            Self::Keys => store.remove(0, &name(number), NOW),
            Self::Fields => {
                let mut hash = store.hash_mut(0, b"h", NOW).unwrap().unwrap();
                hash.remove(&name(number))
            }
        };
        assert!(removed);
    }

    fn scan(self, store: &Store, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8])) -> u64 {
        match self {
            Self::Keys => store.scan(0, cursor, count, NOW, &mut |key, _| show(key)),
            Self::Fields => {
                let hash = store.hash(0, b"h", NOW).unwrap().unwrap();
                hash.scan(cursor, count, &mut |field, _| show(field))
            }
        }
    }
}

fn staying_are_shown(what: What, mut store: Store, count: usize, first: u32, per_call: i64) {
    for number in 0..STAYING + first {
        what.add(&mut store, number);
    }
    let mut passing = i64::from(first);
    let mut seen = BTreeSet::new();
    let (mut cursor, mut calls) = (0, 0);
    loop {
        let mut shown = 0;
        cursor = what.scan(&store, cursor, count, &mut |key| {
            seen.insert(key.to_vec());
            shown += 1;
        });
        assert!(shown >= count || shown == 0 || cursor == 0 || shown < 900);
        assert!(cursor < 1 << 48);
        calls += 1;
        if cursor == 0 {
            break;
        }
        let next = (passing + per_call).clamp(0, 60_000);
        for number in passing..next {
            what.add(&mut store, STAYING + number as u32);
        }
        for number in next..passing {
            what.remove(&mut store, STAYING + number as u32);
        }
        passing = next;
    }
    assert!(calls > 3, "{what:?} was shown in {calls} calls");
    for number in 0..STAYING {
        assert!(seen.contains(&name(number)), "{what:?} {number}");
    }
}

#[test]
fn what_stays_is_shown_while_a_table_grows_and_shrinks() {
    for (seed, what) in (0..).zip([What::Keys, What::Fields, What::Keys, What::Fields]) {
        staying_are_shown(what, seeded(seed), 10, 0, 150);
        staying_are_shown(what, seeded(seed), 100, 0, 900);
        staying_are_shown(what, seeded(seed), 10, 30_000, -70);
        staying_are_shown(what, seeded(seed), 500, 30_000, -2000);
    }
}

#[test]
fn what_stays_is_shown_though_all_keys_have_one_hash() {
    for bits in [[0, 64], [3, 64], [40, 12]] {
        for what in [What::Keys, What::Fields] {
            staying_are_shown(what, colliding(bits, 40), 10, 0, 150);
            staying_are_shown(what, colliding(bits, 40), 100, 9_000, -600);
        }
    }
}

#[test]
fn a_table_that_rests_is_shown_once() {
    let mut store = seeded(3);
    for number in 0..STAYING {
        What::Keys.add(&mut store, number);
    }
    for count in [1, 7, 1000, 100_000] {
        let mut shown = 0;
        let mut cursor = 0;
        loop {
            cursor = What::Keys.scan(&store, cursor, count, &mut |_| shown += 1);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(shown, STAYING);
    }
    // Any number may come as a cursor.
    for cursor in [1, u64::MAX, 1 << 47, u64::MAX >> 16] {
        What::Keys.scan(&store, cursor, 10, &mut |_| {});
    }
}

#[test]
fn every_key_and_field_is_drawn_about_as_often() {
    const NAMES: u32 = 1500;
    let mut store = seeded(5);
    for number in 0..NAMES {
        What::Keys.add(&mut store, number);
        What::Fields.add(&mut store, number);
    }
    let hash = store.hash(0, b"h", NOW).unwrap().unwrap();
    let mut keys: BTreeMap<&[u8], u32> = BTreeMap::new();
    let mut fields: BTreeMap<&[u8], u32> = BTreeMap::new();
    for turn in 0..u64::from(NAMES) * 32 {
        let key = store.random_key(0, rng::draw(1, 0, turn, 0), NOW).unwrap();
        *keys.entry(key).or_default() += 1;
        let field = hash.random(rng::draw(1, 1, turn, 0)).unwrap().0;
        *fields.entry(field).or_default() += 1;
    }
    for (drawn, all) in [(keys, NAMES + 1), (fields, NAMES)] {
        assert_eq!(drawn.len(), all as usize);
        // Thirty-two are expected of each, give or take six; seven times that is beyond chance.
        assert!(drawn.values().all(|times| *times < 75));
        let few = drawn.values().filter(|times| **times < 12).count();
        assert!(few <= 2, "{few} were hardly ever drawn");
    }
}

#[test]
fn the_one_live_key_among_many_dead_ones_is_drawn() {
    let mut store = seeded(5);
    for number in 0..5000 {
        store.set_string(0, &name(number), b"v", NewExpiry::At(NOW), super::Stamp(1));
    }
    assert_eq!(store.random_key(0, 7, NOW), None);
    store.set_string(0, b"k", b"v", NewExpiry::Never, NOW);
    assert_eq!(store.random_key(0, 7, NOW), Some(&b"k"[..]));
    assert_eq!(store.live_len(0, NOW), 1);
}

#[test]
fn the_choice_is_the_same_however_a_table_came_about() {
    // As many as are one small cell, one cell, and several.
    for names in [1, 12, 300, 2500, 9000] {
        // Segments of other sizes, keys that come in another order and among others, and hashes
        // that collide: what is chosen is compared among tables with the same hashes.
        let hashes: &[[u32; 2]] = if names > 300 {
            &[[64, 64]]
        } else {
            &[[64, 64], [5, 64], [40, 8]]
        };
        for hash_bits in hashes.iter().copied() {
            let chosen = |segment_keys_max: usize, others: u32, backwards: bool| {
                let mut store = colliding(hash_bits, segment_keys_max);
                for number in 0..names + others {
                    let name = if backwards {
                        names + others - 1 - number
                    } else {
                        number
                    };
                    What::Keys.add(&mut store, name);
                }
                for number in names..names + others {
                    store.remove(0, &name(number), NOW);
                }
                (0..50)
                    .map(|turn| rng::draw(2, turn, 0, 0))
                    .map(|draw| store.random_key(0, draw, NOW).unwrap().to_vec())
                    .collect::<Vec<_>>()
            };
            let usual = chosen(crate::limits::SEGMENT_KEYS_MAX, 0, false);
            assert_eq!(chosen(crate::limits::SEGMENT_KEYS_MAX, 5000, true), usual);
            assert_eq!(chosen(40, 0, true), usual);
            assert_eq!(chosen(7, 900, false), usual);
        }
    }
}
