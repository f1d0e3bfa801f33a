//! The promises of a store: small cases here, the rest by theme.

mod ahead;
mod base;
mod collide;
mod encodings;
mod evict;
mod laws;
mod model;
mod names;
mod random;
mod scan;
mod work;
mod zsets;

use super::*;
use crate::limits::DATABASES;
use model::Model;

const NOW: Stamp = Stamp(1000);

/// An empty store with this secret.
fn seeded(seed: u128) -> Store {
    Store::new(Tables::new(Some(seed)))
}

/// An empty store in which keys collide, and whose segments are small.
fn colliding(hash_bits: [u32; 2], segment_keys_max: usize) -> Store {
    Store::new(Tables {
        seed: Some(7),
        hash_bits,
        segment_keys_max,
        ..Tables::new(None)
    })
}

fn bytes(store: &Store, key: &[u8]) -> Option<Vec<u8>> {
    store.text(0, key, NOW).unwrap().map(Text::to_vec)
}

/// All that is live at `at`.
fn shown(store: &Store, at: Stamp) -> Model {
    let mut model = Model::default();
    for db in 0..DATABASES {
        store.for_each_key(db, at, &mut |key, value| {
            let known = model.show(db, key, value, store.expiry(db, key));
            assert!(!known, "{key:?} is shown twice");
        });
    }
    model
}

/// Checks all accounts of a store against what it holds.
fn recount(store: &Store) {
    let tables: usize = store.databases.iter().map(Dict::recount).sum();
    let base = store.base.as_ref().map_or(0, |base| base.memory());
    let counted = tables + base + store.garbage.recount() + store.scratch.capacity();
    assert_eq!(store.memory(), counted);
}

#[test]
fn a_string_is_kept_and_an_integer_as_such() {
    let mut store = seeded(1);
    store.set_string(0, b"k", b"hello", NewExpiry::Never, NOW);
    store.set_string(0, b"n", b"17", NewExpiry::Never, NOW);
    assert_eq!(bytes(&store, b"k").unwrap(), b"hello");
    assert_eq!(store.encoding(0, b"n", NOW), Some("int"));
    assert_eq!(store.append(0, b"n", b"x", NOW), Ok(3));
    assert_eq!(bytes(&store, b"n").unwrap(), b"17x");
    assert_eq!(store.set_range(0, b"r", 2, b"ab", NOW), Ok(4));
    assert_eq!(bytes(&store, b"r").unwrap(), b"\0\0ab");
    assert_eq!(store.len(0), 3);
}

#[test]
fn a_dead_key_is_absent_for_reading_and_for_writing() {
    let mut store = seeded(1);
    store.set_string(0, b"k", b"v", NewExpiry::At(Stamp(1000)), Stamp(0));
    assert!(store.contains(0, b"k", Stamp(999)));
    assert!(!store.contains(0, b"k", NOW));
    assert_eq!(store.next_expiry(), Some(Stamp(1000)));
    store.append(0, b"k", b"w", NOW).unwrap();
    assert_eq!(bytes(&store, b"k").unwrap(), b"w");
    assert_eq!(store.expiry(0, b"k"), None);
}

#[test]
fn a_hash_goes_away_with_its_last_field() {
    let mut store = seeded(1);
    let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
    assert!(hash.set(b"f", b"1"));
    assert!(!hash.set(b"f", b"2"));
    assert_eq!(hash.get(b"f"), Some(&b"2"[..]));
    assert_eq!(store.append(0, b"h", b"x", NOW), Err(WrongType));
    let mut hash = store.hash_mut(0, b"h", NOW).unwrap().unwrap();
    assert!(hash.remove(b"f"));
    assert!(!store.contains(0, b"h", NOW));
}

#[test]
fn a_hash_becomes_a_table_with_its_129th_field_or_a_long_value() {
    let mut store = seeded(1);
    for number in 0..=128u32 {
        assert_eq!(
            store.encoding(0, b"h", NOW),
            (number > 0).then_some("listpack")
        );
        let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
        assert!(hash.set(&number.to_le_bytes(), b"v"));
    }
    assert_eq!(store.encoding(0, b"h", NOW), Some("hashtable"));
    for (length, encoding) in [(64, "listpack"), (65, "hashtable")] {
        store.remove(0, b"h", NOW);
        let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
        hash.set(b"f", &vec![b'v'; length]);
        assert_eq!(store.encoding(0, b"h", NOW), Some(encoding));
    }
}

#[test]
fn a_string_written_in_part_is_raw_until_it_is_set_again() {
    let mut store = seeded(1);
    let long = [b'k'; 1500];
    for key in [&b"k"[..], &long] {
        for (first, encoding) in [(&b"12"[..], "int"), (b"ab", "embstr"), (&[b'a'; 45], "raw")] {
            store.set_string(0, key, first, NewExpiry::Never, NOW);
            assert_eq!(store.encoding(0, key, NOW), Some(encoding));
            let before = store.changes();
            store.set_range(0, key, 0, &first[..1], NOW).unwrap();
            assert_eq!(store.encoding(0, key, NOW), Some("raw"));
            assert_eq!(store.changes() > before, encoding != "raw");
            let before = store.changes();
            store.append(0, key, b"", NOW).unwrap();
            assert_eq!(store.changes(), before);
            store.rename(0, key, 1, b"there", NOW);
            store.copy(1, b"there", 0, key, NOW);
            assert_eq!(store.encoding(0, key, NOW), Some("raw"));
            store.set_string(0, key, first, NewExpiry::Keep, NOW);
            assert_eq!(store.encoding(0, key, NOW), Some(encoding));
        }
        store.remove(0, key, NOW);
        store.append(0, key, b"12", NOW).unwrap();
        assert_eq!(store.encoding(0, key, NOW), Some("int"));
        store.set_text(0, key, b"13", NewExpiry::Keep, NOW);
        assert_eq!(store.encoding(0, key, NOW), Some("embstr"));
        store.set_integer(0, key, 13, NewExpiry::Keep, NOW);
        assert_eq!(store.encoding(0, key, NOW), Some("int"));
    }
}

#[test]
fn nothing_changes_where_the_same_is_written_again() {
    let mut store = seeded(1);
    store.set_string(0, b"k", b"v", NewExpiry::At(Stamp(2000)), NOW);
    store.hash_or_new(0, b"h", NOW).unwrap().set(b"f", b"1");
    let before = store.changes();
    store.set_string(0, b"k", b"v", NewExpiry::Keep, NOW);
    store.set_range(0, b"k", 0, b"", NOW).unwrap();
    assert!(store.set_expiry(0, b"k", Some(Stamp(2000)), NOW));
    store.hash_or_new(0, b"h", NOW).unwrap().set(b"f", b"1");
    assert!(store.copy(0, b"k", 0, b"k", NOW));
    assert!(!store.remove(0, b"none", NOW));
    store.flush(1);
    store.expire_due(Stamp(2000), 100);
    assert_eq!(store.len(0), 1);
    assert_eq!(store.changes(), before);
    store.set_string(0, b"k", b"v", NewExpiry::Never, NOW);
    assert_eq!(store.changes(), before + 1);
}

#[test]
fn what_is_written_is_touched_while_somebody_listens() {
    let mut store = seeded(1);
    let touched = |db, key: &[u8], is_new| Touched {
        db,
        key: Some(key.into()),
        is_new,
    };
    store.set_string(0, b"k", b"v", NewExpiry::Never, NOW);
    assert_eq!(store.take_touched(), []);
    store.listen(true);
    store.set_string(0, b"k", b"v", NewExpiry::Never, NOW);
    store.rename(0, b"k", 3, b"l", NOW);
    let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
    hash.set(b"f", b"1");
    hash.set(b"g", b"1");
    store.flush(3);
    let all = Touched {
        db: 3,
        key: None,
        is_new: false,
    };
    let (old, new) = (touched(0, b"k", false), touched(3, b"l", true));
    let wanted = [old, new, touched(0, b"h", true), all];
    assert_eq!(store.take_touched(), wanted);
    // What does nothing, and what frees the dead.
    store.set_range(0, b"h2", 0, b"", NOW).unwrap();
    store.remove(0, b"none", NOW);
    store.set_expiry(0, b"h", None, NOW);
    store.flush(3);
    assert_eq!(store.take_touched(), []);
    store.set_expiry(0, b"h", Some(Stamp(2000)), NOW);
    assert_eq!(store.take_touched(), [touched(0, b"h", false)]);
    store.expire_due(Stamp(2000), 100);
    assert_eq!(store.take_touched(), []);
}

#[test]
fn the_end_of_a_dead_key_is_told_once_and_what_is_missing_is_told() {
    let mut store = seeded(1);
    let (dies, later) = (NewExpiry::At(Stamp(2000)), Stamp(2000));
    for key in [&b"swept"[..], b"written", b"removed", b"made"] {
        store.set_string(0, key, b"v", dies, NOW);
    }
    store.hear_ends(Some(later));
    store.set_string(0, b"written", b"w", NewExpiry::Never, later);
    store.remove(0, b"removed", later);
    store
        .hash_or_new(0, b"made", later)
        .unwrap()
        .set(b"f", b"1");
    store.expire_due(later, 100);
    let named = |key: &[u8]| (0, key.into());
    let wanted = [&b"written"[..], b"removed", b"made", b"swept"].map(named);
    assert_eq!(store.take_ended(), wanted);
    store.hear_misses(true);
    assert!(!store.contains(0, b"swept", later) && store.contains(0, b"made", later));
    assert_eq!(store.take_missed(), [named(b"swept")]);
}

#[test]
fn a_value_that_is_most_of_the_memory_it_came_in_shares_it() {
    let mut store = Store::new(Tables::new(Some(7)));
    let memory = Bytes::from(vec![b'v'; 300_000]);
    let inside = |bytes: &[u8]| memory.as_ptr_range().contains(&bytes.as_ptr());
    let shares = |store: &Store, key: &[u8]| match store.text(0, key, Stamp(0)) {
        Ok(Some(Text::Rope(rope))) => rope.chunks().all(inside),
        _ => false,
    };
    store.lend(Some(memory.clone()));
    store.set_string(0, b"most", &memory[10..], NewExpiry::Never, Stamp(0));
    store.set_string(0, b"little", &memory[..100_000], NewExpiry::Never, Stamp(0));
    store.lend(None);
    store.set_string(0, b"later", &memory, NewExpiry::Never, Stamp(0));
    assert!(shares(&store, b"most"));
    assert!(!shares(&store, b"little") && !shares(&store, b"later"));
}
