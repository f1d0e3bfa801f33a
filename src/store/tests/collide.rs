//! Keys that collide cost little more than others, whatever is known of the hash.

use std::collections::BTreeSet;

use super::{NOW, colliding, recount};
use crate::limits::SEGMENT_KEYS_MAX;
use crate::store::dict::COMPARED;
use crate::store::{Expired, NewExpiry, Stamp, Store};

/// The most keys that one call may move: splits down to where the directory is too sparse, and one
/// segment that becomes a group.
const MOVED_MAX: usize = 12 * SEGMENT_KEYS_MAX;

/// Hashes that are all the same, and that have few values.
const WEAK: [[u32; 2]; 3] = [[0, 64], [1, 64], [4, 64]];

fn name(number: u32) -> Vec<u8> {
    format!("name:{number:011}").into_bytes()
}

fn set(store: &mut Store, number: u32, expiry: NewExpiry) {
    store.set_string(0, &name(number), &[b'v'; 32], expiry, NOW);
}

fn field(store: &mut Store, number: u32) {
    let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
    hash.set(&name(number), b"v");
}

/// The entries that a change moved and compared; the most of each, and the sum.
#[derive(Debug, Default)]
struct Work {
    most: [usize; 2],
    all: [usize; 2],
}

impl Work {
    fn of(&mut self, store: &mut Store, change: impl FnOnce(&mut Store)) {
        COMPARED.set(0);
        change(store);
        let moved = core::mem::take(&mut store.databases[0].moved);
        for (at, count) in [moved, COMPARED.get()].into_iter().enumerate() {
            self.most[at] = self.most[at].max(count);
            self.all[at] += count;
        }
    }
}

#[test]
fn keys_of_one_hash_are_moved_and_compared_as_few_times_as_others() {
    const KEYS: u32 = 24_000;
    for bits in WEAK {
        let (mut store, mut work) = (colliding(bits, SEGMENT_KEYS_MAX), Work::default());
        for number in 0..KEYS {
            work.of(&mut store, |store| set(store, number, NewExpiry::Never));
        }
        recount(&store);
        let full = store.memory();
        for number in 0..KEYS {
            work.of(&mut store, |store| {
                assert!(store.contains(0, &name(number), NOW));
                assert!(!store.contains(0, &name(number + KEYS), NOW));
            });
        }
        for number in 0..KEYS {
            work.of(&mut store, |store| {
                assert!(store.remove(0, &name(number), NOW));
            });
            if number % 4_000 == 0 {
                recount(&store);
            }
        }
        assert!(work.most[0] <= MOVED_MAX, "{bits:?}: {work:?}");
        assert!(work.all[0] < 10 * KEYS as usize, "{bits:?}: {work:?}");
        // Before there is a group, each key of a segment may be like all others of it.
        let like = SEGMENT_KEYS_MAX.pow(2) << bits[0];
        assert!(work.most[1] <= SEGMENT_KEYS_MAX, "{bits:?}: {work:?}");
        assert!(
            work.all[1] < like + 20 * KEYS as usize,
            "{bits:?}: {work:?}"
        );
        recount(&store);
        assert!(store.memory() < full / 50, "{} are left", store.memory());
    }
}

#[test]
fn no_call_of_a_scan_shows_much_more_than_it_is_asked_for() {
    const KEYS: u32 = 12_000;
    for bits in WEAK {
        let mut store = colliding(bits, SEGMENT_KEYS_MAX);
        for number in 0..KEYS {
            set(&mut store, number, NewExpiry::Never);
            field(&mut store, number);
        }
        let hash = store.hash(0, b"h", NOW).unwrap().unwrap();
        for count in [1, 10, 500] {
            for what in ["keys", "fields"] {
                let (mut seen, mut cursor, mut most) = (BTreeSet::new(), 0, 0);
                loop {
                    let mut shown = 0;
                    let mut show = |name: &[u8]| {
                        shown += 1;
                        assert!(seen.insert(name.to_vec()));
                    };
                    cursor = match what {
                        "keys" => store.scan(0, cursor, count, NOW, &mut |key, _| show(key)),
                        _ => hash.scan(cursor, count, &mut |field, _| show(field)),
                    };
                    most = most.max(shown);
                    if cursor == 0 {
                        break;
                    }
                }
                assert!(
                    seen.len() as u32 >= KEYS,
                    "{what} of {bits:?}: {}",
                    seen.len()
                );
                assert!(most <= count + 70, "{what} of {bits:?}: {most} for {count}");
            }
        }
    }
}

#[test]
fn keys_that_are_the_same_to_both_hashes_are_kept_all_the_same() {
    const KEYS: u32 = 5000;
    for keys_max in [3, 40, SEGMENT_KEYS_MAX] {
        let (mut store, mut work) = (colliding([0, 0], keys_max), Work::default());
        for number in 0..KEYS {
            let expiry = match number % 4 {
                0 => NewExpiry::At(Stamp(NOW.0 + 1)),
                _ => NewExpiry::Never,
            };
            work.of(&mut store, |store| set(store, number * 7919 % KEYS, expiry));
        }
        recount(&store);
        // Nothing tells them apart but themselves: they are shown together.
        let (mut shown, mut cursor) = (0, 0);
        loop {
            cursor = store.scan(0, cursor, 10, NOW, &mut |_, _| shown += 1);
            assert_eq!(shown, KEYS);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(
            store.keys(0, NOW).collect::<BTreeSet<_>>().len(),
            KEYS as usize
        );
        let mut freed = 0;
        loop {
            let mut done = Expired::default();
            work.of(&mut store, |store| {
                done = store.expire_due(Stamp(NOW.0 + 1), 1);
            });
            assert!(done.freed <= keys_max as u64);
            freed += done.freed;
            if !done.more {
                break;
            }
        }
        assert_eq!(freed, u64::from(KEYS) / 4);
        for number in 0..KEYS {
            work.of(&mut store, |store| {
                store.remove(0, &name(number), NOW);
            });
        }
        recount(&store);
        assert!(work.most[0] <= 12 * keys_max, "{keys_max}: {work:?}");
        assert_eq!((store.len(0), store.databases[0].segments()), (0, 1));
    }
}

#[test]
fn a_large_table_of_keys_with_one_hash_is_written_and_freed_in_small_pieces() {
    const KEYS: u32 = 12_000;
    let mut store = colliding([0, 64], SEGMENT_KEYS_MAX);
    for number in 0..KEYS {
        set(&mut store, number, NewExpiry::Never);
        field(&mut store, number);
    }
    store.base_begin(NOW);
    let mut loaded = Store::new(store.tables);
    let mut steps = 0;
    loop {
        let mut piece = Vec::new();
        let more = store.base_step(&mut piece, 4096);
        assert!(piece.len() < 8192, "a piece of {} bytes", piece.len());
        loaded.load_piece(&piece).unwrap();
        steps += 1;
        set(&mut store, steps, NewExpiry::Keep);
        if !more {
            break;
        }
    }
    assert_eq!(loaded.digest(NOW), store.digest(NOW));
    store.flush(0);
    let mut before = store.memory();
    while store.step(1) {
        let after = store.memory();
        assert!(before - after < 200_000);
        before = after;
    }
    recount(&store);
}

#[test]
#[ignore = "takes a while; prints what it costs"]
fn two_million_keys_of_one_hash() {
    for bits in [[64, 64], [0, 64], [4, 64]] {
        let (mut store, mut work) = (colliding(bits, SEGMENT_KEYS_MAX), Work::default());
        for number in 0..2_000_000 {
            work.of(&mut store, |store| set(store, number, NewExpiry::Never));
        }
        println!("{bits:?}: {} bytes, {work:?}", store.memory());
        assert!(work.most[0] <= MOVED_MAX);
    }
}
