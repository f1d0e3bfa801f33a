//! A payload of RESTORE, as it is and with its end made right: it is refused or it is a value, and
//! a value that is dumped is restored as the same. The same of the libraries of FUNCTION RESTORE.

use seedis::rdb::{self, Reading, crc64};
use seedis::resp::value::{Value, encode_request};

use crate::served::Served;

/// So many items may come of each byte: a compressed string is longer than what it is made of.
const ITEMS_PER_BYTE: usize = 88;

/// A name, what stands at it, and the bits of its score.
type Item = (Vec<u8>, Vec<u8>, u64);

/// Restores `data` as a payload, and as the value in one.
pub fn run(data: &[u8]) {
    let mut served = Served::new(1);
    let raw = ask(&mut served, &[b"RESTORE", b"raw", b"0", data]);
    assert!(is_answer(&raw), "{raw:?}");
    let mut payload = data.to_vec();
    let sum = crc64::extended(0, data);
    rdb::put_footer(&mut payload, sum);
    restore_libraries(&mut served, data, &payload);
    let items = items_of(data);
    let answer = ask(&mut served, &[b"RESTORE", b"a", b"0", &payload]);
    let is_value = items.as_ref().is_some_and(|items| !items.is_empty());
    assert_eq!(is_value, is_ok(&answer), "{answer:?}");
    if !is_value {
        let bad = Value::Error(b"ERR Bad data format".to_vec());
        assert_eq!(answer, bad);
        return;
    }
    let first = dumped(&mut served, b"a");
    let again = ask(&mut served, &[b"RESTORE", b"b", b"0", &first]);
    assert!(is_ok(&again), "{again:?}");
    let second = dumped(&mut served, b"b");
    assert_eq!(value_in(&first), value_in(&second));
}

/// The same of libraries: what is restored is dumped, and restored again.
fn restore_libraries(served: &mut Served, data: &[u8], payload: &[u8]) {
    let raw = ask(served, &[b"FUNCTION", b"RESTORE", data]);
    assert!(is_answer(&raw), "{raw:?}");
    let answer = ask(served, &[b"FUNCTION", b"RESTORE", payload, b"FLUSH"]);
    assert!(is_answer(&answer), "{answer:?}");
    if is_ok(&answer) {
        let Value::Bulk(dump) = ask(served, &[b"FUNCTION", b"DUMP"]) else {
            panic!("libraries are there that cannot be dumped");
        };
        let again = ask(served, &[b"FUNCTION", b"RESTORE", &dump, b"REPLACE"]);
        assert!(is_ok(&again), "{again:?}");
    }
}

fn ask(served: &mut Served, words: &[&[u8]]) -> Value {
    let mut wire = Vec::new();
    encode_request(words, &mut wire);
    assert!(served.send(1, &wire), "a client is sent away");
    let mut replies = served.replies(1);
    for _ in 0..1000 {
        if !replies.is_empty() {
            break;
        }
        served.pass(1);
        replies = served.replies(1);
    }
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

fn dumped(served: &mut Served, key: &[u8]) -> Vec<u8> {
    match ask(served, &[b"DUMP", key]) {
        Value::Bulk(payload) => payload,
        other => panic!("{other:?}"),
    }
}

fn is_ok(answer: &Value) -> bool {
    *answer == Value::Simple(b"OK".to_vec())
}

fn is_answer(answer: &Value) -> bool {
    is_ok(answer) || matches!(answer, Value::Error(_))
}

/// The items of a value; nothing if it is none.
fn items_of(value: &[u8]) -> Option<Vec<Item>> {
    let mut reading = Reading::of(value).ok()?;
    let mut items = Vec::new();
    while let Some(item) = reading.next(value).ok()? {
        items.push((
            item.name.to_vec(),
            item.value.to_vec(),
            item.score.to_bits(),
        ));
        assert!(items.len() <= value.len() * ITEMS_PER_BYTE);
    }
    Some(items)
}

/// The items in a payload, in the order of their names.
fn value_in(payload: &[u8]) -> (u8, Vec<Item>) {
    let (value, _) = rdb::parts(payload).expect("it was dumped");
    let mut items = items_of(value).expect("it was dumped");
    // The order of a list is part of it.
    if value[0] != 1 {
        items.sort();
    }
    (value[0], items)
}
