//! Written values are read back, in both protocols, however the bytes arrive.

use proptest::prelude::*;

use super::*;

/// Feeds `pieces` one after the other and drops what is consumed.
fn decoded(pieces: &[&[u8]], bytes_max: usize) -> (Vec<Value>, Result<usize, Malformed>) {
    let mut decoder = Decoder::with_bytes_max(bytes_max);
    let (mut buffer, mut values) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&buffer) {
                Err(error) => {
                    assert_eq!(decoder.next(&buffer), Err(error), "an error is final");
                    return (values, Err(error));
                }
                Ok(Decoded::Incomplete { wanted }) => {
                    assert!(wanted > 0);
                    break;
                }
                Ok(Decoded::Value { value, consumed }) => {
                    values.push(value);
                    buffer.drain(..consumed);
                }
            }
        }
    }
    (values, Ok(buffer.len()))
}

fn one(bytes: &[u8]) -> Value {
    let (mut values, rest) = decoded(&[bytes], 100);
    assert_eq!((values.len(), rest), (1, Ok(0)), "{}", bytes.escape_ascii());
    values.remove(0)
}

fn error(bytes: &[u8]) -> Malformed {
    decoded(&[bytes], 100).1.unwrap_err()
}

fn written(protocol: Protocol, write: fn(&mut Reply<'_>)) -> Value {
    let mut out = Vec::new();
    write(&mut Reply::new(&mut out, protocol));
    one(&out)
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

#[test]
fn what_the_writer_writes_is_read_back() {
    type Case = (fn(&mut Reply<'_>), Value, Value);
    let same = |write: fn(&mut Reply<'_>), value: Value| (write, value.clone(), value);
    let (a, b) = (|| bulk("a"), || Value::Integer(-1));
    let cases: [Case; 16] = [
        same(
            |r| {
                r.ok();
            },
            Value::Simple(b"OK".to_vec()),
        ),
        same(|r| r.simple("a\r\nb"), Value::Simple(b"a  b".to_vec())),
        same(|r| r.error("ERR no"), Value::Error(b"ERR no".to_vec())),
        same(|r| r.integer(i64::MIN), Value::Integer(i64::MIN)),
        same(|r| r.bulk(b"\r\n"), bulk("\r\n")),
        same(|r| r.bulk_integer(-7), bulk("-7")),
        (|r| r.null(), Value::NullBulk, Value::Null),
        (|r| r.null_array(), Value::NullArray, Value::Null),
        same(|r| r.array(0), Value::Array(vec![])),
        (
            |r| {
                r.map(1);
                r.bulk(b"a");
                r.integer(-1);
            },
            Value::Array(vec![a(), b()]),
            Value::Map(vec![(a(), b())]),
        ),
        (
            |r| {
                r.set(1);
                r.bulk(b"a");
            },
            Value::Array(vec![a()]),
            Value::Set(vec![a()]),
        ),
        (
            |r| {
                r.push(1);
                r.bulk(b"a");
            },
            Value::Array(vec![a()]),
            Value::Push(vec![a()]),
        ),
        (|r| r.boolean(true), Value::Integer(1), Value::Boolean(true)),
        (
            |r| r.double_text("-inf"),
            bulk("-inf"),
            Value::Double("-inf".into()),
        ),
        (
            |r| r.big_number("-12"),
            bulk("-12"),
            Value::BigNumber("-12".into()),
        ),
        (
            |r| r.verbatim(*b"txt", "a"),
            bulk("a"),
            Value::Verbatim {
                kind: *b"txt",
                text: b"a".to_vec(),
            },
        ),
    ];
    for (write, resp2, resp3) in cases {
        assert_eq!(written(Protocol::Resp2, write), resp2);
        assert_eq!(written(Protocol::Resp3, write), resp3);
    }
    let error = |r: &mut Reply<'_>| r.bulk_error(b"ERR\r\n");
    assert_eq!(
        written(Protocol::Resp2, error),
        Value::Error(b"ERR  ".to_vec())
    );
    assert_eq!(
        written(Protocol::Resp3, error),
        Value::BulkError(b"ERR\r\n".to_vec())
    );
}

#[test]
fn attributes_belong_to_the_value_behind_them() {
    let bytes = b"*2\r\n|1\r\n+ttl\r\n:9\r\n$1\r\na\r\n|0\r\n_\r\n";
    let attributed = |attributes, value| Value::Attributed {
        attributes,
        value: Box::new(value),
    };
    let ttl = (Value::Simple(b"ttl".to_vec()), Value::Integer(9));
    let first = attributed(vec![ttl], bulk("a"));
    assert_eq!(first.as_bytes(), Some(&b"a"[..]));
    let expected = Value::Array(vec![first, attributed(vec![], Value::Null)]);
    assert_eq!(one(bytes), expected);
}

#[test]
fn what_is_no_value_is_refused() {
    let cases: [(&[u8], Malformed); 24] = [
        (b"x", Malformed::UnknownType(b'x')),
        (b"\r\n", Malformed::UnknownType(b'\r')),
        (b"+a\n", Malformed::LineEnd),
        (b"+a\rb", Malformed::LineEnd),
        (b"$1\r\nabc", Malformed::LineEnd),
        (b"$1\r\na\n\n", Malformed::LineEnd),
        (b"$-2\r\n", Malformed::Length),
        (b"$+1\r\n", Malformed::Length),
        (b"$?\r\n", Malformed::Length),
        (b"*01\r\n", Malformed::Length),
        (b"~-1\r\n", Malformed::Length),
        (b"!-1\r\n", Malformed::Length),
        (b"%9223372036854775808\r\n", Malformed::Length),
        (b":\r\n", Malformed::Content),
        (b":1a\r\n", Malformed::Content),
        (b"_x\r\n", Malformed::Content),
        (b"#x\r\n", Malformed::Content),
        (b",1,5\r\n", Malformed::Content),
        (b",\r\n", Malformed::Content),
        (b"(-\r\n", Malformed::Content),
        (b"(1.0\r\n", Malformed::Content),
        (b"=3\r\ntxt\r\n", Malformed::Content),
        (b"=4\r\ntxt;\r\n", Malformed::Content),
        (b"*1\r\n*1\r\n?", Malformed::UnknownType(b'?')),
    ];
    for (bytes, expected) in cases {
        assert_eq!(error(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn limits_hold_to_the_unit() {
    let nested = |depth: usize| [b"*1\r\n".repeat(depth), b"_\r\n".to_vec()].concat();
    assert!(decoded(&[&nested(limits::NESTING_MAX)], 9).1.is_ok());
    assert_eq!(error(&nested(limits::NESTING_MAX + 1)), Malformed::TooDeep);
    let attributed = [b"|0\r\n".repeat(limits::NESTING_MAX), b"_\r\n".to_vec()].concat();
    assert!(decoded(&[&attributed], 9).1.is_ok());
    assert_eq!(
        error(&b"|0\r\n".repeat(limits::NESTING_MAX + 1)),
        Malformed::TooDeep
    );
    for (fits, above) in [
        ("+1234", "+12345"),
        ("+1234\r\n", "+12345\r\n"),
        ("$4\r\n", "$5\r\n"),
    ] {
        assert!(decoded(&[fits.as_bytes()], 4).1.is_ok(), "{fits:?}");
        assert_eq!(
            decoded(&[above.as_bytes()], 4).1,
            Err(Malformed::TooLong),
            "{above:?}"
        );
    }
    let empty = b"%0\r\n".repeat(1000);
    assert_eq!(decoded(&[&empty], 4).0.len(), 1000);
}

#[test]
fn a_length_sets_no_memory_aside() {
    let mut decoder = Decoder::new();
    let step = decoder.next(b"*9223372036854775807\r\n$536870912\r\n");
    let wanted = 536_870_914;
    assert_eq!(step, Ok(Decoded::Incomplete { wanted }));
    assert_eq!(decoder.open[0].parts.capacity(), 0);
}

#[test]
fn kinds_of_values_are_told_apart() {
    assert!(one(b"*-1\r\n").is_null() && one(b"$-1\r\n").is_null() && one(b"_\r\n").is_null());
    assert!(one(b"-a\r\n").is_error() && one(b"!1\r\na\r\n").is_error());
    assert!(!one(b"+a\r\n").is_error() && !one(b"*0\r\n").is_null());
    assert_eq!(one(b",1.5\r\n").as_bytes(), Some(&b"1.5"[..]));
    assert_eq!(one(b":1\r\n").as_bytes(), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..9);
    let line = || "[^\r\n]{0,9}".prop_map(String::into_bytes);
    let leaf = prop_oneof![
        line().prop_map(Value::Simple),
        line().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::Bulk),
        Just(Value::NullBulk),
        Just(Value::NullArray),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<f64>().prop_map(|d| Value::Double(d.to_string())),
        "-?[0-9]{1,30}".prop_map(Value::BigNumber),
        bytes().prop_map(Value::BulkError),
        (any::<[u8; 3]>(), bytes()).prop_map(|(kind, text)| Value::Verbatim { kind, text }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..4);
        let pairs = prop::collection::vec((inner.clone(), inner.clone()), 0..3);
        prop_oneof![
            items.clone().prop_map(Value::Array),
            items.clone().prop_map(Value::Set),
            items.prop_map(Value::Push),
            pairs.clone().prop_map(Value::Map),
            (pairs, inner).prop_map(|(attributes, value)| Value::Attributed {
                attributes,
                value: Box::new(value),
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(
        values in prop::collection::vec(any_value(), 0..4),
        size in 1_usize..9,
    ) {
        let mut bytes = Vec::new();
        for value in &values {
            value.encode(&mut bytes);
        }
        prop_assert_eq!(&decoded(&[&bytes], 1000), &(values.clone(), Ok(0)));
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(&decoded(&pieces, 1000), &(values, Ok(0)));
    }

    #[test]
    fn any_bytes_are_judged_alike_in_any_pieces(
        values in prop::collection::vec(any_value(), 1..3),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        size in 1_usize..9,
    ) {
        let mut bytes = Vec::new();
        for value in &values {
            value.encode(&mut bytes);
        }
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let whole = decoded(&[&bytes], 20);
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(&decoded(&pieces, 20), &whole);
        // What was understood is what those bytes say, and no other bytes say it.
        if let (values, Ok(rest)) = whole {
            let mut again = Vec::new();
            for value in &values {
                value.encode(&mut again);
            }
            prop_assert_eq!(&again[..], &bytes[..bytes.len() - rest]);
        }
    }
}
