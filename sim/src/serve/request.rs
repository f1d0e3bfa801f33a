//! The requests of a real client, one by one.

use crate::workload::Request;

/// The most bytes of one request.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes that are not a whole request yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// More bytes have come.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole request; an error where there can be none.
    pub(super) fn next(&mut self) -> Result<Option<Request>, &'static str> {
        loop {
            let mut cursor = Cursor(&self.bytes);
            let Some(request) = cursor.request()? else {
                let is_long = self.bytes.len() > REQUEST_BYTES_MAX;
                return if is_long {
                    Err("the request is too long")
                } else {
                    Ok(None)
                };
            };
            let left = cursor.0.len();
            self.bytes.drain(..self.bytes.len() - left);
            // An empty line asks nothing.
            if !request.is_empty() {
                return Ok(Some(request));
            }
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = (&self.0[..end], &self.0[end + 1..]);
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// A line that begins with `marker` and says a length.
    fn length(&mut self, marker: u8) -> Result<Option<usize>, &'static str> {
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let digits = line.strip_prefix(&[marker]);
        let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let length: Option<usize> = text.and_then(|text| text.parse().ok());
        let length = length.filter(|length| *length <= REQUEST_BYTES_MAX);
        length.map(Some).ok_or("invalid length")
    }

    fn request(&mut self) -> Result<Option<Request>, &'static str> {
        if self.0.first() != Some(&b'*') {
            let words = |line: &[u8]| -> Request {
                let words = line.split(u8::is_ascii_whitespace);
                words
                    .filter(|word| !word.is_empty())
                    .map(<[u8]>::to_vec)
                    .collect()
            };
            return Ok(self.line().map(words));
        }
        let Some(count) = self.length(b'*')? else {
            return Ok(None);
        };
        let mut request = Request::new();
        for _ in 0..count {
            let Some(length) = self.length(b'$')? else {
                return Ok(None);
            };
            let Some(word) = self.0.get(..length) else {
                return Ok(None);
            };
            match self.0.get(length..length + 2) {
                None => return Ok(None),
                Some(b"\r\n") => {}
                Some(_) => return Err("a word is not terminated"),
            }
            request.push(word.to_vec());
            self.0 = &self.0[length + 2..];
        }
        Ok(Some(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_whatever_the_pieces() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\r\nPING  now\r\n*0\r\n*1\r\n$2\r\n\r\n\r\n";
        for cut in 0..bytes.len() {
            let (mut reader, mut found) = (Reader::default(), Vec::new());
            for piece in [&bytes[..cut], &bytes[cut..]] {
                reader.feed(piece);
                while let Some(request) = reader.next().unwrap() {
                    found.push(request.join(&b' '));
                }
            }
            assert_eq!(found, [&b"GET k"[..], b"PING now", b"\r\n"]);
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bytes in [
            &b"*x\r\n"[..],
            b"*1\r\n+a\r\n",
            b"*1\r\n$1\r\nab\r\n",
            b"*99999999\r\n",
        ] {
            let mut reader = Reader::default();
            reader.feed(bytes);
            assert!(reader.next().is_err(), "{bytes:?}");
        }
    }
}
