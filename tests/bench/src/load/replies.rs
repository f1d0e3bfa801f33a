//! Counts the replies in a stream of RESP, in whatever pieces it comes.

use crate::failure::{Failure, Result};

/// So many bytes of an error are kept for the sentence that tells it.
const ERROR_BYTES_MAX: usize = 200;

/// A stream of replies, and how far it has come.
#[derive(Debug, Default)]
pub struct Replies {
    state: State,
    /// Values that still belong to the reply that has begun; 0 between two replies.
    open: u64,
    /// The first error that was a reply.
    error: Option<String>,
}

#[derive(Debug, Default)]
enum State {
    /// The next byte says of which kind the next value is.
    #[default]
    Kind,
    /// In the first line of a value: its kind and what its digits say so far.
    Line { kind: u8, number: u64, minus: bool },
    /// In the text of an error.
    Error(Vec<u8>),
    /// So many bytes of a bulk string, with the end of its line, are still to come.
    Bulk(u64),
}

impl Replies {
    /// Takes bytes, and returns how many replies have become whole. Errors among them are failures.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<u64> {
        let mut whole = 0;
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Kind => {
                    self.state = match first {
                        b'-' => State::Error(Vec::new()),
                        b'+' | b':' | b'$' | b'*' | b'_' | b',' | b'#' | b'(' | b'%' | b'~' => {
                            State::Line {
                                kind: first,
                                number: 0,
                                minus: false,
                            }
                        }
                        other => {
                            return Err(Failure::new(format!(
                                "the server speaks no RESP: a reply begins with byte {other}"
                            )));
                        }
                    };
                    self.open = self.open.max(1);
                    bytes = rest;
                }
                State::Line {
                    kind,
                    number,
                    minus,
                } => {
                    bytes = rest;
                    match first {
                        b'-' => *minus = true,
                        b'0'..=b'9' => {
                            *number = number
                                .wrapping_mul(10)
                                .wrapping_add(u64::from(first - b'0'));
                        }
                        b'\n' => {
                            let length = if *minus { None } else { Some(*number) };
                            match (*kind, length) {
                                (b'$', Some(length)) => self.state = State::Bulk(length + 2),
                                (b'*' | b'~', Some(length)) => whole += self.end(length),
                                (b'%', Some(length)) => whole += self.end(2 * length),
                                _ => whole += self.end(0),
                            }
                        }
                        _ => {}
                    }
                }
                State::Error(text) => {
                    bytes = rest;
                    if first == b'\n' {
                        let text = String::from_utf8_lossy(text).into_owned();
                        self.error.get_or_insert(text);
                        whole += self.end(0);
                    } else if first != b'\r' && text.len() < ERROR_BYTES_MAX {
                        text.push(first);
                    }
                }
                State::Bulk(left) => {
                    let taken = bytes
                        .len()
                        .min(usize::try_from(*left).unwrap_or(usize::MAX));
                    bytes = &bytes[taken..];
                    *left -= taken as u64;
                    if *left == 0 {
                        whole += self.end(0);
                    }
                }
            }
        }
        match &self.error {
            None => Ok(whole),
            Some(text) => Err(Failure::new(format!("the server answers: {text}"))),
        }
    }

    /// One value is whole but for so many within it; returns 1 if that ends a reply.
    fn end(&mut self, within: u64) -> u64 {
        self.state = State::Kind;
        self.open = self.open - 1 + within;
        u64::from(self.open == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"+OK\r\n:-12\r\n$5\r\na\r\nbc\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n\
        *3\r\n*2\r\n:1\r\n$1\r\nx\r\n$-1\r\n*0\r\n%1\r\n+a\r\n,1.5\r\n_\r\n~1\r\n#t\r\n(123\r\n";
    const REPLIES: u64 = 12;

    #[test]
    fn replies_are_counted_in_any_pieces() {
        assert_eq!(Replies::default().take(STREAM).unwrap(), REPLIES);
        for size in 1..STREAM.len() {
            let mut replies = Replies::default();
            let pieces = STREAM
                .chunks(size)
                .map(|piece| replies.take(piece).unwrap());
            assert_eq!(pieces.sum::<u64>(), REPLIES, "pieces of {size}");
        }
    }

    #[test]
    fn half_a_reply_is_none() {
        let mut replies = Replies::default();
        assert_eq!(replies.take(b"$10\r\n12345").unwrap(), 0);
        assert_eq!(replies.take(b"67890\r").unwrap(), 0);
        assert_eq!(replies.take(b"\n").unwrap(), 1);
    }

    #[test]
    fn an_error_is_told_in_the_words_of_the_server() {
        let mut replies = Replies::default();
        let failure = replies.take(b"+OK\r\n-ERR no such thing\r\n").unwrap_err();
        assert_eq!(failure.to_string(), "the server answers: ERR no such thing");
        let long = [b"-".as_slice(), &[b'x'; 5000], b"\r\n"].concat();
        let failure = Replies::default().take(&long).unwrap_err();
        assert!(failure.to_string().len() < 300);
    }

    #[test]
    fn other_bytes_are_refused() {
        let failure = Replies::default().take(b"HTTP/1.1 200 OK\r\n").unwrap_err();
        assert!(failure.to_string().contains("no RESP"), "{failure}");
    }
}
