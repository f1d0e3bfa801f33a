//! What a store promises, shown on small cases.

use super::*;

const NOW: Stamp = Stamp(1000);

fn bytes(store: &Store, key: &[u8]) -> Option<Vec<u8>> {
    store.text(0, key, NOW).unwrap().map(Text::to_vec)
}

#[test]
fn a_string_is_kept_and_an_integer_as_such() {
    let mut store = Store::new(1);
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
    let mut store = Store::new(1);
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
    let mut store = Store::new(1);
    let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
    assert!(hash.set(b"f", b"1"));
    assert!(!hash.set(b"f", b"2"));
    assert_eq!(hash.get(b"f"), Some(&b"2"[..]));
    assert_eq!(store.append(0, b"h", b"x", NOW), Err(WrongType));
    let mut hash = store.hash_mut(0, b"h", NOW).unwrap().unwrap();
    assert!(hash.remove(b"f"));
    assert!(!store.contains(0, b"h", NOW));
}
