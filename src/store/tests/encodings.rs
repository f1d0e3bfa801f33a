//! The encodings that OBJECT ENCODING names: by the borders of the moment, and one way.

use super::{NOW, seeded};
use crate::store::{Borders, End, NewExpiry, Store};

fn with(most: u64) -> Store {
    let mut store = seeded(1);
    store.set_borders(Borders::alike(most));
    store
}

fn add(store: &mut Store, members: &[&str]) {
    let mut set = store.set_or_new(0, b"s", NOW).unwrap();
    set.expect(members[0].as_bytes(), members.len());
    for member in members {
        set.add(member.as_bytes());
    }
}

fn push(store: &mut Store, item: &[u8], count: usize) {
    let mut list = store.list_or_new(0, b"l", NOW).unwrap();
    for _ in 0..count {
        list.push(item, End::Back);
    }
}

fn pop(store: &mut Store, count: usize) {
    let mut list = store.list_mut(0, b"l", NOW).unwrap().unwrap();
    for _ in 0..count {
        list.pop(End::Front);
    }
}

/// Another store, which has loaded a base of this one.
fn loaded(store: &mut Store) -> Store {
    let mut piece = Vec::new();
    store.base_begin(NOW);
    while store.base_step(&mut piece, 1 << 20) {}
    let mut loaded = seeded(1);
    loaded.load_piece(&piece).unwrap();
    loaded
}

#[track_caller]
fn is(store: &mut Store, key: &[u8], encoding: &str) {
    assert_eq!(store.encoding(0, key, NOW), Some(encoding));
    assert!(store.copy(0, key, 0, b"copy", NOW));
    assert!(store.rename(0, b"copy", 0, b"other", NOW));
    assert_eq!(store.encoding(0, b"other", NOW), Some(encoding));
    assert_eq!(loaded(store).encoding(0, key, NOW), Some(encoding));
}

#[test]
fn a_hash_and_a_sorted_set_are_converted_at_their_border_and_stay_so() {
    for (most, name, value) in [(4, 1, 1), (4, 2, 5), (4, 5, 2), (600, 2, 2), (600, 601, 1)] {
        let mut store = with(most);
        let fits = name.max(value) <= most as usize;
        for number in 0..most {
            let mut field = vec![b'f'; name - 1];
            field.push(number as u8);
            field.extend((name >= 2).then_some((number >> 8) as u8));
            let mut hash = store.hash_or_new(0, b"h", NOW).unwrap();
            hash.set(&field[field.len() - name..], &vec![b'v'; value]);
            let mut zset = store.zset_or_new(0, b"z", NOW).unwrap();
            zset.set(&field[field.len() - name..], 1.5);
        }
        let hash = if fits { "listpack" } else { "hashtable" };
        is(&mut store, b"h", hash);
        let is_short = name <= most as usize;
        let zset = if is_short { "listpack" } else { "skiplist" };
        is(&mut store, b"z", zset);
        let mut hash = store.hash_mut(0, b"h", NOW).unwrap().unwrap();
        hash.set(b"+", b"");
        let mut zset = store.zset_mut(0, b"z", NOW).unwrap().unwrap();
        zset.set(b"+", 0.0);
        is(&mut store, b"h", "hashtable");
        is(&mut store, b"z", "skiplist");
        store.hash_mut(0, b"h", NOW).unwrap().unwrap().remove(b"+");
        store.zset_mut(0, b"z", NOW).unwrap().unwrap().remove(b"+");
        is(&mut store, b"h", "hashtable");
        is(&mut store, b"z", "skiplist");
    }
}

#[test]
fn a_set_is_converted_as_its_members_and_their_number_ask_for() {
    for most in [3, 700] {
        let mut store = with(most);
        let numbers: Vec<String> = (0..=most).map(|number| number.to_string()).collect();
        let numbers: Vec<&str> = numbers.iter().map(|number| &number[..]).collect();
        let (last, first) = numbers.split_last().unwrap();
        add(&mut store, first);
        is(&mut store, b"s", "intset");
        add(&mut store, first);
        is(&mut store, b"s", "intset");
        add(&mut store, &[last]);
        is(&mut store, b"s", "hashtable");
        store.set_mut(0, b"s", NOW).unwrap().unwrap().remove(b"1");
        is(&mut store, b"s", "hashtable");
        store.remove(0, b"s", NOW);
        add(&mut store, &first[..2]);
        add(&mut store, &["a"]);
        is(&mut store, b"s", "listpack");
        add(&mut store, &["b"; 2]);
        is(
            &mut store,
            b"s",
            if most == 3 { "hashtable" } else { "listpack" },
        );
        store.remove(0, b"s", NOW);
        // So many at once would be too many, were none of them the same.
        add(&mut store, &vec!["1"; most as usize + 1]);
        is(&mut store, b"s", "hashtable");
    }
    let mut store = with(5);
    store.set_borders(Borders {
        integers: 0,
        ..Borders::alike(5)
    });
    add(&mut store, &["1", "2"]);
    is(&mut store, b"s", "listpack");
    add(&mut store, &["123456"]);
    is(&mut store, b"s", "hashtable");
    // Of integers that were short enough together with a text that is.
    store.remove(0, b"s", NOW);
    store.set_borders(Borders::alike(5));
    add(&mut store, &["123456"]);
    is(&mut store, b"s", "intset");
    add(&mut store, &["a"]);
    is(&mut store, b"s", "hashtable");
}

#[test]
fn a_set_that_is_stored_has_the_encoding_that_its_members_ask_for() {
    let mut store = with(3);
    for (members, encoding) in [
        (&["1", "2"][..], "intset"),
        (&["1", "2", "3", "4"], "hashtable"),
        (&["1", "a"], "listpack"),
        (&["1", "abcd"], "hashtable"),
        (&["a", "b", "c", "d"], "hashtable"),
    ] {
        let mut made = store.new_set();
        for member in members {
            made.add(member.as_bytes());
        }
        store.put_set(0, b"s", made, NewExpiry::Never, NOW);
        is(&mut store, b"s", encoding);
    }
}

#[test]
fn a_list_is_converted_at_its_border_and_comes_back_at_half_of_it() {
    for most in [4, 2000] {
        let mut store = with(most);
        let most = most as usize;
        push(&mut store, b"x", most);
        is(&mut store, b"l", "listpack");
        push(&mut store, b"x", 1);
        is(&mut store, b"l", "quicklist");
        pop(&mut store, most / 2);
        is(&mut store, b"l", "quicklist");
        pop(&mut store, 1);
        is(&mut store, b"l", "listpack");
    }
    for (size, bytes) in [
        (-1, 4096),
        (-2, 8192),
        (-5, 65_536),
        (-9, 65_536),
        (3, 8192),
    ] {
        let mut store = seeded(1);
        store.set_borders(Borders {
            list_size: size,
            ..Borders::default()
        });
        push(&mut store, &vec![b'x'; bytes - 7], 1);
        is(&mut store, b"l", "listpack");
        store.remove(0, b"l", NOW);
        push(&mut store, &vec![b'x'; bytes - 6], 1);
        is(&mut store, b"l", "quicklist");
        let mut list = store.list_mut(0, b"l", NOW).unwrap().unwrap();
        list.set(0, b"short");
        is(&mut store, b"l", "listpack");
        push(&mut store, &vec![b'x'; bytes], 1);
        is(&mut store, b"l", "quicklist");
        let mut list = store.list_mut(0, b"l", NOW).unwrap().unwrap();
        list.trim(0, 1);
        is(&mut store, b"l", "listpack");
        push(&mut store, &vec![b'x'; bytes], 1);
        let mut list = store.list_mut(0, b"l", NOW).unwrap().unwrap();
        list.remove_equal(&vec![b'x'; bytes], 1, 1, End::Back);
        is(&mut store, b"l", "listpack");
    }
}

#[test]
fn what_was_written_keeps_its_encoding_when_borders_move() {
    let mut store = with(4);
    add(&mut store, &["1", "a", "b"]);
    push(&mut store, b"x", 3);
    store.set_borders(Borders::alike(1));
    is(&mut store, b"s", "listpack");
    is(&mut store, b"l", "listpack");
    let before = store.changes();
    add(&mut store, &["a"]);
    assert_eq!(store.changes(), before);
    is(&mut store, b"s", "listpack");
    add(&mut store, &["c"]);
    push(&mut store, b"x", 1);
    is(&mut store, b"s", "hashtable");
    is(&mut store, b"l", "quicklist");
}
