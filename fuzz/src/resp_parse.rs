//! Any bytes as requests and as replies: no panic, and nothing is found that was not sent.

use seedis::resp::parse::{Limits, Parser, Step};
use seedis::resp::value::{Decoded, Decoder};

/// Reads `data` as one client's requests under three kinds of limits, and as one server's replies.
pub fn run(data: &[u8]) {
    let small = Limits {
        bulk_bytes_max: 64,
        arguments_max: 16,
        inline_bytes_max: 32,
        authenticated: true,
    };
    for limits in [Limits::normal(), Limits::unauthenticated(), small] {
        requests(data, &limits);
    }
    for bytes_max in [16, 1 << 20] {
        replies(data, bytes_max);
    }
}

fn requests(data: &[u8], limits: &Limits) {
    let (mut parser, mut rest) = (Parser::new(), data);
    loop {
        match parser.next(rest, limits) {
            Err(error) => {
                assert_eq!(parser.next(rest, limits), Err(error), "an error is final");
                assert!(error.text().starts_with(b"Protocol error: "));
                return;
            }
            Ok(Step::Incomplete { wanted }) => {
                assert!(wanted > 0);
                assert_eq!(parser.next(rest, limits), Ok(Step::Incomplete { wanted }));
                return;
            }
            Ok(Step::Empty { consumed }) => {
                assert!(consumed > 0);
                rest = &rest[consumed..];
            }
            Ok(Step::Request { consumed }) => {
                assert!((1..=rest.len()).contains(&consumed));
                let bytes = parser.bytes(rest);
                assert!(!parser.arguments().is_empty());
                assert!(parser.arguments().len() as u64 <= limits.arguments_max.max(65_536));
                for range in parser.arguments() {
                    let argument = &bytes[range.start as usize..range.end as usize];
                    assert!(argument.len() <= consumed);
                }
                rest = &rest[consumed..];
            }
        }
    }
}

fn replies(data: &[u8], bytes_max: usize) {
    let (mut decoder, mut rest) = (Decoder::with_bytes_max(bytes_max), data);
    loop {
        match decoder.next(rest) {
            Err(error) => {
                assert_eq!(decoder.next(rest), Err(error), "an error is final");
                return;
            }
            Ok(Decoded::Incomplete { wanted }) => {
                assert!(wanted > 0);
                return;
            }
            Ok(Decoded::Value { value, consumed }) => {
                let mut again = Vec::new();
                value.encode(&mut again);
                assert_eq!(
                    again,
                    rest[..consumed],
                    "what is encoded is what was decoded"
                );
                rest = &rest[consumed..];
            }
        }
    }
}
