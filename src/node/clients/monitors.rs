//! The clients that MONITOR shows all requests, and the lines that they are shown.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::node::requests::secrets;
use crate::session::Session;

/// So many bytes of a request are shown, before they are quoted.
const SHOWN_BYTES: usize = 64 << 10;

/// The clients that are shown all requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Monitors {
    pub(super) slots: BTreeSet<u32>,
}

/// The line that shows a request, as redis-cli expects it.
pub(super) fn line(wall_us: u64, db: u32, session: &Session, args: Args<'_>) -> Vec<u8> {
    let (seconds, rest) = (wall_us / 1_000_000, wall_us % 1_000_000);
    let address = session.address.strip_suffix(":0");
    let (kind, address) = match address {
        Some(path) => ("unix:", path),
        None => ("", &session.address[..]),
    };
    let head = alloc::format!("+{seconds}.{rest:06} [{db} {kind}{address}]");
    let mut line = Vec::with_capacity(head.len() + 32);
    line.extend(head.bytes().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        byte => byte,
    }));
    let mut room = SHOWN_BYTES;
    for (place, word) in args.iter().enumerate() {
        if room == 0 {
            let more = args.len() - place;
            line.extend_from_slice(alloc::format!(" ... ({more} more arguments)").as_bytes());
            break;
        }
        let word = if secrets::is_secret(args, place) {
            secrets::REDACTED
        } else {
            word
        };
        let (shown, left) = word.split_at(word.len().min(room));
        line.extend_from_slice(b" \"");
        for byte in shown {
            quote(*byte, &mut line);
        }
        if !left.is_empty() {
            line.extend_from_slice(alloc::format!("... ({} more bytes)", left.len()).as_bytes());
        }
        line.push(b'"');
        // Also an empty word takes room.
        room = room.saturating_sub(shown.len() + 1);
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// A byte within quotation marks.
fn quote(byte: u8, line: &mut Vec<u8>) {
    let short = match byte {
        b'\\' | b'"' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x07 => b'a',
        0x08 => b'b',
        b' '..=b'~' => return line.push(byte),
        _ => {
            let hex = |half: u8| b"0123456789abcdef"[usize::from(half & 15)];
            return line.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte)]);
        }
    };
    line.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &str, words: &[&[u8]]) -> String {
        let session = Session {
            address: address.into(),
            ..Session::default()
        };
        let (mut buffer, mut ranges) = (Vec::new(), Vec::new());
        for word in words {
            let from = buffer.len() as u32;
            buffer.extend_from_slice(word);
            ranges.push(from..buffer.len() as u32);
        }
        let args = Args::new(&buffer, &ranges);
        String::from_utf8(line(1_339_518_083_007_412, 3, &session, args)).unwrap()
    }

    #[test]
    fn a_request_is_shown_on_one_line_whatever_is_in_it() {
        let words: [&[u8]; 3] = [b"SET", b"a b", b"\"\\\r\n\t\x07\x08\0\xff"];
        assert_eq!(
            shown("127.0.0.1:60866", &words),
            "+1339518083.007412 [3 127.0.0.1:60866] \"SET\" \"a b\" \
             \"\\\"\\\\\\r\\n\\t\\a\\b\\x00\\xff\"\r\n"
        );
        assert_eq!(
            shown("/run/s\n:0", &[b"PING"]),
            "+1339518083.007412 [3 unix:/run/s ] \"PING\"\r\n"
        );
    }

    #[test]
    fn secrets_are_not_shown_and_neither_is_all_of_a_long_request() {
        let auth: [&[u8]; 3] = [b"AUTH", b"user", b"secret"];
        assert!(shown("a:1", &auth).ends_with("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"));
        let long = vec![b'x'; SHOWN_BYTES + 7];
        let text = shown("a:1", &[b"SET", b"k", &long, b"NX"]);
        assert!(text.ends_with("x... (13 more bytes)\" ... (1 more arguments)\r\n"));
        assert!(text.len() < SHOWN_BYTES + 200);
    }
}
