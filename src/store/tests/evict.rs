//! Uses of keys are noted, and those are found that may go.

use std::collections::BTreeSet;

use super::*;

const LFU: Tracking = Tracking::Frequency {
    log_factor: 0,
    decay_minutes: 1,
};

fn tracking(tracking: Tracking) -> Store {
    let mut store = seeded(1);
    store.set_tracking(tracking);
    store.at_moment(NOW);
    store
}

fn set(store: &mut Store, key: &str, value: &[u8]) {
    store.set_string(0, key.as_bytes(), value, NewExpiry::Never, NOW);
}

fn read(store: &mut Store, key: &str, now: Stamp) {
    store.begin_read(now);
    assert!(store.get(0, key.as_bytes(), NOW).is_some());
    store.end_read();
}

fn idle(store: &Store, key: &str, now: u64) -> u64 {
    let idle = store.idle_ms(0, key.as_bytes(), NOW, Stamp(now)).unwrap();
    (idle + 255) / 1000
}

#[test]
fn a_read_and_a_write_are_noted_whatever_a_value_is_kept_in() {
    let long = [b'v'; 6000];
    for value in [&b"short"[..], b"17", &[b'v'; 700], &long] {
        let mut store = tracking(Tracking::Uses);
        set(&mut store, "a", value);
        assert_eq!(idle(&store, "a", 60_000), 59);
        read(&mut store, "a", Stamp(50_000));
        assert_eq!(idle(&store, "a", 60_000), 10);
        // What stands there already is written again.
        store.at_moment(Stamp(55_000));
        set(&mut store, "a", value);
        assert_eq!(idle(&store, "a", 60_000), 5);
        store.set_expiry(0, b"a", Some(Stamp(90_000)), NOW);
        store.rename(0, b"a", 1, b"b", NOW);
        let idle = store.idle_ms(1, b"b", NOW, Stamp(60_000)).unwrap();
        assert!(idle <= 5_256, "{idle}");
        recount(&store);
    }
}

#[test]
fn only_writes_count_where_only_they_are_asked_for() {
    let mut store = tracking(Tracking::Writes);
    set(&mut store, "a", b"1");
    read(&mut store, "a", Stamp(50_000));
    assert_eq!(idle(&store, "a", 60_000), 59);
}

#[test]
fn uses_are_counted_and_outlive_a_write() {
    let mut store = tracking(LFU);
    set(&mut store, "a", b"1");
    for _ in 0..20 {
        read(&mut store, "a", NOW);
    }
    set(&mut store, "a", b"2");
    assert_eq!(store.frequency(0, b"a", NOW, NOW), Some(26));
    let later = Stamp(NOW.0 + 10 * 60_000);
    assert_eq!(store.frequency(0, b"a", NOW, later), Some(16));
}

#[test]
fn a_key_has_room_for_it_only_while_somebody_asks() {
    let fill = |store: &mut Store| {
        for n in 0..2000 {
            set(store, &format!("key:{n}"), b"some value");
        }
        store.paged_bytes(NOW)
    };
    let (mut plain, mut noted) = (seeded(1), tracking(Tracking::Uses));
    assert_eq!(
        fill(&mut plain),
        fill(&mut noted),
        "it is no part of what is alike"
    );
    assert_eq!(plain.digest(NOW), noted.digest(NOW));
    let before = plain.memory_usage(0, b"key:7").unwrap();
    assert_eq!(noted.memory_usage(0, b"key:7"), Some(before + 3));
    // Those that were there before get room when they are used.
    plain.set_tracking(Tracking::Uses);
    plain.begin_read(Stamp(30_000));
    for n in 0..10 {
        assert!(plain.contains(0, format!("key:{n}").as_bytes(), NOW));
    }
    plain.end_read();
    read(&mut plain, "key:0", Stamp(30_000));
    assert_eq!(plain.memory_usage(0, b"key:0"), Some(before + 3));
    assert_eq!(idle(&plain, "key:0", 40_000), 10);
    recount(&plain);
    noted.set_tracking(Tracking::Nothing);
    set(&mut noted, "key:7", b"some other");
    assert_eq!(noted.memory_usage(0, b"key:7"), Some(before));
    recount(&noted);
}

#[test]
fn the_coldest_of_all_is_found_when_all_are_looked_at() {
    let mut store = tracking(Tracking::Uses);
    for n in 0..500 {
        store.at_moment(Stamp(NOW.0 + n * 1000));
        set(&mut store, &format!("key:{n}"), b"v");
    }
    let mut seen = BTreeSet::new();
    let at = Stamp(NOW.0 + 600_000);
    for _ in 0..4000 {
        store.sample(Choice::default(), 5, at, &mut |found| {
            seen.insert((found.coldness, found.key.to_vec()));
        });
    }
    assert_eq!(seen.len(), 500, "each is seen sooner or later");
    assert_eq!(seen.last().unwrap().1, b"key:0");
}

#[test]
fn one_key_that_expires_is_found_among_many() {
    let only_volatile = Choice {
        only_volatile: true,
        by_expiry: false,
    };
    for mut store in [seeded(3), colliding([0, 0], 8), colliding([64, 64], 8)] {
        for n in 0..1500 {
            set(&mut store, &format!("key:{n}"), b"v");
        }
        let at = Stamp(NOW.0 + 1);
        let find = |store: &mut Store| {
            let mut found = Vec::new();
            store.sample(only_volatile, 3, at, &mut |one| {
                found.push(one.key.to_vec());
            });
            found
        };
        assert!(find(&mut store).is_empty());
        store.set_expiry(0, b"key:77", Some(Stamp(90_000)), NOW);
        assert_eq!(find(&mut store), [b"key:77".to_vec()]);
        // Where it has none any more, it stays.
        store.set_expiry(0, b"key:77", None, NOW);
        assert!(!store.evict(0, b"key:77", true, at));
        assert!(find(&mut store).is_empty());
        assert!(store.evict(0, b"key:77", false, at));
        assert!(!store.evict(0, b"key:77", false, at));
        recount(&store);
    }
}

#[test]
fn what_expires_first_is_the_first_to_go() {
    let choice = Choice {
        only_volatile: true,
        by_expiry: true,
    };
    let mut store = seeded(1);
    for n in 1..=3u64 {
        let key = format!("key:{n}");
        let expiry = NewExpiry::At(Stamp(NOW.0 + n * 1000));
        store.set_string(0, key.as_bytes(), b"v", expiry, NOW);
    }
    let cold = |key: &[u8]| store.candidate(0, key, choice, NOW).map(|one| one.coldness);
    assert!(cold(b"key:1") > cold(b"key:2"));
    assert!(cold(b"key:2") > cold(b"key:3"));
    let later = Stamp(NOW.0 + 1500);
    assert!(
        store.candidate(0, b"key:1", choice, later).is_none(),
        "it is dead"
    );
}

#[test]
fn a_base_has_what_goes_while_it_is_written() {
    let mut store = tracking(Tracking::Uses);
    for n in 0..3000 {
        set(&mut store, &format!("key:{n}"), &[b'v'; 40]);
    }
    let digest = store.digest(NOW);
    store.base_begin(NOW);
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    for n in 0.. {
        let more = store.base_step(&mut piece, 2000);
        pieces.extend_from_slice(&piece);
        piece.clear();
        if !more {
            break;
        }
        read(&mut store, &format!("key:{}", n * 2), Stamp(9000));
        store.evict(0, format!("key:{}", n * 2 + 1).as_bytes(), false, NOW);
    }
    let mut loaded = seeded(1);
    loaded.load_piece(&pieces).unwrap();
    assert_eq!(loaded.digest(NOW), digest);
}
