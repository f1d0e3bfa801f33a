//! A base is the state at its beginning, however much changes before it is written.

use proptest::prelude::*;

use super::{NOW, recount, seeded, shown};
use crate::rng;
use crate::store::{End, LoadError, NewExpiry, Stamp, Store};

fn name(number: u64) -> Vec<u8> {
    format!("name:{number}").into_bytes()
}

/// Keys in two databases, and a hash with a table in each.
fn filled(keys: u64) -> Store {
    let mut store = seeded(9);
    for number in 0..keys {
        let expiry = match number % 5 {
            0 => NewExpiry::At(Stamp(2000 + number)),
            _ => NewExpiry::Never,
        };
        let value = vec![b'v'; (number % 97) as usize];
        store.set_string((number % 2) as u32, &name(number), &value, expiry, NOW);
    }
    for db in 0..2 {
        let mut hash = store.hash_or_new(db, b"huge", NOW).unwrap();
        for number in 0..keys {
            hash.set(&name(number), b"value");
        }
    }
    store
}

fn load(pieces: &[Vec<u8>]) -> Store {
    let mut store = seeded(9);
    for piece in pieces {
        store.load_piece(piece).unwrap();
    }
    recount(&store);
    store
}

/// Changes one thing somewhere.
fn disturb(store: &mut Store, draw: u64, keys: u64) {
    let number = rng::below(rng::draw(draw, 1, 0, 0), keys * 2);
    let other = rng::below(rng::draw(draw, 2, 0, 0), keys * 2);
    let db = (number % 2) as u32;
    let key = name(number);
    match rng::below(draw, 15) {
        0..3 => store.set_string(db, &key, b"new", NewExpiry::Never, NOW),
        3 => drop(store.remove(db, &key, NOW)),
        4 => drop(store.append(db, &key, b"more", NOW)),
        5 => drop(store.set_expiry(db, &key, Some(Stamp(5000)), NOW)),
        6 => drop(store.rename(db, &key, 1, &name(other), NOW)),
        7 => drop(store.rename(db, b"huge", (other % 3) as u32, b"huge", NOW)),
        8 => drop(store.rename(db, b"huge", db, b"enormous", NOW)),
        9 => drop(store.rename(db, b"enormous", 1 - db, b"huge", NOW)),
        10 => drop(store.set_expiry(db, b"huge", Some(Stamp(6000 + other)), NOW)),
        11 => {
            store.expire_due(Stamp(2000 + number / 16), 10);
        }
        _ => {
            let key: &[u8] = if other.is_multiple_of(2) {
                b"huge"
            } else {
                b"enormous"
            };
            if let Ok(mut hash) = store.hash_or_new(db, key, NOW) {
                if other.is_multiple_of(3) {
                    hash.remove(&name(number));
                } else {
                    hash.set(&name(number), b"changed");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_base_is_the_state_at_its_beginning_in_pieces_of_bounded_size(
        seed: u64,
        changes in 1u64..400,
        budget in 1usize..20_000,
        end in 0u64..40,
    ) {
        const KEYS: u64 = 4000;
        let mut store = filled(KEYS);
        for round in 0..2 {
            let before = shown(&store, Stamp(0));
            // Some keys are dead then, and not freed: the digest is that of the others.
            let at = Stamp(2000 + seed % 4000);
            let digest = store.digest(at);
            store.base_begin(at);
            let mut pieces = Vec::new();
            for step in 0.. {
                for change in 0..changes {
                    disturb(&mut store, rng::draw(seed, round, step, change), KEYS);
                }
                match (step == end, seed % 4) {
                    (true, 0) => store.flush_all(),
                    (true, 1) => store.flush(1),
                    (true, 2) => {
                        store.remove(0, b"huge", NOW);
                        store.set_string(1, b"huge", b"tiny", NewExpiry::Never, NOW);
                    }
                    _ => {}
                }
                let waiting = store.base_preimage_bytes();
                let mut piece = Vec::new();
                let more = store.base_step(&mut piece, budget);
                prop_assert!(piece.len() < budget + 80_000, "{} of {}", piece.len(), waiting);
                pieces.push(piece);
                if step % 64 == 0 {
                    recount(&store);
                }
                if !more {
                    break;
                }
                prop_assert!(step < 100_000);
            }
            prop_assert_eq!(store.base_preimage_bytes(), 0);
            let loaded = load(&pieces);
            prop_assert!(shown(&loaded, Stamp(0)) == before);
            prop_assert_eq!(store.base_digest(), Some(digest));
            prop_assert_eq!(loaded.base_digest(), Some(digest));
            prop_assert_eq!(loaded.digest(at), digest);
            while store.step(100) {}
            recount(&store);
        }
    }

    #[test]
    fn any_bytes_are_loaded_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..60),
        at in 0usize..2000,
        cut: bool,
    ) {
        let _ = seeded(9).load_piece(&bytes);
        // What is nearly right goes deeper.
        let mut store = filled(150);
        store.base_begin(NOW);
        let mut piece = Vec::new();
        while store.base_step(&mut piece, 1 << 20) {}
        let at = at % piece.len();
        if cut {
            piece.truncate(at);
        } else {
            bytes.truncate(3);
            piece.splice(at..at, bytes);
        }
        let mut other = seeded(9);
        if other.load_piece(&piece).is_ok() {
            recount(&other);
            assert_eq!(other.digest(NOW), other.digest(NOW));
        }
    }
}

#[test]
fn what_is_loaded_cannot_be_loaded_again() {
    let mut store = filled(300);
    store.base_begin(NOW);
    let mut piece = Vec::new();
    while store.base_step(&mut piece, 1000) {}
    let mut other = seeded(9);
    assert_eq!(other.load_piece(&piece), Ok(()));
    assert_eq!(other.digest(NOW), store.digest(NOW));
    for db in 0..2 {
        assert_eq!(other.encoding(db, b"huge", NOW), Some("hashtable"));
    }
    assert_eq!(other.load_piece(&piece), Err(LoadError::Malformed));
}

#[test]
fn what_is_missing_between_two_whole_records_is_found() {
    let mut store = seeded(9);
    store.set_string(0, b"k", b"v", NewExpiry::Never, NOW);
    let mut pieces = Vec::new();
    for _ in 0..2 {
        store.base_begin(NOW);
        let mut piece = Vec::new();
        while store.base_step(&mut piece, 1000) {}
        pieces.push(piece);
        store.remove(0, b"k", NOW);
    }
    let [with, without] = &pieces[..] else {
        unreachable!()
    };
    // The last bytes of a piece are its digest.
    let cut = |piece: &Vec<u8>| piece.len() - 16;
    let lacking = [&without[..cut(without)], &with[cut(with)..]].concat();
    let mut other = seeded(9);
    assert_eq!(other.load_piece(&lacking), Err(LoadError::Differs));
    assert_eq!(other.base_digest(), None);
    assert_eq!(seeded(9).load_piece(with), Ok(()));
}

#[test]
fn a_large_string_comes_in_parts_and_is_shared_while_it_changes() {
    const LENGTH: usize = 3 << 20;
    for disturbance in 0..5 {
        let mut store = seeded(9);
        store.set_string(0, b"k", &vec![b'x'; LENGTH], NewExpiry::Never, NOW);
        let before = shown(&store, Stamp(0));
        store.base_begin(NOW);
        let mut pieces = vec![Vec::new()];
        store.base_step(&mut pieces[0], 100_000);
        match disturbance {
            0 => drop(store.append(0, b"k", b"y", NOW)),
            1 => drop(store.set_range(0, b"k", 2 << 20, b"y", NOW)),
            2 => drop(store.set_expiry(0, b"k", Some(Stamp(2000)), NOW)),
            3 => drop(store.rename(0, b"k", 1, b"other", NOW)),
            _ => drop(store.remove(0, b"k", NOW)),
        }
        // The base keeps the list of chunks and not their bytes.
        let kept = store.base_preimage_bytes();
        assert_eq!(kept > 0, disturbance < 2);
        assert!(kept < LENGTH / 100);
        recount(&store);
        let mut more = true;
        while more {
            let mut piece = Vec::new();
            more = store.base_step(&mut piece, 100_000);
            assert!(piece.len() < 200_000);
            pieces.push(piece);
        }
        assert!(pieces.len() > 10);
        assert_eq!(shown(&load(&pieces), Stamp(0)), before);
    }
}

#[test]
fn after_hundreds_of_bases_that_were_given_up_one_is_whole() {
    let mut store = filled(200);
    for round in 0..600 {
        store.base_begin(NOW);
        store.base_step(&mut Vec::new(), 1 + round);
        store.set_string(0, &name(round as u64), b"again", NewExpiry::Never, NOW);
        store.base_abort();
        assert!(!store.base_running());
    }
    let before = shown(&store, Stamp(0));
    store.base_begin(NOW);
    let mut pieces = vec![Vec::new()];
    while store.base_step(&mut pieces[0], 1000) {}
    assert_eq!(shown(&load(&pieces), Stamp(0)), before);
}

/// A change to one of the keys of `filled`; by turns another value, no key and a field.
fn change(store: &mut Store, number: u64) {
    let (db, key) = ((number % 2) as u32, name(number * 7 % 500));
    match number % 3 {
        0 => {
            let value = vec![b'w'; (number % 61) as usize];
            store.set_string(db, &key, &value, NewExpiry::Never, NOW);
        }
        1 => {
            store.remove(db, &key, NOW);
        }
        _ => {
            let mut hash = store.hash_or_new(db, b"huge", NOW).unwrap();
            hash.set(&key, b"another value");
        }
    }
}

#[test]
fn the_same_changes_take_the_same_memory_beside_a_base_too() {
    let [mut plain, mut other] = [filled(500), filled(500)];
    for number in 0..3000 {
        if number % 500 == 0 {
            other.base_begin(NOW);
        }
        change(&mut plain, number);
        change(&mut other, number);
        if number % 500 < 400 {
            other.base_step(&mut Vec::new(), 300);
        }
    }
    other.base_abort();
    assert!(plain.tables_memory().is_some());
    assert_eq!(plain.tables_memory(), other.tables_memory());
    assert_eq!(plain.paged_bytes(NOW), other.paged_bytes(NOW));

    // One that has loaded the state holds the same in fewer pages, as one that has freed expired
    // keys may: only the keys themselves take as much.
    plain.set_string(0, b"short", b"life", NewExpiry::At(Stamp(2000)), NOW);
    let mut loaded = load(&[base_of(&mut plain)]);
    assert_eq!(loaded.tables_memory(), None);
    let late = Stamp(3000);
    assert!(plain.expire_due(late, usize::MAX).freed > 0);
    assert_eq!(plain.tables_memory(), None);
    for number in 0..500 {
        change(&mut plain, number);
        change(&mut loaded, number);
    }
    assert_eq!(plain.paged_bytes(late), loaded.paged_bytes(late));
}

/// The whole base of a store in one piece.
fn base_of(store: &mut Store) -> Vec<u8> {
    store.base_begin(NOW);
    let (mut whole, mut more) = (Vec::new(), true);
    while more {
        more = store.base_step(&mut whole, usize::MAX);
    }
    whole
}

#[test]
fn a_list_that_was_loaded_becomes_small_when_every_other_does() {
    let mut forms = [0, 0];
    for round in 0..10 {
        let mut plain = seeded(9);
        let mut loaded = None;
        for step in 0..600 {
            let draw = |what| rng::draw(round, step, what, 0);
            // It grows for a time, and then shrinks from both ends.
            let grows = rng::below(draw(0), 10) < if step / 50 % 2 == 0 { 8 } else { 2 };
            let end = match rng::below(draw(1), 3) {
                0 => End::Front,
                _ => End::Back,
            };
            let item = vec![b'i'; rng::below(draw(2), 12) as usize];
            for store in [Some(&mut plain), loaded.as_mut()].into_iter().flatten() {
                let mut list = store.list_or_new(0, b"list", NOW).unwrap();
                for _ in 0..=list.len() / 4 {
                    if grows {
                        list.push(&item, end);
                    } else {
                        list.pop(end);
                    }
                }
            }
            if rng::below(draw(3), 30) == 0 {
                loaded = Some(load(&[base_of(&mut plain)]));
            }
            if let Some(loaded) = &loaded {
                assert_eq!(plain.paged_bytes(NOW), loaded.paged_bytes(NOW));
                forms[usize::from(plain.paged_bytes(NOW) > 0)] += 1;
            }
        }
    }
    assert!(forms.iter().all(|met| *met > 300), "{forms:?}");
}
