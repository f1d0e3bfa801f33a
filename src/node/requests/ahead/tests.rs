//! Keys are read ahead where that is worth it, and no further than the requests go.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::command::args::Args;
use crate::node::requests::entry;
use crate::resp::value::encode_request;
use crate::store::{FETCHED, NewExpiry, Tables};
use crate::time::Stamp;

const KEYS: usize = 40_000;

/// A store that holds so many keys.
fn filled(keys: usize) -> Store {
    let mut store = Store::new(Tables::new(Some(5)));
    for number in 0..keys {
        let key = format!("key:{number}");
        store.set_string(0, key.as_bytes(), b"v", NewExpiry::Never, Stamp(1));
    }
    store
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_request(words, &mut bytes);
    bytes
}

/// For how many requests keys were read ahead, and how many blocks that was.
fn fetched(store: &Store, bytes: &[u8]) -> (usize, usize) {
    FETCHED.set(0);
    let mut parser = Parser::new();
    (fetch_requests(store, 0, bytes, &mut parser), FETCHED.get())
}

#[test]
fn the_keys_of_requests_that_have_come_together_are_read_ahead() {
    let store = filled(KEYS);
    let get = |number: usize| request(&["GET", &format!("key:{number}")]);
    let many: Vec<u8> = (0..40).flat_map(get).collect();
    assert_eq!(fetched(&store, &many), (KEYS_FETCHED, KEYS_FETCHED));
    let three = [get(1), get(2), get(3)].concat();
    assert_eq!(fetched(&store, &three), (3, 3));
    // As far as it is whole, each time anew.
    for _ in 0..2 {
        assert_eq!(fetched(&store, &three[..three.len() - 1]), (2, 2));
    }
    // Up to what has no key, many arguments, or another form.
    let long = request(&["k"; ARGUMENTS_MAX + 1]);
    for other in [&request(&["PING"])[..], &long, b"GET k\r\n", b"*1\r\n!"] {
        let all = [&three, other, &three].concat();
        assert_eq!(fetched(&store, &all), (3, 3));
        assert_eq!(fetched(&store, other), (1, 0));
    }
    assert_eq!(fetched(&store, b""), (1, 0));
    // One alone gains nothing.
    assert_eq!(fetched(&store, &get(1)), (1, 0));
}

#[test]
fn a_small_table_is_not_worth_it() {
    let store = filled(100);
    let two = [request(&["GET", "key:1"]), request(&["GET", "key:2"])].concat();
    assert_eq!(fetched(&store, &two), (KEYS_FETCHED, 0));
}

#[test]
fn the_keys_of_an_entry_are_read_ahead_as_far_as_they_are_of_one_database() {
    let store = filled(KEYS);
    let mut payload = Vec::new();
    let mut places = vec![];
    for (number, db) in [0, 0, 0, 1].into_iter().enumerate() {
        let words = format!("SETkey:{number}v");
        let end = words.len() as u32;
        let ranges = [0..3, 3..end - 1, end - 1..end];
        places.push(payload.len());
        entry::put_command(&mut payload, db, Args::new(words.as_bytes(), &ranges));
    }
    let mut ranges = Vec::new();
    let mut fetched = |place: usize| {
        FETCHED.set(0);
        let count = fetch_commands(&store, &payload, places[place], &mut ranges);
        (count, FETCHED.get())
    };
    assert_eq!(fetched(0), (3, 3));
    assert_eq!(fetched(1), (2, 2));
    assert_eq!(fetched(2), (1, 0));
    // The other database is empty.
    assert_eq!(fetched(3), (KEYS_FETCHED, 0));
}
