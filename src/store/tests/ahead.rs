//! To read ahead changes nothing, whatever is looked for and however it is kept.

use super::{NOW, colliding, recount, seeded};
use crate::limits::KEYS_FETCHED;
use crate::store::{FETCHED, NewExpiry, Store};

/// How many blocks and boxes are read ahead for these keys.
fn fetched(store: &Store, keys: &[&[u8]]) -> usize {
    FETCHED.set(0);
    store.fetch(0, keys.iter().copied());
    FETCHED.get()
}

#[test]
fn what_is_there_is_read_and_nothing_changes() {
    let mut store = seeded(3);
    let lengths = [1, 300, 5_000, 1 << 20];
    let names: Vec<Vec<u8>> = (0..lengths.len()).map(|n| vec![b'k'; n + 1]).collect();
    for (name, length) in names.iter().zip(lengths) {
        store.set_string(0, name, &vec![b'v'; length], NewExpiry::Never, NOW);
    }
    let before = (store.digest(NOW), store.memory(), store.changes());
    let all: Vec<&[u8]> = names.iter().map(|name| &name[..]).collect();
    // A block, a long one, and two boxes.
    assert_eq!(fetched(&store, &all), all.len());
    assert_eq!(fetched(&store, &[b"absent", b"away", &names[0]]), 1);
    assert_eq!(fetched(&store, &all[..1]), 0, "one alone gains nothing");
    assert_eq!(fetched(&store, &[]), 0);
    let many = vec![&names[0][..]; KEYS_FETCHED + 5];
    assert_eq!(fetched(&store, &many), KEYS_FETCHED);
    assert_eq!(before, (store.digest(NOW), store.memory(), store.changes()));
    recount(&store);
    store.flush(0);
    assert_eq!(fetched(&store, &all), 0);
}

#[test]
fn keys_that_collide_are_left_alone() {
    let mut store = colliding([2, 64], 4);
    let names: Vec<Vec<u8>> = (0..200).map(|n| format!("{n}").into_bytes()).collect();
    for name in &names {
        store.set_string(0, name, b"v", NewExpiry::Never, NOW);
    }
    let some: Vec<&[u8]> = names.iter().take(10).map(|name| &name[..]).collect();
    assert!(store.is_far(0));
    assert!(fetched(&store, &some) <= some.len());
    assert!(some.iter().all(|name| store.contains(0, name, NOW)));
}
