//! Replies as bytes again: each value has one spelling, so that what a member wrote comes out.

use crate::wire::Value;

/// Appends a value.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Simple(text) => line(out, b'+', text),
        Value::Error(text) => line(out, b'-', text),
        Value::Integer(number) => line(out, b':', number.to_string().as_bytes()),
        Value::Bulk(bytes) => blob(out, b'$', bytes),
        Value::Verbatim(bytes) => blob(out, b'=', bytes),
        Value::NullBulk => line(out, b'$', b"-1"),
        Value::NullArray => line(out, b'*', b"-1"),
        Value::Null => line(out, b'_', b""),
        Value::Boolean(value) => line(out, b'#', if *value { b"t" } else { b"f" }),
        Value::Double(text) => line(out, b',', text),
        Value::Array(items) => list(out, b'*', items, 1),
        Value::Map(items) => list(out, b'%', items, 2),
        Value::Set(items) => list(out, b'~', items, 1),
        Value::Push(items) => list(out, b'>', items, 1),
    }
}

fn line(out: &mut Vec<u8>, marker: u8, text: &[u8]) {
    out.push(marker);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn blob(out: &mut Vec<u8>, marker: u8, bytes: &[u8]) {
    line(out, marker, bytes.len().to_string().as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// `each` items make one of those that are counted.
fn list(out: &mut Vec<u8>, marker: u8, items: &[Value], each: usize) {
    line(out, marker, (items.len() / each).to_string().as_bytes());
    for item in items {
        write(out, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Decoder;

    #[test]
    fn what_was_read_is_written_as_it_was() {
        let bytes = b"+OK\r\n-ERR x\r\n:-7\r\n$3\r\na\r\n\r\n=5\r\ntxt:a\r\n$-1\r\n*-1\r\n_\r\n\
            #t\r\n#f\r\n,1.5\r\n*2\r\n:1\r\n*0\r\n%1\r\n+k\r\n_\r\n~1\r\n:2\r\n>1\r\n+m\r\n";
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(bytes);
        while let Some(value) = decoder.next().unwrap() {
            write(&mut out, &value);
        }
        assert_eq!(out, bytes);
    }
}
