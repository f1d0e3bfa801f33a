//! Bytes that are no request, and the longest that are one.

use super::Piece;
use crate::draws::Dice;

/// The most bytes of a line, its LF not counted.
const LINE_BYTES_MAX: usize = 64 << 10;

/// An inline request as long as may be, with its CR.
pub(super) fn longest_line() -> Piece {
    let (name, end) = ("PING", 1);
    let argument = vec![b'x'; LINE_BYTES_MAX - name.len() - 1 - end];
    Piece::Inline(vec![name.into(), argument])
}

/// Bytes that are no request.
pub(super) fn garbage(dice: &mut Dice) -> Piece {
    let cases: [(&[u8], &str, bool); 7] = [
        (b"*1\r\n:1\r\n", "expected '$', got ':'", false),
        (b"*x\r\n", "invalid multibulk length", false),
        (b"*1\r\n$-1\r\n", "invalid bulk length", false),
        (b"*1\r\n$999999999999\r\n", "invalid bulk length", false),
        (b"GET \"k\r\n", "unbalanced quotes in request", false),
        (b"*1\r\n$536870913\r\n", "invalid bulk length", true),
        (b"*1048577\r\n", "invalid multibulk length", true),
    ];
    let (bytes, complaint, limit) = *dice.pick(&cases);
    let (mut bytes, mut complaint, mut limit) = (bytes.to_vec(), complaint, limit);
    if dice.permille(150) {
        // A line that is one byte too long, of each of three kinds.
        let (start, what) = *dice.pick(&[
            ("PING ", "too big inline request"),
            ("*", "too big mbulk count string"),
            ("*1\r\n$", "too big bulk count string"),
        ]);
        bytes = start.as_bytes().to_vec();
        let line = start.rfind('\n').map_or(0, |at| at + 1);
        // The CR counts where LF ends the line.
        let end = usize::from(start.starts_with('P'));
        bytes.resize(line + LINE_BYTES_MAX + 1 - end, b'1');
        bytes.extend_from_slice(b"\r\n");
        (complaint, limit) = (what, true);
    }
    // Drawn last, so that all that was drawn before is as it was.
    if dice.permille(200) {
        let bytes = *dice.pick(&[
            &b"POST /set/k0/x HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            b"host: 127.0.0.1\r\n",
            b"*2\r\n$4\r\nPost\r\n$1\r\n/\r\n",
        ]);
        return Piece::Garbage {
            bytes: bytes.to_vec(),
            // A browser is told nothing.
            complaint: String::new(),
            limit: false,
        };
    }
    Piece::Garbage {
        bytes,
        complaint: format!("ERR Protocol error: {complaint}"),
        limit,
    }
}
