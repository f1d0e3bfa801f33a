//! Payloads of real servers, of every form, and bytes that are none.

use proptest::prelude::*;

use super::*;

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(core::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// A name, what stands at it, and its score.
type Owned = (Vec<u8>, Vec<u8>, f64);

/// All items of a value.
fn items_of(value: &[u8]) -> Result<Vec<Owned>, BadPayload> {
    let mut reading = Reading::of(value)?;
    let mut items = Vec::new();
    while let Some(item) = reading.next(value)? {
        items.push((item.name.to_vec(), item.value.to_vec(), item.score));
    }
    Ok(items)
}

fn names_of(value: &[u8]) -> Vec<String> {
    let items = items_of(value).unwrap();
    items
        .into_iter()
        .map(|(name, _, _)| String::from_utf8(name).unwrap())
        .collect()
}

#[test]
fn lengths_and_integers_are_read_as_they_are_written() {
    for length in [0, 1, 63, 64, 16_383, 16_384, u64::from(u32::MAX), 1 << 40] {
        let mut value = vec![1];
        put_length(&mut value, length);
        let reading = Reading::of(&value).unwrap();
        assert!(reading.kind() == ValueKind::List, "{length}");
    }
    for number in [
        0,
        -1,
        127,
        128,
        -32_768,
        32_768,
        i64::from(i32::MIN),
        1 << 31,
        i64::MAX,
    ] {
        let mut value = vec![0];
        put_integer(&mut value, number, number.to_string().as_bytes());
        assert_eq!(names_of(&value), [number.to_string()]);
    }
}

/// The value of a payload that Redis 7.0 has written, of which the checksum is right.
fn value_of(hex: &str) -> Vec<u8> {
    let payload = bytes_of(hex);
    let (value, said) = parts(&payload).unwrap();
    let summed = &payload[..payload.len() - SUM_BYTES];
    assert_eq!(crc64::extended(0, summed), said, "{hex}");
    value.to_vec()
}

const HASH: &str = "10c33240681d680000000a008161020101dfff02f100100382626303816402817802bc79e032\
    000e3d816e02f400e68ee7fdffffff09ff0a00045bb9b005ffdcd7";
const ZSET: &str = "1121210000000800816202842d312e350581610201011101020181630283696e6604ff0a00d1f2\
    27f5a37de495";
const LIST: &str = "120102c32a40881b8800000007008161020501dfff02c3e802f2a0860104f400e40b5402201a03\
    09e06478e05a000166ff0a0096af628ed67817e7";

#[test]
fn what_redis_writes_is_read() {
    let text = |hex| names_of(&value_of(hex));
    assert_eq!(
        text("00c30919016161e00c000161610a00d08d67009b1b83b3"),
        ["a".repeat(25)]
    );
    assert_eq!(text("00c1d4fe0a00c6c48623febede2e"), ["-300"]);
    let big = "0013393232333337323033363835343737353830370a003a657e9481e85f22";
    assert_eq!(text(big), [i64::MAX.to_string()]);
    let integers = "0b14040000000300000090eefeff010000002c0100000a00a5504c2ce63939c1";
    assert_eq!(text(integers), ["-70000", "1", "300"]);
    assert_eq!(text("0202016201610a0075d99d835ef85f65"), ["b", "a"]);
    let long = "x".repeat(100);
    let list = ["a", "5", "-1", "1000", "100000", "10000000000", &long];
    assert_eq!(text(LIST), list);
    let hash = items_of(&value_of(HASH)).unwrap();
    let hash: Vec<(&[u8], &[u8])> = hash.iter().map(|(f, v, _)| (&f[..], &v[..])).collect();
    let long = [b'y'; 60];
    let wanted: [(&[u8], &[u8]); 5] = [
        (b"a", b"1"),
        (b"-1", b"4096"),
        (b"bc", b"d"),
        (b"x", &long),
        (b"n", b"-9000000000"),
    ];
    assert_eq!(hash, wanted);
    let zset = items_of(&value_of(ZSET)).unwrap();
    let zset: Vec<(&[u8], f64)> = zset
        .iter()
        .map(|(name, _, score)| (&name[..], *score))
        .collect();
    let wanted: [(&[u8], f64); 4] = [
        (b"b", -1.5),
        (b"a", 1.0),
        (b"17", 2.0),
        (b"c", f64::INFINITY),
    ];
    assert_eq!(zset, wanted);
}

#[test]
fn what_redis_wrote_before_is_read() {
    // A list of one node, which is a ziplist of "a" and 5.
    let value = bytes_of("0e 01 10 10 00 00 00 0d 00 00 00 02 00 00 01 61 03 f6 ff");
    assert_eq!(names_of(&value), ["a", "5"]);
    // A hash in the form of Redis 2.4: "a" with "xy", and one byte that is not used, and "b".
    let value = bytes_of("09 0e 02 01 61 02 01 78 79 00 01 62 01 00 7a ff");
    let items = items_of(&value).unwrap();
    let pairs: Vec<(&[u8], &[u8])> = items.iter().map(|(f, v, _)| (&f[..], &v[..])).collect();
    assert_eq!(pairs, [(&b"a"[..], &b"xy"[..]), (b"b", b"z")]);
    // A sorted set with a score as text.
    let value = bytes_of("03 02 01 61 03 31 2e 35 01 62 ff");
    let items = items_of(&value).unwrap();
    let scores: Vec<f64> = items.iter().map(|(_, _, score)| *score).collect();
    assert_eq!(scores, [1.5, f64::NEG_INFINITY]);
}

#[test]
fn bombs_are_refused() {
    let bomb = bytes_of("00 c3 03 81 00 00 00 ff ff ff ff ff e0 ff 00");
    assert_eq!(items_of(&bomb), Err(BadPayload));
    // An intset that is said to have as many integers as can be said.
    let many = bytes_of("0b 0c 08 00 00 00 ff ff ff ff 01 00 00 00");
    assert_eq!(items_of(&many), Err(BadPayload));
    // A list of nodes with nothing in them.
    let nothing = bytes_of("12 02 02 07 07 00 00 00 00 00 ff 02 07 07 00 00 00 00 00 ff");
    assert_eq!(items_of(&nothing), Err(BadPayload));
    let back_before_the_start = bytes_of("00 c3 03 0a 20 05 00");
    assert_eq!(items_of(&back_before_the_start), Err(BadPayload));
    let not_a_number = bytes_of("05 01 01 61 00 00 00 00 00 00 f8 7f");
    assert_eq!(items_of(&not_a_number), Err(BadPayload));
}

#[test]
fn the_end_of_a_payload_says_what_it_is() {
    let mut payload = vec![0, 1, b'a'];
    let sum = crc64::extended(0, &payload);
    put_footer(&mut payload, sum);
    let (value, said) = parts(&payload).unwrap();
    assert_eq!(value, [0, 1, b'a']);
    assert_eq!(said, crc64::extended(0, &payload[..payload.len() - 8]));
    assert_eq!(parts(&payload[..9]), None);
    let version = payload.len() - FOOTER_BYTES;
    payload[version] = 12;
    assert_eq!(parts(&payload), None);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(
        kind in 0_u8..32,
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut value = vec![kind];
        value.extend(bytes);
        if let Ok(items) = items_of(&value) {
            // What is empty may be said to be there as often as one likes.
            prop_assert!(items.len() <= value.len() * 88);
        }
    }

    #[test]
    fn a_changed_payload_does_no_harm(
        which in 0_usize..3,
        at in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut value = value_of([HASH, ZSET, LIST][which]);
        let at = at % value.len();
        value[at] = byte;
        let _ = items_of(&value);
    }
}
